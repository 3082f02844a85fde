"""The filter of a view: worked out from its parts, behind the screen where that takes long, then shown at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .rows import Counted

if TYPE_CHECKING:
    from .view import View

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for.

    where    SQL condition over calls, over messages where there are no calls; empty: all
    failed   only what failed
    object   only what is about this object, 'pdev:0x88001000'
    """

    where: str = ""
    failed: bool = False
    object: str | None = None

    def __str__(self) -> str:
        parts = [self.where] if self.where else []
        parts += ["failed only"] if self.failed else []
        parts += [f"only {self.object}"] if self.object else []
        return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter lets through.

    where    calls for which its condition holds, None without one
    mask     calls that pass, None: all; lines: messages that pass where the condition is one over messages
    counted, sets    the same for the list and for the timeline as they were when it was worked out
    """

    filter: Filter
    where: Flags | None
    mask: Flags | None
    lines: Flags | None
    counted: Counted | None
    sets: Any
    rows: Any
    timeline: Any
    count: int = 0
    """How many calls pass."""


def make_ready(view: View) -> None:
    """Load what conditions over calls are worked out with: that takes a part of a second, which the first one would wait for."""
    if view.calls:
        from ..query import check

        check(view.capture, "failed")


def filtered(view: View, wanted: Filter, progress: Callable[[int], None] | None = None) -> Filtered:
    """Work a filter out. ``progress`` is called with the number of calls looked at and may raise to stop. Raises ValueError."""
    if view.conversation_alone:
        lines = _messages(view, wanted)
        mask = None if lines is None else np.zeros(0, dtype=bool)
        return Filtered(wanted, None, mask, lines, None, None, view.rows, None)
    where = _where(view, wanted.where, progress)
    mask = where
    if wanted.failed:
        failed = np.asarray(view.capture.calls.failed)
        mask = failed if mask is None else mask & failed
    if wanted.object is not None:
        about = _about(view, wanted.object)
        mask = about if mask is None else mask & about
    counted = view.rows.counted(None if mask is None else view.rows.kept(mask))
    count = view.calls if mask is None else int(np.count_nonzero(mask))
    return Filtered(wanted, where, mask, None, counted, view.timeline.sets(mask), view.rows, view.timeline, count)


def _where(view: View, where: str, progress: Callable[[int], None] | None) -> Flags | None:
    if not where:
        return None
    if where == view.filtered.filter.where and view.filtered.where is not None:
        return view.filtered.where
    from ..query import holding

    return holding(view.capture, where, progress)


def _messages(view: View, wanted: Filter) -> Flags | None:
    """The lines that pass where the list is a conversation."""
    conditions = [c for c in (wanted.where, "refused" if wanted.failed else "") if c]
    if not conditions:
        return None
    from ..query_messages import select

    keep = np.zeros(len(view.lines), dtype=bool)
    passing = view.lines.messages
    for where in conditions:
        passing = select(view.capture, where, passing)
    kept = {id(m) for m in passing}
    keep[view.lines.lines :] = [id(m) in kept for m in view.lines.messages]
    return keep


def _about(view: View, object: str) -> Flags:
    """The calls about an object, and those in sequences of it."""
    mask = np.zeros(view.calls, dtype=bool)
    mask[view.capture.objects().rows(object)] = True
    table = view.sequences
    mine = np.zeros(len(table) + 1, dtype=bool)
    mine[table.of_object(object)] = True
    for start, owner in view.owners.pieces():
        mask[start : start + len(owner)] |= mine[owner]
    return mask
