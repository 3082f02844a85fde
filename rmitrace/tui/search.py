"""Text search over what the list can show: calls, log lines, headings. It goes on for a while in a long capture, and can be
stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..capture.messages.facts import name_and_facts
from ..formats.kernels import cores, in_order
from .headings import RANK, Headings, Key, Target
from .rows import Row, RowKind
from .shapes import Shapes
from .view import SMALL, View

_OFTEN = 256
"""Calls between two looks at whether to stop, where each is looked at by itself."""
_AT_ONCE = 1 << 16
"""Places that are looked at together in a long capture."""

__all__ = ["Search", "Target"]

Ints = npt.NDArray[np.int64]


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
        self._headings: Headings | None = None
        self._shapes = Shapes(capture, self._needle) if view.calls > SMALL else None
        self._said: Ints | None = None
        self._nowhere: bool | None = None
        """No call can hold the text, as far as that has been looked for."""

    def is_stale(self, view: View) -> bool:
        """Whether the view, its order or its filter is another one by now."""
        return self.view is not view or self._rows is not view.rows or self._mask is not view.mask

    def _in(self, text: str) -> bool:
        return self._needle in text.casefold()

    # -- in order

    def key(self, row: Row | None) -> Key:
        """Where a row stands in the order searched."""
        if row is None:
            return (-1, 0, 0)
        if row.kind is RowKind.LINE:
            before = int(self.view.lines.places[row.ref])
            return (self.view.rows.place_of(before) if before < self.view.calls else self.view.calls, 0, row.ref)
        call = self.view.call_of(row)
        ref = row.ref if row.kind is RowKind.CALL else row.sequence
        return (self.view.rows.place_of(call) if call is not None else -1, RANK[row.kind], ref)

    def find(self, start: Row | None, step: int, stopped: Callable[[int], bool] = lambda done: False) -> Target | None:
        """The next (1) or previous (-1) hit after a row, going on from the other end; None where there is none.

        ``stopped`` is asked now and then, with the number of calls looked at, whether to give up.
        """
        here = self.key(start)
        if self._headings is None:
            headings = Headings(self.view, self._needle, stopped)
            if not headings.complete:
                return None
            self._headings = headings
        self._in_messages()
        n = self.view.calls
        inside = here[1] == RANK[RowKind.CALL]
        cut = here[0] + inside if step > 0 else here[0]  # the call right after a line or heading has the same place
        cut = min(max(cut, 0), n)
        done = 0
        threads = 1 if self._shapes is None else cores()
        for first, stop, heading in self._legs(here, cut, step):
            looked = in_order(partial(self._first_in, step), self._stretches(first, stop, step), threads)
            with closing(looked):
                for a, b, found in looked:
                    if heading is not None and self._comes_first(heading[0][0], a, b, step):
                        return heading[1]
                    done += b - a
                    if stopped(done) if self._shapes is not None or done % _OFTEN == 0 else False:
                        return None
                    if found is None:
                        continue
                    place = self.view.rows.place_of(found)
                    key = (place, RANK[RowKind.CALL], found)
                    if heading is not None and (heading[0] < key if step > 0 else heading[0] > key):
                        return heading[1]
                    return (RowKind.CALL, found, -1)
            if heading is not None:
                return heading[1]
        return None

    def _legs(self, here: Key, cut: int, step: int) -> Iterator[tuple[int, int, tuple[Key, Target] | None]]:
        """From here to the end, then from the other end to here: the first and the last place, and the nearest heading."""
        headings, n = self._headings, self.view.calls
        assert headings is not None
        at = headings.before(here, including=step > 0)
        if step > 0:
            yield cut, n, headings[at] if at < len(headings) else None
            yield 0, cut, headings[0] if at else None
        else:
            yield 0, cut, headings[at - 1] if at else None
            yield cut, n, headings[-1] if at < len(headings) else None

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
            if size == _AT_ONCE and self._nowhere is None:
                self._nowhere = not self._may_be_somewhere()

    def _may_be_somewhere(self) -> bool:
        """Whether a call may hold the text, by what there is of names, statuses and tasks: few words, however many calls."""
        assert self._shapes is not None
        tasks = self.view.capture.tasks
        named = tasks.numbers is None or any(n is not None and self._in(n) for n in tasks.names)
        if named or len(self._in_messages()):
            return True
        if self.view.kinds is None:
            self.view.kinds = self._shapes.kinds.all()
        return self._shapes.may_be_in(self.view.kinds)

    @staticmethod
    def _comes_first(place: int, first: int, stop: int, step: int) -> bool:
        """Whether a heading stands before all calls of a stretch."""
        return place < first if step > 0 else place >= stop

    # -- calls

    def _first_in(self, step: int, start: int, stop: int) -> int | None:
        """The first call at some places, in the order of the search, that holds the text."""
        if self._nowhere:
            return None
        calls = self.view.rows.calls_at(start, stop)
        if self._shapes is None:
            return next((c for c in calls.tolist()[::step] if self.hit(c)), None)
        found = np.flatnonzero(self.hits(calls))
        return int(calls[found[0 if step > 0 else -1]]) if len(found) else None

    def hits(self, calls: Ints) -> Any:
        """Which of some calls hold the text."""
        assert self._shapes is not None
        if bool((calls[1:] < calls[:-1]).any()):  # columns are read in their order
            order = np.argsort(calls, kind="stable")
            out = np.empty(len(calls), dtype=bool)
            out[order] = self.hits(calls[order])
            return out
        out = self._in_tasks(calls)
        said = self._in_messages()
        if len(said):
            out |= np.isin(calls, said)
        if out.all():
            return out
        rest = np.flatnonzero(~out)
        out[rest] = self._shapes.hits(calls[rest])
        return out

    def _in_messages(self) -> Ints:
        """The calls whose messages hold the text."""
        if self._said is None:
            known = self.view.capture.conversations.by_call if self.view.messages else {}
            self._said = np.array([call for call in sorted(known) if self._told(call)], dtype=np.int64)
        return self._said

    def _in_tasks(self, calls: Ints) -> Any:
        """Which calls are of a task whose name holds the text. After an exec a pid has another one."""
        tasks = self.view.capture.tasks
        if tasks.numbers is not None and not any(n is not None and self._in(n) for n in tasks.names):
            return np.zeros(len(calls), dtype=bool)
        numbers = tasks.of_calls(calls)
        return np.array([n is not None and self._in(n) for n in tasks.names], dtype=bool)[numbers]

    def _told(self, call: int) -> bool:
        return any(self._in(name_and_facts(m)) for m in self.view.messages_of(call))

    def hit(self, call: int) -> bool:
        """Whether a call holds the text: in its name, status, or line, in the name of its task, or in its messages."""
        c = self.view.capture.calls
        if self._names[c.name[call]] or self._statuses[c.status[call]]:
            return True
        full = self.view.capture.call(call)
        return self._in(full.line) or (full.task is not None and self._in(full.task)) or self._told(call)
