"""What a filter lets through: a flag a call in the order of the list, with counts that find the n-th one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..listing.passing import places, rows_by, rows_kernel
from ..listing.segments import Segments

Flags = npt.NDArray[np.bool_]

_EVERY = 4096
"""Places between two counts."""
_AT_ONCE = 1 << 18


class Kept:
    """The calls that pass, by their places; sequences and steps that have one; log lines that pass, None where none does."""

    def __init__(self, segments: Segments, mask: Flags, sequences: int, steps: int, lines: Flags | None = None) -> None:
        self.lines = lines
        self.flags = places(segments, mask)
        self.sequences = np.zeros(sequences, dtype=bool)
        self.steps = np.zeros(steps, dtype=bool)
        kernel = rows_kernel(segments.calls)
        if kernel is not None:
            found = rows_by(kernel, segments, self.flags, (self.sequences, self.steps), 1 << 16, lines=False)
            self.sequences, self.steps = found.sequences, found.steps
        else:
            self._note(segments, mask)
        counts = [np.count_nonzero(self.flags[a : a + _EVERY]) for a in range(0, len(mask), _EVERY)]
        self._before = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)

    def _note(self, segments: Segments, mask: Flags) -> None:
        """Note the sequences and steps that have a call that passes."""
        for a in range(0, len(mask), _AT_ONCE):
            b = min(a + _AT_ONCE, len(mask))
            part = mask[a:b]
            if part.any():
                for has, of in ((self.sequences, segments.owner), (self.steps, segments.owning)):
                    found = of[a:b][part] if len(has) else np.zeros(0, dtype=np.int64)
                    has[found[found >= 0]] = True

    def before(self, place: int) -> int:
        """How many pass in front of a place."""
        start = place // _EVERY
        return int(self._before[start]) + int(np.count_nonzero(self.flags[start * _EVERY : place]))

    def between(self, start: int, stop: int) -> int:
        """How many pass from one place to in front of another."""
        return self.before(stop) - self.before(start)

    def counts(self, begin: Any, end: Any) -> Any:
        """How many pass from each of some places, ascending, to in front of each of others."""
        if not len(begin):
            return begin
        low, high = int(begin[0]), int(end.max())
        if high - low > 64 * max(len(begin), _EVERY):  # few segments of very many calls
            return np.array([self.between(a, b) for a, b in zip(begin.tolist(), end.tolist(), strict=True)], dtype=np.int64)
        total = np.concatenate([[0], np.cumsum(self.flags[low : max(high, low)], dtype=np.int64)])
        return total[end - low] - total[begin - low]

    def place(self, start: int, number: int) -> int:
        """The place of the call that is the ``number``-th one that passes from a place on, counted from 0."""
        wanted = self.before(start) + number
        block = int(np.searchsorted(self._before, wanted, "right")) - 1
        found = np.flatnonzero(self.flags[block * _EVERY : (block + 1) * _EVERY])
        return block * _EVERY + int(found[wanted - int(self._before[block])])
