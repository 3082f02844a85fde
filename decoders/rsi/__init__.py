"""Realm Services Interface (DEN0137): what a Realm asks of the RMM, in the sets of 1.0, 1.1 and 2.0.

A host kernel does not issue these calls; they are seen in RMM logs and in traces taken inside a Realm.
"""

from __future__ import annotations

from functools import cache

from ..abi import Profile


@cache
def profile(revision: str) -> Profile:
    """The RSI of a DEN0137 revision. Raises LookupError for a name that is not in ``decoders.REVISIONS``."""
    from . import v1_0, v1_1, v2_0

    sets = {p.revision: p for p in (v1_0.PROFILE, v1_1.PROFILE, v2_0.BET1, v2_0.PROFILE)}
    if revision not in sets:
        raise LookupError(f"no revision {revision!r}; there are {', '.join(sets)}")
    return sets[revision]
