"""Recording on another machine over ssh: the script goes in over standard input, the capture comes back over standard output."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import IO, Self

from .script import script

MAGIC = b"\x17\x08\x44tracing"
"""How a trace.dat begins."""
GO_ON, STOP = b"on\n", b"stop\n"
"""What is said to the script meanwhile."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where and how to record.

    host     as ssh takes it: USER@HOST, or a name of ~/.ssh/config
    ssh      the program and its options: ``ssh -p 2222``
    sudo     become root there with ``sudo -n``
    patience seconds without a word from here after which the recorder there takes the connection for dead and cleans up
    """

    host: str
    ssh: tuple[str, ...] = ("ssh",)
    sudo: bool = False
    patience: int = 30


def command(remote: Remote, options: list[str], what: list[str]) -> list[str]:
    """The command line: ssh to the host, and there a shell that reads the script, with its options and what to run meanwhile."""
    there = ["sudo", "-n"] if remote.sudo else []
    there += ["sh", "-s", "--", "-o", "-", "--fed", str(remote.patience), *options, *(["--", *what] if what else [])]
    return [*remote.ssh, "--", remote.host, shlex.join(there)]


def record(remote: Remote, options: list[str], what: list[str], out: IO[bytes]) -> int:
    """Record there, write the capture here; the exit status of ssh. What the script says goes to this stderr.

    The first Ctrl-C ends the recording, and the capture comes; the next one, and one before the script is over there, ends
    the connection. Raises OSError where ssh cannot be started.
    """
    argv = command(remote, options, what)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out, preexec_fn=_ignore_ctrl_c) as p, _CtrlC(p) as ctrl_c:
        assert p.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # ssh is gone; its status says why
            p.stdin.write(script().encode("ascii"))
            p.stdin.flush()
        ctrl_c.most = 1
        word, due = b"", 0.0
        while p.poll() is None:
            now = time.monotonic()
            if now >= due or (ctrl_c.count and word != STOP):
                word, due = STOP if ctrl_c.count else GO_ON, now + remote.patience / 6
                with contextlib.suppress(BrokenPipeError):
                    p.stdin.write(word)
                    p.stdin.flush()
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(0.1)
        with contextlib.suppress(BrokenPipeError):
            p.stdin.close()
        return p.returncode


class _CtrlC:
    """Counts Ctrl-C meanwhile, and ends a process where there are more than ``most``.

    An exception anywhere (KeyboardInterrupt) could leave a lock of subprocess held.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.count = self.most = 0

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, *_: object) -> None:
        self.count += 1
        if self.count > self.most:
            self._process.terminate()


def _ignore_ctrl_c() -> None:
    """ssh is of the same terminal; it respects a SIGINT that is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def is_whole(path: str) -> bool:
    """Whether a file begins as a capture does."""
    with open(path, "rb") as f:
        return f.read(len(MAGIC)) == MAGIC and os.fstat(f.fileno()).st_size > 4096
