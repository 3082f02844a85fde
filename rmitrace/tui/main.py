"""The main screen: what the keys do that work in all panes."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .calllist import CallList
from .lanes import Timeline
from .lineview import LineView
from .prompt import Prompt
from .rows import Counted, RowKind, Rows
from .screens import FindingsScreen, HelpScreen
from .seeking import Seeking
from .sharing import Sharing
from .timeline import Axis, Lanes
from .tree import TreePane
from .view import TIME_FORMATS

PANES = ("lanes", "list", "tree", "bytes")


class MainScreen(Seeking, Sharing):
    """The panes and their keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "pane(1)", "Next pane", show=False),
        Binding("shift+tab", "pane(-1)", "Previous pane", show=False),
        Binding("z", "maximise", "Give the pane the whole screen, and back", show=False),
        Binding("escape", "back", "Stop a search or export; whole screen back; drop the filter", show=False),
        Binding("plus,equals_sign", "zoom(2.0)", "Zoom the timeline in", key_display="+", show=False),
        Binding("minus", "zoom(0.5)", "Zoom the timeline out", show=False),
        Binding("0", "zoom_whole", "Show the whole timeline", show=False),
        Binding("less_than_sign,shift+left", "pan(-1)", "Pan the timeline left", key_display="< Shift+←", show=False),
        Binding("greater_than_sign,shift+right", "pan(1)", "Pan the timeline right", key_display="> Shift+→", show=False),
        Binding("c", "lanes", "Lanes: one an object, or one a CPU", show=False),
        Binding("x", "axis", "Axis: time, or order of calls", show=False),
        Binding("s", "group", "List: sequences, or all calls in order of time", show=False),
        Binding("L", "lines", "List: show or hide log lines", show=False),
        Binding("T", "times", "Times: relative, absolute, since the row before", show=False),
        Binding("slash", "search", "Search the calls, headings and log lines", show=False),
        Binding("n", "search_next(1)", "Next hit", show=False),
        Binding("N", "search_next(-1)", "Previous hit", show=False),
        Binding("f", "filter", "Filter with an SQL condition", show=False),
        Binding("F", "failed", "Only calls that failed", show=False),
        Binding("o", "object", "Only the selected object", show=False),
        Binding("right_square_bracket", "finding(1)", "Next finding", show=False),
        Binding("left_square_bracket", "finding(-1)", "Previous finding", show=False),
        Binding("exclamation_mark", "findings", "List the findings", show=False),
        Binding("right_curly_bracket,p", "sequence(1)", "Next sequence", show=False),
        Binding("left_curly_bracket,P", "sequence(-1)", "Previous sequence", show=False),
        Binding("m", "bookmark", "Mark the call, or take the mark off", show=False),
        Binding("apostrophe", "next_bookmark", "Next marked call", show=False),
        Binding("y", "copy", "Copy the call's line", show=False),
        Binding("e", "export", "Export the call or sequence as JSON", show=False),
        Binding("t", "app.light_dark", "Light or dark", show=False),
        Binding("question_mark", "keys", "These keys", show=False),
        Binding("ctrl+p,colon", "app.command_palette", "All commands by name", key_display="Ctrl+P :", show=False),
        Binding("q", "app.quit", "Quit", show=False),
    ]

    # -- panes

    def action_pane(self, by: int) -> None:
        """Give the focus to the next or previous pane in sight."""
        shown = [p for p in PANES if self.in_sight(p)]
        now = self.focused.id if self.focused is not None else "list"
        at = shown.index(now) if now in shown else 0
        self.focus_pane(shown[(at + by) % len(shown)])

    def action_maximise(self) -> None:
        """Give the pane with the focus the whole screen, or take it back."""
        now = self.focused.id if self.focused is not None else None
        wanted = now if now in PANES else "list"
        self.show_alone(None if self.alone == wanted else wanted)

    def action_back(self) -> None:
        """Undo the last of: a search or export under way, a maximised pane, leaving the list, the filter."""
        if self.stop_search() or self.stop_export():
            return
        if self.alone is not None:
            self.show_alone(None)
        elif self.focused is not self.list:
            self.focus_pane("list")
        elif self.model.filter_text:
            self.drop_filter()
        else:
            self.say("")

    # -- timeline

    def _redraw_timeline(self) -> None:
        self.lanes.redraw()
        self.query_one(Axis).redraw()
        self.titles()

    def action_zoom(self, factor: float) -> None:
        """Zoom around the cursor."""
        timeline, call = self.model.timeline, self.lanes.call
        lo, hi = timeline.window
        place = float(timeline.axis[call]) if call is not None and self.lanes.cell is not None else (lo + hi) / 2
        timeline.zoom(factor, place)
        self._redraw_timeline()

    def action_zoom_whole(self) -> None:
        """Show all of it."""
        self.model.timeline.whole()
        self._redraw_timeline()

    def action_pan(self, by: int) -> None:
        """Move the window by a quarter of its width."""
        self.model.timeline.pan(by / 4)
        self._redraw_timeline()

    def _new_timeline(self, *, cpus: bool, ordered: bool) -> None:
        model = self.model
        self.behind("drawing other lanes", lambda progress: model.drawn(cpus=cpus, ordered=ordered), self._show_timeline)

    def _show_timeline(self, timeline: Timeline) -> None:
        self.say("")
        self.model.timeline = timeline
        self.lanes.show_view(self.model)
        self.size_timeline()
        self.refresh_row()
        self._redraw_timeline()

    def action_lanes(self) -> None:
        """Lanes by object or by CPU."""
        timeline = self.model.timeline
        self._new_timeline(cpus=not timeline.cpus, ordered=timeline.ordered)

    def action_axis(self) -> None:
        """Axis by time or by order."""
        timeline = self.model.timeline
        if not timeline.timed:
            self.say("this capture has no times: the axis is the order of the calls", "warning")
            return
        self._new_timeline(cpus=timeline.cpus, ordered=not timeline.ordered)

    # -- list

    def action_group(self) -> None:
        """Sequences, or all calls in order of time."""
        model = self.model
        words = "putting calls in order of time" if model.grouped else "showing sequences"
        self.behind(words, lambda progress: model.arranged(not model.grouped), self._show_rows)

    def _show_rows(self, arranged: tuple[Rows, Counted]) -> None:
        self.say("")
        call = self.keep_call()
        self.model.show_rows(*arranged)
        self.restore_call(call)

    def action_lines(self) -> None:
        """Show or hide log lines."""
        if not self.model.lines:
            self.say("this capture has no log lines", "warning")
            return
        model = self.model
        shown = not model.rows.show_lines
        self.behind("lines", lambda progress: model.with_lines(shown), lambda counted: self._show_rows((model.rows, counted)))

    def action_fold_all(self, folded: bool) -> None:
        """Fold or unfold every sequence and step, keeping the cursor on what it is on."""
        model, row = self.model, self.list.row

        def count(progress: object) -> tuple[Rows, Counted]:
            return model.rows, model.rows.counted(model.rows.filter, folded=folded)

        def show(found: tuple[Rows, Counted]) -> None:
            self._show_rows(found)
            if row is not None and row.kind is RowKind.SEQUENCE:
                self.list.move_to(model.rows.row_of_sequence(row.sequence))

        self.behind("folding all" if folded else "unfolding all", count, show)

    def action_times(self) -> None:
        """The next way to write times."""
        if not self.model.timeline.timed:
            self.say("this capture has no times: calls are numbered", "warning")
            return
        at = TIME_FORMATS.index(self.model.time_format)
        self.model.time_format = TIME_FORMATS[(at + 1) % len(TIME_FORMATS)]
        self.say(f"times: {'since the row before' if self.model.time_format == 'delta' else self.model.time_format}")
        self.list.redraw()
        self.refresh_row()

    def action_sequence(self, by: int) -> None:
        """Go to the next or previous sequence."""
        row = self.model.rows.next_sequence(self.list.cursor, by)
        if row < 0:
            self.say("no further sequence" if by > 0 else "no sequence before", "warning")
        else:
            self.list.move_to(row)

    def action_bookmark(self) -> None:
        """Mark or unmark the selected call."""
        row = self.list.row
        if row is None or row.kind is not RowKind.CALL:
            self.say("only calls can be marked", "warning")
            return
        self.model.bookmarks ^= {row.ref}
        self.list.redraw()

    def action_next_bookmark(self) -> None:
        """Go to the next marked call in the order of the list, from the last to the first."""
        rows, row = self.model.rows, self.list.row
        marks = sorted(rows.place_of(c) for c in self.model.bookmarks)
        if not marks:
            self.say("no call is marked; m marks one", "warning")
            return
        call = self.model.call_of(row) if row is not None else None
        at = rows.place_of(call) if call is not None else -1
        place = next((p for p in marks if p > at), marks[0])
        self.go_to_call(rows.call_at_place(place))

    # -- findings and help

    def action_finding(self, by: int) -> None:
        """Go to the next or previous finding that is about a call."""
        if not any(c >= 0 for c in self.model.finding_calls):
            self.say("no findings about calls" if self.model.findings else self._no_findings, "warning")
            return
        now = self.keep_call()
        last = len(self.model.findings)
        here = (-1, -1) if now is None else (now, self._finding if self._finding_call == now else (-1 if by > 0 else last))
        found = self.model.noted.next(here, by)
        if found is None:
            self.say("no further finding" if by > 0 else "no finding before", "warning")
            return
        self._go_to_finding(found)

    @property
    def _no_findings(self) -> str:
        return "no findings" if self.model.learned else "still checking"

    _finding = -1
    _finding_call = -1

    def _go_to_finding(self, number: int) -> None:
        f, call = self.model.findings[number], self.model.finding_calls[number]
        if call >= 0:
            self._finding, self._finding_call = number, call
            if self.model.mask is not None and not self.model.mask[call]:
                self.drop_filter()
            self.go_to_call(call)
        self.say(f"{number + 1}/{len(self.model.findings)} {f.rule}: {f.message}", f.severity if f.severity != "note" else "")

    def action_findings(self) -> None:
        """List the findings."""
        if not self.model.findings:
            self.say(self._no_findings, "warning")
            return
        start = self._finding if self._finding >= 0 else 0

        def chosen(number: int | None) -> None:
            if number is not None and number >= 0:
                self._go_to_finding(number)

        self.app.push_screen(FindingsScreen(self.model, min(start, len(self.model.findings) - 1)), chosen)

    def action_keys(self) -> None:
        """Show the keys."""
        HelpScreen.show(self.app, key_groups)


def key_groups() -> list[tuple[str, list[Binding]]]:
    """Every key, by where it works."""
    groups = (
        ("Everywhere", MainScreen),
        ("In every pane", LineView),
        ("In the list", CallList),
        ("In the tree", TreePane),
        ("In the timeline", Lanes),
        ("In a line of input", Prompt),
    )
    return [(title, [b for b in of.BINDINGS if isinstance(b, Binding)]) for title, of in groups]
