"""Recording on another machine over ssh: the script goes in over standard input, the capture comes back over standard output."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from typing import IO

from .script import script

MAGIC = b"\x17\x08\x44tracing"
"""How a trace.dat begins."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where and how to record.

    host     as ssh takes it: USER@HOST, or a name of ~/.ssh/config
    ssh      the program and its options: ``ssh -p 2222``
    sudo     become root there with ``sudo -n``
    """

    host: str
    ssh: tuple[str, ...] = ("ssh",)
    sudo: bool = False


def command(remote: Remote, options: list[str], what: list[str]) -> list[str]:
    """The command line: ssh to the host, and there a shell that reads the script, with its options and what to run meanwhile."""
    there = [*(["sudo", "-n"] if remote.sudo else []), "sh", "-s", "--", "-o", "-", *options, *(["--", *what] if what else [])]
    return [*remote.ssh, "--", remote.host, shlex.join(there)]


def record(remote: Remote, options: list[str], what: list[str], out: IO[bytes]) -> int:
    """Record there, write the capture here; the exit status of ssh. What the script says goes to this stderr.

    Ctrl-C ends the connection, and with it the recording there. Raises OSError where ssh cannot be started.
    """
    with subprocess.Popen(command(remote, options, what), stdin=subprocess.PIPE, stdout=out) as p:
        assert p.stdin is not None
        try:
            p.stdin.write(script().encode("ascii"))
            p.stdin.close()
        except BrokenPipeError:
            pass  # ssh is gone; its status says why
        return p.wait()


def is_whole(path: str) -> bool:
    """Whether a file begins as a capture does."""
    with open(path, "rb") as f:
        return f.read(len(MAGIC)) == MAGIC and os.fstat(f.fileno()).st_size > 4096
