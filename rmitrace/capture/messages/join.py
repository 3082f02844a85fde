"""The same message in several sources of a capture: found by its bytes, or, where a log only names messages, by their
order, sizes and codes. Nothing is joined that could as well belong elsewhere when records are missing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from decoders.spdm import codes

from .model import SECURED, Change, Message

if TYPE_CHECKING:
    from ..model import Capture

Pairs = list[tuple[int, int]]
_MAC, _HEADER, _LENGTH = 16, 6, 2
"""Bytes of a secured message over DOE besides its application data (DSP0277): MAC, header, application data length."""
_ALIKE = 0.95
"""Share of equal bytes from which two messages in the same place are one that was changed on its way."""


def align(a: Sequence[Hashable], b: Sequence[Hashable]) -> Pairs:
    """Places in two sequences that hold the same, ascending in both, where that is beyond doubt when items are missing
    from either: keys that are there once are anchors; between two of them the same rule holds again; keys that are there
    as often in both, in the same order, are pairs one after the other."""
    out: Pairs = []
    work = [(0, len(a), 0, len(b))]
    while work:
        a0, a1, b0, b1 = work.pop()
        if a0 >= a1 or b0 >= b1:
            continue
        anchors = _anchors(a, b, a0, a1, b0, b1)
        if not anchors:
            out += _in_order(a, b, a0, a1, b0, b1)
            continue
        out += anchors
        for (i, j), (k, m) in zip([(a0 - 1, b0 - 1), *anchors], [*anchors, (a1, b1)], strict=True):
            if k > i + 1 and m > j + 1:
                work.append((i + 1, k, j + 1, m))
    out.sort()
    return out


def _anchors(a: Sequence[Hashable], b: Sequence[Hashable], a0: int, a1: int, b0: int, b1: int) -> Pairs:
    """The longest ascending row of places whose keys are there once on each side."""
    in_a, in_b = Counter(a[a0:a1]), Counter(b[b0:b1])
    where = {k: j for j, k in enumerate(b[b0:b1], b0) if in_b[k] == 1}
    both = [(i, where[k]) for i, k in enumerate(a[a0:a1], a0) if in_a[k] == 1 and k in where]
    tails: list[int] = []
    rows: list[int] = []
    before: list[int] = []
    for n, (_, j) in enumerate(both):
        p = bisect_left(tails, j)
        before.append(rows[p - 1] if p else -1)
        if p == len(tails):
            tails.append(j)
            rows.append(n)
        else:
            tails[p], rows[p] = j, n
    out: Pairs = []
    n = rows[-1] if rows else -1
    while n >= 0:
        out.append(both[n])
        n = before[n]
    return out[::-1]


def _in_order(a: Sequence[Hashable], b: Sequence[Hashable], a0: int, a1: int, b0: int, b1: int) -> Pairs:
    in_a, in_b = Counter(a[a0:a1]), Counter(b[b0:b1])
    same = {k for k, n in in_a.items() if in_b.get(k) == n}
    left = [i for i in range(a0, a1) if a[i] in same]
    right = [j for j in range(b0, b1) if b[j] in same]
    return list(zip(left, right, strict=True)) if [a[i] for i in left] == [b[j] for j in right] else []


def by_bytes(a: Sequence[Message], b: Sequence[Message]) -> Pairs:
    """Messages with equal bytes (padding aside); between two such, one that was cut when it was recorded, or changed in
    a few bytes, where nothing else can be meant."""
    pairs = align([_content(m) for m in a], [_content(m) for m in b])
    more: Pairs = []
    for (i, j), (k, m) in zip([(-1, -1), *pairs], [*pairs, (len(a), len(b))], strict=True):
        left, right = a[i + 1 : k], b[j + 1 : m]
        if len(left) == len(right) == 1 and _alike(left[0], right[0]):
            more.append((i + 1, j + 1))
        elif any(x.within is not None for x in (*left, *right)):  # plain text here, cipher text there
            more += [(i + 1 + p, j + 1 + q) for p, q in by_shape(left, right) if left[p].session_id is not None]
    return sorted(pairs + more)


def _content(m: Message) -> Hashable:
    if not m.data or m.declared is not None:
        return (id(m),)
    data = m.payload
    return data + bytes(-len(data) % 4)


def _alike(a: Message, b: Message) -> bool:
    x, y = a.payload, b.payload
    if a.direction != b.direction or _padded(a.size) != _padded(b.size):
        return False
    n = min(len(x), len(y))
    if n < 16:
        return False
    same = int(np.count_nonzero(np.frombuffer(x[:n], np.uint8) == np.frombuffer(y[:n], np.uint8)))
    return same >= _ALIKE * n


def _padded(size: int) -> int:
    return size + -size % 4


Shape = tuple[str, int, int]


def shape(m: Message) -> Shape:
    """What a message and a log's line about it have in common: direction and code, or the session, and the size on the
    wire in whole dwords. A secured message does not tell its direction."""
    if m.within is not None and SECURED not in m.layers:
        return "", -1 - m.within, _padded(_HEADER + _LENGTH + m.size + _MAC)
    if m.secured:
        return "", -1 - (m.session_id or 0), _padded(m.size)
    return m.direction, m.code if m.code is not None else -1, _padded(m.size)


def by_shape(a: Sequence[Message], b: Sequence[Message]) -> Pairs:
    """Messages of the same kind and size in the same order, for a log that only names them."""
    rows = [[i for i, m in enumerate(side) if m.secured or m.code is not None] for side in (a, b)]
    kept = [[side[i] for i in row] for side, row in zip((a, b), rows, strict=True)]
    shapes = [[shape(m) for m in side] for side in kept]
    # directions that were found by taking turns hold where nothing is missing: in the longer of the two, if it fits at all
    short, long = (0, 1) if len(kept[0]) <= len(kept[1]) else (1, 0)
    if all(m.sure for m in kept[short]):
        turns: list[list[Hashable]] = [[(m.direction, x) for m, x in zip(kept[n], shapes[n], strict=True)] for n in (0, 1)]
        if _fit(turns[short], turns[long]) is not None:
            return [(rows[0][i], rows[1][j]) for i, j in align_repeated(*turns)]
    return [(rows[0][i], rows[1][j]) for i, j in align_repeated(*shapes)]


def align_repeated(a: Sequence[Hashable], b: Sequence[Hashable]) -> Pairs:
    """Pairs in two sequences with many equal keys, that hold whatever is missing.

    Where one sequence is what is left of the other with some taken out: the pairs that are the same in every way of
    fitting it in. Else something is missing from both: keys that are there once, and short stretches between them.
    """
    if len(a) > len(b):
        return [(i, j) for j, i in align_repeated(b, a)]
    first = _fit(a, b)
    if first is not None:
        last = _fit(a[::-1], b[::-1])
        assert last is not None
        return [(i, j) for i, j in enumerate(first) if len(b) - 1 - last[len(a) - 1 - i] == j]
    pairs = _anchors(a, b, 0, len(a), 0, len(b))
    between: Pairs = []
    for (i, j), (k, m) in pairwise(pairs):
        left = list(a[i + 1 : k])
        if left == list(b[j + 1 : m]) and len(set(left)) == len(left):
            between += [(i + 1 + n, j + 1 + n) for n in range(len(left))]
    return sorted(pairs + between)


def _fit(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[int] | None:
    """The earliest places of ``a`` in ``b`` with others left out between them; None where it does not fit."""
    out: list[int] = []
    j = 0
    for key in a:
        while j < len(b) and b[j] != key:
            j += 1
        if j == len(b):
            return None
        out.append(j)
        j += 1
    return out


def merge(capture: Capture, streams: list[list[Message]]) -> list[Message]:
    """One stream of all of them: the same message once, in the order of the first; see ``Message.also``."""
    whole: list[Message] = []
    for stream in sorted(streams, key=_rank):
        if not whole:
            whole = list(stream)
            continue
        named = all(not m.data for m in stream) or all(not m.data for m in whole)
        pairs = by_shape(whole, stream) if named else by_bytes(whole, stream)
        if not named and _other_run(whole, stream, pairs):
            pairs = []
        whole = _interleave(whole, stream, pairs)
    return whole


_FRESH = frozenset((codes.CHALLENGE, codes.CHALLENGE_AUTH, codes.KEY_EXCHANGE, codes.KEY_EXCHANGE_RSP, codes.PSK_EXCHANGE_RSP))
"""Messages with a nonce: in another run they are others."""


def _other_run(a: Sequence[Message], b: Sequence[Message], pairs: Pairs) -> bool:
    """Whether two streams are of different runs: both have messages that no two runs share, and have none in common."""
    kinds = [{m.code or 0 for m in side if m.secured or m.code in _FRESH} for side in (a, b)]
    return bool(kinds[0] & kinds[1]) and not any(a[i].secured or a[i].code in _FRESH for i, _ in pairs)


def _rank(stream: list[Message]) -> int:
    """Streams with calls and bytes first, then those with bytes, then names."""
    if any(m.data for m in stream):
        return 0 if any(m.place.call is not None for m in stream) else 1
    return 2


def _interleave(whole: list[Message], stream: list[Message], pairs: Pairs) -> list[Message]:
    out: list[Message] = []
    i = j = 0
    for k, m in [*pairs, (len(whole), len(stream))]:
        out += whole[i:k]
        out += stream[j:m]
        if k < len(whole) and m < len(stream):
            out.append(_same(whole[k], stream[m]))
        i, j = k + 1, m + 1
    return out


def _same(a: Message, b: Message) -> Message:
    """The one of two that shows more; the other is where it was seen also, and gives it its call."""
    best, other = (b, a) if _worth(b) > _worth(a) else (a, b)
    best.also = (*best.also, other.place, *other.also)
    best.changed = best.changed or other.changed or _change(best, other)
    if best.place.call is None:
        best.place.call, best.place.device = other.place.call, other.place.device or best.place.device
    if best.secured and other.within is not None and other.declared is None and other.data:
        best.logged = other.payload
    if not best.sure and other.sure:
        best.direction, best.sure = other.direction, True
    return best


def _change(a: Message, b: Message) -> Change | None:
    """The first byte of ``a`` that is another one in ``b``; None where one of the two is not whole, or not as it was sent."""
    if not a.data or not b.data or a.declared is not None or b.declared is not None or a.within != b.within:
        return None
    x, y = a.payload, b.payload
    at = next((i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), None)
    return None if at is None else Change(b.place, at, y[at], x[at])


def _worth(m: Message) -> tuple[bool, bool, bool]:
    """Whole bytes before cut ones and names; then what was on the wire: cipher text before plain text, packets first."""
    return bool(m.data) and m.declared is None, m.within is None, m.layers[0] in ("DOE", "MCTP")
