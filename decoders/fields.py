"""One value of a known type as a node: enums, sets of bit fields, addresses, numbers, interface versions.

The types are those of a ``Profile`` and the plain ones of DEN0137: Address, BitsN, IntN, UIntN. A value is always the
raw one, unsigned; what it means is in the text.
"""

from __future__ import annotations

from .abi import BitField, Enum, Profile
from .tree import Node

_VERSIONS = ("RmiInterfaceVersion", "RsiInterfaceVersion")
# The range descriptors are defined by granule size; the calls use the one of the configured size, 4KB unless told.
_ALIASES = {"RmiAddrRangeDesc": "RmiAddrRangeDesc4KB"}
_NO = ("NO", "CANNOT", "FALSE")


def bare(name: str) -> str:
    """A spec name as it is shown: without its leading ``RMI_`` or ``RSI_``."""
    return name.removeprefix("RMI_").removeprefix("RSI_")


def enum_text(names: Enum, value: int) -> str:
    """``PDEV_NEEDS_KEY (1)``; ``unknown (9)`` where the type has no such value."""
    return f"{bare(names[value])} ({value})" if value in names else f"unknown ({value})"


def brief(names: Enum, value: int) -> str:
    """The name without what all names of the type begin with: ``SMEM`` of RMI_PDEV_SMEM and RMI_PDEV_CMEM_CXL."""
    if value not in names:
        return f"{value}?"
    words = [n.split("_") for n in names.values()]
    shared = 0
    while all(len(w) > shared + 1 and w[shared] == words[0][shared] for w in words):
        shared += 1
    return "_".join(names[value].split("_")[shared:]) if len(words) > 1 else bare(names[value])


def signed(value: int, size: int = 8) -> int:
    """A value of ``size`` bytes as a signed number."""
    width = 8 * size
    return value - (1 << width) if value >> (width - 1) & 1 else value


def decode(profile: Profile, name: str, type: str, value: int, offset: int | None = None, size: int = 0) -> Node:
    """The node of a value. ``offset`` and ``size`` place it in a buffer; a register has none.

    Never raises: a value that the type does not define has a note.
    """
    type = _ALIASES.get(type, type)
    if type in profile.bitfields:
        return _bits(profile, name, type, value, offset, size)
    if type in profile.enums:
        return _enum(name, type, profile.enums[type], value, offset, size)
    return Node(name, value, plain(type, value, size or 8), offset, size)


def plain(type: str, value: int, size: int = 8) -> str:
    """Text of a value of a plain type: IntN and UIntN decimal, everything else hexadecimal."""
    if type.startswith("UInt"):
        return str(value)
    return str(signed(value, size)) if type.startswith("Int") else f"{value:#x}"


def _enum(name: str, type: str, names: Enum, value: int, offset: int | None, size: int) -> Node:
    number = value
    if min(names, default=0) < 0:  # error codes: a caller may have filled 32 bits or 64
        number = signed(value) if value >> 32 else signed(value, 4)
    node = Node(name, value, enum_text(names, number), offset, size)
    return node if number in names else node.noted(f"{type} has no value {number}", "warning")


def _bits(profile: Profile, name: str, type: str, value: int, offset: int | None, size: int) -> Node:
    fields = profile.bitfields[type]
    children = tuple(bit_node(profile, f, value, offset, size) for f in fields)
    node = Node(name, value, _text(profile, type, fields, value), offset, size, children)
    undefined = value & ~sum(f.mask for f in fields)
    return node.noted(f"bits not defined in {type}: {undefined:#x}", "warning") if undefined else node


def bit_node(profile: Profile, field: BitField, word: int, offset: int | None = None, size: int = 0) -> Node:
    """One field of a word."""
    value = (word & field.mask) >> field.lsb
    if field.type == "Address":
        value = word & field.mask
        return Node(field.name, value, f"{value:#x}", offset, size)
    if field.type in profile.enums:
        return _enum(field.name, field.type, profile.enums[field.type], value, offset, size)
    return Node(field.name, value, str(value) if field.msb - field.lsb < 32 else f"{value:#x}", offset, size)


def _text(profile: Profile, type: str, fields: tuple[BitField, ...], word: int) -> str:
    if type in _VERSIONS:
        return f"{word >> 16 & 0x7FFF}.{word & 0xFFFF}"
    said = []
    for f in fields:
        value = (word & f.mask) >> f.lsb
        names = profile.enums.get(f.type)
        if f.msb == f.lsb and (not value or names is None or brief(names, 0).startswith(_NO)):
            said += [f.name] if value else []
        elif names is not None:
            said.append(f"{f.name}={brief(names, value)}")
        elif value:
            said.append(f"{f.name}={word & f.mask:#x}" if f.type == "Address" else f"{f.name}={value}")
    return " | ".join(said) or f"{word:#x}"
