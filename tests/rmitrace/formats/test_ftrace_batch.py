from __future__ import annotations

import numpy as np

from rmitrace.capture.records import Kind, RecordBuilder, Records
from rmitrace.formats.ftrace_batch import mark_cut


def made(*rows: tuple[Kind, int, str, int]) -> Records:
    """Records of (kind, offset, name, how many registers)."""
    builder = RecordBuilder()
    for kind, offset, name, count in rows:
        builder.add(kind, offset, 1, name=name, regs=range(count))
    return builder.finish()


def enters(*counts: int) -> Records:
    return made(*[(Kind.ENTER, i, "e", n) for i, n in enumerate(counts)])


def damaged(records: Records) -> list[int]:
    return np.flatnonzero(records.kind == Kind.DAMAGED).tolist()


def test_a_line_shorter_than_its_neighbours_was_cut() -> None:
    for counts, cut in (
        ((8, 8, 3, 8), [2]),
        ((3, 8, 8), [0]),
        ((8, 8, 3), [2]),
        ((8, 3), [1]),
        ((8, 8, 3, 3, 8), []),  # two in a row: another definition of the probe, as far as one can tell
        ((8, 8, 3, 3, 3), []),
        ((3, 3, 3, 8, 8), []),
        ((8,), []),
        ((8, 8), []),
    ):
        records = enters(*counts)
        assert mark_cut(records) == len(cut)
        assert damaged(records) == cut, counts


def test_only_lines_of_one_event_are_compared() -> None:
    records = made(*[(kind, i, name, n) for i, (kind, name, n) in enumerate([
        (Kind.ENTER, "smc_enter", 8), (Kind.EXIT, "smc_exit", 4), (Kind.ENTER, "smc_enter", 8), (Kind.EXIT, "smc_exit", 4),
    ])])  # fmt: skip
    assert mark_cut(records) == 0


def test_a_gap_is_no_cut() -> None:
    builder = RecordBuilder()
    for regs in ([1, 2, 3], [1, None, 3], [1, 2, 3]):
        builder.add(Kind.ENTER, 0, 1, name="e", regs=regs)
    assert mark_cut(builder.finish()) == 0
