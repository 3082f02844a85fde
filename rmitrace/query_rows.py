"""A condition worked out for some thousand rows at a time, each part of it (see .query_split) in the way that takes least."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .query_columns import COMPARED, FEW, REGISTERS, Coded, Some, coded, coded_here, columns, gather
from .query_split import Joined, Leaf, Part, split

if TYPE_CHECKING:
    import polars as pl

    from .capture import Capture

Flags = npt.NDArray[np.bool_]
Work = Callable[[Some], Flags]
"""Says for which of some rows a condition holds."""

_MOST_COMBINATIONS = 1 << 16


def worked(capture: Capture, expression: pl.Expr, where: str) -> Work:
    """What works a condition out that looks at one row at a time (see query.row_by_row). It raises ValueError."""
    return _worked(capture, split(expression, FEW.__contains__), where)[1]


def _worked(capture: Capture, part: Part, where: str) -> tuple[int, Work]:
    """The same of a part of it, with a number that is the higher the longer it takes."""
    if isinstance(part, Joined):
        each = sorted((_worked(capture, p, where) for p in part.parts), key=lambda found: found[0])
        return each[-1][0], _joined(part.any, [work for _, work in each])
    if part.compared is not None and part.names[0] in COMPARED:
        by, number = part.compared
        return 1, lambda some: some.compare(part.names[0], by, number)
    few = coded(capture, part.names)
    truth = _truth(part, where, few) if len(few) == len(part.names) else None
    if truth is not None:
        return 0, lambda some: _by_truth(truth, few, some.rows)
    return 2 + len(part.names), lambda some: _leaf(part, where, some)


def _joined(any_: bool, each: list[Work]) -> Work:
    def work(some: Some) -> Flags:
        out = each[0](some)
        for one in each[1:]:
            if out.all() if any_ else not out.any():
                break
            out = out | one(some) if any_ else out & one(some)
        return out

    return work


def _leaf(part: Leaf, where: str, some: Some) -> Flags:
    count = some.rows.stop - some.rows.start
    if part.names and (few := coded_here(some.capture, part.names, some.rows)) is not None:
        return _by_combination(part.expression, where, few, count)
    registers = some.registers if any(n in REGISTERS for n in part.names) else None
    return flags(part.expression, where, columns(some.capture, part.names, some.rows, registers), count)


def flags(expression: pl.Expr, where: str, columns: dict[str, pl.Series], count: int) -> Flags:
    """For which of ``count`` rows a condition holds, of the columns that it names. Raises ValueError."""
    hit = _holds(expression, where, columns, count)
    if len(hit) != count:
        hit = hit.new_from_index(0, count)  # a constant: TRUE
    return hit.fill_null(False).to_numpy()


def _holds(expression: pl.Expr, where: str, columns: dict[str, pl.Series], count: int) -> pl.Series:
    import polars as pl

    frame = pl.DataFrame(columns or {"row": np.arange(count)})
    try:
        hit = frame.lazy().select(expression.alias("hit")).collect()["hit"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as e:
        raise ValueError(reason(e)) from None
    if hit.dtype != pl.Boolean:
        raise ValueError(f"a condition is wanted, this is a value: {one_line(where)}")
    return hit


def reason(error: BaseException) -> str:
    """The first line of what Polars says."""
    first = str(error).strip().split("\n", 1)[0]
    return one_line(first) or type(error).__name__


def one_line(text: str) -> str:
    """A text without line ends."""
    return " ".join(text.split())


def _truth(part: Leaf, where: str, few: dict[str, Coded]) -> npt.NDArray[np.bool_] | None:
    """Whether the condition holds for each combination of the values of columns; None where there are too many."""
    sizes = [len(c.values) for c in few.values()]
    total = math.prod(sizes)
    if not few or total > _MOST_COMBINATIONS:
        return None
    places = np.unravel_index(np.arange(total), sizes)
    values = {n: c.values.gather(at.astype(np.uint32)) for (n, c), at in zip(few.items(), places, strict=True)}
    hit = _holds(part.expression, where, values, total)
    return hit.fill_null(False).to_numpy() if len(hit) == total else None


def _by_truth(truth: npt.NDArray[np.bool_], few: dict[str, Coded], rows: slice) -> Flags:
    if not truth.any():
        return np.zeros(rows.stop - rows.start, dtype=bool)
    held: Flags
    if len(few) == 1:
        codes = next(iter(few.values())).codes[rows]
        held = truth[codes.view(np.uint8) if codes.dtype == bool else codes]  # -1 is the last, see Coded
    else:
        held = truth[_combination(few, rows)]
    return held


def _by_combination(expression: pl.Expr, where: str, few: dict[str, Coded], count: int) -> Flags:
    """For which of some rows a condition holds, worked out for each combination of values that they have."""
    sizes = [len(c.values) for c in few.values()]
    if len(sizes) == 1:
        (name, (codes, texts)) = next(iter(few.items()))
        held: Flags = flags(expression, where, {name: texts}, sizes[0])[codes]  # -1 is the last, see Coded
        return held
    if math.prod(sizes) > _MOST_COMBINATIONS << 6:
        return flags(expression, where, {n: gather(c.values, c.codes) for n, c in few.items()}, count)
    which = _combination(few, slice(0, count))
    there = np.zeros(math.prod(sizes), dtype=bool)
    there[which] = True
    found = np.flatnonzero(there)
    places = np.unravel_index(found, sizes)
    values = {n: c.values.gather(at.astype(np.uint32)) for (n, c), at in zip(few.items(), places, strict=True)}
    there[found] = flags(expression, where, values, len(found))
    found_in: Flags = there[which]
    return found_in


def _combination(few: dict[str, Coded], rows: slice) -> Any:
    """The combination of values that each of some rows has."""
    out: Any = 0
    for codes, values in few.values():
        some = codes[rows].astype(np.int64)
        out = out * len(values) + np.where(some < 0, len(values) - 1, some)
    return out
