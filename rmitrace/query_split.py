"""A condition taken apart: what AND and OR join at its top, so that each part looks at as few columns as can be.

Where nothing stands above AND and OR, what is NULL may be taken for false: the whole is true for the same rows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

Compare = Callable[[Any, Any], Any]
_OPPOSITE: dict[Compare, Compare] = {
    operator.eq: operator.ne, operator.lt: operator.ge, operator.le: operator.gt, operator.gt: operator.le,
    operator.ge: operator.lt, operator.ne: operator.eq,
}  # fmt: skip
_MOST = 1 << 63
"""A register above is compared exactly by Polars alone."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that is worked out as a whole. ``compared``: it compares its only column with a number that is not negative."""

    expression: pl.Expr
    names: tuple[str, ...]
    compared: tuple[Compare, int] | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts that all hold, or of which ``any`` does."""

    any: bool
    parts: tuple[Part, ...]


Part = Leaf | Joined


def split(expression: pl.Expr, together: Callable[[str], bool]) -> Part:
    """Take a condition apart; what is over one column alone is left as it is where that is to be looked at ``together``."""
    names = tuple(sorted(set(expression.meta.root_names())))
    if not names or (len(names) == 1 and together(names[0])):
        return Leaf(expression, names)
    inputs = expression.meta.pop()
    if len(inputs) != 2:
        return Leaf(expression, names, _opposite(expression, inputs))
    right, left = inputs
    for any_, joined in ((False, left & right), (True, left | right)):
        if expression.meta.eq(joined):
            return _joined(any_, expression, names, [split(side, together) for side in (left, right)])
    return Leaf(expression, names, _compared(expression, left, right))


def _joined(any_: bool, expression: pl.Expr, names: tuple[str, ...], sides: list[Part]) -> Part:
    parts: list[Part] = []
    for side in sides:
        parts += side.parts if isinstance(side, Joined) and side.any is any_ else [side]
    if len(names) == 1 and not all(isinstance(p, Leaf) and p.compared for p in parts):
        return Leaf(expression, names)
    return Joined(any_, tuple(parts))


def _compared(expression: pl.Expr, left: pl.Expr, right: pl.Expr) -> tuple[Compare, int] | None:
    """What a column is compared with, and how, where that is a whole number."""
    import polars as pl

    if not (left.meta.is_column() and right.meta.is_literal()):
        return None
    number = pl.select(right).item()
    if type(number) is not int or not 0 <= number < _MOST:
        return None
    return next(((by, number) for by in _OPPOSITE if expression.meta.eq(by(left, right))), None)


def _opposite(expression: pl.Expr, inputs: list[pl.Expr]) -> tuple[Compare, int] | None:
    """The same of what is not to be, of a column that is known: x1 <> 5."""
    if len(inputs) != 1 or len(within := inputs[0].meta.pop()) != 2 or not expression.meta.eq(~inputs[0]):
        return None
    found = _compared(inputs[0], within[1], within[0])
    return None if found is None else (_OPPOSITE[found[0]], found[1])
