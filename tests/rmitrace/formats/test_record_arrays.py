from __future__ import annotations

from rmitrace.capture.records import Kind, RecordBuilder, Records
from rmitrace.formats.record_arrays import Total, joined


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
