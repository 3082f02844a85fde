"""Two revisions laid beside each other: which structures a command hands over, and what in a type is not the same."""

from __future__ import annotations

from dataclasses import dataclass

from decoders.abi import Profile, RmmCommand
from decoders.spec import Command

STRUCTURES = {
    "RMI_REALM_CREATE": "RmiRealmParams",
    "RMI_REC_CREATE": "RmiRecParams",
    "RMI_REC_ENTER": "RmiRecRun",
    "RMI_PDEV_CREATE": "RmiPdevParams",
    "RMI_PDEV_COMMUNICATE": "RmiDevCommData",
    "RMI_PDEV_SET_PUBKEY": "RmiPublicKeyParams",
    "RMI_VDEV_CREATE": "RmiVdevParams",
    "RMI_VDEV_COMMUNICATE": "RmiDevCommData",
    "RMI_VDEV_GET_MEASUREMENTS": "RmiVdevMeasureParams",
}
"""The structure behind the pointer of a command (DEN0137). RmiRecRun and RmiDevCommData are written by both sides."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A field of a structure that is not where it was: byte offsets and sizes, None where a revision has no such field."""

    path: str
    old: tuple[int, int] | None
    new: tuple[int, int] | None

    @property
    def text(self) -> str:
        """'rid_base 0x30 -> 0x28', 'vmid (0x800) gone', 'max_num_vdevs (0x828) new'."""
        if self.old is None or self.new is None:
            there, word = (self.new, "new") if self.old is None else (self.old, "gone")
            return f"{self.path} (0x{there[0]:x}) {word}" if there is not None else self.path
        if self.old[0] == self.new[0]:
            return f"{self.path} (0x{self.old[0]:x}) {self.old[1]} -> {self.new[1]} bytes"
        return f"{self.path} 0x{self.old[0]:x} -> 0x{self.new[0]:x}"


def places(profile: Profile, name: str) -> dict[str, tuple[int, int, str]]:
    """The fields of a structure, those of structures inside it too: path -> offset, size and type."""
    out: dict[str, tuple[int, int, str]] = {}

    def walk(struct: str, at: int, prefix: str) -> None:
        for f in profile.structs[struct].fields:
            if f.type in profile.structs and f.count is None:
                walk(f.type, at + f.offset, f"{prefix}{f.name}.")
            else:
                out[prefix + f.name] = (at + f.offset, f.total, f.type)

    if name in profile.structs:
        walk(name, 0, "")
    return out


def moved(old: Profile, new: Profile, struct: str) -> list[Moved]:
    """The fields that differ in place or size: those that moved first, then those of one side, in the order of the layout."""
    a, b = places(old, struct), places(new, struct)
    out = []
    for path in dict.fromkeys((*a, *b)):
        x, y = a.get(path), b.get(path)
        if (x and x[:2]) != (y and y[:2]):
            out.append(Moved(path, None if x is None else x[:2], None if y is None else y[:2]))
    return sorted(out, key=lambda m: m.old is None or m.new is None)


def bits_that_differ(old: Profile, new: Profile, type: str) -> list[str]:
    """The fields of a set of bits that are not the same: 'ncoh_ide [1] -> -', 'category [8:7] -> [2:1]'."""
    if type not in old.bitfields or type not in new.bitfields:
        return []
    a, b = ({f.name: _range(f.lsb, f.msb) for f in p.bitfields[type]} for p in (old, new))
    return [f"{n} {a.get(n, '-')} -> {b.get(n, '-')}" for n in dict.fromkeys((*a, *b)) if a.get(n) != b.get(n)]


def _range(lsb: int, msb: int) -> str:
    return f"[{lsb}]" if lsb == msb else f"[{msb}:{lsb}]"


def signature(c: Command) -> str:
    """'(pdev_ptr, data_ptr) -> state': names of the registers in and out."""
    own = [o for o in c.outputs if not (isinstance(c, RmmCommand) and c.stateful and o.name in ("handle", "donate_req"))]
    return f"({', '.join(r.name for r in c.args)})" + (f" -> {', '.join(r.name for r in own)}" if own else "")


def registers_that_differ(old: Command, new: Command) -> list[str]:
    """What an argument is taken for: 'x3 pdev_ptr is read as base'."""
    a, b = ({r.reg: r.name for r in c.args} for c in (old, new))
    out = []
    for reg in sorted({*a, *b}):
        x, y = a.get(reg), b.get(reg)
        if x != y and _bare(x) != _bare(y):
            said = (
                f"x{reg} {x} is not read"
                if y is None
                else f"x{reg} is read as {y}"
                if x is None
                else f"x{reg} {x} is read as {y}"
            )
            out.append(said)
    return out


def _bare(name: str | None) -> str | None:
    """A name without what drafts only spell otherwise."""
    return None if name is None else name.removesuffix("_ptr").replace("_1", "")
