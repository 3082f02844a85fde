"""Binary records as the lines that the tracefs file ``trace`` would have shown, with all nine digits of the time.

The readers of trace text take an event from there, so that a binary trace means what its text means. Other than
libtraceevent, which prints probe arrays as zeros, this shows what the record holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .trace_dat_bprint import MAX_TEXT, bprintf
from .trace_dat_formats import EventFormat, Field
from .trace_dat_names import Symbols

_EVENT = re.compile(r"[A-Za-z_][\w.]{0,127}$")
_IRQS_OFF, _LAZY, _RESCHED, _HARDIRQ, _SOFTIRQ, _PREEMPT, _NMI, _BH_OFF = (1 << i for i in range(8))
_NEED = {
    _RESCHED | _LAZY | _PREEMPT: "B", _RESCHED | _PREEMPT: "N", _LAZY | _PREEMPT: "L", _LAZY | _RESCHED: "b",
    _RESCHED: "n", _LAZY: "l", _PREEMPT: "p",
}  # fmt: skip
_INTERNAL = 32
"""Event ids below are those of the tracer itself (enum trace_type); their formats are known by their names."""


def flags(irq: int, preempt: int) -> str:
    """The five flag columns of a line (trace_print_lat_fmt of kernel/trace/trace_output.c, 7.x) from common_flags and
    common_preempt_count."""
    off = ".bdD"[(2 if irq & _IRQS_OFF else 0) + (1 if irq & _BH_OFF else 0)]
    interrupt = ".shH"[(2 if irq & _HARDIRQ else 0) + (1 if irq & _SOFTIRQ else 0)]
    if irq & _NMI:
        interrupt = "Z" if irq & _HARDIRQ else "z"
    counts = "".join(f"{n:x}" if n else "." for n in (preempt & 15, preempt >> 4))
    return off + _NEED.get(irq & (_RESCHED | _LAZY | _PREEMPT), ".") + interrupt + counts


def line_head(comm: str, pid: int, cpu: int, irq: int, preempt: int, when: str) -> str:
    """The columns in front of an event."""
    where = f"{cpu:03}" if cpu >= 0 else "???"
    return f"{comm:>16}-{pid:<7} [{where}] {flags(irq, preempt)} {when}: "


class Renderer:
    """Prints records of one file.

    symbols    addresses of its kernel
    texts      strings by address (printk_formats)
    """

    def __init__(self, symbols: Symbols, texts: Mapping[int, bytes]) -> None:
        self.symbols, self.texts = symbols, texts

    def event(self, kind: EventFormat, payload: bytes) -> tuple[str, bytes]:
        """(event name, what stands after ``name: ``) of a record. A trace_printk() has its caller's name, raw data has none."""
        if kind.ident < _INTERNAL and not kind.probe:
            shown = self._internal(kind, payload)
            if shown is not None:
                return shown
        parts = [b" ".join(self._fields(kind, payload))]
        if kind.probe:
            parts.insert(0, self._place(kind, payload))
        return kind.name, b" ".join(p for p in parts if p)

    def _place(self, kind: EventFormat, payload: bytes) -> bytes:
        where = [number(a, payload) for a in kind.addresses]
        if kind.probe == "enter":
            shown = f"({self.symbols.show(where[0])})"
        else:
            shown = f"({self.symbols.show(where[1])} <- {self.symbols.name(where[0]) or f'0x{where[0]:x}'})"
        return shown.encode("utf-8", "surrogateescape")

    def _fields(self, kind: EventFormat, payload: bytes) -> Iterator[bytes]:
        for f in kind.fields:
            yield f.name.encode("ascii") + b"=" + self.value(f, payload)

    def value(self, f: Field, payload: bytes) -> bytes:
        """A field as the kernel prints it; of one that lies behind the record's end, what there is."""
        if not f.array:
            return self._one(f, number(f, payload))
        data = array(f, payload)
        if f.base == "s":
            if f.dynamic and not data:
                return b"(fault)"
            return b'"' + data.partition(b"\0")[0] + b'"'
        step = max(f.width, 1)
        values = (int.from_bytes(data[i : i + step], "little", signed=f.signed) for i in range(0, len(data), step))
        return b"{" + b",".join(self._one(f, v) for v in values) + b"}"

    def _one(self, f: Field, value: int) -> bytes:
        if f.base == "x":
            return b"0x%x" % (value & (1 << 8 * f.width) - 1)
        if f.base == "c":
            return b"'" + bytes([value & 0xFF]) + b"'"
        if f.base == "s":
            text = self.texts.get(value)
            return b"0x%x" % value if text is None else b'"' + text + b'"'
        if f.base == "S":
            return self.symbols.show(value).encode("utf-8", "surrogateescape")
        return b"%d" % (value if f.base != "u" else value & (1 << 8 * f.width) - 1)

    def _internal(self, kind: EventFormat, payload: bytes) -> tuple[str, bytes] | None:
        """Events of the tracer itself: markers, trace_printk(), functions."""
        fields = {f.name: f for f in kind.fields}
        if kind.name == "raw_data" and {"id", "buf"} <= fields.keys():
            data = array(fields["buf"], payload)[:MAX_TEXT]
            return "", b"# %x buf: %s" % (number(fields["id"], payload), data.hex(" ").encode("ascii"))
        if kind.name in ("function", "funcgraph_entry", "funcgraph_exit", "fgraph_retaddr_entry"):
            return self._function(kind, fields, payload)
        if kind.name not in ("print", "bprint", "bputs") or "ip" not in fields:
            return None
        text = b""
        if kind.name == "print" and "buf" in fields:
            text = array(fields["buf"], payload).partition(b"\0")[0]
        elif kind.name == "bputs" and "str" in fields:
            text = self.texts.get(number(fields["str"], payload), b"")
        elif kind.name == "bprint" and {"fmt", "buf"} <= fields.keys():
            text = bprintf(self.texts.get(number(fields["fmt"], payload), b""), array(fields["buf"], payload))
        caller = self.symbols.name(number(fields["ip"], payload)) or ""
        return caller if _EVENT.match(caller) else kind.name, text.rstrip(b"\n")

    def _function(self, kind: EventFormat, fields: Mapping[str, Field], payload: bytes) -> tuple[str, bytes] | None:
        where = fields.get("ip") or fields.get("func")
        if where is None:
            return None
        func = (self.symbols.name(number(where, payload)) or f"0x{number(where, payload):x}").encode("utf-8", "surrogateescape")
        if kind.name == "function":
            parent = self.symbols.name(number(fields["parent_ip"], payload)) if "parent_ip" in fields else None
            return kind.name, func + (f" <-{parent}" if parent else "").encode("utf-8", "surrogateescape")
        depth = min(number(fields["depth"], payload), 64) if "depth" in fields else 0
        if kind.name != "funcgraph_exit":
            return kind.name, b"%15s |  " % b"" + b"  " * depth + func + b"() {"
        took = b""
        if {"calltime", "rettime"} <= fields.keys():
            ns = max(0, number(fields["rettime"], payload) - number(fields["calltime"], payload))
            took = b"%d.%03d us" % divmod(ns, 1000)
        ret = b" ret=0x%x" % (number(fields["retval"], payload) & (1 << 64) - 1) if "retval" in fields else b""
        return kind.name, b"%15s |  " % took + b"  " * depth + b"} /* " + func + ret + b" */"


def number(f: Field, payload: bytes) -> int:
    """The number in a field that is no array; of one that is, its first bytes."""
    return int.from_bytes(payload[f.offset : f.offset + min(f.size or 8, 8)], "little", signed=f.signed)


def array(f: Field, payload: bytes) -> bytes:
    """The bytes of an array."""
    if not f.dynamic:
        return payload[f.offset : f.offset + f.size] if f.size else payload[f.offset :]
    place = int.from_bytes(payload[f.offset : f.offset + 4], "little")
    at = (place & 0xFFFF) + (f.offset + 4 if f.dynamic == "rel" else 0)
    return payload[at : at + (place >> 16)]
