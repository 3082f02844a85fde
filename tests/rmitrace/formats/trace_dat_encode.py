"""Makes a trace.dat of a tracefs text, event by event: what the kernel would have had in its ring buffer when it printed that.

Only lines of probes, of markers and of lost events are taken; the types of the arguments are told from how they are printed.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict

from tests.rmitrace.formats import trace_dat_build as build

_LINE = re.compile(
    rb"^(.{16})-(\d+) +(?:\( *[\d-]+\) )?\[(\d+)\] (?:([\w.]{5}) )? *(\d+)\.(\d{6}): (\w+): (\([^)]*\)|)(.*)$", re.S
)
_RAW = re.compile(rb"^(.{16})-(\d+) +\[(\d+)\] ([\w.]{5}) +(\d+)\.(\d{6}): # ([0-9a-f]+) buf: ([0-9a-f ]+)$", re.S)
_LOST = re.compile(rb"^CPU:(\d+) \[LOST (?:(\d+) )?EVENTS\]$")
_FIELD = re.compile(rb' (\w+)=("[^"]*"|\(fault\)|\{[^}]*\}|\S+)')
_SYMBOL = re.compile(rb"([\w.$]+)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?: \[(\w+)\])?")
MARKER = "tracing_mark_write"
_PAGE = 4096 - 16
_FLAGS = {
    b"d": 1,
    b"b": 0x80,
    b"D": 0x81,
    b"N": 0x24,
    b"n": 4,
    b"p": 0x20,
    b"L": 0x22,
    b"l": 2,
    b"B": 0x26,
    b"h": 8,
    b"s": 16,
    b"H": 24,
}


class _Symbols:
    """Addresses for the functions that a text names, with the sizes that it gives."""

    def __init__(self, text: bytes, callers: tuple[str, ...]) -> None:
        self.places: dict[bytes, int] = {}
        lines = []
        at = 0xFFFF800080000000
        sized = {(m[1], m[4] or b""): int(m[3], 16) for m in _SYMBOL.finditer(text)}
        bare = {(n, b"") for n in re.findall(rb"<- ([\w.$]+)\)", text)} | {(n.encode(), b"") for n in (MARKER, *callers)}
        for name, module in [*sized, *sorted(b for b in bare if b[0] not in {n for n, _ in sized})]:
            self.places[name] = at
            lines.append(b"%016x t %s%s" % (at, name, b"\t[%s]" % module if module else b""))
            at += sized.get((name, module), 64)
            if sized.get((name, module), 64) % 64:
                lines.append(b"%016x t behind_%s" % (at, name))
            at = (at + 127) // 64 * 64
            lines.append(b"%016x t gap_%d" % (at - 64, at))
        self.text = b"\n".join(lines) + b"\n"

    def address(self, shown: bytes) -> int:
        found = _SYMBOL.match(shown)
        return self.places[found[1]] + int(found[2], 16) if found else self.places[shown]


def _parse(text: bytes, callers: tuple[str, ...]) -> tuple[list[tuple], dict[tuple, list[tuple[bytes, list[bytes]]]]]:
    events: list[tuple] = []
    shapes: dict[tuple, dict[bytes, list[bytes]]] = defaultdict(dict)
    for line in text.split(b"\n"):
        if lost := _LOST.match(line):
            events.append(("lost", int(lost[1]), int(lost[2] or -1)))
        elif line.count(b'"') % 2:
            continue  # a string with a line end in it
        elif m := _RAW.match(line) or _LINE.match(line):
            head = (m[1].lstrip(b" "), int(m[2]), int(m[3]), m[4] or b".....", int(m[5]) * 10**9 + int(m[6]) * 1000)
            if m.re is _RAW:
                events.append(("raw", *head, int(m[7], 16), bytes.fromhex(m[8].decode())))
                continue
            name = m[7].decode()
            if name in callers:
                events.append(("mark", *head, m[7], m[8] + m[9]))
            elif b"+0x" in m[8]:
                fields = _FIELD.findall(m[9])
                events.append(("probe", *head, name, m[8][1:-1], fields))
                for n, v in fields:
                    shapes[name, *(n for n, _ in fields)].setdefault(n, []).append(v)
    return events, {k: list(v.items()) for k, v in shapes.items()}


def _type(values: list[bytes]) -> tuple[str, str, str, int, str]:
    """(kind, declared type, conversion, bytes of an element, struct letter) that prints all of these."""
    if any(v[:1] == b'"' or v == b"(fault)" for v in values):
        return "string", "__data_loc char[]", '\\"%s\\"', 4, ""
    kind = "array" if values[0][:1] == b"{" else "scalar"
    flat = [v for value in values for v in value.strip(b"{}").split(b",")]
    if any(v[:1] == b"'" for v in flat):
        return kind, "u8", "'%c'", 1, "B"
    if any(v[:1] == b"-" for v in flat):
        return kind, "s64", "%Ld", 8, "q"
    small = kind == "array" and max(int(v, 0) for v in flat) < 256
    hexadecimal = any(v[:2] == b"0x" for v in flat)
    if small:
        return kind, "u8", "0x%x" if hexadecimal else "%u", 1, "B"
    return kind, "u64", "0x%Lx" if hexadecimal else "%Lu", 8, "Q"


def _format(
    name: str, ident: int, ret: bool, shape: list[tuple[bytes, list[bytes]]]
) -> tuple[str, list[tuple[bytes, tuple, int, int]]]:
    at = 24 if ret else 16
    places = (
        [("unsigned long __probe_func", 8, 8, 0), ("unsigned long __probe_ret_ip", 16, 8, 0)]
        if ret
        else [("unsigned long __probe_ip", 8, 8, 0)]
    )
    fmt, args, layout = "(%lx <- %lx)" if ret else "(%lx)", ["REC->x"], []
    for n, values in shape:
        kind = _type(values)
        count = len(values[0].split(b",")) if kind[0] == "array" else 1
        text = n.decode()
        declared = f"{kind[1]} {text}[]" if kind[0] == "array" else f"{kind[1]} {text}"
        size = kind[3] * count
        places.append((declared, at, size, int(kind[1] == "s64")))
        fmt += f" {text}=" + ("{" + ",".join([kind[2]] * count) + "}" if kind[0] == "array" else kind[2])
        args.append(f"__get_str({text})" if kind[0] == "string" else f"REC->{text}")
        layout.append((n, kind, at, count))
        at += size
    return build.event_format(name, ident, places, fmt, ", ".join(args)), layout


def _payload(ident: int, pid: int, flags: bytes, addresses: list[int], layout: list[tuple], fields: dict[bytes, bytes]) -> bytes:
    body = struct.pack(f"<{len(addresses)}Q", *addresses)
    tail = b""
    end = 8 + len(body) + sum(4 if k[0] == "string" else k[3] * c for _, k, _, c in layout)
    for n, kind, _, _ in layout:
        value = fields[n]
        if kind[0] == "string":
            text = b"" if value == b"(fault)" else value[1:-1] + b"\0"
            body += struct.pack("<I", len(text) << 16 | (end + len(tail)))
            tail += text
        else:
            parts = value.strip(b"{}").split(b",")
            body += b"".join(struct.pack("<" + kind[4], v[1] if v[:1] == b"'" else int(v, 0)) for v in parts)
    irq = sum(_FLAGS.get(flags[i : i + 1], 0) for i in range(3))
    preempt = sum(int(flags[i : i + 1], 16) << 4 * (i - 3) for i in (3, 4) if flags[i : i + 1] != b".")
    return struct.pack("<HBBi", ident, irq, preempt, pid) + body + tail


def encode(text: bytes, *callers: str) -> build.Trace:
    """The trace.dat of a text; ``callers`` are functions that it shows calling trace_printk()."""
    events, shapes = _parse(text, (MARKER, *callers))
    symbols = _Symbols(text, callers)
    formats: dict[tuple, tuple[int, str, list]] = {}
    comms: dict[int, bytes] = {}
    pages: dict[int, bytes] = defaultdict(bytes)
    state: dict[int, list] = {}  # cpu: [page's time, last time, events, lost]

    def flush(cpu: int) -> None:
        first, _, data, lost = state.pop(cpu)
        pages[cpu] += build.page(first, data, lost=lost)

    pending: dict[int, int] = {}
    for e in events:
        if e[0] == "lost":
            if e[1] in state:
                flush(e[1])
            pending[e[1]] = e[2]
            continue
        _, comm, pid, cpu, flags, ts = e[:6]
        comms[pid] = comm
        if e[0] == "mark":
            payload = build.record(5, pid, symbols.places[e[6]], tail=e[7] + b"\n\0")
        elif e[0] == "raw":
            payload = build.record(19, pid, tail=struct.pack("<I", e[6]) + e[7])
        else:
            name, place, fields = e[6:]
            where = place.split(b" <- ")
            addresses = [symbols.address(w) for w in reversed(where)]
            key = (name, *(n for n, _ in fields))
            if key not in formats:
                ident = 1600 + len(formats)
                formats[key] = (ident, *_format(name, ident, len(where) == 2, shapes.get(key, [])))
            payload = _payload(formats[key][0], pid, flags, addresses, formats[key][2], dict(fields))
        if cpu not in state:
            state[cpu] = [ts, ts, b"", pending.pop(cpu, None)]
        delta = ts - state[cpu][1]
        data = build.event(payload, delta) if delta < 1 << 27 else build.time_extend(delta) + build.event(payload)
        if len(state[cpu][2]) + len(data) > _PAGE - 8:
            flush(cpu)
            state[cpu] = [ts, ts, b"", None]
            data = build.event(payload)
        state[cpu][1] = ts
        state[cpu][2] += data
    for cpu in list(state):
        flush(cpu)
    lines = b"".join(b"%d %s\n" % c for c in comms.items())
    return build.Trace(
        [f[1] for f in formats.values()], dict(pages), ftrace=[build.PRINT, build.RAW_DATA], kallsyms=symbols.text, cmdlines=lines
    )
