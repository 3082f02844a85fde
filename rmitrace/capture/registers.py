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
        self._columns = [Column(np.uint64) for _ in range(count)]
        self._rows: list[npt.NDArray[np.uint64]] = []
        """Rows behind those of the columns, fewer than a piece: taken apart when there is one, or when they are asked for."""
        self._waiting = 0
        if values is not None:
            self.append(values)
            self.settle()

    @classmethod
    def of(cls, columns: list[Column]) -> Registers:
        """Of columns that are there."""
        out = cls(count=0)
        out._columns = columns
        return out

    @property
    def columns(self) -> list[Column]:
        """One for each register."""
        self.settle()
        return self._columns

    def settle(self) -> None:
        """Take the last rows apart: to be called before several threads read."""
        if self._waiting:
            rows = np.concatenate(self._rows)
            for i, c in enumerate(self._columns):
                c.append(rows[:, i])
            self._rows, self._waiting = [], 0

    def append(self, values: Any) -> None:
        """Put rows behind the others, an array of shape (n, 8)."""
        size = self._columns[0].PIECE
        if behind := len(self._columns[0]) % size:  # they were asked for: fill up their last piece
            for i, c in enumerate(self._columns):
                c.append(values[: size - behind, i])
            values = values[size - behind :]
        if self._waiting and self._waiting + len(values) >= size:
            first = size - self._waiting
            self._pack(np.concatenate([*self._rows, values[:first]]))
            self._rows, self._waiting, values = [], 0, values[first:]
        whole = 0 if self._waiting else len(values) // size * size
        self._pack(values[:whole])
        if len(values) > whole:
            self._rows.append(values[whole:].copy())
            self._waiting += len(values) - whole

    def unrest(self) -> npt.NDArray[np.uint64]:
        """Take the rows behind the last pieces out of the columns."""
        return np.stack([c.unrest() for c in self.columns], axis=-1)

    def _pack(self, rows: npt.NDArray[np.uint64]) -> None:
        for pieces in packer(self._columns[0].PIECE).rows(rows):
            for c, piece in zip(self._columns, pieces, strict=True):
                c.put(piece)

    def __len__(self) -> int:
        return len(self._columns[0]) + self._waiting

    @property
    def shape(self) -> tuple[int, int]:
        """As of an array."""
        return len(self), len(self._columns)

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
        return Registers.of([c.take(rows) for c in self.columns])
