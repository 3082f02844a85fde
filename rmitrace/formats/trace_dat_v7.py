"""trace.dat version 7: sections, each named by an option, and a chain of option sections (trace-cmd.dat.v7(5)).

Where the chain is broken or cut off, the sections are found one behind the other, as trace-cmd writes them.
"""

from __future__ import annotations

from collections.abc import Callable

from .base import Unreadable
from .trace_dat_options import take_option
from .trace_dat_parts import MAX_CPUS, MAX_OPTIONS, PAGE_SIZES, Area, Cursor, Parts, Ring, Short
from .trace_dat_unpack import MAX_CHUNK, MAX_SECTION, Unpacked, Unsound, unpacker

_ALGORITHMS = ("none", "zstd", "zlib")
_OPTIONS, _BUFFER = 0, 3
_HEADERS, _FTRACE, _EVENTS, _KALLSYMS, _PRINTK, _CMDLINES = 16, 17, 18, 19, 20, 21
_COMPRESSED = 1
_DONE = 0
_LAST = 64
"""Section ids from here on are none that trace-cmd has."""


class Version7(Parts):
    """See the module."""

    def read(self, c: Cursor) -> None:
        """See Parts."""
        name = c.string().decode("ascii", "replace")
        c.string()
        if name not in _ALGORITHMS:
            known = ", ".join(_ALGORITHMS)
            raise Unreadable(f"trace.dat compressed by another method than {known}; use trace-cmd convert --compression none")
        self.file.compression = name
        self.file.unpacked = Unpacked(self.data, self.end, name)
        first = c.number(8)
        seen = self._chain(first)
        if not self.file.options.buffers or not {_HEADERS, _FTRACE, _EVENTS} <= self.file.options.sections.keys():
            self._walk_sections(c.at, seen)
        readers = {
            _HEADERS: self.headers, _FTRACE: self.ftrace, _EVENTS: self.events,
            _KALLSYMS: self.kallsyms, _PRINTK: self.printk, _CMDLINES: self.cmdlines,
        }  # fmt: skip
        for ident, offset in sorted(self.file.options.sections.items()):
            if ident in readers:
                self._section(ident, self.start + offset, readers[ident])
        self._rings()

    def _header(self, offset: int) -> tuple[int, int, int]:
        """(id, flags, size) of the section at an offset. Raises Short."""
        c = Cursor(self.data, offset, self.end)
        ident, flags, _, size = c.number(2), c.number(2), c.number(4), c.number(8)
        return ident, flags, size

    def _chain(self, offset: int) -> set[int]:
        """Follow the option sections; returns their offsets."""
        seen: set[int] = set()
        while offset:
            at = self.start + offset
            if at in seen or len(seen) > 1000:
                self.problem(min(at, self.end), 0, "option sections that lead back to themselves")
                break
            seen.add(at)
            try:
                ident, _, _ = self._header(at)
                if ident != _OPTIONS:
                    raise Short
                offset = self._options(self._content(at))
            except (Short, Unsound):
                self.problem(min(at, self.end), 0, "the options cannot be read")
                break
        return seen

    def _options(self, c: Cursor) -> int:
        for _ in range(MAX_OPTIONS):
            ident = c.number(2)
            value = c.take(c.number(4))
            if ident == _DONE:
                return int.from_bytes(value[:8], "little")
            take_option(self.file.options, ident, value)
        return 0

    def _content(self, at: int) -> Cursor:
        """What a section holds, unpacked. Raises Short or Unsound."""
        _, flags, size = self._header(at)
        at += 16
        if not flags & _COMPRESSED:
            return Cursor(self.data, at, min(self.end, at + size))
        c = Cursor(self.data, at, self.end)
        packed, plain = c.number(4), c.number(4)
        if not 0 < plain <= MAX_SECTION or not self.budget.take(plain):
            raise Unsound("too large")
        content = unpacker(self.file.compression)(c.take(packed), plain)
        return Cursor(content, 0, len(content))

    def _section(self, ident: int, at: int, reader: Callable[[Cursor], None]) -> None:
        try:
            if self._header(at)[0] != ident:
                raise Short
            content = self._content(at)
        except (Short, Unsound):
            self.problem(min(at, self.end), 0, f"section {ident} cannot be unpacked")
            return
        begin = content.at
        try:
            reader(content)
        except Short:
            self.problem(min(at, self.end), 0, f"section {ident} is damaged")
            if ident in (_FTRACE, _EVENTS):  # the formats by what they look like
                self.file.formats.append(bytes(content.data[begin : content.end]))

    def _walk_sections(self, at: int, seen: set[int]) -> None:
        """Where the options do not say what there is: sections stand one behind the other, from the header on."""
        sections = self.file.options.sections
        pages: list[tuple[int, int, int]] = []
        for _ in range(MAX_OPTIONS):
            try:
                ident, flags, size = self._header(at)
            except Short:
                break
            if ident >= _LAST or flags > _COMPRESSED:
                break
            if _HEADERS <= ident <= _CMDLINES:
                sections.setdefault(ident, at - self.start)
            elif ident == _BUFFER:
                pages.append((at, flags, size))
                if not size:  # it was still being written
                    break
            elif ident == _OPTIONS and at not in seen:
                seen |= self._chain(at - self.start)
            at += 16 + size
        for place in pages if not self.file.options.buffers else ():
            self._find_pages(*place)

    def _find_pages(self, at: int, flags: int, length: int) -> None:
        """Trace data whose table is missing: whose CPU it is is not known. It begins on a page."""
        size = self.file.page_size
        if size not in PAGE_SIZES:
            return
        self.problem(at, 0, "no table says which CPU this trace data is of")
        ring = Ring("", self.file.options.clock, size)
        self.file.rings.append(ring)
        end = at + 16 + length if length else self.end
        at = self.start + -(-(at + 16 - self.start) // size) * size
        if not flags & _COMPRESSED:
            return self.plain(ring, -1, at - self.start, max(0, end - at))
        while at < min(end, self.end):
            stop = self._chunks(ring, -1, at)
            if stop <= at + 4:
                break
            at = self.start + -(-(stop - self.start) // size) * size

    def _rings(self) -> None:
        for b in self.file.options.buffers:
            self.file.latency = self.file.latency or b.text
            if b.text:
                continue
            ring = Ring(b.name, b.clock, b.page_size)
            self.file.rings.append(ring)
            try:
                ident, flags, _ = self._header(self.start + b.offset)
                if ident != _BUFFER:
                    raise Short
            except Short:
                self.problem(min(self.start + b.offset, self.end), 0, "no trace data where a buffer should have it")
                flags = _COMPRESSED if self.file.compression != "none" else 0
            for cpu, offset, size in b.cpus[:MAX_CPUS]:
                if size and flags & _COMPRESSED:
                    self._chunks(ring, cpu, self.start + offset)
                else:
                    self.plain(ring, cpu, offset, size)

    def _chunks(self, ring: Ring, cpu: int, at: int) -> int:
        """An area of chunks; returns where it ends. Its size is not looked at: trace-cmd up to 3.1 leaves the count out of it."""
        if at >= self.end:
            self.problem(self.end, 0, "the file ends before the trace data of a CPU does")
            return at
        area = Area(cpu, len(self.file.unpacked), 0)
        c = Cursor(self.data, at, self.end)
        try:
            for _ in range(c.number(4)):
                head = c.at
                packed, plain = c.number(4), c.number(4)
                if not 0 < plain <= MAX_CHUNK or not self.budget.take(plain):
                    self.problem(head, 0, "a chunk of trace data that would unpack to too much")
                    break
                offset = c.skip(packed)
                area.chunks.append(self.file.unpacked.add(offset, packed, plain))
                area.size += plain
        except Short:
            self.problem(c.at, self.end - c.at, "the file ends before the trace data of a CPU does")
        if area.chunks and self.count_taken(at - self.start, c.at - at):
            ring.areas.append(area)
        elif area.chunks:
            self.problem(at, c.at - at, "trace data of two CPUs in one place")
        return c.at
