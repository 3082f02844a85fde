"""The application: holds themes, the command palette and the way out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key
from textual.markup import escape
from textual.screen import Screen

from ..capture import Capture, OpenOptions
from .main import MainScreen
from .memory import frugal
from .reading import ReadingApp, first_part
from .screens import key_text
from .theme import DARK, LIGHT
from .view import View

if TYPE_CHECKING:
    from ..capture.follow.live import Live


class TimelineApp(ReadingApp):
    """The viewer."""

    CSS_PATH = "view.tcss"
    TITLE = "rmitrace"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "hint_quit", show=False, priority=True)]

    def __init__(
        self,
        capture: Capture,
        paths: list[str] | None = None,
        options: OpenOptions | None = None,
        live: Live | None = None,
    ) -> None:
        super().__init__(capture, paths, options, live)
        self._shown = False
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen(View(self.capture))

    def on_ready(self) -> None:
        """The first screen is there; Textual calls this of the base class as well."""
        self._shown = True

    # -- keys

    async def on_event(self, event: Event) -> None:
        """A message stays until the next key."""
        if isinstance(event, Key) and self._shown:
            self.main.say("")
        await super().on_event(event)

    def action_light_dark(self) -> None:
        """The other theme."""
        self.theme = LIGHT.name if self.current_theme.dark else DARK.name

    def action_hint_quit(self) -> None:
        """Ctrl+C ends the reading; it is easily pressed by habit, and the place in a long trace is easily lost."""
        if self.reading:
            self.stop_reading()
            self.main.say("showing what was read; q quits", "warning")
        else:
            self.main.say("q quits", "warning")

    async def action_quit(self) -> None:
        """Quit, also in the middle of reading."""
        self._ending = True
        self._end_apart()
        self.end_explainer()
        self.exit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers: every key of the main screen, and Textual's own."""
        if isinstance(screen, MainScreen):
            for b in MainScreen.BINDINGS:
                if isinstance(b, Binding) and b.action != "app.command_palette":
                    yield SystemCommand(b.description, f"key {escape(key_text(b))}", partial(screen.run_action, b.action))
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command


def run(paths: list[str], options: OpenOptions | None = None) -> int:
    """Show a capture on the terminal until the user quits; the exit status.

    Raises CaptureError where nothing can be shown.
    """
    options = options or OpenOptions()
    app = TimelineApp(first_part(paths, options), paths, options)
    with _on_terminal():
        app.run()
    if app.problem is not None:
        raise app.problem
    return app.return_code or 0


def run_following(live: Live) -> int:
    """Show captures that grow until the user quits; the exit status. Raises CaptureError."""
    live.step()
    app = TimelineApp(live.whole(waiting=True), live=live)
    with _on_terminal():
        app.run()
    return app.return_code or 0


_SWITCH_S = 0.0005
"""After this time what works behind the screen lets the screen go on; Python's own 5 ms make a frame of many steps late."""


@contextmanager
def _on_terminal() -> Iterator[None]:
    """Let stderr be the terminal that stdout is while the viewer runs: Textual draws there. And let the screen come first."""
    sys.setswitchinterval(_SWITCH_S)
    frugal()
    if os.isatty(2) or not os.isatty(1):
        yield
        return
    kept = os.dup(2)
    os.dup2(1, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
