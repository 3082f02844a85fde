"""What an index holds of how the calls are laid out: the object of each, their order in the list, the lanes of the timeline."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...lifecycle.objects import KINDS, ObjectColumn
from ...listing.arrangement import Arrangement, lines_of
from ...listing.assigning import Lane
from ...listing.laneset import EVERY
from ...listing.overview import Overview
from ...listing.segments import RowKind, Segments
from ..packed import Column
from . import contents
from .container import Container, Damaged

if TYPE_CHECKING:
    from ..model import Capture

_OF_SEGMENTS = ("kind", "ref", "place", "sequence", "step")
_OF_CALLS = ("owner", "owning")
_MOVED = ("order", "placed")
_WHERE = ("of_sequence", "of_step", "of_line")


def give_objects(objects: ObjectColumn) -> dict[str, Any]:
    """The columns of the object of each call."""
    return {"object.kind": objects.kind, "object.addr": objects.addr}


def take_objects(found: Container, capture: Capture) -> ObjectColumn:
    """The same out of the index. Raises Damaged."""
    kind = found.values("object.kind", np.int8, len(capture), 0, len(KINDS))
    return ObjectColumn.of(kind, found.values("object.addr", np.uint64, len(capture)))


def give(arrangement: Arrangement) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table's part and the columns."""
    s = arrangement.segments
    lanes, lane_of, of_sequence = arrangement.assigned
    columns = {f"list.{n}": getattr(s, n) for n in (*_OF_SEGMENTS, *_OF_CALLS, *_WHERE)}
    if s.order is not None:
        columns |= {f"list.{n}": getattr(s, n) for n in _MOVED}
    columns |= {"list.lines": Column(np.int64, arrangement.lines), "lane.of": lane_of, "lane.sequence": of_sequence}
    columns["lane.before"] = arrangement.before
    told = {"lanes": [[lane.label, lane.object] for lane in lanes], "segments": len(s), "lines": len(arrangement.lines)}
    return told | {"moved": s.order is not None, "overview": asdict(arrangement.overview)}, columns


def take(found: Container, capture: Capture, told: dict[str, Any]) -> Arrangement:
    """The same out of the index, of a capture whose sequences are known. Raises Damaged (or what JSON of another shape
    raises) where it is not of these sequences and lines, or a number is not within its bounds."""
    calls, count = len(capture), contents.a(int, told["segments"])
    lines = np.asarray(found.values("list.lines", np.int64, contents.a(int, told["lines"])))
    if not np.array_equal(lines, lines_of(capture)):
        raise Damaged("lines at other places")
    lanes = [Lane(contents.a(str, label), None if of is None else contents.a(str, of)) for label, of in told["lanes"]]
    sequences, steps = len(capture.sequences), len(capture.sequences.step_name)
    of_sequence = found.values("lane.sequence", np.int64, sequences, -1, len(lanes))
    assigned = lanes, found.values("lane.of", np.int16, calls, 0, len(lanes)), np.asarray(of_sequence)
    segments = _segments(found, calls, count, (sequences, steps, len(lines)), contents.a(bool, told["moved"]))
    return Arrangement(lines, segments, assigned, _before(found, calls, len(lanes)), _overview(told["overview"], calls))


def _overview(told: Any, calls: int) -> Overview:
    out = Overview(**contents.a(dict, told))
    if out.first_ns is not None and not -(1 << 63) <= contents.a(int, out.first_ns) < 1 << 63:
        raise Damaged("a time that cannot be")
    contents.a(bool, out.rising)
    if out.cpus not in (0, 1, 2) or out.tasks not in (0, 1, 2) or not 0 <= contents.a(int, out.failed) <= calls:
        raise Damaged("calls that cannot be so")
    return out


def _segments(found: Container, calls: int, count: int, many: tuple[int, int, int], moved: bool) -> Segments:
    """``many``: how many sequences, steps and lines there are."""
    out, (sequences, steps, _) = Segments(calls), many
    ends = {"kind": (0, len(RowKind)), "place": (0, calls + 1), "sequence": (-1, sequences), "step": (-1, steps)}
    for name in _OF_SEGMENTS:
        setattr(out, name, found.values(f"list.{name}", getattr(out, name).dtype, count, *ends.get(name, ())))
    for name, end in zip(_OF_CALLS, (sequences, steps), strict=True):
        setattr(out, name, found.values(f"list.{name}", np.int32, calls, -1, end))
    for name in _MOVED if moved else ():
        setattr(out, name, found.values(f"list.{name}", np.int64, calls, 0, calls))
    for name, end in zip(_WHERE, many, strict=True):
        setattr(out, name, np.asarray(found.values(f"list.{name}", np.int32, end, -1, count)))
    _check(out, calls, many)
    return out


def _check(s: Segments, calls: int, many: tuple[int, int, int]) -> None:
    """Raise Damaged where segments are not in the order of their places, or one shows what is not there or stands elsewhere."""
    end, base = np.zeros(len(RowKind), dtype=np.int64), np.zeros(len(RowKind), dtype=np.int64)
    end[[RowKind.SEQUENCE, RowKind.STEP, RowKind.LINE, RowKind.CALL]] = *many, max(calls, 1)
    base[[RowKind.SEQUENCE, RowKind.STEP, RowKind.LINE]] = 0, many[0], many[0] + many[1]
    where = np.concatenate([s.of_sequence, s.of_step, s.of_line])
    last = 0
    for a, b in pairwise([*range(0, len(s), Column.PIECE), len(s)]):
        place, ref, kind = s.place[a:b], s.ref[a:b], s.kind[a:b]
        if int(place[0]) < last or bool((place[1:] < place[:-1]).any()):
            raise Damaged("segments in another order")
        last = int(place[-1])
        if int(ref.min()) < 0 or bool((ref >= end[kind]).any()):
            raise Damaged("a segment of what is not there")
        head = np.flatnonzero(kind != RowKind.CALL)
        if not np.array_equal(where[base[kind[head]] + ref[head]], head + a):
            raise Damaged("a segment that stands elsewhere")
    if calls and (not len(s) or int(s.place[0])):
        raise Damaged("a list without its first call")


def _before(found: Container, calls: int, lanes: int) -> Any:
    before = found.values("lane.before", np.int32, (-(-calls // EVERY) + 1) * lanes).reshape(-1, lanes)
    if bool(before[0].any()) or bool((before[1:] < before[:-1]).any()) or int(before[-1].sum(dtype=np.int64)) != calls:
        raise Damaged("calls of lanes that are too few or too many")
    return before
