"""What a capture format is: how it is recognised, read into records, and how one record is read in full."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..capture.records import Records

Data = bytes | mmap.mmap
"""The bytes of a source: both support slicing, len, find, rfind and the buffer protocol."""


class Unreadable(Exception):
    """The format is known but this form of it cannot be read; the message says why and how to record instead."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user said about how to read.

    maps      ``--map EVENT:FIELD=REG,...`` extra event and field names (see rmitrace.formats.eventmap)
    progress  called now and then with the bytes read so far; may raise to stop
    keys      text of a key log with the secrets of SPDM sessions, see decoders.keylog
    show_secrets  IDE keys and IVs are shown, not hidden
    path      where the source is, for a format that needs what lies beside it; None where it is no file
    """

    maps: tuple[str, ...] = ()
    progress: Callable[[int], None] | None = None
    keys: str | None = None
    show_secrets: bool = False
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes of memory seen with a call.

    struct  'RmiPdevParams', 'RmiDevCommData', 'DevCommReqBuf', 'DevCommRspBuf', ... or None where unknown
    addr    physical address, None where unknown
    when    'enter' or 'exit'
    data    the bytes
    """

    struct: str | None
    addr: int | None
    when: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Detail:
    """One record read in full, made on demand.

    task     the command name as recorded, without escaping, None where unknown
    event    the probe or row name
    regs     register number -> value, as far as the record carries them (x0..x17)
    fields   other named values of the record, as text
    buffers  bytes of memory that the record holds
    text     the raw record, decoded with surrogateescape, without its line end
    """

    text: str
    task: str | None = None
    event: str | None = None
    regs: Mapping[int, int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    buffers: tuple[Buffer, ...] = ()


RecordReader = Callable[[int, bytes, bool], Detail]
"""Records.facts['detail'] of a source whose records cannot be read from their bytes alone: it is given the record's number,
its bytes and ``out`` as in Format.detail, and is asked instead. Records.facts['data'], where there is one, stands in for the
source's bytes, and can be sliced like them: it is what the offsets of the records count in.

Records are kept (see rmitrace.capture.index) without what is no data of these two. The format then has a method
``again(data, records, options)``, which puts it into the facts of kept records or raises Unreadable; 'detail' has an attribute
``again`` that says whether that can be done."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a text can be read while it grows: attribute ``growth`` of a format. One without is read from its beginning each
    time there is more; one that cannot be read before it is complete says why in an attribute ``closed``.

    context  bytes in front of new text that the reader has to see again to make sense of it
    ahead    lines behind the beginning of a record up to which it can still change
    late     records may be understood only when later lines have been seen
    """

    context: int = 0
    ahead: int = 0
    late: bool = False


HEAD, PID, NO_TASK = "head", "pid", "none"
"""How the task of a record of a call is told, so that those of millions are known without reading each: attribute ``task_by``
of a format. Its name and, behind it, its pid stand at the beginning of the record, which is text; its pid alone tells it; never.
Where a format has none, each record is read."""

ALWAYS = "always"
"""When the record of an SMC shows a task and registers alone (no memory, and nothing in Detail.fields that a call is told from),
so that its columns and the task's name say everything up to x7: attribute ``bare`` of a format. Or the statuses of the calls with
which it does. Where a format has none, each record is read."""


class Format(Protocol):
    """A capture format. Modules in rmitrace.formats have one instance named FORMAT; third parties add theirs
    through the entry point group ``rmitrace.formats``."""

    name: str
    """Short and stable: 'ftrace', 'perf-script', 'qemu-log', 'rmm-console' ..."""
    title: str
    """For people: 'ftrace text (trace, trace_pipe, trace-cmd report)'."""

    def sniff(self, head: bytes) -> float:
        """How surely this is the format, 0.0 (no) to 1.0, from the first 256 KiB at most. Never raises."""

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """The records between two byte offsets (both on line starts). Raises Unreadable for a known form
        that has no arguments in it; damaged records become Kind.DAMAGED, never an exception."""

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """One record in full, from its raw bytes; ``out`` is True where the results of a whole row are wanted."""
