"""Names that a trace.dat carries beside its records: /proc/kallsyms, printk_formats, saved_cmdlines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from .trace_dat_pages import everywhere

_DIGITS = 16
_SYMBOL = re.compile(rb"[0-9a-f]{16} \S ([^\s\[]{1,512})(?:\s+\[([^\]\s]{1,64})\])?")
_STRING = re.compile(rb'0x([0-9a-f]{1,16}) : "((?:[^"\\\n]|\\.){0,4096})"')
_COMM = re.compile(rb"(\d{1,9}) ([^\n]{0,64})\n?")
_MAX_STRINGS = 1 << 16
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"\\": b"\\", b'"': b'"'}


class Symbols:
    """The addresses of a kallsyms text, found by address without an object per symbol.

    Lines whose address does not have 16 digits, or is 0 (hidden by kptr_restrict), are passed over.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        data = np.frombuffer(text, dtype=np.uint8)
        starts = np.concatenate([[0], np.flatnonzero(data == 10) + 1])
        starts = starts[starts + _DIGITS + 3 < len(text)]
        starts = starts[data[starts + _DIGITS] == 32]
        eight = everywhere(data, ">u8")
        address = _hex(eight[starts]) << np.uint64(32) | _hex(eight[starts + 8])
        address, starts = address[address != 0], starts[address != 0]
        order = np.argsort(address, kind="stable")
        self._address: npt.NDArray[np.uint64] = address[order]
        self._line: npt.NDArray[np.int64] = starts[order]
        self.find = lru_cache(maxsize=4096)(self._find)

    def __len__(self) -> int:
        return len(self._address)

    def _find(self, address: int) -> tuple[str, str, int, int] | None:
        """(name, module or '', offset into it, its size) of the symbol that an address lies in, None where none does.

        Of names with one address the first of the text is meant, as in the kernel; the size reaches to the next address.
        """
        if not 0 <= address < 1 << 64 or not len(self._address):
            return None
        after = int(np.searchsorted(self._address, np.uint64(address), side="right"))
        if not after:
            return None
        start = int(self._address[after - 1])
        first = int(np.searchsorted(self._address, np.uint64(start), side="left"))
        size = int(self._address[after]) - start if after < len(self._address) else 0
        line = int(self._line[first])
        found = _SYMBOL.match(self._text, line)
        if found is None or address - start >= 1 << 24:
            return None
        module = found[2].decode("utf-8", "surrogateescape") if found[2] else ""
        return found[1].decode("utf-8", "surrogateescape"), module, address - start, size

    def name(self, address: int) -> str | None:
        """The function that an address lies in."""
        found = self.find(address)
        return found[0] if found else None

    def show(self, address: int) -> str:
        """An address as the kernel prints it (``%pS``): ``sym+0x4/0x80 [module]``, bare hex where no symbol is known."""
        found = self.find(address)
        if found is None:
            return f"0x{address:x}"
        name, module, offset, size = found
        return f"{name}+0x{offset:x}/0x{size:x}" + (f" [{module}]" if module else "")


def _hex(digits: Any) -> npt.NDArray[np.uint64]:
    """The numbers written as eight lower-case hex digits, given as big-endian words."""
    word = digits.astype(np.uint64)
    word = (word & _u64(0x0F)) + ((word >> np.uint64(6)) & _u64(0x01)) * np.uint64(9)
    for shift, mask in ((4, 0x00FF00FF00FF00FF), (8, 0x0000FFFF0000FFFF), (16, 0xFFFFFFFF)):
        word = (word | word >> np.uint64(shift)) & np.uint64(mask)
    return np.asarray(word, dtype=np.uint64)


def _u64(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


def strings(text: bytes) -> dict[int, bytes]:
    """printk_formats: the strings that records name by address, their escapes undone."""
    found: dict[int, bytes] = {}
    for m in _STRING.finditer(text):
        if len(found) >= _MAX_STRINGS:
            break
        value = re.sub(rb"\\(.)", lambda e: _ESCAPES.get(e[1], e[0]), m[2])
        found.setdefault(int(m[1], 16), value)
    return found


def comms(text: bytes) -> dict[int, str]:
    """saved_cmdlines: task names by pid. A name may hold a line end: what has no number in front belongs to the one before."""
    return dict(_comms(text))


def _comms(text: bytes) -> Iterator[tuple[int, str]]:
    pid, name = -1, b""
    for line in text.split(b"\n")[: 1 << 20]:
        m = _COMM.match(line)
        if m is None:
            name += b"\n" + line
            continue
        if pid >= 0:
            yield pid, name.decode("utf-8", "surrogateescape")
        pid, name = int(m[1]), m[2]
    if pid >= 0:
        yield pid, name.rstrip(b"\n").decode("utf-8", "surrogateescape")
