"""The course of a device: whatever is kept of it, the snapshot at a call is the one behind the call before."""

from __future__ import annotations

import random

from rmitrace.diagnose.devices import ACTIVE, IDLE, UNKNOWN, History, Snapshot


def test_the_snapshot_at_any_call() -> None:
    """Kept once what snapshots have in common: those that differ in a call alone are still told apart."""
    generator = random.Random(7)
    history, given, s = History(), [(-1, UNKNOWN)], UNKNOWN
    for call in sorted(generator.sample(range(1, 2000), 300)):
        if generator.random() < 0.7:
            states = frozenset(generator.choice((("NEW",), ("READY", "ERROR"), ())))
            comm = frozenset(generator.choice(((IDLE,), (IDLE, ACTIVE))))
            began, failed = (generator.choice((-1, call)) for _ in range(2))
            s = Snapshot(states, comm, generator.choice((None, "", "STOP")), call, generator.random() < 0.5, began, failed)
        history.add(call, s)
        given.append((call, s))
    for call in range(2010):
        assert history.at(call) == [snapshot for seq, snapshot in given if seq < call][-1]
