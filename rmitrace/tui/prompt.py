"""The line of input at the bottom: search text, filter, file name."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input, Static

from ..display import safe


class Box(Input):
    """The line of input itself. Textual lays out the whole screen for every character typed, although its size is given."""

    virtual_size = Reactive(Size(0, 0))


class Prompt(Vertical):
    """Asks for one line. What is typed goes to a function that answers with what is wrong with it, None where it is fine."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Leave the input", key_display="Esc", show=False),
        Binding("up", "recall", "The last input of this kind", key_display="↑", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._accept: Callable[[str], str | None] = lambda text: None
        self._back: Callable[[], object] = lambda: None
        self._kind = ""
        self._last: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """A line for hints and errors above the line of input."""
        yield Static("", id="say", markup=False)
        with Horizontal():
            yield Static("", id="what", markup=False)
            yield Box(compact=True, id="input")

    @property
    def is_open(self) -> bool:
        """Whether it waits for input."""
        return self.display

    def ask(self, what: str, hint: str, value: str, accept: Callable[[str], str | None], back: Callable[[], object]) -> None:
        """Open it. ``back`` gives the focus back when it closes."""
        self._accept, self._back, self._kind = accept, back, what
        self.query_one("#say", Static).update(Content(" " + safe(hint)))
        self.query_one("#what", Static).update(Content(f" {what} "))
        box = self.query_one(Input)
        box.value = value
        box.cursor_position = len(value)
        self.display = True
        self.screen.set_focus(box)  # at once: the next key is for it

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand over what was typed; stay open where it is refused."""
        event.stop()
        problem = self._accept(event.value)
        if problem is None:
            self._last[self._kind] = event.value
            self.action_cancel()
        else:
            self.query_one("#say", Static).update(Content(" ✗ " + safe(problem)))

    def action_cancel(self) -> None:
        """Close it."""
        self.display = False
        self._back()

    def action_recall(self) -> None:
        """Bring back the last input of this kind."""
        self.query_one(Input).value = self._last.get(self._kind, "")
