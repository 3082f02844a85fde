"""Parameters that contradict each other, another call or the firmware, whatever the call returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from decoders.tree import Node

from .. import diagnose
from ..capture.records import Finding
from ..diagnose.pages import field, numbers, params, ranges
from ..diagnose.parameters import range_problems
from .finding import found, some
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

_MOST = 2000
"""Parameter pages of one command that are looked at."""


def _rule(id: str, severity: str, title: str, why: str, next: str, spec: str, needs: str = "memory") -> Rule:
    return Rule(id, severity, title, why, next, spec, needs)


RID_RANGE = _rule(
    "PDEV-RID-RANGE", "error", "a range of routing ids that is not valid, or does not hold the device",
    "rid_base is not below rid_top, or the device is outside: later every tdi_id is refused",
    "how the host computes rid_top; RFC v4 of the kernel leaves out the bus number", "DEN0137 RmiPdevParamsIsValid",
)  # fmt: skip
ID_TWICE = _rule(
    "PDEV-ID-TWICE", "error", "two living PDEVs have the same device or overlapping routing ids",
    "two owners of one device; TF-RMM of 1.1-alp16 takes it silently",
    "the first of the two: why it is still there", "DEN0137 RmiPdevParamsIsValid",
)  # fmt: skip
ADDR_RANGE = _rule(
    "PDEV-ADDR-RANGE", "error", "address ranges that are not aligned, empty, or overlap",
    "an empty range protects nothing; overlapping ones belong to two",
    "how the host fills the ranges from the device's BARs", "DEN0137 RmiPdevParamsIsValid",
)  # fmt: skip
OTHER_LAYOUT = _rule(
    "PARAMS-OTHER-LAYOUT", "error", "a parameter page that looks like that of another revision",
    "kernel and firmware do not match: fields shift silently",
    "the offsets of the fields (`rmitrace abi diff`)", "DEN0137 RmiPdevParams by revision",
)  # fmt: skip
AUX_FLAGS = _rule(
    "AUX-FLAGS", "warning", "RMI_PDEV_AUX_COUNT with other flags than RMI_PDEV_CREATE",
    "the count may not fit: it depends on the flags, and is the same for the same flags",
    "both flags words", "DEN0137 1.1 PDEV_AUX_COUNT",
)  # fmt: skip
AUX_RANGE = _rule(
    "AUX-COUNT-RANGE", "error", "an AUX_COUNT above what the parameter page can list",
    "the page has room for 32 granules of a device and 16 of a REC",
    "the firmware", "DEN0137 1.1 RmiPdevParams", "calls",
)  # fmt: skip
AUX_NO_SPDM = _rule(
    "AUX-COUNT-NO-SPDM", "error", "RMI_PDEV_AUX_COUNT with the spdm flag clear",
    "a debug build of TF-RMM at 1.1-alp16 stops at an assertion: no answer comes",
    "the flags word; the console of the RMM", "TF-RMM pdev.c", "calls",
)  # fmt: skip
RESERVED_FIELDS = _rule(
    "RESERVED-FIELDS", "warning", "a parameter page has bytes or bits that should be zero",
    "a newer caller, another layout, or a page that was not cleared",
    "the bytes that are named", "DEN0137 structures",
)  # fmt: skip


def devices(capture: Capture) -> Iterable[Finding]:
    """The parameter pages of RMI_PDEV_CREATE."""
    return some(f for s in diagnose.runs(capture) for f in _devices(capture, s))


def _devices(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    rows = world.columns.of("PDEV_CREATE")
    living: list[tuple[int, int, int, int, int]] = []
    two = capture.revision.device.startswith("2.")
    for seq in rows[:_MOST].tolist():
        page = params(capture, seq, "RmiPdevParams")
        refused = bool(capture.calls.failed[seq])
        # what a refused call was given is told by the refused command; its page may be anything
        if page is None or refused:
            continue
        device = capture.object_of(seq) or ""
        root_port = two and (field(page, "flags") or 0) >> 1 & 3 == 0  # its range is that of the endpoints below it
        yield from () if root_port else _rid_range(capture, seq, page, two)
        for problem in (p for n in ("ncoh_addr_range", "coh_addr_range") for p in range_problems(ranges(page, n))):
            yield found(ADDR_RANGE, capture, f"RMI_PDEV_CREATE (call {seq}) of {device}: {problem}", [seq])
        if (reason := _other_layout(page, two)) is not None:
            yield found(OTHER_LAYOUT, capture, f"RMI_PDEV_CREATE (call {seq}) of {device}: {reason}", [seq])
        yield from _aux_flags(capture, world, seq, page)
        address = int(device.rpartition("0x")[2] or "0", 16)
        rid, base, top = (field(page, n) for n in ("pdev_id", "rid_base", "rid_top"))
        segment = field(page, "routing_id" if two else "segment_id")
        if rid is None or base is None or top is None or base >= top or root_port:
            continue
        living = [x for x in living if world.pdev(x[0], seq).state != "destroyed" and x[0] != address]
        for other, call, seg, b, t in living:
            if seg == (segment or 0) and base < t and b < top:
                text = f"{device} (call {seq}) has routing ids [0x{base:x}, 0x{top:x}), "
                text += f"pdev:0x{other:x} (call {call}) has [0x{b:x}, 0x{t:x})"
                yield found(ID_TWICE, capture, text, [seq, call])
        living.append((address, seq, segment or 0, base, top))


def _rid_range(capture: Capture, seq: int, page: Node, two: bool) -> Iterator[Finding]:
    rid, base, top = (field(page, n) for n in ("pdev_id", "rid_base", "rid_top"))
    if base is None or top is None or base == top == 0:
        return
    if base >= top:
        text = f"rid_base 0x{base:x} is not below rid_top 0x{top:x}"
    elif rid is not None and not base <= rid & 0xFFFF < top and not (two and rid >> 16):
        text = f"the routing id 0x{rid & 0xFFFF:x} is outside of [0x{base:x}, 0x{top:x})"
    else:
        return
    yield found(RID_RANGE, capture, f"RMI_PDEV_CREATE (call {seq}) of {capture.object_of(seq)}: {text}", [seq])


def _other_layout(page: Node, two: bool) -> str | None:
    """Signs of another layout: what the one has as addresses, the other has as zeros (docs/abi.md)."""
    if two:
        flags = field(page, "flags") or 0
        tail = next(
            (n for n in page.children if n.name == "reserved" and (n.offset or 0) <= 0x100 < (n.offset or 0) + n.size), None
        )
        if tail is not None and isinstance(tail.value, bytes) and any(tail.value):
            return "bytes from 0x100 on are not zero, where 1.1 has its auxiliary granules"
        if flags & 7 == 7:
            return "flags 0x7, which is spdm, ncoh_ide and ncoh_addr in 1.1 and no category in 2.0"
        return None
    count, aux = field(page, "num_aux") or 0, numbers(page, "aux")
    if count and aux and not any(aux):
        return f"num_aux is {count} and every address in aux is zero"
    return None


def _aux_flags(capture: Capture, world: diagnose.World, seq: int, page: Node) -> Iterator[Finding]:
    rows = world.columns.of("PDEV_AUX_COUNT")
    before = rows[rows < seq]
    flags = field(page, "flags")
    if not len(before) or flags is None:
        return
    call = int(before[-1])
    asked, known = world.columns.arg(before[-1:], "flags")
    if known[0] and int(asked[0]) != flags:
        text = f"RMI_PDEV_CREATE (call {seq}) has flags 0x{flags:x}, RMI_PDEV_AUX_COUNT (call {call}) had 0x{int(asked[0]):x}"
        yield found(AUX_FLAGS, capture, text, [seq, call])


def counts(capture: Capture) -> Iterable[Finding]:
    """AUX-COUNT-RANGE, AUX-COUNT-NO-SPDM, and different answers for the same flags (AUX-FLAGS)."""
    return some(f for s in diagnose.runs(capture) for f in _counts(capture, s))


def _counts(capture: Capture, source: int) -> Iterator[Finding]:
    columns = diagnose.world(capture, source).columns
    for command, most in (("PDEV_AUX_COUNT", 32), ("VDEV_AUX_COUNT", 32), ("REC_AUX_COUNT", 16)):
        rows, _end = columns.done(command)
        count, known = columns.arg(rows, "aux_count", out=True)
        for i in (known & (count > most)).nonzero()[0].tolist():
            text = f"RMI_{command} (call {int(rows[i])}) gives {int(count[i])}, the parameter page has room for {most}"
            yield found(AUX_RANGE, capture, text, [int(rows[i])])
        flags, given = columns.arg(rows, "flags")
        answers: dict[int, tuple[int, int]] = {}
        for i in (known & given).nonzero()[0].tolist():
            before = answers.setdefault(int(flags[i]), (int(count[i]), int(rows[i])))
            if before[0] != int(count[i]):
                text = f"RMI_{command} (call {int(rows[i])}) gives {int(count[i])} for flags 0x{int(flags[i]):x}; "
                yield found(
                    AUX_FLAGS, capture, f"{text}call {before[1]} gave {before[0]}", [int(rows[i]), before[1]], severity="error"
                )
    rows = columns.of("PDEV_AUX_COUNT")
    flags, given = columns.arg(rows, "flags")
    status = capture.calls.status[rows]
    for i in (given & (flags & 1 == 0) & (status < 0)).nonzero()[0].tolist():
        text = f"RMI_PDEV_AUX_COUNT (call {int(rows[i])}) with flags 0x{int(flags[i]):x} has no answer"
        yield found(AUX_NO_SPDM, capture, text, [int(rows[i])])


_WITH_PAGES = ("PDEV_CREATE", "VDEV_CREATE", "PDEV_SET_PUBKEY", "PDEV_STREAM_CONNECT", "REALM_CREATE", "REC_CREATE",
               "VDEV_GET_MEASUREMENTS")  # fmt: skip


def reserved(capture: Capture) -> Iterable[Finding]:
    """RESERVED-FIELDS: what the decoder has to say of the pages of calls that were taken."""
    return some(f for s in diagnose.runs(capture) for f in _reserved(capture, s))


def _reserved(capture: Capture, source: int) -> Iterator[Finding]:
    if capture.sources[source].format not in diagnose.pages.WITH_MEMORY:
        return
    rows, _end = diagnose.world(capture, source).columns.done(*_WITH_PAGES)
    for seq in rows[:_MOST].tolist():
        page = params(capture, seq)
        odd = [n for n in page.walk() if n.note and n.severity in ("warning", "error")] if page is not None else []
        if odd:
            said = "; ".join(f"{n.name}{f' at 0x{n.offset:x}' if n.offset is not None else ''}: {n.note}" for n in odd[:3])
            yield found(RESERVED_FIELDS, capture, f"the page of {capture.name_text(seq)} (call {seq}): {said}", [seq])


CHECKS = (
    Check(devices, (RID_RANGE, ID_TWICE, ADDR_RANGE, OTHER_LAYOUT)),
    Check(counts, (AUX_FLAGS, AUX_RANGE, AUX_NO_SPDM)),
    Check(reserved, (RESERVED_FIELDS,)),
)
