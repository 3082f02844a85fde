"""The rows of several CPUs in the order of time, a window at a time, without having all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .trace_dat_rows import Rows


class Unordered(Exception):
    """There is a row that would have to stand before those that were given already."""


def in_order(streams: list[Iterator[Rows]]) -> Iterator[Rows]:
    """The rows of all streams by time, of one time those of an earlier stream first: as if all were sorted together.

    Each stream gives rows that are sorted; a window is good until the next one is asked for. Raises Unordered.
    """
    return _checked(streams[0]) if len(streams) == 1 else _merged(streams)


def _checked(stream: Iterator[Rows]) -> Iterator[Rows]:
    last = 0
    for rows in stream:
        if rows.used:
            if int(rows.columns["ts"][0]) < last:
                raise Unordered
            last = int(rows.columns["ts"][-1])
            yield rows


def _merged(streams: list[Iterator[Rows]]) -> Iterator[Rows]:
    pending: list[Rows | None] = [None] * len(streams)
    live = set(range(len(streams)))
    wanted = set(live)
    given = 0
    while live or any(pending):
        for i in sorted(wanted & live):
            more = next((rows for rows in streams[i] if rows.used), None)
            if more is None:
                live.discard(i)
                continue
            if int(more.columns["ts"][0]) < given:
                raise Unordered
            before = pending[i]
            pending[i] = more.joined([more] if before is None else [before, more])
        # all that is before the last row of each stream that goes on is there
        ends = {i: int(p.columns["ts"][-1]) for i in live if (p := pending[i]) is not None}
        given = min(ends.values(), default=1 << 64)
        wanted = {i for i, end in ends.items() if end == given}
        parts = []
        for i, rows in enumerate(pending):
            if rows is None:
                continue
            ts = rows.columns["ts"]
            cut = len(ts) if given >= 1 << 64 else int(np.searchsorted(ts, np.uint64(given)))
            if cut:
                parts.append(rows.some(slice(cut)))
                pending[i] = rows.some(slice(cut, None)) if cut < len(ts) else None
        if parts:
            yield parts[0].joined(parts).sorted()
