"""How conditions are taken apart, and that the parts together hold for the rows that Polars gives for the whole."""

from __future__ import annotations

import operator
from pathlib import Path

import polars as pl
import pytest

from rmitrace import query
from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.query_split import Joined, Leaf, Part, split

CAPTURES = Path(__file__).parents[2] / "captures"


def told(part: Part) -> object:
    if isinstance(part, Joined):
        return "any" if part.any else "all", *map(told, part.parts)
    if part.compared is not None:
        return part.names[0], part.compared[0].__name__, part.compared[1]
    return "+".join(part.names)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("failed", "failed"),
        ("x1 = 5", ("x1", "eq", 5)),
        ("x1 <> 5 AND x2 >= 6 AND x3 < 7", ("all", ("x1", "ne", 5), ("x2", "ge", 6), ("x3", "lt", 7))),
        ("x1 = 5 OR x1 = 6", ("any", ("x1", "eq", 5), ("x1", "eq", 6))),
        ("cpu BETWEEN 1 AND 3", ("all", ("cpu", "ge", 1), ("cpu", "le", 3))),
        ("x1 = 5 OR x1 IN (7, 8)", "x1"),  # not all of it is compared: one pass of Polars
        ("name = 'a' OR name = 'b'", "name"),  # over few values
        ("name = 'a' AND (x1 = 5 OR failed)", ("all", "name", ("any", ("x1", "eq", 5), "failed"))),
        ("NOT (failed AND x1 = 5)", "failed+x1"),  # NULL would become true
        ("(failed AND x1 = 5) IS NULL", "failed+x1"),
        ("x1 = x2", "x1+x2"),
        ("x1 = -1", "x1"),
        ("x1 = 0xffff800008333a70", "x1"),
        ("dur_us > 1.5", "dur_us"),
        ("x1 + 1 = 5", "x1"),
        ("TRUE", ""),
        ("TRUE AND failed", "failed"),
        ("TRUE AND x1 = 5 OR x2 = 6", ("any", "x1", ("x2", "eq", 6))),
    ],
)
def test_parts(where: str, wanted: object) -> None:
    assert told(split(query.parse(where)[0], lambda name: name in ("name", "failed"))) == wanted


def test_what_a_number_is_compared_by() -> None:
    part = split(query.parse("cpu > 3")[0], lambda name: False)
    assert isinstance(part, Leaf)
    assert part.compared == (operator.gt, 3)


@pytest.fixture(scope="module", params=["rmm/tf-rmm-head-errors.calls.jsonl.xz", "ftrace/pdev-connect.trace.txt"])
def capture(request: pytest.FixtureRequest) -> Capture:
    return open_capture([str(CAPTURES / request.param)], OpenOptions(cache=False))


LEAVES = [
    "failed", "NOT failed", "inferred", "name LIKE '%PDEV%'", "status IS NULL", "status <> 'RMI_SUCCESS'", "x1 > 0x1000",
    "x1 = 0", "x2 = x1", "x3 <> 1", "r1 = 5", "r1 <> 5", "r2 < 3", "dur_us > 100", "dur_us <= 100", "ts > 11.4",
    "ts_ns >= 1",    "cpu = 1", "pid <> 142", "parent IS NULL", "parent >= 0", "index = 3", "index < 2",
    "fid > 0xc4000170", "seq BETWEEN 3 AND 40",
    "object LIKE 'pdev:%'", "object IS NULL", "sequence = 'connect'", "task LIKE 'py%'", "x9 = 0", "byte_offset > 900",
    "object IN ('pdev:0x49500000', 'realm:0x1000')", "length(name) > length(status)", "source = 0", "TRUE",
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(LEAVES)))
def test_as_polars_says_of_the_whole(number: int, capture: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = (LEAVES[(number + by) % len(LEAVES)] for by in (0, 5, 13))
    monkeypatch.setattr(query, "AT_ONCE", 9)
    for where in (a, f"({a}) AND ({b})", f"({a}) OR ({b})", f"({a}) AND (({b}) OR ({c}))", f"NOT (({a}) OR ({b}))",
                  f"({a}) OR ({b}) AND NOT ({c})"):  # fmt: skip
        expression, names = query.parse(where)
        frame = pl.DataFrame({n: query.column(capture, n) for n in [*names, "seq"]})
        wanted = frame.filter(expression)["seq"].to_list()
        assert query.select(capture, where).tolist() == wanted, where
