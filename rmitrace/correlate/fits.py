"""One sequence inside another: how what is left of a sequence after losses lies in the whole."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def earliest(part: Sequence[Hashable], whole: Sequence[Hashable]) -> list[int] | None:
    """The earliest places of ``part`` in ``whole``, in order, with others left out between; None where it is no part."""
    out: list[int] = []
    j, n = 0, len(whole)
    for key in part:
        while j < n and whole[j] != key:
            j += 1
        if j == n:
            return None
        out.append(j)
        j += 1
    return out


def certain(part: Sequence[Hashable], whole: Sequence[Hashable]) -> list[tuple[int, int]] | None:
    """Places in ``part`` and ``whole`` that belong together in every way of fitting it in; None where it does not fit."""
    first = earliest(part, whole)
    if first is None:
        return None
    last = earliest(part[::-1], whole[::-1])
    assert last is not None
    top = len(whole) - 1
    return [(i, j) for i, j in enumerate(first) if top - last[len(part) - 1 - i] == j]
