"""Which formats there are, and which one a file is in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from .base import Data, Format

BUILTIN = (
    "packets",
    "trace_dat",
    "raw_pages",
    "perf_data",
    "perf_data",
    "calls_jsonl",
    "ftrace",
    "perf_script",
    "bpftrace",
    "qemu_int",
    "qemu_log",
    "qemu_simple",
    "rmm_console",
    "spdm_log",
)
"""Modules of this package with a FORMAT, in the order in which they are asked."""
HEAD = 256 * 1024
"""Bytes from the start of a source that a format is recognised by."""
ENOUGH = 0.2
"""The least score that counts as recognised."""


SURE = 0.9
"""A score from which on the formats behind are not asked (nor imported)."""


@cache
def _builtin(module: str) -> Format:
    found: Format = import_module(f"{__package__}.{module}").FORMAT
    return found


@cache
def _others() -> tuple[Format, ...]:
    from importlib.metadata import entry_points

    return tuple(entry.load() for entry in entry_points(group="rmitrace.formats"))


def each() -> Iterator[Format]:
    """The formats one by one, each imported when its turn comes."""
    for module in BUILTIN:
        yield _builtin(module)
    yield from _others()


def formats() -> tuple[Format, ...]:
    """Every format: the built-in ones, then those of other distributions (entry points ``rmitrace.formats``)."""
    return tuple(each())


def by_name(name: str) -> Format:
    """The format of that name. Raises LookupError."""
    for f in each():
        if f.name == name:
            return f
    raise LookupError(f"no format {name!r}; there are {', '.join(f.name for f in formats())}")


def scores(data: Data) -> list[tuple[float, Format]]:
    """The formats with how surely the head of the data is in each, surest first; asking stops at one that is sure."""
    head = bytes(data[:HEAD])
    found: list[tuple[float, Format]] = []
    for f in each():
        found.append((_score(f, head), f))
        if found[-1][0] >= SURE:
            break
    if not any(s >= ENOUGH for s, _ in found) and len(data) > HEAD:
        # a long boot log in front of the first record: look again in the middle and at the end
        for at in (len(data) // 4, len(data) // 2, len(data) - HEAD):
            start = data.rfind(b"\n", 0, max(at, 1)) + 1
            part = bytes(data[start : start + HEAD])
            found = [(max(s, _score(f, part)), f) for s, f in found]
    return sorted(found, key=lambda p: -p[0])


def _score(f: Format, head: bytes) -> float:
    return f.sniff(head) if head else 0.0
