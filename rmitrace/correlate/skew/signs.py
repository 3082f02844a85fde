"""The signs of one source, each with the side that it is of (DEN0137 differences between the drafts, TF-RMM's history)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...capture.records import Kind
from ...capture.revision import ALL, DEVICE_REVISIONS, R10, R11, R20B1, R20B3, Evidence, Signs, fid_signs, fid_table, texts_of
from ..keys import Rows, registers, rows_of
from .pages import signs_in_pages
from .telling import DEV_VALIDATE, FIRST, PSCI_COMPLETE, VERSION, Said, telling

if TYPE_CHECKING:
    from ...capture.model import Capture, SourceCalls

BEFORE = "before 1.0"
"""A draft that is older than every table: RMI version 56.0 and the like."""

_BANNER = re.compile(r"RMI(?:/RSI)? ABI (?:revision )?v\.?(\d{1,4})\.(\d{1,4})")
_RMM = re.compile(r"Booting RMM v\.?0\.(\d{1,3})\.\d")
_PREFIX_ROWS = 50
"""Rows that are looked at for the prefix of their name."""


def signs_of(capture: Capture, source: int, named: bool) -> Iterable[Evidence]:
    """The signs of a source. ``named``: its name is in their texts."""
    name = f" in {capture.sources[source].name}" if named else ""
    for e in (*_of_calls(capture, source), *_of_texts(capture, source)):
        yield replace(e, fits=_with_older(e), text=e.text + name)


def _with_older(e: Evidence) -> tuple[str, ...]:
    """Commands of 1.0 were there before it; a version number says which it is."""
    return (BEFORE, *e.fits) if R10 in e.fits and e.text.endswith(" used") else e.fits


def _of_calls(capture: Capture, source: int) -> Iterator[Evidence]:
    console = capture.sources[source].format == "rmm-console"
    told = telling(capture, source)
    yield from _function_ids(capture, source, told.said, console)
    if not told.said:
        return
    collected = Signs()
    shown = told.calls
    collected.from_calls(capture.sources[source].records, shown.enter, shown.exit)
    own = [e for e in collected.found if not e.text.endswith(" used")]
    yield from (replace(e, side="firmware") if console and "TRACKING_GET" in e.text else e for e in own)
    rows = rows_of(capture, source, ("RMI",), told.rows)
    yield from _version(rows)
    if console:
        yield from _rows_of_a_log(capture, source, told.rows, rows)
    else:
        yield from _arguments(rows)
        yield from signs_in_pages(capture, source)


def _function_ids(capture: Capture, source: int, said: set[tuple[int, Said]], console: bool) -> Iterator[Evidence]:
    """Used: the kernel's. Answered, or printed: the firmware has it. Refused as unknown: it has not."""
    known = {f for f, how in said if how is Said.ANSWERED}
    lacking = ({f for f, how in said if how is Said.REFUSED} - known) | _unknown(capture, source)
    asked = {f for f, _ in said}
    yield from (replace(e, side="kernel") for e in fid_signs(asked - lacking))
    word = "printed" if console else "answered"
    yield from (replace(e, side="firmware", text=e.text.removesuffix("used") + word) for e in fid_signs(known))
    table = fid_table()
    for e in fid_signs(lacking):
        yield replace(e, side="kernel", weight=min(e.weight, 3))
        there = any(table.get(f, ("core",))[0] == e.group or (e.group == "core") for f in known)
        if there:  # a firmware without device assignment refuses every command on devices
            text = e.text.removesuffix("used") + "refused as unknown"
            having: tuple[str, ...] = DEVICE_REVISIONS if e.group == "device" else ALL
            yield replace(e, side="firmware", text=text, fits=tuple(r for r in having if r not in e.fits), weight=3)


def _unknown(capture: Capture, source: int) -> set[int]:
    """Function ids that the log of an RMM says it does not know."""
    rec = capture.sources[source].records
    if "unknown-fid" not in rec.names:
        return set()
    at = np.flatnonzero((rec.kind == Kind.MARK) & (rec.name == rec.names.index("unknown-fid")) & ((rec.known & 1) != 0))
    return {int(v) & 0xFFFEFFFF for v in np.unique(rec.regs[at, 0]).tolist()}


def _version(rows: Rows) -> Iterator[Evidence]:
    """An answer of a version that no table has."""
    for i in np.flatnonzero((rows.fid == np.uint64(VERSION)) & ((rows.kr & 5) == 5)).tolist()[:50]:
        high = int(rows.r[i, 2])
        if 2 < high >> 16 < 0x100:
            yield Evidence("core", (BEFORE,), f"RMM answers RMI_VERSION with {high >> 16}.{high & 0xFFFF}", 3, "firmware")


def _rows_of_a_log(capture: Capture, source: int, shown: SourceCalls, rows: Rows) -> Iterator[Evidence]:
    """The form of the rows: names that begin with SMC_RMM_ until July 2024; until May 2023 always five arguments."""
    src = capture.sources[source]
    at = shown.first[np.isin(shown.rows, rows.call)][:_PREFIX_ROWS]
    raw = [src.raw(int(src.records.offset[r]), int(src.records.length[r])) for r in at.tolist()]
    if raw and sum(b"SMC_RMM_" in text for text in raw) * 2 > len(raw):
        text = "rows begin with SMC_RMM_, as TF-RMM printed until July 2024"
        yield Evidence("core", (BEFORE, R10), text, 4, "firmware")
    few = [i for i, f in enumerate(rows.fid.tolist()[:FIRST]) if _arity(f) < 5]
    if few and all(int(rows.kx[i]) & 0x3E == 0x3E for i in few):
        text = "rows have five arguments whatever the command, as TF-RMM printed until May 2023"
        yield Evidence("core", (BEFORE,), text, 4, "firmware")
    for form in _FORMS:
        for i in np.flatnonzero(rows.fid == np.uint64(form.fid)).tolist()[:1]:
            count = int(rows.kx[i] & 0xFE).bit_count()
            fits = form.fits.get(count)
            if fits is not None:
                yield Evidence(form.name, fits, f"rows of it have {count} arguments", 3, "firmware")


class _Form(NamedTuple):
    """A command whose arguments changed between drafts that are alike in all else; a group of its own. ``fits``: revisions by
    the number of arguments."""

    name: str
    fid: int
    fits: dict[int, tuple[str, ...]]


_FORMS = (
    _Form("RMI_RTT_DEV_VALIDATE", DEV_VALIDATE, {6: (R11, R20B1), 4: (R20B3,)}),
    _Form("RMI_PSCI_COMPLETE", PSCI_COMPLETE, {3: (R10, R11, R20B1), 2: (R20B3,)}),
)


@lru_cache(maxsize=1024)
def _arity(fid: int) -> int:
    import decoders

    command = next((c for r in reversed(ALL) if (c := decoders.command(fid, r)) is not None), None)
    return 9 if command is None else registers(command.name)[0].bit_count()


def _arguments(rows: Rows) -> Iterator[Evidence]:
    """Arguments that only some revisions have where they stand."""
    for i in np.flatnonzero(rows.fid == np.uint64(DEV_VALIDATE)).tolist()[:20]:
        if int(rows.kx[i]) & 0x60 == 0x60:
            six = bool(rows.x[i, 5] or rows.x[i, 6])
            fits: tuple[str, ...] = (R11, R20B1) if six else (R20B3,)
            yield Evidence("RMI_RTT_DEV_VALIDATE", fits, f"called with {'six' if six else 'four'} arguments", 3, "kernel")
    for i in np.flatnonzero(rows.fid == np.uint64(PSCI_COMPLETE)).tolist()[:20]:
        second = int(rows.x[i, 2])
        if int(rows.kx[i]) & 4 and second:
            rec = second & 0xFFF == 0 and second < 1 << 52
            fits = (R10, R11, R20B1) if rec else (R20B3,)
            yield Evidence("RMI_PSCI_COMPLETE", fits, f"called with {'a REC' if rec else 'the status'} in x2", 3, "kernel")


def _of_texts(capture: Capture, source: int) -> Iterator[Evidence]:
    collected = Signs()
    lines = list(texts_of(capture.sources[source]))
    collected.from_texts(lines)
    yield from collected.found
    for text in lines:
        for major, minor in _BANNER.findall(text)[:1]:
            if int(major) not in (1, 2):
                yield Evidence("core", (BEFORE,), f"RMM banner says RMI ABI {major}.{minor}", 3, "firmware")
        m = _RMM.search(text)
        if m is not None and int(m[1]) <= 5:
            yield Evidence("core", (BEFORE, R10), f"RMM banner says v0.{m[1]}, which has no device assignment", 2, "firmware")
