"""The application: opens the capture in two steps, and holds themes and the command palette."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.events import Event, Key
from textual.markup import escape
from textual.screen import Screen

from ..capture import Capture, CaptureError, OpenOptions, open_capture, reopen_capture
from ..capture.follow.live import Live
from .bars import Header
from .main import MainScreen
from .screens import key_text
from .theme import DARK, LIGHT
from .view import View

PREVIEW = 64 * 1024
"""Bytes of each file read before the first screen."""


_REFRESH_S = 0.3
"""Least time between two looks at what grows."""
_SHARE = 4
"""Times what showing a longer capture takes, that it is not done again."""
_READING_S = 1.0
"""Time after which what was read so far is shown."""


class _Stopped(Exception):
    """The user quit while a capture was being read."""


class TimelineApp(App[None]):
    """The viewer. With ``paths`` and a capture that is not complete, the whole is read behind the first screen; with ``live``
    the screen goes on with what comes."""

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
        super().__init__()
        self.capture = capture
        self._live = live
        self._paths = paths or []
        self._options = options or OpenOptions()
        self._read = (0, 0)
        self._began = 0.0
        self._ending = False
        self._shown = False
        self.background: Thread | None = None
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen(View(self.capture))

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever is above it."""
        return next(s for s in self.screen_stack if isinstance(s, MainScreen))

    def on_ready(self) -> None:
        """The first screen is there: read on where it shows only the first part."""
        self._shown = True
        if self._live is not None:
            self._say_following("following")
            self._start(partial(self._follow, self._live))
        elif not self.capture.complete and self._paths:
            self._began = time.monotonic()
            self._timer = self.set_interval(0.25, self._progress)
            self._progress()
            self._start(self._read_all)
        else:
            self._learn(self.main.model)

    # -- reading

    def _read_all(self) -> None:
        def progress(done: int, total: int) -> None:
            self._read = (done, total)
            if self._ending:
                raise _Stopped

        try:
            capture = open_capture(self._paths, replace(self._options, progress=progress))
            view = View(capture)
        except _Stopped:
            return
        except CaptureError as e:
            self._hand_over(partial(self._failed, str(e)))
        except Exception as e:
            self._hand_over(partial(self._failed, f"{type(e).__name__}: {e}"))
        else:
            self._hand_over(partial(self._whole, view))

    def _hand_over(self, call: partial[None]) -> None:
        if not self._ending:
            with suppress(RuntimeError, CancelledError):  # the application ended meanwhile
                self.call_from_thread(call)

    def _progress(self) -> None:
        header = self.main.query_one(Header)
        done, total = self._read
        took = time.monotonic() - self._began
        header.reading = "reading…"
        if total and took >= 1:
            header.reading = f"reading {done * 100 // total}% of {total / 1e6:,.0f} MB, {done / 1e6 / took:,.0f} MB/s"
            if done >= total:
                header.reading = f"{total / 1e6:,.0f} MB read, pairing calls"
        header.refresh()

    def _whole(self, view: View) -> None:
        self._timer.stop()
        self.main.query_one(Header).reading = ""
        self.capture = view.capture
        self.main.replace_view(view)
        self._learn(view)

    # -- following

    def _follow(self, live: Live) -> None:
        """Show what comes, in the time that this leaves: a longer capture is shown anew less often."""
        try:
            while not self._ending:
                began = time.monotonic()
                if self._take(live):
                    view = View(live.whole(waiting=not live.ended))
                    self._hand_over(partial(self._grown, view))
                    if not view.learned:
                        self._hand_over(partial(self.main.learn, view, view.study()))
                elif live.ended:
                    self._hand_over(partial(self._say_following, "ended"))
                    return
                pause = began + max(_REFRESH_S, _SHARE * (time.monotonic() - began))
                while not self._ending and time.monotonic() < pause:
                    live.wait()
        except Exception as e:
            said = str(e) if isinstance(e, CaptureError) else f"{type(e).__name__}: {e}"
            self._hand_over(partial(self._say_following, "not followed any more"))
            self._hand_over(partial(self.main.say, said, "error"))

    def _take(self, live: Live) -> bool:
        """Read what there is, for a while; whether that was anything."""
        end = time.monotonic() + _READING_S
        new = False
        while not self._ending and live.step() is not None:
            new = True
            if time.monotonic() > end:
                break
        return new

    def _grown(self, view: View) -> None:
        """Show the longer capture. The cursor stays where it is; where that is the last row, on the last row."""
        shown = self.main.list
        last = shown.cursor >= shown.count() - 1
        self.capture = view.capture
        self.main.replace_view(view)
        if last:
            shown.move_to(shown.count() - 1)

    def _say_following(self, words: str) -> None:
        header = self.main.query_one(Header)
        header.reading = words
        header.refresh()

    def _learn(self, view: View) -> None:
        """Work out messages and findings of a large capture behind the screen."""
        if view.learned:
            return

        def work() -> None:
            try:
                study = view.study()
            except Exception as e:
                self._hand_over(partial(self.main.say, f"messages and findings: {type(e).__name__}: {e}", "error"))
            else:
                self._hand_over(partial(self.main.learn, view, study))
                if view.capture.keeper is not None:
                    view.capture.keeper.learn(view.capture)

        self._start(work)

    def _start(self, work: Callable[[], None]) -> None:
        """Work in a thread that does not keep the process alive: who quits does not wait for a long reading."""
        self.background = Thread(target=work, daemon=True)
        self.background.start()

    def _failed(self, message: str) -> None:
        self._timer.stop()
        header = self.main.query_one(Header)
        header.reading = ""
        header.problem = "only the first part could be read"
        header.refresh()
        self.main.say(message, "error")

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
        """Ctrl+C is easily pressed by habit and the place in a long trace is easily lost."""
        self.main.say("q quits", "warning")

    async def action_quit(self) -> None:
        """Quit, also in the middle of reading."""
        self._ending = True
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
    try:
        capture = reopen_capture(paths, options or OpenOptions()) or open_capture(paths, options, PREVIEW)
    except CaptureError:
        capture = open_capture(paths, options)  # some formats, and some long boot logs, say what they are only as a whole
    app = TimelineApp(capture, paths, options)
    with _stderr_on_terminal():
        app.run()
    return app.return_code or 0


def run_following(live: Live) -> int:
    """Show captures that grow until the user quits; the exit status. Raises CaptureError."""
    live.step()
    app = TimelineApp(live.whole(waiting=True), live=live)
    with _stderr_on_terminal():
        app.run()
    return app.return_code or 0


@contextmanager
def _stderr_on_terminal() -> Iterator[None]:
    """Let stderr be the terminal that stdout is while the viewer runs: Textual draws there."""
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
