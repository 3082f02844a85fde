"""Hex as people paste it."""

from __future__ import annotations

import pytest

from rmitrace.formats.pasted import pasted_bytes

GET_VERSION = bytes((0x10, 0x84, 0, 0))


PASTED = [
    "10 84 00 00",
    "10840000",
    "0x10 0x84 0x00 0x00",
    "0x10, 0x84, 0x00, 0x00",
    "{ 0x10, 0x84, 0, 0 }",
    "static const uint8_t get_version[4] = {\n  0x10, 0x84, /* code */\n  0x00, 0x00, // params\n};",
    "10:84:00:00",
    "10-84-00-00",
    r"\x10\x84\x00\x00",
    r'"\x10\x84" "\x00\x00"',
    "0x00008410",
    "00000000  10 84 00 00                                       |....|\n00000004\n",
    "00000000: 10 84 00 00",
    "[ 1.5] doe: 00000000: 10 84 00 00     ....",
    "0000: 10 84 \n0002: 00 00 \n",
]


@pytest.mark.parametrize("text", PASTED)
def test_pasted(text: str) -> None:
    assert pasted_bytes(text)[0] == GET_VERSION


def test_pasted_xxd_is_tried_both_ways() -> None:
    assert GET_VERSION in pasted_bytes("00000000: 1084 0000                                ....")


@pytest.mark.parametrize("text", ["", "hello", "10 8", "0x123", "10 84 zz", "[]"])
def test_not_hex(text: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        pasted_bytes(text)


def test_a_pasted_dump_with_a_hole_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        pasted_bytes(f"00000000: {bytes(16).hex(' ')}\n00000020: {bytes(16).hex(' ')}\n")
