"""Recorded calls, one JSON object a line: a recorder in the caller, or this program's own ``decode --format json``.

A recorder's object holds ``t`` (s), ``dur_us``, ``fid``, ``in`` and ``out`` (registers from x0 on, as hex strings), ``mem_in``
and ``mem`` (address -> hex of a shared 4-KiB page before and after the call, cut behind its last byte that is not zero) and
``regions`` (address -> structure). An own object of type ``call`` holds ``ts_ns``, ``dur_ns``, ``cpu``, ``task``, ``x``, ``r``
and ``buffers``; objects of other types tell nothing that the calls do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ..capture.records import NO_TIME, Finding, Kind, RecordBuilder, Records
from .base import Buffer, Data, Detail, Growth, ReadOptions

MAX_LINE = 16 << 20
"""Bytes of one object; a longer line is not read."""
_PAGE = 4096
_MAX_FINDINGS = 500
_CUT_HEAD = re.compile(rb'\A\s*\{"seq": ?\d{1,12}, ?"t": ?[0-9.]{1,24}, ?"dur_us": ?[0-9.]{1,24}, ?"fid": ?"0x')
_OWN_TYPES = ("capture", "message", "state", "sequence", "finding", "summary", "mark")


class _NotACall(Exception):
    """Why a line is no call."""


def _load(raw: bytes) -> dict[str, Any] | None:
    """The object of a line, None for an own object that is no call. Raises _NotACall."""
    if len(raw) > MAX_LINE:
        raise _NotACall(f"longer than {MAX_LINE >> 20} MiB")
    try:
        o = json.loads(raw)
    except (ValueError, RecursionError):
        raise _NotACall("not JSON") from None
    if isinstance(o, dict):
        if isinstance(o.get("in"), list):
            return o
        if o.get("type") == "call" and isinstance(o.get("x"), list):
            return o
        if o.get("type") in _OWN_TYPES:
            return None
    raise _NotACall("no call in this object")


def _register(value: Any) -> int | None:
    if isinstance(value, str) and len(value) <= 24:
        try:
            value = int(value, 16 if value[:2].lower() == "0x" else 10)
        except ValueError:
            return None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64 else None


def _registers(o: dict[str, Any], out: bool) -> list[int | None] | None:
    """x0.. of one side, None where the object has no such side."""
    values = o.get(("out" if out else "in") if "in" in o else ("r" if out else "x"))
    return [_register(v) for v in values[:18]] if isinstance(values, list) else None


def _ns(value: Any, unit: int) -> int | None:
    """A time in ns from a number of seconds, us or ns (``unit`` ns each); microseconds are exact."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        # a float of seconds since 1970 has about 0.2 us left: more than microseconds would be made up
        ns = value * unit if isinstance(value, int) else round(value * 10**6) * 1000 if unit == 10**9 else round(value * unit)
    except (OverflowError, ValueError):
        return None
    return int(ns) if -(2**62) < ns < 2**62 else None


def _times(o: dict[str, Any]) -> tuple[int, int]:
    """When the call began and ended, NO_TIME where unknown."""
    start, dur = (
        (_ns(o.get("t"), 10**9), _ns(o.get("dur_us"), 1000)) if "in" in o else (_ns(o.get("ts_ns"), 1), _ns(o.get("dur_ns"), 1))
    )
    if start is None:
        return NO_TIME, NO_TIME
    return start, NO_TIME if dur is None or dur < 0 else start + dur


def _buffers(o: dict[str, Any], out: bool) -> tuple[list[Buffer], int]:
    """The buffers of one side, and how many more there are that cannot be read."""
    when = "exit" if out else "enter"
    found: list[Buffer] = []
    bad = 0
    if "in" in o:
        regions = o.get("regions")
        structs = regions if isinstance(regions, dict) else {}
        pages = o.get("mem" if out else "mem_in")
        entries = [(k, structs.get(k), v, True) for k, v in pages.items()] if isinstance(pages, dict) else []
    else:
        own = o.get("buffers")
        listed = [b for b in own if isinstance(b, dict)] if isinstance(own, list) else []
        entries = [(b.get("addr"), b.get("struct"), b.get("data"), False) for b in listed if b.get("when") == when]
    for addr, struct, data, page in entries:
        try:
            content = bytes.fromhex(data)
        except (TypeError, ValueError):
            bad += 1
            continue
        if page:
            content = content.ljust(_PAGE, b"\0")
        found.append(Buffer(struct if isinstance(struct, str) else None, _register(addr), when, content))
    return found, bad


def _lines(data: Data, start: int, end: int) -> Iterator[tuple[int, int]]:
    pos = start
    while pos < end:
        nxt = data.find(b"\n", pos, end)
        stop = end if nxt < 0 else nxt
        yield pos, stop
        pos = stop + 1


class CallsJsonl:
    """The format."""

    name = "calls-jsonl"
    title = "recorded calls, one JSON object a line (also: decode --format json)"
    growth = Growth()

    def sniff(self, head: bytes) -> float:
        """How surely this is one: by the objects of the first lines."""
        lines = [line for line in head[: 1 << 18].split(b"\n", 6)[:6] if line.strip()]
        if not lines or lines[0].lstrip()[:1] != b"{":
            return 0.0
        for line in lines[:5]:
            try:
                o = _load(line)
            except _NotACall:
                continue
            if o is not None:
                return 0.98
            if b'"type"' in line[:64] and b'"capture"' in line[:64]:
                return 0.98
        return 0.9 if _CUT_HEAD.match(head) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """The calls between two offsets; a line that is none is DAMAGED and says why."""
        builder = RecordBuilder()
        lines = ignored = bad = 0
        for at, stop in _lines(data, start, end):
            lines += 1
            size = stop - at
            raw = bytes(data[at:stop]) if size <= MAX_LINE else bytes(data[at : at + MAX_LINE + 1])
            text = raw.strip()
            if not text:
                ignored += 1
                continue
            try:
                o = _load(text)
            except _NotACall as e:
                bad += 1
                builder.add(Kind.DAMAGED, at, min(size, 2**31 - 1), name=str(e))
                continue
            if o is None:
                ignored += 1
                continue
            self._add(builder, o, at, len(raw.rstrip(b"\r")))
            if options.progress is not None and lines % 256 == 0:
                options.progress(at - start)
        builder.facts |= {"lines": lines, "ignored": ignored}
        if bad:
            builder.findings.append(Finding("LINE-NO-CALL", "warning", f"{bad} lines are no recorded calls"))
        return builder.finish()

    @staticmethod
    def _add(builder: RecordBuilder, o: dict[str, Any], at: int, size: int) -> None:
        begin, done = _times(o)
        cpu = o.get("cpu")
        cpu = cpu if isinstance(cpu, int) and not isinstance(cpu, bool) and 0 <= cpu < 2**31 else -1
        name = o.get("name")
        name = name if isinstance(name, str) and len(name) <= 256 else None
        builder.add(Kind.WHOLE_IN, at, size, ts=begin, cpu=cpu, name=name, regs=_registers(o, False) or ())
        out = _registers(o, True)
        if out is not None:
            builder.add(Kind.WHOLE_OUT, at, size, ts=done, cpu=cpu, name=name, regs=out)
        lost = _buffers(o, False)[1] + _buffers(o, True)[1]
        if lost and len(builder.findings) < _MAX_FINDINGS:
            builder.findings.append(Finding("BUFFER-UNREADABLE", "warning", f"{lost} buffers of a call are no hex text", -1, at))

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """One call in full, with the buffers of the side that is asked for."""
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        try:
            o = _load(raw.strip())
        except _NotACall:
            o = None
        if o is None:
            return Detail(text)
        regs = {i: v for i, v in enumerate(_registers(o, out) or ()) if v is not None}
        task, name = o.get("task"), o.get("name")
        fields = {"log": o["log"].rstrip("\n")} if out and isinstance(o.get("log"), str) and o["log"] else {}
        return Detail(
            text,
            task=task if isinstance(task, str) else None,
            event=name if isinstance(name, str) else None,
            regs=regs,
            fields=fields,
            buffers=tuple(_buffers(o, out)[0]),
        )


FORMAT = CallsJsonl()
