"""trace.dat version 6: everything one after the other (trace-cmd.dat.v6(5))."""

from __future__ import annotations

from collections.abc import Callable

from .trace_dat_options import take_option
from .trace_dat_parts import MAX_CPUS, MAX_OPTIONS, Cursor, Parts, Ring, Short
from .trace_dat_unpack import MAX_SECTION

_TAG = 10
_DONE = 0


class Version6(Parts):
    """See the module."""

    def read(self, c: Cursor) -> None:
        """See Parts."""
        steps: tuple[Callable[[Cursor], None], ...] = (
            self.headers, self.ftrace, self.events, self.kallsyms, self.printk, self.cmdlines,
        )  # fmt: skip
        cpus = -1
        try:
            for step in steps:
                step(c)
            cpus = c.number(4)
            tag = c.take(_TAG)
        except Short:
            cpus, tag = self._find_tag(c)
        if tag == b"options  \0":
            try:
                self._options(c)
                tag = c.take(_TAG)
            except Short:
                self.problem(min(c.at, self.end), 0, "the options are cut off")
                return
        if tag == b"latency  \0":
            self.file.latency = True
        elif tag == b"flyrecord\0":
            self._tables(c, self.file.options.cpus or cpus)

    def _find_tag(self, c: Cursor) -> tuple[int, bytes]:
        """After damage: the next part that has a name in it, and the event formats by what they look like."""
        self.problem(min(c.at, self.end), 0, "the texts in front of the trace data are damaged")
        found = [at for t in (b"options  \0", b"flyrecord\0") if (at := self.data.find(t, self.start, self.end)) >= 0]
        at = min(found, default=self.end)
        self.file.formats = [bytes(self.data[self.start : min(at, self.start + MAX_SECTION)])]
        if not found:
            c.at = self.end
            return 0, b""
        c.at = at
        return int.from_bytes(self.data[at - 4 : at], "little"), c.take(_TAG)

    def _options(self, c: Cursor) -> None:
        for _ in range(MAX_OPTIONS):
            ident = c.number(2)
            if ident == _DONE:
                return
            take_option(self.file.options, ident, c.take(c.number(4)))

    def _tables(self, c: Cursor, cpus: int) -> None:
        clock = self.file.options.clock
        places = [("", c.at)]
        for at, name in self.file.options.instances:
            if name:
                tagged = Cursor(self.data, min(self.start + at, self.end), self.end)
                try:
                    good = tagged.take(_TAG) == b"flyrecord\0"
                except Short:
                    good = False
                if good:
                    places.append((name, tagged.at))
                else:
                    self.problem(min(self.start + at, self.end), 0, "no trace data where an instance should have it")
        for name, at in places:
            ring = Ring(name, clock, self.file.page_size)
            self.file.rings.append(ring)
            table = Cursor(self.data, at, self.end)
            try:
                for cpu in range(min(max(cpus, 0), MAX_CPUS)):
                    self.plain(ring, cpu, table.number(8), table.number(8))
            except Short:
                self.problem(self.end, 0, "the table of CPUs is cut off")
