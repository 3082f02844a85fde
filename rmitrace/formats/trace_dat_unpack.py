"""Compressed parts of a trace.dat: unpacked piece by piece when they are looked at, so that memory stays bounded.

trace-cmd.dat(5) version 7: trace data is a u32 count of chunks, each u32 packed size, u32 unpacked size (ten pages as
trace-cmd writes it) and the packed bytes; any other section is one such chunk without the count.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from .base import Data

MAX_CHUNK = 64 << 20
"""Bytes that one chunk of trace data may unpack to; trace-cmd puts ten pages into one."""
MAX_SECTION = 256 << 20
"""Bytes that one section of another kind may unpack to; kallsyms, the largest, has some 12 MB."""
_RATIO, _FREE = 400, 64 << 20
_CACHED, _CACHE_BYTES = 64, 64 << 20


class Unsound(ValueError):
    """Packed bytes that cannot be unpacked to the size that goes with them; the message says why."""


class Chunk(NamedTuple):
    """Packed bytes in the file (``offset``, ``packed``) and where they go: ``at``, ``size`` in the unpacked bytes."""

    offset: int
    packed: int
    at: int
    size: int


class Budget:
    """How much a file may unpack to in all: 400 times its own size, and 64 MiB in any case."""

    def __init__(self, file_size: int) -> None:
        self.left = max(_FREE, _RATIO * file_size)

    def take(self, size: int) -> bool:
        """Whether so many bytes more are within the budget; if so they are counted."""
        if size > self.left:
            return False
        self.left -= size
        return True


def unpacker(algorithm: str) -> Callable[[bytes, int], bytes]:
    """A function that gives so many bytes from packed ones (``zstd`` or ``zlib``, the names that trace-cmd writes) or raises
    Unsound. To be called by one thread at a time."""
    if algorithm == "zstd":
        return _zstd()
    if algorithm == "zlib":
        return _zlib
    return _none


def _none(packed: bytes, size: int) -> bytes:
    raise Unsound("no compression is named")


def _zstd() -> Callable[[bytes, int], bytes]:
    import zstandard

    context = zstandard.ZstdDecompressor(max_window_size=1 << 27)

    def unpack(packed: bytes, size: int) -> bytes:
        try:
            if zstandard.frame_content_size(packed) > size:
                raise Unsound(f"packed bytes hold more than the {size} declared")
            return _whole(bytes(context.decompress(packed, max_output_size=size)), size)
        except zstandard.ZstdError as e:
            raise Unsound(str(e)) from None

    return unpack


def _zlib(packed: bytes, size: int) -> bytes:
    import zlib

    stream = zlib.decompressobj()
    try:
        out = stream.decompress(packed, size)
        if not stream.eof:  # the checksum is behind the last byte
            out += stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as e:
        raise Unsound(str(e)) from None
    return _whole(out if stream.eof else b"", size)


def _whole(out: bytes, size: int) -> bytes:
    if len(out) != size:
        raise Unsound(f"unpacked to {len(out)} bytes instead of {size}")
    return out


class Unpacked:
    """The bytes of a file, and behind them what its chunks unpack to, one after the other.

    Offsets up to ``base`` (the file's length) are those of the file. It is sliced like bytes; a chunk that cannot be
    unpacked reads as zeros.
    """

    def __init__(self, data: Data, base: int, algorithm: str) -> None:
        self.base = base
        self.chunks: list[Chunk] = []
        self.data, self.algorithm = data, algorithm
        self._starts: list[int] = []
        self._chunk: Callable[[int], bytes] | None = None

    def add(self, offset: int, packed: int, size: int) -> Chunk:
        """Put a chunk behind those there are."""
        chunk = Chunk(offset, packed, len(self), size)
        self.chunks.append(chunk)
        self._starts.append(chunk.at)
        self._chunk = None
        return chunk

    def packed(self, chunk: Chunk) -> bytes:
        """The bytes of a chunk as they are in the file."""
        return bytes(self.data[chunk.offset : chunk.offset + chunk.packed])

    def _unpack(self, number: int) -> bytes:
        chunk = self.chunks[number]
        try:
            return unpacker(self.algorithm)(self.packed(chunk), chunk.size)
        except Unsound:
            return bytes(chunk.size)

    def __len__(self) -> int:
        return self.chunks[-1].at + self.chunks[-1].size if self.chunks else self.base

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        if stop <= self.base:
            return bytes(self.data[start:stop])
        out = [bytes(self.data[start : self.base])] if start < self.base else []
        if self._chunk is None:
            largest = max(c.size for c in self.chunks)
            self._chunk = lru_cache(maxsize=max(2, min(_CACHED, _CACHE_BYTES // largest)))(self._unpack)
        at = max(start, self.base)
        while at < stop:
            number = bisect_right(self._starts, at) - 1
            chunk = self.chunks[number]
            piece = self._chunk(number)[at - chunk.at : stop - chunk.at]
            if not piece:
                break
            out.append(piece)
            at += len(piece)
        return b"".join(out)
