"""A comparison of two captures as text: the answer first, then the differences with the calls around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from ..compare import Comparison, Difference, Row, objects_in
from ..display import safe

MOST = 40
"""Rows that differ that are shown unless all are asked for."""
_WIDTH = 160
_TOLD = 8
"""Sequences and times that are told one by one."""
_RUN = 6
"""Calls of one side in a row from which those in the middle are counted only."""


def write(c: Comparison, out: IO[str], *, context: int = 2, most: int | None = MOST) -> None:
    """The whole comparison."""
    for line in (*summary(c), *hunks(c, context, most)):
        out.write(safe(line) + "\n")


def summary(c: Comparison) -> Iterator[str]:
    """What is compared, whether it is the same, and the first difference that matters."""
    for side, n in (("A", c.a), ("B", c.b)):
        names = " + ".join(s.path for s in n.capture.sources)
        left = c.left_out[0 if side == "A" else 1]
        yield f"{side} {names}: {_many(len(n), 'call')}, {n.capture.revision.name}" + (
            f" ({left} more not compared)" if left else ""
        )
    if c.same:
        yield f"the same: {_many(len(c.a), 'call')} in the same order with the same results{_aside(c)}"
        yield from _told(c.times)
        return
    counted = ", ".join(f"{n} {k}" if k.startswith("only") else f"{n} with another {k}" for k, n in c.counted.most_common())
    yield f"they differ: {counted or 'in what is done, not in single calls'}"
    if c.first >= 0:
        yield from first_difference(c)
    yield from _told(c.sequences)
    yield from _told(c.times)
    if c.unread:
        yield f"memory and messages of {c.unread} pairs of calls were not compared"


def _aside(c: Comparison) -> str:
    both = {kind: len(v) for kind, v in c.a.ordinals.items() if kind != "stream"}
    objects = ", ".join(_many(n, kind.upper() if kind != "realm" else "Realm") for kind, n in sorted(both.items()) if n)
    return f" ({objects}; addresses differ)" if objects and c.roles[0].keys() != c.roles[1].keys() else ""


def _told(found: list[Difference]) -> Iterator[str]:
    for d in found[:_TOLD]:
        yield f"  {d.name}: {d.a} in A, {d.b} in B"
    if len(found) > _TOLD:
        yield f"  and {_many(len(found) - _TOLD, 'more sequence')}"


def first_difference(c: Comparison) -> Iterator[str]:
    """The difference that the others can follow from."""
    row = c.rows[c.first]
    if row.a >= 0 and row.b >= 0:
        counted = [d for d in row.differences if d.what not in c.ignored]
        yield f"first: call {row.a} of A, {row.b} of B: {called(c, row)}"
        yield from (f"    {difference(d)}" for d in counted)
    else:
        side, seq = ("A", row.a) if row.a >= 0 else ("B", row.b)
        yield f"first: call {seq} is only in {side}: {called(c, row)}"


def difference(d: Difference) -> str:
    """'status: RMI_SUCCESS in A, RMI_ERROR_DEVICE in B'."""
    if not d.a and not d.b:
        return f"{d.what}: {d.name}"
    name = d.name if d.what == d.name else f"{d.what} {d.name}"
    return f"{name}: {d.a} in A, {d.b} in B"


def called(c: Comparison, row: Row, which: str = "") -> str:
    """The line of a call with objects in the place of their addresses. ``which``: 'B' for that of the second capture."""
    second = row.a < 0 or (which == "B" and row.b >= 0)
    n, seq = (c.b, row.b) if second else (c.a, row.a)
    call = n.capture.call(seq)
    line = call.line
    for name, text, role in objects_in(n, call, c.called[second]):
        line = line.replace(f"{name}={text}", f"{name}={role}", 1)
    return line


def hunks(c: Comparison, context: int, most: int | None) -> Iterator[str]:
    """The rows that differ with the calls around them; what is the same between them is counted."""
    shown = c.differing if most is None else c.differing[:most]
    if not shown:
        return
    yield ""
    last = -1
    skipped = _middles(c, shown) if most is not None else set()
    for k, d in enumerate(shown):
        if d in skipped:
            if d - 1 not in skipped:
                n = next(t for t in range(d, len(c.rows) + 1) if t not in skipped) - d
                yield f"{'-' if c.rows[d].a >= 0 else '+'} ... {_many(n, 'more call')} only in {'A' if c.rows[d].a >= 0 else 'B'}"
            last = d
            continue
        start = max(d - context, last + 1)
        if start > last + 1:
            yield f"  ... {_many(start - last - 1, 'call')} the same"
        for i in range(start, d):
            yield _line(c, c.rows[i])
        yield from _differing(c, c.rows[d])
        end = min(d + context, len(c.rows) - 1, (shown[k + 1] - 1) if k + 1 < len(shown) else len(c.rows))
        for i in range(d + 1, end + 1):
            yield _line(c, c.rows[i])
        last = max(end, d)
    if len(c.differing) > len(shown):
        yield f"  ... {_many(len(c.differing) - len(shown), 'more difference')} (--all shows them)"
    elif last + 1 < len(c.rows):
        yield f"  ... {_many(len(c.rows) - last - 1, 'call')} the same"


def _middles(c: Comparison, shown: list[int]) -> set[int]:
    """Rows in the middle of long stretches of calls that only one side has."""
    out: set[int] = set()
    stretch: list[int] = []
    for d in [*shown, -2]:
        alone = d >= 0 and (c.rows[d].a < 0 or c.rows[d].b < 0)
        if stretch and not (alone and d == stretch[-1] + 1 and (c.rows[d].a < 0) == (c.rows[stretch[-1]].a < 0)):
            out.update(stretch[_RUN - 2 : -2] if len(stretch) > _RUN else [])
            stretch = []
        if alone:
            stretch.append(d)
    return out


def _line(c: Comparison, row: Row) -> str:
    return _cut(f"  {called(c, row)}")


def _differing(c: Comparison, row: Row) -> Iterator[str]:
    if row.a < 0 or row.b < 0:
        yield _cut(f"{'+' if row.a < 0 else '-'} {called(c, row)}")
        return
    yield _cut(f"! {called(c, row)}")
    for d in row.differences:
        yield f"      {difference(d)}" + (" (does not count)" if d.what in c.ignored else "")


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "\u2026"


def _many(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
