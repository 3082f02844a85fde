"""The panes of the main screen: how they are laid out, and how one selection shows in all of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import sleep
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import get_current_worker

from ..display import count
from . import details
from .adopting import adopt
from .bare import BareLines
from .bars import Header, StatusBar
from .calllist import CallList
from .fixed import FixedContainer
from .hexview import HexPane
from .oneframe import OneFrame
from .prompt import Prompt
from .rows import RowKind
from .timeline import Axis, Lanes
from .tree import TreePane
from .view import Study, View

_PLACES = ("timeline", "main", "list", "details", "tree", "bytes")
_AROUND = {
    "lanes": ("timeline",),
    "list": ("main", "list"),
    "tree": ("main", "details", "tree"),
    "bytes": ("main", "details", "bytes"),
}
"""What is shown of _PLACES where a pane has the whole screen."""
_LAID_OUT = ("display", "grid_size_columns", "grid_size_rows", "grid_columns", "grid_rows")
_REST_S = 0.1
"""Time that a row has to be selected before what takes long is worked out for it."""


class PaneScreen(OneFrame, Screen[None]):
    """Timeline, list, tree and bytes of one view."""

    AUTO_FOCUS: ClassVar[str | None] = "#list"

    focused = Reactive[Widget | None](None, repaint=False)
    """The pane with the focus. Textual draws all of the screen again when it is another one; the panes do that themselves."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._styles_cache = BareLines(empty=True)
        self.model = view
        self.alone: str | None = None
        """The pane that has the whole screen."""

    def compose(self) -> ComposeResult:
        """Header, timeline, list, tree and bytes, prompt, status."""
        yield Header(self.model)
        lanes = Lanes(self.model, id="lanes")
        with FixedContainer(id="timeline"):
            yield Axis(lanes)
            yield lanes
        with FixedContainer(id="main"):
            yield CallList(self.model, id="list").add_class("pane")
            with FixedContainer(id="details"):
                yield TreePane(id="tree").add_class("pane")
                yield HexPane(id="bytes").add_class("pane")
        yield Prompt()
        yield StatusBar()

    def on_mount(self) -> None:
        """Select the first row."""
        self._fit(self.size.width, self.size.height)
        self.list.moved = self.refresh_row
        self.tree_pane.moved = self._mark_field
        self.show_view(self.model)
        self.call_after_refresh(self.list.move_to, 0)

    # -- parts

    @property
    def list(self) -> CallList:
        """The list pane."""
        return self.query_one("#list", CallList)

    @property
    def lanes(self) -> Lanes:
        """The lanes of the timeline."""
        return self.query_one("#lanes", Lanes)

    @property
    def tree_pane(self) -> TreePane:
        """The tree pane."""
        return self.query_one("#tree", TreePane)

    @property
    def bytes_pane(self) -> HexPane:
        """The bytes pane."""
        return self.query_one("#bytes", HexPane)

    def say(self, message: str, severity: str = "") -> None:
        """Show a message at the bottom."""
        self.query_one(StatusBar).say(message, severity)

    # -- layout

    def on_resize(self, event: Resize) -> None:
        """Arrange the panes for the new size."""
        self._fit(event.size.width, event.size.height)

    def _fit(self, width: int, height: int) -> None:
        self.set_class(height < 20, "-low")
        self._show_details(self.focused in (self.tree_pane, self.bytes_pane))
        self.set_class(height >= 34, "-tall")
        self.set_class(height >= 46, "-high")
        self.set_class(100 <= width < 160, "-medium")
        self.set_class(width >= 160 and height >= 20, "-wide")
        self.size_timeline()

    def size_timeline(self) -> None:
        """Give the timeline as many lines as it has lanes, up to what the screen can spare."""
        spare = 2 if self.has_class("-low") else 9 if self.has_class("-high") else 6 if self.has_class("-tall") else 3
        whole = self.alone == "lanes"
        lanes = max(min(len(self.model.timeline.lanes), spare), 1)
        self.query_one("#timeline").styles.height = "1fr" if whole else lanes + 2

    def show_alone(self, pane: str | None) -> None:
        """Give a pane the whole screen, or each its place (None). With styles of their own: for a class of the screen Textual
        works out those of all that is on it."""
        self.alone = pane
        for name in _PLACES:
            styles = self.query_one(f"#{name}").styles
            for rule in _LAID_OUT:
                styles.inline.clear_rule(rule)
            if pane is not None:
                styles.inline.set_rule("display", "block" if name in _AROUND[pane] else "none")
            if pane is not None and name in ("main", "details"):
                styles.grid_size_columns = styles.grid_size_rows = 1
                styles.grid_columns = styles.grid_rows = "1fr"
            self.query_one(f"#{name}").refresh(layout=True)
        self.size_timeline()

    def titles(self) -> None:
        """Write the titles of the panes."""
        view, timeline = self.model, self.model.timeline
        zoomed = f" · ×{timeline.magnification:.3g}" if timeline.magnification > 1.001 else ""
        axis = "by call order" if timeline.ordered else "by time"
        lanes = "one lane a CPU" if timeline.cpus else "one lane an object"
        more = f" · {len(timeline.lanes)} lanes" if len(timeline.lanes) > self.lanes.line_count else ""
        title = f"Timeline · {lanes} · {axis}{more}{zoomed}" if view.calls else "Timeline · no calls"
        self.query_one(Axis).entitle(title)
        shown = count(view.calls, "call") if view.mask is None else f"{view.filtered.count:,} of {count(view.calls, 'call')}"
        order = f" · {count(len(view.sequences), 'sequence')}" if view.grouped else " · order of time"
        title = f"Calls · {shown}{order}"
        if view.conversation_alone:
            kept = view.line_mask
            title = (
                count(view.messages, "message") if kept is None else f"{int(kept.sum()):,} of {count(view.messages, 'message')}"
            )
        self.list.entitle(title)
        self.query_one(StatusBar).show_filter(view.filter_text)

    # -- one selection in all panes

    def show_view(self, view: View) -> None:
        """Show a view in every pane."""
        self.model = view
        self.list.show_view(view)
        self.lanes.show_view(view)
        header = self.query_one(Header)
        header.model = view
        header.refresh()
        self.size_timeline()
        self.call_after_refresh(self.titles)
        self.refresh_row()

    def replace_view(self, view: View) -> None:
        """Show a later reading of the same capture, with the cursor on the row it is on."""
        old, row, was = self.model, self.list.row, self.list.cursor
        adopt(view, old)
        call = old.call_of(row) if row is not None else None
        now = view.call_at(old.key_of(call)) if call is not None else None
        self.show_view(view)
        if row is None or now is None:
            self.list.move_to(0)
            return
        at = -1
        if not old.followed and row.kind is RowKind.CALL and was > 0:
            view.rows.reveal(now)
        if row.kind in (RowKind.SEQUENCE, RowKind.STEP) and view.grouped and view.owner(now) >= 0:
            at = view.rows.row_of_sequence(view.owner(now), view.rows.step_of(now) if row.kind is RowKind.STEP else -1)
        self.list.move_to(at if at >= 0 else view.rows.row_of_call(now), middle=True)

    def learn(self, view: View, study: Study) -> None:
        """Show messages and findings once they are worked out."""
        call = self.keep_call()
        view.learn(study)
        if view is self.model:
            self.query_one(Header).refresh()
            self.restore_call(call)

    def refresh_row(self) -> None:
        """Show the row under the list's cursor in the other panes."""
        row = self.list.row
        shown = details.of_row(self.model, row) if row is not None else details.Details("Nothing to show")
        self.tree_pane.show_details(shown)
        self.tree_pane.entitle(shown.title)
        size = sum(len(data) for _, data in shown.buffers)
        self.bytes_pane.entitle("Raw record" + (f" · {count(size, 'byte')} of memory" if size else ""))
        self.lanes.select(self.model.call_of(row) if row is not None else None)
        self.query_one(Axis).redraw()

        if row is not None and row.kind is RowKind.CALL and self.model.waits_for_why(row.ref):
            explain = partial(self._explain, self.model, row.ref)
            self.run_worker(explain, thread=True, exclusive=True, group="why", exit_on_error=False)

    def _explain(self, view: View, call: int) -> None:
        """Work out why a call failed, unless another row is selected by now; then show it."""
        worker = get_current_worker()
        sleep(_REST_S)
        if worker.is_cancelled:
            return
        view.why(call)
        if not worker.is_cancelled:
            self.app.call_from_thread(self._explained, view, call)

    def _explained(self, view: View, call: int) -> None:
        row = self.list.row
        if view is self.model and row is not None and row.kind is RowKind.CALL and row.ref == call:
            self.refresh_row()

    def _mark_field(self) -> None:
        """A field is selected: show the record, with the bytes of the field marked."""
        self.bytes_pane.show_details(self.tree_pane.details, self.tree_pane.place)

    def on_call_list_opened(self, message: CallList.Opened) -> None:
        """Enter on a call: go to its fields."""
        self._show_details(True)
        self.set_focus(self.tree_pane)

    def _show_details(self, shown: bool) -> None:
        """Whether a low screen shows tree and bytes in the place of the list."""
        self.set_class(shown and self.has_class("-low"), "-details")  # a class of the screen draws all of it anew

    def on_lanes_chosen(self, message: Lanes.Chosen) -> None:
        """A call was chosen on the timeline."""
        self.go_to_call(message.call)

    def go_to_call(self, call: int) -> None:
        """Select a call, unfolding what hides it."""
        if self.model.rows.reveal(call):
            self.list.shifted()
        self.list.move_to(self.model.rows.row_of_call(call), middle=True)

    def go_to_heading(self, sequence: int, step: int = -1) -> None:
        """Select the heading of a sequence or step."""
        rows = self.model.rows
        if step >= 0 and rows.row_of_sequence(sequence, step) < 0:
            rows.folded_sequence[sequence] = False
            rows.fold(rows.at(rows.row_of_sequence(sequence)), False)
            self.list.shifted()
        self.list.move_to(rows.row_of_sequence(sequence, step), middle=True)

    # -- what the keys are made of

    def keep_call(self) -> int | None:
        """The call the list's cursor stands for, to come back to when the rows change."""
        row = self.list.row
        return self.model.call_of(row) if row is not None else None

    def restore_call(self, call: int | None) -> None:
        """Draw the changed rows, with the cursor at or near a call."""
        self.list.changed()
        self.titles()
        self.lanes.redraw()
        self.list.move_to(self.model.rows.row_of_call(call) if call is not None else 0, middle=True)

    def in_sight(self, pane: str) -> bool:
        """Whether the focus can go to a pane."""
        if pane in ("tree", "bytes") and self.has_class("-low") and not self.has_class("-details"):
            return pane == "tree"
        return bool(self.query_one(f"#{pane}").region.area) or (
            pane == "list" and self.has_class("-details") and self.has_class("-low")
        )

    def focus_pane(self, pane: str) -> None:
        """Give a pane the focus, showing it where the screen is too low for all."""
        self._show_details(pane in ("tree", "bytes"))
        self.set_focus(self.query_one(f"#{pane}"))

    def ask(self, what: str, hint: str, value: str, accept: Callable[[str], str | None]) -> None:
        """Ask for a line of input; the focus comes back afterwards."""
        pane = self.focused or self.list
        self.query_one(Prompt).ask(what, hint, value, accept, partial(self.set_focus, pane))
