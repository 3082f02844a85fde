from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.packed import Column
from rmitrace.capture.registers import Registers


def test_registers() -> None:
    plain = np.random.default_rng(3).integers(0, 1 << 63, (50, 8)).astype(np.uint64)
    registers = Registers(plain)
    assert np.array_equal(np.asarray(registers), plain)
    assert registers.take(np.array([4, 1])).tolist() == plain[[4, 1]].tolist()
    assert registers.nbytes > 0


def test_rows_come_in_any_number_and_are_asked_for_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Column, "PIECE", 16)
    rng = np.random.default_rng(6)
    for seed in range(30):
        registers, plain = Registers(), np.zeros((0, 8), dtype=np.uint64)
        for turn in range(12):
            more = rng.integers(0, 1 << 40, (int(rng.integers(0, 50)), 8)).astype(np.uint64)
            plain = np.concatenate([plain, more])
            registers.append(more)
            more[:] = 0  # what was given is not kept
            assert registers.shape == plain.shape
            if seed % 3 == 0 or (seed % 3 == 1 and turn == 5):
                assert np.array_equal(np.asarray(registers), plain)
        assert len(registers.columns[3]) == len(plain)
        assert np.array_equal(np.asarray(registers), plain)
