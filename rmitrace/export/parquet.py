"""The tables of a capture (docs/query.md) as Parquet files, for polars, pandas, DuckDB and spreadsheets."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from ..capture.model import Capture
from ..tables import tables

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def write(capture: Capture, seqs: npt.NDArray[np.int64], table: str, out: IO[bytes]) -> None:
    """One table, a row a call, message, sequence, state or finding; calls limited to ``seqs`` (ascending).

    Registers are unsigned 64-bit numbers. Rows are made and written some thousand at a time.
    """
    import polars as pl
    import polars.selectors as cs

    frame = tables(capture)[table]
    if table == "calls" and len(seqs) != len(capture.calls):
        numbers = pl.Series(seqs if capture.numbers is None else capture.numbers[seqs])
        frame = frame.filter(pl.col("seq").is_in(numbers.implode()))
    frame.with_columns(cs.by_dtype(pl.Int128).cast(pl.UInt64)).sink_parquet(out, compression="zstd")
