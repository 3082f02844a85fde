"""What a process cost: time, and memory."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

_EVERY_S = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a process and those it waited for.

    processor   seconds of all threads, in the process and in the kernel for it: other work on the machine does not count
    wall        seconds from start to end
    resident    bytes at most (VmHWM); the pages of a mapped file count as long as they are in memory
    own         bytes at most that are of no file (RssAnon), seen every 20 ms; of the process itself, as ``resident``
    said        the end of what it wrote onto stdout
    ended       False where it took too long and was stopped
    """

    processor: float
    wall: float
    resident: int
    own: int
    said: str
    ended: bool = True


class Failed(Exception):
    """A command did not do its work; the message says which and why."""


def as_installed(folder: Path, root: Path) -> None:
    """Let every process from here on run rmitrace of ``root`` as where it is installed: modules have their bytecode, from the
    second time on. What is kept lies in a folder."""
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    os.environ["PYTHONPATH"] = str(root)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def cost(command: Iterable[str], keep: bool = False, limit: float = float("inf"), lines: int = 0) -> Cost:
    """Run a command to its end, or until it has run for ``limit`` processor seconds, or has written so many lines where these
    are told. ``keep``: what it writes is wanted, else it goes nowhere. Raises Failed."""
    command = list(command)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if lines else out if keep else subprocess.DEVNULL,
            stderr=err,
        )
        own = _Watch(process, limit)
        enough = False
        if lines and process.stdout is not None:
            with process.stdout as written:
                enough = sum(1 for _ in islice(written, lines)) == lines
                if enough:
                    process.kill()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        own.end()
        if process.returncode not in (0, 1, 3) and not own.stopped and not enough:
            err.seek(0)
            raise Failed(f"{' '.join(command)[:200]}: status {process.returncode}: {err.read()[-1000:].decode(errors='replace')}")
        out.seek(max(0, out.seek(0, os.SEEK_END) - 4096))
        said = out.read().decode(errors="replace")
    return Cost(used.ru_utime + used.ru_stime, wall, own.resident or used.ru_maxrss * 1024, own.most, said, not own.stopped)


class _Watch:
    """Looks at the memory of a process now and then. What getrusage() says of a child is at least what its parent had."""

    def __init__(self, process: subprocess.Popen[bytes], limit: float) -> None:
        self.most = self.resident = 0
        self.stopped = False
        self._process, self._limit = process, limit
        self._folder = Path(f"/proc/{process.pid}")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(_EVERY_S):
            try:
                text = (self._folder / "status").read_text()
                times = (self._folder / "stat").read_text().rpartition(")")[2].split()  # utime and stime: the 14th and 15th field
            except OSError:
                return
            if (int(times[11]) + int(times[12])) / _TICKS > self._limit:
                self.stopped = True
                os.kill(self._process.pid, signal.SIGKILL)
                return
            self.most = max(self.most, _number(text, "RssAnon:"))
            self.resident = max(self.resident, _number(text, "VmHWM:"))

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join()


def _number(text: str, name: str) -> int:
    """Bytes of a line in /proc/PID/status, 0 where it is not there: the process is about to end."""
    at = text.find(name)
    return int(text[at:].split(None, 2)[1]) * 1024 if at >= 0 else 0
