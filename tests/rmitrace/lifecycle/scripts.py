"""Captures made of calls alone: function id, x1.., and x0.. that came back."""

from __future__ import annotations

from collections.abc import Sequence

from rmitrace.capture.model import Capture
from rmitrace.capture.opening import build
from rmitrace.capture.records import Kind, RecordBuilder
from rmitrace.capture.source import Source
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace import FORMAT

Made = tuple[int, Sequence[int], Sequence[int]]


def capture_of(calls: Sequence[Made], abi: str = "2.0-bet3") -> Capture:
    """The calls, one after the other, each entered and left, 1 us apart."""
    builder = RecordBuilder()
    for i, (fid, x, r) in enumerate(calls):
        for kind, regs in ((Kind.ENTER, [fid, *x]), (Kind.EXIT, [*r])):
            builder.add(kind, 0, 0, ts=2000 * i + (1000 if kind is Kind.EXIT else 0), pid=1, cpu=0, name=kind.name, regs=regs)
    source = Source("made", b"", format="ftrace", reader=FORMAT, records=builder.finish())
    return build([source], ReadOptions(), abi)
