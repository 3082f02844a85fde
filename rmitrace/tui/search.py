"""Text search over what the list can show: calls, log lines, headings. Calls are decoded one by one, so it can be stopped."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable

import numpy as np

from ..capture.messages.facts import name_and_facts
from .rows import Row, RowKind
from .view import View

_RANK = {RowKind.LINE: 0, RowKind.SEQUENCE: 1, RowKind.STEP: 2, RowKind.CALL: 5}
_OFTEN = 256
"""Calls between two looks at whether to stop."""

Target = tuple[RowKind, int, int]
"""What was found: kind; call, line or sequence; step of the sequence, else -1."""
_Key = tuple[int, int, int]


class Search:
    """A text looked for, without regard to case, in a view as it is filtered now."""

    def __init__(self, view: View, text: str) -> None:
        self.view = view
        self.text = text
        self._needle = text.casefold()
        capture = view.capture
        names = np.array([self._in(n) for n in capture.names] or [False])
        statuses = np.array([self._in(n) for n in capture.statuses] + [False])
        self._named = names[capture.calls.name] | statuses[capture.calls.status] if view.calls else np.zeros(0, dtype=bool)
        self._rows, self._mask = view.rows, view.mask
        self._order, self._places = view.rows.order(), view.rows.places()
        self._fixed = self._headings()

    def is_stale(self, view: View) -> bool:
        """Whether the view, its order or its filter is another one by now."""
        return self.view is not view or self._rows is not view.rows or self._mask is not view.mask

    def _in(self, text: str) -> bool:
        return self._needle in text.casefold()

    def _headings(self) -> list[tuple[_Key, Target]]:
        """Log lines and headings that hold the text, in order."""
        view, out = self.view, []
        if (view.mask is None and view.rows.show_lines) or view.line_mask is not None:
            for i, m in enumerate(view.lines):
                if self._in(m.text) and (view.line_mask is None or view.line_mask[i]):
                    place = view.rows.place_of(m.before_call) if m.before_call < view.calls else view.calls
                    out.append(((place, 0, i), (RowKind.LINE, i, -1)))
        for i, s in enumerate(view.rows.sequences):
            if not len(s.calls) or (view.mask is not None and not view.mask[s.calls].any()):
                continue
            full = view.capture.sequences[i]
            if self._in(f"{full.kind} {full.object} {full.outcome} {full.why}"):
                out.append(((view.rows.place_of(int(s.calls[0])), 1, i), (RowKind.SEQUENCE, i, -1)))
            for j, t in enumerate(full.steps):
                if len(t.calls) and self._in(f"{t.name} {t.why}") and (view.mask is None or view.mask[t.calls].any()):
                    out.append(((view.rows.place_of(int(t.calls[0])), 2, i), (RowKind.STEP, i, j)))
        return sorted(out)

    def key(self, row: Row | None) -> _Key:
        """Where a row stands in the order searched."""
        if row is None:
            return (-1, 0, 0)
        if row.kind is RowKind.LINE:
            before = self.view.lines[row.ref].before_call
            return (self.view.rows.place_of(before) if before < self.view.calls else self.view.calls, 0, row.ref)
        call = self.view.call_of(row)
        ref = row.ref if row.kind is RowKind.CALL else row.sequence
        return (self.view.rows.place_of(call) if call is not None else -1, _RANK[row.kind], ref)

    def find(self, start: Row | None, step: int, stopped: Callable[[int], bool] = lambda done: False) -> Target | None:
        """The next (1) or previous (-1) hit after a row, going on from the other end; None where there is none.

        ``stopped`` is asked now and then, with the number of calls looked at, whether to give up.
        """
        here = self.key(start)
        n = len(self._order)
        cut = bisect_right(self._places, here[0]) if step > 0 else bisect_left(self._places, here[0])
        if here[1] < _RANK[RowKind.CALL] and step > 0:
            cut = bisect_left(self._places, here[0])  # the call right after a line or heading has the same place
        keys = [k for k, _ in self._fixed]
        at = bisect_right(keys, here) if step > 0 else bisect_left(keys, here)
        done = 0
        for calls, fixed in (
            (range(cut, n), range(at, len(keys))) if step > 0 else (range(cut - 1, -1, -1), range(at - 1, -1, -1)),
            (range(cut), range(at)) if step > 0 else (range(n - 1, cut - 1, -1), range(len(keys) - 1, at - 1, -1)),
        ):
            waiting = next(iter(fixed), None)
            for i in calls:
                place = (int(self._places[i]), _RANK[RowKind.CALL], int(self._order[i]))
                if waiting is not None and (keys[waiting] < place if step > 0 else keys[waiting] > place):
                    return self._fixed[waiting][1]
                done += 1
                if done % _OFTEN == 0 and stopped(done):
                    return None
                if self.hit(int(self._order[i])):
                    return (RowKind.CALL, int(self._order[i]), -1)
            if waiting is not None:
                return self._fixed[waiting][1]
        return None

    def hit(self, call: int) -> bool:
        """Whether a call holds the text: in its name, status, or line, in the name of its task, or in its messages."""
        if self._named[call]:
            return True
        full = self.view.capture.call(call)
        return (
            self._in(full.line)
            or (full.task is not None and self._in(full.task))
            or any(self._in(name_and_facts(m)) for m in self.view.messages_of(call))
        )
