"""A comparison of two captures as one JSON document."""

from __future__ import annotations

import json
from typing import IO, Any

from ..compare import Comparison, Difference, Row, role, roles


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
        "differences": [_row(c, c.rows[k]) for k in c.differing],
        "not_compared": c.unread,
    }


def _row(c: Comparison, row: Row) -> dict[str, Any]:
    n, seq = (c.a, row.a) if row.a >= 0 else (c.b, row.b)
    return {
        "a": row.a if row.a >= 0 else None,
        "b": row.b if row.b >= 0 else None,
        "name": n.capture.name_text(seq),
        "object": roles(n).get(n.capture.object_of(seq) or ""),
        "differences": [_difference(d) for d in row.differences],
    }


def _difference(d: Difference) -> dict[str, str]:
    return {"what": d.what, "name": d.name, "a": d.a, "b": d.b}
