"""Byte loops over big sources as machine code: compiled by Numba, kept in the user's cache folder, run by all cores.

A kernel is a plain function of numbers and arrays, with the steps it calls (see kernel_steps): uncompiled it does the
same, slowly. Compiled code is used only where a source is big enough to repay that.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .kernel_code import SUFFIX, Compiled, Kernel, digest
from .kernel_workers import make

LOAD_FROM = 1 << 20
"""Bytes from which loading compiled code, up to 50 ms, is repaid by what it saves."""
COMPILE_FROM = 48 << 20
"""Bytes from which the compiling, some seconds once for every version, is repaid."""
PIECE = 4 << 20
"""Bytes that are scanned at a time, by one core."""
_KEPT = 24
_WINDOW = 1 << 16

if TYPE_CHECKING:
    from .base import Data

T = TypeVar("T")


def folder() -> Path:
    """Where compiled code is kept (XDG Base Directory Specification, $XDG_CACHE_HOME)."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "rmitrace" / "kernels"


@cache
def _digest(files: tuple[str, ...]) -> str:
    """Tells one version of the source files of a kernel from another."""
    return digest(b"".join(Path(file).read_bytes() for file in files))[:20]


def _files(function: Kernel, steps: tuple[Kernel, ...]) -> tuple[str, ...]:
    mine = (str(Path(__file__).with_name(f"kernel_{m}.py")) for m in ("intrinsics", "code", "build"))
    return tuple(dict.fromkeys([*(f.__code__.co_filename for f in (function, *steps)), *mine]))


def repaid(size: int, function: Kernel, steps: tuple[Kernel, ...]) -> bool:
    """Whether a source of so many bytes repays a kernel: less where its code is there already."""
    if size < LOAD_FROM or size >= COMPILE_FROM:
        return size >= COMPILE_FROM
    try:
        place = folder() / _digest(_files(function, steps))
        return place.is_dir() and _ours(place) and any(place.glob(f"{function.__name__}-*{SUFFIX}"))
    except (OSError, RuntimeError):  # unreadable, or no home
        return False


@cache
def compiled(function: Kernel, steps: tuple[Kernel, ...], *, behind: bool = False) -> Compiled:
    """A kernel as machine code that runs without the interpreter's lock; compiled for this run alone where it cannot be kept.

    behind  it is the first of those that a source needs: what packs and pairs its records is compiled at the same time
    """
    try:
        place = folder() / _digest(_files(function, steps))
        if not place.is_dir():
            folder().parent.parent.mkdir(parents=True, exist_ok=True)
            for part in (folder().parent, folder(), place):
                part.mkdir(0o700, exist_ok=True)
            _prune(place)
        if not _ours(place):
            return Compiled(function, steps, None)
        return Compiled(function, steps, place, partial(make, function, steps, behind=behind, cores=cores()))
    except (OSError, RuntimeError):
        return Compiled(function, steps, None)


def _ours(place: Path) -> bool:
    """Whether nobody else can put code there: what is found there is run."""
    told = [part.stat() for part in (folder().parent, folder(), place)]
    return all(t.st_uid == os.getuid() and not t.st_mode & 0o022 for t in told)


def _prune(newest: Path) -> None:
    """Remove all but the newest code."""
    import shutil

    others = sorted((p for p in folder().iterdir() if p != newest), key=lambda p: p.stat().st_mtime)
    for place in others[: 1 - _KEPT]:
        shutil.rmtree(place, ignore_errors=True)


def cores() -> int:
    """How many cores this process may use, eight at most."""
    return min(len(os.sched_getaffinity(0)), 8)


def line_end(data: Data, at: int, end: int) -> int:
    """Where the line ends that holds an offset: behind its line end, or ``end``. As fast for one line of gigabytes."""
    while at < end:
        stop = min(at + _WINDOW, end)
        found = bytes(data[at:stop]).find(b"\n")
        if found >= 0:
            return at + found + 1
        at = stop
    return end


def line_start(data: Data, start: int, at: int) -> int:
    """Where the line begins that holds an offset, not before ``start``. As fast for one line of gigabytes."""
    while at > start:
        first = max(at - _WINDOW, start)
        found = bytes(data[first:at]).rfind(b"\n")
        if found >= 0:
            return first + found + 1
        at = first
    return start


def pieces(data: Data, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pieces of about PIECE bytes that end at line ends."""
    while start < end:
        stop = line_end(data, min(start + PIECE, end) - 1, end)
        yield start, stop
        start = stop


def in_order(scan: Callable[[int, int], T], parts: Iterator[tuple[int, int]], threads: int) -> Generator[tuple[int, int, T]]:
    """What ``scan`` makes of each part, in order, with the part; several are scanned at the same time ahead of the one that
    is asked for. ``scan`` may be called by any thread."""
    if threads < 2:
        for start, end in parts:
            yield start, end, scan(start, end)
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[tuple[int, int, Future[T]]] = deque()
    with ThreadPoolExecutor(threads, "scan") as pool:
        try:
            for start, end in parts:
                waiting.append((start, end, pool.submit(scan, start, end)))
                if len(waiting) > threads:
                    first, last, found = waiting.popleft()
                    yield first, last, found.result()
            while waiting:
                first, last, found = waiting.popleft()
                yield first, last, found.result()
        finally:
            for *_, found in waiting:
                found.cancel()


@contextmanager
def behind(work: Callable[..., None]) -> Iterator[Callable[..., None]]:
    """A form of ``work`` that returns while it is still at it, in another thread, where there is another core; called again it
    waits for the work before. What that raised is raised then, or at the end."""
    if cores() < 2:
        yield work
        return
    from concurrent.futures import Future, ThreadPoolExecutor

    before: list[Future[None]] = []

    def begin(*args: Any) -> None:
        wait()
        before.append(pool.submit(work, *args))

    def wait() -> None:
        if before:
            before.pop().result()

    with ThreadPoolExecutor(1, "behind") as pool:
        yield begin
        wait()
