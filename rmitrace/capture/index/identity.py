"""What an index belongs to: the files as they were when they were read, and the program that read them."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from functools import cache
from typing import Any, NamedTuple

import rmitrace

_ENDS = 1 << 16
"""Bytes of the head and of the tail that are hashed."""
_SAMPLES, _SAMPLE = 64, 4096
"""Places between them that are looked at, and bytes at each."""
_SETTLED_NS = 100_000_000
"""Time since a file was changed from which on a further change shows in its times: their granularity is a tick, 10 ms at most."""
_OURS = ("capture", "checks", "correlate", "diagnose", "formats", "lifecycle", "listing")
_READING = ("decoders", *(f"rmitrace/{n}" for n in _OURS))
"""Folders of the code whose results an index holds."""


class Stamp(NamedTuple):
    """A file as it was. Times in ns since 1970; ``content``: hash of its head, of its tail and of samples between them."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    content: str


def stamp(path: str) -> Stamp | None:
    """The file as it is, None where it is no plain file. Raises OSError.

    The time of the last change of the inode is a part of it: who writes to a file and then sets its time back changes that.
    """
    with open(path, "rb", opener=lambda p, flags: os.open(p, flags | os.O_NONBLOCK)) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            return None
        return Stamp(
            os.path.realpath(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, _content(file.fileno(), found.st_size)
        )


def _content(fd: int, size: int) -> str:
    seen = hashlib.blake2b(digest_size=20)
    seen.update(os.pread(fd, _ENDS, 0))
    seen.update(os.pread(fd, _ENDS, max(size - _ENDS, 0)))
    for i in range(1, _SAMPLES + 1):
        seen.update(os.pread(fd, _SAMPLE, size * i // (_SAMPLES + 1)))
    return seen.hexdigest()


def settled(stamps: list[Stamp]) -> bool:
    """Whether every change of the files from now on will show in their times."""
    now = time.time_ns()
    return all(now - max(s.mtime_ns, s.ctime_ns) > _SETTLED_NS for s in stamps)


@cache
def program() -> str:
    """Which program reads: its version, and name, size and time of every module that decides what is read."""
    seen = hashlib.blake2b(rmitrace.__version__.encode(), digest_size=20)
    root = os.path.dirname(os.path.dirname(os.path.abspath(rmitrace.__file__)))
    for top in _READING:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders.sort()
            for name in sorted(f for f in files if f.endswith(".py")):
                s = os.stat(os.path.join(folder, name))
                seen.update(f"{folder}/{name} {s.st_size} {s.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()


def key(stamps: list[Stamp], options: dict[str, Any]) -> dict[str, Any]:
    """All that has to be the same, as JSON gives it back."""
    return {"program": program(), "files": [list(s) for s in stamps], "options": options}


def name(paths: list[str], options: dict[str, Any]) -> str:
    """The name of the index of some files (real paths) read in some way."""
    said = "\0".join([*paths, repr(sorted(options.items()))])
    return hashlib.blake2b(said.encode("utf-8", "surrogateescape"), digest_size=20).hexdigest()
