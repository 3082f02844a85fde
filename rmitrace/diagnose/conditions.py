"""Which function answers a condition: by its id, the command and the status, the first row that fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from decoders.abi import Failure

from . import addresses, owners, parameters, ranges, recs, states
from .query import OPEN, Answer, Query

Predicate = Callable[[Query, Failure], Answer]


class _Row(NamedTuple):
    id: re.Pattern[str]
    command: re.Pattern[str]
    predicate: Predicate


def _row(id: str, predicate: Predicate, command: str = ".*") -> _Row:
    return _Row(re.compile(id), re.compile(command), predicate)


_STREAMS = "PDEV_STREAM_.*"
_TABLE: tuple[_Row, ...] = (
    _row("incompat.*", parameters.version),
    _row("da_supp|feat", parameters.assignment, "PDEV_.*|VDEV_.*|PSMMU_.*"),
    _row("rmm_state", states.rmm),
    _row("state", states.rmm, "RMM_DEACTIVATE"),
    # operations of 2.0
    _row("handle|order|can_cancel|complete|mem_.*", owners.handle, "OP_.*"),
    _row("sro_blocked|sro_busy", owners.blocked),
    # parameter pages
    _row("key_len_oflow|metadata_len_oflow|rsp_len|resp_len", parameters.length),
    _row("key_invalid", parameters.key),
    _row("num_aux", owners.aux_count),
    _row("flags_supp", parameters.flags_supported),
    _row("ncoh_ide_sid_bound|ide_sid_bound", parameters.stream_id),
    _row("feat_non_tee_stream", parameters.non_tee, _STREAMS),
    _row("max_vdevs|max_num_vdevs", parameters.max_vdevs),
    _row("params_valid", parameters.pdev_params, "PDEV_CREATE"),
    _row("params_valid", parameters.stream_params, _STREAMS),
    _row("params_valid|params_supp", parameters.realm_params, "REALM_CREATE"),
    _row("addr_range_valid|params_valid", parameters.vdev_params, "VDEV_CREATE"),
    _row("rec_mmio|inject_sea", recs.entry_flags),
    _row("mpidr_index", owners.index_of_rec),
    _row("vdev_id_free|tdi_id_free|tdi_id_bound", owners.vdev_ids, "VDEV_CREATE"),
    # who belongs to whom
    _row("num_vdevs", owners.num_vdevs),
    _row("vdev_pdev", owners.vdev_pdev),
    _row("vdev_realm", owners.vdev_realm),
    _row("rec_owner", states.rec_owner),
    _row("stream_valid|stream_state|complete|stream_type_exists|disconnected", owners.stream, _STREAMS),
    _row("pdev_stream_live|pdev_streams|stream_exists", owners.stream),
    # Realms
    _row("realm_new|system_off|realm_state", states.realm),
    _row("realm_live|rec_live", states.realm_live, "REALM_DESTROY"),
    # devices
    _row(".*comm_state|vdev_._comm", states.comm_state, "PDEV_.*|VDEV_.*"),
    _row("pdev_[12]_op", states.operation),
    _row("pdev_state", states.granule_state, "PDEV_CREATE"),
    _row("pdev_state|pdev_[12]_state|vdev_state", states.device_state, "(PDEV|VDEV)_(?!COMPLETE).*"),
    # tables
    _row("rtt_walk|rtte_state|rtt_live|rtt_homo|fold_level|aux_ref|aux_live|too_small", ranges.walk),
    _row("level_bound", ranges.level),
    _row("index_bound", ranges.index),
    _row("flags|oaddr_type", ranges.flags, "RTT_.*"),
    _row("base_bound|top_bound", recs.request_range, "RTT_SET_.*|VDEV_VALIDATE_MAPPING|RTT_DEV_VALIDATE"),
    _row("pending", recs.pending, "PSCI_COMPLETE|VDEV_COMPLETE"),
    _row("size_valid|top_bound", ranges.order),
    _row("range", ranges.range_),
    # addresses and granules
    _row("state", states.range_state, "GRANULE_RANGE_.*"),
    _row("(base|top|top_gran)_align", addresses.alignment, "GRANULE_.*"),
    _row("alias|aux_alias", addresses.alias),
    _row(".*align", addresses.alignment),
    _row("ipa_bound|ipa_prot", addresses.ipa_bound),
    _row(".*_pas", addresses.pas),
    _row(".*bound2?|.*_pop|.*_track", addresses.bound),
    _row("gran_state|.*_gran_state|.*_state|recv_state", states.granule_state),
)


def answer(q: Query, f: Failure) -> Answer:
    """Whether a condition holds, as far as the trace tells."""
    predicate = _predicate(f.id, q.command)
    return OPEN if predicate is None else predicate(q, f)


@lru_cache(maxsize=4096)
def _predicate(ident: str, command: str) -> Predicate | None:
    return next((r.predicate for r in _TABLE if r.id.fullmatch(ident) and r.command.fullmatch(command)), None)


def answered() -> list[Predicate]:
    """Every predicate in use."""
    return list(dict.fromkeys(r.predicate for r in _TABLE))
