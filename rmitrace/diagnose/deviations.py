"""Where firmware deviates from the text of DEN0137, as far as it is known: said beside the conditions of a failed call."""

from __future__ import annotations

import re
from functools import lru_cache

import decoders
from decoders.abi import RmmCommand

_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    # command, status, revisions, what is known; what is known of one command and revision stands in its notes
    ("(P|V)DEV_.*", "SMC_NOT_SUPPORTED", ".*", "the text gives RMI_ERROR_NOT_SUPPORTED where there is no device assignment, "
     "TF-RMM gives -1"),
    (".*", "SMC_NOT_SUPPORTED", ".*", "-1 says that the firmware does not know the function id"),
    ("PDEV_CREATE", "RMI_ERROR_NOT_SUPPORTED", "1.1.*", "TF-RMM gives RMI_ERROR_NOT_SUPPORTED for flags that it does not take, "
     "the text RMI_ERROR_INPUT"),
    ("PDEV_CREATE|PDEV_STREAM_CONNECT", "RMI_ERROR_NOT_SUPPORTED", "2.*", "TF-RMM gives RMI_ERROR_NOT_SUPPORTED for a category "
     "or a stream type that it does not have (it has NCOH only)"),
    ("PDEV_STREAM_KEY_PURGE", "RMI_ERROR_NOT_SUPPORTED", "2.*", "TF-RMM does not implement it"),
    ("PDEV_COMMUNICATE", "RMI_ERROR_DEVICE", "2.*", "TF-RMM wants status NONE in the first call of a transaction; at 2.0-bet1 a "
     "call too many also drops a stream operation that was finished"),
    ("(P|V)DEV_COMMUNICATE", "RMI_ERROR_INPUT", "2.*", "TF-RMM also refuses status RESPONSE with rsp_len 0"),
    ("PDEV_STOP", "RMI_ERROR_DEVICE", "2.*", "in TF-RMM up to 2.0-bet2 a failed transaction leaves the communication state "
     "ERROR, so RMI_PDEV_ABORT has to come before RMI_PDEV_STOP; the bet3 text leaves it IDLE"),
    ("PDEV_STREAM_.*", "RMI_ERROR_(INPUT|DEVICE)", "2.*", "in TF-RMM up to 2.0-bet2 nothing gets two PDEVs out of a stream "
     "operation that failed; by the bet3 text RMI_PDEV_STREAM_COMPLETE does"),
    ("VDEV_DESTROY", "RMI_ERROR_DEVICE", "2.*", "TF-RMM refuses a VDEV in ERROR, the text does not: RMI_VDEV_UNLOCK is the way "
     "out"),
    ("PDEV_SET_PUBKEY", "RMI_ERROR_INPUT", ".*", "TF-RMM wants exactly 384, 65 or 97 bytes of key"),
    ("GRANULE_(RANGE_)?DELEGATE", "RMI_ERROR_INPUT", "2.*", "TF-RMM refuses a granule that is DELEGATED already, by the bet3 "
     "text that is harmless"),
)  # fmt: skip


_ABOUT_REFUSALS = re.compile(r"TF-RMM.*(refus|RMI_ERROR|wants|assert)|(refus|RMI_ERROR|wants|assert).*TF-RMM")


@lru_cache(maxsize=512)
def of(name: str, status: str, revision: str, spoken: str) -> tuple[str, ...]:
    """What is known of firmware that does not do what the text says, for a command that ended with a status.

    ``revision``: of the conditions; ``spoken``: of the capture.
    """
    command = name.removeprefix("RMI_")
    out = [text for c, s, r, text in _KNOWN if re.fullmatch(c, command) and re.fullmatch(s, status) and re.fullmatch(r, revision)]
    found = decoders.command(name, revision)
    if isinstance(found, RmmCommand):
        out += [n for n in found.notes if _ABOUT_REFUSALS.search(n) and _fits(n, status)]
    if not known_to(name, spoken):
        there = [r for r in decoders.REVISIONS if known_to(name, r)]
        said = ", which the firmware speaks" if status == "SMC_NOT_SUPPORTED" else f"; these conditions are those of {revision}"
        out.insert(0, f"{name} is of {' and '.join(there)}, not of {spoken}{said}")
    return tuple(out[:4])


def _fits(note: str, status: str) -> bool:
    """Whether a remark is about this status, or about none."""
    named = set(re.findall(r"RMI_ERROR_\w+|RMI_BUSY", note))
    return not named or status in named


def known_to(name: str, revision: str) -> bool:
    """Whether a revision has a command."""
    return name in decoders.profile(revision).commands
