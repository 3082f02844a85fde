"""Text search over what the list can show: calls, log lines, headings. It goes on for a while in a long capture, and can be
stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.messages.facts import name_and_facts
from ..lifecycle.table import OUTCOMES
from .rows import Row, RowKind
from .shapes import Shapes
from .view import SMALL, View

_RANK = {RowKind.LINE: 0, RowKind.SEQUENCE: 1, RowKind.STEP: 2, RowKind.CALL: 5}
_OFTEN = 256
"""Calls between two looks at whether to stop, where each is looked at by itself."""
_AT_ONCE = 1 << 16
"""Places that are looked at together in a long capture."""

Ints = npt.NDArray[np.int64]
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
        self._names = np.array([self._in(n) for n in capture.names] or [False])
        self._statuses = np.array([self._in(n) for n in capture.statuses] + [False])
        self._rows, self._mask = view.rows, view.mask
        self._fixed: list[tuple[_Key, Target]] | None = None
        self._shapes = Shapes(capture, self._needle) if view.calls > SMALL else None
        self._said: Ints | None = None
        self._pids: dict[int, bool] = {}

    def is_stale(self, view: View) -> bool:
        """Whether the view, its order or its filter is another one by now."""
        return self.view is not view or self._rows is not view.rows or self._mask is not view.mask

    def _in(self, text: str) -> bool:
        return self._needle in text.casefold()

    # -- headings and lines

    def _headings(self) -> list[tuple[_Key, Target]]:
        """Log lines and headings that hold the text, in order."""
        if self._fixed is None:
            self._fixed = sorted([*self._lines(), *self._sequences()])
        return self._fixed

    def _lines(self) -> Iterator[tuple[_Key, Target]]:
        view = self.view
        if (view.mask is None and view.rows.show_lines) or view.line_mask is not None:
            for i, m in enumerate(view.lines):
                if self._in(m.text) and (view.line_mask is None or view.line_mask[i]):
                    place = view.rows.place_of(m.before_call) if m.before_call < view.calls else view.calls
                    yield (place, 0, i), (RowKind.LINE, i, -1)

    def _sequences(self) -> Iterator[tuple[_Key, Target]]:
        table = self.view.rows.sequences
        names = np.array([self._in(n) for n in table.names], dtype=bool)
        steps = names[table.step_name] if len(names) else np.zeros(0, dtype=bool)
        steps[[i for i, why in table.step_why.items() if self._in(f"{table.names[table.step_name[i]]} {why}")]] = True
        of_step = np.searchsorted(table.first_step, np.flatnonzero(steps), "right") - 1
        for i, (kind, outcome) in enumerate(zip(table.kind.tolist(), table.outcome.tolist(), strict=True)):
            said = f"{table.kinds[kind]} {table.object(i)} {OUTCOMES[outcome]} {table.why.get(i, '')}"
            if self._in(said) and (place := self._place(int(table.first[i]), table.calls(i))) is not None:
                yield (place, 1, i), (RowKind.SEQUENCE, i, -1)
        for s, i in zip(np.flatnonzero(steps).tolist(), of_step.tolist(), strict=True):
            j = s - int(table.first_step[i])
            step = table.step(i, j)
            if (place := self._place(step.first, step.calls)) is not None:
                yield (place, 2, i), (RowKind.STEP, i, j)

    def _place(self, first: int, calls: Any) -> int | None:
        """Where a heading stands; None where none of its calls passes the filter."""
        if self._mask is not None and not self._mask[np.asarray(calls)].any():
            return None
        return self.view.rows.place_of(first) if len(calls) else None

    # -- in order

    def key(self, row: Row | None) -> _Key:
        """Where a row stands in the order searched."""
        if row is None:
            return (-1, 0, 0)
        if row.kind is RowKind.LINE:
            before = int(self.view.lines.places[row.ref])
            return (self.view.rows.place_of(before) if before < self.view.calls else self.view.calls, 0, row.ref)
        call = self.view.call_of(row)
        ref = row.ref if row.kind is RowKind.CALL else row.sequence
        return (self.view.rows.place_of(call) if call is not None else -1, _RANK[row.kind], ref)

    def find(self, start: Row | None, step: int, stopped: Callable[[int], bool] = lambda done: False) -> Target | None:
        """The next (1) or previous (-1) hit after a row, going on from the other end; None where there is none.

        ``stopped`` is asked now and then, with the number of calls looked at, whether to give up.
        """
        here = self.key(start)
        headings = self._headings()
        n = self.view.calls
        inside = here[1] == _RANK[RowKind.CALL]
        cut = here[0] + inside if step > 0 else here[0]  # the call right after a line or heading has the same place
        cut = min(max(cut, 0), n)
        after = [h for h in headings if h[0] > here]
        before = [h for h in headings if h[0] < here]
        legs = (
            ((cut, n, after), (0, cut, [h for h in headings if h[0] <= here]))
            if step > 0
            else ((0, cut, before[::-1]), (cut, n, [h for h in headings if h[0] >= here][::-1]))
        )
        done = 0
        for first, stop, waiting in legs:
            heading = next(iter(waiting), None)
            for a, b in self._stretches(first, stop, step):
                if heading is not None and self._comes_first(heading[0][0], a, b, step):
                    return heading[1]
                calls, done = self.view.rows.calls_at(a, b), done + b - a
                if stopped(done) if self._shapes is not None or done % _OFTEN == 0 else False:
                    return None
                found = self._first(calls, step)
                if found is None:
                    continue
                place = self.view.rows.place_of(found)
                key = (place, _RANK[RowKind.CALL], found)
                if heading is not None and (heading[0] < key if step > 0 else heading[0] > key):
                    return heading[1]
                return (RowKind.CALL, found, -1)
            if heading is not None:
                return heading[1]
        return None

    def _stretches(self, first: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
        """Places to look at together, in the order of the search: few at first."""
        size = 1 if self._shapes is None else 1024
        while first < stop:
            here = min(size, stop - first)
            if step > 0:
                yield first, first + here
                first += here
            else:
                yield stop - here, stop
                stop -= here
            size = size if self._shapes is None else min(2 * size, _AT_ONCE)

    @staticmethod
    def _comes_first(place: int, first: int, stop: int, step: int) -> bool:
        """Whether a heading stands before all calls of a stretch."""
        return place < first if step > 0 else place >= stop

    # -- calls

    def _first(self, calls: Ints, step: int) -> int | None:
        """The first of some calls, in the order of the search, that holds the text."""
        if self._shapes is None:
            return next((c for c in calls.tolist()[::step] if self.hit(c)), None)
        found = np.flatnonzero(self.hits(calls))
        return int(calls[found[0 if step > 0 else -1]]) if len(found) else None

    def hits(self, calls: Ints) -> Any:
        """Which of some calls hold the text."""
        assert self._shapes is not None
        c = self.view.capture.calls
        out = self._names[c.name[calls]] | self._statuses[c.status[calls]]
        out |= np.isin(calls, self._in_messages()) | self._in_tasks(c.pid[calls], calls)
        rest = np.flatnonzero(~out)
        out[rest] = self._shapes.hits(calls[rest])
        return out

    def _in_messages(self) -> Ints:
        """The calls whose messages hold the text."""
        if self._said is None:
            known = self.view.capture.conversations.by_call if self.view.messages else {}
            self._said = np.array([call for call in sorted(known) if self._told(call)], dtype=np.int64)
        return self._said

    def _in_tasks(self, pids: Any, calls: Ints) -> Any:
        """Which calls are of a task whose name, as it is at the first call looked at, holds the text."""
        found, first, which = np.unique(pids, return_index=True, return_inverse=True)
        for pid, at in zip(found.tolist(), first.tolist(), strict=True):
            if pid not in self._pids:
                task = self.view.capture.task(int(calls[at]))
                self._pids[pid] = task is not None and self._in(task)
        return np.array([self._pids[p] for p in found.tolist()], dtype=bool)[which.reshape(-1)]

    def _told(self, call: int) -> bool:
        return any(self._in(name_and_facts(m)) for m in self.view.messages_of(call))

    def hit(self, call: int) -> bool:
        """Whether a call holds the text: in its name, status, or line, in the name of its task, or in its messages."""
        c = self.view.capture.calls
        if self._names[c.name[call]] or self._statuses[c.status[call]]:
            return True
        full = self.view.capture.call(call)
        return self._in(full.line) or (full.task is not None and self._in(full.task)) or self._told(call)
