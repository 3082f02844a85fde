"""The tree pane: the decoded fields of the selected row."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from .details import Details, Place
from .lineview import LineView
from .text import SIGN, STYLE, Line
from .treelines import TreeLine, TreeLines


class TreePane(LineView):
    """Fields with their text, notes below the fields they are about; folds are kept from call to call."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,enter", "flip", "Fold or unfold", key_display="Space Enter", show=False),
        Binding("left,h", "fold", "Fold, or go to the parent", key_display="← h", show=False),
        Binding("right,l", "unfold", "Unfold, or go inside", key_display="→ l", show=False),
        Binding("a", "all(True)", "Unfold all fields", show=False),
        Binding("A", "all(False)", "Fold all fields", show=False),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.details: Details | None = None
        self.lines: list[TreeLine] = []
        self._folds: dict[tuple[str, ...], bool] = {}
        self._width = 0

    def show_details(self, shown: Details) -> None:
        """Show the tree of another row; the cursor stays on the field of the same name where there is one."""
        at = self.lines[self.cursor].path if self.cursor < len(self.lines) and self.cursor > 0 else None
        self.details = shown
        self._lay()
        found = next((i for i, line in enumerate(self.lines) if line.path == at), 0)
        self.move_to(found)

    def _lay(self) -> None:
        self._width = self.line_width
        self.lines = TreeLines(self.details, self._folds, self._width).lines if self.details is not None else []
        self.changed()

    def fit(self) -> None:
        """Wrap again where the width is another one."""
        if self._width != self.line_width:
            self._lay()
        super().fit()

    def count(self) -> int:
        """Lines of the tree."""
        return len(self.lines)

    def draw(self, line: int, width: int, cursor: bool, focused: bool) -> Strip:
        """A field: fold sign, severity sign, name, text; or a note."""
        shown = self.lines[line]
        node = shown.node
        out = Line(width, self.style_of, self.base_of(cursor, focused))
        out.add("❯" if cursor else " ", "mark")
        out.add("  " * shown.depth)
        if shown.kind != "node":
            return out.add("  ").add(shown.text, STYLE[node.severity or "note"] if shown.kind == "note" else "value").strip()
        out.add(("▾ " if shown.open else "▸ ") if node.children else "  ", "dim")
        if shown.worst is not None and (not shown.open or node.severity):
            out.add(f"{SIGN[shown.worst]} ", STYLE[shown.worst])
        out.add(node.name, "heading" if shown.depth == 0 else "name")
        if shown.text:
            out.add("  " if shown.depth == 0 else " = ", "dim").add(shown.text, STYLE.get(node.severity or "", "value"))
        return out.strip()

    def press(self, line: int, column: int) -> None:
        """A click on the fold sign folds."""
        if column <= 2 * self.lines[line].depth + 2:
            self.action_flip()

    @property
    def place(self) -> Place | None:
        """What the selected field stands for in the bytes."""
        return self.lines[self.cursor].place if self.cursor < len(self.lines) else None

    def _set(self, opened: bool) -> None:
        if self.cursor >= len(self.lines):
            return
        line = self.lines[self.cursor]
        if line.node.children and line.kind == "node" and line.open != opened:
            self._folds[line.path] = opened
            self._lay()

    def action_flip(self) -> None:
        """Fold or unfold the selected field."""
        if self.cursor < len(self.lines):
            self._set(not self.lines[self.cursor].open)

    def action_fold(self) -> None:
        """Fold the selected field; where there is nothing to fold go to its parent."""
        if self.cursor >= len(self.lines):
            return
        line = self.lines[self.cursor]
        if line.open:
            self._set(False)
        elif line.parent >= 0:
            self.move_to(line.parent)

    def action_unfold(self) -> None:
        """Unfold the selected field; where it is open go to its first child."""
        if self.cursor >= len(self.lines):
            return
        line = self.lines[self.cursor]
        if line.open:
            self.move_to(self.cursor + 1)
        else:
            self._set(True)

    def action_all(self, opened: bool) -> None:
        """Fold or unfold every field of this row."""
        if self.details is None:
            return
        self._folds.clear()
        while True:
            closed = [t.path for t in self.lines if t.node.children and t.open != opened and t.kind == "node"]
            if not closed:
                break
            self._folds.update(dict.fromkeys(closed, opened))
            self._lay()
        self.move_to(self.cursor)
