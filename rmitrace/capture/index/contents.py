"""What of a capture an index holds: the records of its sources and the calls, their names, the revision and findings.

Registers above x7, tasks, buffers and all that is decoded come from the files themselves, as they do after reading.
"""

from __future__ import annotations

import json
import mmap
from dataclasses import asdict, replace
from typing import Any, TypeVar

import numpy as np

from ...formats import registry
from ...formats.base import Data, ReadOptions
from ..model import Calls, Capture
from ..packed import Column
from ..pairs import PAIRED
from ..records import COLUMNS, N_REGS, Finding, Kind, Records
from ..registers import Registers
from ..revision import ALL, Evidence, Revision
from ..source import Source
from . import sides
from .container import Container, Damaged

CALLS: dict[str, Any] = {
    "enter": np.int64,
    "exit": np.int64,
    "source": np.int16,
    "ts": np.int64,
    "dur": np.int64,
    "cpu": np.int32,
    "pid": np.int32,
    "fid": np.uint64,
    "name": np.int32,
    "service": np.int16,
    "status": np.int32,
    "failed": np.bool_,
    "paired": np.uint8,
    "inferred": np.bool_,
    "parent": np.int64,
}
"""The columns of Calls."""

T = TypeVar("T")


def fits(capture: Capture) -> bool:
    """Whether all that is known of a capture can be put into an index: it was read whole, and nothing of it is code but what
    its format can make again."""
    if not capture.complete or not any(len(s.records) for s in capture.sources) or len(capture.sources) > 256:
        return False
    for s in capture.sources:
        own = type(s.reader).__module__.startswith("rmitrace.formats.")
        if not own or not isinstance(_bytes(s.data), bytes | mmap.mmap):
            return False
        facts = _plain(s.records.facts)
        if len(facts) < len(s.records.facts) and not (hasattr(s.reader, "again") and s.records.facts["detail"].again):
            return False
        try:
            if json.loads(json.dumps(facts)) != facts:
                return False
        except (TypeError, ValueError):
            return False
    return True


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts but for the one that is code, see formats.base.RecordReader."""
    return {k: v for k, v in facts.items() if k != "detail"}


def _bytes(data: Any) -> Any:
    """The bytes of a source, packed parts as they are in the file (trace_dat_unpack.Unpacked)."""
    return getattr(data, "data", data)


# -- into the index


def give(capture: Capture, sizes: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to write: the table's part and the columns. ``sizes``: bytes of the files; what was unpacked is kept, too."""
    columns: dict[str, Any] = {f"call.{name}": getattr(capture.calls, name) for name in CALLS}
    sources = []
    for i, (s, size) in enumerate(zip(capture.sources, sizes, strict=True)):
        rec = s.records
        columns |= {f"{i}.{name}": getattr(rec, name) for name in COLUMNS}
        columns |= {f"{i}.x{k}": c for k, c in enumerate(rec.regs.columns)}
        data = _bytes(s.data)
        unpacked = not isinstance(data, mmap.mmap) or len(data) != size
        if unpacked:
            columns[f"{i}.data"] = np.frombuffer(data, dtype=np.uint8)
        sources.append(
            {
                "format": s.format,
                "records": len(rec),
                "unpacked": unpacked,
                "names": rec.names,
                "facts": _plain(rec.facts),
                "findings": [finding_row(f) for f in s.findings],
                "told": [finding_row(f) for f in rec.findings],
            }
        )
    meta = {
        "sources": sources,
        "calls": len(capture.calls),
        "names": capture.names,
        "services": capture.services,
        "statuses": capture.statuses,
        "revision": asdict(capture.revision),
        "reading": [finding_row(f) for f in capture.reading],
        "duplicates": capture.duplicates,
        "sides": None,
    }
    if capture.correlation is not None:
        meta["sides"], of_sides = sides.give(capture.correlation)
        columns |= of_sides
    return meta, columns


def finding_row(f: Finding) -> list[Any]:
    """A finding for JSON."""
    return [f.rule, f.severity, f.message, f.source, f.offset, f.object, list(f.calls), f.spec]


# -- out of it


def take(found: Container, paths: list[str], options: ReadOptions) -> Capture:
    """The capture. Every number is within its bounds, else Damaged (or what JSON of another shape raises) is raised."""
    meta = a(dict, found.meta)
    told = a(list, meta["sources"])
    if len(told) != len(paths):
        raise Damaged("of another number of files")
    sources = [_source(found, i, path, a(dict, t), options) for i, (path, t) in enumerate(zip(paths, told, strict=True))]
    names, services, statuses = (texts(meta[k]) for k in ("names", "services", "statuses"))
    n = a(int, meta["calls"])
    calls = sides.calls_of(found, "call", n, bounds_of(n, len(sources), names, services, statuses))
    _record_numbers(calls, sources)
    together = None
    if meta["sides"] is not None:
        told_sides = a(dict, meta["sides"])
        together = sides.take(found, told_sides, n, len(sources), bounds_of(n, len(sources), names, services, statuses))
        _record_numbers(together.sights, sources)
    return Capture(
        sources,
        calls,
        names,
        services,
        statuses,
        _revision(a(dict, meta["revision"])),
        options,
        reading=findings(meta["reading"], len(sources), n),
        duplicates=a(int, meta["duplicates"]),
        correlation=together,
    )


def bounds_of(calls: int, sources: int, names: list[str], services: list[str], statuses: list[str]) -> dict[str, tuple[int, int]]:
    """Of columns of calls the least number, and one above the greatest."""
    return {
        "source": (0, sources),
        "name": (0, len(names)),
        "service": (0, len(services)),
        "status": (-1, len(statuses)),
        "paired": (0, len(PAIRED)),
        "failed": (0, 2),
        "inferred": (0, 2),
        "parent": (-1, calls),
        "dur": (-1, 1 << 63),
    }


def _source(found: Container, i: int, path: str, told: dict[str, Any], options: ReadOptions) -> Source:
    n = a(int, told["records"])
    names = texts(told["names"])
    raw: Any = found.part(f"{i}.data") if a(bool, told["unpacked"]) else _mapped(path)
    limits = {"kind": (min(Kind), max(Kind) + 1), "name": (-1, len(names)), "known": (0, 1 << 18), "length": (0, 1 << 31)}
    columns: dict[str, Any] = {
        name: found.values(f"{i}.{name}", dtype, n, *limits.get(name, ())) for name, dtype in COLUMNS.items()
    }
    registers = Registers.of([found.values(f"{i}.x{k}", np.uint64, n) for k in range(N_REGS)])
    said = findings(told["told"], 256, 1 << 40)
    rec = Records(**columns, regs=registers, names=names, facts=a(dict, told["facts"]), findings=said)
    reader = registry.by_name(told["format"])
    if (again := getattr(reader, "again", None)) is not None:
        again(raw, rec, replace(options, path=path))
    data = rec.facts.pop("data", raw)
    _within(f"{i}.offset", rec.offset, 0, len(data) + 1)
    return Source(
        path,
        data,
        format=a(str, told["format"]),
        reader=reader,
        records=rec,
        findings=findings(told["findings"], 256, 1 << 40),
    )


def _mapped(path: str) -> Data:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _record_numbers(calls: Calls, sources: list[Source]) -> None:
    """Every call has a record, and those it has are in its source."""
    for s, source in enumerate(sources):
        if len(sources) == 1:
            parts = [(calls.enter, calls.exit)]
        else:
            mine = np.flatnonzero(calls.source == s)
            parts = [(calls.enter[mine], calls.exit[mine])]
        for enter, exit_ in parts:
            for side in (enter, exit_):
                _within("call", side, -1, len(source.records))
            if isinstance(enter, Column):
                parts += [(enter[a:b], exit_[a:b]) for a, b in enter.below(0)]
            elif len(enter) and int(np.maximum(enter, exit_).min()) < 0:
                raise Damaged("a call without a record")


def _within(name: str, column: Any, least: int, end: int) -> None:
    """Raise Damaged where a number is below ``least`` or not below ``end``."""
    if isinstance(column, Column):
        try:
            column.check(least, end)
        except ValueError as e:
            raise Damaged(f"column {name}: {e}") from None
    elif len(column) and not (least <= int(column.min()) and int(column.max()) < end):
        raise Damaged(f"column {name} has a number that cannot be")


def a(kind: type[T], value: Any) -> T:
    """A value of a type out of JSON. Raises Damaged where it is of another."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Damaged(f"{type(value).__name__} where {kind.__name__} should be")
    return value


def texts(value: Any) -> list[str]:
    """A list of texts out of JSON. Raises Damaged where it is none."""
    return [a(str, v) for v in a(list, value)]


def findings(value: Any, sources: int, calls: int) -> list[Finding]:
    """Findings out of JSON: what finding_row made. Raises Damaged (or what JSON of another shape raises)."""
    out = []
    for rule, severity, message, source, offset, object_, numbers, spec in a(list, value):
        if severity not in ("error", "warning", "note") or not -1 <= a(int, source) < sources:
            raise Damaged("a finding that cannot be")
        if not all(0 <= a(int, c) < calls for c in a(list, numbers)):
            raise Damaged("a finding about a call that is not there")
        told = None if object_ is None else a(str, object_)
        out.append(Finding(a(str, rule), severity, a(str, message), source, a(int, offset), told, tuple(numbers), a(str, spec)))
    return out


def _revision(told: dict[str, Any]) -> Revision:
    core, device = a(str, told["core"]), a(str, told["device"])
    if core not in ALL or device not in ALL:
        raise Damaged("a revision that is not known")
    lines = tuple(texts(told["evidence"]))
    by_source = {int(s): _revision(a(dict, r)) for s, r in a(dict, told["by_source"]).items()}
    return Revision(core, device, lines, a(bool, told["forced"]), a(bool, told["assumed"]), evidence(told["signs"]), by_source)


def evidence(value: Any) -> tuple[Evidence, ...]:
    """Signs of a revision out of JSON. Raises Damaged."""
    return tuple(
        Evidence(a(str, e["group"]), tuple(texts(e["fits"])), a(str, e["text"]), a(int, e["weight"]), a(str, e["side"]))
        for e in a(list, value)
    )
