"""One file of a capture: its bytes, unpacked where it is compressed, and the format it is in."""

from __future__ import annotations

import io
import mmap
import os
import sys
from dataclasses import dataclass, field
from typing import IO

from ..formats.base import Data, Format
from .errors import CaptureError
from .records import NO_TIME, Finding, RecordBuilder, Records

MAX_UNPACKED = 8 << 30
"""Bytes that a compressed or piped source may unpack to."""
MAX_RATIO = 400
"""Unpacked bytes a compressed byte, looked at once more than MIN_SUSPECT are unpacked. Repetitive traces reach about 60."""
MIN_SUSPECT = 64 << 20
_CHUNK = 1 << 20
_AT_ONCE = 1 << 17
"""Records that are looked at at a time."""


@dataclass(slots=True)
class Source:
    """A file with its records.

    path      as the user gave it; '-' is standard input
    data      the bytes, unpacked
    whole     False where only the first part was read (a preview) or unpacking stopped early
    talk      byte offsets between which all lines about messages stand, as far as that is known (see messages.logs)
    """

    path: str
    data: Data
    whole: bool = True
    format: str = ""
    reader: Format | None = None
    records: Records = field(default_factory=lambda: RecordBuilder().finish())
    findings: list[Finding] = field(default_factory=list)
    talk: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return "standard input" if self.path == "-" else os.path.basename(self.path)

    @property
    def span_ns(self) -> tuple[int, int] | None:
        """The earliest and the latest time of a record in ns, None where there is none."""
        found = []
        for start in range(0, len(self.records.ts), _AT_ONCE):
            ts = self.records.ts[start : start + _AT_ONCE]
            ts = ts[ts != NO_TIME]
            found += [int(ts.min()), int(ts.max())] if len(ts) else []
        return (min(found), max(found)) if found else None

    def raw(self, offset: int, length: int) -> bytes:
        """The bytes of a record."""
        return bytes(self.data[offset : offset + length])


def _zstd_reader(raw: IO[bytes]) -> IO[bytes]:
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(raw, read_across_frames=True)


def _unpacker(head: bytes, raw: IO[bytes]) -> tuple[str, IO[bytes]] | None:
    if head[:3] == b"\x1f\x8b\x08":
        import gzip

        return "gzip", gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if head[:6] == b"\xfd7zXZ\x00":
        import lzma

        return "xz", lzma.LZMAFile(raw)
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd", _zstd_reader(raw)
    return None


def _drain(stream: IO[bytes], packed: int | None, limit: int | None) -> tuple[bytes, bool, str | None]:
    """Read all of a stream within the caps: the bytes, whether that was all, and why it was not."""
    out = io.BytesIO()
    size = 0
    while True:
        want = _CHUNK if limit is None else min(_CHUNK, limit - size)
        if want <= 0:
            return out.getvalue(), False, None
        try:
            chunk = stream.read1(want)  # type: ignore[attr-defined]  # what was unpacked before an archive ends early is kept
        except (OSError, EOFError, ValueError) as e:
            return out.getvalue(), False, f"unpacking stopped after {size} bytes: {e}"
        except Exception as e:  # lzma.LZMAError, zlib.error, zstandard.ZstdError share no base class
            return out.getvalue(), False, f"unpacking stopped after {size} bytes: {e}"
        if not chunk:
            return out.getvalue(), True, None
        out.write(chunk)
        size += len(chunk)
        if size > MAX_UNPACKED or (packed and size > MIN_SUSPECT and size > packed * MAX_RATIO):
            return out.getvalue(), False, f"unpacking stopped after {size} bytes: over the limit of {MAX_RATIO} to 1"


def open_source(path: str, index: int, limit: int | None = None) -> Source:
    """The bytes of one file, memory-mapped where it is a plain file.

    ``limit`` stops after so many bytes (cut back to a line end). Raises CaptureError where it cannot be opened.
    """
    try:
        if path == "-":
            raw: IO[bytes] = sys.stdin.buffer
            head = b""
            regular = False
        else:
            raw = open(path, "rb")  # noqa: SIM115 - a mapping or a reader keeps it
            if os.path.isdir(path):
                raise IsADirectoryError(path)
            regular = os.path.isfile(path)
            head = raw.read(8) if regular else b""
            raw.seek(0) if regular else None
    except IsADirectoryError:
        raise CaptureError(f"{path}: is a folder; give the files of the capture") from None
    except OSError as e:
        raise CaptureError(f"{path}: {e.strerror or e}") from None
    if not regular:
        peeked = io.BufferedReader(raw, _CHUNK) if not isinstance(raw, io.BufferedReader) else raw  # type: ignore[type-var]
        head = peeked.peek(8)[:8]
        raw = peeked
    unpack = _unpacker(head, raw)
    problem: str | None = None
    whole = True
    data: Data
    if unpack is not None:
        packed = os.fstat(raw.fileno()).st_size if regular else None
        data, whole, problem = _drain(unpack[1], packed, limit)
    elif regular:
        size = os.fstat(raw.fileno()).st_size
        if limit is not None and size > limit:
            data, whole = raw.read(limit), False
        elif size == 0:
            data = b""
        else:
            data = mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ)
        raw.close()
    else:
        data, whole, problem = _drain(raw, None, limit)
    if not whole and problem is None:
        data = data[: data.rfind(b"\n") + 1] or data[:]
    source = Source(path, data, whole)
    if problem is not None:
        source.findings.append(Finding("INPUT-CUT", "error", problem, index, len(data)))
    return source
