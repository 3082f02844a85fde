"""A register's place in the raw text of every kind of record; the expected text is read off the lines by eye."""

from __future__ import annotations

import time

import pytest

from rmitrace.tui.registers import find

FTRACE = "  python3-142 [000] d....  9.720178: smc_enter: (rs_invoke12+0x0/0x80 [mod]) a0=0xc4000150 a1=0x20000 a2=0x0 a3=0x0"
ARRAY = " my prog-1661 [001] d.... 611.907722: smc_enter_arr: (rs_invoke12+0x0/0x80 [mod]) a={0xc4000150,0x20000,0x7,0x20000,0x0}"
ROW = "SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000"
JSON = '{"seq":0,"fid":"0xc4000150","in":["0xc4000150","0x20000","0x0"],"out":["0x0","0x20000","0x20001"],"mem":{}}'
QEMU = "X00=00000000c4000150 X01=0000000000020000 X02=0000000000000007"


@pytest.mark.parametrize(
    ("raw", "number", "values", "out", "whole", "text", "before"),
    [
        (FTRACE, 1, [0xC4000150, 0x20000, 0, 0], False, False, "0x20000", "a1="),
        (FTRACE, 3, [0xC4000150, 0x20000, 0, 0], False, False, "0x0", "a3="),
        (ARRAY, 3, [0xC4000150, 0x20000, 7, 0x20000, 0], False, False, "0x20000", "0x7,"),
        (ROW, 1, [0xC4000150, 0x20000], False, True, "20000", "                   "),
        (ROW, 2, [0, 0x20000, 0x20000], True, True, "20000", "RMI_SUCCESS 20000 "),
        (JSON, 1, [0xC4000150, 0x20000, 0], False, True, "0x20000", '"in":["0xc4000150","'),
        (JSON, 2, [0, 0x20000, 0x20001], True, True, "0x20001", '"0x0","0x20000","'),
        (QEMU, 2, [0xC4000150, 0x20000, 7], False, False, "0000000000000007", "X02="),
    ],
)
def test_found(raw: str, number: int, values: list[int], out: bool, whole: bool, text: str, before: str) -> None:
    span = find(raw, number, values, out=out, whole=whole)
    assert span is not None
    assert raw[slice(*span)] == text
    assert raw[: span[0]].endswith(before)


def test_not_told() -> None:
    assert find(FTRACE, 9, [0xC4000150], out=False, whole=False) is None
    assert find(FTRACE, 1, [0xC4000150, None], out=False, whole=False) is None
    assert find("nothing here", 1, [1, 0x1234], out=False, whole=False) is None
    assert find("5 5 5", 2, [9, 8, 5], out=False, whole=False) is None


def test_hostile_lines_take_no_time() -> None:
    began = time.process_time()
    for raw in ("f" * 60_000, "0x" * 30_000, "a1=" * 20_000, "a" + "0" * 60_000, "[ " * 30_000, "1 " * 30_000):
        find(raw, 7, list(range(8)), out=False, whole=False)
    assert time.process_time() - began < 2
