"""The messages of a capture: out of every source that shows any, joined where several show the same."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ..records import Finding
from .buffers import from_buffers
from .join import merge
from .logs import from_logs
from .mailbox import from_mailboxes
from .model import Conversation, Message
from .packets import from_packets
from .pages import from_pages

if TYPE_CHECKING:
    from ..model import Capture


def find_messages(capture: Capture, problems: list[Finding]) -> tuple[list[Message], list[Conversation]]:
    """The messages of a capture in order, and the same by conversation, these in the order in which they begin.

    Nothing is decoded yet. Findings of the search go to ``problems``.
    """
    streams = [s for s in (_of_source(capture, i, problems) for i in range(len(capture.sources))) if s]
    calls = [m for _, m in sorted(from_pages(capture), key=lambda p: p[0])]
    streams += [list(g) for _, g in groupby(sorted(calls, key=lambda m: m.place.source), key=lambda m: m.place.source)]
    merged = merge(capture, streams)
    if len(streams) > 1:
        problems += _not_joined(capture, streams, merged)
    return merged, _by_device(merged)


def _of_source(capture: Capture, source: int, problems: list[Finding]) -> list[Message]:
    if capture.sources[source].format == "pcap":
        return from_packets(capture, source, problems)
    probed = from_buffers(capture, source)
    if probed:
        return probed
    mailboxes = from_mailboxes(capture, source) if capture.sources[source].talk is None else []  # else there were none
    return mailboxes or from_logs(capture, source, problems)


def _not_joined(capture: Capture, streams: list[list[Message]], merged: list[Message]) -> list[Finding]:
    """Sources of which no message was found in another one."""
    joined = {p.source for m in merged if m.also for p in (m.place, *m.also)}
    found = []
    for stream in streams if joined else streams[1:]:
        first = stream[0].place
        if first.source not in joined and stream[0] in merged:
            name = capture.sources[first.source].name
            text = f"no message of {name} was found in another source: no bytes, or no names and sizes, that tell which they are"
            found.append(Finding("MESSAGES-NOT-JOINED", "note", text, first.source, first.offset))
    return found


def _by_device(merged: list[Message]) -> list[Conversation]:
    """The messages of one device are a conversation. One whose device is not known goes with those of its source, where
    these are all for one device, else with the one before it there."""
    of_source: dict[int, set[str]] = {}
    of_function: dict[str, set[str]] = {}
    for m in merged:
        if m.place.device is not None:
            for p in (m.place, *m.also):
                of_source.setdefault(p.source, set()).add(m.place.device)
            if m.function is not None:
                of_function.setdefault(m.function, set()).add(m.place.device)
    near: dict[int, str] = {}
    found: dict[tuple[int, str | None], Conversation] = {}
    for m in merged:
        mine = of_source.get(m.place.source, set())
        device = m.place.device
        if device is None and m.function is not None:
            known = of_function.get(m.function, set())
            device = next(iter(known)) if len(known) == 1 else f"pci:{m.function}"
        elif device is None and mine:
            device = next(iter(mine)) if len(mine) == 1 else near.get(m.place.source, min(mine))
        else:
            for p in (m.place, *m.also):
                near[p.source] = device or ""
        key = (-1, device) if device is not None else (m.place.source, None)
        found.setdefault(key, Conversation(device)).messages.append(m)
        if m.place.device is None:
            m.place.device = device
    return list(found.values())
