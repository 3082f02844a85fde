"""Lines of perf's text: the columns of a sample, breakpoints and their registers, calls of ``perf trace``."""

from __future__ import annotations

import re

from ..capture.records import NO_TIME
from . import eventmap
from .ftrace_line import Body, Head, Place, nanoseconds, number

_COMM = 16
_SPAN = 320
# "PID[/TID] [CPU] TIME: [PERIOD]", after the task's name, which is padded to 16 bytes
_CORE = re.compile(rb" +(\d{1,9})(?:/(\d{1,9}))? +(?:\[(\d{1,6})\] +)?(?:(\d{1,12})\.(\d{1,9}): +)(?:\d{1,20} +)?(?=[\w.-]+:)")
_BARE = re.compile(rb" *(?:\[(\d{1,6})\] +)?(?:(\d{1,12})\.(\d{1,9}): +)?(?:\d{1,20} +)?(?=[\w.-]+:[\w.]+: )")
GROUP = re.compile(rb"([\w.-]{1,64}):(?=[A-Za-z_])")
BREAKPOINT = re.compile(rb"mem:0x([0-9a-f]{1,16})(?:/\d{1,3})?:[rwx]{1,3}(?::\w{1,8})?:(?: |$)")
BREAKPOINTS = re.compile(rb"mem:0x([0-9a-f]{1,16})(?:/\d{1,3})?:[rwx]{1,3}:")
INTERRUPTED = re.compile(rb"ABI:\d")
_IREG = re.compile(rb" x(\d{1,2}):0x([0-9a-f]{1,16})(?![0-9a-f])")
LOST = re.compile(rb"PERF_RECORD_LOST(?:_SAMPLES)? lost (\d{1,18})")
CHUNKS = re.compile(rb"Processed \d{1,18} events and lost (\d{1,18}) chunks")
_TRACE = re.compile(
    rb" *(\d{1,12})\.(\d{3}) (?:\( *[\d.]{0,16} ?m?s?\): )?(.{0,64}?)/(\d{1,9}) "
    rb"([\w.-]{1,64}):([A-Za-z_]\w{0,127})\((.{0,8192})\)$"
)
_TRACE_ARG = re.compile(rb"(\w{1,64}): (-?\d{1,20}|0x[0-9a-f]{1,16})(?=, |$)")


def parse_head(line: bytes) -> Head | None:
    """The columns of a sample, None where there are none."""
    if line[_COMM : _COMM + 1] == b" " and (found := _CORE.match(line, _COMM)):
        return _head(line, found)
    best = None
    for found in _CORE.finditer(line, 0, _SPAN):
        if best is None or len(line[: found.start()].lstrip()) < _COMM:
            best = _head(line, found)
    if best is None and (found := _BARE.match(line)) and (found[2] or line[found.end() :][:4] != b"mem:"):
        ts = nanoseconds(found[2], found[3])[0] if found[2] else NO_TIME
        best = Head(None, -1, int(found[1] or -1), ts, -1, found.end(), "bare", 0)
    return best


def _head(line: bytes, found: re.Match[bytes]) -> Head:
    comm = line[: found.start()].lstrip(b" ")
    ts = nanoseconds(found[4], found[5])[0]
    cpu = -1 if found[3] is None else int(found[3])
    return Head(comm, int(found[2] or found[1]), cpu, ts, -1, found.end(), "normal", found.start())


def parse_trace(line: bytes) -> tuple[Head, str, Body] | None:
    """(columns, event, values) of a line of ``perf trace``. An argument that is zero is not printed; time in ms."""
    found = _TRACE.match(line)
    if found is None:
        return None
    ts = (int(found[1]) * 1000 + int(found[2])) * 1000
    head = Head(found[3].lstrip(b" "), int(found[4]), -1, ts, -1, 0, "trace", 0)
    fields = [(m[1].decode("ascii"), m[2]) for m in _TRACE_ARG.finditer(found[7])]
    func = dict(fields).get("__probe_func")
    place = Place(f"{number(func) or 0:x}", True, True) if func is not None else None
    name = found[6].decode("ascii")
    fields = [f for f in fields if not f[0].startswith("__probe_")]
    out = place is not None or eventmap.direction(name) == "exit"
    if out and not {"a0", "x0", "ret", "retval"} & {n for n, _ in fields}:
        fields.insert(0, ("a0", b"0"))
    return head, name, Body(name, place, tuple(fields), None)


def breakpoint_roles(addresses: list[int]) -> dict[int, tuple[bool | None, int]]:
    """For each breakpoint address (is it the exit, the address of its enter): an SMC instruction, or the one in front of it, and
    the one after it.

    Addresses 4 bytes apart are a pair, else those 8 apart, and so are the only two there are; None where an address stands alone.
    """
    out: dict[int, tuple[bool | None, int]] = {}
    todo = sorted(set(addresses))
    for apart in (4, 8):
        for a in todo:
            if a not in out and a + apart in todo and a + apart not in out:
                out[a], out[a + apart] = (False, a), (True, a)
    if len(todo) == 2 and not out:
        out = {todo[0]: (False, todo[0]), todo[1]: (True, todo[0])}
    return out | {a: (None, a) for a in todo if a not in out}


def interrupt_registers(text: bytes) -> list[int | None]:
    """x0..x17 of ``x0:0x.. x1:0x..`` (perf's order may be any), None for those not recorded."""
    regs: list[int | None] = []
    for found in _IREG.finditer(text):
        n = int(found[1])
        if n < eventmap.MAX_REGS:
            regs.extend([None] * (n + 1 - len(regs)))
            regs[n] = int(found[2], 16)
    return regs
