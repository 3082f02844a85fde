"""A file of columns that can be mapped, with a checksum for every part of it that is used.

Layout, little-endian: a prologue of 64 bytes (magic 16, version u32, zero u32, offset u64, length u64 and BLAKE2b-16 of the
table), the columns, each on a multiple of ALIGN, then the table: JSON with ``key``, ``meta`` and for each column its type,
number of elements, byte offset, a sum for each BLOCK bytes of it and, where it is packed, its bytes; the sizes of the pieces of a
packed column are a column of their own. A sum is that of the block's 64-bit words modulo 2^64:
it shows every flipped byte and nearly all other damage, and costs no more than looking at the memory. It is no signature.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import stat
import struct
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..packed import Column

MAGIC = b"rmitrace index\r\n"
VERSION = 3
ALIGN = mmap.ALLOCATIONGRANULARITY
"""Columns begin at multiples of it, so that one can be mapped by itself."""
BLOCK = 1 << 22
"""Bytes of a column under one sum."""
MAX_TABLE = 64 << 20
"""Bytes of a table that are read."""
_PROLOGUE = struct.Struct("<16sIIQQ16s")
_MAX_COLUMNS = 4096

Array = npt.NDArray[Any]


class Damaged(Exception):
    """Not an index, or not a whole one; the message says why."""


def sums(data: Array) -> list[int]:
    """The sum of the 64-bit words of each BLOCK of a column's bytes; the last word is filled up with zeros."""
    flat = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    out = []
    for at in range(0, len(flat), BLOCK):
        part = flat[at : at + BLOCK]
        whole = len(part) & ~7
        total = int(np.add.reduce(part[:whole].view(np.uint64), dtype=np.uint64))
        out.append((total + int.from_bytes(part[whole:].tobytes(), "little")) & 0xFFFFFFFFFFFFFFFF)
    return out


def write(path: str, key: Any, meta: Any, columns: Mapping[str, Array | Column]) -> int:
    """Write the file whole or not at all, for its owner only; how many bytes it has. Raises OSError, ValueError."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=TEMPORARY)  # with mode 0600
    try:
        with os.fdopen(handle, "wb") as out:
            size = _write(out, key, meta, columns)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return size


SIZES = ".sizes"
"""How the name of a packed column goes on for the sizes of its pieces, bytes."""
TEMPORARY = ".writing-"
"""How the names of files begin that are not whole yet."""


def _write(out: Any, key: Any, meta: Any, columns: Mapping[str, Array | Column]) -> int:
    table: dict[str, list[Any]] = {}
    at = ALIGN
    for name, column in columns.items():
        if isinstance(column, Column):
            sizes: list[int] = []
            many: list[int] = []
            out.seek(at)
            for block in _blocks(column.packed(), sizes):
                many += sums(np.frombuffer(block, dtype=np.uint8))
                out.write(block)
            table[name] = [column.dtype.str, len(column), at, many, sum(sizes)]
            at = _next(at + sum(sizes))
            name, flat = name + SIZES, np.array(sizes, dtype=np.uint32)
        else:
            flat = np.ascontiguousarray(column).reshape(-1)
        table[name] = [flat.dtype.str, len(flat), at, sums(flat)]
        at = _put(out, at, flat)
    text = json.dumps({"key": key, "meta": meta, "columns": table}, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_TABLE:
        raise ValueError("the table is too long")
    out.seek(at)
    out.write(text)
    out.seek(0)
    out.write(_PROLOGUE.pack(MAGIC, VERSION, 0, at, len(text), hashlib.blake2b(text, digest_size=16).digest()))
    return at + len(text)


def _put(out: Any, at: int, data: Array) -> int:
    """Write bytes at an offset; where the next ones go."""
    out.seek(at)
    out.write(data.view(np.uint8).data)
    return _next(at + data.nbytes)


def _next(end: int) -> int:
    """Where a column begins that stands behind another one."""
    return -(-end // ALIGN) * ALIGN


def _blocks(pieces: Iterable[bytes], sizes: list[int]) -> Iterator[bytes]:
    """Pieces put together into blocks of BLOCK bytes, the last one shorter; ``sizes`` takes the bytes of each piece."""
    held = bytearray()
    for piece in pieces:
        sizes.append(len(piece))
        held += piece
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)


@dataclass(slots=True)
class Container:
    """An index file that is open. ``key`` and ``meta`` are what was given to write(), as JSON gives them back."""

    key: Any
    meta: Any
    _map: mmap.mmap
    _table: dict[str, Any]
    _fd: int
    _file: IO[bytes] | None = None
    """For packed columns, which keep it open."""

    def close(self) -> None:
        """Let go of the file; columns and parts that were taken stay."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _entry(self, name: str, dtype: Any, packed: bool = False) -> list[Any]:
        entry = self._table.get(name)
        if not isinstance(entry, list) or len(entry) != 4 + packed:
            raise Damaged(f"no column {name}")
        kind, count, at, wanted = entry[:4]
        whole = all(type(n) is int for n in (count, at, *entry[4:]))
        if kind != np.dtype(dtype).str or not whole or not isinstance(wanted, list):
            raise Damaged(f"column {name} is of another type")
        size = entry[4] if packed else count * np.dtype(dtype).itemsize
        if min(count, size, at) < 0 or size > len(self._map) or at > len(self._map) - size or at % ALIGN:
            raise Damaged(f"column {name} lies outside of the file")
        return entry

    def column(self, name: str, dtype: Any, count: int | None = None) -> Array:
        """A column, mapped, not to be written to. Raises Damaged where it is not what was written, or not
        of that type, or does not have ``count`` elements."""
        have, at, wanted = self._entry(name, dtype)[1:]
        _expect(name, have, count)
        out = np.frombuffer(self._map, dtype=dtype, count=have, offset=at)
        if sums(out) != wanted:
            raise Damaged(f"column {name} has another sum")
        return out

    def values(self, name: str, dtype: Any, count: int | None = None, least: int | None = None, end: int | None = None) -> Any:
        """A column as it was written, an array or packed. Raises Damaged, also where a value is below ``least`` or not below
        ``end``."""
        entry = self._table.get(name)
        if isinstance(entry, list) and len(entry) == 5:
            return self._packed(name, dtype, count, least, end)
        found = self.column(name, dtype, count)
        numbers = found.view(np.uint8) if found.dtype == np.bool_ else found
        if len(found) and least is not None and end is not None and not (least <= int(numbers.min()) <= int(numbers.max()) < end):
            raise Damaged(f"column {name} has a number that cannot be")
        return found

    def _packed(self, name: str, dtype: Any, count: int | None, least: int | None, end: int | None) -> Column:
        have, at, wanted, size = self._entry(name, dtype, packed=True)[1:]
        _expect(name, have, count)
        sizes = self.column(name + SIZES, np.uint32)
        if int(sizes.sum(dtype=np.uint64)) != size:
            raise Damaged(f"column {name} has pieces of other sizes")
        data = np.frombuffer(self._map, dtype=np.uint8, count=size, offset=at)
        if sums(data) != wanted:
            raise Damaged(f"column {name} has another sum")
        if self._file is None:
            self._file = os.fdopen(os.dup(self._fd), "rb", buffering=0)
        try:
            out = Column.mapped(dtype, have, self._file, at, sizes.tolist())
            out.check(least, end, data)
        except ValueError as e:
            raise Damaged(f"column {name}: {e}") from None
        return out

    def part(self, name: str) -> mmap.mmap | bytes:
        """A column of bytes as a mapping of its own. Raises Damaged, OSError."""
        have, at = self._entry(name, np.uint8)[1:3]
        self.column(name, np.uint8)
        return mmap.mmap(self._fd, have, access=mmap.ACCESS_READ, offset=at) if have else b""


def _expect(name: str, have: int, count: int | None) -> None:
    if count is not None and have != count:
        raise Damaged(f"column {name} has {have} elements, not {count}")


def read(path: str) -> Container:
    """Open an index file. Raises Damaged where it is none, is not this user's own, or is damaged in its table; OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return _read(fd)
    except BaseException:
        os.close(fd)
        raise


def _read(fd: int) -> Container:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Damaged("not a file that only its owner writes")
    table = _table(fd, found.st_size)
    columns = table.get("columns")
    if not isinstance(columns, dict) or len(columns) > _MAX_COLUMNS:
        raise Damaged("no columns")
    return Container(table.get("key"), table.get("meta"), mmap.mmap(fd, found.st_size, access=mmap.ACCESS_READ), columns, fd)


def _table(fd: int, size: int) -> dict[str, Any]:
    head = os.pread(fd, _PROLOGUE.size, 0)
    if len(head) < _PROLOGUE.size:
        raise Damaged("cut")
    magic, version, zero, at, length, digest = _PROLOGUE.unpack(head)
    if (magic, version, zero) != (MAGIC, VERSION, 0):
        raise Damaged("of another kind")
    if length > MAX_TABLE or at + length > size:
        raise Damaged("cut")
    text = os.pread(fd, length, at)
    if len(text) != length or hashlib.blake2b(text, digest_size=16).digest() != digest:
        raise Damaged("the table has another checksum")
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise Damaged("the table is no JSON") from e
    if not isinstance(table, dict):
        raise Damaged("the table is no object")
    return table


def key_of(path: str) -> tuple[Any, int]:
    """The key of an index file and its bytes, without mapping it. Raises Damaged, OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size = os.fstat(fd).st_size
        return _table(fd, size).get("key"), size
    finally:
        os.close(fd)
