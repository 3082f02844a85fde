"""The two PDEVs of a stream of 2.0 that wait for each other, as the flags of their exits show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .. import diagnose
from ..capture.records import Finding
from ..diagnose.pages import MULTI, STREAM_WAIT, exchange
from .communicate_rules import STREAM_DEADLOCK, STREAM_PEER, STREAM_RULES
from .finding import found, some
from .rule import Check

if TYPE_CHECKING:
    from ..capture.model import Capture

_PATIENCE = 3
"""Times in a row that a PDEV may report stream_wait and nothing else; TF-RMM does so once or twice."""


def waits(capture: Capture) -> Iterable[Finding]:
    """STREAM-PEER-FORGOTTEN, STREAM-DEADLOCK."""
    return some(f for s in diagnose.runs(capture) for f in _waits(capture, s))


def _waits(capture: Capture, source: int) -> Iterator[Finding]:
    if capture.sources[source].format not in diagnose.pages.WITH_MEMORY:
        return
    columns = diagnose.world(capture, source).columns
    if not columns.seen("PDEV_STREAM_CONNECT", "PDEV_STREAM_DISCONNECT", "PDEV_STREAM_KEY_REFRESH", "PDEV_STREAM_KEY_PURGE"):
        return
    rows, _end = columns.done("PDEV_COMMUNICATE")
    pdev, _known = columns.arg(rows, "pdev_ptr")
    run: list[tuple[int, int]] = []  # PDEV and call of exits with stream_wait alone, nothing else in between
    told = False
    for address, seq in zip(pdev.tolist(), rows.tolist(), strict=True):
        page = exchange(capture, seq)
        if page is None or page.flags is None or page.flags & ~MULTI != STREAM_WAIT:
            run, told = [], False
            continue
        run.append((int(address), seq))
        ends = {a for a, _ in run}
        if told:
            continue
        device = f"pdev:0x{int(address):x}"
        if len(ends) == 1 and len(run) >= _PATIENCE:
            told = True
            text = f"{device} reports stream_wait {len(run)} times in a row, and no other PDEV is communicated"
            yield found(STREAM_PEER, capture, text, [q for _, q in run], object=device)
        elif len(ends) > 1 and all(sum(a == e for a, _ in run) >= _PATIENCE for e in ends):
            told = True
            text = f"{' and '.join(f'pdev:0x{e:x}' for e in sorted(ends))} report stream_wait by turns, {len(run)} times"
            yield found(STREAM_DEADLOCK, capture, text, [q for _, q in run], object=device)


CHECKS = (Check(waits, STREAM_RULES),)
