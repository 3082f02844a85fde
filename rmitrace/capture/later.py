"""A packed column whose values are worked out when one of them is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from .packed import Column
from .pieces import Pieces


class LaterColumn(Column):
    """A column that is filled when it is first read; by whichever thread comes first, the others wait."""

    def __init__(self, dtype: npt.DTypeLike, values: npt.ArrayLike | None = None) -> None:
        self._fill: Callable[[], Any] | None = None
        self._filling = False
        self._lock = threading.RLock()
        super().__init__(dtype, values)

    @classmethod
    def of(cls, dtype: npt.DTypeLike, value: int, count: int, fill: Callable[[], Any]) -> LaterColumn:
        """A column of ``count`` times the same value, but for what ``fill`` puts into it."""
        out = cls.filled(dtype, value, count)
        out._fill = fill
        return out

    @property
    def _pieces(self) -> Pieces:
        if self._fill is not None:
            with self._lock:
                if self._fill is not None and not self._filling:
                    self._filling = True
                    try:
                        self._fill()
                        self._fill = None
                    finally:
                        self._filling = False
        return self._held

    @_pieces.setter
    def _pieces(self, pieces: Pieces) -> None:
        self._held = pieces
