"""trace.dat, the binary file of ``trace-cmd record`` and ``trace-cmd extract``, versions 6 and 7.

A record's offset and length are those of its ring-buffer event. Where the trace data is compressed they count on behind
the end of the file, through the unpacked pages of each CPU: Records.facts['data'] is the file with these behind it
(trace_dat_unpack.Unpacked), and stands in for the bytes of the source. Records.facts['detail'] reads a record in full.
"""

from __future__ import annotations

from ..capture.records import Records
from .base import ALWAYS, PID, Data, Detail, ReadOptions

MAGIC = b"\x17\x08\x44tracing"


class TraceDat:
    """The format; see the module."""

    name = "trace-dat"
    task_by = PID
    bare = ALWAYS
    title = "trace.dat (trace-cmd record, binary)"
    closed = "a trace.dat is complete only when its recorder has closed it; follow trace_pipe, or open it then"

    def sniff(self, head: bytes) -> float:
        """By its first bytes."""
        return 1.0 if head.startswith(MAGIC) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable for other versions, byte orders and compressions, and for a trace kept as text."""
        # what these need is loaded only for such a file
        from .trace_dat_file import read_file
        from .trace_dat_reader import Reader

        return Reader(data, read_file(data, start, end), options).read()

    def again(self, data: Data, records: Records, options: ReadOptions) -> None:
        """See base.RecordReader. Raises Unreadable."""
        from .trace_dat_file import read_file
        from .trace_dat_reader import Reader

        Reader(data, read_file(data, 0, len(data)), options).again(records)

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """What the bytes alone say; with the file's event formats see Records.facts['detail']."""
        from .trace_dat_detail import payload

        data = payload(raw)
        kind = int.from_bytes(data[:2], "little")
        return Detail(raw[:256].hex(" "), fields={"common_type": str(kind)} if len(data) >= 8 else {})


FORMAT = TraceDat()
