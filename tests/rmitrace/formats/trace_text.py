"""What the trace tests have in common: the captures, and a second, simple reader that shares no code with the project."""

from __future__ import annotations

import re
from pathlib import Path

from rmitrace.capture.records import Kind, Records
from rmitrace.formats.base import Format, ReadOptions

ROOT = Path(__file__).parents[3]
CAPTURES = ROOT / "captures"
UNREADABLE = ROOT / "tests" / "data" / "unreadable"
HEAD = b"              sh-1603    [000] d....   601.999902: "
ENTER = b"smc_enter: (rs_invoke12+0x0/0x80 [rmishape]) a0=0xc4000150 a1=0x20000 a2=0x0 a3=0x0 a4=0x0 a5=0x0 a6=0x0 a7=0x0"
EXIT = b"smc_exit: (rs_call.constprop.0+0x74/0x100 [rmishape] <- rs_invoke12) a0=0xffffffffffffffff a1=0x20000 a2=0x0 a3=0x0"

_SMC = re.compile(rb"(?:^|[: ])((?:smc|smc12)_(?:enter|exit)|invx?): .*?\ba0=(0x[0-9a-f]+)(.*)")
_REG = re.compile(rb"\ba([1-7])=(0x[0-9a-f]+)")


def read(format_: Format, data: bytes, *maps: str) -> Records:
    return format_.read(data, 0, len(data), ReadOptions(maps=maps))


def kinds(records: Records) -> list[str]:
    return [Kind(k).name for k in records.kind.tolist()]


def names(records: Records) -> list[str | None]:
    return [records.names[i] if i >= 0 else None for i in records.name.tolist()]


def regs(records: Records, row: int) -> dict[int, int]:
    known = int(records.known[row])
    return {i: int(records.regs[row][i]) for i in range(8) if known >> i & 1}


def said(data: bytes) -> list[tuple[str, dict[int, int]]]:
    """Every scalar SMC event of a text as (event, x0..x7), by two regular expressions."""
    out = []
    for line in data.split(b"\n"):
        if found := _SMC.search(line):
            out.append((found[1].decode(), {0: int(found[2], 16)} | {int(i): int(v, 16) for i, v in _REG.findall(found[3])}))
    return out


def found(records: Records) -> list[tuple[str, dict[int, int]]]:
    """The same from records: enter and exit of the events that said() knows."""
    out = []
    for i, (kind, name) in enumerate(zip(kinds(records), names(records), strict=True)):
        if kind in ("ENTER", "EXIT") and name in ("smc_enter", "smc_exit", "smc12_enter", "smc12_exit", "inv", "invx"):
            assert kind == ("EXIT" if name.endswith(("exit", "invx")) else "ENTER")
            out.append((name, regs(records, i)))
    return out
