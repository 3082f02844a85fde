"""A skew in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .opinions import FIRMWARE, Opinion, Skew

if TYPE_CHECKING:
    from ...capture.model import Capture

_EVIDENCE = 2
"""Signs of each side that are named."""


def group_text(group: str) -> str:
    """'commands on devices', 'RMI_RTT_DEV_VALIDATE'."""
    return {"core": "commands on Realms, granules and the RMM", "device": "commands on devices"}.get(group, group)


def said(capture: Capture, s: Skew) -> str:
    """'commands on devices: the kernel speaks 1.1-alp17 (...), the firmware 2.0-bet3 (...)'."""
    names = [x.name for x in capture.sources]
    across = s.kernel.sources != s.firmware.sources
    first = "the kernel speaks" if s.kernel.side != FIRMWARE else "the firmware that answers speaks"
    here, there = (f" of {' and '.join(names[i] for i in o.sources)}" if across else "" for o in (s.kernel, s.firmware))
    who, what = first.rsplit(" ", 1)
    has = s.firmware.text if s.firmware.fits else "a revision without such commands"
    kernel = f"{who}{here} {what} {s.kernel.text} ({_why(s.kernel)})"
    return f"{group_text(s.group)}: {kernel}, the firmware{there} {has} ({_why(s.firmware)})"


def _why(o: Opinion) -> str:
    """The signs that narrow it down most, then the strongest."""
    ordered = sorted(o.evidence, key=lambda e: (len(e.fits), -e.weight))
    return "; ".join(e.text for e in ordered[:_EVIDENCE])
