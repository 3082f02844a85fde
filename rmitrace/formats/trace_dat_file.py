"""The container trace.dat, versions 6 and 7: where the event formats, the names and the ring buffers are.

Layouts are those of trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5) of trace-cmd 3.1, held against its
lib/trace-cmd/trace-input.c of 3.4, little-endian.
"""

from __future__ import annotations

import re

from .base import Data, Unreadable
from .trace_dat import MAGIC
from .trace_dat_pages import HEADER
from .trace_dat_parts import PAGE_SIZES, Cursor, Parts, Short, TraceFile
from .trace_dat_unpack import Unpacked
from .trace_dat_v6 import Version6
from .trace_dat_v7 import Version7

_VERSIONS: dict[bytes, type[Parts]] = {b"6": Version6, b"7": Version7}
_DATA = re.compile(rb"field: char data;\s{1,4}offset:(\d{1,3});\s{1,4}size:(\d{1,8});")


def read_file(data: Data, start: int, end: int) -> TraceFile:
    """The parts of the trace.dat between two byte offsets. Damage goes to ``problems``.

    Raises Unreadable where the version, byte order, word size or compression is none that is known.
    """
    c = Cursor(data, start + len(MAGIC), end)
    try:
        version = c.string(16)
        if version not in _VERSIONS:
            raise Unreadable("trace.dat of another version than 6 and 7; convert it with trace-cmd convert --file-version 7")
        if c.number(1) != 0:
            raise Unreadable("trace.dat of a big-endian machine; turn it into text with trace-cmd report")
        c.skip(1)
        file = TraceFile(int(version), c.number(4), "none", Unpacked(data, end, "none"))
        parts = _VERSIONS[version](data, start, end, file)
        parts.read(c)
    except Short:
        raise Unreadable("trace.dat that ends within its header") from None
    told = _DATA.search(file.header_page[:4096])
    if told is not None and int(told[1]) != HEADER:
        raise Unreadable("trace.dat of a 32-bit kernel; turn it into text with trace-cmd report")
    for ring in file.rings:
        if ring.page_size not in PAGE_SIZES or ring.page_size % 4:
            parts.problem(start, 0, f"trace buffer pages of {ring.page_size} bytes")
            ring.page_size = HEADER + int(told[2]) if told is not None else 4096
            if ring.page_size not in PAGE_SIZES or ring.page_size % 4:
                ring.areas.clear()
    return file
