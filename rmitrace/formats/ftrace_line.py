"""One line of trace text: the columns in front, the event, the place of its probe, its named values.

The grammar is that of the kernel's kernel/trace/trace_output.c and trace_probe.c (6.12 to 7.3 were looked at) and of
trace-cmd 3.1 and 3.4. Lines are bytes: a task's name may hold anything but NUL.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..capture.records import NO_TIME

MAX_LINE = 1 << 16
"""Longest line that is read; a ring-buffer record is under 3 KiB, which is under 20 KiB of text."""
_HEAD_SPAN = 320
_COMM = 16

# "-PID [(TGID)] [CPU] [FLAGS] TIME: [(+DIFF)]": what follows the task's name
_CORE = re.compile(
    rb"-(\d{1,9}) +(?:\( *(?:\d{1,10}|-{1,10})\) +)?\[(\d{1,6})\] +(?:([^\s\d\[(][^\s\[(]{2,5}) +)?"
    rb"(\d{1,20})(?:\.(\d{1,9}))?: *(?:\(\+\d{1,20}\) +)?"
)
# latency-format: "-PID CPUFLAGS TIMEus+: ", trace-cmd report -l: "-PID CPUFLAGS TIME: "
_LATENCY = re.compile(
    rb"-(\d{1,9}) +(\d{1,6})([^\s\d][^\s]{2,5}) +(\d{1,20})(?:us[ !+#*@$]? ?|\.(\d{1,9})): *(?:\(\+\d{1,20}\) +)?"
)
# latency-format with verbose: "PID CPU P FLAGS IDX [TIME] MS.FRACms (+MS.FRACms): "
_VERBOSE = re.compile(
    rb" +(\d{1,9}) +(\d{1,6}) \d{1,6} [0-9a-f]{8,16} [0-9a-f]{8,16} \[[0-9a-f]{8,16}\] "
    rb"(\d{1,16})\.(\d{3})ms \(\+[-\d.]{1,24}ms\): *"
)
_INSTANCE = re.compile(rb" *([^\s:]{1,64}): ")
_EVENT = re.compile(rb"([A-Za-z_][\w.]{0,127}):(?: +|$)")
_PLACE = re.compile(rb"\(([^()\n]{1,512})\) ?")
_SYMBOL = re.compile(r"([A-Za-z_$][\w.$]*)")
_ADDRESS = re.compile(r"(?:0x)?[0-9a-f]{8,16}$")
_FIELD_NAME = re.compile(rb"[A-Za-z_]\w{0,63}$")
_QUOTED = re.compile(rb'([A-Za-z_]\w{0,63})=("[^"]*"|\S+)')
_DECIMAL = re.compile(rb"-?\d{1,20}$")
_ECHO = re.compile(rb"\(-?\d{1,20}\)$|\[[\w.-]{1,64}\]$")


class Head(NamedTuple):
    """The columns of a line.

    comm  the task's name without its padding, None where the form has none
    pid, cpu  -1 where the form has none
    ts    ns in the trace's clock, NO_TIME for clocks that do not count time
    tick  the number printed by a clock that does not count time, else -1
    body  index in the line where the event begins
    form  'normal', 'latency', 'relative' (a latency form whose time counts from the buffer's start)
    dash  index of the '-' (or blank) that ends the task's name
    """

    comm: bytes | None
    pid: int
    cpu: int
    ts: int
    tick: int
    body: int
    form: str
    dash: int


class Place(NamedTuple):
    """Where a probe sits: the function (or bare address) and whether it fires at the return from it."""

    func: str | None
    ret: bool
    bare: bool


class Body(NamedTuple):
    """An event with its values.

    place   None where the event shows none (tracepoint, synthetic event, text)
    fields  (name, value as printed), in order
    junk    the first token that is neither a field nor part of one, None where all is well
    """

    event: str
    place: Place | None
    fields: tuple[tuple[str, bytes], ...]
    junk: bytes | None


def nanoseconds(seconds: bytes, fraction: bytes | None) -> tuple[int, int]:
    """(ns, tick) of a printed time: without a fraction the clock is a counter, and its number is the tick."""
    if fraction is None:
        return NO_TIME, int(seconds)
    return _bounded(int(seconds) * 1_000_000_000 + int(fraction) * 10 ** (9 - len(fraction))), -1


def _bounded(ns: int) -> int:
    return ns if ns < 1 << 62 else NO_TIME  # 146 years: no clock, and sums of two still fit


def parse_head(line: bytes) -> Head | None:
    """The columns of a line, None where it has none.

    A task's name is padded to 16 bytes (8 in the latency forms) and may itself look like columns, so the '-' in
    column 16 decides. Where the padding is gone, the last candidate whose name is short enough does, which is
    never one in the event's text: a name has 15 bytes at most.
    """
    if line[_COMM : _COMM + 1] == b"-" and (found := _CORE.match(line, _COMM)):
        return _normal(line, found, 0)
    if (found := _LATENCY.match(line, 8)) and line[8:9] == b"-":
        return _latency(line, found, 0)
    if (found := _VERBOSE.match(line, _COMM)) is not None:
        ts = _bounded((int(found[3]) * 1000 + int(found[4])) * 1000)
        return Head(line[:_COMM].lstrip(b" "), int(found[1]), int(found[2]), ts, -1, found.end(), "relative", _COMM)
    shift = 0
    if (prefix := _INSTANCE.match(line)) is not None:
        shift = prefix.end()
        if line[shift + _COMM : shift + _COMM + 1] == b"-" and (found := _CORE.match(line, shift + _COMM)):
            return _normal(line, found, shift)
        if line[shift + 8 : shift + 9] == b"-" and (found := _LATENCY.match(line, shift + 8)):
            return _latency(line, found, shift)
    return _loose(line)


def _normal(line: bytes, found: re.Match[bytes], shift: int) -> Head:
    ts, tick = nanoseconds(found[4], found[5])
    comm = line[shift : found.start()].lstrip(b" ")
    return Head(comm, int(found[1]), int(found[2]), ts, tick, found.end(), "normal", found.start())


def _latency(line: bytes, found: re.Match[bytes], shift: int) -> Head:
    ts = _bounded(int(found[4]) * 1000) if found[5] is None else nanoseconds(found[4], found[5])[0]
    comm = line[shift : found.start()].lstrip(b" ")
    form = "relative" if found[5] is None else "latency"
    return Head(comm, int(found[1]), int(found[2]), ts, -1, found.end(), form, found.start())


def _loose(line: bytes) -> Head | None:
    """The columns of a line whose padding is not what the kernel printed."""
    for core, build in ((_CORE, _normal), (_LATENCY, _latency)):
        best: Head | None = None
        for found in core.finditer(line, 0, _HEAD_SPAN):
            head = build(line, found, 0)
            if best is None or len(line[: found.start()].lstrip()) < _COMM:
                best = head
        if best is not None:
            return best
    return None


def event_name(line: bytes, at: int = 0) -> tuple[str, int] | None:
    """(name, index of what follows) of the ``name: `` at an index, None where there is none."""
    found = _EVENT.match(line, at)
    return (found[1].decode("ascii"), found.end()) if found else None


def parse_body(event: str, text: bytes) -> Body:
    """The probe's place and the values of an event, from what stands after ``name: ``."""
    place, at = None, 0
    found = _PLACE.match(text)
    if found is not None:
        place, at = _place(found[1].decode("utf-8", "surrogateescape")), found.end()
    fields, junk = _fields(text[at:])
    if place is None and fields and fields[0][0] in ("__probe_ip", "__probe_func"):
        ret = fields[0][0] == "__probe_func"
        where = fields[0][1].decode("utf-8", "surrogateescape")
        place = Place(_function(where), ret, _ADDRESS.match(where) is not None)
        fields = [f for f in fields if not f[0].startswith("__probe_")]
    return Body(event, place, tuple(fields), junk)


def _place(text: str) -> Place:
    left, arrow, right = text.partition(" <- ")
    if not arrow:
        return Place(_function(left), False, _ADDRESS.match(left) is not None)
    if _ADDRESS.match(left) and _ADDRESS.match(right):
        return Place(left, True, True)  # libtraceevent: (function <- return address), the other way round
    return Place(_function(right), True, False)


def _function(text: str) -> str | None:
    if _ADDRESS.match(text):
        return text
    found = _SYMBOL.match(text)
    return found[1] if found else None


def _fields(text: bytes) -> tuple[list[tuple[str, bytes]], bytes | None]:
    if b'"' in text:
        return [(n.decode("ascii"), v) for n, v in _QUOTED.findall(text)], None
    out: list[tuple[str, bytes]] = []
    junk: bytes | None = None
    for token in text.split():
        name, equals, value = token.partition(b"=")
        if equals and (known := _field_name(name)) is not None:
            out.append((known, value))
        elif junk is None and not (out and _ECHO.match(token)):  # the option `fields` repeats each value in decimal
            junk = token
    return out, junk


@lru_cache(maxsize=1024)
def _field_name(name: bytes) -> str | None:
    return name.decode("ascii") if _FIELD_NAME.match(name) else None


def number(text: bytes) -> int | None:
    """The 64-bit register value of a printed number (hex, decimal, signed decimal), None where it is none."""
    if text[:2] == b"0x":
        if len(text) > 18 or b"_" in text:
            return None
        try:
            return int(text, 16)
        except ValueError:
            return None
    if not _DECIMAL.match(text):
        return None
    value = int(text)
    return value & 0xFFFFFFFFFFFFFFFF if -(1 << 63) <= value < 1 << 64 else None


def numbers(text: bytes) -> list[int] | None:
    """The elements of an array ``{v,v,...}``, None where it is not a whole one."""
    if text[:1] != b"{" or text[-1:] != b"}":
        return None
    if text.translate(None, b"0123456789abcdefABCDEFx-,{}"):
        return None
    try:
        out = [int(v, 16) if v[:2] == b"0x" else int(v) for v in text[1:-1].split(b",")]
    except ValueError:
        return None
    return [v & 0xFFFFFFFFFFFFFFFF for v in out] if max(out) < 1 << 64 and min(out) >= -(1 << 63) else None
