"""What the calls of a capture are: name, service and status of each, looked up once for every distinct value."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import decoders

from .distinct import distinct
from .packed import Column
from .pairs import AT_ONCE, Pairs
from .records import Records, Values
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

    @property
    def columns(self) -> tuple[Any, ...]:
        """All of them."""
        return self.fid, self.name, self.service, self.status, self.failed

    def slice(self, start: int, stop: int) -> Named:
        """Of some rows."""
        return Named(*(c[start:stop] for c in self.columns))

    def spread(self, which: Column) -> Named:
        """Of calls, packed, given the row of each."""
        out = [Column(c.dtype) for c in self.columns]
        for start in range(0, len(which), AT_ONCE):
            rows = which[start : start + AT_ONCE].astype(np.intp)
            for column, values in zip(out, self.columns, strict=True):
                column.append(np.take(values, rows))
        return Named(*out)


class Identities:
    """Collects the function ids and results of the sources, then names them."""

    def __init__(self, revision: Revision) -> None:
        self.revision = revision
        self.names: list[str] = []
        self.services: list[str] = []
        self.statuses: list[str] = []
        self._rows: dict[str, int] = {"": 0}
        self._parts: list[tuple[Any, Any, Any, Any]] = []
        self._which: list[Values] = []

    def add(self, records: Records, p: Pairs) -> None:
        """The calls of one source, in its order."""
        first = p.first(records)
        fid = first.x0 & np.uint64(0xFFFFFFFF)
        row = np.zeros(len(fid), dtype=np.int64)
        unsaid = np.flatnonzero(~first.asked)
        if len(unsaid):
            # the entry shows no function id: told by the name of the row
            named = [self._row(name) for name in (*records.names, _EXIT_ALONE, "")]
            row[unsaid] = np.array(named, dtype=np.int64)[first.label[unsaid]]
        if first.which is None and p.inferred.any():
            guess = np.flatnonzero(p.inferred & (p.enter >= 0))
            wrapped = np.array([*((wrapped_command(x) or ("", 0))[1] for x in records.names), 0], dtype=np.uint64)
            fid[guess] = wrapped[records.name[p.enter[guess]]]
        self._parts.append((fid, row, first.r0, first.answered))
        self._which.append(first.which)

    def _row(self, name: str) -> int:
        return self._rows.setdefault(name, len(self._rows))

    def finish(self) -> list[Named]:
        """Every call named, by the sources in the order in which they came."""
        named, at, out = self._named(), 0, []
        for (fid, *_), which in zip(self._parts, self._which, strict=True):
            part = named.slice(at, at + len(fid))
            out.append(part if which is None else part.spread(which))
            at += len(fid)
        return out

    def _named(self) -> Named:
        parts = tuple(zip(*self._parts, strict=True))
        fid, row, x0, answered = (c[0] if len(c) == 1 else np.concatenate(c) for c in parts)
        fids, which = distinct(fid)
        n = len(fid)
        out = Named(fid, np.zeros(n, np.int32), np.zeros(n, np.int16), np.full(n, -1, np.int32), np.zeros(n, bool))
        names: dict[str, int] = {}
        services: dict[str, int] = {}
        statuses: dict[str, int] = {}
        unsaid = np.flatnonzero(which == 0) if len(fids) and not fids[0] else which[:0]
        for r in np.unique(row[unsaid]).tolist() if len(unsaid) else ():
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
        self._order: list[int] = []

    def add(self, source: int, records: Records, p: Pairs) -> None:
        """The calls of one source, in its order; the sources one after the other."""
        revision = self.revision.at(source)
        which = next((i for i, (r, _) in enumerate(self._groups) if r is revision), len(self._groups))
        if which == len(self._groups):
            self._groups.append((revision, Identities(revision)))
        self._groups[which][1].add(records, p)
        self._order.append(which)

    def finish(self) -> Named:
        """Every call named, in the order of the sources."""
        named = [i.finish() for _, i in self._groups]
        for what in ("names", "services", "statuses"):
            every = list(dict.fromkeys(t for _, i in self._groups for t in getattr(i, what)))
            setattr(self, what, every)
            column = {"names": "name", "services": "service", "statuses": "status"}[what]
            for parts, (_, i) in zip(named if len(named) > 1 else [], self._groups, strict=False):
                table = np.array([*(every.index(t) for t in getattr(i, what)), -1])
                for part in parts:
                    values = getattr(part, column)
                    setattr(part, column, table.astype(values.dtype)[values[:]])
        of_group = [iter(parts) for parts in named]
        parts = [next(of_group[which]) for which in self._order]
        return parts[0] if len(parts) == 1 else Named(*map(np.concatenate, zip(*(p.columns for p in parts), strict=True)))


_EXIT_ALONE = "exit alone"


def _row_identity(name: str) -> tuple[str, str]:
    """Name and service of a call whose function id is not known, from the name of its row or event."""
    for prefix, service in (("RMI_", "RMI"), ("RSI_", "RSI"), ("PSCI_", "PSCI")):
        if name.startswith(prefix):
            return name, service
    if name == _EXIT_ALONE:
        return "SMC return (entry not recorded)", "SMC"
    return "SMC (registers not recorded)", "SMC"
