"""How a field of spdm_dump is found in a tree: each of these gives the value of one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from decoders.tree import Node

Take = Callable[[Node], Any]


def bytes_of(node: Node) -> bytes:
    """The bytes of a node: its own, those of its number, those of its parts."""
    if isinstance(node.value, bytes):
        return node.value
    if isinstance(node.value, int):
        return node.value.to_bytes(node.size, "little")
    return b"".join(map(bytes_of, node.children))


class at:
    """The value at a path; of several with bars between, the first that is there."""

    def __init__(self, path: str) -> None:
        self.paths = path.split("|")

    def node(self, node: Node) -> Node | None:
        return next((n for p in self.paths if (n := node.find(p)) is not None), None)

    def __call__(self, node: Node) -> Any:
        found = self.node(node)
        return None if found is None else bytes_of(found) if found.value is None else found.value


def anywhere(name: str) -> Take:
    return lambda node: next((n.value for n in node.walk() if n.name == name), None)


def all_of(name: str) -> Take:
    """The values of a list."""
    return lambda node: [n.value for n in node.walk() if re.fullmatch(re.escape(name) + r"\[\d+\]", n.name)]


class masked(at):
    """Some bits of a value."""

    def __init__(self, path: str, mask: int, shift: int = 0) -> None:
        super().__init__(path)
        self.mask, self.shift = mask, shift

    def __call__(self, node: Node) -> Any:
        value = super().__call__(node)
        return None if value is None else (value & self.mask) >> self.shift


class table(at):
    """What an algorithm structure of that type offers or selects."""

    TYPES: ClassVar = {"DHE": 2, "AEAD": 3, "ReqAsym": 4, "KeySchedule": 5, "ReqPqcAsym": 6, "KEM": 7}

    def __init__(self, name: str) -> None:
        self.type = self.TYPES[name]

    def node(self, node: Node) -> Node | None:
        for n in node.children:
            kind = n.child("AlgType")
            if kind is not None and kind.value == self.type:
                return n.child("AlgSupported")
        return None


def chain(part: str) -> Take:
    """A part of the certificate chain: of the one put together where there is one."""

    def take(node: Node) -> Any:
        whole = node.child("CertificateChain") or node.child("CertChain")
        assert whole is not None
        if part:
            return whole.child(part).value  # type: ignore[union-attr]
        return b"".join(c.value for c in whole.children if c.name.startswith("Certificate["))  # type: ignore[misc]

    return take


def flags(name: str) -> Take:
    """One capability: a bit, or one value of a field of two bits. 0 where the version does not define it."""
    two = {
        "MEAS_NO_SIG": ("MEAS_CAP", 1),
        "MEAS_SIG": ("MEAS_CAP", 2),
        "PSK": ("PSK_CAP", 1),
        "PSK_WITH_CONTEXT": ("PSK_CAP", 2),
        "EP_INFO_NO_SIG": ("EP_INFO_CAP", 1),
        "EP_INFO_SIG": ("EP_INFO_CAP", 2),
        "MULTI_KEY_ONLY": ("MULTI_KEY_CAP", 1),
        "MULTI_KEY_NEG": ("MULTI_KEY_CAP", 2),
        "HANDSHAKE_IN_CLEAR": ("HANDSHAKE_IN_THE_CLEAR_CAP", 1),
    }

    def take(node: Node) -> Any:
        field, bit = two.get(name, (f"{name}_CAP", 1))
        found = node.find(f"Flags.{field}")
        return 0 if found is None else int(bool(found.value & bit))  # type: ignore[operator]

    return take


def block(index: int, path: str) -> Take:
    return at(f"MeasurementRecordData.MeasurementBlock[{index}].{path}")


def entry(index: int, path: str) -> Take:
    return at(f"MEL.MELEntry[{index}].{path}")


def element(index: int, path: str) -> Take:
    return at(f"OpaqueData.OpaqueElement[{index}].{path}")


ELEMENT = {
    "element_id": "ID",
    "element_len": "OpaqueElementDataLen",
    "data_Ver": "OpaqueElementData.SMDataVersion",
    "data_id": "OpaqueElementData.SMDataID",
    "limit": "OpaqueElementData.AeadLimitExponent",
}


def element_versions(index: int) -> Take:
    def take(node: Node) -> Any:
        data = node.find(f"OpaqueData.OpaqueElement[{index}].OpaqueElementData")
        return [n.value for n in data.children if n.name == "SelectedVersion" or n.name.startswith("VersionsList")]  # type: ignore[union-attr]

    return take


def same(said: Any, ours: Any) -> bool:
    if isinstance(said, bytes) and isinstance(ours, int):
        ours = ours.to_bytes(len(said), "little")
    return bool(said == ours)


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
