"""Captures made of calls alone: function id, x1.., and x0.. that came back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from rmitrace.capture.model import Capture
from rmitrace.capture.opening import build
from rmitrace.capture.records import Kind, RecordBuilder
from rmitrace.capture.source import Source
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace import FORMAT
from rmitrace.lifecycle import course, devices
from rmitrace.lifecycle.devices import DeviceTracker
from rmitrace.lifecycle.members import merged

CREATE, COMMUNICATE, GET_STATE, DESTROY, PUBKEY, STOP, ABORT = (0xC4000176, 0xC4000175, 0xC4000178, 0xC4000177, 0xC400017B,
                                                                0xC400017C, 0xC4000174)  # fmt: skip
VDEV_CREATE, VDEV_COMMUNICATE, VDEV_GET_STATE, VDEV_DESTROY = 0xC4000187, 0xC4000186, 0xC4000189, 0xC4000188
STREAM_CONNECT, STREAM_COMPLETE, CONTINUE = 0xC4000204, 0xC4000206, 0xC4000203
DELEGATE, UNDELEGATE = 0xC40001F1, 0xC40001F2
A, B = 0x88001000, 0x88002000

Made = tuple[int, Sequence[int], Sequence[int]]


def capture_of(calls: Sequence[Made], abi: str = "2.0-bet3") -> Capture:
    """The calls, one after the other, each entered and left, 1 us apart."""
    builder = RecordBuilder()
    for i, (fid, x, r) in enumerate(calls):
        for kind, regs in ((Kind.ENTER, [fid, *x]), (Kind.EXIT, [*r])):
            builder.add(kind, 0, 0, ts=2000 * i + (1000 if kind is Kind.EXIT else 0), pid=1, cpu=0, name=kind.name, regs=regs)
    source = Source("made", b"", format="ftrace", reader=FORMAT, records=builder.finish())
    return build([source], ReadOptions(), abi)


def made(fid: int, address: int, status: int, value: int) -> Made:
    """A call of a step of a script: function id, address, status, and what came back in x1 or, of CONTINUE, went in."""
    second = address + 0x1000 if fid in (DELEGATE, UNDELEGATE) else B
    return fid, (value if fid == CONTINUE else address, second, address, 0), (status, value, 0, 0)


def followed(capture: Capture, compile: bool = False, at_once: int = 1 << 17, room: int = 1 << 11) -> tuple[list[Any], list[Any]]:
    """The sequences of the devices with all that is told of them, and the states; ``at_once``: calls that are looked at together,
    ``room``: things for which there is room at first."""
    with patch.object(course, "_AT_ONCE", at_once), patch.object(devices, "_FIRST", room):
        tracker = DeviceTracker(capture, 0, compile)
        tracker.run()
    found, states = tracker.tables(lambda first, last: f"; said at {first} to {last}")
    sequences = [
        (q.kind, q.object, q.first, q.last, q.outcome, q.why, [(s.name, s.outcome, s.why, s.calls.tolist()) for s in q.steps])
        for q in merged([found])
    ]
    return sequences, list(states)
