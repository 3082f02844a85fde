"""A comparison of two captures as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from ..compare import Comparison, Difference, Row, role


def write(c: Comparison, out: IO[str]) -> None:
    """The whole comparison."""
    json.dump(document(c), out, indent=1)
    out.write("\n")


def document(c: Comparison) -> dict[str, Any]:
    """What ``write`` prints. Calls are told by their ``seq`` of ``rmitrace decode --format json``."""
    sides = {}
    for name, n, left in (("a", c.a, c.left_out[0]), ("b", c.b, c.left_out[1])):
        sides[name] = {
            "paths": [s.path for s in n.capture.sources],
            "calls": len(n),
            "left_out": left,
            "revision": n.capture.revision.name,
            "roles": {role(kind, k): f"0x{at:x}" for kind, of in n.ordinals.items() for k, at in sorted(of.items())},
        }
    return {
        "same": c.same,
        **sides,
        "ignored": sorted(c.ignored),
        "counted": dict(c.counted),
        "first": None if c.first < 0 else _row(c, c.rows[c.first]),
        "sequences": [_difference(d) for d in c.sequences],
        "times": [_difference(d) for d in c.times],
        "differences": _Differing(c),
        "not_compared": c.unread,
    }


class _Differing(list[dict[str, Any]]):
    """The rows that differ, each made when it is written."""

    def __init__(self, c: Comparison) -> None:
        super().__init__()
        self._c = c

    def __len__(self) -> int:
        return len(self._c.differing)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (_row(self._c, self._c.rows[k]) for k in self._c.differing)


def _row(c: Comparison, row: Row) -> dict[str, Any]:
    n, seq = (c.a, row.a) if row.a >= 0 else (c.b, row.b)
    return {
        "a": row.a if row.a >= 0 else None,
        "b": row.b if row.b >= 0 else None,
        "name": n.capture.name_text(seq),
        "object": c.roles[n is c.b].get(n.capture.object_of(seq) or ""),
        "differences": [_difference(d) for d in row.differences],
    }


def _difference(d: Difference) -> dict[str, str]:
    return {"what": d.what, "name": d.name, "a": d.a, "b": d.b}
