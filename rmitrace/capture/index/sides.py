"""What an index holds of a capture of several sides: the further sights of its calls, and how its sources go together."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ...correlate import Clock, Correlation, Link
from ..model import CALL_COLUMNS, Calls
from .container import Container, Damaged

_OF_CALLS = {"seen": np.uint32, "missing": np.uint32, "unclear": np.uint32, "changed": np.bool_}


def give(c: Correlation) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table's part, and the columns."""
    columns: dict[str, Any] = {f"sight.{name}": getattr(c.sights, name) for name in CALL_COLUMNS}
    columns |= {f"side.{name}": getattr(c, name) for name in ("of", *_OF_CALLS)}
    if c.own_ts is not None:
        columns["side.own_ts"] = c.own_ts
    return {"links": [asdict(k) for k in c.links], "sights": len(c.of), "own_ts": c.own_ts is not None}, columns


def calls_of(found: Container, prefix: str, count: int, bounds: dict[str, tuple[int, int]]) -> Calls:
    """Columns of calls. Raises Damaged where a number is not within its bounds."""
    return Calls(**{n: found.values(f"{prefix}.{n}", t, count, *bounds.get(n, ())) for n, t in CALL_COLUMNS.items()})


def take(found: Container, told: dict[str, Any], calls: int, sources: int, bounds: dict[str, tuple[int, int]]) -> Correlation:
    """The same out of the index; ``bounds``: of the columns of calls. Raises Damaged (or what JSON of another shape raises)."""
    n = told["sights"]
    sights = calls_of(found, "sight", n, bounds)
    of = found.values("side.of", np.int64, n)
    rows = np.asarray(of)
    if n and not (int(rows.min()) >= 0 and int(rows.max()) < calls and bool((np.diff(rows) >= 0).all())):
        raise Damaged("sights of calls that are not there")
    columns = {name: found.values(f"side.{name}", dtype, calls) for name, dtype in _OF_CALLS.items()}
    own_ts = found.values("side.own_ts", np.int64, calls) if told["own_ts"] else None
    links = [_link(k) for k in told["links"]]
    if not all(0 <= s < sources for k in links for s in (k.source, k.reference)):
        raise Damaged("a link of sources that are not there")
    return Correlation(sights, of, links=links, own_ts=own_ts, **columns)


def _link(told: dict[str, Any]) -> Link:
    clock = told.pop("clock")
    return Link(**{k: int(v) for k, v in told.items()}, clock=None if clock is None else Clock(**clock))
