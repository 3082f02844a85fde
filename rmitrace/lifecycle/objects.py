"""Which object each call is about, told by the names of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import decoders

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


def object_register(fid: int, revision: str) -> tuple[int, int]:
    """Kind (index into KINDS) and register number of the object of a command; (0, 0) where it has none."""
    command = decoders.command(fid, revision)
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


class ObjectColumn:
    """Kind and address of the object of every call; an OP_* call is about the object of the command it works for."""

    def __init__(self, capture: Capture) -> None:
        calls = capture.calls
        self.kind = np.zeros(len(calls), dtype=np.int8)
        self.addr: Any = np.zeros(len(calls), dtype=np.uint64)
        for fid in np.unique(calls.fid[calls.fid != 0]).tolist():
            at = np.flatnonzero(calls.fid == np.uint64(fid))
            name = capture.names[calls.name[at[0]]]
            kind, reg = object_register(int(fid), capture.revision.of(name))
            if kind:
                value, known = capture.regs(at, reg)
                self.kind[at] = np.where(known, kind, 0)
                self.addr[at] = value
        child = np.flatnonzero(calls.parent >= 0)
        self.kind[child] = self.kind[calls.parent[child]]
        self.addr[child] = self.addr[calls.parent[child]]

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
