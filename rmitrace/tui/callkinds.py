"""Kinds of calls: command, status, how it was paired, whether it was inferred, and source, as one number. Of millions of calls
there are some hundred."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.model import Capture
from ..formats.kernels import cores, in_order

Ints = npt.NDArray[np.int64]

_AT_ONCE = 1 << 16
"""Calls that are looked at together."""
_APART = 4
"""Times as many calls as are asked for that are read in one go."""
_FEW = 1 << 18
"""Kinds up to which those that occur are found by counting."""


class CallKinds:
    """The kinds of the calls of a capture."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._statuses = len(capture.statuses) + 1
        self._sources = len(capture.sources)
        most = (len(capture.names) + 1) * self._statuses * 4 * 2 * self._sources
        self._dtype = np.dtype(np.int32 if most < 1 << 31 else np.int64)

    def of(self, calls: Ints) -> Any:
        """The kinds of some calls: where they are near each other all from the first to the last are read."""
        low, high = (int(calls.min()), int(calls.max()) + 1) if len(calls) else (0, 0)
        return self._read(calls) if high - low > _APART * len(calls) else self._read(slice(low, high))[calls - low]

    def _read(self, calls: Ints | slice) -> Any:
        c = self._capture.calls
        out = c.name[calls].astype(self._dtype)
        for size, column in ((self._statuses, c.status), (4, c.paired), (2, c.inferred), (self._sources, c.source)):
            out = out * size + column[calls] + (column is c.status)
        return out

    def parts(self, kind: int) -> tuple[str, str, bool, int]:
        """Name, status, whether it was inferred, and source."""
        capture = self._capture
        kind, source = divmod(kind, self._sources)
        kind, inferred = divmod(kind, 2)
        name, status = divmod(kind // 4, self._statuses)
        return capture.names[name], capture.statuses[status - 1] if status else "", bool(inferred), source

    def all(self) -> list[int]:
        """All that there are, ascending."""
        found: set[int] = set()
        count = len(self._capture.calls)
        parts = ((at, min(at + _AT_ONCE, count)) for at in range(0, count, _AT_ONCE))
        for *_, some in in_order(lambda a, b: among(self._read(slice(a, b))), parts, cores()):
            found.update(some)
        return sorted(found)


def among(kinds: Any) -> list[int]:
    """The different ones of some kinds, ascending."""
    if not len(kinds):
        return []
    found = np.unique(kinds) if int(kinds.max()) > _FEW else np.flatnonzero(np.bincount(kinds))
    return [int(k) for k in found]
