"""The folder in which index files are kept: where it is, how much it may hold, and what goes when that is too much."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from dataclasses import dataclass
from typing import Any

from . import container

SUFFIX = ".index"
LIMIT = 8 << 30
"""Bytes that all index files together may have; the environment variable RMITRACE_CACHE_LIMIT overrules it."""
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SPARE = 2
"""Times the size of an index that has to be free on the disk for it to be written."""
_LEFT_OVER_S = 24 * 3600
"""Age from which on a file that is not whole is nobody's any more."""


def path() -> str:
    """The folder, after the XDG Base Directory Specification: relative values of $XDG_CACHE_HOME are ignored."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "rmitrace")


def limit() -> int:
    """Bytes that all index files together may have: $RMITRACE_CACHE_LIMIT as ``512M`` or ``20G``, 0 for none at all."""
    text = os.environ.get("RMITRACE_CACHE_LIMIT", "").strip().upper().removesuffix("IB").removesuffix("B")
    unit = text[-1:] if text[-1:] in _UNITS else ""
    digits = text.removesuffix(unit)
    return int(digits) * _UNITS[unit] if digits.isascii() and digits.isdigit() and len(digits) < 16 else LIMIT


def prepare() -> str | None:
    """The folder, made where there is none; None where it cannot be used: another user owns it or may write to it."""
    folder = path()
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError:
        return None
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    return folder if own and os.access(folder, os.W_OK | os.X_OK) else None


@dataclass(frozen=True, slots=True)
class Entry:
    """An index file. ``used``: when it was last written or read, s since 1970."""

    path: str
    size: int
    used: float

    def key(self) -> Any:
        """What the file says that it is the index of; None where it is not one."""
        try:
            return container.key_of(self.path)[0]
        except (container.Damaged, OSError):
            return None


def entries() -> list[Entry]:
    """The index files, those used last first."""
    found = []
    with contextlib.suppress(OSError), os.scandir(path()) as listed:
        for e in listed:
            with contextlib.suppress(OSError):
                s = e.stat(follow_symlinks=False)
                if e.name.endswith(SUFFIX) and stat.S_ISREG(s.st_mode):
                    found.append(Entry(e.path, s.st_size, s.st_mtime))
    return sorted(found, key=lambda e: -e.used)


def has_room(size: int) -> bool:
    """Whether an index of about so many bytes may be written at all."""
    try:
        return size <= limit() and shutil.disk_usage(path()).free >= size * _SPARE
    except OSError:
        return False


def used(file: str) -> None:
    """Note that an index was read: what was not for the longest time goes first."""
    with contextlib.suppress(OSError):
        os.utime(file, follow_symlinks=False)


def evict(keep: str) -> None:
    """Remove the index files used longest ago until the rest is within the limit, and what was never finished."""
    left, total = limit(), 0
    for e in sorted(entries(), key=lambda e: e.path != keep):
        total += e.size
        if total > left and e.path != keep:
            total -= e.size
            _remove(e.path)
    with contextlib.suppress(OSError), os.scandir(path()) as listed:
        for unfinished in listed:
            with contextlib.suppress(OSError):
                old = time.time() - unfinished.stat(follow_symlinks=False).st_mtime > _LEFT_OVER_S
                if unfinished.name.startswith(container.TEMPORARY) and old:
                    _remove(unfinished.path)


def clear() -> tuple[int, int]:
    """Remove every index file; how many there were and their bytes."""
    gone = [e for e in entries() if _remove(e.path)]
    with contextlib.suppress(OSError):
        for name in os.listdir(path()):
            if name.startswith(container.TEMPORARY):
                _remove(os.path.join(path(), name))
    return len(gone), sum(e.size for e in gone)


def _remove(file: str) -> bool:
    try:
        os.unlink(file)
    except OSError:
        return False
    return True
