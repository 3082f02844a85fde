from __future__ import annotations

import numpy as np

from rmitrace.capture.registers import Registers


def test_registers() -> None:
    plain = np.random.default_rng(3).integers(0, 1 << 63, (50, 8)).astype(np.uint64)
    registers = Registers(plain)
    assert np.array_equal(np.asarray(registers), plain)
    assert registers.take(np.array([4, 1])).tolist() == plain[[4, 1]].tolist()
    assert registers.nbytes > 0
