from __future__ import annotations

import numpy as np

from rmitrace.capture.records import COLUMNS, Kind, RecordBuilder, Records
from rmitrace.formats.record_arrays import Total, joined, merged, with_last


def enters(*counts: int) -> Records:
    """Entries with so many registers each."""
    builder = RecordBuilder()
    for i, count in enumerate(counts):
        builder.add(Kind.ENTER, i, 1, name="e", regs=range(count))
    return builder.finish()


def test_total_grows() -> None:
    total = Total()
    parts = [enters(*[8] * n) for n in (0, 3, 0, 50, 1000, 1)]
    for i, part in enumerate(parts):
        part.offset += 10_000 * i
        total.add(part)
    records = total.records(["e"])
    assert records.offset.tolist() == joined(parts, []).offset.tolist()
    assert len(records) == 1054
    assert records.regs[-1].tolist() == list(range(8))


def test_merged_is_joined_and_sorted() -> None:
    rng = np.random.default_rng(4)
    for n, k in ((0, 3), (40, 0), (40, 1), (40, 9), (5, 60)):
        many, few = enters(*[2] * n), enters(*[3] * k)
        many.offset[:] = np.sort(rng.integers(0, 50, n))
        few.offset[:] = np.sort(rng.integers(-2, 52, k))
        both = joined([many, few], [])
        order = np.argsort(both.offset, kind="stable")
        both.take(order)
        found, at = merged(many, few)
        for column in (*COLUMNS, "regs"):
            assert np.array_equal(getattr(found, column), getattr(both, column)), column
        assert np.array_equal(order[at], n + np.arange(k))


def test_more_behind_packed_records() -> None:
    for last, expected in (([70, 80], [5, 60, 70, 80]), ([70, 7], [5, 7, 60, 70]), ([], [5, 60])):
        total, more = Total(), enters(*[1] * len(last))
        first = enters(2, 2)
        first.offset[:], more.offset[:] = (5, 60), last
        total.add(first)
        records = with_last(total.records(["e"]), more)
        assert records.offset.tolist() == expected
        assert records.known.tolist() == [3 if at in (5, 60) else 1 for at in expected]
