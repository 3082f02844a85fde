"""Search and filter, as a part of the main screen."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from threading import Lock, Thread
from typing import Any, TypeVar

from textual.worker import Worker, get_current_worker

from .filtering import Filter, Filtered, filtered
from .panes import PaneScreen
from .rows import RowKind
from .search import Search, Target
from .telling import Stopped, telling
from .view import FEW, View

T = TypeVar("T")


class Seeking(PaneScreen):
    """The keys that look for calls."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._one_by_one = Lock()

    _search: Search | None = None
    _searching: Worker[Any] | None = None

    # -- search

    def action_search(self) -> None:
        """Ask for a text."""
        self.ask("search", "text in a call, heading or log line; case does not matter", "", self._start_search)

    def _start_search(self, text: str) -> str | None:
        if text:
            self._search = Search(self.model, text)
            self.action_search_next(1)
        return None

    def action_search_next(self, by: int) -> None:
        """Go to the next or previous hit."""
        if self._search is None:
            self.say("nothing searched for yet; / searches", "warning")
            return
        if self._search.is_stale(self.model):
            self._search = Search(self.model, self._search.text)
        self.say(f"searching for {self._search.text}: Esc stops")
        search, row = self._search, self.list.row

        def work() -> None:
            worker = get_current_worker()

            def words(done: int) -> str:
                said = f"{done:,} of {search.view.calls:,} calls looked at" if done else "headings and lines"
                return f"searching for {search.text}: {said}, Esc stops"

            found = search.find(row, by, telling(self, words))
            if not worker.is_cancelled:
                self.app.call_from_thread(self._answer, worker, self._found, search.text, found)

        self._searching = self.run_worker(work, thread=True, exclusive=True, group="search", exit_on_error=False)

    def _answer(self, worker: Worker[Any], show: Callable[..., None], *found: Any) -> None:
        """Show what was looked for: the thread lives on for a moment, but there is nothing that could be stopped."""
        if self._searching is worker:
            self._searching = None
        show(*found)

    def _found(self, text: str, found: Target | None) -> None:
        if found is None:
            self.say(f"not found: {text}", "warning")
            return
        self.say(f"/{text}")
        kind, ref, step = found
        if kind is RowKind.CALL:
            self.go_to_call(ref)
        elif kind is RowKind.LINE:
            self.go_to_line(ref)
        else:
            self.go_to_heading(ref, step)

    def go_to_line(self, line: int) -> None:
        """Select a log line, unfolding what hides it."""
        before = self.model.lines[line].before_call
        if self.model.rows.row_of_line(line) < 0 and before < self.model.calls:
            self.model.rows.reveal(before)
            self.list.shifted()
        self.list.move_to(self.model.rows.row_of_line(line), middle=True)

    def stop_search(self) -> bool:
        """Stop a search under way; whether there was one."""
        if self._searching is None or not self._searching.is_running:
            return False
        self._searching.cancel()
        self.say("stopped", "warning")
        return True

    # -- filter

    def action_filter(self) -> None:
        """Ask for a condition."""
        if "polars" not in sys.modules:
            Thread(target=import_module, args=("polars",), daemon=True).start()  # takes a part of a second: while it is typed
        hint = "SQL: failed · name LIKE '%PDEV%' · x1 = 0x88001000 · dur_us > 100 · empty: all"
        if self.model.conversation_alone:
            hint = "SQL: refused · vendor LIKE 'IDE_KM%' · name = 'KEY_EXCHANGE' · size > 1000 · empty: all"
        self.ask("filter", hint, self.model.filter.where, self._set_where)

    def _set_where(self, where: str) -> str | None:
        where = where.strip()
        try:
            if where and self.model.calls:
                from ..query import check, parse

                if not self.model.followed and "sequence" in parse(where)[1]:
                    return "objects are still being followed: sequences are not known yet"
                check(self.model.capture, where)
            self._filter(replace(self.model.filter, where=where))
        except ValueError as e:
            return str(e)
        return None

    def _filter(self, wanted: Filter) -> None:
        """Show what a filter lets through, once that is worked out. Raises ValueError."""
        model = self.model
        self.behind("filtering", lambda progress: filtered(model, wanted, progress), self._show_filtered, replaces=True)

    def _show_filtered(self, new: Filtered) -> None:
        call = self.keep_call()
        self.model.use(new)
        self.say("")
        self.restore_call(call)
        kept = self.model.mask if self.model.line_mask is None else self.model.line_mask
        if kept is not None and not kept.any():
            what = "message" if self.model.conversation_alone else "call"
            self.say(f"no {what} passes the filter; Esc drops it", "warning")

    def action_failed(self) -> None:
        """Only failed calls, or all."""
        self._filter(replace(self.model.filter, failed=not self.model.filter.failed))

    def action_object(self) -> None:
        """Only the calls about the object of the selected row, or all."""
        found = None
        if self.model.filter.object is None:
            row = self.list.row
            found = self.model.object_of(row) if row is not None else None
            if found is None:
                self.say("the selected row is about no object", "warning")
                return
        self._filter(replace(self.model.filter, object=found))

    def replace_view(self, view: View) -> None:
        """Show a later reading of the same capture, under the same filter."""
        wanted = self.model.filter
        super().replace_view(view)
        if wanted != view.filter:
            self._filter(wanted)

    def drop_filter(self) -> None:
        """Show all calls."""
        self._filter(Filter())

    # -- what takes long

    def behind(
        self, words: str, work: Callable[[Callable[[int], None]], T], done: Callable[[T], None], *, replaces: bool = False
    ) -> None:
        """Do something and show the result: at once where there are few calls, else behind the screen, where Esc stops it.

        ``work`` is given a function that it calls now and then with the number of calls it has looked at. One thing is done
        behind the other; what ``replaces`` a search or filter under way stops it.
        """
        model = self.model
        if model.calls <= FEW:
            done(work(lambda count: None))
            return
        self.say(f"{words}: Esc stops")

        def run() -> None:
            worker = get_current_worker()
            stopped = telling(self, lambda count: f"{words}: {count:,} of {model.calls:,} calls, Esc stops")

            def progress(count: int) -> None:
                if stopped(count):
                    raise Stopped

            with self._one_by_one:  # the next one begins with what this one leaves
                if worker.is_cancelled or self.model is not model:
                    return
                try:
                    found = work(progress)
                except Stopped:
                    return
                except ValueError as e:
                    self.app.call_from_thread(self._answer, worker, self.say, str(e), "error")
                    return
                if not worker.is_cancelled and self.model is model:
                    self.app.call_from_thread(self._answer, worker, done, found)

        group = "search" if replaces else "form"
        self._searching = self.run_worker(run, thread=True, exclusive=replaces, group=group, exit_on_error=False)
