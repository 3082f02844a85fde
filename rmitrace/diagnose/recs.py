"""What a REC asked its host for when it last exited, and conditions about the answer."""

from __future__ import annotations

from typing import NamedTuple

import decoders
from decoders.abi import Failure

from . import pages
from .query import OPEN, Answer, Query, hexa, no, unknown, yes

PSCI, RIPAS_CHANGE, S2AP_CHANGE, VDEV_REQUEST = 3, 4, 7, 8
"""RmiRecExitReason, the same in every revision that has them."""
_ASKS = {
    "RTT_SET_RIPAS": (RIPAS_CHANGE, "ripas_base", "ripas_top"),
    "RTT_SET_S2AP": (S2AP_CHANGE, "s2ap_base", "s2ap_top"),
    "VDEV_VALIDATE_MAPPING": (9, "dev_mem_base", "dev_mem_top"),
    "RTT_DEV_VALIDATE": (9, "dev_mem_base", "dev_mem_top"),
}


class Exit(NamedTuple):
    """The last exit of a REC before a call: the RMI_REC_ENTER, its reason by number and name, the range it names."""

    call: int
    reason: int
    name: str
    base: int | None
    top: int | None


def last_exit(q: Query, rec: int) -> Exit | None:
    """Where the memory of RMI_REC_ENTER was recorded."""
    if not any(s.format in pages.WITH_MEMORY for s in q.capture.sources):
        return None
    call = q.world.last_entry(rec, q.seq)
    if call < 0 or not pages.has_memory(q.capture, call):
        return None
    tree = next((t for b, t in q.capture.call(call).buffers if b.when == "exit" and b.struct == "RmiRecRun" and t), None)
    reason = pages.field(tree, "exit.exit_reason")
    if reason is None:
        return None
    names = decoders.profile(q.revision).enums.get("RmiRecExitReason", {})
    asks = _ASKS.get(q.command, (0, "", ""))
    name = names.get(reason, f"reason {reason}").removeprefix("RMI_")
    return Exit(call, reason, name, pages.field(tree, f"exit.{asks[1]}"), pages.field(tree, f"exit.{asks[2]}"))


def never_ran(q: Query) -> bool:
    """Whether the REC was made in this capture and has not been entered, in a source that shows every call."""
    if q.rec is None or not q.world.columns.sees_all or q.world.rec(q.rec, q.seq) is None:
        return False
    return not q.world.entered(q.rec, q.seq)


def request_range(q: Query, f: Failure) -> Answer:
    """base and top of the range that the REC asked for (base_bound, top_bound)."""
    found = last_exit(q, q.rec) if q.rec is not None else None
    asks = _ASKS.get(q.command)
    if never_ran(q):
        return yes("the REC has not run yet") if f.id == "base_bound" else unknown("the REC has not run yet")
    if found is None or asks is None:
        return OPEN
    wanted = asks[0]
    if q.revision == "2.0-bet3" and q.command == "RTT_DEV_VALIDATE":
        wanted = 8
    if found.reason != wanted:
        told = f"the REC last exited with {found.name} in call {found.call}: it asks for no such range"
        return yes(told, found.call) if f.id == "base_bound" else unknown(told, found.call)
    base, top = q.arg("base"), q.arg("top")
    between, _end = q.world.columns.done(q.command)
    if ((between > found.call) & (between < q.seq)).any() or found.base is None or found.top is None:
        return OPEN  # a part of the range was done before
    if f.id == "base_bound" and base is not None:
        told = f"the REC asks for {hexa(found.base)} on, call {found.call}"
        return yes(told, found.call) if base != found.base else no(told, found.call)
    if f.id == "top_bound" and top is not None:
        told = f"the REC asks up to {hexa(found.top)}, call {found.call}"
        return yes(told, found.call) if top > found.top else no(told, found.call)
    return OPEN


def pending(q: Query, f: Failure) -> Answer:
    """Whether the REC waits for what the host completes."""
    found = last_exit(q, q.rec) if q.rec is not None else None
    if never_ran(q):
        return yes("the REC has not run yet")
    if found is None:
        return OPEN
    wanted = PSCI if q.command == "PSCI_COMPLETE" else VDEV_REQUEST
    told = f"the REC last exited with {found.name} in call {found.call}"
    if found.reason != wanted:
        return yes(told, found.call)
    done, _end = q.world.columns.done(q.command)
    again = done[(done > found.call) & (done < q.seq)]
    return unknown(f"call {int(again[0])} completed it", int(again[0])) if len(again) else no(told, found.call)


def entry_flags(q: Query, f: Failure) -> Answer:
    """RMI_REC_ENTER: what the host says in the entry flags, against what the REC last exited with."""
    flags = q.field("enter.flags")
    if flags is None:
        return OPEN
    bit, name = {"rec_mmio": (0, "emul_mmio"), "inject_sea": (1, "inject_sea")}[f.id]
    if not flags >> bit & 1:
        return no(f"{name} is not set")
    found = last_exit(q, q.rec) if q.rec is not None else None
    if found is not None and found.reason != 0:
        return yes(f"{name} is set, and the REC last exited with {found.name} in call {found.call}", found.call)
    return unknown(f"{name} is set")
