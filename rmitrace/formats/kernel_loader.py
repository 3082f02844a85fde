"""Object code put where it can be called, without LLVM, which takes longer to load than many sources to read.

An ELF object for x86-64 whose references are addresses of eight bytes is enough: so is what Numba's target makes (the large
code model). Anything else is left to LLVM. Layout: System V ABI, Object Files; AMD64 supplement, 4.4 Relocation.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
import sys
from collections.abc import Callable

_ELF = struct.Struct("<4sBBBB8xHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_REFERENCE = struct.Struct("<QQq")
_ADDRESS = struct.Struct("<Q")
_X86_64, _RELOCATABLE = 62, 1
_PROGRAM, _SYMBOLS, _REFERENCES = 1, 2, 4
_WRITE, _ALLOC = 1, 2
_UNDEFINED, _RESERVED = 0, 0xFF00
_64 = 1
"""R_X86_64_64: symbol and addend, as eight bytes."""
_ALL = (1 << 64) - 1
_LOADED: list[tuple[mmap.mmap, object]] = []
"""They stay as long as the process: code lies in their memory."""


class _Unknown(Exception):
    """Something that LLVM has to load."""


def load(code: bytes, symbol: str, elsewhere: Callable[[str], int]) -> int | None:
    """The address of a function of an object, which is put into memory; None where that is for LLVM to do.

    elsewhere  the address of what the object refers to outside of itself
    """
    if sys.byteorder != "little":
        return None
    try:
        return _loaded(code, symbol, elsewhere)
    except (_Unknown, struct.error, IndexError):
        return None


def _loaded(code: bytes, symbol: str, elsewhere: Callable[[str], int]) -> int:
    magic, bits, order, _, _, kind, machine, _, _, _, sections_at, _, _, _, _, size, count, _ = _ELF.unpack_from(code)
    if (magic, bits, order, kind, machine, size) != (b"\x7fELF", 2, 1, _RELOCATABLE, _X86_64, _SECTION.size):
        raise _Unknown
    sections = [_SECTION.unpack_from(code, sections_at + i * size) for i in range(count)]
    places, end = _places(sections)
    table = next((s for s in sections if s[1] == _SYMBOLS), sections[0])
    symbols = list(_SYMBOL.iter_unpack(code[table[4] : table[4] + table[5]]))
    names_at = sections[table[6]][4]

    def name(i: int) -> str:
        at = names_at + symbols[i][0]
        return code[at : code.index(b"\0", at)].decode()

    memory = mmap.mmap(-1, max(end, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held = ctypes.c_char.from_buffer(memory)
    base = ctypes.addressof(held)
    for i, at in places.items():
        memory[at : at + sections[i][5]] = code[sections[i][4] : sections[i][4] + sections[i][5]]

    def address(i: int) -> int:
        _, _, _, section, value, _ = symbols[i]
        if section == _UNDEFINED:
            return elsewhere(name(i))
        if section >= _RESERVED or section not in places:
            raise _Unknown
        return base + places[section] + int(value)

    for _, kind, _, _, at, length, _, into, _, _ in sections:
        if kind != _REFERENCES or into not in places:
            continue
        for where, what, addend in _REFERENCE.iter_unpack(code[at : at + length]):
            if what & 0xFFFFFFFF != _64 or where + 8 > sections[into][5]:
                raise _Unknown
            _ADDRESS.pack_into(memory, places[into] + where, (address(what >> 32) + addend) & _ALL)
    found = [i for i, s in enumerate(symbols) if s[3] != _UNDEFINED and name(i) == symbol]
    entry = address(found[0])
    _run_only(base, len(memory))
    _LOADED.append((memory, held))
    return entry


def _places(sections: list[tuple[int, ...]]) -> tuple[dict[int, int], int]:
    """Where each section goes that is to be in memory, and where the last one ends."""
    places, end = {}, 0
    for i, (_, kind, flags, _, _, size, _, _, align, _) in enumerate(sections):
        if not flags & _ALLOC or kind > 0x70000000:  # tables for unwinding: nothing is raised
            continue
        if kind != _PROGRAM or flags & _WRITE or align > mmap.PAGESIZE:
            raise _Unknown
        places[i] = end = -(-end // max(align, 1)) * max(align, 1)
        end += size
    return places, end


def _run_only(base: int, size: int) -> None:
    """Make memory executable, and no longer writable. Raises _Unknown where the system does not let it."""
    protect = ctypes.CDLL(None).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if protect(base, size, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        raise _Unknown
