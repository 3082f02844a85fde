"""Which SMCs of a ``-d int`` log are the host's, and where each of them returned.

With the RMM at R-EL2 one RMI call is two exceptions: the host's SMC, from which EL3 goes on into the RMM, and the
RMM's own SMC (RMI_REQ_COMPLETE), from which EL3 returns to the host. The log names no security state. But a CPU
changes its world only in EL3: what a CPU does between two stays in EL3 is one world, and an SMC that EL3 does not
return from to where it came from is a change. That divides the addresses in two sides; function ids, the upper half
of the address space and the order of a boot tell which one is the host's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from .qemu_int_blocks import Return, Smc, Trap

Node = tuple[int, int]
_PAGE = 20  # addresses in one MiB are one program
_KERNEL = 0xFFFF  # [63:48] of a kernel's addresses; the RMM runs at low ones
_HOST_FIDS = ((0xC4000150, 0xC400018E), (0xC40001D0, 0xC40002CF))  # RMI
_REALM_FIDS = ((0xC400018F, 0xC400018F), (0xC40001B0, 0xC40001CF), (0xC4000400, 0xC4000412))  # RMM-EL3, FIRME
_MANY = 256  # CPUs in EL3 at once that are looked at
_MASKED = 0x3C0  # PSTATE.DAIF all set, as in the RMM


@dataclass(slots=True)
class _Cpu:
    in_el3: Smc | Trap | None = None
    stay: Node | None = None
    waiting: dict[int, Smc] = field(default_factory=dict)


def node(level: int, pc: int) -> Node:
    """The program that an address belongs to."""
    return (level, -1) if pc >> 48 == _KERNEL else (level, pc >> _PAGE)


class Sides:
    """Disjoint sets of programs with the side (0 or 1) of each within its set."""

    def __init__(self) -> None:
        self._up: dict[Node, tuple[Node, int]] = {}

    def find(self, n: Node) -> tuple[Node, int]:
        """The set of a program, and its side there."""
        path = []
        side = 0
        while (up := self._up.setdefault(n, (n, 0)))[0] != n:
            path.append((n, side))
            side ^= up[1]
            n = up[0]
        for child, before in path:
            self._up[child] = (n, side ^ before)
        return n, side

    def join(self, a: Node, b: Node, differ: int) -> None:
        """Two programs are on the same side (0) or not (1); what contradicts earlier evidence is left out."""
        ra, sa = self.find(a)
        rb, sb = self.find(b)
        if ra != rb:
            self._up[rb] = (ra, sa ^ sb ^ differ)


def settle(events: Sequence[Smc | Trap | Return]) -> None:
    """Set ``exit`` and ``world`` of every SMC. Events are in the order of the log.

    world: 'host', 'realm' (the RMM's SMCs), 'secure' (a trusted OS at S-EL1), 'guest' (trapped to EL2), 'el3'
    """
    links = _follow(events)
    sides = Sides()
    # what was seen often goes first: where a log is stitched together the seams contradict the rest
    for (a, b, differ), _ in sorted(links.items(), key=lambda p: (-p[1], p[0][2])):
        sides.join(a, b, differ)
    host = _host_sides(events, sides)
    for e in events:
        if not isinstance(e, Smc) or e.cut is not None:
            continue
        if (e.source, e.target) == (1, 2):
            e.world = "guest"
        elif e.source == 3:
            e.world = "el3"
        elif e.elr is not None and e.source >= 0 and not e.psci:
            root, side = sides.find(node(e.source, e.elr))
            if side != host.get(root, side):
                e.world = "secure" if e.source == 1 else "realm"


def _follow(events: Sequence[Smc | Trap | Return]) -> Counter[tuple[Node, Node, int]]:
    """Walk the log CPU by CPU: pairs of programs of the same world (0) and of different ones (1), with how often seen."""
    cpus: dict[int, _Cpu] = {}
    inside: dict[int, _Cpu] = {}  # those in EL3, the earliest first
    links: Counter[tuple[Node, Node, int]] = Counter()
    started: Node | None = None  # where a CPU that was off began to run
    nested = 0
    for e in events:
        if isinstance(e, Return):
            if e.target == 3:
                if nested:
                    nested -= 1
                else:  # firmware starts its next stage: everything was reset
                    cpus.clear()
                    inside.clear()
                continue
            number = _whose(inside, e)
            if number is None:
                started = node(e.target, e.pc)
                continue
            cpu = inside.pop(number)
            came, cpu.in_el3, cpu.stay = cpu.in_el3, None, node(e.target, e.pc)
            if isinstance(came, Smc) and came.elr is not None and came.elr != e.pc:
                links[node(came.source, came.elr), cpu.stay, 1] += 1
            back = cpu.waiting.pop(e.pc, None)
            if back is not None:
                back.exit = (e.offset, e.end, e.regs)
            continue
        if e.source == 3:
            nested += 1
            continue
        if isinstance(e, Smc) and (e.psci or e.elr is None or e.target != 3 or e.cut is not None):
            continue
        cpu = cpus.setdefault(e.cpu, _Cpu())
        if cpu.stay is None and cpu.in_el3 is None and started is not None:
            cpu.stay, started = started, None
        if isinstance(e, Smc) and e.elr is not None:
            if cpu.stay is not None:
                links[cpu.stay, node(e.source, e.elr), 0] += 1
            cpu.waiting[e.elr] = e
        cpu.in_el3 = e
        inside.pop(e.cpu, None)
        inside[e.cpu] = cpu
    return links


def _whose(inside: dict[int, _Cpu], r: Return) -> int | None:
    """The CPU that returns: one in EL3 that was called from there, the earliest first; else the earliest in EL3."""
    for number, c in islice(inside.items(), _MANY):
        if r.pc in c.waiting or (isinstance(c.in_el3, Trap) and c.in_el3.elr == r.pc):
            return number
    return next(iter(inside), None)


def _fid_side(smc: Smc) -> int:
    """1 where the function id is one that a host passes, -1 where the RMM does, 0 where it does not tell."""
    if not smc.regs or smc.regs[0] is None:
        return 0
    fid = smc.regs[0] & 0xFFFEFFFF
    if any(a <= fid <= b for a, b in _HOST_FIDS):
        return 1
    return -1 if any(a <= fid <= b for a, b in _REALM_FIDS) else 0


def _host_sides(events: Sequence[Smc | Trap | Return], sides: Sides) -> dict[Node, int]:
    """The host's side of every set of programs."""
    evidence: dict[tuple[Node, int], _Evidence] = {}
    first = True
    for e in events:
        if isinstance(e, Return) and e.target == 3:
            first = True
            continue
        if isinstance(e, Return):
            side = evidence.setdefault(sides.find(node(e.target, e.pc)), _Evidence())
            side.booted_first |= first
        elif isinstance(e, Smc) and e.elr is not None and e.source > 0 and not e.psci and e.target == 3:
            n = node(e.source, e.elr)
            side = evidence.setdefault(sides.find(n), _Evidence())
            side.fids += _fid_side(e)
            side.programs.add(n)
            side.smcs += 1
            side.masked += e.spsr is not None and e.spsr & _MASKED == _MASKED
        first = False
    host: dict[Node, int] = {}
    for root in {root for root, _ in evidence}:
        one, other = evidence.get((root, 0)), evidence.get((root, 1))
        if one is None or other is None:  # nothing changed its world here
            only = one or other
            host[root] = int((one is None) ^ (only is not None and only.fids < 0))
        else:
            host[root] = 0 if one.score() >= other.score() else 1
    return host


@dataclass(slots=True)
class _Evidence:
    """What speaks for a side of being the host's."""

    fids: int = 0
    smcs: int = 0
    masked: int = 0
    booted_first: bool = False  # firmware starts the RMM before the host
    programs: set[Node] = field(default_factory=set)

    def score(self) -> tuple[int, bool, bool, bool, int]:
        """Greater is more likely the host, the surest evidence first."""
        kernel = any(page == -1 for _, page in self.programs)
        return self.fids, kernel, not self.booted_first, self.masked * 10 < self.smcs * 9, len(self.programs)
