"""Finding a call by function id or name, in every service, and reading its status: dictionary look-ups, no trees."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from . import rmi, rsi
from .abi import Profile, RmmCommand
from .spec import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

REVISIONS = rmi.REVISIONS
INDEXED = ("RMI_ERROR_RTT", "RMI_ERROR_RTT_AUX", "RMI_ERROR_PSMMU_ST", "RMI_ERROR_DPT", "RMI_ERROR_REALM")
"""The statuses that can come with an index or level, see index_of."""
NOT_SUPPORTED = -1
"""What an SMC gives that nobody answers (DEN0028), as a signed number."""

_U64 = 0xFFFFFFFFFFFFFFFF
_RMI_FIRST, _RMI_LAST = 0x150, 0x18F
_RSI_LAST = 0x1AF
_RMI2_FIRST, _RMI2_LAST = 0x1D0, 0x2CF


def base_fid(fid: int) -> int:
    """The function id in w0, without the SVE hint (bit 16 of a fast call)."""
    fid &= 0xFFFFFFFF
    return fid & ~0x10000 if fid & 0x80000000 else fid


def block(fid: int) -> str | None:
    """'RMI' or 'RSI' for an id in their ranges (DEN0137: 0xC4000150-18F, 1D0-2CF; 190-1AF), else None."""
    fid = base_fid(fid)
    if fid >> 16 != 0xC400:
        return None
    number = fid & 0xFFFF
    if _RMI_FIRST <= number <= _RMI_LAST or _RMI2_FIRST <= number <= _RMI2_LAST:
        return "RMI"
    return "RSI" if _RMI_LAST < number <= _RSI_LAST else None


def profile(revision: str, service: str = "RMI") -> Profile:
    """The tables of a revision, of 'RMI' or 'RSI'. Raises LookupError for an unknown one."""
    return rsi.profile(revision) if service == "RSI" else rmi.profile(revision)


def others(revision: str) -> Iterator[str]:
    """The other revisions, the nearest first; of two as near the newer, since a caller is rather ahead of its tables."""
    rmi.profile(revision)  # says so where there is no such revision
    at = REVISIONS.index(revision)
    yield from sorted((r for r in REVISIONS if r != revision), key=lambda r: (abs(REVISIONS.index(r) - at), -REVISIONS.index(r)))


@cache
def _by_fid(revision: str) -> dict[int, tuple[RmmCommand, str]]:
    """Every function id of RMI and RSI -> its command and the revision or draft that has it so."""
    out: dict[int, tuple[RmmCommand, str]] = {}
    for name in (revision, *others(revision)):
        for service in ("RMI", "RSI"):
            for fid, command in profile(name, service).by_fid.items():
                out.setdefault(fid, (command, name))
    for name in (revision, *others(revision)):  # known by name only
        for fid, (other, draft) in rmi.profile(name).other_fids.items():
            out.setdefault(fid, (RmmCommand(other, fid, "RMI"), draft))
    return out


@cache
def _by_name(revision: str) -> dict[str, RmmCommand]:
    out: dict[str, RmmCommand] = {}
    for name in (revision, *others(revision)):
        for service in ("RMI", "RSI"):
            p = profile(name, service)
            spellings = {n: n for n in p.commands} | {a: n for a, n in p.aliases.items() if n in p.commands}
            for spelling, name_in_table in spellings.items():
                out.setdefault(spelling, p.commands[name_in_table])
    for known, _ in _by_fid(revision).values():
        out.setdefault(known.name, known)
    full = list(out.items())
    for prefix in ("RMI_", "RSI_"):  # a bare name is RMI's before RSI's
        for spelling, known in full:
            if spelling.startswith(prefix):
                out.setdefault(spelling[4:], known)
    return out


def found_in(fid: int, revision: str) -> tuple[RmmCommand | None, str]:
    """The RMI or RSI call with this id and the revision it is from: the asked one, or else the nearest that has it.

    A call known by name only (of a draft between two revisions) has no registers. (None, '') where nobody has the id.
    Raises LookupError for an unknown revision.
    """
    return _by_fid(revision).get(base_fid(fid), (None, ""))


def command(fid_or_name: int | str, revision: str) -> Command | None:
    """A call of any service by function id or name; None where no table has it.

    Names are understood with and without ``RMI_``/``RSI_``, with TF-RMM's ``SMC_RMI_`` (``SMC_RMM_`` until 2024) and in
    its spellings. What this revision lacks is looked for in the others. Raises LookupError for an unknown revision.
    """
    if isinstance(fid_or_name, int):
        own = _by_fid(revision).get(base_fid(fid_or_name))
        if own is not None:
            return own[0]
        from . import smccc

        return smccc.lookup(fid_or_name)
    name = fid_or_name.upper()
    table = _by_name(revision)
    bare = name.removeprefix("SMC_")
    if bare.startswith("RMM_") and bare is not name and "RMI_" + bare[4:] in table:
        return table["RMI_" + bare[4:]]
    if bare in table:
        return table[bare]
    from . import smccc

    return smccc.by_name(name)


def name_of(fid: int, revision: str) -> tuple[str | None, str]:
    """Name and service of a function id, SVE hint or not; the name is None where no table has it.

    The service is then that of the block of numbers: 'RMI', 'RSI', 'SiP', 'OEM', 'Trusted OS', ...
    """
    found = _by_fid(revision).get(base_fid(fid))
    if found is not None:
        return found[0].name, found[0].service
    from . import smccc

    other = smccc.lookup(fid)
    return (other.name, other.service) if other is not None else (None, smccc.service_of(fid))


@cache
def _statuses(revision: str, service: str) -> dict[int, str]:
    """Status numbers of the revision, then those only newer ones have."""
    own = dict(profile(revision, service).statuses)
    for name in others(revision):
        for number, text in profile(name, service).statuses.items():
            own.setdefault(number, text)
    return own


def is_not_supported(x0: int) -> bool:
    """Whether x0 is SMCCC NOT_SUPPORTED: all ones in 64 bits, or in 32 where the caller cut it."""
    return x0 & _U64 in (_U64, 0xFFFFFFFF)


def status_of(fid: int, x0: int, revision: str) -> tuple[str | None, int | None, bool]:
    """Name of the status in x0, the index or level packed with it, and whether the call failed.

    The name is None where x0 is a value (PSCI_VERSION) or a number without a name; the index where the status has none.
    RMI_INCOMPLETE is no failure. Raises LookupError for an unknown revision.
    """
    fid = base_fid(fid)
    found = _by_fid(revision).get(fid)
    if found is None:
        from . import smccc

        other = smccc.lookup(fid)
        if other is not None:
            name, failed = smccc.status_of(other, x0)
            return name, None, failed
    if is_not_supported(x0):
        return "SMC_NOT_SUPPORTED", None, True
    service = found[0].service if found is not None else block(fid)
    if service == "RMI":
        status = _statuses(revision, "RMI").get(x0 & 0xFF)
        return status, index_of(fid, status, x0), status not in ("RMI_SUCCESS", "RMI_INCOMPLETE")
    if service == "RSI":
        return _statuses(revision, "RSI").get(x0), None, x0 not in (0, 3)
    return None, None, False


def index_of(fid: int, status: str | None, x0: int) -> int | None:
    """The index (1.x) or level (2.0) of an RMI result; None for a status without one.

    RMI_ERROR_REALM has one in RMI_REC_ENTER: 0 Realm NEW, 1 SYSTEM_OFF. 1.x defines it, TF-RMM goes on to give it in 2.0.
    """
    if status not in INDEXED or (status == "RMI_ERROR_REALM" and base_fid(fid) != 0xC400015C):
        return None
    return x0 >> 8 & 0xFF


@cache
def _numbers() -> dict[str, int]:
    from . import smccc

    out = {"SMC_NOT_SUPPORTED": NOT_SUPPORTED}
    for revision in reversed(REVISIONS):
        for service in ("RMI", "RSI"):
            for number, name in profile(revision, service).statuses.items():
                out.setdefault(name, number)
    for table in smccc.SERVICES.values():
        for c in table:
            for number, name in c.codes.items():
                out.setdefault(name, number)
    return out


def status_number(name: str) -> int | None:
    """The number of a status: 4 for 'RMI_ERROR_RTT', -3 for 'PSCI_DENIED'; None where nobody has it."""
    return _numbers().get(name)


def commands(revision: str) -> tuple[Command, ...]:
    """The RMI calls of a revision, then its RSI calls, each in the order of their ids."""
    return (*profile(revision).commands.values(), *profile(revision, "RSI").commands.values())
