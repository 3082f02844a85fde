"""Which revision the kernel speaks and which the firmware, by group of commands, and what goes wrong where they differ.

opinions(capture)   what each side speaks, with the evidence
skews(capture)      groups in which they do not agree
bites(capture, s)   calls, structures, flags, states and statuses in which that shows
"""

from .bites import Bite, bites
from .opinions import Opinion, Skew, opinions, skews
from .signs import BEFORE

__all__ = ["BEFORE", "Bite", "Opinion", "Skew", "bites", "opinions", "skews"]
