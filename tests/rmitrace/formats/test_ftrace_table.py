from __future__ import annotations

from rmitrace.formats.ftrace_table import ENTER, EXIT, IGNORE, SLOW, Table


def test_names_are_stored_once() -> None:
    table = Table(3)
    assert [table.add(n) for n in ("a", "b", "a")] == [0, 1, 0]
    assert table.cls[:2].tolist() == [SLOW, SLOW]


def test_a_full_table_takes_no_more() -> None:
    table = Table(2)
    assert [table.add(n) for n in ("a", "b", "c")] == [0, 1, -1]
    table.ignore("c")
    table.layout("c", False, False, (("a0", 0, 0),))
    assert table.cls.tolist() == [SLOW, SLOW]


def test_layouts() -> None:
    table = Table(4)
    table.ignore("noise")
    table.layout("smc_enter", False, False, (("a0", 0, 0), ("a1", 1, 0)))
    table.layout("smc_exit", True, True, (("fid", -1, 0), ("a0", 0, 0)))
    assert table.cls[:3].tolist() == [IGNORE, ENTER, EXIT]
    assert table.known[1:3].tolist() == [0b11, 0b1]
    first, count = int(table.first[2]), int(table.fields[2])
    texts = [bytes(table.words.blob[at : at + n]) for at, n in zip(table.field_at, table.field_len, strict=True)]
    table.layout("arr", False, False, (("a", 0, 18), ("n", -1, 0)))
    assert int(table.known[3]) == (1 << 18) - 1
    assert texts[first : first + count] == [b" fid=", b" a0="]


def test_what_other_threads_read_stays_as_it_is() -> None:
    table = Table(4)
    table.add("a")
    before = table.arrays()
    assert table.arrays() is before
    table.layout("a", False, False, (("a0", 0, 0),))
    after = table.arrays()
    assert before[6].tolist() == [SLOW] * 4
    assert after[6].tolist() == [ENTER, SLOW, SLOW, SLOW]
