"""Opaque data: the table of elements that DSP0274 1.2 (general format) and DSP0277 1.0 (the older one) define."""

from __future__ import annotations

from construct import Bytes, Int8ul, Int16ul, Int32ul

from ..tree import Node
from ._fields import Layout, enum, number, reserved, version_number
from ._reader import Reader
from .codes import V12
from .standards import STANDARDS

SPEC_ID = 0x444D5446
"""'DMTF', with which the older format starts."""
FORMAT_1 = 2
"""OtherParamsSelection: the general format is in use."""
SM_DATA = {0: "VersionSelection", 1: "SupportedVersionList", 2: "AeadLimit"}
"""SMDataID of an element of DSP0277."""

_OLD_START = SPEC_ID.to_bytes(4, "little")
_KEPT, _KEPT_SIZE = 64, 64
_kept: dict[tuple[bytes, int, str], tuple[Node, int | None]] = {}
"""Trees of short opaque data, and the version selected in it: every session of a capture has the same."""
_OLD = Layout(
    ("SpecID", Int32ul, enum({SPEC_ID: "DMTF"})),
    ("OpaqueVersion", Int8ul, number),
    ("TotalElements", Int8ul, number),
    ("Reserved", Int16ul, reserved),
)
_GENERAL = Layout(("TotalElements", Int8ul, number), ("Reserved", Bytes(3), reserved))
_ELEMENT = Layout(("ID", Int8ul, enum(STANDARDS)), ("VendorLen", Int8ul, number))
_SM = Layout(("SMDataVersion", Int8ul, number), ("SMDataID", Int8ul, enum(SM_DATA)))


def opaque(r: Reader, name: str = "OpaqueData") -> None:
    """Two bytes of length, then opaque data of that length. A version that an element selects is left in
    ``r.facts['secured_version']`` (0x12 of 1.2)."""
    length = r.uint("OpaqueDataLength", 2)
    opaque_data(r, length, name)


def opaque_data(r: Reader, length: int, name: str = "OpaqueData") -> None:
    """Opaque data of a length read before."""
    if not length or length > r.left:
        r.bytes(name, length)
        return
    data = r.data[r.pos : r.pos + length]
    old = data[:4] == _OLD_START
    if not old and not _is_general(r, data):
        r.bytes(name, length)
        return
    key = (data, r.base + r.pos, name)
    found = _kept.get(key)
    if found is None:
        r.facts.pop("secured_version", None)
        r.region(name, length, _old if old else _general)
        if length <= _KEPT_SIZE:
            if len(_kept) >= _KEPT:
                _kept.clear()
            _kept[key] = r.nodes[-1], r.facts.get("secured_version")
        return
    r.append(found[0])
    r.pos += length
    if found[1] is not None:
        r.facts["secured_version"] = found[1]


def _is_general(r: Reader, data: bytes) -> bool:
    """Whether the data is in the general format: by the negotiation, else where its lengths add up."""
    if r.version < V12:
        return False
    if r.session.algorithms.other_params & FORMAT_1:
        return True
    at, length = 4, len(data)
    if length < 8 or any(data[1:4]) or not data[0]:
        return False
    for _ in range(data[0]):
        if at + 2 > length:
            return False
        at += 2 + data[at + 1]
        if at + 2 > length:
            return False
        at += 2 + int.from_bytes(data[at : at + 2], "little")
        at += -at % 4
    return at == length


def _old(r: Reader) -> str:
    count = r.fields(_OLD)[2]
    return _elements(r, count)


def _general(r: Reader) -> str:
    count, _ = r.fields(_GENERAL)
    return _elements(r, count)


def _elements(r: Reader, count: int) -> str:
    start = r.pos
    said: list[str] = []
    for i in range(count):
        r.group(f"OpaqueElement[{i}]", _element)
        if len(said) < 8:
            said.append(r.nodes[-1].text)
        pad = -(r.pos - start) % 4
        if pad and r.left:
            r.reserved(min(pad, r.left), "AlignPadding")
    return "; ".join(said) or "no elements"


def _element(r: Reader) -> str:
    body, vendor_len = r.fields(_ELEMENT)
    if vendor_len:
        r.bytes("VendorID", vendor_len)
    length = r.uint("OpaqueElementDataLen", 2)
    if body or vendor_len:
        r.bytes("OpaqueElementData", length)
        return f"{STANDARDS.get(body, f'{body:#x}')}, {length} bytes"
    r.region("OpaqueElementData", length, _sm_data)
    return r.nodes[-1].text


def _sm_data(r: Reader) -> str:
    _, kind = r.fields(_SM)
    if kind == 0:
        value = r.uint("SelectedVersion", 2, version_number)
        r.facts["secured_version"] = value >> 8
        return f"secured messages {r.nodes[-1].text} selected"
    if kind == 1:
        count = r.uint("VersionCount", 1)
        said = []
        for i in range(count):
            r.uint(f"VersionsList[{i}]", 2, version_number)
            said.append(r.nodes[-1].text)
        return f"secured messages {', '.join(said)} supported"
    if kind == 2:
        exponent = r.uint("AeadLimitExponent", 1)
        if exponent > 64:
            r.noted("at most 64", "warning")
        return f"AEAD limit 2^{exponent}"
    r.rest("SMData")
    return f"SMDataID {kind}"
