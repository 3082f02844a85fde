"""Texts are found in the digits of numbers as Python writes them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rmitrace.formats import kernels
from rmitrace.tui import digits, digits_kernel
from rmitrace.tui.digits import within
from rmitrace.tui.gaps import Gap, Part, Register

_EDGES = [
    0,
    1,
    9,
    10,
    15,
    16,
    99,
    100,
    0xFF,
    0x100,
    0x1F0,
    10**19,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    0xDEADBEEF,
    0xDEADBEEF00,
]


@pytest.fixture(params=["numpy", "as it stands", "compiled"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for with numpy, and by the kernel."""
    if request.param != "numpy":
        compiled = kernels.compiled(digits_kernel.holds, digits_kernel.STEPS)
        monkeypatch.setattr(digits._REPAID, "ready", digits_kernel.holds if request.param == "as it stands" else compiled)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("base", [10, 16])
@pytest.mark.parametrize("mask", [(1 << 64) - 1, 0x000FFFFFFFFFF000])
def test_texts_in_numbers(base: int, mask: int) -> None:
    chosen = random.Random(base)
    values = _EDGES + [chosen.getrandbits(chosen.randrange(1, 65)) for _ in range(300)]
    said = [f"{v & mask:#x}" if base == 16 else str(v & mask) for v in values]
    texts = {"0", "00", "1", "f", "ff", "deadbeef", "0xdeadbeef", "x1", "0x", "x", "18446744073709551615", "99999999999999999999"}
    for _ in range(400):
        line = chosen.choice(said)
        start = chosen.randrange(len(line))
        texts.add(line[start : start + chosen.randrange(1, 20)])
    if base == 10:
        texts = {t for t in texts if t.isdigit()}
    gap = Gap(Register(False, 1), "", mask, base)
    array = np.array(values, dtype=np.uint64)
    for text in sorted(texts):
        for start in (False, True):
            for end in (False, True):
                wanted = [
                    (s == text if end else s.startswith(text)) if start else (s.endswith(text) if end else text in s)
                    for s in said
                ]
                assert within(array, Part(gap, text, start, end)).tolist() == wanted, (text, start, end)
