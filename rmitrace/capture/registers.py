"""The registers of every record, packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .encoding_fast import packer
from .packed import Column


class Registers:
    """x0..x7 of every record: eight columns that are read like an array of shape (n, 8)."""

    dtype = np.dtype(np.uint64)

    def __init__(self, values: Any = None, count: int = 8) -> None:
        self.columns = [Column(np.uint64) for _ in range(count)]
        if values is not None:
            self.append(values)

    def append(self, values: Any) -> None:
        """Put rows behind the others, an array of shape (n, 8)."""
        size = self.columns[0].PIECE
        first = min(-len(self) % size, len(values))
        whole = first + (len(values) - first) // size * size
        for i, c in enumerate(self.columns):
            c.append(values[:first, i])
        for pieces in packer(size).rows(values[first:whole]):
            for c, piece in zip(self.columns, pieces, strict=True):
                c.put(piece)
        for i, c in enumerate(self.columns):
            c.append(values[whole:, i])

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def shape(self) -> tuple[int, int]:
        """As of an array."""
        return len(self), len(self.columns)

    @property
    def nbytes(self) -> int:
        """Bytes of the packed values."""
        return sum(c.nbytes for c in self.columns)

    def __getitem__(self, at: Any) -> Any:
        rows, which = at if isinstance(at, tuple) else (at, slice(None))
        if isinstance(which, slice):
            return np.stack([c[rows] for c in self.columns[which]], axis=-1)
        return self.columns[which][rows]

    def __setitem__(self, at: Any, values: Any) -> None:
        rows, which = at if isinstance(at, tuple) else (at, slice(None))
        if not isinstance(which, slice):
            self.columns[which][rows] = values
            return
        some = self.columns[which]
        for i, c in enumerate(some):
            c[rows] = np.asarray(values)[..., i] if np.ndim(values) else values

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype)  # type: ignore[no-any-return]

    def tolist(self) -> list[list[int]]:
        """The rows as Python numbers."""
        return self[:].tolist()  # type: ignore[no-any-return]

    def take(self, rows: Any) -> Registers:
        """These rows, in this order."""
        out = Registers(count=0)
        out.columns = [c.take(rows) for c in self.columns]
        return out
