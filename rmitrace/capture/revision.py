"""Which revision of the ABI a capture speaks, from what it shows.

A version number alone decides nothing: 1.1-alp14 to alp17 all say 1.1, 2.0-bet0 to bet3 all say 2.0, kernels of the
1.1 device patches ask for 1.0, and a firmware of April 2026 speaks 2.0 for realms and 1.1 for devices. So each group of
commands is decided by itself, from signs that fit only some revisions; the signs are kept and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

import decoders

from .distinct import distinct
from .pairs import AT_ONCE, FirstRegisters
from .records import Kind, Records, Values

if TYPE_CHECKING:
    from .source import Source

R10, R11, R20B1, R20B3 = "1.0-rel0", "1.1-alp17", "2.0-bet1", "2.0-bet3"
ALL = (R10, R11, R20B1, R20B3)
TWO = (R20B1, R20B3)
DEVICE_REVISIONS = (R11, *TWO)
"""Those that have commands on devices."""

_BASE = 0xC4000000
_VERSION, _VALIDATE, _FEATURES, _CREATE, _DESTROY, _STATE, _TRACKING = 0x150, 0x163, 0x165, 0x176, 0x177, 0x178, 0x1E1
"""Of RMI commands, below _BASE."""

_STILL_IN_FIRMWARE = frozenset(
    (
        "RMI_VDEV_COMPLETE",
        "RMI_RTT_AUX_MAP_PROTECTED",
        "RMI_RTT_AUX_MAP_UNPROTECTED",
        "RMI_RTT_AUX_UNMAP_PROTECTED",
        "RMI_RTT_AUX_UNMAP_UNPROTECTED",
        "RMI_RTT_MAP_UNPROTECTED",
        "RMI_RTT_UNMAP_UNPROTECTED",
    )
)
"""Gone in 2.0, or in 2.0-bet3, but still in TF-RMM of April or July 2026, which speaks that in all else: no sign."""

# Signs by the name of an RMM row, for function ids that changed their name
NAMES = {
    "RMI_DATA_CREATE": ("core", (R10, R11)),
    "RMI_RTT_DATA_MAP_INIT": ("core", TWO),
    "RMI_VDEV_VALIDATE_MAPPING": ("device", (R11,)),
    "RMI_RTT_DEV_VALIDATE": ("device", TWO),
    "RMI_PDEV_IDE_KEY_REFRESH": ("device", (R11,)),
    "RMI_PDEV_STREAM_KEY_REFRESH": ("device", TWO),
    "RMI_PSMMU_MSI_CONFIG": ("device", (R11,)),
    "RMI_RMM_CONFIG_SET": ("core", TWO),
}

TELLING_FIDS = tuple(_BASE + n for n in (0x150, 0x163, 0x164, 0x165, 0x177, 0x178, 0x1E1))
"""Commands whose arguments or results Signs.from_calls and rmitrace.correlate.skew look at; of the others a call tells
something only by its function id or by one of ..."""
TELLING_STATUSES = {13: "RMI_INCOMPLETE", 14: "RMI_BLOCKED", 16: "RMI_ERROR_GRANULE"}
"""... these statuses."""
GET_STATE = _BASE + 0x178
TELLING_STATES = (4, 6, 7, 8)
"""States of a PDEV that tell something."""

_AT_ONCE = 1 << 13
"""Calls that are looked at at a time."""
_STRONG = 3
"""Weight of a sign that a source of its own is decoded by."""
_BANNER = re.compile(r"RMI(?:/RSI)? ABI (?:revision )?v\.?(\d+)\.(\d+)")

DEVICE = re.compile(r"RMI_(PDEV|VDEV|PSMMU|VSMMU|DPT|RTT_DEV|RTT_ARCH_DEV)_")
"""Names of the commands of the device group."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign: what was seen, where, and which revisions it leaves for a group of commands."""

    group: str
    fits: tuple[str, ...]
    text: str
    weight: int = 4
    side: str = "both"

    def __str__(self) -> str:
        return f"{self.text}: {' or '.join(self.fits)} ({self.group})"


@dataclass(frozen=True, slots=True)
class Revision:
    """What was decided.

    core     revision of the commands on realms, granules and the RMM itself
    device   revision of the commands on devices
    name     both, for people: '2.0-bet3', '2.0-bet1 (devices 1.1-alp17)'
    """

    core: str
    device: str
    evidence: tuple[str, ...] = ()
    forced: bool = False
    assumed: bool = False
    signs: tuple[Evidence, ...] = field(default=(), compare=False)
    by_source: dict[int, Revision] = field(default_factory=dict)
    """Sources that speak another revision than this: a host's trace beside the log of another firmware."""

    def at(self, source: int) -> Revision:
        """The revision that a source is decoded in."""
        return self.by_source.get(source, self)

    @property
    def name(self) -> str:
        """Both groups in one word, or two where they differ."""
        told = self.forced or any(e.group == "device" for e in self.signs)
        return self.core if self.core == self.device or not told else f"{self.core} (devices {self.device})"

    def of(self, command: str | None) -> str:
        """The revision that a command of that name is decoded in."""
        return self.device if command is not None and DEVICE.match(command) else self.core


@cache
def fid_table() -> dict[int, tuple[str, tuple[str, ...], str]]:
    """Function ids that only some revisions have: group, those revisions, name (from the tables of the revisions)."""
    table: dict[int, tuple[str, tuple[str, ...], str]] = {}
    profiles = {r: decoders.profile(r) for r in ALL}
    for fid in {f for p in profiles.values() for f in p.by_fid}:
        fits = tuple(r for r in ALL if fid in profiles[r].by_fid)
        name = profiles[fits[0]].by_fid[fid].name
        if len(fits) < len(ALL) and name not in _STILL_IN_FIRMWARE:
            table[fid] = ("device" if DEVICE.match(name) else "core", fits, name)
    return table


def fid_signs(fids: set[int]) -> Iterable[Evidence]:
    """What the use of some function ids says: one sign for each group of commands and set of revisions."""
    table = fid_table()
    seen: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for fid in sorted(fids & table.keys()):
        group, fits, _name = table[fid]
        seen.setdefault((group, fits), []).append(fid)
    for (group, fits), found in seen.items():
        names = ", ".join(f"{table[f][2]} (0x{f:x})" for f in found[:3]) + (" ..." if len(found) > 3 else "")
        common = group == "device" and len(fits) == 3  # in every revision that has devices at all
        yield Evidence(group, fits, f"{names} used", 1 if common else 4 + min(len(found), 3), "kernel")


def texts_of(source: Source) -> Iterable[str]:
    """The lines of a source that state a revision: banners and what a kernel says."""
    rec = source.records
    wanted = [i for i, n in enumerate(rec.names) if n in ("banner", "kernel")]
    if not wanted:
        return
    marks = rec.of_kind(Kind.MARK)
    for i in marks[np.isin(rec.name[marks], wanted)][:10_000].tolist():
        yield source.raw(int(rec.offset[i]), int(rec.length[i])).decode("utf-8", "replace")


class Signs:
    """Collects signs over the sources of a capture."""

    def __init__(self) -> None:
        self.found: list[Evidence] = []
        self._seen: set[str] = set()

    def add(self, e: Evidence) -> None:
        """Keep a sign; the same text counts once."""
        if e.text not in self._seen:
            self._seen.add(e.text)
            self.found.append(e)

    def from_calls(self, records: Records, enter: Values, exit_: Values, first: FirstRegisters | None = None) -> None:
        """Signs in function ids, arguments and results. ``enter`` and ``exit_`` are record numbers, -1 for none; ``first`` is
        what is known of them already."""
        first = first or FirstRegisters.of(records, enter, exit_)
        fid, known = first.x0 & np.uint64(0xFFFEFFFF), first.asked
        x0, ok = first.r0, first.answered
        refused = x0 == np.uint64(0xFFFFFFFFFFFFFFFF)
        fids, which = distinct(fid)
        rmi = (fids >= _BASE + 0x150) & (fids < _BASE + 0x2D0)
        told = ok & ~refused
        asked = np.bincount(which[known], minlength=len(fids)) > 0
        answered = np.bincount(which[known & told], minlength=len(fids)) > 0
        # where no RMM answers at all, what the host asks is all there is
        self.from_fids(set(fids[rmi & (answered if (rmi & answered).any() else asked)].tolist()))
        ok = told & rmi[which]
        of_fid = {n: fid == _BASE + n for n in (_VERSION, _VALIDATE, _FEATURES, _STATE, _TRACKING)}
        good = ok & (x0 & np.uint64(0xFF) == 0)
        sets = (of_fid[_VERSION], of_fid[_TRACKING], of_fid[_VALIDATE], good & of_fid[_STATE], good & of_fid[_FEATURES])
        version, tracking, validate, state, features = first.calls(*sets)
        self._version(records, enter, exit_, version[:50])
        self._statuses(fid[ok], x0[ok].astype(np.uint8))
        self._states(records, exit_[state], bool((good & (fid == _BASE + _DESTROY)).any()))
        self._features(records, enter[features[:50]], exit_[features[:50]])
        self._rows(records, enter)
        self._arguments(records, enter[tracking[:1]], enter[validate[:1]])

    def from_fids(self, fids: set[int]) -> None:
        """Signs in which commands are used at all."""
        for e in fid_signs(fids):
            self.add(e)

    def _rows(self, records: Records, enter: Values) -> None:
        telling = {i for i, name in enumerate(records.names) if name in NAMES}
        seen: set[int] = set()
        for start in range(0, len(enter), AT_ONCE):
            if seen == telling:
                break
            some = enter[start : start + AT_ONCE]
            names = records.name[some[some >= 0]]
            seen |= telling.intersection(np.flatnonzero(np.bincount(names[names >= 0])).tolist())
        for i in sorted(seen):
            group, fits = NAMES[records.names[i]]
            self.add(Evidence(group, fits, f"row {records.names[i]}", 5, "firmware"))

    def _arguments(self, records: Records, tracking: np.ndarray, validate: np.ndarray) -> None:
        """The entry of a call of RMI_GRANULE_TRACKING_GET, and of one of RMI_RTT_DEV_VALIDATE, where there is one."""
        for i in tracking.tolist():
            known = int(records.known[i])
            if records.regs[i, 2] or known == 0b111:  # a console row has as many arguments as the command
                self.add(Evidence("core", (R20B3,), "RMI_GRANULE_TRACKING_GET with base and top", 3, "kernel"))
            else:
                self.add(Evidence("core", (R20B1,), "RMI_GRANULE_TRACKING_GET with an address alone", 3, "kernel"))
        for i in validate.tolist():
            if records.known[i] & 0x7F == 0x1F and records.kind[i] == Kind.WHOLE_IN:
                self.add(Evidence("device", (R20B3,), "RMI_RTT_DEV_VALIDATE with four arguments", 3, "firmware"))

    def _version(self, records: Records, enter: Values, exit_: Values, rows: np.ndarray) -> None:
        """``rows``: calls of RMI_VERSION."""
        for e, x in zip(enter[rows].tolist(), exit_[rows].tolist(), strict=True):
            req = int(records.regs[e, 1])
            if records.known[e] & 2 and 0 < req < 0x7FFF0000:
                fits = TWO if req >> 16 == 2 else (R10, R11) if req == 0x10000 else (R11,) if req >> 16 == 1 else ()
                if fits:
                    self.add(Evidence("core", fits, f"host asks RMI_VERSION for {req >> 16}.{req & 0xFFFF}", 2, "kernel"))
            if x < 0 or records.known[x] & 5 != 5:
                continue
            status, low, high = (int(records.regs[x, k]) for k in (0, 1, 2))
            if status not in (0, 1) or not low or low > high or high >> 16 not in (1, 2):
                continue
            fits = TWO if high >> 16 == 2 else (R11,) if high & 0xFFFF else (R10,)
            said = f"RMM answers RMI_VERSION with {low >> 16}.{low & 0xFFFF} to {high >> 16}.{high & 0xFFFF}"
            self.add(Evidence("core", fits, said, 3, "firmware"))

    def _statuses(self, fid: np.ndarray, status: np.ndarray) -> None:
        """Of RMI commands that the RMM answered: function ids, and bits 7:0 of x0."""
        for value, name in TELLING_STATUSES.items():
            hit = status == value
            if hit.any():
                self.add(Evidence("core", TWO, f"status {name} ({value})", 5, "firmware"))
                if value == 13 and np.isin(fid[hit] & np.uint64(0xFFFF), (_CREATE, _DESTROY)).any():
                    self.add(Evidence("device", TWO, "PDEV_CREATE or PDEV_DESTROY starts a stateful operation", 5, "firmware"))

    def _states(self, records: Records, exits: np.ndarray, destroyed: bool) -> None:
        """What RMI_PDEV_GET_STATE gave; ``destroyed``: an RMI_PDEV_DESTROY succeeded."""
        values: set[int] = set()
        for start in range(0, len(exits), _AT_ONCE):
            given = records.regs[exits[start : start + _AT_ONCE], 1]
            values |= set(np.flatnonzero(np.bincount(given[given < 16].astype(np.int64))).tolist())
            if values >= {6, 7, 8}:
                break
        if values & {6, 7, 8}:
            said = ", ".join(str(v) for v in sorted(values & {6, 7, 8}))
            self.add(Evidence("device", (R11,), f"RMI_PDEV_GET_STATE gives {said}, a state of 1.1 only", 5, "firmware"))
        elif values & {4} and destroyed:
            self.add(Evidence("device", TWO, "RMI_PDEV_DESTROY succeeds after state 4 (STOPPED in 2.0)", 3, "firmware"))

    def _features(self, records: Records, enter: np.ndarray, exit_: np.ndarray) -> None:
        for e, x in zip(enter.tolist(), exit_.tolist(), strict=True):
            index, value = int(records.regs[e, 1]), int(records.regs[x, 1])
            if index == 0 and value >> 42 & 1:
                self.add(Evidence("device", (R11,), "RMI_FEATURES register 0 has DA (bit 42)", 4, "firmware"))
            if index == 2 and value & 1:
                self.add(Evidence("device", TWO, "RMI_FEATURES register 2 has DA (bit 0)", 2, "firmware"))

    def from_texts(self, texts: Iterable[str]) -> None:
        """Signs in banners and kernel lines."""
        for text in texts:
            for major, minor in _BANNER.findall(text)[:4]:
                if major in "12" and len(minor) == 1:
                    fits = TWO if major == "2" else (R11,) if minor != "0" else (R10,)
                    self.add(Evidence("core", fits, f"RMM banner says RMI ABI {major}.{minor}", 3, "firmware"))
            if m := re.search(r"RMI ABI version (\d)\.(\d)", text):
                fits = TWO if m[1] == "2" else (R11,) if m[2] != "0" else (R10, R11)
                self.add(Evidence("core", fits, f"kernel says RMI ABI version {m[1]}.{m[2]}", 2, "kernel"))

    def decide(self, forced: str | None = None) -> Revision:
        """The revision that fits best, group by group."""
        if forced is not None:
            return Revision(forced, forced, ("asked for",), forced=True, signs=tuple(self.found))
        core, core_said = self._best("core", ALL)
        device, device_said = self._best("device", DEVICE_REVISIONS)
        if not device_said:
            device = R11 if core == R10 else core
        elif core == R10 and device == R11 and not any(e.group == "core" and e.fits == (R10,) for e in self.found):
            core = R11  # what is seen of the core fits both, and 1.0 has no devices
        elif core_said and core in TWO and device in TWO:
            exact = [e for e in self.found if e.group == "device" and len([f for f in e.fits if f in TWO]) == 1]
            device = device if exact else core
        if not core_said and device_said:
            core = device
        lines = [str(e) for e in self.found if e.weight > 1]
        assumed = not core_said and not device_said
        if assumed:
            lines.append(f"nothing in the capture tells the revision: {core} assumed")
        return Revision(core, device, tuple(lines), assumed=assumed, signs=tuple(self.found))

    def merge(self, other: Signs) -> None:
        """Add the signs of another collection."""
        for e in other.found:
            self.add(e)

    def contradict(self, revision: Revision) -> bool:
        """Whether a strong sign is of another revision than that."""
        own = {"core": revision.core, "device": revision.device}
        return any(e.weight >= _STRONG and own[e.group] not in e.fits for e in self.found)

    def _best(self, group: str, candidates: tuple[str, ...]) -> tuple[str, bool]:
        points = dict.fromkeys(candidates, 0)
        said = False
        for e in self.found:
            if e.group == group and e.weight > 1:
                said = True
                for c in e.fits:
                    if c in points:
                        points[c] += e.weight
        if not said:
            return (R10 if any(e.group == "device" for e in self.found) is False else R11) if group == "core" else R20B3, False
        top = max(points.values())
        best = [c for c in candidates if points[c] == top]
        # of equals: the older 1.x (all of it is in the newer), the newer 2.0 (the firmware in use)
        return (best[0] if best[0] in (R10, R11) else best[-1]), True
