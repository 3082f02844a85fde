"""The viewer in a pseudo terminal: how long until the first screen, and until it ends."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINES, COLUMNS = 50, 200
_TICKS = os.sysconf("SC_CLK_TCK")
_LIMIT_S = 120


def in_terminal(path: Path, *options: str, key: bytes = b"q", after: float = 0.0) -> dict[str, float]:
    """Start the viewer in a pseudo terminal, press a key some seconds after the first screen.

    first, first_cpu   seconds from the start of the process until the first screen was written
    end                seconds from the key until the process ended
    """
    command = [sys.executable, "-m", "rmitrace", "view", *options, str(path)]
    began = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", PYTHONPATH=str(ROOT))
        os.execv(sys.executable, command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    out: dict[str, float] = {}
    try:
        for seen in _output(fd, began + _LIMIT_S):
            if "first" not in out and b"Timeline" in seen and b"Calls" in seen:
                out["first"] = time.perf_counter() - began
                used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                out["first_cpu"] = (int(used[11]) + int(used[12])) / _TICKS
            if "first" in out and "pressed" not in out and time.perf_counter() - began > out["first"] + after:
                os.write(fd, key)
                out["pressed"] = time.perf_counter()
        if "pressed" in out:
            out["end"] = time.perf_counter() - out.pop("pressed")
    finally:
        os.close(fd)
        _, status = os.waitpid(pid, 0)
    if status or "end" not in out:
        raise SystemExit(f"the viewer ended with {status}")
    return out


def _output(fd: int, limit: float) -> Iterator[bytes]:
    """All that came by now, at least every 20 ms, until the other end is closed."""
    seen = b""
    while time.perf_counter() < limit:
        if select.select([fd], [], [], 0.02)[0]:
            try:
                more = os.read(fd, 1 << 16)
            except OSError:
                return
            if not more:
                return
            seen += more
        yield seen
