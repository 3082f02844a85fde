"""PLDM messages: bytes written by hand from DSP0240's header (Rq, D, instance id; version, type; command; completion code)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.pldm import decode_pldm
from tests.decoders.spdm.corpus import assert_covered


@pytest.mark.parametrize(
    ("data", "text", "fields"),
    [
        ("80 00 02", "ControlDiscovery GetTID request", {"Header": 0x80, "Type": 0, "PLDMCommandCode": 2}),
        # instance 3, success, TID 7
        (
            "03 00 02 00 07",
            "ControlDiscovery GetTID response: SUCCESS, TID 0x7",
            {"Header": 3, "PLDMCompletionCode": 0, "TID": 7},
        ),
        ("c1 00 01 12", "ControlDiscovery SetTID request: TID 0x12", {"Header": 0xC1, "TID": 0x12}),
        ("05 02 11 80", "Platform 0x11 response: 0x80", {"Type": 2, "PLDMCommandCode": 0x11, "PLDMCompletionCode": 0x80}),
        ("00 00 05 05", "ControlDiscovery GetPLDMCommands response: ERROR_UNSUPPORTED_PLDM_CMD", {"PLDMCompletionCode": 5}),
        ("80 3f 01 aabb", "OEM 0x01 request", {"Data": b"\xaa\xbb"}),
    ],
)
def test_messages(data: str, text: str, fields: dict[str, object]) -> None:
    octets = bytes.fromhex(data)
    tree = decode_pldm(octets)
    assert_covered(tree, len(octets))
    assert (tree.name, tree.text) == ("PLDM", text)
    assert {n: tree.child(n).value for n in fields} == fields  # type: ignore[union-attr]


def test_bits_of_the_header() -> None:
    tree = decode_pldm(b"\xdf\x41\x01")
    assert [(n.name, n.value) for n in tree.children[0].children] == [("InstanceID", 31), ("Reserved", 0), ("D", 1), ("Rq", 1)]
    assert [(n.name, n.value) for n in tree.children[1].children] == [("PLDMType", 1), ("HeaderVersion", 1)]
    assert tree.children[1].children[0].text == "SMBIOS (1)"


@given(st.binary(max_size=12))
def test_any_bytes(data: bytes) -> None:
    assert_covered(decode_pldm(data), len(data))
