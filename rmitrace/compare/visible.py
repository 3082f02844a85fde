"""Which calls of two captures can be compared at all: an RMM's console does not show what a host's trace shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..capture.naming import FID_MASK
from ..correlate.anchors import I64
from ..correlate.keys import rows_of
from ..correlate.visibility import shown

if TYPE_CHECKING:
    from ..capture.model import Capture


def shown_by_both(a: Capture, b: Capture) -> tuple[I64, I64]:
    """The calls of each that the other would show. Everything where both look from the same side."""
    consoles = [all(s.format == "rmm-console" for s in c.sources) for c in (a, b)]
    every = tuple(np.arange(len(c.calls), dtype=np.int64) for c in (a, b))
    if consoles[0] == consoles[1]:
        return every[0], every[1]
    log, host = (a, b) if consoles[0] else (b, a)
    rows = [_rmi(c) for c in (log, host)]
    log_rows, host_rows = (rows_of(c, s, ("RMI",)) for c in (log, host) for s in (0,))
    names = {int(f): host.name_text(int(s)) for f, s in zip(host_rows.fid, host_rows.call, strict=True)}
    visible = host_rows.call[shown(host_rows, names, log_rows)]
    kept = np.sort(np.concatenate([visible, np.setdiff1d(rows[1], host_rows.call)]))
    return (rows[0], kept) if consoles[0] else (kept, rows[0])


def _rmi(c: Capture) -> I64:
    service = c.services.index("RMI") if "RMI" in c.services else -1
    rows: I64 = np.flatnonzero((np.asarray(c.calls.service) == service) & ((np.asarray(c.calls.fid) & np.uint64(FID_MASK)) != 0))
    return rows.astype(np.int64)
