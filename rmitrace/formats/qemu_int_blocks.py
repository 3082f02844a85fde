"""The pieces that an SMC leaves in a ``-d int,cpu`` log: exception blocks, returns from EL3, register dumps.

The bulk of such a log is interrupts. Only what concerns EL3 is looked at; it is found by searching for literal text.
The lines of one block may be mixed with console text and with the blocks of other CPUs (each line is printed alone).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .base import Data
from .qemu_common import line_bounds

SMC_LINE = b"Taking exception 13"
RETURN_LINE = b" EL3 to AArch"
DUMP_LINE = b" PC="
TO_EL3 = b" to EL3"
PSCI_LINE = b"...handled as PSCI call"

_TAKING = re.compile(rb"Taking exception (\d{1,3}) \[[^\]\r\n]{1,40}\](?: on CPU (\d{1,5})\b)?")
_TAKING_SMC = re.compile(rb"Taking exception 13 \[Secure Monitor Call\](?: on CPU (\d{1,5})\b)?")
_FROM = re.compile(rb"\.\.\.from EL(\d) to EL(\d)")
_WITH = re.compile(rb"\.\.\.with (ESR|SPSR|ELR) 0x([0-9a-f]{1,16})(?:\b|/)")
_TO = re.compile(rb"\.\.\.to EL(\d) PC 0x[0-9a-f]{1,16} PSTATE 0x[0-9a-f]{1,16}")
_RETURN = re.compile(rb"Exception return from AArch(?:64|32) EL3 to AArch(?:64|32) EL(\d) PC 0x([0-9a-f]{1,16})\b")
_PSCI_CALL = re.compile(
    rb"arm_psci_call PSCI Call x0=0x([0-9a-f]{1,16}) x1=0x([0-9a-f]{1,16}) x2=0x([0-9a-f]{1,16}) x3=0x([0-9a-f]{1,16})\b"
)
_DUMP = re.compile(rb" PC=([0-9a-f]{16}) X00=")
_XREG = re.compile(rb"X(\d\d)=([0-9a-f]{16})(?![0-9a-f])")
_PSTATE = re.compile(rb"PSTATE=[0-9a-f]{8,16} [NZCV-]{4} (?:NS |S )?EL(\d)")
_DUMP_BYTES = 3072
_DUMP_STOPS = (b"Taking exception", b"Exception return")
_BLOCK_LINES = 20
_ALIEN_LINES = 8
_REGS = 18
_SMC_LEVELS = ((1, 2), (1, 3), (2, 3), (3, 3))
_SMC_CLASSES = (0x13, 0x17)  # ESR_ELx.EC of an SMC in AArch32 and AArch64 (Arm ARM D24.2.40)


@dataclass(slots=True)
class Smc:
    """A ``Taking exception 13`` block.

    offset, end     bytes from its first line to the end of its last
    cpu             -1 where the line does not say
    source, target  exception levels, -1 unknown
    elr             address behind the SMC instruction, None where it is not told
    psci            QEMU's own PSCI handled it, there is no EL3 firmware
    regs            x0.. before it, empty where unknown
    cut             why it cannot be read, None where it can
    """

    offset: int
    end: int
    cpu: int
    source: int = -1
    target: int = -1
    spsr: int | None = None
    elr: int | None = None
    psci: bool = False
    regs: list[int | None] = field(default_factory=list)
    cut: str | None = None
    before: Dump | None = None
    exit: tuple[int, int, list[int | None]] | None = None
    """Offset, end and registers of what shows its return."""
    world: str = "host"


@dataclass(slots=True)
class Trap:
    """An exception to EL3 that is no SMC, as far as it matters: the CPU is in EL3 now."""

    offset: int
    cpu: int
    source: int
    elr: int | None


@dataclass(slots=True)
class Return:
    """``Exception return from AArch64 EL3``: where a CPU goes; which one is not said."""

    offset: int
    end: int
    target: int
    pc: int
    regs: list[int | None] = field(default_factory=list)


@dataclass(slots=True)
class Dump:
    """A register dump of ``-d cpu``, from `` PC=`` to ``PSTATE=``; which CPU is not said."""

    offset: int
    end: int
    pc: int
    level: int
    regs: list[int | None]
    used: bool = False


def find_all(data: Data, needle: bytes, start: int, end: int) -> Iterator[int]:
    """Every offset of a literal text."""
    at = data.find(needle, start, end)
    while at >= 0:
        yield at
        at = data.find(needle, at + len(needle), end)


def _following(data: Data, pos: int, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The line around a position and those behind it: offset of the line end, and the line."""
    for _ in range(_BLOCK_LINES):
        if pos >= end:
            return
        first, last = line_bounds(data, pos, start, end)
        yield last, bytes(data[first:last])
        nxt = data.find(b"\n", last, min(end, last + 2))
        if nxt < 0:
            return
        pos = nxt + 1


def read_smc(data: Data, pos: int, start: int, end: int) -> Smc:
    """The SMC block whose first line holds the text ``Taking exception 13`` at a position."""
    first, last = line_bounds(data, pos, start, end)
    m = _TAKING_SMC.match(bytes(data[pos:last]))
    if m is None:
        return Smc(first, last, -1, cut="Taking exception line cut or garbled")
    smc = Smc(first, last, int(m[1]) if m[1] else -1)
    if _fill(smc, data, pos, start, end) is None:
        rest = bytes(data[last : min(end, last + _DUMP_BYTES)])
        if b"..." in rest or b"\n" not in rest:  # else a list of first lines only
            smc.cut = "exception block cut by the end of the capture"
    return smc


def _fill(smc: Smc, data: Data, pos: int, start: int, end: int) -> bool | None:
    """Read the lines of a block into it: True where its last line was there, None where the capture ended before.

    Where another CPU's block stands in between, lines that cannot be an SMC's are that one's, and of SPSR and ELR
    the one belongs to it whose block began first.
    """
    aliens = skip_spsr = skip_elr = 0
    has_esr = False
    at_end = True
    for n, (line_end, line) in enumerate(_following(data, pos, start, end)):
        if n == 0:
            continue
        at = line.find(b"...")
        text = line[at:] if at >= 0 else b""
        if m := _FROM.match(text):
            levels = (int(m[1]), int(m[2]))
            if smc.source >= 0 or levels not in _SMC_LEVELS:
                skip_spsr += smc.source < 0
                skip_elr += smc.source < 0
                continue
            smc.source, smc.target = levels
        elif (m := _WITH.match(text)) and m[1] == b"ESR":
            if has_esr or int(m[2], 16) not in _SMC_CLASSES:
                continue
            has_esr = True
        elif m and m[1] == b"SPSR":
            if skip_spsr or smc.spsr is not None:
                skip_spsr = max(0, skip_spsr - 1)
                continue
            smc.spsr = int(m[2], 16)
        elif m:
            if skip_elr or smc.elr is not None:
                skip_elr = max(0, skip_elr - 1)
                continue
            smc.elr = int(m[2], 16)
        elif text.startswith(PSCI_LINE):
            smc.psci, smc.end = True, line_end
            return True
        elif m := _TO.match(text):
            if smc.elr is None or int(m[1]) != smc.target:
                continue
            smc.end = line_end
            return True
        elif m := _PSCI_CALL.search(line):
            smc.regs = [int(v, 16) for v in m.groups()]
        else:
            m = _TAKING.search(line)
            aliens += 1
            if aliens > _ALIEN_LINES or (m is not None and (m[2] is None or int(m[2]) == smc.cpu)):
                return False
            continue
        smc.end = line_end
        at_end = n < _BLOCK_LINES - 1
    return None if at_end else False


def read_return(data: Data, pos: int, start: int, end: int) -> Return | None:
    """The return from EL3 in the line around a position, None where it is none."""
    first, last = line_bounds(data, pos, start, end)
    m = _RETURN.search(bytes(data[first:last]))
    return Return(first, last, int(m[1]), int(m[2], 16)) if m is not None else None


def read_trap(data: Data, pos: int, start: int, end: int) -> Trap | None:
    """The exception that is no SMC whose line ``...from ELx to EL3`` is around a position."""
    first, last = line_bounds(data, pos, start, end)
    levels = _FROM.search(bytes(data[first:last]))
    if levels is None:
        return None
    at = data.rfind(b"Taking exception ", max(start, first - 512), first)
    m = _TAKING.match(bytes(data[at : at + 96])) if at >= 0 else None
    if m is None or m[1] == b"13":
        return None
    elr = None
    for n, (_, line) in enumerate(_following(data, pos, start, end)):
        if n and (b"Taking exception" in line or b"Exception return" in line):
            break
        if (w := _WITH.search(line)) and w[1] == b"ELR":
            elr = int(w[2], 16)
            break
    return Trap(first, int(m[2]) if m[2] else -1, int(levels[1]), elr)


def read_dump(data: Data, pos: int, start: int, end: int) -> Dump | None:
    """The register dump whose `` PC=`` is at a position, None where that is other text."""
    text = bytes(data[pos : min(end, pos + _DUMP_BYTES)])
    m = _DUMP.match(text)
    if m is None:
        return None
    stops = [at for at in (text.find(DUMP_LINE, 4), *(text.find(s) for s in _DUMP_STOPS)) if at >= 0]
    body = text[: min(stops, default=len(text))]
    state = _PSTATE.search(body)
    if state is not None:
        body = body[: state.end()]
    regs: list[int | None] = [None] * _REGS
    stop = m.end()
    for x in _XREG.finditer(body):
        stop = x.end()
        if int(x[1]) < _REGS:
            regs[int(x[1])] = int(x[2], 16)
    stop = state.end() if state is not None else stop
    eol = body.find(b"\n", stop) if state is None else text.find(b"\n", stop)
    stop = eol if eol >= 0 else len(text if state is not None else body)
    first, _ = line_bounds(data, pos, start, end)
    last = pos + stop
    if data[last - 1 : last] == b"\r":
        last -= 1
    return Dump(first, last, int(m[1], 16), int(state[1]) if state is not None else -1, regs)


def read_orphan(data: Data, pos: int, start: int, end: int) -> tuple[int, int] | None:
    """Bytes of a block whose first line is missing, told by its line ``...handled as PSCI call``; None where it has one."""
    first, last = line_bounds(data, pos, start, end)
    begin = first
    for _ in range(_BLOCK_LINES):
        if begin <= start:
            return begin, last
        before, stop = line_bounds(data, begin - 1, start, end)
        line = bytes(data[before:stop])
        if b"Taking exception " in line:
            return None
        if not any(part in line for part in (b"...from EL", b"...with ", b"...handled as ", b"arm_psci_call")):
            return begin, last
        begin = before
    return begin, last
