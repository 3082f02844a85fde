"""What the kernel speaks and what the firmware speaks, each by itself, from what a capture shows of it.

A call shows both: the function id and the arguments are the kernel's, status and outputs the firmware's. A row that an RMM
prints shows which commands that firmware has. Where a capture holds a host's trace and the log of another run, the kernel
is the trace's and the firmware the log's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ...capture.revision import ALL, DEVICE_REVISIONS, R10, TWO, Evidence
from ..arrange import side
from .signs import BEFORE, signs_of

if TYPE_CHECKING:
    from ...capture.model import Capture

KERNEL, FIRMWARE = "kernel", "firmware"
GROUPS = ("core", "device")
_LEAST = 2
"""Weight of a sign from which it decides."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one side speaks.

    side      'kernel' or 'firmware'; ``sources`` that show it
    group     'core', 'device', or the name of a single command that changed between drafts that are alike else
    fits      the revisions that all signs leave, the oldest first; (BEFORE,): older than any; () none: it has no such commands
    evidence  the signs, the strongest first; empty where nothing tells
    """

    side: str
    sources: tuple[int, ...]
    group: str
    fits: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def told(self) -> bool:
        """Whether anything tells."""
        return bool(self.evidence)

    @property
    def text(self) -> str:
        """'2.0-bet1 or 2.0-bet3'."""
        return " or ".join(self.fits) or "no revision that has them"


@dataclass(frozen=True, slots=True)
class Skew:
    """A group of commands in which kernel and firmware speak different revisions; or, where ``kernel`` is a firmware as a
    host's trace shows it, in which that is not the firmware of the log."""

    kernel: Opinion
    firmware: Opinion

    @property
    def group(self) -> str:
        """'core', 'device', or the name of a command."""
        return self.kernel.group


def opinions(capture: Capture) -> list[Opinion]:
    """What each side speaks: of every run that the capture shows, group by group; only where something tells. Kept with the
    capture."""
    if not capture.worked_out("opinions"):
        capture.opinions = list(_opinions(capture))
    return capture.opinions or []


def _opinions(capture: Capture) -> Iterator[Opinion]:
    for run in runs(capture):
        signs = [e for s in run for e in signs_of(capture, s, named=len(run) > 1)]
        for which in (KERNEL, FIRMWARE):
            core, device, *others = (
                _opinion(which, run, g, signs) for g in (*GROUPS, *sorted({e.group for e in signs} - {*GROUPS}))
            )
            if not device.told and core.told and set(core.fits) <= {BEFORE, R10} and which == FIRMWARE:
                device = Opinion(which, tuple(run), "device", (), core.evidence)
            yield from (o for o in (core, _narrowed(device, core), *others) if o.told)


def _narrowed(device: Opinion, core: Opinion) -> Opinion:
    """What a side speaks to devices, where its own signs leave every draft of 2.0 and the other commands tell which it is: a
    side is of one draft, unless it shows otherwise (a firmware of 2.0 with the devices of 1.1)."""
    if device.fits != TWO or len(core.fits) != 1 or core.fits[0] not in TWO:
        return device
    telling = tuple(e for e in core.evidence if e.fits == core.fits)
    return replace(device, fits=core.fits, evidence=device.evidence + telling)


def runs(capture: Capture) -> list[list[int]]:
    """The sources that show anything, by the run that they show."""
    out: list[list[int]] = []
    for s in range(len(capture.sources)):
        group = sorted(capture.together(s))
        if group not in out:
            out.append(group)
    return out


def _opinion(which: str, run: list[int], group: str, signs: list[Evidence]) -> Opinion:
    own = {e.text: e for e in signs if e.side == which and e.group == group and e.weight >= _LEAST}
    mine = sorted(own.values(), key=lambda e: -e.weight)
    candidates = DEVICE_REVISIONS if group == "device" else (BEFORE, *ALL)
    left = [c for c in candidates if all(c in e.fits for e in mine)]
    if not left and mine:  # signs that contradict each other, as of a test that calls what is not there
        points = {c: sum(e.weight for e in mine if c in e.fits) for c in candidates}
        left = [c for c in candidates if points[c] == max(points.values())]
    return Opinion(which, tuple(run), group, tuple(left) if mine else (), tuple(mine))


def skews(capture: Capture) -> list[Skew]:
    """Groups in which the kernel speaks what the firmware does not. A trace of a host beside the log of another run's
    firmware is compared with that log."""
    if capture.revision.forced:
        return []
    known = opinions(capture)
    sides = {s: side(x.format) for s, x in enumerate(capture.sources)}
    logs = {s for s, w in sides.items() if w == "firmware"}
    found = []
    for k in (o for o in known if o.side == KERNEL):
        for f in (o for o in known if o.side == FIRMWARE and o.group == k.group):
            own = k.sources == f.sources
            across = not logs & set(k.sources) and bool(logs & set(f.sources))
            if (own or across) and not set(k.fits) & set(f.fits):
                found.append(Skew(k, f))
    groups = {s.group for s in found}
    return found + [s for s in _other_firmware(known, logs) if s.group not in groups]


def _other_firmware(known: list[Opinion], logs: set[int]) -> list[Skew]:
    """A firmware that answers a host, and is not the one of the log beside it."""
    seen = [o for o in known if o.side == FIRMWARE and o.fits]
    return [
        Skew(a, b)
        for a in seen
        for b in seen
        if a.group == b.group and not logs & set(a.sources) and logs & set(b.sources) and not set(a.fits) & set(b.fits)
    ]
