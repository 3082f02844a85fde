"""Which object each call is about, told by the names of its arguments."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

import decoders

from ..capture.packed import Column

if TYPE_CHECKING:
    from ..capture.model import Capture

KINDS = ("", "vdev", "pdev", "rec", "realm", "psmmu", "vsmmu", "granule", "stream")
_ARGUMENTS = (
    ("vdev", ("vdev_ptr",)),
    ("pdev", ("pdev_ptr", "pdev_1_ptr", "pdev_ptr_1", "pdev_1", "pdev_ptr_a")),
    ("rec", ("rec_ptr", "rec", "calling_rec_ptr", "calling_rec")),
    ("vsmmu", ("vsmmu_ptr",)),
    ("psmmu", ("psmmu_ptr",)),
    ("realm", ("rd",)),
    ("granule", ("addr", "base")),
)
"""Kinds in the order in which they name the object: VDEV_CREATE(rd, pdev_ptr, vdev_ptr, ...) is about the VDEV."""


_AT_ONCE = 1 << 17
"""Calls that are looked at together."""


@lru_cache(maxsize=1024)
def object_register(command_name: str | int, revision: str) -> tuple[int, int]:
    """Kind (index into KINDS) and register number of the object of a command; (0, 0) where it has none."""
    command = decoders.command(command_name, revision)
    if command is None or command.service != "RMI":
        return 0, 0
    by_name = {a.name: a.reg for a in command.args}
    for kind, names in _ARGUMENTS:
        if kind == "granule" and "GRANULE" not in command.name:
            continue
        for name in names:
            if name in by_name:
                return KINDS.index(kind), by_name[name]
    return 0, 0


def object_text(capture: Capture, seq: int) -> str | None:
    """The object of one call, 'pdev:0x49500000', None where the call is about none. That of few calls is told without a column
    of all."""
    if "objects" in capture.parts:
        return capture.object_of(seq)
    command = capture.parent_of(seq)
    command = seq if command < 0 else command
    name = capture.name_text(command)
    kind, register = object_register(name, capture.revision.of(name))
    if not kind:
        return None
    if (call := capture.held(command)) is not None and not call.inferred:
        value = call.x[register] if register < len(call.x) else None
        return f"{KINDS[kind]}:0x{value:x}" if value is not None else None
    if not capture.calls.fid[command]:
        return None
    address, known = capture.regs(np.array([command], dtype=np.int64), register)
    return f"{KINDS[kind]}:0x{int(address[0]):x}" if known[0] else None


class ObjectColumn:
    """Kind and address of the object of every call; an OP_* call is about the object of the command it works for."""

    def __init__(self, capture: Capture) -> None:
        self.kind = Column(np.int8)
        """Index into KINDS."""
        self.addr = Column(np.uint64)
        found = [object_register(n, capture.revision.of(n)) for n in capture.names]
        kinds, registers = (np.array([f[i] for f in found], dtype=np.int8) for i in (0, 1))
        for start in range(0, len(capture.calls), _AT_ONCE):
            self._add(capture, start, kinds, registers)

    @classmethod
    def of(cls, kind: Column, addr: Column) -> ObjectColumn:
        """The same of columns that were worked out before."""
        out = cls.__new__(cls)
        out.kind, out.addr = kind, addr
        return out

    def _add(self, capture: Capture, start: int, kinds: Any, registers: Any) -> None:
        """The next calls; ``kinds`` and ``registers`` of the object by the number of a call's name."""
        calls = capture.calls
        part = slice(start, min(start + _AT_ONCE, len(calls)))
        name, parent = calls.name[part], calls.parent[part]
        kind = np.where(calls.fid[part] != 0, kinds[name], 0).astype(np.int8)
        register = np.where(kind > 0, registers[name], 0)
        addr = np.zeros(len(kind), dtype=np.uint64)
        for number in np.unique(register[register > 0]).tolist():
            at = np.flatnonzero(register == number)
            addr[at], known = capture.regs(at + start, number)
            kind[at[~known]] = 0
        for at, mine in ((np.flatnonzero((parent >= 0) & (parent < start)), False), (np.flatnonzero(parent >= start), True)):
            of = parent[at]
            kind[at] = kind[of - start] if mine else self.kind[of]
            addr[at] = addr[of - start] if mine else self.addr[of]
        self.kind.append(kind)
        self.addr.append(addr)

    def text(self, seq: int) -> str | None:
        """'pdev:0x49500000', None where the call is about no object."""
        kind = KINDS[self.kind[seq]]
        return f"{kind}:0x{int(self.addr[seq]):x}" if kind else None

    def rows(self, wanted: str) -> Any:
        """The calls about an object, given as 'pdev:0x49500000' or by its address alone. Raises ValueError."""
        kind, _, addr = wanted.rpartition(":")
        value = int(addr, 0)
        if not 0 <= value < 1 << 64:
            raise ValueError(f"{addr} is no address")
        hit = (self.addr == np.uint64(value)) & (self.kind != 0)
        if kind:
            if kind not in KINDS:
                raise ValueError(f"no kind of object {kind!r}; there are {', '.join(KINDS[1:])}")
            hit &= self.kind == KINDS.index(kind)
        return np.flatnonzero(hit)
