"""Host and firmware do not show the same: values that changed between them, calls that one of them lost, other runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..capture.records import Finding
from ..correlate import sources_of
from ..correlate.kernel import told
from ..correlate.views import Difference, differences
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

_SHOWN = 1000
"""Calls that a finding names at most."""
_LOOKED_AT = 5000
"""Changed calls that are compared value by value."""

SIDES_DIFFER = Rule(
    "SIDES-DIFFER",
    "error",
    "two sides have another value of one call",
    "what the host passed is not what the RMM got, or what the RMM answered is not what the host got: EL3, an SMC wrapper "
    "that cuts or swaps registers, or a log that was edited",
    "the SMC wrapper and the EL3 forwarding of that register; both views of the call in `rmitrace view`",
    "DEN0028 2.6 (registers of an SMC64 call)",
)
SIDE_MISSING = Rule(
    "SIDE-MISSING",
    "warning",
    "a call that one side shows and the other should",
    "that side lost records, or the call never got there",
    "whether the tracer lost events or the UART dropped characters there; where neither did, what EL3 does with the call",
    "docs/guide.md (host and firmware on one axis)",
)
SOURCES_APART = Rule(
    "SOURCES-APART",
    "note",
    "sources that show no call in common",
    "they are of different runs, or one of them shows too little: nothing of one explains the other",
    "whether both files are of the same boot",
    "docs/guide.md (host and firmware on one axis)",
)
KERNEL_LINE = Rule(
    "KERNEL-LINE",
    "note",
    "an error line of the kernel and the call behind it",
    "the kernel prints an errno and not what the RMM said",
    "the call that is named, and `rmitrace abi show` for when it fails with that status",
    "Linux drivers/virt/coco/arm-cca-host/rmi-da.c",
)


def differing(capture: Capture) -> Iterable[Finding]:
    """SIDES-DIFFER: once for each command and the values that differ."""
    found = capture.correlation
    if found is None:
        return
    kinds: dict[tuple[str, int, tuple[tuple[bool, int], ...]], tuple[list[int], list[Difference]]] = {}
    for seq in np.flatnonzero(found.changed)[:_LOOKED_AT].tolist():
        call = capture.call(seq)
        for sight in capture.sights(seq):
            values = differences(capture, call, sight)
            if values:
                key = capture.name_text(seq), sight.source, tuple((d.out, d.register) for d in values)
                kinds.setdefault(key, ([], values))[0].append(seq)
    for (name, source, _), (calls, values) in kinds.items():
        first = capture.call(calls[0])
        ours, theirs = capture.sources[first.source].name, capture.sources[source].name
        said = " and ".join(
            f"{d.name} {'returned' if d.out else 'passed'} as {d.here} in {ours} is {d.there} in {theirs}" for d in values
        )
        times = "" if len(calls) == 1 else f" (first of {len(calls)} such calls)"
        yield Finding(
            "SIDES-DIFFER",
            "error",
            f"{name}: {said}{times}",
            first.source,
            first.offset,
            capture.object_of(calls[0]),
            tuple(calls[:_SHOWN]),
        )


def missing(capture: Capture) -> Iterable[Finding]:
    """SIDE-MISSING: once for each side, with what it lacks."""
    found = capture.correlation
    if found is None:
        return
    for source in sorted({s for k in found.links for s in (k.source, k.reference)}):
        rows = np.flatnonzero((found.missing >> np.uint32(source)) & np.uint32(1))
        if not len(rows):
            continue
        names, counts = np.unique(capture.calls.name[rows], return_counts=True)
        said = ", ".join(
            f"{capture.names[i]} x{n}" if n > 1 else capture.names[i] for i, n in zip(names[:6], counts[:6], strict=True)
        )
        first = capture.call(int(rows[0]))
        many = (
            f"{len(rows)} calls that {capture.sources[first.source].name} shows are"
            if len(rows) > 1
            else f"a call that {capture.sources[first.source].name} shows is"
        )
        text = f"{many} missing in {capture.sources[source].name}: {said}{' ...' if len(names) > 6 else ''}"
        yield Finding("SIDE-MISSING", "warning", text, first.source, first.offset, None, tuple(rows[:_SHOWN].tolist()))


def apart(capture: Capture) -> Iterable[Finding]:
    """SOURCES-APART: sources that were compared and have nothing in common."""
    for k in capture.correlation.links if capture.correlation is not None else ():
        if not k.pairs:
            a, b = capture.sources[k.reference].name, capture.sources[k.source].name
            text = f"no call of {b} is found in {a}: they are of different runs, or show too little to tell"
            yield Finding("SOURCES-APART", "note", text, k.source, 0)


def kernel_lines(capture: Capture) -> Iterable[Finding]:
    """KERNEL-LINE: what the kernel complained about, and the refused call before it."""
    for t in told(capture):
        line = " ".join(t.mark.text.split())[:160]
        if t.call is None:
            continue
        call = capture.call(t.call)
        logs = [capture.sources[s].name for s in sources_of(int(capture.correlation.seen[t.call]))] if capture.correlation else []
        where = f" (in {' and '.join(logs)})" if len(logs) > 1 else ""
        text = f"the kernel's '{line}' is behind {call.line}{where}"
        yield Finding("KERNEL-LINE", "note", text, t.mark.source, t.mark.offset, capture.object_of(t.call), (t.call,))


CHECKS = (
    Check(differing, (SIDES_DIFFER,)),
    Check(missing, (SIDE_MISSING,)),
    Check(apart, (SOURCES_APART,)),
    Check(kernel_lines, (KERNEL_LINE,)),
)
