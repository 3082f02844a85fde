"""Realm Management Interface (DEN0137) by revision: one module each, stating what differs from the one before."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from ..abi import Profile

REVISIONS = ("1.0-rel0", "1.1-alp17", "2.0-bet1", "2.0-bet3")
_MODULES = {r: "v" + r.replace(".", "_").replace("-", "_").replace("_rel0", "") for r in REVISIONS}


@cache
def profile(revision: str) -> Profile:
    """The RMI of a revision. Raises LookupError for a name that is not in ``REVISIONS``."""
    if revision not in _MODULES:
        raise LookupError(f"no revision {revision!r}; there are {', '.join(REVISIONS)}")
    found: Profile = import_module("." + _MODULES[revision], __name__).PROFILE
    return found
