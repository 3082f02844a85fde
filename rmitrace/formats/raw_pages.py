"""Raw ring-buffer pages, as per_cpu/cpuN/trace_pipe_raw gives them, with the event formats found beside the file.

The pages say neither what their events are called nor of which CPU they are. Formats (events/*/*/format, one or many in
a file), kallsyms, printk_formats, saved_cmdlines, header_page and trace_clock are looked for in the file's folder and in
the tracefs folder (or copy of one) that it lies in; the CPU is the number in ``cpuN`` of the file's or its folder's name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..capture.records import Records
from .base import Data, Detail, ReadOptions, Unreadable

if TYPE_CHECKING:
    from .trace_dat_parts import TraceFile

_SIZES = (4096, 16384, 65536)
_MAX_FILES, _MAX_BYTES, _HEAD = 8192, 32 << 20, 4096
_MAX_PID = 1 << 22
_CPU = re.compile(r"cpu(\d{1,5})(?!\d)")
_CLOCK = re.compile(rb"\[([\w-]{1,32})\]")
_FORMAT = re.compile(rb"name: \w{1,128}\nID: \d{1,5}\nformat:\n")
_KALLSYMS = re.compile(rb"[0-9a-f]{16} [a-zA-Z] \S")
_PRINTK = re.compile(rb'0x[0-9a-f]{8,16} : "')
_DATA = re.compile(rb"field: char data;\s{1,4}offset:16;\s{1,4}size:(\d{1,7});")
_HOW = "copy events/*/*/format of the same boot beside it (cat them into one file), or record with trace-cmd"


class RawPages:
    """The format; see the module."""

    name = "raw-pages"
    title = "raw ring-buffer pages (trace_pipe_raw)"
    closed = "raw pages cannot be followed; follow trace_pipe instead of trace_pipe_raw"

    def sniff(self, head: bytes) -> float:
        """By pages that are sound from the first event to the last."""
        return 0.85 if page_size(head) else 0.0

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format. Raises Unreadable where no event format is found beside the file."""
        from .trace_dat_reader import Reader  # loaded only for such a file

        file, seen = self._file(data, start, end, options)
        records = Reader(data, file, options).read()
        records.facts["beside"] = seen
        return records

    def again(self, data: Data, records: Records, options: ReadOptions) -> None:
        """See base.RecordReader. Raises Unreadable where what lies beside the file is not what did when it was read."""
        from .trace_dat_reader import Reader

        file, seen = self._file(data, 0, len(data), options)
        if seen != records.facts["beside"]:
            raise Unreadable("other event formats lie beside the raw pages")
        Reader(data, file, options).again(records)

    @staticmethod
    def _file(data: Data, start: int, end: int, options: ReadOptions) -> tuple[TraceFile, str]:
        """The pages with what lies beside them, and a hash of that. Raises Unreadable where no event format does."""
        import hashlib

        from .trace_dat_pages import HEADER
        from .trace_dat_parts import PAGE_SIZES, Area, Ring, TraceFile
        from .trace_dat_unpack import Unpacked

        size = page_size(bytes(data[start : min(end, start + 8 * max(_SIZES))])) or _SIZES[0]
        file = TraceFile(0, size, "none", Unpacked(data, end, "none"))
        beside = hashlib.blake2b(digest_size=16)
        for name, text in _texts(options.path):
            beside.update(b"%s\0%d\0%s" % (os.fsencode(name), len(text), text))
            _take(file, name, text)
        if not file.formats:
            raise Unreadable(f"raw ring-buffer pages without event formats: {_HOW}")
        told = _DATA.search(file.header_page)
        if told is not None and HEADER + int(told[1]) in PAGE_SIZES:
            size = HEADER + int(told[1])
        file.rings.append(Ring("", file.options.clock, size, [Area(_cpu(options.path), start, end - start)]))
        return file, beside.hexdigest()

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """What the bytes alone say; with the formats see Records.facts['detail']."""
        return Detail(raw[:256].hex(" "))


def page_size(head: bytes) -> int:
    """The bytes of a page, if these are pages: the smallest size at which all are sound; else 0."""
    commit = int.from_bytes(head[8:16], "little")
    if len(head) < 16 or not any(head[:8]) or commit & 0x3FFFFFFF >= _SIZES[-1] or commit >> 32:
        return 0
    return next((size for size in _SIZES if len(head) >= size and _sound(head, size)), 0)


def _sound(head: bytes, size: int) -> bool:
    from .trace_dat_pages import everywhere, walk

    buf = np.frombuffer(head, np.uint8, len(head) // size * size)
    found = walk(buf, size, len(buf))
    holding = np.unique(found.events.at // size)
    if found.damage or len(holding) != len(buf) // size:  # nobody reads an empty page
        return False
    pid = everywhere(buf, "<i4")[found.events.body + 4]
    return bool(((pid >= 0) & (pid <= _MAX_PID)).all() and everywhere(buf, "<u2")[found.events.body].all())


def _cpu(path: str | None) -> int:
    folder, name = os.path.split(os.path.abspath(path or "?"))
    found = _CPU.search(name) or _CPU.search(os.path.basename(folder))
    return int(found[1]) if found else -1


def _of_use(name: str, head: bytes) -> bool:
    """Whether a file that begins like this is one of those looked for."""
    told = any(p.search(head) for p in (_FORMAT, _DATA)) or any(p.match(head) for p in (_KALLSYMS, _PRINTK))
    return told or "cmdlines" in name or "trace_clock" in name


def _take(file: TraceFile, name: str, text: bytes) -> None:
    """Put a text in its place by what it looks like; task names, which look like nothing, by the file's name."""
    if _FORMAT.search(text):
        file.formats.append(text)
    elif "cmdlines" in name:
        file.cmdlines = file.cmdlines or text
    elif "trace_clock" in name:
        clock = _CLOCK.search(text)
        file.options.clock = clock[1].decode("ascii") if clock else file.options.clock
    elif _DATA.search(text[:4096]):
        file.header_page = file.header_page or text
    elif _KALLSYMS.match(text):
        file.kallsyms = file.kallsyms or text
    elif _PRINTK.match(text):
        file.printk = file.printk or text


def _texts(path: str | None) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files beside a path and of the tracefs folder that it lies in, within bounds."""
    if path is None or not os.path.isfile(path):
        return
    left = _MAX_BYTES
    for place in _places(os.path.dirname(os.path.abspath(path)), path):
        try:
            with open(place, "rb") as f:
                text = f.read(_HEAD)
                if not _of_use(os.path.basename(place), text):
                    continue
                text += f.read(left - len(text) + 1)
        except OSError:
            continue
        if len(text) <= left:
            left -= len(text)
            yield os.path.basename(place), text


def _places(here: str, path: str) -> Iterator[str]:
    """Paths that may hold one of the texts, the nearest first."""
    for name in _names(here):
        place = os.path.join(here, name)
        # trace_pipe and trace_pipe_raw of a live tracefs would wait for events, and take them away
        if not name.startswith("trace_pipe") and os.path.isfile(place) and not os.path.samefile(place, path):
            yield place
    above = os.path.dirname(here)
    tree = next((f for f in (here, above, os.path.dirname(above)) if os.path.isdir(os.path.join(f, "events"))), None)
    if tree is None:
        return
    for name in ("saved_cmdlines", "printk_formats", "kallsyms", "trace_clock", "events/header_page"):
        yield os.path.join(tree, name)
    count = 0
    for group in _names(os.path.join(tree, "events")):
        for event in _names(os.path.join(tree, "events", group)):
            count += 1
            if count > _MAX_FILES:
                return
            yield os.path.join(tree, "events", group, event, "format")


def _names(folder: str) -> list[str]:
    """What is in a folder, nothing where it is none."""
    try:
        return sorted(os.listdir(folder))[:_MAX_FILES]
    except OSError:
        return []


FORMAT = RawPages()
