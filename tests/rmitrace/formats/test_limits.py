"""More bytes than 2^31 and more lines than 2^27, in one file that is mostly a hole: offsets and counts hold beyond 32 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import OpenOptions, open_capture
from tests.rmitrace.formats.trace_text import ENTER, EXIT, HEAD

LINES = 1 << 27
HOLE = 1 << 31
ROW = b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCCESS 3\n"
CALL = b"arm_psci_call PSCI Call x0=0xc4000178 x1=0x88200000 x2=0x0 x3=0x0 cpuid=0x1\n"
SAMPLES = {"ftrace": (HEAD + ENTER + b"\n" + HEAD + EXIT + b"\n") * 50, "rmm-console": ROW * 100, "qemu-log": CALL * 100}


def write(path: Path, records: bytes) -> int:
    """Records, empty lines, records, a line that is a hole, records; returns the number of lines."""
    piece = b"\n" * (1 << 20)
    with path.open("wb") as out:
        out.write(records)
        for _ in range(LINES // len(piece)):
            out.write(piece)
        out.write(records)
        out.seek(HOLE, 1)
        out.write(b"\n" + records)
    return LINES + 1 + 3 * records.count(b"\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_beyond_32_bits(name: str, tmp_path: Path) -> None:
    records = SAMPLES[name]
    path = tmp_path / "big.log"
    lines = write(path, records)
    capture = open_capture([str(path)], OpenOptions(cache=False))
    source = capture.sources[0]
    assert source.format == name
    assert source.records.facts["lines"] == lines
    assert len(source.data) > HOLE
    once = records.count(b"\n") if name != "ftrace" else records.count(b"smc_enter")
    assert len(capture.calls) == 3 * once
    offset = np.asarray(source.records.offset)
    assert offset.max() == path.stat().st_size - len(records.splitlines()[-1]) - 1
    for seq in (0, once, 3 * once - 1):
        call = capture.call(seq)
        assert call.x[0] == 0xC4000178 if name != "ftrace" else call.x[0] == 0xC4000150
        assert call.raw.encode() in records
    first = records.splitlines()[0]
    for k in range(3):  # the first record of each part
        at = int(offset[len(offset) // 3 * k])
        assert source.data[at : at + len(first)] == first
    path.unlink()
