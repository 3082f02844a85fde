"""The lines of dumps that are found with the kernel, compiled and not, are those of the regular expressions."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.formats import hexlines, hexlines_kernel
from rmitrace.formats.hexlines import hex_lines_with

CAPTURES = Path(__file__).parents[3] / "captures"
TEXTS = sorted(p for p in CAPTURES.rglob("*") if p.suffix in (".txt", ".log") and p.stat().st_size < 200_000)


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return hexlines_kernel.places(*args)


def check(text: bytes, *, slowly: bool = True) -> int:
    expected = list(hex_lines_with(None, text, 0, len(text)))
    for kernel in (hexlines_kernel.compiled(), *([as_it_stands] if slowly else [])):
        assert list(hex_lines_with(kernel, text, 0, len(text))) == expected
    return len(expected)


WORDS = (b"\n", b"\r\n", b": ", b"ab", b"0f ", b" ", b"\t", b"12 34", b"-", b":", b"00000010  7f 45 ", b"c4000150", b"x", b"|..|")
PARTS = st.sampled_from([*WORDS, b"0" * 2049])


@given(st.lists(PARTS, max_size=40).map(b"".join))
@settings(max_examples=150, deadline=None)
def test_any_text(text: bytes) -> None:
    check(text)


def test_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in small pieces, and with bytes changed."""
    rng, found = random.Random(3), 0
    for path in TEXTS:
        text = path.read_bytes()
        found += check(text, slowly=False)
        monkeypatch.setattr(hexlines, "_CHUNK", 700)
        part = bytearray(text[:20_000])
        for _ in range(200):
            part[rng.randrange(len(part))] = rng.choice(b"\n: 0af")
        check(bytes(part), slowly=False)
        monkeypatch.undo()
    assert found > 100


def test_every_line_of_pairs_is_found() -> None:
    text = b"x\n" + b"ab cd\n" * 9
    assert [x.start for x in hex_lines_with(None, text, 0, len(text))] == [2 + 6 * i for i in range(9)]
    check(text)
