from __future__ import annotations

import numpy as np

from rmitrace.formats.ftrace_scan_head import SLOTS, slot_of
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
    texts = [bytes(table.blob[at : at + n]) for at, n in zip(table.field_at, table.field_len, strict=True)]
    table.layout("arr", False, False, (("a", 0, 18), ("n", -1, 0)))
    assert int(table.known[3]) == (1 << 18) - 1
    assert texts[first : first + count] == [b" fid=", b" a0="]


def test_names_with_one_slot() -> None:
    """Some of 200 names fall together in 16384 slots (50 % at 150); a name that differs in the middle alone always does."""
    a, b = "enter_" + "a" * 4 + "x" * 8, "enter_aa" + "b" + "a" + "x" * 8
    words = [int.from_bytes(n.encode()[part], "little") for n in (a, b) for part in (slice(8), slice(-8, None))]
    with np.errstate(over="ignore"):
        slots = [int(slot_of(np.uint64(words[i]), np.uint64(words[i + 1]), 18)) for i in (0, 2)]
    assert slots[0] == slots[1] < SLOTS
    table = Table(4)
    assert [table.add(n) for n in (a, b, a, b)] == [0, 1, 0, 1]
    assert sorted(table.slots[table.slots >= 0].tolist()) == [0, 1]


def test_room_for_names_grows() -> None:
    table = Table(2000)
    for i in range(2000):
        table.add("e" * 100 + str(i))
    at, length = int(table.name_at[1999]), int(table.name_len[1999])
    assert bytes(table.blob[at : at + length]) == b"e" * 100 + b"1999"


def test_what_other_threads_read_stays_as_it_is() -> None:
    table = Table(4)
    table.add("a")
    before = table.arrays()
    assert table.arrays() is before
    table.layout("a", False, False, (("a0", 0, 0),))
    after = table.arrays()
    assert before[6].tolist() == [SLOW] * 4
    assert after[6].tolist() == [ENTER, SLOW, SLOW, SLOW]
