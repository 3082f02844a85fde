"""Writes trace.dat files, by trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5) and linux/ring_buffer.h; no code of the project.

trace-cmd 3.1.6 reads what it writes: the stored reports in tests/data/trace-dat were printed by it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import zstandard

HEADER_PAGE = (
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
    "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
    "\tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;\n"
    "\tfield: char data;\toffset:16;\tsize:{};\tsigned:0;\n"
)
HEADER_EVENT = (
    "# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n\tarray       :   32 bits\n\n"
    "\tpadding     : type == 29\n\ttime_extend : type == 30\n\ttime_stamp : type == 31\n\tdata max type_len  == 28\n"
)
_COMMON = (
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
)


def event_format(name: str, ident: int, fields: list[tuple[str, int, int, int]], fmt: str, args: str) -> str:
    """The text of a format file; fields are (declaration, offset, size, signed)."""
    body = "".join(f"\tfield:{d};\toffset:{o};\tsize:{s};\tsigned:{g};\n" for d, o, s, g in fields)
    return f'name: {name}\nID: {ident}\nformat:\n{_COMMON}{body}\nprint fmt: "{fmt}", {args}\n'


def probe_format(name: str, ident: int, names: list[str], *, ret: bool = False) -> str:
    """The format of a kprobe whose arguments are all x64."""
    fields = [("unsigned long __probe_ip", 8, 8, 0)]
    fmt, args = "(%lx)", ["REC->__probe_ip"]
    if ret:
        fields = [("unsigned long __probe_func", 8, 8, 0), ("unsigned long __probe_ret_ip", 16, 8, 0)]
        fmt, args = "(%lx <- %lx)", ["REC->__probe_func", "REC->__probe_ret_ip"]
    for n in names:
        fields.append((f"u64 {n}", fields[-1][1] + 8, 8, 0))
        fmt += f" {n}=0x%Lx"
        args.append(f"REC->{n}")
    return event_format(name, ident, fields, fmt, ", ".join(args))


def internal_format(name: str, ident: int, *fields: tuple[str, int, int]) -> str:
    """The format of an event of the tracer itself, with fields as (declaration, offset, size)."""
    return event_format(name, ident, [(*f, 0) for f in fields], "x", "0")


# as a 7.3 kernel has them in events/ftrace
FUNCTION = internal_format(
    "function", 1, ("unsigned long ip", 8, 8), ("unsigned long parent_ip", 16, 8), ("unsigned long args[]", 24, 0)
)
PRINT = internal_format("print", 5, ("unsigned long ip", 8, 8), ("char buf[]", 16, 0))
BPRINT = internal_format("bprint", 6, ("unsigned long ip", 8, 8), ("const char * fmt", 16, 8), ("u32 buf[]", 24, 0))
BPUTS = internal_format("bputs", 15, ("unsigned long ip", 8, 8), ("const char * str", 16, 8))
RAW_DATA = internal_format("raw_data", 19, ("unsigned int id", 8, 4), ("char buf[]", 12, 0))
GRAPH_ENTRY = internal_format(
    "funcgraph_entry", 11, ("unsigned long func", 8, 8), ("unsigned long depth", 16, 8), ("unsigned long args[]", 24, 0)
)
GRAPH_EXIT = internal_format(
    "funcgraph_exit", 10, ("unsigned long func", 8, 8), ("unsigned long retval", 16, 8), ("unsigned int depth", 24, 4),
    ("unsigned int overrun", 28, 4), ("unsigned long long calltime", 32, 8), ("unsigned long long rettime", 40, 8),
)  # fmt: skip


def record(ident: int, pid: int, *words: int, flags: int = 0, preempt: int = 0, tail: bytes = b"") -> bytes:
    """A payload: the common fields, u64s, and any bytes."""
    return struct.pack("<HBBi", ident, flags, preempt, pid) + struct.pack(f"<{len(words)}Q", *words) + tail


def event(payload: bytes, delta: int = 0) -> bytes:
    """A ring-buffer event with a payload, ns after the event before."""
    payload += bytes(-len(payload) % 4)
    if len(payload) <= 28 * 4:
        return struct.pack("<I", len(payload) // 4 | delta << 5) + payload
    return struct.pack("<II", delta << 5, len(payload) + 4) + payload


def time_extend(delta: int) -> bytes:
    """ns that do not fit into 27 bits."""
    return struct.pack("<II", 30 | (delta & (1 << 27) - 1) << 5, delta >> 27)


def time_stamp(ts: int) -> bytes:
    """An absolute time, of which 59 bits are kept."""
    return struct.pack("<II", 31 | (ts & (1 << 27) - 1) << 5, ts >> 27 & 0xFFFFFFFF)


def padding(size: int, delta: int = 1) -> bytes:
    """A discarded event of so many bytes in all."""
    return struct.pack("<II", 29 | delta << 5, size - 4) + bytes(size - 8)


def page(ts: int, *events: bytes, size: int = 4096, lost: int | None = None) -> bytes:
    """A page; ``lost`` events before it (-1: not counted)."""
    data = b"".join(events)
    commit = len(data)
    if lost is not None:
        commit |= 1 << 31
        if lost >= 0:
            commit |= 1 << 30
            data += struct.pack("<Q", lost)
    out = struct.pack("<QQ", ts, commit) + data
    assert len(out) <= size
    return out + bytes(size - len(out))


@dataclass
class Trace:
    """What goes into a file; pages by CPU, of the top instance and of others; further options as (id, bytes)."""

    formats: list[str]
    cpus: dict[int, bytes] = field(default_factory=dict)
    instances: dict[str, dict[int, bytes]] = field(default_factory=dict)
    ftrace: list[str] = field(default_factory=list)
    kallsyms: bytes = b""
    printk: bytes = b""
    cmdlines: bytes = b""
    page_size: int = 4096
    clock: str = "local"
    clocks: dict[str, str] = field(default_factory=dict)
    options: list[tuple[int, bytes]] = field(default_factory=list)

    def headers(self) -> bytes:
        head = HEADER_PAGE.format(self.page_size - 16).encode()
        event_ = HEADER_EVENT.encode()
        return (
            b"header_page\0" + struct.pack("<Q", len(head)) + head + b"header_event\0" + struct.pack("<Q", len(event_)) + event_
        )

    def ftrace_formats(self) -> bytes:
        return struct.pack("<I", len(self.ftrace)) + b"".join(struct.pack("<Q", len(t)) + t.encode() for t in self.ftrace)

    def event_formats(self) -> bytes:
        texts = b"".join(struct.pack("<Q", len(t)) + t.encode() for t in self.formats)
        return struct.pack("<I", 1) + b"smccc\0" + struct.pack("<I", len(self.formats)) + texts

    def texts(self) -> list[tuple[int, bytes]]:
        return [
            (19, struct.pack("<I", len(self.kallsyms)) + self.kallsyms), (20, struct.pack("<I", len(self.printk)) + self.printk),
            (21, struct.pack("<Q", len(self.cmdlines)) + self.cmdlines),
        ]  # fmt: skip

    def all_options(self) -> list[tuple[int, bytes]]:
        clocks = " ".join(
            f"[{c}]" if c == self.clock else c for c in ("local", "global", "counter", "uptime", "mono", "boot", "tai")
        )
        return [
            (4, clocks.encode() + b"\n\0"),
            (5, b"Linux guest 7.3.4 aarch64\0"),
            (9, b"3.4.0 not-a-git-repo\0"),
            *self.options,
        ]

    def initial(self, version: bytes) -> bytearray:
        return bytearray(b"\x17\x08\x44tracing" + version + b"\0\0\x08" + struct.pack("<I", self.page_size))


def _align(out: bytearray, size: int) -> None:
    out += bytes(-len(out) % size)


def v6(t: Trace) -> bytes:
    """Version 6."""
    out = t.initial(b"6")
    out += t.headers() + t.ftrace_formats() + t.event_formats() + b"".join(text for _, text in t.texts())
    count = max([*t.cpus, *(c for pages in t.instances.values() for c in pages)], default=0) + 1
    out += struct.pack("<I", count) + b"options  \0"
    for ident, value in t.all_options():
        out += struct.pack("<HI", ident, len(value)) + value
    places = {}
    for name in ["", *t.instances] if t.instances else []:
        value = bytes(8) + name.encode() + b"\0"
        out += struct.pack("<HI", 3, len(value))
        places[name] = len(out)
        out += value
    out += struct.pack("<H", 0)
    for name, pages in (("", t.cpus), *t.instances.items()):
        if name in places:
            struct.pack_into("<Q", out, places[name], len(out))
        out += b"flyrecord\0"
        table = len(out)
        clock = f"[{t.clock}]".encode()
        out += bytes(16 * count) + struct.pack("<Q", len(clock)) + clock
        for cpu in range(count):
            _align(out, t.page_size)
            data = pages.get(cpu, b"")
            struct.pack_into("<QQ", out, table + 16 * cpu, len(out), len(data))
            out += data
    return bytes(out)


def pack(data: bytes, compression: str) -> bytes:
    """A chunk without its sizes, as trace-cmd packs it: a zstd frame that does not say how much it holds."""
    if compression == "zlib":
        return zlib.compress(data)
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


def v7(t: Trace, compression: str = "zstd", pages_per_chunk: int = 10) -> bytes:
    """Version 7; the options stand behind the texts, and those of the buffers at the end, as trace-cmd writes them."""
    out = t.initial(b"7")
    out += compression.encode() + b"\0" + b"1.5.7\0"
    first = len(out)
    out += bytes(8)
    sections = []
    for ident, data in ((16, t.headers()), (17, t.ftrace_formats()), (18, t.event_formats()), *t.texts()):
        sections.append((ident, struct.pack("<Q", len(out))))
        _section(out, ident, data, compression)
    struct.pack_into("<Q", out, first, len(out))
    link = _options(out, [*sections, *t.all_options()])
    buffers = []
    for name, pages in (("", t.cpus), *t.instances.items()):
        at = len(out)
        out += struct.pack("<HHIQ", 3, int(compression != "none"), 0, 0)
        places = b""
        for cpu, data in pages.items():
            _align(out, t.page_size)
            begin = len(out)
            if compression == "none":
                out += data
            else:
                step = pages_per_chunk * t.page_size
                chunks = [data[i : i + step] for i in range(0, len(data), step)]
                out += struct.pack("<I", len(chunks))
                for c in chunks:
                    packed = pack(c, compression)
                    out += struct.pack("<II", len(packed), len(c)) + packed
            places += struct.pack("<IQQ", cpu, begin, len(out) - begin)
        struct.pack_into("<Q", out, at + 8, len(out) - at - 16)
        head = name.encode() + b"\0" + t.clocks.get(name, t.clock).encode() + b"\0" + struct.pack("<II", t.page_size, len(pages))
        buffers.append((3, struct.pack("<Q", at) + head + places))
    struct.pack_into("<Q", out, link, len(out))
    _options(out, buffers)
    return bytes(out)


def _section(out: bytearray, ident: int, data: bytes, compression: str) -> None:
    packed = data
    if compression != "none":
        packed = pack(data, compression)
        packed = struct.pack("<II", len(packed), len(data)) + packed
    out += struct.pack("<HHIQ", ident, int(compression != "none"), 0, len(packed)) + packed


def _options(out: bytearray, options: list[tuple[int, bytes]]) -> int:
    """Append a section of options; returns where the offset of the next one goes."""
    body = b"".join(struct.pack("<HI", i, len(v)) + v for i, v in options) + struct.pack("<HIQ", 0, 8, 0)
    out += struct.pack("<HHIQ", 0, 0, 0, len(body)) + body
    return len(out) - 8
