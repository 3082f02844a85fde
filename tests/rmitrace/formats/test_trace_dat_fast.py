"""The kernel over pages makes the rows that the walk in step makes, or leaves the pages to it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import COLUMNS, Records
from rmitrace.formats import trace_dat_batches, trace_dat_fast, trace_dat_kernel
from rmitrace.formats import trace_dat_pages as pages
from rmitrace.formats.base import Unreadable
from rmitrace.formats.trace_dat import FORMAT
from rmitrace.formats.trace_dat_fast import Fast
from rmitrace.formats.trace_dat_plan import IGNORE, ONE_BY_ONE, Plan
from rmitrace.formats.trace_dat_rows import Rows
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.test_trace_dat import FOLDER
from tests.rmitrace.formats.test_trace_dat_pages import T0, _pieces, reference
from tests.rmitrace.formats.test_trace_dat_reader import ENTER, EXIT, enter, left
from tests.rmitrace.formats.trace_text import read


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return trace_dat_kernel.scan(*args)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the kernel, as it stands, said of each batch that it was given."""
    said: list[bool] = []

    class Told(Fast):
        def __init__(self, plan: Any) -> None:
            super().__init__(plan, as_it_stands)

        def take(self, *args: Any) -> bool:
            said.append(super().take(*args))
            return said[-1]

    monkeypatch.setattr("rmitrace.formats.trace_dat_rows.Fast", Told)
    return said


def both(data: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Records, Records]:
    """Read with the kernel and without it."""
    found = []
    for fast in (True, False):
        monkeypatch.setattr(trace_dat_fast, "repaid", lambda size, fast=fast: fast)
        found.append(read(FORMAT, data))
    return found[0], found[1]


def same(a: Records, b: Records) -> None:
    for column in (*COLUMNS, "regs"):
        assert np.array_equal(getattr(a, column), getattr(b, column)), column
    assert (a.names, a.findings) == (b.names, b.findings)
    facts = [{k: v for k, v in r.facts.items() if k not in ("data", "detail")} for r in (a, b)]
    assert facts[0] == facts[1]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.dat")), ids=lambda p: p.name)
def test_shipped_files(path: Path, taken: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_dat_batches, "BATCH", 1 << 16)
    same(*both(path.read_bytes(), monkeypatch))
    assert taken
    assert all(taken) or path.name == "cut.dat"


@pytest.mark.parametrize("name", ["connect.dat", "lost.dat", "version-6.dat", "uncompressed.dat"])
def test_damaged_files(name: str, taken: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    data = (FOLDER / name).read_bytes()
    rng = random.Random(name)
    for i in range(12):
        changed = bytearray(data)
        if i % 2:
            at, n = rng.randrange(len(data) // 2, len(data)), rng.choice((4, 60, 5000))
            changed[at : at + n] = rng.randbytes(len(changed[at : at + n]))
        else:
            for _ in range(rng.choice((1, 5, 40))):
                changed[rng.randrange(len(data) // 2, len(data))] ^= 1 << rng.randrange(8)
        try:
            same(*both(bytes(changed), monkeypatch))
        except Unreadable:
            continue


def test_a_batch_with_damage_is_left_to_the_walk(taken: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    good = build.page(T0, build.event(enter(7, 0xC4000150)), build.event(left(7, 0xC4000150, 0), 50))
    bad = build.page(T0 + 9000, build.event(enter(7, 0xC4000151)), b"\x00\x00\x00\x00\x01\x00\x00\x00")
    monkeypatch.setattr(trace_dat_batches, "BATCH", 4096)
    a, b = both(build.v7(build.Trace([ENTER, EXIT], {0: good + bad + good}), "none"), monkeypatch)
    assert taken == [True, False, True]
    same(a, b)


def plan(ident: int) -> Plan | None:
    """Events of an odd id have no format, every fifth is ignored; the others show two registers."""
    if ident % 2:
        return None
    kind: Any = type("Kind", (), {"name": f"e{ident}"})()
    return Plan(kind, IGNORE if ident % 5 == 0 else ONE_BY_ONE, ((0, 8, 8, False), (3, 16, 4, True)), 9, 20, 1 << 10)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_pieces, max_size=12), min_size=1, max_size=5), st.integers(0, (1 << 64) - 1))
def test_walks_like_the_library(parts: list[list[bytes]], ts: int) -> None:
    """Every event of the library's walk, with its time and registers, where the kernel does not give up."""
    data = b"".join(build.page(ts, *p) for p in parts)
    rows = Rows()
    kind: Any = None
    every = Plan(kind, ONE_BY_ONE, ((0, 8, 8, False), (2, 4, 4, True), (5, 2, 1, True)), 9, 16)
    fast = Fast(lambda ident: every, as_it_stands)
    buf = np.frombuffer(data, np.uint8)
    if not fast.take(rows, buf, pages.heads(buf, 4096, len(data)), 1 << 40, 1.0):
        assert rows.used == 0
        where = rows.add(3, 1.0, cpu=2)  # what it left there does not show
        assert not rows.regs[where].any()
        assert {k for k, c in rows.columns.items() if c[where].any()} == {"cpu"}
        return
    expected = reference(data, 4096)
    c = rows.columns
    assert c["ts"][: rows.used].tolist() == [t for _, _, t in expected]
    assert (c["at"] + c["length"])[: rows.used].tolist() == [(1 << 40) + at + size for at, size, _ in expected]
    for row, (at, _, _) in enumerate(expected):
        pid = int.from_bytes(data[at + 4 : at + 8], "little", signed=True)
        flags = int.from_bytes(data[at + 2 : at + 3], "little", signed=True)
        x0 = int.from_bytes(data[at + 8 : at + 16], "little")
        assert rows.regs[row].tolist() == [x0, 0, pid % 2**64, 0, 0, flags % 2**64, 0, 0]
        assert (int(c["pid"][row]), int(c["ident"][row])) == (pid, int.from_bytes(data[at : at + 2], "little"))


@pytest.mark.parametrize("room", [1, 7, 1 << 10])
def test_compiled_and_in_whatever_room(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight kinds of events over some pages, with registers of both sizes: the compiled kernel and the other agree."""
    monkeypatch.setattr(trace_dat_fast, "_LEAST", 4096 // room)
    rng = random.Random(5)
    body = [build.record(ident, rng.randrange(1 << 15), *(rng.randrange(1 << 64) for _ in range(3))) for ident in range(10, 18)]
    data = b"".join(build.page(T0 + i, *(build.event(rng.choice(body), 3) for _ in range(60))) for i in range(6))
    buf = np.frombuffer(data, np.uint8)
    found = []
    for scan in (None, as_it_stands):
        rows = Rows()
        fast = Fast(plan, scan)
        assert fast.take(rows, buf, pages.heads(buf, 4096, len(data)), 0, 1.0)
        rows.finish()
        found.append([rows.regs.tolist(), *(c.tolist() for c in rows.columns.values()), fast._seen.tolist()])
    assert found[0] == found[1]
    assert sum(found[0][-1]) == 360
    assert len(found[0][0]) == 360 - sum(n for (i, _), n in zip(fast._plans, found[0][-1], strict=True) if i % 2 or i % 5 == 0)
