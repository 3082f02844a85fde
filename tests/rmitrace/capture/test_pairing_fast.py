"""The kernel that pairs finds the calls that pairing finds, as it stands and compiled, in packed columns and in arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmitrace.capture import pairing_fast, pairing_kernel
from rmitrace.capture.packed import Column
from rmitrace.capture.pairing import pair
from rmitrace.capture.pairs import BOTH, WHOLE, Pairs
from rmitrace.capture.records import NO_TIME, Kind, RecordBuilder, Records
from rmitrace.formats import kernels
from rmitrace.formats.kernel_code import Compiled

CREATE, STATE, CPU_OFF = 0xC4000176, 0xC4000178, 0x84000002
KINDS = (Kind.ENTER, Kind.EXIT, Kind.LOST, Kind.WHOLE_IN, Kind.WHOLE_OUT, Kind.MARK, Kind.DAMAGED)


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return pairing_kernel.pair(*args)


@pytest.fixture(scope="module")
def machine() -> Compiled:
    return kernels.compiled(pairing_kernel.pair, pairing_kernel.STEPS)


def some(seed: int, count: int) -> Records:
    """Records of tasks that take turns on CPUs that lose events: with and without times, registers, tasks."""
    rng = np.random.default_rng(seed)
    b = RecordBuilder()
    whole = 0.1 if seed % 4 == 0 else 0.0
    weights = np.array([0.45, 0.45, 0.03, whole, whole, 0.02, 0.02])
    nested = seed % 3 == 0  # entries come in rows, so that calls lie deep in each other
    for i in range(count):
        kind = KINDS[int(rng.choice(len(KINDS), p=weights / weights.sum()))]
        if nested and kind in (Kind.ENTER, Kind.EXIT):
            kind = Kind.ENTER if i % 200 < 110 else Kind.EXIT
        fid = int(rng.choice([CREATE, STATE, CPU_OFF, CPU_OFF | 1 << 32], p=[0.6, 0.3, 0.05, 0.05]))
        regs = [fid, 3] if rng.random() < 0.95 else []
        ts = NO_TIME if rng.random() < 0.05 else 1000 * i - int(rng.integers(0, 3000))
        at = i - 1 if kind == Kind.WHOLE_OUT and rng.random() < 0.8 else i
        pid = int(rng.choice([-1, 0, 5, 6, 70_000]))
        name = {Kind.ENTER: "smc_enter", Kind.EXIT: "smc_exit"}.get(kind, "row")
        b.add(kind, at, 1, ts=ts, cpu=int(rng.integers(-1, 3)), pid=pid, name=name, regs=regs)
    return b.finish()


def same(records: Records, kernel: Any) -> Pairs:
    expected = pair(records, lambda n: "smc", lambda n: False)
    none = np.zeros(len(records.names) + 1, dtype=bool)
    found = pairing_fast.found(records, lambda seen: True, none, kernel)
    assert found is not None
    names = ("enter", "exit", "paired", "inferred", "ts", "dur", "cpu", "pid")
    for name, mine, wanted in zip(names, columns(found, records), columns(expected, records), strict=True):
        assert mine.tolist() == wanted.tolist(), name
    assert found.in_time(records) == expected.in_time(records)
    table, first = found.first(records), expected.first(records)
    for name in ("x0", "asked", "r0", "answered", "label"):
        assert getattr(table, name)[table.which[:]].tolist() == getattr(first, name).tolist(), name
    sets = [
        (f.asked & (f.x0 == CREATE) & f.answered, np.zeros_like(f.asked), ~f.asked) for f in (table, first)
    ]  # fmt: skip
    assert [c.tolist() for c in table.calls(*sets[0])] == [c.tolist() for c in first.calls(*sets[1])]
    return expected


def columns(pairs: Pairs, records: Records) -> tuple[Any, ...]:
    return pairs.enter, pairs.exit, pairs.paired, pairs.inferred, *pairs.places(records)


@pytest.mark.parametrize("seed", range(24))
def test_the_same_as_it_stands(seed: int) -> None:
    same(some(seed, 400), as_it_stands)


def test_compiled(machine: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces, so that calls and rows lie across their ends."""
    monkeypatch.setattr(Column, "PIECE", 64)
    for seed in range(4):
        records = some(seed, 1000)
        arrays = same(records, machine)
        records.pack()
        packed = same(records, machine)
        assert packed.exit.tolist() == arrays.exit.tolist()
        codes = set(arrays.paired.tolist())
        assert codes == ({0, 1, 2, WHOLE} if seed % 4 == 0 else {0, 1, 2})
    assert list(machine._entries) == [tuple(pairing_kernel.KINDS.split())]  # as which it is made before it is asked for


def test_no_deeper_than_pairing_goes() -> None:
    """64 calls in each other have their ends, of 70 the inner 64."""
    for depth, pairs in ((64, 64), (70, 64)):
        b = RecordBuilder()
        for i in range(2 * depth):
            b.add(Kind.ENTER if i < depth else Kind.EXIT, i, 1, cpu=0, pid=4, name="smc", regs=[CREATE])
        assert (same(b.finish(), as_it_stands).paired == BOTH).sum() == pairs


def test_what_ends_long_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that are open while more come than are kept at hand, and one that never ends."""
    monkeypatch.setattr(Column, "PIECE", 4)
    b = RecordBuilder()
    b.add(Kind.ENTER, 0, 1, ts=5, cpu=0, pid=7, name="smc", regs=[CPU_OFF])
    for pid, fid in ((5, CREATE), (6, STATE), (8, CREATE)):
        b.add(Kind.ENTER, pid, 1, ts=pid, cpu=0, pid=pid, name="smc", regs=[fid, 1])
    for i in range(150):
        b.add((Kind.ENTER, Kind.EXIT)[i % 2], 100 + i, 1, ts=100 + i, cpu=1, pid=9, name="smc", regs=[CREATE])
        if i == 75:
            b.add(Kind.EXIT, 100 + i, 1, ts=900, cpu=0, pid=6, name="smc", regs=[4])
    b.add(Kind.EXIT, 300, 1, ts=1000, cpu=0, pid=5, name="smc", regs=[1])
    records = b.finish()
    pairs = same(records, as_it_stands)
    assert pairs.exit[:4].tolist() == [-1, 155, 80, -1]
    assert pairs.places(records)[1][:4].tolist() == [-1, 995, 894, -1]


def trace(*kinds: Kind, cpu: int = 0) -> Records:
    b = RecordBuilder()
    for i, kind in enumerate(kinds):
        b.add(kind, i, 1, cpu=cpu, pid=i, name=f"n{kind}", regs=[CREATE])
    return b.finish()


def test_what_is_left_to_pairing(monkeypatch: pytest.MonkeyPatch) -> None:
    none = np.zeros(3, dtype=bool)
    two = trace(Kind.ENTER, Kind.EXIT)
    asked: list[list[list[int]]] = []

    def families(seen: np.ndarray) -> bool:
        asked.append(seen.tolist())
        return False

    assert pairing_fast.found(two, families, none, as_it_stands) is None
    assert asked == [[[0, 0], [1, 0], [0, 1]]]  # no name; n1, seen at an entry; n2, at an exit
    around = np.array([False, True, False])
    wrapped = trace(Kind.ENTER, Kind.WRAP_ENTER)
    assert pairing_fast.found(wrapped, lambda seen: True, around, as_it_stands) is None
    assert pairing_fast.found(wrapped, lambda seen: True, none, as_it_stands) is not None
    far = trace(Kind.LOST, Kind.ENTER, cpu=pairing_kernel.CPUS)
    assert pairing_fast.found(far, lambda seen: True, none, as_it_stands) is None
    monkeypatch.setattr(pairing_kernel, "TASKS", 1)
    assert pairing_fast.found(two, lambda seen: True, none, as_it_stands) is None


def test_big_sources_go_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pair() gives is the same either way, several probes included."""
    monkeypatch.setattr(kernels, "compiled", lambda *_: as_it_stands)
    b = RecordBuilder()
    for i in range(40):
        for n, kind in enumerate((Kind.ENTER, Kind.ENTER, Kind.EXIT, Kind.EXIT)):
            b.add(kind, 4 * i + n, 1, cpu=0, pid=3, name=("outer", "inner")[n in (1, 2)], regs=[CREATE if n < 2 else 0])
    for records, families in ((b.finish(), lambda n: n), (some(5, 300), lambda n: "smc")):
        told = []
        for repaid in (True, False):
            monkeypatch.setattr(pairing_fast, "repaid", lambda r, repaid=repaid: repaid)
            p = pair(records, families, lambda n: False)
            told.append((p.enter.tolist(), p.exit.tolist(), p.paired.tolist(), p.inferred.tolist(), p.duplicate_of))
        assert told[0] == told[1]
