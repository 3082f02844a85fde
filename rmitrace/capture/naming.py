"""What the calls of a capture are: name, service and status of each, looked up once for every distinct value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import decoders

from .distinct import distinct
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
        first = p.first(records)
        fid = first.x0 & np.uint64(0xFFFFFFFF)
        row = np.zeros(len(fid), dtype=np.int64)
        if not first.asked.all() or p.inferred.any():
            self._add_rows(records, p, fid, row, ~first.asked)
        self._parts.append((fid, row, first.r0, first.answered))

    def _add_rows(self, records: Records, p: Pairs, fid: Any, row: Any, unsaid: Any) -> None:
        """Tell calls whose entry shows no function id by the name of the row or of the function around the SMC."""
        at = np.flatnonzero(unsaid & (p.enter >= 0))
        table = np.array([*(self._rows.setdefault(x, len(self._rows)) for x in records.names), 0], dtype=np.int64)
        row[at] = table[records.name[p.enter[at]]]
        row[p.enter < 0] = self._rows.setdefault(_EXIT_ALONE, len(self._rows))
        guess = np.flatnonzero(p.inferred & (p.enter >= 0))
        wrapped = np.array([*((wrapped_command(x) or ("", 0))[1] for x in records.names), 0], dtype=np.uint64)
        fid[guess] = wrapped[records.name[p.enter[guess]]]

    def finish(self) -> Named:
        """Every call named."""
        parts = tuple(zip(*self._parts, strict=True))
        fid, row, x0, answered = (c[0] if len(c) == 1 else np.concatenate(c) for c in parts)
        fids, which = distinct(fid)
        n = len(fid)
        out = Named(fid, np.zeros(n, np.int32), np.zeros(n, np.int16), np.full(n, -1, np.int32), np.zeros(n, bool))
        names: dict[str, int] = {}
        services: dict[str, int] = {}
        statuses: dict[str, int] = {}
        unsaid = np.flatnonzero(which == 0) if len(fids) and not fids[0] else which[:0]
        for r in np.unique(row[unsaid]).tolist():
            some = unsaid[row[unsaid] == r]
            name, service = _row_identity(list(self._rows)[r])
            out.name[some], out.service[some] = _number(names, name), _number(services, service)
            if service in ("RMI", "RSI"):
                fallback = 0xC4000150 if service == "RMI" else 0xC4000190
                self._status(out, some[answered[some]], [fallback], None, x0, statuses, [self.revision.of(name)])
        told = np.zeros((2, len(fids)), dtype=np.int32)
        revisions = []
        for i, value in enumerate(fids.tolist()):
            known, service = self._identity(value)
            revisions.append(self.revision.of(known))
            if value:
                told[:, i] = _number(names, known or f"unknown 0x{value & FID_MASK:x}"), _number(services, service)
        out.name += told[0][which]
        out.service += told[1].astype(np.int16)[which]
        said = None if answered.all() and not len(unsaid) else np.flatnonzero(answered & (fid != 0))
        self._status(out, said, fids.tolist(), which, x0, statuses, revisions)
        self.names, self.services, self.statuses = list(names), list(services), list(statuses)
        return out

    def _identity(self, fid: int) -> tuple[str | None, str]:
        name, service = decoders.name_of(fid, self.revision.core)
        if name is not None and self.revision.of(name) != self.revision.core:
            name, service = decoders.name_of(fid, self.revision.of(name))
        return name, service

    @staticmethod
    def _status(
        out: Named, at: Any, fids: list[int], which: Any, x0: Any, statuses: dict[str, int], revisions: list[str]
    ) -> None:
        """Look up the results of some calls (None: of all), once for every function id and value.

        which  for every call the place of its function id in ``fids``; None: all have the first one
        """
        values, value = distinct(x0 if at is None else x0[at])
        combined = value if which is None else (which if at is None else which[at]) * len(values) + value
        used, place = distinct(combined.astype(np.uint64)) if len(fids) * len(values) > 1 << 20 else _counted(combined)
        status = np.full(len(used), -1, dtype=np.int32)
        failed = np.zeros(len(used), dtype=bool)
        looked: Counter[int] = Counter()
        for i, (f, v) in enumerate(
            zip(*(c.tolist() for c in np.divmod(used.astype(np.int64), max(len(values), 1))), strict=True)
        ):
            looked[f] += 1
            if looked[f] > _MAX_DISTINCT:
                continue
            text, _index, failed[i] = decoders.status_of(fids[f], int(values[v]), revisions[f])
            if text is not None:
                status[i] = _number(statuses, text)
        rows = slice(None) if at is None else at
        out.status[rows] = status[place]
        out.failed[rows] = failed[place]


def _number(numbers: dict[str, int], text: str) -> int:
    return numbers.setdefault(text, len(numbers))


def _counted(values: Any) -> tuple[Any, Any]:
    """The different values of an array of small numbers, and for each value which of them it is."""
    if not len(values):
        return values, values
    seen = np.bincount(values)
    used = np.flatnonzero(seen)
    number = np.zeros(len(seen), dtype=np.int64)
    number[used] = np.arange(len(used))
    return used, number[values]


class Together:
    """Names the calls of several sources: together where they speak one revision, else each by itself."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision
        self.names: list[str] = []
        self.services: list[str] = []
        self.statuses: list[str] = []
        self._groups: list[tuple[Revision, Identities]] = []
        self._order: list[tuple[int, int]] = []

    def add(self, source: int, records: Records, p: Pairs) -> None:
        """The calls of one source, in its order; the sources one after the other."""
        revision = self.revision.at(source)
        which = next((i for i, (r, _) in enumerate(self._groups) if r is revision), len(self._groups))
        if which == len(self._groups):
            self._groups.append((revision, Identities(revision)))
        self._groups[which][1].add(records, p)
        self._order.append((which, len(p.enter)))

    def finish(self) -> Named:
        """Every call named, in the order of the sources."""
        named = [i.finish() for _, i in self._groups]
        if len(named) == 1:
            only = self._groups[0][1]
            self.names, self.services, self.statuses = only.names, only.services, only.statuses
            return named[0]
        for what in ("names", "services", "statuses"):
            every = list(dict.fromkeys(t for _, i in self._groups for t in getattr(i, what)))
            setattr(self, what, every)
            column = {"names": "name", "services": "service", "statuses": "status"}[what]
            for n, (_, i) in zip(named, self._groups, strict=True):
                table = np.array([*(every.index(t) for t in getattr(i, what)), -1], dtype=getattr(n, column).dtype)
                setattr(n, column, table[getattr(n, column)])
        at = [0] * len(named)
        parts: list[Named] = []
        for which, count in self._order:
            here = slice(at[which], at[which] + count)
            n = named[which]
            parts.append(Named(n.fid[here], n.name[here], n.service[here], n.status[here], n.failed[here]))
            at[which] += count
        return Named(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("fid", "name", "service", "status", "failed")))


_EXIT_ALONE = "exit alone"


def _row_identity(name: str) -> tuple[str, str]:
    """Name and service of a call whose function id is not known, from the name of its row or event."""
    for prefix, service in (("RMI_", "RMI"), ("RSI_", "RSI"), ("PSCI_", "PSCI")):
        if name.startswith(prefix):
            return name, service
    if name == _EXIT_ALONE:
        return "SMC return (entry not recorded)", "SMC"
    return "SMC (registers not recorded)", "SMC"
