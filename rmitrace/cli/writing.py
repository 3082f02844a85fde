"""How far the writing of a long file is, and its end where the user asks for one."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_EACH = 4096
"""Calls between two looks at the clock."""


class Writing:
    """Counts calls as they are written, says on a terminal how many, from the first second on, and stops at Ctrl-C.

    done  calls that were written, of ``total``
    out   the file, where its length is of interest
    """

    def __init__(self, total: int) -> None:
        self.done, self._total = 0, total
        self.out: IO[bytes] | None = None
        self._stop = common.Stop()
        self._began = self._last = time.monotonic()
        self._shown = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take Ctrl-C, inside."""
        try:
            with self._stop.listening(signal.SIGINT):
                yield
        finally:
            if self._shown:
                sys.stderr.write("\r\x1b[K")

    @property
    def stopped(self) -> bool:
        """Whether calls were left out because the user asked for an end."""
        return self._stop.asked and self.done < self._total

    def going(self, done: int) -> bool:
        """Take note of how many are written, and say whether to go on."""
        self.done = done
        now = time.monotonic()
        if now - self._began > 1 and now - self._last > 0.2 and sys.stderr.isatty():
            self._last, self._shown = now, True
            mib = f"{self.out.tell() >> 20:,} MiB, " if self.out is not None and self.out.seekable() else ""
            share = 100 * done // max(self._total, 1)
            rate = f"{done / (now - self._began):,.0f} a second"
            sys.stderr.write(f"\rwriting call {done:,} of {self._total:,} {share} % ({mib}{rate})\x1b[K")
            sys.stderr.flush()
        return not self._stop.asked

    def each(self, seqs: npt.NDArray[np.int64]) -> Iterator[int]:
        """The calls to be written, as far as it goes on."""
        for start in range(0, len(seqs), _EACH):
            if not self.going(start):
                return
            yield from seqs[start : start + _EACH].tolist()
        self.done = len(seqs)
