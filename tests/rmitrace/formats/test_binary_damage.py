"""Every shipped binary capture cut, overwritten and with bits flipped: read as far as it goes, what is wrong told with its place,
in time. perf.data is perf's to read, and pcap has tests of its own."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import Capture, CaptureError, OpenOptions, open_capture
from rmitrace.capture.records import Kind
from tests.rmitrace.formats.trace_text import CAPTURES

SAMPLES = [
    *sorted((CAPTURES / "trace-dat").glob("*.dat")),
    *sorted((CAPTURES / "raw-pages").glob("*.bin")),
    CAPTURES / "qemu/simple.trace",
]
FORMATS = {".dat": "trace-dat", ".bin": "raw-pages", ".trace": "qemu-simple"}
SECONDS = 10
"""What one damaged file may take; the slowest takes some tenths of that."""


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut, flipped in some bits, overwritten, or with a piece taken out, doubled or moved."""
    out = bytearray(data)
    at, n = rng.randrange(len(out)), rng.choice((1, 4, 8, 100, 4096, 20_000))
    match rng.randrange(6):
        case 0:
            del out[at:]
        case 1:
            for _ in range(rng.choice((1, 8, 500))):
                out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        case 2:
            out[at : at + n] = rng.choice((bytes(n), b"\xff" * n, rng.randbytes(n)))[: len(out) - at]
        case 3:
            del out[at : at + n]
        case 4:
            out[at:at] = out[at : at + n]
        case _:
            other = rng.randrange(len(out))
            out[at : at + n] = out[other : other + n]
    return bytes(out)


def opened(file: Path) -> tuple[Capture | None, str]:
    """The capture, or why it is refused."""
    try:
        return open_capture([str(file)], OpenOptions(source_format=FORMATS[file.suffix])), ""
    except CaptureError as e:
        return None, str(e)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_damage_of_any_kind(path: Path, tmp_path: Path) -> None:
    rng = random.Random(path.name)
    data = path.read_bytes()
    folder = tmp_path / "copy"
    if path.suffix == ".bin":  # it is read with the event formats beside it
        shutil.copytree(path.parent, folder)
    folder.mkdir(exist_ok=True)
    file = folder / path.name
    for _ in range(60):
        changed = damaged(data, rng)
        file.write_bytes(changed)
        began = time.process_time()
        capture, why = opened(file)
        assert "\n" not in why
        if capture is None:
            continue
        source = capture.sources[0]
        records = source.records
        offset, length = np.asarray(records.offset), np.asarray(records.length)
        assert (offset >= 0).all()
        assert (offset + length <= len(source.data)).all()
        for i in np.flatnonzero(np.asarray(records.kind) == Kind.DAMAGED)[:20].tolist():
            assert records.names[int(records.name[i])]
            capture.detail(0, i, False)
        told = [f for f in capture.reading if f.rule == "DAMAGED-RECORD"]
        assert all(0 <= f.offset <= len(source.data) for f in told)
        for seq in range(min(len(capture.calls), 10)):
            capture.call(seq)
        assert time.process_time() - began < SECONDS


@pytest.mark.parametrize("path", [p for p in SAMPLES if p.suffix != ".bin"], ids=lambda p: p.name)
def test_a_cut_is_told(path: Path, tmp_path: Path) -> None:
    """In the last tenth of a file there are records, or where they are: it does not end there unnoticed."""
    data = path.read_bytes()
    file = tmp_path / path.name
    whole = open_capture([str(path)])
    for share in (0.92, 0.98):
        file.write_bytes(data[: int(len(data) * share) | 3])
        capture, _ = opened(file)
        if capture is None:
            continue
        told = [f for f in capture.reading if f.rule in ("DAMAGED-RECORD", "INPUT-CUT") and f.offset >= 0]
        assert told
        assert len(capture.calls) <= len(whole.calls)
