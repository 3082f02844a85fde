"""Which rule a refused command breaks: by command, condition and what the trace shows, the first row that fits."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ...diagnose.devices import GONE
from ...diagnose.world import World
from .. import communicate_rules
from ..rule import Rule
from . import memory, pdev, streams, vdev

if TYPE_CHECKING:
    from ...diagnose import Diagnosis, Verdict

_OBJECTS = ("RD", "REC", "REC_AUX", "RTT", "DATA", "PDEV", "PDEV_AUX", "VDEV", "VDEV_AUX", "VSMMU")


class _Row(NamedTuple):
    command: re.Pattern[str]
    condition: re.Pattern[str]
    rule: Rule


def _row(command: str, condition: str, rule: Rule) -> _Row:
    return _Row(re.compile(command), re.compile(condition), rule)


_TABLE: tuple[_Row, ...] = (
    # harmless, or nobody's fault
    _row("(PDEV|VDEV)_ABORT", "pdev_state|comm_state", pdev.ABORT_NOTHING),
    _row("VDEV_COMPLETE|PSCI_COMPLETE", ".*", memory.COMPLETE_REFUSED),
    _row("RMM_ACTIVATE|RMM_CONFIG_SET", "rmm_state", memory.RMM_ALREADY_ACTIVE),
    _row(".*", "rmm_state", memory.RMM_NOT_ACTIVE),
    # operations of 2.0
    _row("OP_.*", "handle|complete", streams.OP_HANDLE),
    _row("OP_.*", "order", streams.OP_WRONG_CALL),
    _row("OP_.*", "can_cancel", streams.OP_CANCEL),
    _row("OP_.*", "mem_.*", streams.OP_DONATE_LIST),
    # parameters of devices
    _row(".*_CREATE", "aux_align|aux_alias|aux_state", pdev.AUX_LIST),
    _row(".*_CREATE", "num_aux", pdev.AUX_COUNT),
    _row("PDEV_(CREATE|AUX_COUNT)", "flags_supp", pdev.PDEV_FLAGS),
    _row(".*", "ncoh_ide_sid_bound|ide_sid_bound", pdev.PDEV_STREAM_ID),
    _row("PDEV_STREAM_CONNECT", "feat_non_tee_stream", streams.STREAM_TYPE),
    _row("PDEV_CREATE", "max_vdevs|max_num_vdevs", pdev.PDEV_LIMITS),
    _row("(PDEV|VDEV).*", "params_valid|addr_range_valid", pdev.PDEV_PARAMS),
    _row("REALM_CREATE", "params_valid|params_supp|rtt_num_level", memory.REALM_PARAMS),
    _row(".*", "key_len_oflow|metadata_len_oflow", pdev.KEY_TOO_LONG),
    _row(".*", "key_invalid", pdev.KEY_LENGTH),
    _row(".*_COMMUNICATE", "rsp_len|resp_len", communicate_rules.RSP_LEN),
    # addresses
    _row(".*", "alias", memory.ADDRESS_ALIAS),
    _row(".*", ".*align", memory.ADDRESS_UNALIGNED),
    _row("RTT_SET_.*|VDEV_VALIDATE_MAPPING|RTT_DEV_VALIDATE", "base_bound|top_bound|vdev_id|pending", memory.REC_REQUEST),
    _row(".*", "ipa_bound|ipa_prot|level_bound|index_bound|range|size_valid|top_bound", memory.TABLE_RANGE),
    _row(".*", ".*_pas", memory.PAGE_DELEGATED),
    # devices
    _row("PDEV_SET_PUBKEY", "pdev_state", pdev.KEY_WRONG_STATE),
    _row("PDEV_COMMUNICATE", "comm_state", pdev.COMM_NOTHING_OPEN),
    _row("VDEV_COMMUNICATE", "comm_state", vdev.VDEV_COMM_STRAY),
    _row(".*_COMMUNICATE", "busy", pdev.COMM_BUSY),
    _row("PDEV_STOP", "num_vdevs", pdev.STOP_WITH_VDEVS),
    _row("PDEV_STOP", "pdev_stream_live", pdev.STOP_STREAM_LIVE),
    _row("PDEV_STOP", "comm_state", pdev.STOP_UNFINISHED),
    _row("PDEV_STOP", "pdev_state", pdev.STOP_WRONG_STATE),
    _row("PDEV_DESTROY", "pdev_state", pdev.DESTROY_NOT_STOPPED),
    # VDEVs
    _row("VDEV_CREATE", "pdev_streams|stream_exists", vdev.VDEV_NO_STREAM),
    _row("VDEV_CREATE", "da_en", vdev.VDEV_NO_DA),
    _row("VDEV_CREATE", "vdev_id_free|tdi_id_free|tdi_id_bound", vdev.VDEV_IDS),
    _row("VDEV_DESTROY", "vdev_state", vdev.VDEV_DESTROY_STATE),
    _row("VDEV_(UNLOCK|DESTROY)", "num_map|gran_mapped", vdev.VDEV_MAPPED),
    _row(".*", "vdev_realm|vdev_pdev", vdev.VDEV_OWNER),
    _row("VDEV_(LOCK|START|UNLOCK|GET_.*)", "vdev_state", vdev.VDEV_WRONG_STATE),
    _row("VDEV_(LOCK|START|UNLOCK|GET_.*)", "comm_state", vdev.VDEV_BUSY),
    # streams
    _row("PDEV_STREAM_COMPLETE", "complete|pdev_._comm_state", streams.STREAM_EARLY),
    _row("PDEV_STREAM_.*", "stream_valid", streams.STREAM_HANDLE),
    _row("PDEV_STREAM_.*", "stream_state", streams.STREAM_WRONG_STATE),
    _row("PDEV_STREAM_DISCONNECT", "num_vdevs", streams.STREAM_VDEVS),
    _row("PDEV_STREAM_.*", "pdev_._(state|op|comm_state|category)|stream_type_exists|disconnected", streams.STREAM_PDEV),
    # Realms and RECs
    _row("REALM_DESTROY", "realm_live|rec_live", memory.REALM_NOT_EMPTY),
    _row(".*", "realm_state|realm_new|active", memory.REALM_WRONG_STATE),
    _row("REC_ENTER", "rec_mmio|inject_sea", memory.REC_ENTRY),
)

_BY_STATUS: tuple[tuple[re.Pattern[str], str, Rule], ...] = (
    # what the list of the command has no condition for, or only one that nothing shows
    (re.compile("VDEV_COMPLETE|PSCI_COMPLETE"), "RMI_ERROR_INPUT", memory.COMPLETE_REFUSED),
    (re.compile("(PDEV|VDEV)_ABORT"), "RMI_ERROR_DEVICE", pdev.ABORT_NOTHING),
    (re.compile("PDEV_STREAM_KEY_PURGE"), "RMI_ERROR_NOT_SUPPORTED", streams.KEY_PURGE_UNSUPPORTED),
    (re.compile("PDEV_STREAM_CONNECT|PDEV_CREATE"), "RMI_ERROR_NOT_SUPPORTED", streams.STREAM_TYPE),
    (re.compile(".*_COMMUNICATE"), "RMI_BUSY", pdev.COMM_BUSY),
    (re.compile("VDEV_CREATE"), "RMI_ERROR_REALM", vdev.VDEV_NO_DA),
    (re.compile("VDEV_UNLOCK"), "RMI_ERROR_GRANULE", vdev.VDEV_MAPPED),
)

RULES: tuple[Rule, ...] = tuple(
    r for module in (memory, pdev, vdev, streams) for r in vars(module).values() if isinstance(r, Rule)
)


def rule_of(world: World, d: Diagnosis, cause: Verdict | None) -> Rule | None:
    """The rule that a refused call breaks, None where the trace does not say."""
    command = d.command.removeprefix("RMI_")
    if cause is None:
        if command == "PDEV_CREATE" and d.status == "RMI_ERROR_NOT_SUPPORTED" and d.revision.startswith("1."):
            return pdev.PDEV_FLAGS  # there are no categories and streams to choose from
        return next((r for c, status, r in _BY_STATUS if status == d.status and c.fullmatch(command)), None)
    special = _special(world, d, cause, command)
    if special is not None:
        return special
    found = _of_condition(command, cause.condition.id)
    if found is None and cause.condition.id.endswith("state") and "RUNNING" not in cause.condition.when:
        found = _granule(world, d, cause, command)
    return found


@lru_cache(maxsize=4096)
def _of_condition(command: str, condition: str) -> Rule | None:
    return next((r.rule for r in _TABLE if r.command.fullmatch(command) and r.condition.fullmatch(condition)), None)


def _special(world: World, d: Diagnosis, cause: Verdict, command: str) -> Rule | None:
    """Where the condition alone does not tell two faults apart."""
    ident = cause.condition.id
    if "is not granule aligned" in cause.text and not ident.endswith("align"):
        return memory.ADDRESS_UNALIGNED
    if command == "VDEV_CREATE" and ident == "pdev_state":
        return vdev.VDEV_PDEV_NOT_READY
    if command == "REALM_DESTROY" and "vdev:" in cause.text:
        return memory.REALM_HAS_VDEV
    failed = "failed" in cause.text and ident in ("comm_state", "pdev_1_comm_state", "pdev_2_comm_state")
    if failed and command == "PDEV_STOP":
        return pdev.STOP_AFTER_FAILURE
    if command.startswith("PDEV_STREAM_") and (failed or (ident.startswith("pdev_") and "ERROR" in cause.text)):
        return streams.STREAM_STUCK
    if command == "PDEV_COMMUNICATE" and ident == "comm_state":
        address = _argument(world, d, "pdev_ptr")
        if address is not None and world.pdev(address, d.seq).state == "NEEDS_KEY":
            return pdev.COMM_NEEDS_KEY
    if command == "PDEV_CREATE" and ident == "pdev_state":
        return _granule(world, d, cause, command)
    return None


def _granule(world: World, d: Diagnosis, cause: Verdict, command: str) -> Rule | None:
    """A granule that is in the wrong state: it was not delegated, or is something else."""
    state = next((s for s in _OBJECTS if f" is {s} " in cause.text), "")
    delegated = " is DELEGATED " in cause.text
    if "UNDELEGATE" in command:
        return memory.UNDELEGATE_LIVE if state else memory.UNDELEGATE_NOT_DELEGATED
    if "DELEGATE" in command:
        return memory.DELEGATE_TWICE
    if command.endswith("_CREATE") or command.startswith(("DATA_CREATE", "RTT_DATA_MAP", "RTT_DEV_MAP")):
        wants_object = (
            cause.condition.id in ("pdev_gran_state", "rd_state", "vdev_gran_state") and "DELEGATED" not in cause.condition.when
        )
        if not wants_object:
            return memory.CREATE_TWICE if state or "makes an object" in cause.text else memory.CREATE_NOT_DELEGATED
    if delegated or not state:
        return memory.USE_AFTER_DESTROY if _was(world, d, cause) else memory.NOT_AN_OBJECT
    return memory.NOT_AN_OBJECT


def _was(world: World, d: Diagnosis, cause: Verdict) -> bool:
    """Whether the object that a call names was destroyed before."""
    stem = cause.condition.id.split("_")[0]
    names = {"rd": ("rd",), "rec": ("rec_ptr", "rec"), "vdev": ("vdev_ptr",)}.get(stem, ("pdev_ptr", "pdev_1_ptr"))
    address = _argument(world, d, *names)
    if address is None:
        return False
    if stem == "rd":
        return world.realm(address, d.seq)[0] == GONE
    if stem == "vdev":
        return GONE in world.vdev(address, d.seq).states
    if stem.startswith("pdev"):
        return GONE in world.pdev(address, d.seq).states
    return world.was_rec(address, d.seq)


def _argument(world: World, d: Diagnosis, *names: str) -> int | None:
    call = world.capture.call(d.seq)
    return next((a.value for a in call.args if a.name in names and isinstance(a.value, int)), None)
