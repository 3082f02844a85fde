"""Under which conditions an RMI command fails, by revision.

Each table states the lists that differ from the revision before; a command without a list there keeps the older one.
What TF-RMM returns is marked as such: it is not the list of the specification.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from ...abi import Failure, failures
from . import v1_0, v1_1_alp17, v2_0_bet1, v2_0_bet3

_LINE: tuple[tuple[str, ModuleType], ...] = (
    ("1.0-rel0", v1_0),
    ("1.1-alp17", v1_1_alp17),
    ("2.0-bet1", v2_0_bet1),
    ("2.0-bet3", v2_0_bet3),
)


@cache
def of(revision: str) -> dict[str, tuple[Failure, ...]]:
    """Command -> its failure conditions, in the order the source checks them."""
    out: dict[str, tuple[Failure, ...]] = {}
    before = ""
    for name, table in _LINE:
        carried = f"; carried over from {before}"
        out = {c: tuple(f._replace(source=f.source.split("; carried")[0] + carried) for f in rows) for c, rows in out.items()}
        out.update(failures(table.TABLE, table.SOURCES))
        if name == revision:
            return out
        before = name
    raise LookupError(f"no revision {revision}")
