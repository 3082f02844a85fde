"""What an event of a trace is, learned from its own lines: see docs/event-mapping.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import eventmap
from .ftrace_buffers import buffer_of
from .ftrace_line import Body, Head, number
from .ftrace_values import first_value, inlined, is_register, registers

_MAX_BROKEN = 4


@dataclass(slots=True)
class Event:
    """What is known of one event name.

    kind     '' (not yet known), 'enter', 'exit', 'whole', 'wrap', 'buffer', 'mark', 'text', 'ignore'
    func     the function (or bare address) its probe sits on, '' before the first line
    ret      the probe fires at the function's return
    lines    lines seen
    pending  lines from before its kind was known: (offset, length, head, text)
    layout   (field, register or -1, elements of an array or 0) in the order of the line, of an SMC event that has nothing
             but numbers; None: not seen yet
    hint     fields that hold something like a function id under a name that is no register
    """

    name: str
    kind: str = ""
    func: str = ""
    ret: bool = False
    lines: int = 0
    pending: list[tuple[int, int, Head, bytes]] = field(default_factory=list)
    layout: tuple[tuple[str, int, int], ...] | None = None
    hint: str = ""


def kind_of(event: Event, body: Body, events: Mapping[str, Event], functions: Mapping[str, list[Event]]) -> str:
    """The kind of an event by one of its lines; '' where the line should be kept until that is clear.

    events, functions  all of the source, by name and by the function that they sit on
    """
    place = body.place
    out = place is not None and place.ret
    regs = registers(body, out, ())[0]
    first = regs[0] if regs and is_register(body, out) else None
    wrapper = (place is not None and eventmap.is_wrapper(place.func)) or event.name in eventmap.WRAPPER_EVENTS
    if wrapper and not inlined(body, out):
        return "wrap"
    if place is not None and buffer_of(body) is not None:
        return "buffer"
    if first is None:
        return _without_registers(event, body, out)
    if place is not None and place.bare and not any(regs) and any(v[:1] == b"{" for _, v in body.fields):
        return "exit" if out else "enter"  # an array that libtraceevent printed as zeros
    if out:
        if eventmap.is_stub(event.func) or any(e.kind == "enter" for e in functions.get(event.func, ())):
            return "exit"
        fid = next((number(v) for n, v in body.fields if n == "fid"), None)
        return "exit" if fid is not None and eventmap.plausible_fid(fid) else ""
    if eventmap.plausible_fid(first):
        names = {n for n, _ in body.fields}
        return "whole" if place is None and {"fid", "ret"} <= names else "enter"
    if place is None and eventmap.direction(event.name) == "exit" and _enter_of_family(event.name, events):
        return "exit"
    return ""


def _without_registers(event: Event, body: Body, out: bool) -> str:
    if body.place is None and (body.junk is not None or not body.fields):
        return "text"
    like = [n for n, v in body.fields if (x := first_value(v)) is not None and eventmap.plausible_fid(x)]
    if body.place is not None and not event.hint:
        event.hint = ", ".join(like[:4])
    # the first lines of an event may be damaged ones
    broken = 0 in eventmap.plan(tuple([n for n, _ in body.fields]), out) or not body.fields
    return "" if broken and event.lines <= _MAX_BROKEN else "ignore"


def _enter_of_family(name: str, events: Mapping[str, Event]) -> bool:
    family = eventmap.family(name)
    return any(e.kind == "enter" and eventmap.family(e.name) == family for e in events.values())
