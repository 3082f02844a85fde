"""Rows a window at a time are the rows of the whole file, and where that cannot be the file is read whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import Records
from rmitrace.formats import trace_dat_batches, trace_dat_reader, trace_dat_rows
from rmitrace.formats.trace_dat import FORMAT
from rmitrace.formats.trace_dat_merge import Unordered, in_order
from rmitrace.formats.trace_dat_rows import Rows
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.test_trace_dat import FOLDER
from tests.rmitrace.formats.test_trace_dat_fast import same
from tests.rmitrace.formats.test_trace_dat_pages import T0
from tests.rmitrace.formats.test_trace_dat_reader import ENTER, EXIT, enter, left
from tests.rmitrace.formats.trace_text import read


def stream(number: int, batches: list[list[int]]) -> Iterator[Rows]:
    """Rows of these times; each keeps stream and number in it. The memory is used again, as that of a collector."""
    rows, count = Rows(), 0
    for times in batches:
        rows.add(len(times), 1.0, ts=np.array(times, dtype=np.uint64), cpu=number, at=np.arange(count, count + len(times)))
        count += len(times)
        yield rows.sorted()
        rows.clear()


def given_by(streams: list[list[list[int]]]) -> list[tuple[int, int, int]]:
    windows = in_order([stream(i, s) for i, s in enumerate(streams)])
    return [row for w in windows for row in zip(*(w.columns[c].tolist() for c in ("ts", "cpu", "at")), strict=True)]


def cut(times: list[int], size: int) -> list[list[int]]:
    return [times[i : i + size] for i in range(0, len(times), size)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(st.integers(0, 30), max_size=25), st.integers(1, 6)), min_size=1, max_size=4))
def test_as_if_all_were_sorted_together(streams: list[tuple[list[int], int]]) -> None:
    every = [cut(sorted(times), size) for times, size in streams]
    expected = sorted((t, i, k) for i, s in enumerate(every) for k, t in enumerate(x for batch in s for x in batch))
    assert given_by(every) == expected


@pytest.mark.parametrize("others", [[], [[[1, 9], [9, 12]]]])
def test_a_row_that_comes_too_late(others: list[list[list[int]]]) -> None:
    assert given_by([[[5, 6], [], [6, 7]]])[-1] == (7, 0, 3)
    with pytest.raises(Unordered):
        given_by([[[5, 60], [4, 70]], *others])


def both(data: bytes, monkeypatch: pytest.MonkeyPatch, pages: int = 1) -> tuple[Records, bool]:
    """The records by windows of so many pages, which have to be those of the file read whole; whether the windows did it."""
    whole = read(FORMAT, data)
    done: list[bool] = []
    windows = trace_dat_reader.Reader._in_windows

    def told(self: Any) -> Records:
        done.append(False)
        records = windows(self)
        done[-1] = True
        return records

    monkeypatch.setattr(trace_dat_reader, "MANY", 1)
    monkeypatch.setattr(trace_dat_reader.Reader, "_in_windows", told)
    for module in (trace_dat_batches, trace_dat_rows):
        monkeypatch.setattr(module, "BATCH", pages * 4096)
    monkeypatch.setattr(trace_dat_rows, "_LEAST_WINDOW", 4096)
    records = read(FORMAT, data)
    same(records, whole)
    return records, done == [True]


@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.dat")), ids=lambda p: p.name)
def test_shipped_files(path: Any, pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    records, windows = both(path.read_bytes(), monkeypatch, pages)
    assert windows or path.name in ("cut.dat", "ready.dat")  # what is damaged, and what has two buffers, is read whole
    row = len(records) // 2
    at, length = int(records.offset[row]), int(records.length[row])
    raw = bytes(records.facts.get("data", path.read_bytes())[at : at + length])
    assert records.facts["detail"](row, raw, False).event


def page(start: int, fid: int, pid: int) -> bytes:
    return build.page(
        T0 + start, build.event(enter(pid, fid)), build.event(left(pid, fid, 0), 40), build.event(enter(pid, fid), 9)
    )


@pytest.mark.parametrize(
    "write", [build.v6, lambda t: build.v7(t, "none"), lambda t: build.v7(t, "zlib")], ids=["v6", "v7", "zlib"]
)
def test_cpus(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three CPUs whose pages lie across each other, one of them long silent, and an event that is known late."""
    first = b"".join(page(1000 * i, 0xC4000150, 7) for i in range(9))
    second = b"".join(page(2500 * i + 17, 0xC4000151, 8) for i in range(4))
    third = page(8017, 0xC4000152, 9)
    records, windows = both(write(build.Trace([ENTER, EXIT], {0: first, 1: second, 2: third})), monkeypatch)
    assert windows
    assert len(records) == 3 * 14
    assert (np.diff(np.asarray(records.ts)) >= 0).all()


@pytest.mark.parametrize("what", ["back in time", "damage"])
def test_read_whole_where_windows_cannot_be(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = page(9000, 0xC4000150, 7)
    bad = build.page(T0 + 9500, build.event(enter(7, 0xC4000151)), b"\x00\x00\x00\x00\x01\x00\x00\x00")
    pages = later + (page(0, 0xC4000151, 7) if what == "back in time" else bad)
    records, windows = both(build.v7(build.Trace([ENTER, EXIT], {0: pages}), "none"), monkeypatch)
    assert not windows
    assert len(records) > 3
