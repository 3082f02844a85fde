"""The steps of kernels, compiled and not, against Python's own reading of the same bytes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rmitrace.formats import kernels
from rmitrace.formats.kernel_steps import SLACK, STEPS, ahead, decimal, hexadecimal, line_end_from, same, word

TEXT = st.one_of(
    st.text("0123456789abcdef", max_size=18), st.text("0123456789", max_size=18),
    st.text("0129af:gmoxAF/ \n\x10\x1f\x7f\x80\xff", max_size=24),
).map(lambda t: t.encode("latin-1"))  # fmt: skip


def both(step: Any, text: bytes, *args: int) -> Any:
    """What a step gives; compiled and not it is the same."""
    with np.errstate(over="ignore"):
        plain = step(text, *args)
    machine = kernels.compiled(step, STEPS)(np.frombuffer(text, np.uint8), *args)
    assert machine == plain
    return machine


def first_word(buf: Any, at: Any) -> Any:
    ahead(buf, at)
    return word(buf, 0)


@pytest.mark.parametrize("at", [0, 8, -(1 << 20), 1 << 46])
def test_what_is_asked_for_ahead_need_not_be_there(at: int) -> None:
    assert both(first_word, b"12345678", at) == int.from_bytes(b"12345678", "little")


@settings(deadline=None)
@given(TEXT, st.sampled_from([b" ", b"\n", b",", b"\r"]))
@example(b"f" * 16, b" ")
@example(b"f" * 17, b" ")
@example(b"0" * 8, b" ")
@example(b"g", b" ")
def test_hexadecimal(text: bytes, end: bytes) -> None:
    token = re.match(rb"[\x30-\xff]*", text + end)
    assert token is not None
    value, digits = both(hexadecimal, text + end + b" " * SLACK, 0)
    if re.fullmatch(rb"[0-9a-f]{1,16}", token[0]):
        assert (value, digits) == (int(token[0], 16), len(token[0]))
    else:
        assert digits == 0


@settings(deadline=None)
@given(TEXT)
@example(b"9" * 15)
@example(b"9" * 16)
@example(b"12345678")
def test_decimal(text: bytes) -> None:
    token = re.match(rb"[0-9]*", text)
    assert token is not None
    value, digits = both(decimal, text + b":" + b" " * SLACK, 0)
    if 0 < len(token[0]) <= 15:
        assert (value, digits) == (int(token[0]), len(token[0]))
    else:
        assert digits == 0


@settings(deadline=None)
@given(TEXT, TEXT)
def test_line_end(a: bytes, b: bytes) -> None:
    text = a + b
    found = text.find(b"\n")
    assert both(line_end_from, text + b"\n" * SLACK, 0, len(text)) == (len(text) if found < 0 else found)


@pytest.mark.parametrize("size", [*range(8, 20), 64])
def test_same(size: int) -> None:
    text = bytes(range(10, 10 + size))
    assert both(same, text * 2 + bytes(SLACK), 0, size, size)
    for i in range(size):
        other = bytearray(text)
        other[i] ^= 0x80
        assert not both(same, text + other + bytes(SLACK), 0, size, size)
