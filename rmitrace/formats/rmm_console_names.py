"""From the name that an RMM console row prints to the call behind it.

A row says ``SMC_RMI_PDEV_CREATE``, never the function id; names mean the same function id in every revision that has
them, so the newest revision with the name is asked first. Sources: DEN0137 profiles through ``decoders``, TF-RMM's
``lib/smc/include/smc-rmi.h`` and ``smc-rsi.h`` for names that no published revision has.
"""

from __future__ import annotations

from functools import lru_cache

import decoders
from decoders.spec import Command

_SPEC_NAME = {
    "RSI_ABI_VERSION": "RSI_VERSION",  # TF-RMM up to v0.3.0
    "RSI_ATTEST_TOKEN_INIT": "RSI_ATTESTATION_TOKEN_INIT",
    "RSI_ATTEST_TOKEN_CONTINUE": "RSI_ATTESTATION_TOKEN_CONTINUE",
}
"""Names that TF-RMM prints for commands that DEN0137 spells otherwise."""

_DRAFTS = {
    "RMI_RTT_MAP_PROTECTED": 0xC4000160,  # before 1.0
    "RMI_DEV_MEM_MAP": 0xC4000172,  # 1.1-alp8 and older
    "RMI_DEV_MEM_UNMAP": 0xC4000173,
    "RMI_PDEV_RESET": 0xC4000179,
    "RMI_PDEV_NOTIFY": 0xC400017A,  # 1.1-alp12 and older
    "RMI_CMEM_ADD_PDEV": 0xC40001E4,  # 2.0-bet0
    "RMI_CMEM_CREATE": 0xC40001E5,
    "RMI_CMEM_DESTROY": 0xC40001E6,
    "RMI_CMEM_POPULATE": 0xC40001E7,
    "RMI_CMEM_REMOVE_PDEV": 0xC40001E8,
    "RMI_CMEM_START": 0xC40001E9,
    "RMI_CMEM_STOP": 0xC40001EA,
    "RMI_CMEM_UNPOPULATE": 0xC40001EB,
    "RMI_PDEV_MEC_UPDATE": 0xC40001ED,
    "RMI_VSMMU_EVENT_COMPLETE": 0xC40001EE,
    "RMI_PSMMU_EVENT_DISCARD": 0xC40001F0,
    "RMI_PDEV_SET_PROT": 0xC400020B,
}
"""Names of drafts that no revision of ``decoders`` has (differences between the drafts, TF-RMM history)."""


@lru_cache(maxsize=4096)
def command_of(name: str, revision: str) -> Command | None:
    """The command of that row name in a revision, None where the revision has none."""
    try:
        return decoders.command(_SPEC_NAME.get(name, name), revision)
    except LookupError:
        return None


@lru_cache(maxsize=4096)
def fid_of(name: str) -> int | None:
    """The function id behind a row name (``RMI_PDEV_CREATE``, ``RSI_ABI_VERSION``, ``PSCI_84000000``), None if unknown."""
    prefix, _, rest = name.partition("_")
    if prefix in ("PSCI", "SMC", "RSI") and len(rest) == 8 and not set(rest) - set("0123456789abcdef"):
        return int(rest, 16)
    for revision in reversed(decoders.REVISIONS):
        if (command := command_of(name, revision)) is not None:
            return command.fid
    return _DRAFTS.get(name)


@lru_cache(maxsize=4096)
def arg_counts(name: str) -> frozenset[int]:
    """How many arguments a command may have, over all revisions; empty where unknown. PSCI and other SMCs print seven."""
    if name.startswith(("PSCI_", "SMC_")):
        return frozenset((7,))
    found = (c for r in decoders.REVISIONS if (c := command_of(name, r)) is not None)
    return frozenset(max((a.reg for a in c.args), default=0) for c in found)


@lru_cache(maxsize=4096)
def most_outputs(name: str) -> int:
    """How many outputs (x1..) a command has at most, over all revisions. PSCI and other SMCs print three."""
    if name.startswith(("PSCI_", "SMC_")):
        return 3
    found = (c for r in decoders.REVISIONS if (c := command_of(name, r)) is not None)
    return max((o.reg for c in found for o in c.outputs), default=0)


@lru_cache(maxsize=4096)
def status_number(word: str) -> int | None:
    """The number of a status as printed (``RMI_ERROR_RTT``), None where the newest list has no such name."""
    try:
        return decoders.status_number(word)
    except LookupError:
        return None
