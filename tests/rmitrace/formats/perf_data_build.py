"""A perf.data by hand: two probe events and their samples, as ``perf record -e smccc:*`` writes them.

Layout: tools/perf/Documentation/perf.data-file-format.txt, struct perf_event_attr and the record types of
include/uapi/linux/perf_event.h, and, for the event formats, tools/perf/util/trace-event-info.c (version 0.6).
"""

from __future__ import annotations

import struct

ENTER, EXIT = 1688, 1689
_IP, _TID, _TIME, _CPU, _RAW, _IDENTIFIER = 1, 2, 4, 1 << 7, 1 << 10, 1 << 16
_TYPE = _IP | _TID | _TIME | _CPU | _RAW | _IDENTIFIER
_TRACEPOINT, _TRACING_DATA = 2, 1
_COMM, _SAMPLE = 3, 9
_COMMON = (
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
)


def event_format(name: str, ident: int, places: tuple[str, ...], regs: int) -> str:
    """The format text of a probe with a0.. behind its one or two addresses."""
    names = [*places, *(f"a{i}" for i in range(regs))]
    lines = [
        f"\tfield:{'unsigned long' if i < len(places) else 'u64'} {n};\toffset:{8 + 8 * i};\tsize:8;\tsigned:0;\n"
        for i, n in enumerate(names)
    ]
    shown = " <- ".join(["%lx"] * len(places))
    values = "".join(f" a{i}=0x%Lx" for i in range(regs))
    args = ", ".join(f"REC->{n}" for n in names)
    return f'name: {name}\nID: {ident}\nformat:\n{_COMMON}{"".join(lines)}\nprint fmt: "({shown}){values}", {args}\n'


FORMATS = (
    event_format("smc12_enter", ENTER, ("__probe_ip",), 8),
    event_format("smc12_exit", EXIT, ("__probe_func", "__probe_ret_ip"), 4),
)
_PAGE = (
    "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
    "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n"
)


def _text(data: str, size: str = "<Q") -> bytes:
    return struct.pack(size, len(data)) + data.encode()


def tracing_data() -> bytes:
    """The event formats and the texts of tracefs."""
    out = b"\x17\x08\x44tracing" + b"0.6\0" + struct.pack("<BBI", 0, 8, 4096)
    out += b"header_page\0" + _text(_PAGE) + b"header_event\0" + _text("# compressed entry header\n")
    out += struct.pack("<I", 0)  # events of the tracer itself
    out += struct.pack("<I", 1) + b"smccc\0" + struct.pack("<I", len(FORMATS)) + b"".join(map(_text, FORMATS))
    return out + struct.pack("<I", 0) + struct.pack("<I", 0) + struct.pack("<Q", 0)  # kallsyms, printk formats, task names


def _attr(ident: int) -> bytes:
    """struct perf_event_attr, as long as in its fifth version."""
    sample_id_all = 1 << 18
    return struct.pack("<IIQQQQQ", _TRACEPOINT, 112, ident, 1, _TYPE, 0, sample_id_all).ljust(112, b"\0")


def sample(ident: int, pid: int, cpu: int, ns: int, addresses: tuple[int, ...], regs: tuple[int, ...]) -> bytes:
    """A sample of one of the events."""
    raw = struct.pack("<HBBi", ident, 1, 0, pid) + struct.pack(f"<{len(addresses) + len(regs)}Q", *addresses, *regs)
    raw += b"\0" * (-(len(raw) + 4) % 8)
    body = struct.pack("<QQIIQII", ident, addresses[0], pid, pid, ns, cpu, 0) + struct.pack("<I", len(raw)) + raw
    return struct.pack("<IHH", _SAMPLE, 1, 8 + len(body)) + body


def comm(pid: int, name: bytes) -> bytes:
    """The name of a task."""
    body = struct.pack("<II", pid, pid) + name.ljust((len(name) + 8) // 8 * 8, b"\0")
    body += struct.pack("<IIQIIQ", pid, pid, 0, 0, 0, ENTER)  # sample_id_all: task, time, CPU, event
    return struct.pack("<IHH", _COMM, 0, 8 + len(body)) + body


def perf_data(records: bytes) -> bytes:
    """The whole file."""
    ids = struct.pack("<QQ", ENTER, EXIT)
    at_attrs = 104 + len(ids)
    attrs = b"".join(_attr(i) + struct.pack("<QQ", 104 + 8 * k, 8) for k, i in enumerate((ENTER, EXIT)))
    at_data = at_attrs + len(attrs)
    tracing = tracing_data()
    at_tracing = at_data + len(records) + 16
    head = b"PERFILE2" + struct.pack("<QQ", 104, 128)
    head += struct.pack("<QQQQQQ", at_attrs, len(attrs), at_data, len(records), 0, 0) + struct.pack(
        "<4Q", 1 << _TRACING_DATA, 0, 0, 0
    )
    return head + ids + attrs + records + struct.pack("<QQ", at_tracing, len(tracing)) + tracing


CALLS = (
    ((0xC4000150, 0x20000, 0, 0, 0, 0, 0, 0), (0, 0x20000, 0x20000, 0)),
    ((0xC4000165, 0, 0, 0, 0, 0, 0, 0), (0, 0x104130, 0, 0)),
    ((0xC4000178, 0x88200000, 0, 0, 0, 0, 0, 0), (0, 3, 0, 0)),
    ((0xC4000178, 0x88201000, 0, 0, 0, 0, 0, 0), (1, 0, 0, 0)),
)


def calls() -> bytes:
    """A file with CALLS, one a millisecond, of 40 us each."""
    records = comm(354, b"tsm-connect")
    for i, (x, r) in enumerate(CALLS):
        ns = 107_999_205_123 + i * 1_000_000
        records += sample(ENTER, 354, i % 2, ns, (0xFFFF80008002BF38,), x)
        records += sample(EXIT, 354, i % 2, ns + 40_000, (0xFFFF80008002BF38, 0xFFFF800078EA00C8), r)
    return perf_data(records)
