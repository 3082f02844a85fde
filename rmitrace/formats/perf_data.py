"""perf.data, the binary file of ``perf record``: printed by ``perf script``, and read as its text.

Only perf itself knows every version of the file, so it is asked, once, with nothing of the file given to a shell. Offsets
and lengths of records count in what it printed, which is Records.facts['data'].
"""

from __future__ import annotations

import mmap

from ..capture.records import Finding, Records
from .base import Data, Detail, ReadOptions, Unreadable

MAGICS = (b"PERFILE2", b"2ELIFREP")
"""As written by machines of either byte order (tools/perf/util/header.c)."""
MAX_FILE = 8 << 30


class PerfData:
    """The format; see the module."""

    name = "perf-data"
    title = "perf.data (perf record, binary; through perf script)"

    def sniff(self, head: bytes) -> float:
        """By its first bytes."""
        return 1.0 if head.startswith(MAGICS) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable where perf is missing, does not understand the file or takes too long."""
        import shutil
        import tempfile

        from . import perf_print
        from .perf_script import FORMAT as TEXT

        if shutil.which("perf") is None:
            raise Unreadable(f"perf.data is read through perf script, which is not installed: {perf_print.HOW}")
        if end - start > MAX_FILE:
            raise Unreadable(f"perf.data of {end - start >> 20} MiB is more than is handed to perf script: {perf_print.HOW}")
        with perf_print.as_file(data, start, end, options.path) as path, tempfile.TemporaryFile() as out:
            cut = perf_print.printed(path, out)
            size = out.tell()
            text: Data = mmap.mmap(out.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        records = TEXT.read(text, 0, len(text), options)
        records.facts["data"] = text
        if cut:
            message = f"perf script printed more than {perf_print.MAX_TEXT >> 20} MiB: the samples behind that are left out"
            records.findings.append(Finding("INPUT-CUT", "error", message, offset=size))
        return records

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format: of a line that perf script printed."""
        from .perf_script import FORMAT as TEXT

        return TEXT.detail(raw, out, options)


FORMAT = PerfData()
