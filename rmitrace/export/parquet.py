"""The tables of a capture (docs/query.md) as Parquet files, for polars, pandas, DuckDB and spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import query_columns
from ..capture.freeing import give_back, need
from ..capture.model import Capture
from ..display import safe
from ..tables import calls_schema, lazy, tables

if TYPE_CHECKING:
    import polars as pl

AT_ONCE = 1 << 15
"""Calls that are made at a time. Polars holds some such pieces, of 53 columns."""
GROUP = 1 << 16
"""Rows of a row group."""
NEEDED = 400 << 20
"""Bytes that Polars may take for it: it ends the process where it gets no memory."""


def write(
    capture: Capture, seqs: npt.NDArray[np.int64], table: str, out: IO[bytes], going: Callable[[int], bool] = lambda done: True
) -> None:
    """One table, a row a call, message, sequence, state or finding; calls limited to ``seqs`` (ascending).

    Registers are unsigned 64-bit numbers. Rows are made and written some thousand at a time; ``going`` is told how many of
    the calls are behind, and says whether to go on. Raises MemoryError.
    """
    frame = _calls(capture, seqs, going) if table == "calls" else tables(capture)[table]
    need(NEEDED, "a Parquet file")
    frame.sink_parquet(out, compression="zstd", row_group_size=GROUP)


def _calls(capture: Capture, seqs: npt.NDArray[np.int64], going: Callable[[int], bool]) -> pl.LazyFrame:
    import polars as pl

    schema = {name: pl.UInt64 if kind == pl.Int128 else kind for name, kind in calls_schema().items()}
    query_columns.prepare(capture, list(schema))
    give_back()
    count, every = len(capture.calls), len(seqs) == len(capture.calls)

    def read(names: list[str]) -> Iterator[pl.DataFrame]:
        for start in range(0, max(count, 1), AT_ONCE):
            rows = slice(start, min(start + AT_ONCE, count))
            a, b = np.searchsorted(seqs, (rows.start, rows.stop))
            if a < b or not start:
                made = _shown(pl.DataFrame(query_columns.columns(capture, names, rows), schema_overrides=schema))
                yield made if every else made[seqs[a:b] - start]
            if not going(int(b)):
                return

    return lazy(schema, read)


def _shown(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with texts as they are shown: what reads the file may print them on a terminal."""
    import polars as pl

    for column in frame.select(pl.col(pl.String)).iter_columns():
        odd = column.filter(~column.str.contains(r"^[ -~]*$")).unique()
        frame = frame.with_columns(column.replace(odd, [safe(text) for text in odd.to_list()])) if len(odd) else frame
    return frame
