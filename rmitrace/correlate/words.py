"""What was found about sources and clocks, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clocks import Clock
from .model import Link

if TYPE_CHECKING:
    from ..capture.model import Capture


def clock_lines(capture: Capture) -> list[str]:
    """One line for each source that was compared: how its calls and its clock go with those of the reference."""
    found = capture.correlation
    return [] if found is None else [line(capture, k) for k in found.links]


def line(capture: Capture, k: Link) -> str:
    """'1 rme-uart0.log has no times, placed in 0 by 35 calls that both show; 2 calls in 1 alone'."""
    name = capture.sources[k.source].name
    if not k.pairs:
        return f"{k.source} {name} has no call in common with {k.reference}: not of one run, or too little to tell"
    pairs = f"{k.pairs} call{'s' if k.pairs != 1 else ''} that both show"
    if k.clock is None:
        text = f"{k.source} {name} has no times, placed in {k.reference} by {pairs}"
    elif k.clock.same:
        text = f"{k.source} {name} has the clock of {k.reference} (within {span(abs(k.clock.offset_ns))}), by {pairs}"
    else:
        text = f"{k.source} {name} is {offset(k.clock)} {k.reference}, by {pairs}"
    return text + alone(k)


def alone(k: Link) -> str:
    """'; 2 of them with other values, 3 calls in 0 alone, 4 that repeat left open', as far as there are such."""
    parts = [f"{k.changed} of them with other values"] if k.changed else []
    parts += [f"{n} missing in {s}" for n, s in ((k.only, k.reference), (k.reference_only, k.source)) if n]
    parts += [f"{k.unclear} that repeat left open"] if k.unclear else []
    return "; " + ", ".join(parts) if parts else ""


def offset(c: Clock) -> str:
    """'12.345678 s ahead of, gaining 3.2 ppm on'."""
    way = "ahead of" if c.offset_ns > 0 else "behind"
    text = f"{span(abs(c.offset_ns))} {way}"
    if c.drifts:
        text += f" and {'gains' if c.drift_ppm > 0 else 'loses'} {abs(c.drift_ppm):.3g} ppm (±{span(c.spread_ns)}) on"
    return text


def span(ns: int) -> str:
    """A time without sign: '12.345678 s', '1.5 ms', '20 us', '40 ns'."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if ns >= size:
            return f"{ns // size}.{ns % size * 10**6 // size:06d} s" if unit == "s" else f"{ns / size:.3g} {unit}"
    return f"{ns} ns"
