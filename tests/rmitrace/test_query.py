"""Conditions over a small capture made by hand: every column, NULLs, 64-bit numbers, and what is said about mistakes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rmitrace import query
from rmitrace.lifecycle.members import table_of
from rmitrace.lifecycle.model import Sequence

NO_TIME = -(2**63)
KERNEL = 0xFFFF_8000_0833_3A70  # above 2**63: a kernel address


class Hand:
    """Four calls: a version, a failed RTT destroy, a wrapper without registers, an unknown function id."""

    sources = (
        SimpleNamespace(format="ftrace", records=SimpleNamespace(offset=np.array([10, 90, 200], dtype=np.int64))),
        SimpleNamespace(format="rmm-console", records=SimpleNamespace(offset=np.array([7], dtype=np.int64))),
    )
    names = ("RMI_VERSION", "RMI_RTT_DESTROY", "unknown 0xc40002ff")
    numbers = None
    services = ("RMI",)
    statuses = ("RMI_SUCCESS", "RMI_ERROR_RTT")
    sequences = table_of(
        [
            Sequence("realm teardown", "realm:0x88001000", 0, 2, None, None, "ok", (), "", 0, np.array([0, 1, 2])),
            Sequence("disconnect", "pdev:0x88002000", 1, 1, None, None, "ok", (), "", 0, np.array([1])),
        ]
    )

    conversations = SimpleNamespace(
        decode=list,
        by_call={
            1: [SimpleNamespace(name="VENDOR_DEFINED_REQUEST", vendor="IDE_KM QUERY"), SimpleNamespace(name="ERROR", vendor=None)]
        },
    )

    def __init__(self) -> None:
        self.calls = Columns()
        self.asked: list[str] = []
        self._x = np.zeros((4, 18), dtype=np.uint64)
        self._known = np.zeros((4, 18), dtype=bool)
        for row, reg, value in (
            (0, 0, 0xC4000150),
            (0, 1, 0x10000),
            (1, 1, KERNEL),
            (1, 2, 2**53 + 1),
            (3, 1, 2**64 - 1),
            (0, 9, 5),
        ):
            self._x[row, reg], self._known[row, reg] = value, True
        self._r = np.zeros((4, 18), dtype=np.uint64)
        self._r_known = np.zeros((4, 18), dtype=bool)
        for row, value in ((0, 0), (1, 0x204), (3, 2**64 - 1)):
            self._r[row, 0], self._r_known[row, 0] = value, True
        self.revision = SimpleNamespace(of=lambda name: "1.0-rel0")

    def regs(self, seqs, number, *, out=False):
        self.asked.append(f"{'r' if out else 'x'}{number}")
        values, known = (self._r, self._r_known) if out else (self._x, self._known)
        return np.where(known[seqs, number], values[seqs, number], np.uint64(0)), known[seqs, number]

    @property
    def tasks(self):
        self.asked.append("task")
        return SimpleNamespace(
            numbers=None, names=["sh", "kvm\udcff", None], of=lambda start, stop: np.array([0, 1, 2, 0])[start:stop]
        )

    def objects(self):
        addr = np.array([0, 0x88001000, 0x88001000, 0], dtype=np.uint64)
        texts = (None, "realm:0x88001000", "realm:0x88001000", None)
        return SimpleNamespace(kind=np.array([0, 4, 4, 0], dtype=np.int8), addr=addr, text=lambda i: texts[i])


class Columns:
    ts = np.array([1_795_374_614_946_544_001, 1_795_374_614_946_544_002, NO_TIME, 1_795_374_615_000_000_000], dtype=np.int64)
    dur = np.array([1500, 2_000_000, -1, -1], dtype=np.int64)
    cpu = np.array([0, 1, -1, 1], dtype=np.int32)
    pid = np.array([91, 92, -1, 91], dtype=np.int32)
    source = np.array([0, 0, 1, 0], dtype=np.int16)
    enter = np.array([0, 1, 0, -1], dtype=np.int64)
    exit = np.array([-1, -1, -1, 2], dtype=np.int64)
    fid = np.array([0xC4000150, 0xC400015E, 0, 0xC40002FF], dtype=np.uint64)
    name = np.array([0, 1, 1, 2], dtype=np.int32)
    service = np.array([0, 0, 0, 0], dtype=np.int16)
    status = np.array([0, 1, -1, -1], dtype=np.int32)
    failed = np.array([False, True, False, True])
    inferred = np.array([False, False, True, False])
    paired = np.array([0, 0, 1, 2], dtype=np.uint8)
    parent = np.array([-1, 0, -1, -1], dtype=np.int64)

    def __len__(self) -> int:
        return 4


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("seq >= 2", [2, 3]),
        ("name = 'RMI_VERSION'", [0]),
        ("name LIKE 'RMI_RTT%'", [1, 2]),
        ("name IS NULL", [3]),  # an unknown function id has no name
        ("status = 'RMI_ERROR_RTT'", [1]),
        ("status IS NULL", [2, 3]),
        ("failed", [1, 3]),
        ("NOT failed AND NOT inferred", [0]),
        ("service = 'RMI'", [0, 1, 2, 3]),
        ("fid = 0xC4000150", [0]),
        ("fid = 0xc4000150 OR fid = 3288335103", [0, 3]),  # 0xc40002ff
        ("fid IS NULL", [2]),
        ("x1 = 0x1_0000", [0]),
        ("x1 = 0xffff800008333a70", [1]),
        ("x1 > 0x7fffffffffffffff", [1, 3]),  # unsigned: kernel addresses are big, not negative
        ("x1 = 18446744073709551615", [3]),
        ("x1 BETWEEN 0xffff800000000000 AND 0xffff8fffffffffff", [1]),
        ("x1 IN (0x10000, 0xffffffffffffffff)", [0, 3]),
        ("x1 - 0x10001 < 0", [0]),  # no wrap below zero
        ("x1 < 0", []),
        ("x1 & 0xfff = 0xa70", [1]),
        ("x2 = 9007199254740993", [1]),  # 2**53 + 1 is not rounded
        ("x2 = 9007199254740992", []),
        ("x1 IS NULL", [2]),
        ("x9 = 5", [0]),
        ("r0 = 0x204", [1]),
        ("index = 2", [1]),
        ("index IS NULL OR index = 0", [0, 2, 3]),
        ("ts_ns = 1795374614946544002", [1]),  # above 2**53: exact
        ("ts >= 1795374615.0", [3]),
        ("ts IS NULL", [2]),
        ("dur_us > 1.4 AND dur_us < 1.6", [0]),
        ("dur_ns >= 2000000", [1]),
        ("dur_ns IS NULL", [2, 3]),
        ("cpu = 1", [1, 3]),
        ("cpu IS NULL", [2]),
        ("pid = 91 AND cpu = 0", [0]),
        ("task = 'sh'", [0, 3]),
        ("task LIKE 'kvm%'", [1]),
        ("object = 'realm:0x88001000'", [1, 2]),
        ("sequence = 'disconnect'", [1]),  # the innermost
        ("sequence = 'realm teardown'", [0, 2]),
        ("source = 1", [2]),
        ("format = 'rmm-console'", [2]),
        ("paired = 'enter-only'", [2]),
        ("paired <> 'both'", [2, 3]),
        ("parent = 0", [1]),
        ("byte_offset = 200", [3]),
        ("byte_offset = 7", [2]),
        ("TRUE", [0, 1, 2, 3]),
        ("1 = 2", []),
        ("name = '0x10'", []),  # a number inside a string stays a string
    ],
)
@pytest.mark.parametrize("at_once", [1 << 18, 3, 1])
def test_condition(where: str, wanted: list[int], at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is worked out for a few calls at a time."""
    monkeypatch.setattr(query, "AT_ONCE", at_once)
    got = query.select(Hand(), where)
    assert got.dtype == np.int64
    assert got.tolist() == wanted


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "empty"),
        ("name =", "unable to parse"),
        ("nmae = 'x'", "no column nmae; did you mean name?"),
        ("status = RMI_SUCCESS", "no column RMI_SUCCESS; text stands in single quotes: 'RMI_SUCCESS'"),
        ('status = "RMI_SUCCESS"', "single quotes"),
        ("name", "a condition is wanted"),
        ("x1 = 0x10000000000000000", "more than 64 bits"),
        ("x1 = 0x" + "f" * 100_000, "more than 64 bits"),
        ("x1 = 0xzz", "not a number: 0xzz"),
        ("x1 = 0x", "not a number"),
        ("name = 5", "cannot compare"),
        ("x18 = 1", "no column x18"),
        ("SELECT 1", "expected an expression"),
        ("seq = 1; seq = 2", "unexpected token"),
    ],
)
@pytest.mark.parametrize("at_once", [1 << 18, 1])
def test_mistakes_are_one_line(where: str, said: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "AT_ONCE", at_once)
    with pytest.raises(ValueError, match=r".") as e:
        query.select(Hand(), where)
    assert said in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("dur_us = MAX(dur_us)", [1]),
        ("seq > AVG(seq)", [2, 3]),
        ("seq = COUNT(seq) - 1", [3]),
        ("dur_ns > ABS(-1500) AND name LIKE '%(MAX(%'", []),
    ],
)
def test_what_looks_at_all_calls_does(where: str, wanted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "AT_ONCE", 1)
    assert query.select(Hand(), where).tolist() == wanted


@pytest.mark.parametrize(
    ("where", "so"),
    [
        ("failed", True),
        ("NOT (failed) AND (x1 IN (1, 2))", True),
        ("lower(name) LIKE 'rmi%' OR ABS(dur_ns) > 1", True),
        ("name = 'MAX(seq)'", True),
        ("seq = MAX(seq)", False),
        ("seq = max (seq)", False),
        ("ROW_NUMBER() OVER (ORDER BY seq) = 1", False),
        ("seq IN (SELECT seq)", False),
        ("something_new(seq)", False),
    ],
)
def test_which_conditions_look_at_one_call(where: str, so: bool) -> None:
    assert query.row_by_row(where) is so


def test_progress_is_told_and_may_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "AT_ONCE", 3)
    told: list[int] = []
    query.select(Hand(), "x1 > 0", told.append)
    assert told == [3, 4]

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        query.select(Hand(), "x1 > 0", stop)


def test_only_named_columns_are_made() -> None:
    hand = Hand()
    query.select(hand, "name LIKE 'RMI%' AND x1 > 0 AND status = 'task'")
    assert hand.asked == ["x1"]


def test_messages_of_a_call() -> None:
    assert query.column(Hand(), "messages").to_list() == [None, "IDE_KM QUERY, ERROR", None, None]


def test_every_documented_column_is_made() -> None:
    hand = Hand()
    for name in query.COLUMNS:
        assert len(query.column(hand, name)) == 4, name
