"""The list pane: sequences that fold, their steps, one line a call."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message as Event
from textual.strip import Strip

from ..capture.messages import REQUEST, Message
from ..capture.messages.facts import name_and_facts
from ..capture.messages.statistics import is_error
from ..capture.model import Call
from ..display import count
from ..lifecycle.model import Sequence as Span
from ..lifecycle.model import Step
from .lineview import LineView
from .rows import Row, RowKind
from .text import OUTCOME, STYLE, Line, duration
from .view import View

_DURATION = 8
_WIDE = 110
"""Width from which statuses are shown with their prefix and arguments with their names."""


class CallList(LineView):
    """The rows of a view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "flip", "Fold or unfold", key_display="Space", show=False),
        Binding("enter", "open", "Unfold; on a call, go to its fields", key_display="Enter", show=False),
        Binding("left,h", "fold", "Fold, or go to the heading", key_display="← h", show=False),
        Binding("right,l", "unfold", "Unfold, or go inside", key_display="→ l", show=False),
        Binding("a", "screen.fold_all(False)", "Unfold all sequences", show=False),
        Binding("A", "screen.fold_all(True)", "Fold all sequences", show=False),
    ]

    class Opened(Event):
        """The user wants to see the fields of the call under the cursor."""

    def __init__(self, view: View, *, id: str) -> None:
        super().__init__(id=id)
        self.model = view
        self._times: tuple[View, str] | None = None
        self._time_cells = 0
        """Cells for times of a view in a form."""

    @property
    def row(self) -> Row | None:
        """The row under the cursor, None in an empty list."""
        return self.model.rows.at(self.cursor) if self.cursor < len(self.model.rows) else None

    def count(self) -> int:
        """Visible rows."""
        return len(self.model.rows)

    def show_view(self, view: View) -> None:
        """Show another view."""
        self.model = view
        self.changed()

    # -- drawing

    def look_of(self, line: int) -> Hashable:
        """A row looks the same wherever it is."""
        row = self.model.rows.at(line)
        return row, row.kind in (RowKind.SEQUENCE, RowKind.STEP) and self.model.rows.is_folded(row)

    def _time_width(self) -> int:
        key = self.model, self.model.time_format
        if self._times != key:
            self._times, n = key, self.model.calls
            texts = [self.model.time_text(c) for c in {0, n // 2, n - 1} if 0 <= c < n]
            self._time_cells = min(max([8, *map(len, texts)]), 20)
        return self._time_cells

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """One row: place, time, who, what, how it ended, how long it took."""
        row = self.model.rows.at(line)
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        out.add("❯" if cursor else " ", "mark")
        out.add("◆" if row.kind is RowKind.CALL and row.ref in self.model.bookmarks else " ", "mark")
        if row.kind is RowKind.CALL:
            self._draw_call(out, row, width)
        elif row.kind is RowKind.LINE:
            self._draw_line(out, row)
        else:
            self._draw_heading(out, row, width)
        return out.strip()

    def _who(self, width: int) -> tuple[int, int]:
        """Cells for CPU and for task: where there is room for them, and earlier where they differ from call to call."""
        view = self.model
        cpu = 6 if view.cpus and (width >= 140 or (width >= 96 and view.cpus > 1)) else 0
        task = 22 if width >= 150 else 16 if width >= 140 or (width >= 100 and view.tasks > 1) else 0
        return cpu, task if view.tasks else 0

    def _draw_call(self, out: Line, row: Row, width: int) -> None:
        view, seq = self.model, row.ref
        wide = width >= _WIDE
        call = view.capture.call(seq)
        time = view.time_text(seq, call.ts_ns)
        out.right(time, "dim", 2 + self._time_width())
        out.add(" ")
        cpu, task = self._who(width)
        if cpu:
            out.add("[---] " if call.cpu is None else f"[{call.cpu:03}] ", "dim", limit=cpu)
        if task:
            start = out.at
            out.add("" if call.task is None else call.task + ("" if call.pid is None else f"-{call.pid}"), "dim", limit=task - 1)
            out.to(start + task)
        status_width = self._status_width(wide)
        end = width - _DURATION - status_width
        failed = bool(view.capture.calls.failed[seq])
        out.add("  " * row.depth)
        changes = view.changes_of(seq)
        said, refused = conversation(view.messages_of(seq))
        tail = f" ⇒ {changes[-1].to}" if changes else ""
        bad = "ERROR" in tail  # a call can succeed and still be the failure: GET_STATE answers that the object is in ERROR
        sign, style = ("!", "error") if bad and not failed else self._sign(call, failed)
        out.add(sign, style).add(" ")
        said = said if cell_len(said) <= (end - out.at) * 2 // 3 else said[: (end - out.at) * 2 // 3 - 1] + "…"
        kept = len(tail) + cell_len(said) + 1
        room = end - out.at - kept
        name = view.capture.name_text(seq)
        out.add(name, "error" if failed else "name", limit=room)
        room = end - out.at - kept
        inside = ", ".join(f"{a.name}={a.text}" for a in call.args) if wide else ""
        if not wide or cell_len(inside) + 2 > room:
            inside = ", ".join(a.text for a in call.args)
        results = "" if failed or not call.results else " {" + ", ".join(f"{a.name}={a.text}" for a in call.results) + "}"
        out.add(f"({inside})", "", limit=room)
        out.add(results, "dim", limit=end - out.at - kept)
        out.add(said, "error" if refused else "value")
        out.add(tail, "error" if bad else "object")
        out.to(end)
        text, style = self._status(call, failed, wide)
        if call.index is not None and failed and (call.index or "RTT" in text):
            text += f" {call.index}"
        out.add(text, style, limit=status_width - 1)
        out.right("" if call.dur_ns is None else duration(call.dur_ns), "dim", width)

    def _status_width(self, wide: bool) -> int:
        """Cells for the status: what the longest one of the capture needs, with its index, within limits."""
        longest = max((len(s) - (0 if wide else 4) for s in self.model.capture.statuses), default=0)
        return min(max(longest + 4, 10), 27 if wide else 17)

    def _sign(self, call: Call, failed: bool) -> tuple[str, str]:
        if failed:
            return "✗", "error"
        severity = self.model.severity(call.seq)
        if severity >= 2:
            return "!", "error" if severity == 3 else "warning"
        if call.paired in ("enter-only", "exit-only"):
            return "…", "warning"
        if call.parent is not None:
            return "└", "dim"
        if call.inferred:
            return "~", "dim"
        return ("·", "dim") if severity else (" ", "")

    @staticmethod
    def _status(call: Call, failed: bool, wide: bool) -> tuple[str, str]:
        if call.paired == "enter-only":
            return "no exit", "warning"
        text = call.status or ""
        prefix = f"{call.service}_"
        if not wide and text.startswith(prefix):
            text = text[len(prefix) :]
        return text, "error" if failed else "ok"

    def _draw_heading(self, out: Line, row: Row, width: int) -> None:
        view = self.model
        s = view.sequences[row.sequence]
        step = s.steps[row.step] if row.kind is RowKind.STEP else None
        what: Span | Step = s if step is None else step
        calls = what.calls
        at = view.call_of(row)
        if at is not None:
            out.right(view.time_text(at), "dim", 2 + self._time_width())
        out.add(" ")
        out.to(out.at + sum(self._who(width)))
        out.add("  " * row.depth)
        out.add("▸ " if view.rows.is_folded(row) else "▾ ", "heading")
        outcome = STYLE[what.outcome]
        out.add(OUTCOME[what.outcome] + " ", outcome)
        narrow = what.outcome != "ok" and width < _WIDE
        end = width - _DURATION - (1 if narrow else 12)
        if step is None:
            out.add(f"{s.kind} ", "heading", limit=end - out.at).add(s.object, "object", limit=end - out.at)
            out.add(" " + self._ending(s), outcome, limit=end - out.at)
        else:
            out.add(step.name, "", limit=end - out.at)
            if step.outcome != "ok":
                out.add(f"  {step.outcome}" + (f": {step.why}" if step.why else ""), outcome, limit=end - out.at)
        if not narrow:
            out.right(count(len(calls), "call"), "dim", width - _DURATION)
        if len(calls):
            ts, dur = view.capture.calls.ts, view.capture.calls.dur
            first, last = int(calls[0]), int(calls[-1])
            took = int(ts[last]) - int(ts[first]) + max(int(dur[last]), 0)
            if view.timeline.timed and took > 0:
                out.right(duration(took), "dim", width)

    def _ending(self, s: Span) -> str:
        if s.outcome == "ok":
            return "ok"
        bad = next((t.name for t in s.steps if t.outcome == "failed"), "")
        return s.outcome + (f" at {bad}" if bad else "") + (f": {s.why}" if s.why else "")

    def _draw_line(self, out: Line, row: Row) -> None:
        mark = self.model.lines[row.ref]
        message = mark.message
        out.right(self.model.moment(mark.ts), "dim", 2 + self._time_width())
        out.add(" ").to(out.at + sum(self._who(out.width))).add("  " * row.depth)
        if message is None:
            out.add("│ ", "dim").add(mark.text.strip(), "dim")
            return
        refused = is_error(message)
        out.add("✗ " if refused else "  ", "error").add("→ " if message.direction == REQUEST else "← ", "dim")
        name, colon, facts = name_and_facts(message).partition(": ")
        if out.width < _WIDE:  # the tree says which session it is in
            name = name.partition(" in 0x")[0]
        out.add(name, "error" if refused else "name", limit=out.width - out.at - 14)
        out.add(colon + facts, "", limit=out.width - out.at - 14)
        out.right(count(message.size, "byte"), "dim", out.width)

    # -- folding

    def _refold(self, row: Row, folded: bool) -> None:
        self.model.rows.fold(row, folded)
        self.shifted()
        self.move_to(self.cursor, tell=False)

    def press(self, line: int, column: int) -> None:
        """A click on a heading's sign folds."""
        row = self.row
        if row is None or row.kind not in (RowKind.SEQUENCE, RowKind.STEP):
            return
        start = 2 + self._time_width() + 1 + sum(self._who(self.line_width)) + 2 * row.depth
        if start <= column < start + 2:
            self.action_flip()

    def action_flip(self) -> None:
        """Fold or unfold a heading; on a call fold what it is in."""
        row = self.row
        if row is None:
            return
        if row.kind in (RowKind.SEQUENCE, RowKind.STEP):
            self._refold(row, not self.model.rows.is_folded(row))
        else:
            self.action_fold()

    def action_open(self) -> None:
        """Unfold or fold a heading; on a call go to its fields."""
        row = self.row
        if row is not None and row.kind in (RowKind.SEQUENCE, RowKind.STEP):
            self.action_flip()
        elif row is not None:
            self.post_message(self.Opened())

    def action_fold(self) -> None:
        """Fold the heading; where it is folded, or on a call, go to the heading above."""
        row, rows = self.row, self.model.rows
        if row is None:
            return
        if row.kind in (RowKind.SEQUENCE, RowKind.STEP) and not rows.is_folded(row):
            self._refold(row, True)
            return
        up = (
            rows.row_of_sequence(row.sequence)
            if row.kind is RowKind.STEP or row.step < 0
            else rows.row_of_sequence(row.sequence, row.step)
        )
        if up >= 0:
            self.move_to(up)

    def action_unfold(self) -> None:
        """Unfold the heading; where it is open go to its first row."""
        row = self.row
        if row is None or row.kind not in (RowKind.SEQUENCE, RowKind.STEP):
            return
        if self.model.rows.is_folded(row):
            self._refold(row, False)
        else:
            self.move_to(self.cursor + 1)


def conversation(messages: Sequence[Message]) -> tuple[str, bool]:
    """The messages of a call in few words, `` → GET_VERSION ← VERSION``, and whether one is a refusal."""
    words = [f" {'→' if m.direction == REQUEST else '←'} {m.title.partition(' in session')[0]}" for m in messages]
    return "".join(words), any(map(is_error, messages))
