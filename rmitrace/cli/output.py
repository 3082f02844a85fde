"""Files that commands write: never the capture itself, and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO


def is_one_of(output: str, captures: Iterable[str]) -> bool:
    """Whether the file to be written is one of the capture's."""
    return output != "-" and any(_same(output, path) for path in captures)


def _same(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def replace(target: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside a file, then put it in its place. A device or FIFO is written to. Raises OSError, and what ``write`` does."""
    if target.exists() and not target.is_file():
        with target.open("wb") as out:
            write(out)
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            write(out)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
