"""QEMU's ``-d int`` log, with registers where ``-d int,cpu`` was given.

An SMC is a block that begins with ``Taking exception 13 [Secure Monitor Call]``. With ``-d int,cpu,nochain`` and
``-accel tcg,one-insn-per-tb=on`` the dump before it has the arguments and the one at PC + 4 the results. Without
dumps the records have no registers. There is no time in such a log.
"""

from __future__ import annotations

import heapq
import re
from collections import deque
from collections.abc import Iterator

from ..capture.records import Finding, Kind, RecordBuilder, Records
from . import qemu_int_blocks as blocks
from .base import Data, Detail, Growth, ReadOptions
from .qemu_common import count_lines
from .qemu_int_blocks import Dump, Return, Smc, Trap
from .qemu_int_worlds import settle

_TAKING = re.compile(rb"Taking exception \d{1,3} \[")
_FROM = re.compile(rb"\.\.\.from EL\d to EL\d")
_ROW = re.compile(rb"SMC_R[MS]I_\w{1,40} [^\n>]{0,400}> R[MS]I_")
_FIELDS = re.compile(rb"\.\.\.with (ESR|FAR|SPSR|ELR) 0x([0-9a-f/x]{1,40})|\.\.\.from EL(\d) to EL(\d)|on CPU (\d{1,5})")
_RETURN_PC = re.compile(rb"Exception return from .{1,40} PC (0x[0-9a-f]{1,16})")
_PSCI_REGS = re.compile(rb"arm_psci_call PSCI Call x0=0x([0-9a-f]+) x1=0x([0-9a-f]+) x2=0x([0-9a-f]+) x3=0x([0-9a-f]+)")
_TB_BYTES = 4096
_NEAR = 512
_NO_RETURN = frozenset({0x84000002, 0x84000008, 0x84000009, 0x8400000B})  # CPU_OFF, SYSTEM_OFF, SYSTEM_RESET, CPU_FREEZE
MARKS = {"realm": "realm-smc", "secure": "secure-smc", "guest": "guest-smc", "el3": "el3-smc"}
"""World of an SMC that is not the host's -> class of its mark."""


class QemuInt:
    """The format; see the module."""

    name = "qemu-int"
    title = "QEMU exception log (-d int, -d int,cpu)"
    growth = Growth(context=1 << 18, ahead=256)

    def sniff(self, head: bytes) -> float:
        """How surely: by exception blocks; less where RMM log rows stand in the same text."""
        if _TAKING.search(head) is None or (_FROM.search(head) is None and blocks.PSCI_LINE not in head):
            return 0.0
        return 0.3 if _ROW.search(head) else 0.95

    def read(self, data: Data, start: int, end: int, options: ReadOptions) -> Records:
        """See Format.

        The host's SMCs are ENTER and EXIT records named 'smc', those of the RMM, of a trusted OS and of guests marks
        ('realm-smc', 'secure-smc', 'guest-smc'). Facts: ``smc``, ``realm-smc``, ... count them, ``hvc`` counts HVCs
        (a guest's calls) and ``hvc_smccc`` those of them whose x0 is known to be a function id.
        """
        scan = _Scan(data, start, end, options)
        events = scan.run()
        settle(events)
        b = RecordBuilder()
        b.facts = {"clock": "none", "hvc": scan.hvc, "hvc_smccc": scan.hvc_smccc, "smc": 0}
        used = self._emit(b, events, scan, data)
        lines = count_lines(data, start, end)
        b.facts["lines"], b.facts["ignored"] = lines, max(0, lines - used)
        if b.facts["smc"] and not any(r[7] for r in b.rows):
            text = (
                "no registers in this log, so no call has a name; record with -d int,cpu,nochain "
                "and -accel tcg,one-insn-per-tb=on to have them"
            )
            b.findings.append(Finding("NO-REGISTERS", "note", text, offset=b.rows[0][0]))
        return b.finish()

    @staticmethod
    def _emit(b: RecordBuilder, events: list[Smc | Trap | Return], scan: _Scan, data: Data) -> int:
        """Fill the builder in the order of the log; how many lines the records cover."""
        rows: list[tuple[int, int, Kind, int, str, list[int | None]]] = []
        for e in events:
            if not isinstance(e, Smc):
                continue
            if e.cut is not None:
                rows.append((e.offset, e.end, Kind.DAMAGED, e.cpu, e.cut, []))
                continue
            name = MARKS.get(e.world, "smc")
            b.facts[name] = b.facts.get(name, 0) + 1
            host = e.world == "host"
            first = e.before.offset if e.before is not None else e.offset
            rows.append((first, e.end, Kind.ENTER if host else Kind.MARK, e.cpu, name, e.regs))
            if host and e.exit is not None:
                rows.append((e.exit[0], e.exit[1], Kind.EXIT, e.cpu, name, e.exit[2]))
        rows += [(a, z, Kind.DAMAGED, -1, "exception block without its first line", []) for a, z in scan.orphans]
        rows.sort(key=lambda r: r[:2])
        used = 0
        for first, last, kind, cpu, name, regs in rows:
            b.add(kind, first, last - first, cpu=cpu, name=name, regs=regs)
            used += bytes(data[first:last]).count(b"\n") + 1
        return used

    def detail(self, raw: bytes, out: bool, options: ReadOptions) -> Detail:
        """See Format. ``fields``: from, to (exception levels), esr (EC/ESR), spsr, elr, handled ('PSCI'), pc of a dump."""
        fields: dict[str, str] = {}
        regs: dict[int, int] = {}
        at = raw.find(blocks.DUMP_LINE)
        dump = blocks.read_dump(raw, at, 0, len(raw)) if at >= 0 else None
        if dump is not None:
            fields["pc"] = f"{dump.pc:#x}"
            regs = {i: v for i, v in enumerate(dump.regs) if v is not None}
        elif m := _RETURN_PC.search(raw):
            fields["pc"] = m[1].decode()
        for m in _FIELDS.finditer(raw):
            if m[1]:
                fields.setdefault(m[1].decode().lower(), f"0x{m[2].decode()}")
            elif m[3]:
                fields.setdefault("from", f"EL{m[3].decode()}")
                fields.setdefault("to", f"EL{m[4].decode()}")
            else:
                fields.setdefault("cpu", m[5].decode())
        if blocks.PSCI_LINE in raw:
            fields["handled"] = "PSCI"
        if not regs and (m := _PSCI_REGS.search(raw)):
            regs = {i: int(v, 16) & 0xFFFFFFFFFFFFFFFF for i, v in enumerate(m.groups())}
        return Detail(raw.decode("utf-8", "surrogateescape"), event="smc", regs=regs, fields=fields)


class _Scan:
    """One pass over the log: the pieces about EL3, with register dumps given to the SMCs that they belong to."""

    def __init__(self, data: Data, start: int, end: int, options: ReadOptions) -> None:
        self.data, self.start, self.end = data, start, end
        self.options = options
        self.events: list[Smc | Trap | Return] = []
        self.orphans: list[tuple[int, int]] = []
        self.hvc = self.hvc_smccc = 0
        self._dumps: deque[Dump] = deque(maxlen=8)
        self._open: dict[int, Smc] = {}  # of each CPU the last SMC that QEMU's PSCI handled, while no return is seen
        self._smc_end = self._orphan_end = start

    def _tokens(self) -> Iterator[tuple[int, int]]:
        needles = (
            blocks.SMC_LINE,
            blocks.RETURN_LINE,
            blocks.DUMP_LINE,
            blocks.TO_EL3,
            blocks.PSCI_LINE,
            b"Taking exception 11 [",
        )
        found = (self._of(i, n) for i, n in enumerate(needles))
        return heapq.merge(*found)

    def _of(self, kind: int, needle: bytes) -> Iterator[tuple[int, int]]:
        return ((pos, kind) for pos in blocks.find_all(self.data, needle, self.start, self.end))

    def run(self) -> list[Smc | Trap | Return]:
        """All pieces but the dumps, in the order of the log."""
        where = (self.data,)
        for n, (pos, kind) in enumerate(self._tokens()):
            if self.options.progress is not None and n & 0x3FFF == 0:
                self.options.progress(pos - self.start)
            bounds = (pos, self.start, self.end)
            if kind == 0:
                self._smc(blocks.read_smc(*where, *bounds))
            elif kind == 1:
                back = blocks.read_return(*where, *bounds)
                if back is not None:
                    self.events.append(back)
            elif kind == 2:
                dump = blocks.read_dump(*where, *bounds)
                if dump is not None:
                    self._dump(dump)
            elif kind == 3 and pos >= self._smc_end:
                trap = blocks.read_trap(*where, *bounds)
                if trap is not None:
                    self.events.append(trap)
            elif kind == 4 and pos >= self._smc_end:
                orphan = blocks.read_orphan(self.data, pos, self._orphan_end, self.end)
                if orphan is not None:
                    self.orphans.append(orphan)
                    self._orphan_end = orphan[1]
            elif kind == 5:
                self._hvc(pos)
        for smc in self._open.values():
            self._abandon(smc)
        return self.events

    def _smc(self, smc: Smc) -> None:
        self.events.append(smc)
        self._smc_end = max(self._smc_end, smc.end)
        if smc.cut is not None:
            return
        dump = self._arguments(smc)
        if dump is not None:
            dump.used = True
            smc.before, smc.regs = dump, dump.regs
        self._abandon(self._open.pop(smc.cpu, None))
        if smc.psci:
            self._open[smc.cpu] = smc

    def _arguments(self, smc: Smc) -> Dump | None:
        """The dump of the SMC instruction: the one at ELR - 4, else the last one before the block if nothing used it."""
        if smc.elr is not None:
            return next((d for d in reversed(self._dumps) if d.pc == smc.elr - 4 and not d.used), None)
        chosen: Dump | None = None
        at = smc.offset
        for d in reversed(self._dumps):
            # several in a row are those of CPUs that do the same at once: the earliest belongs to this block
            if d.used or not 0 <= at - d.end < _NEAR or (chosen is not None and d.pc != chosen.pc):
                break
            if chosen is not None and b"Taking exception" in bytes(self.data[d.end : at]):
                break
            chosen, at = d, d.offset
        return chosen

    def _dump(self, dump: Dump) -> None:
        back = self.events[-1] if self.events else None
        if isinstance(back, Return) and back.pc == dump.pc and not back.regs and dump.offset - back.end < _NEAR:
            back.regs, back.end, dump.used = dump.regs, dump.end, True
        else:
            self._result(dump)
        self._dumps.append(dump)

    def _result(self, dump: Dump) -> None:
        """Give a dump to the SMC it shows the return of, as far as QEMU's own PSCI handled that one."""
        ahead = [s for s in self._open.values() if s.before is not None and dump.pc == s.before.pc + 4]
        # what is refused returns at once; later the dump is of another CPU, or of a step that the guest took twice
        ahead = [s for s in ahead if not _never_returns(s) or dump.offset - s.end <= 2]
        if ahead:
            return self._returned(min(ahead, key=lambda s: (_never_returns(s), s.offset)), dump)
        last = max(self._open.values(), key=lambda s: s.offset, default=None)
        if last is None or not 0 <= dump.offset - last.end <= 2 or dump.level not in (-1, last.source):
            return None
        if last.before is None:
            return self._returned(last, dump)
        if last.before.pc + 4 < dump.pc < last.before.pc + _TB_BYTES:
            # dumps are of whole translation blocks: the one before the SMC was not taken at it
            last.before, last.regs = None, []
            return self._returned(last, dump)
        return None

    def _returned(self, smc: Smc, dump: Dump) -> None:
        smc.exit = (dump.offset, dump.end, dump.regs)
        dump.used = True
        del self._open[smc.cpu]

    @staticmethod
    def _abandon(smc: Smc | None) -> None:
        """An SMC whose return was not seen: what is no function id was not dumped at the SMC."""
        if smc is not None and smc.before is not None and smc.regs[0] is not None and smc.regs[0] >> 32:
            smc.before, smc.regs = None, []

    def _hvc(self, pos: int) -> None:
        self.hvc += 1
        last = self._dumps[-1] if self._dumps else None
        if last is not None and not last.used and 0 <= pos - last.end <= 2:
            x0 = last.regs[0]
            self.hvc_smccc += x0 is not None and x0 >> 31 == 1 and x0 & 0x00FE0000 == 0


def _never_returns(smc: Smc) -> bool:
    return bool(smc.regs) and smc.regs[0] in _NO_RETURN


FORMAT = QemuInt()
