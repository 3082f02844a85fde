"""What several sources of one run show of the same calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .clocks import Clock

if TYPE_CHECKING:
    from ..capture.model import Calls

I64 = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint32]
MAX_SOURCES = 32
"""Sources of a capture that are compared: one bit each."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a source was compared with the one that its calls are ordered by.

    source, reference       indices of the sources
    pairs                   calls that both show; ``changed`` of them with another value
    only, reference_only    calls that the source, and the reference, shows alone although the other should show them
    unclear                 calls of either that are like others, so that which is which cannot be told
    clock                   of the source against the reference, None where one of them has no times
    """

    source: int
    reference: int
    pairs: int
    changed: int
    only: int
    reference_only: int
    unclear: int
    clock: Clock | None = None


@dataclass(slots=True)
class Correlation:
    """What else shows the calls of a capture. ``Capture.calls`` has each call once, as the reference shows it where that
    does; what other sources have of it are sights.

    sights    the further sights, in the order of the calls; ``of``: the call of each
    seen      the sources that show each call, one bit each; ``missing``: those that should and do not; ``unclear``: those
              in which it is one of several alike
    changed   a sight of the call differs in a value
    own_ts    of each call the time that its source has, ns; None where no clock was converted
    """

    sights: Calls
    of: I64
    seen: Bits
    missing: Bits
    unclear: Bits
    changed: npt.NDArray[np.bool_]
    links: list[Link] = field(default_factory=list)
    own_ts: I64 | None = None

    def sights_of(self, call: int) -> range:
        """The rows of a call in ``sights``."""
        return range(int(np.searchsorted(self.of, call, "left")), int(np.searchsorted(self.of, call, "right")))

    def link(self, source: int) -> Link | None:
        """How a source was compared, None for the reference and for those that are not."""
        return next((k for k in self.links if k.source == source), None)

    def together(self, source: int) -> list[int]:
        """The sources that show the run that this one shows, itself among them, the one that orders them first."""
        group = [*(k.reference for k in self.links[:1]), *(k.source for k in self.links if k.pairs)]
        return group if source in group else [source]


def sources_of(bits: int) -> list[int]:
    """The sources that some bits stand for."""
    return [s for s in range(MAX_SOURCES) if bits >> s & 1]
