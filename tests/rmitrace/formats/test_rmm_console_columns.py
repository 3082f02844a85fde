"""Items to columns: order, registers, and which of several clocks counts."""

from __future__ import annotations

from rmitrace.capture.records import NO_TIME, Kind
from rmitrace.formats.rmm_console_columns import Columns
from rmitrace.formats.rmm_console_finds import Item
from rmitrace.formats.rmm_console_rows import clean_row

HOUR = 3600 * 10**9


def row(start: int, *stamps: tuple[str, int]) -> Item:
    return Item(start, start + 40, stamps, clean_row(b"SMC_RMI_PDEV_GET_STATE 1000 > RMI_SUCCESS 3"))


def test_order_and_registers() -> None:
    columns = Columns()
    columns.add([row(100), Item(50, 60, (), mark="banner"), Item(70, 80, (), mark="unknown-fid", value=0xC4000152)])
    columns.add([row(0)])
    r = columns.finish()
    assert r.offset.tolist() == [0, 0, 50, 70, 100, 100]
    assert r.kind.tolist() == [Kind.WHOLE_IN, Kind.WHOLE_OUT, Kind.MARK, Kind.MARK, Kind.WHOLE_IN, Kind.WHOLE_OUT]
    assert [r.names[i] for i in r.name] == ["RMI_PDEV_GET_STATE", "RMI_PDEV_GET_STATE", "banner", "unknown-fid"] + [
        "RMI_PDEV_GET_STATE"
    ] * 2
    assert r.regs[:4, :2].tolist() == [[0xC4000178, 0x1000], [0, 3], [0, 0], [0xC4000152, 0]]
    assert r.known.tolist() == [3, 3, 0, 1, 3, 3]
    assert r.regs.dtype == "uint64"


def test_more_registers_than_columns() -> None:
    item = row(0)
    assert item.row is not None
    item.row.args = [*range(20)]
    columns = Columns()
    columns.add([item])
    r = columns.finish()
    assert r.known[0] == (1 << 18) - 1
    assert r.regs[0].tolist() == [0xC4000178, 0, 1, 2, 3, 4, 5, 6]


def test_the_clock_of_most_rows_counts() -> None:
    columns = Columns()
    columns.add([row(0, ("utc", 5), ("boot", 1)), row(50, ("utc", 6)), row(100, ("boot", 3)), row(150)])
    columns.add([Item(200, 210, (("boot", 9),), mark="kernel")] * 9)
    assert columns.clock() == "utc"
    r = columns.finish()
    assert r.ts[r.kind == Kind.WHOLE_OUT].tolist() == [5, 6, NO_TIME, NO_TIME]
    assert (r.ts[r.kind == Kind.MARK] == NO_TIME).all()


def test_the_outermost_of_two_stamps_counts() -> None:
    columns = Columns()
    columns.add([row(0, ("local", 5), ("local", 7))])
    assert columns.finish().ts.tolist() == [5, 5]


def test_marks_have_a_clock_where_no_row_has() -> None:
    columns = Columns()
    columns.add([row(0), Item(200, 210, (("boot", 9),), mark="kernel")])
    assert columns.finish().ts.tolist() == [NO_TIME, NO_TIME, 9]


def test_a_time_of_day_goes_on_past_midnight() -> None:
    columns = Columns()
    columns.add([row(i * 50, ("time-of-day", h * HOUR)) for i, h in enumerate((22, 23, 1, 2, 23, 0))])
    r = columns.finish()
    assert r.ts[::2].tolist() == [h * HOUR for h in (22, 23, 25, 26, 47, 48)]


def test_nothing() -> None:
    r = Columns().finish()
    assert len(r) == 0
    assert r.regs.shape == (0, 8)
