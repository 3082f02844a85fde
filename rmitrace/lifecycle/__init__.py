"""Objects and their life cycles: states, and the sequences connect, disconnect, attach, realm build and so on."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..capture.registers import Registers
from ..formats.kernels import cores
from .devices import follow_devices
from .members import Found, merged
from .model import Sequence, StateChange, Step
from .realms import follow_realms
from .table import SequenceTable, StateTable, merged_states

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.model import Capture

__all__ = ["Sequence", "SequenceTable", "StateChange", "StateTable", "Step", "follow"]

_TELLING = ("rmm", "spdm", "crash", "assert")
"""Kinds of marks that can say why a call failed."""
_MANY = 1 << 19
"""Calls from which on two cores are used."""
_WORDS = ("fail", "error", "assert", "exception", "panic", "abort", "invalid", "unable", "unsupported", "timeout", "mismatch")


def follow(capture: Capture) -> tuple[SequenceTable, StateTable]:
    """The sequences of a capture in order of their first call, and the states in order of the calls.

    Sources that show the same calls are followed together, any other by itself.
    """
    found: list[Found] = []
    states: list[StateTable] = []
    marks = [m for m in capture.marks().of(_TELLING) if any(w in m.text.lower() for w in _WORDS)]
    for s in range(len(capture.sources)):
        run = capture.together(s)
        if s != run[0]:
            continue
        said = sorted((m for m in marks if m.source in run), key=lambda m: m.before_call)
        for their_sequences, changes in _followed(capture, s, _reasons(capture, said)):
            found.append(their_sequences)
            states.append(changes)
    sequences = merged(found)
    sequences.ts, sequences.dur = capture.calls.ts, capture.calls.dur
    return sequences, merged_states(states, capture.calls.ts)


_Followed = tuple[Found, StateTable]


def _followed(capture: Capture, source: int, reasons: Callable[[int, int], str]) -> tuple[_Followed, _Followed]:
    """What devices and what Realms went through, in a long capture at the same time on two cores."""
    if len(capture) < _MANY or cores() < 2:
        realms = follow_realms(capture, source)  # they take memory for a while
        return follow_devices(capture, source, reasons), realms
    _ = capture.operations, capture.marks()  # made before two want them
    for s in capture.sources:
        if isinstance(s.records.regs, Registers):
            s.records.regs.settle()
    with ThreadPoolExecutor(1, "realms") as pool:
        behind = pool.submit(follow_realms, capture, source)
        return follow_devices(capture, source, reasons), behind.result()


def _reasons(capture: Capture, marks: list[Mark]) -> Callable[[int, int], str]:
    """A function that quotes what was said between two calls: by the firmware in its log, to and by the device."""
    places = [m.before_call for m in marks]
    talking: list[int] = []

    def reasons(first: int, last: int) -> str:
        # a console row is printed when the call returns: text of the call stands in front of its row
        found = marks[bisect_left(places, first) : bisect_left(places, last + 1)]
        said = [m.text.strip().splitlines()[0][:160] for m in found[:3]]
        log = capture.sources[found[0].source].name if found and len(capture.sources) > 1 else "the log"
        text = f"; {log} says: {' / '.join(said)}" if said else ""
        calls = capture.conversations.by_call
        if len(talking) != len(calls):
            talking[:] = sorted(calls)
        at = bisect_right(talking, last) - 1
        exchange = calls[talking[at]] if at >= 0 and talking[at] >= first else []
        if exchange:
            request = next((m.name for m in exchange if m.direction == "request"), "nothing")
            response = next((m.name for m in exchange if m.direction == "response"), "nothing")
            text += f"; the last request to the device was {request}, answered with {response}"
        return text

    return reasons
