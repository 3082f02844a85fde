"""The pages of a trace.dat, some megabytes at a time, and their times as trace-cmd shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from .base import Data
from .trace_dat_options import Options, Shift
from .trace_dat_parts import Area, Ring, TraceFile
from .trace_dat_unpack import Unsound, unpacker

BATCH = 4 << 20
"""Bytes of pages that are walked at a time: few enough to stay in a processor's cache."""

U64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]


def batches(
    file: TraceFile, data: Data, ring: Ring, area: Area, damage: Callable[[int, int, int, str], None],
    progress: Callable[[int], None] | None, size: int | None = None,
) -> Iterator[tuple[int, Bytes, int]]:  # fmt: skip
    """(offset as in TraceFile.unpacked, whole pages, bytes of them that are there) of an area, about ``size`` bytes at a time.

    The pages are good until the next ones are asked for. What cannot be unpacked is told to ``damage`` and is zeros.
    """
    step = max(1, (size or BATCH) // ring.page_size) * ring.page_size
    if not area.chunks:
        for at in range(area.offset, area.offset + area.size, step):
            size = min(step, area.offset + area.size - at)
            yield at, _whole(np.frombuffer(data, np.uint8, size, at), ring.page_size), size
            if progress is not None:
                progress(at + size)
        return
    room = np.zeros(step + max(c.size for c in area.chunks) + ring.page_size, dtype=np.uint8)
    unpack = unpacker(file.compression)
    held, at = 0, area.offset
    for chunk in area.chunks:
        try:
            room[held : held + chunk.size] = np.frombuffer(unpack(file.unpacked.packed(chunk), chunk.size), np.uint8)
        except Unsound:
            room[held : held + chunk.size] = 0
            damage(chunk.offset, chunk.packed, area.cpu, "a chunk of trace data that cannot be unpacked")
        held += chunk.size
        whole = held // ring.page_size * ring.page_size
        if held >= step:
            yield at, room[:whole], whole
            room[: held - whole] = room[whole:held].copy()
            at, held = at + whole, held - whole
            if progress is not None:
                progress(chunk.offset)
    if held:
        yield at, _whole(room[:held], ring.page_size), held


def _whole(pages: Bytes, page_size: int) -> Bytes:
    """The bytes, filled up with zeros to whole pages."""
    rest = -len(pages) % page_size
    return np.concatenate([pages, np.zeros(rest, dtype=np.uint8)]) if rest else pages


def times(options: Options, shift: Shift | None, ts: U64) -> U64:
    """Ring-buffer times as trace-cmd shows them: brought to the host's clock, to ns, and moved by the option DATE or OFFSET
    (timestamp_calc() of lib/trace-cmd/trace-input.c, 3.4)."""
    if shift is not None and len(shift.time):
        ts = _to_host(options, shift, ts)
    if options.tsc is not None:
        multiplier, bits = np.uint64(options.tsc[0]), np.uint64(options.tsc[1])
        low, high = ts & np.uint64(0xFFFFFFFF), ts >> np.uint64(32)
        ts = (low * multiplier >> bits) + (high * multiplier << (np.uint64(32) - bits))
    return ts + np.uint64(options.ts_offset & (1 << 64) - 1) if options.ts_offset else ts


def _to_host(options: Options, shift: Shift, ts: U64) -> U64:
    if len(shift.time) == 1:
        return ts + shift.offset[:1].view(np.uint64)
    now = ts.view(np.int64)
    i = np.clip(np.searchsorted(shift.time, now, side="right") - 1, 0, len(shift.time) - 2)
    move = shift.offset[i]
    if options.interpolate:
        span = shift.time[i + 1] - shift.time[i]
        part = (now - shift.time[i]).astype(np.float64) * (shift.offset[i + 1] - move).astype(np.float64) / span
        with np.errstate(invalid="ignore"):  # damaged samples may move a time to anywhere
            move = move + np.trunc(part + 0.5).astype(np.int64)
    return (ts * shift.scaling[i] >> shift.fraction[i]) + move.view(np.uint64)
