"""The end of one source: what was written since the last look, and whether it is still the same file."""

from __future__ import annotations

import os
import select
import stat
from dataclasses import dataclass

from ..errors import CaptureError
from .spool import Spool

CHUNK = 1 << 26
"""Bytes taken at once."""
_KNOWN = 64
"""Bytes before the place read to that are compared: a file that was cut and has grown again is another one."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a source. ``at``: byte offset in what came from it."""

    rule: str
    at: int
    message: str


class Tail:
    """One source that grows. ``spool`` holds what came; offsets count on where the file is replaced or cut.

    ended   nothing will come any more: all that wrote to the pipe have closed it
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.spool = Spool()
        self.ended = False
        self.events: list[Event] = []
        self._open()

    def _open(self) -> None:
        if self.path == "-":
            self._fd = os.dup(0)  # the program may take the terminal as its standard input
        else:
            try:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
            except OSError as e:
                raise CaptureError(f"{self.path}: {e.strerror or e}") from None
        found = os.fstat(self._fd)
        if stat.S_ISDIR(found.st_mode):
            os.close(self._fd)
            raise CaptureError(f"{self.path}: is a folder; give the files of the capture")
        self._is_file = stat.S_ISREG(found.st_mode)
        self._at = os.lseek(self._fd, 0, os.SEEK_CUR) if self._is_file and self.path == "-" else 0
        self._last = b""
        self._started = False
        self._poll = select.poll()
        if not self._is_file:
            self._poll.register(self._fd, select.POLLIN)

    @property
    def waits_on(self) -> int | None:
        """A descriptor that tells when there is more; None for a plain file, which has to be looked at."""
        return None if self._is_file or self.ended else self._fd

    def left(self) -> int:
        """Bytes of a file that are there and were not taken."""
        return max(os.fstat(self._fd).st_size - self._at, 0) if self._is_file else 0

    def close(self) -> None:
        """Let go of the source."""
        if self._fd > 0:
            os.close(self._fd)
            self._fd = -1

    def take(self) -> bool:
        """Take what is new, at most CHUNK bytes; whether there was any. Raises CaptureError, OSError."""
        if self.ended:
            return False
        return self._from_file() if self._is_file else self._from_stream()

    def _from_stream(self) -> bool:
        ready = self._poll.poll(0)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            return False
        if data:
            self._started = True
            self.spool.append(data)
            return True
        # before the first writer a FIFO reads as empty, but does not say that it was hung up
        self.ended = self._started or self.path == "-" or bool(ready[0][1] & select.POLLHUP)
        return False

    def _from_file(self) -> bool:
        size = os.fstat(self._fd).st_size
        if size == 0 and self._at == 0:
            return self._from_size_zero()
        if size < self._at or (
            self._last and size != self._at and os.pread(self._fd, len(self._last), self._at - len(self._last)) != self._last
        ):
            self._event("SOURCE-CUT", "was cut: what is written to it from now on is read from its start")
            self._at, self._last = 0, b""
        if size > self._at:
            self._started = True
            before = self.spool.size
            self._at += self.spool.append_from(self._fd, self._at, min(size - self._at, CHUNK))
            self._last = bytes(self.spool.data()[max(before, self.spool.size - _KNOWN) : self.spool.size])
            return self.spool.size > before
        if self.path != "-":
            self._look_for_another()
        return False

    def _from_size_zero(self) -> bool:
        """An empty file, or one of tracefs, which has no size and may be read only once."""
        try:
            data = os.read(self._fd, 1 << 20)
        except BlockingIOError:
            self._become_stream()
            return False
        if data and os.fstat(self._fd).st_size == 0:
            self._become_stream()
            self.spool.append(data)
            return True
        if data:
            self.spool.append(data)
            self._at, self._last, self._started = len(data), data[-_KNOWN:], True
            return True
        self._look_for_another()
        return False

    def _become_stream(self) -> None:
        self._is_file = False
        self._started = True
        self._poll.register(self._fd, select.POLLIN)

    def _look_for_another(self) -> None:
        """Go on with the file that has taken the place of this one, now that this one is read to its end."""
        try:
            new, old = os.stat(self.path), os.fstat(self._fd)
        except OSError:
            return  # moved away, and no new one yet
        if (new.st_dev, new.st_ino) == (old.st_dev, old.st_ino) or not stat.S_ISREG(new.st_mode):
            return
        was = self._fd
        try:
            self._open()
        except CaptureError:
            self._fd = was
            return
        os.close(was)
        self._event("SOURCE-REPLACED", "was replaced by another file of that name, which is read on from its start")

    def _event(self, rule: str, what: str) -> None:
        if self.spool.size and self.spool.data()[-1:] != b"\n":
            self.spool.append(b"\n")  # the rest of a line that will not come
        self.events.append(Event(rule, self.spool.size, f"{self.path} {what}"))
