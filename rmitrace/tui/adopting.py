"""How a later reading of a capture is looked at as the earlier one was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .view import View


def adopt(view: View, old: View) -> None:
    """Look at a capture as at an earlier reading of it: forms, folds and marks. The filter is another matter."""
    for number in old.bookmarks:
        call = view.call_at(old.key_of(number))
        if call is not None:
            view.bookmarks.add(call)
    view.time_format = old.time_format
    cpus, ordered = old.timeline.cpus, old.timeline.ordered and old.timeline.timed
    if (cpus, ordered or not view.timeline.timed) != (view.timeline.cpus, view.timeline.ordered):
        view.set_timeline(cpus=cpus, ordered=ordered)
    _adopt_folds(view, old)
    view.show_lines(old.rows.show_lines)
    if not old.grouped:
        view.regroup(False)


def _adopt_folds(view: View, old: View) -> None:
    """Unfold what was unfolded, and fold the failure that is open at first where it was folded."""
    mine, theirs = view.sequence_rows, old.sequence_rows
    changed = False
    for i in np.flatnonzero(~theirs.folded_sequence).tolist():
        now = _same_sequence(view, old, i)
        if now is not None:
            mine.folded_sequence[now], changed = False, True
    for i in np.flatnonzero(~mine.folded_sequence).tolist():
        was = _same_sequence(old, view, i)
        if was is not None and theirs.folded_sequence[was]:
            mine.folded_sequence[i], changed = True, True
    if changed:
        mine.use(None)


def _same_sequence(view: View, other: View, number: int) -> int | None:
    """The sequence of a view that one of another reading is, with the same outcome; None where there is none."""
    one, two = other.sequences, view.sequences
    key = other.key_of(int(one.first[number]))
    first = view.call_at(key)
    if first is None or view.key_of(first) != key:
        return None
    a, b = np.searchsorted(two.first, [first, first + 1])
    for i in range(int(a), int(b)):
        same = (one.kinds[one.kind[number]], one.object(number)) == (two.kinds[two.kind[i]], two.object(i))
        if same and one.outcome[number] == two.outcome[i]:
            return i
    return None
