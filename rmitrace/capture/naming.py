"""What the calls of a capture are: name, service and status of each, looked up once for every distinct value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import decoders

from .pairing import Pairs
from .records import Records
from .revision import Revision

FID_MASK = 0xFFFEFFFF
"""A function id without the SVE hint (bit 16, DEN0028 2.9)."""
_MAX_DISTINCT = 65536
"""Distinct results of one command that are looked up one by one (a random number generator returns any value)."""


@cache
def wrapped_command(function: str) -> tuple[str, int] | None:
    """The command and function id behind a function of the host such as ``rmi_pdev_create``, None for any other."""
    low = function.removeprefix("__").split(".")[0].split("+")[0].lower()
    if not low.startswith(("rmi_", "smc_rmi_")):
        return None
    name = low.removeprefix("smc_").upper()
    for revision in reversed(decoders.REVISIONS):
        command = decoders.command(name, revision)
        if command is not None and command.name == name:
            return command.name, command.fid
    return None


@dataclass(slots=True)
class Named:
    """Columns: function id (0 unknown), indices of name, service and status (-1 none), whether the call failed."""

    fid: Any
    name: Any
    service: Any
    status: Any
    failed: Any


class Identities:
    """Collects the function ids and results of the sources, then names them."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision
        self.names: list[str] = []
        self.services: list[str] = []
        self.statuses: list[str] = []
        self._rows: dict[str, int] = {"": 0}
        self._parts: list[tuple[Any, Any, Any, Any]] = []

    def add(self, records: Records, p: Pairs) -> None:
        """The calls of one source, in its order."""
        n = len(p.enter)
        fid = np.zeros(n, dtype=np.uint64)
        row = np.zeros(n, dtype=np.int64)
        x0 = np.zeros(n, dtype=np.uint64)
        answered = np.zeros(n, dtype=bool)
        entry = np.flatnonzero(p.enter >= 0)
        at = p.enter[entry]
        has = (records.known[at] & 1) != 0
        fid[entry[has]] = records.regs[at[has], 0] & np.uint64(0xFFFFFFFF)
        table = np.array([*(self._rows.setdefault(x, len(self._rows)) for x in records.names), 0], dtype=np.int64)
        row[entry[~has]] = table[records.name[at[~has]]]
        row[p.enter < 0] = self._rows.setdefault(_EXIT_ALONE, len(self._rows))
        wrapped = np.array([*((wrapped_command(x) or ("", 0))[1] for x in records.names), 0], dtype=np.uint64)
        guess = np.flatnonzero(p.inferred & (p.enter >= 0))
        fid[guess] = wrapped[records.name[p.enter[guess]]]
        out = np.flatnonzero(p.exit >= 0)
        good = (records.known[p.exit[out]] & 1) != 0
        answered[out[good]] = True
        x0[out[good]] = records.regs[p.exit[out[good]], 0]
        self._parts.append((fid, row, x0, answered))

    def finish(self) -> Named:
        """Every call named."""
        fid, row, x0, answered = (np.concatenate(c) for c in zip(*self._parts, strict=True))
        n = len(fid)
        out = Named(
            fid,
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=np.int16),
            np.full(n, -1, dtype=np.int32),
            np.zeros(n, dtype=bool),
        )
        rows = list(self._rows)
        names: dict[str, int] = {}
        services: dict[str, int] = {}
        statuses: dict[str, int] = {}
        for value in np.unique(fid).tolist():
            at = np.flatnonzero(fid == np.uint64(value))
            if value:
                self._name(out, at, int(value), x0, answered, names, services, statuses)
                continue
            for r in np.unique(row[at]).tolist():
                some = at[row[at] == r]
                name, service = _row_identity(rows[r])
                out.name[some] = names.setdefault(name, len(names))
                out.service[some] = services.setdefault(service, len(services))
                if service in ("RMI", "RSI"):
                    fallback = 0xC4000150 if service == "RMI" else 0xC4000190
                    self._status(out, some, fallback, x0, answered, statuses, self.revision.of(name))
        self.names, self.services, self.statuses = list(names), list(services), list(statuses)
        return out

    def _name(
        self,
        out: Named,
        at: Any,
        fid: int,
        x0: Any,
        answered: Any,
        names: dict[str, int],
        services: dict[str, int],
        statuses: dict[str, int],
    ) -> None:
        name, service = decoders.name_of(fid, self.revision.core)
        if name is not None and self.revision.of(name) != self.revision.core:
            name, service = decoders.name_of(fid, self.revision.of(name))
        out.name[at] = names.setdefault(name or f"unknown 0x{fid & FID_MASK:x}", len(names))
        out.service[at] = services.setdefault(service, len(services))
        self._status(out, at, fid, x0, answered, statuses, self.revision.of(name))

    @staticmethod
    def _status(out: Named, at: Any, fid: int, x0: Any, answered: Any, statuses: dict[str, int], revision: str) -> None:
        known = at[answered[at]]
        values, inverse = np.unique(x0[known], return_inverse=True)
        status = np.full(len(values), -1, dtype=np.int32)
        failed = np.zeros(len(values), dtype=bool)
        for i, v in enumerate(values[:_MAX_DISTINCT].tolist()):
            text, _index, bad = decoders.status_of(fid, int(v), revision)
            failed[i] = bad
            if text is not None:
                status[i] = statuses.setdefault(text, len(statuses))
        out.status[known] = status[inverse]
        out.failed[known] = failed[inverse]


_EXIT_ALONE = "exit alone"


def _row_identity(name: str) -> tuple[str, str]:
    """Name and service of a call whose function id is not known, from the name of its row or event."""
    for prefix, service in (("RMI_", "RMI"), ("RSI_", "RSI"), ("PSCI_", "PSCI")):
        if name.startswith(prefix):
            return name, service
    if name == _EXIT_ALONE:
        return "SMC return (entry not recorded)", "SMC"
    return "SMC (registers not recorded)", "SMC"
