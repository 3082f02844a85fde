"""Objects as a condition sees them: texts, of which there may be a new one in every call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from .capture.distinct import numbered
from .lifecycle.objects import KINDS

if TYPE_CHECKING:
    import polars as pl

_QUARTER = 1 << 16


@cache
def _hexadecimal() -> pl.Series:
    """Every number of 16 bits with four digits, then each with as many as it has, then none."""
    import polars as pl

    return pl.Series([*(f"{i:04x}" for i in range(_QUARTER)), *(f"{i:x}" for i in range(_QUARTER)), ""], dtype=pl.String)


def object_texts(kind: Any, addr: Any) -> pl.Series:
    """Objects as they are written, 'pdev:0x49500000', of kinds (index into KINDS) and addresses; null for kind 0."""
    import polars as pl

    kinds = pl.Series([None, *(f"{k}:0x" for k in KINDS[1:])], dtype=pl.String)
    parts = [kinds.gather(kind.astype(np.uint32))]
    for shift in (48, 32, 16, 0):
        above = addr >> np.uint64(shift)
        if shift and not above.any():
            continue
        wanted = (above & np.uint64(_QUARTER - 1)).astype(np.uint32)
        wanted[above < _QUARTER] += np.uint32(_QUARTER)  # the first digits: without zeros in front
        if shift:
            wanted[above == 0] = 2 * _QUARTER
        parts.append(_hexadecimal().gather(wanted))
    return pl.select(pl.concat_str(parts)).to_series()


def different(kind: Any, addr: Any) -> tuple[Any, pl.Series]:
    """The texts of some objects, each once, and for each object which of them it is."""
    first, which = numbered(addr, kind)
    return which, object_texts(kind[first], addr[first])
