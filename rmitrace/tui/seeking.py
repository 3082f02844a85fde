"""Search and filter, as a part of the main screen."""

from __future__ import annotations

from typing import Any

from textual.worker import Worker, get_current_worker

from .panes import PaneScreen
from .rows import RowKind
from .search import Search, Target


class Seeking(PaneScreen):
    """The keys that look for calls."""

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
        self.say(f"searching for {self._search.text}")
        search, row = self._search, self.list.row

        def work() -> None:
            worker = get_current_worker()

            def stopped(done: int) -> bool:
                if done % 8192 == 0:
                    self.app.call_from_thread(self.say, f"searching for {search.text}: {done:,} calls looked at, Esc stops")
                return worker.is_cancelled

            found = search.find(row, by, stopped)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._found, search.text, found)

        self._searching = self.run_worker(work, thread=True, exclusive=True, group="search", exit_on_error=False)

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
            self.list.changed()
        self.list.move_to(self.model.rows.row_of_line(line), middle=True)

    def stop_search(self) -> bool:
        """Stop a search under way; whether there was one."""
        if self._searching is None or not self._searching.is_running:
            return False
        self._searching.cancel()
        self.say("search stopped", "warning")
        return True

    # -- filter

    def action_filter(self) -> None:
        """Ask for a condition."""
        hint = "SQL: failed · name LIKE '%PDEV%' · x1 = 0x88001000 · dur_us > 100 · empty: all"
        if self.model.conversation_alone:
            hint = "SQL: refused · vendor LIKE 'IDE_KM%' · name = 'KEY_EXCHANGE' · size > 1000 · empty: all"
        self.ask("filter", hint, self.model.where, self._set_where)

    def _set_where(self, where: str) -> str | None:
        call = self.keep_call()
        try:
            self.model.set_where(where)
        except ValueError as e:
            return str(e)
        self._filtered(call)
        return None

    def _filtered(self, call: int | None) -> None:
        self.say("")
        self.restore_call(call)
        kept = self.model.mask if self.model.line_mask is None else self.model.line_mask
        if kept is not None and not kept.any():
            what = "message" if self.model.conversation_alone else "call"
            self.say(f"no {what} passes the filter; Esc drops it", "warning")

    def action_failed(self) -> None:
        """Only failed calls, or all."""
        call = self.keep_call()
        self.model.failed_only = not self.model.failed_only
        self.model.refilter()
        self._filtered(call)

    def action_object(self) -> None:
        """Only the calls about the object of the selected row, or all."""
        call = self.keep_call()
        if self.model.object_only is not None:
            self.model.object_only = None
        else:
            row = self.list.row
            found = self.model.object_of(row) if row is not None else None
            if found is None:
                self.say("the selected row is about no object", "warning")
                return
            self.model.object_only = found
        self.model.refilter()
        self._filtered(call)

    def drop_filter(self) -> None:
        """Show all calls."""
        call = self.keep_call()
        self.model.failed_only, self.model.object_only = False, None
        self.model.set_where("")
        self._filtered(call)
