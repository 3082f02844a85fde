"""Opaque data, as CHALLENGE_AUTH carries it: both tables, DSP0277's elements, and what is neither."""

from __future__ import annotations

from decoders.spdm import Session
from decoders.tree import Node
from tests.decoders.spdm.hand import HASH, SIGNATURE, decode, fill, get, negotiated, notes


def carry(opaque: str, version: str = "12", session: Session | None = None) -> Node:
    data = bytes.fromhex(opaque)
    state = session or negotiated()
    decode(f"{version} 83 00 00" + fill(5, 32), state)
    size = len(data).to_bytes(2, "little").hex()
    return decode(f"{version} 03 00 01" + fill(1, HASH) + fill(2, 32) + size + opaque + fill(4, SIGNATURE), state)


def test_general_format() -> None:
    # two elements: a version selected (body 0, no vendor), and one of PCI-SIG with a vendor id and 3 bytes, padded
    tree = carry("02 000000 00 00 0400 01 00 0012 03 02 0100 0300 aabbcc 000000")
    assert notes(tree) == []
    opaque = get(tree, "OpaqueData")
    assert [n.name for n in opaque.children] == [
        "TotalElements",
        "Reserved",
        "OpaqueElement[0]",
        "OpaqueElement[1]",
        "AlignPadding",
    ]
    assert get(opaque, "OpaqueElement[0].OpaqueElementData.SelectedVersion").text == "1.2"
    assert get(opaque, "OpaqueElement[1].VendorID").value == b"\1\0"
    assert get(opaque, "OpaqueElement[1].OpaqueElementData").value == b"\xaa\xbb\xcc"
    assert get(opaque, "AlignPadding").size == 3  # 4 + 2 + 3 bytes of the second element


def test_older_format() -> None:
    # 'DMTF' is 0x444d5446: bytes 46 54 4d 44
    tree = carry("46544d44 01 01 0000 00 00 0500 01 01 01 0011 000000", "11", negotiated(other_params=0))
    assert get(tree, "OpaqueData.SpecID").text == "DMTF (0x444d5446)"
    assert get(tree, "OpaqueData").text == "secured messages 1.1 supported"
    assert notes(tree) == []


def test_aead_limit() -> None:
    tree = carry("01 000000 00 00 0300 01 02 20 00")
    assert get(tree, "OpaqueData").text == "AEAD limit 2^32"
    assert get(
        carry("01 000000 00 00 0300 01 02 41 00"), "OpaqueData.OpaqueElement[0].OpaqueElementData.AeadLimitExponent"
    ).severity


def test_an_element_longer_than_the_data() -> None:
    tree = carry("01 000000 00 00 ff00 01 00 0012")
    assert any(n[1] == "error" for n in notes(tree))
    assert get(tree, "Signature").size == SIGNATURE  # its own length bounds it


def test_data_of_no_known_format() -> None:
    assert get(carry("aabbccdd", "11"), "OpaqueData").children == ()
    # 1.2 without negotiation: the general format only where its lengths add up
    silent = negotiated(other_params=0)
    assert get(carry("aabbccdd", session=silent), "OpaqueData").children == ()
    assert get(carry("01 000000 00 00 0400 01 00 0012", session=silent), "OpaqueData").children != ()
    assert get(carry("01 000000 00 00 0500 01 00 0012", session=silent), "OpaqueData").children == ()


def test_none() -> None:
    tree = carry("")
    assert (get(tree, "OpaqueDataLength").value, get(tree, "OpaqueData").size) == (0, 0)
