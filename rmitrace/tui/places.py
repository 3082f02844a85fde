"""Where the records of calls stand in their files: the same in a preview and in the whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..capture.model import Capture

Key = tuple[int, int]
"""Where a record stands: source and byte offset."""

_AT_ONCE = 1 << 17


class Places:
    """Finds calls by the place of their first record."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._in_order: bool | None = None

    def key_of(self, call: int) -> Key:
        """Source and byte offset of the first record of a call."""
        source = int(self._capture.calls.source[call])
        return source, int(self._capture.sources[source].records.offset[self._first(call)])

    def same_as(self, other: Places) -> int:
        """How many of the first calls stand at the same places in another reading of the files."""
        count = min(len(self._capture.calls), len(other._capture.calls))
        for start in range(0, count, _AT_ONCE):
            part = slice(start, min(start + _AT_ONCE, count))
            (mine, here), (theirs, there) = self._keys(part), other._keys(part)
            differ = np.flatnonzero((mine != theirs) | (here != there))
            if len(differ):
                return start + int(differ[0])
        return count

    def _keys(self, part: slice) -> tuple[Any, Any]:
        """Source and byte offset of the first record of some calls."""
        c = self._capture.calls
        source, enter = c.source[part], c.enter[part]
        first = np.where(enter >= 0, enter, c.exit[part])
        offset = np.empty(len(first), dtype=np.int64)
        for s in np.unique(source).tolist():
            mine = source == s
            offset[mine] = self._capture.sources[s].records.offset[first[mine]]
        return source, offset

    def _first(self, call: int) -> int:
        c = self._capture.calls
        enter = int(c.enter[call])
        return enter if enter >= 0 else int(c.exit[call])

    def call_at(self, key: Key) -> int | None:
        """The call whose record stands at a place, or the next one after it in that source."""
        source, offset = key
        if not 0 <= source < len(self._capture.sources):
            return None
        if self.are_in_order():
            return self._search(offset)
        mine, offsets = self._of_source(source)
        after = np.flatnonzero(offsets >= offset)
        if not len(after):
            return int(mine[-1]) if len(mine) else None
        return int(mine[after[np.argmin(offsets[after])]])

    def are_in_order(self) -> bool:
        """Whether there is one source, and its calls stand in the order of their first records. Looks at all the first time."""
        if self._in_order is None:
            c, last = self._capture.calls, -1
            self._in_order = len(self._capture.sources) == 1
            for start in range(0, len(c) if self._in_order else 0, _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                enter, exit_ = c.enter[part], c.exit[part]
                first = np.where(enter >= 0, enter, exit_)
                if int(first[0]) < last or bool((first[1:] < first[:-1]).any()):
                    self._in_order = False
                    break
                last = int(first[-1])
        return self._in_order

    def _search(self, offset: int) -> int | None:
        count = len(self._capture.calls)
        offsets = self._capture.sources[0].records.offset
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if int(offsets[self._first(middle)]) < offset:
                low = middle + 1
            else:
                high = middle
        return min(low, count - 1) if count else None

    def _of_source(self, source: int) -> tuple[Any, Any]:
        """The calls of a source, and the byte offset of the first record of each."""
        shown = self._capture.of_source(source)
        return shown.rows, self._capture.sources[source].records.offset[shown.first]
