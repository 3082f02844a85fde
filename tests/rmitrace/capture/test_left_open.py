"""What is done with an open number is either written later, or noted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmitrace.capture.left_open import TEXT, Bits, Looked, Open, Template

ALL = (1 << 64) - 1


def opened(value: int = 0x1234) -> tuple[Open, Looked]:
    looked = Looked()
    return Open(value, Bits(0), looked), looked


def test_what_is_written_is_filled_in() -> None:
    number, looked = opened()
    made = Template.of(f"{number:#x} {number} {number:d} 100 % {number >> 12:x} {number & 0xFFF:#x}", looked)
    assert looked.at == {}
    assert looked.zero == set()
    assert made.fill([0xABCDE]) == "0xabcde 703710 703710 100 % ab 0xcde"


@pytest.mark.parametrize(
    ("what", "bits"),
    [
        (lambda v: v == 3, ALL),
        (lambda v: 3 == v, ALL),  # noqa: SIM300 - the order matters here
        (lambda v: v > 3, ALL),
        (lambda v: {3: 1}.get(v), ALL),
        (lambda v: v in (1, 2), ALL),
        (lambda v: int(v), ALL),
        (lambda v: v + 1, ALL),
        (lambda v: 1 - v, ALL),
        (lambda v: ~v, ALL),
        (lambda v: f"{v:08x}", ALL),
        (lambda v: repr(v), ALL),
        (lambda v: (v & 0xF0) >> 4 == 1, 0xF0),
        (lambda v: v >> 8 & 3 == 1, 0x300),
        (lambda v: (v & ~0xFF) + 1, ALL & ~0xFF),
    ],
)
def test_what_else_is_done_is_noted(what: Any, bits: int) -> None:
    number, looked = opened()
    assert what(number) == what(0x1234)
    assert looked.at == {0: bits}


def test_whether_bits_are_set() -> None:
    number, looked = opened()
    assert (bool(number & 0xF000), bool(number & 1), not number >> 13) == (True, False, True)
    assert looked.at == {}
    key = looked.pick()
    assert key([0x1000]) == key([0x1002])
    assert len({key([v]) for v in (0x1000, 0, 1, 0x2000)}) == 4


def test_json() -> None:
    number, looked = opened()
    made = Template.of_json({"n": number, "s": [f"{number}", f"a{number:#x}"], "t": looked.mark(Bits(1), TEXT), "é": "%"}, looked)
    filled = made.fill([7, json.dumps('"x"')[1:-1]])
    assert filled == json.dumps({"n": 7, "s": ["7", "a0x7"], "t": '"x"', "é": "%"}, separators=(",", ":"))


def test_nothing_open() -> None:
    assert Template.of("100 %", Looked()).fill([]) == "100 %"
