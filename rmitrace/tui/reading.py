"""How the application reads: a first part before the first screen, the rest behind it, and what comes while it is followed."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from ..capture import Capture, CaptureError, OpenOptions, open_capture
from ..capture.index.later import CHECKED, FOLLOWED
from ..capture.opening import build, check
from ..capture.source import Source
from ..formats import kernel_workers
from ..formats.base import ReadOptions
from .apart import Apart
from .bars import Header
from .explaining import Explaining
from .filtering import make_ready
from .main import MainScreen
from .memory import give_back
from .view import FEW, View

if TYPE_CHECKING:
    from ..capture.follow.live import Live

PREVIEW = 64 * 1024
"""Bytes of each file read before the first screen."""
AT_ONCE = 4 << 20
"""Bytes of all files up to which they are read before the first screen where the first part of one does not say what it is."""
_REFRESH_S = 0.3
"""Least time between two looks at what grows."""
_SHARE = 4
"""Times what showing a longer capture takes, that it is not done again."""
_PATIENCE_S = 2
"""Time from which on it is told how long something takes."""
_READING_S = 1.0
"""Time after which what was read so far is shown."""


class _Stopped(Exception):
    """The user quit while a capture was being read."""


def first_part(paths: list[str], options: OpenOptions) -> Capture:
    """What the first screen shows. Raises CaptureError where a file cannot be opened, or a short one not be read."""
    try:
        return open_capture(paths, options, PREVIEW)
    except CaptureError:
        check(paths, options)
        if _size(paths) <= AT_ONCE:
            return open_capture(paths, options)  # some formats, and some long boot logs, say what they are only as a whole
        return unread(paths)


def unread(paths: list[str]) -> Capture:
    """A capture of files of which nothing is read yet."""
    capture = build([Source(p, b"", whole=False) for p in paths], ReadOptions())
    capture.reading = []
    return capture


def _size(paths: list[str]) -> int:
    """Bytes of all files. Raises CaptureError where one cannot be opened."""
    total = 0
    for p in paths:
        try:
            with open(p, "rb") as file:
                total += os.fstat(file.fileno()).st_size
        except OSError as e:
            raise CaptureError(f"{p}: {e.strerror or e}") from None
    return total


class ReadingApp(Explaining):
    """With ``paths`` and a capture that is not complete, the whole is read behind the first screen; with ``live`` the screen
    goes on with what comes."""

    problem: CaptureError | None = None
    """Why nothing can be shown."""
    _read = (0, 0)
    _began = _since = 0.0
    _followed: bool | None = None
    _compiling = _enough = False
    """The user wants to see what is read by now."""
    background: Thread | None = None
    _apart: Apart | None = None
    """The process that follows and checks a long capture."""

    def __init__(self, capture: Capture, paths: list[str] | None, options: OpenOptions | None, live: Live | None) -> None:
        super().__init__()
        self.capture = capture
        self._live = live
        self._paths = paths or []
        self._options = options or OpenOptions()

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever is above it."""
        return next(s for s in self.screen_stack if isinstance(s, MainScreen))

    def on_ready(self) -> None:
        """The first screen is there: read on where it shows only the first part."""
        gc.freeze()
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

    @property
    def reading(self) -> bool:
        """Whether files are being read behind the screen."""
        return bool(self._began) and self.background is not None and self.background.is_alive()

    def stop_reading(self) -> None:
        """Read no more, and show what was read by now."""
        self._enough = True

    def _read_all(self) -> None:
        def progress(done: int, total: int) -> None:
            self._read = (done, total)
            if self._ending:
                raise _Stopped

        def compiling() -> None:
            self._compiling = True

        kernel_workers.on_wait = compiling
        try:
            options = replace(self._options, progress=progress, stop=lambda: self._enough)
            capture = open_capture(self._paths, options)
            if len(capture.calls) > FEW and not self._ending and not capture.worked_out(FOLLOWED):
                self._begin_apart(capture)
                first = View(capture, followed=False)
                first.places.are_in_order()  # not when the screen wants to know
                self._hand_over(partial(self._whole, first))
                self._follow_apart(capture)
                give_back()
            if self._ending:
                return
            view = View(capture)
            view.places.are_in_order()
        except _Stopped:
            return
        except CaptureError as e:
            self._hand_over(partial(self._failed, e))
        except Exception as e:
            self._hand_over(partial(self._failed, CaptureError(f"{type(e).__name__}: {e}")))
        else:
            self._hand_over(partial(self._whole, view))
            give_back()

    def _begin_apart(self, capture: Capture) -> None:
        """Let another process find out what the objects went through, where it need not read the files for that."""
        if capture.keeper is not None and not self._ending:
            with suppress(OSError):
                self._apart = Apart(self._paths, self._options)

    def _follow_apart(self, capture: Capture) -> None:
        """Wait for what it finds."""
        with suppress(OSError):
            if self._apart is not None and (self._ending or not self._apart.follow(capture)):
                self._end_apart()

    def _check_apart(self, view: View) -> None:
        """Let another process check, where one follows already or the index holds what it needs."""
        with suppress(OSError):
            if self._apart is None and self._paths and view.calls > FEW and view.capture.keeper is not None:
                if view.capture.worked_out(CHECKED) or self._ending:
                    return
                self._apart = Apart(self._paths, self._options, followed=True)
        if self._apart is not None:
            self._apart.check(view.capture)
            self._end_apart()

    def _end_apart(self) -> None:
        apart, self._apart = self._apart, None
        if apart is not None:
            apart.end()

    def _hand_over(self, call: partial[None]) -> None:
        if not self._ending:
            with suppress(RuntimeError, CancelledError):  # the application ended meanwhile
                self.call_from_thread(call)

    def _progress(self) -> None:
        done, total = self._read
        took = time.monotonic() - self._began
        if self.capture.complete:
            self._say_since()
        elif total and took >= 1:
            rate = f"reading {done * 100 // total}% of {total / 1e6:,.0f} MB, {done / 1e6 / took:,.0f} MB/s"
            self._say_reading(rate if done < total else f"{total / 1e6:,.0f} MB read, pairing calls")
        else:
            self._say_reading("reading…" if not self._compiling else "compiling the readers, once for this version…")

    def _say_since(self) -> None:
        """Say since when objects are followed, or calls checked: how long that takes nobody knows."""
        view, header = self.main.model, self.main.query_one(Header)
        if view.followed != self._followed:
            self._followed, self._since = view.followed, time.monotonic()
        took = int(time.monotonic() - self._since)
        since = f" {took} s" if took >= _PATIENCE_S else ""
        if not view.followed:
            self._say_reading(f"following objects…{since}")
        elif view.learned:
            self._timer.stop()
        elif header.checking != f"checking…{since}":
            header.checking = f"checking…{since}"
            header.refresh()

    def _say_reading(self, words: str) -> None:
        header = self.main.query_one(Header)
        if header.reading != words:
            header.reading = words
            header.refresh()

    def _whole(self, view: View) -> None:
        """All calls are there; what their objects went through is known, or not yet."""
        self.capture = view.capture
        self.explain_apart(view, self._paths, self._options)
        if view.followed:
            self._say_reading("")
        self.main.replace_view(view)
        if view.followed:
            self._learn(view)
        self._progress()

    def _failed(self, problem: CaptureError) -> None:
        self._timer.stop()
        if not len(self.capture.calls) and not self.capture.complete and not any(s.format for s in self.capture.sources):
            self.problem = problem  # there is nothing to look at
            self.exit(return_code=2)
            return
        header = self.main.query_one(Header)
        header.reading = ""
        header.problem = "only the first part could be read"
        header.refresh()
        self.main.say(str(problem), "error")
        self._learn(self.main.model)

    # -- following

    def _follow(self, live: Live) -> None:
        """Show what comes, in the time that this leaves: a longer capture is shown anew less often, and checked still less."""
        shown, study_from = self.main.model, 0.0
        try:
            while not self._ending:
                began = time.monotonic()
                if self._take(live):
                    view = View(live.whole(waiting=not live.ended))
                    view.foretell(shown)
                    self._hand_over(partial(self._grown, view))
                    shown = view
                elif live.ended and shown.learned:
                    self._hand_over(partial(self._say_following, "ended"))
                    return
                pause = began + max(_REFRESH_S, _SHARE * (time.monotonic() - began))
                if not shown.learned and (live.ended or time.monotonic() >= study_from):
                    study_from = self._study(shown)
                while not self._ending and time.monotonic() < pause:
                    live.wait()
        except Exception as e:
            said = str(e) if isinstance(e, CaptureError) else f"{type(e).__name__}: {e}"
            self._hand_over(partial(self._say_following, "not followed any more"))
            self._hand_over(partial(self.main.say, said, "error"))

    def _study(self, view: View) -> float:
        """Show messages and findings; the time from which that may be done again."""
        began = time.monotonic()
        self._hand_over(partial(self.main.learn, view, view.study()))
        now = time.monotonic()
        return now + _SHARE * (now - began)

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
        self._say_reading(words)

    def _learn(self, view: View) -> None:
        """Work out messages and findings of a large capture behind the screen."""
        if view.learned:
            return

        def work() -> None:
            try:
                if view.calls > FEW:
                    make_ready(view)
                self._check_apart(view)
                if self._ending:
                    return
                study = view.study()
            except Exception as e:
                self._hand_over(partial(self.main.say, f"messages and findings: {type(e).__name__}: {e}", "error"))
            else:
                self._hand_over(partial(self.main.learn, view, study))
                give_back()
                if view.capture.keeper is not None:
                    view.capture.keeper.learn(view.capture)

        self._start(work)

    def _start(self, work: Callable[[], None]) -> None:
        """Work in a thread that does not keep the process alive: who quits does not wait for a long reading."""
        self.background = Thread(target=work, daemon=True)
        self.background.start()
