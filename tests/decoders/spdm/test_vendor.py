"""Vendor-defined messages, written by hand: the large form of 1.4, and the protocols of PCI-SIG."""

from __future__ import annotations

from decoders.spdm import Session
from decoders.spdm._vendor import shifted
from decoders.spdm.standards import STANDARDS, VENDOR_ID_SIZES
from decoders.tree import Node
from tests.decoders.spdm.hand import decode, get, notes, value

TDISP = "01 10 85 0000 00010000 0000000000000000"  # GET_DEVICE_INTERFACE_STATE of function 01:00.0, 17 bytes with the protocol
PCI_SIG = "0300 02 0100"


def test_plain_form() -> None:
    tree = decode("12 fe 00 00" + PCI_SIG + "1100" + TDISP)
    assert notes(tree) == []
    assert (value(tree, "StandardID"), value(tree, "VendorID"), value(tree, "PayloadLength")) == (3, b"\1\0", 17)
    payload = get(tree, "VendorDefinedReqPayload")
    assert get(payload, "ProtocolID").text == "TDISP (1)"
    inner = payload.children[1]
    assert inner.offset == 12  # 4 + 2 + 1 + 2 + 2 + the protocol
    assert "TDISP" in tree.text


def test_large_form_of_1_4() -> None:
    """Bit 7 of Param1: two reserved bytes and four of length. libspdm's requester leaves rubbish in the reserved ones."""
    tree = decode("14 fe 80 00" + PCI_SIG + "ff90 11000000" + TDISP)
    assert (value(tree, "Param1.LargeReq"), value(tree, "LargePayloadLength")) == (1, 17)
    assert get(tree, "VendorDefinedReqPayload.ProtocolID").value == 1
    assert notes(tree) == [("Reserved", "warning", "reserved, should be zero")]
    # 1.4 without the bit is as before; 1.3 has no such bit
    assert value(decode("14 fe 00 00" + PCI_SIG + "1100" + TDISP), "PayloadLength") == 17
    older = decode("13 7e 80 00" + PCI_SIG + "1100" + TDISP)
    assert get(older, "Param1").severity == "warning"
    assert value(older, "PayloadLength") == 17


def test_ide_km() -> None:
    tree = decode("12 7e 00 00" + PCI_SIG + "0400" + "00 00 00 05")  # QUERY of port 5
    payload = get(tree, "VendorDefinedRspPayload")
    assert get(payload, "ProtocolID").text == "IDE_KM (0)"
    assert payload.children[1].offset == 12


def test_an_ide_key_does_not_show() -> None:
    key = bytes(range(0x40, 0x60))
    program = "02 0000 07 00 02 00" + key.hex() + "0000000000000001"
    text = bytes.fromhex(PCI_SIG + "3000" + "00" + program)
    tree = decode(bytes.fromhex("12fe0000") + text)
    assert "KEY_PROG" in tree.text
    assert key.hex() not in str(tree.to_json())
    assert key.hex() not in str([n.value for n in tree.walk()])


def test_protocols_that_are_not_known() -> None:
    tree = decode("12 fe 00 00" + PCI_SIG + "0300" + "42 aabb")
    assert get(tree, "VendorDefinedReqPayload.ProtocolID").severity == "warning"
    assert value(tree, "VendorDefinedReqPayload.rest") == b"\xaa\xbb"


def test_other_bodies() -> None:
    tree = decode("12 fe 00 00 0100 02 3412 0300 aabbcc")
    assert tree.text == "TCG 0x1234, 3 bytes"
    assert value(tree, "VendorDefinedReqPayload") == b"\xaa\xbb\xcc"
    assert decode("12 fe 00 00 0300 01 01 0000").note == "VendorIDLen is 1, PCI-SIG has 2"
    assert get(decode("12 fe 00 00 3300 00 0000"), "StandardID").severity == "warning"
    assert decode("12 fe 00 00 0000 00 0000").text == "DMTF, 0 bytes"


def test_lengths_that_do_not_fit() -> None:
    tree = decode("12 fe 00 00" + PCI_SIG + "ff00" + TDISP)
    assert get(tree, "VendorDefinedReqPayload").severity == "error"
    assert get(decode("12 fe 00 00 0300 ff 0100"), "VendorID").severity == "error"


def test_vendor_id_sizes() -> None:
    """DSP0274, 'Registry or standards body ID': 2 bytes but for IANA and HDBaseT (4), and DMTF and VESA (none)."""
    assert {STANDARDS[k]: v for k, v in VENDOR_ID_SIZES.items() if v != 2} == {"DMTF": 0, "VESA": 0, "IANA": 4, "HDBaseT": 4}


def test_shifted() -> None:
    tree = Node("a", None, "", 0, 4, (Node("b", 1, "", 0, 4), Node("c", 1, "", None, 4)))
    assert [n.offset for n in shifted(tree, 9).walk()] == [9, 9, None]


def vendor(payload: bytes, answer: bool) -> bytes:
    return (
        bytes((0x12, 0x7E if answer else 0xFE, 0, 0))
        + bytes.fromhex("0300 02 0100")
        + len(payload).to_bytes(2, "little")
        + payload
    )


def tdisp(code: int, body: bytes) -> bytes:
    return b"\1" + bytes((0x10, code, 0, 0)) + bytes.fromhex("efbe0000") + bytes(8) + body


REPORT = bytes.fromhex("0300 0000 0000 0000 00000000 01000000 0010000000000000 04000000 0400 0100 02000000 6162")
"""No update after lock, DMA without PASID; one range: page 0x1000, 4 pages, non-TEE, id 1; device info 'ab'."""


def test_a_report_in_portions() -> None:
    session = Session()
    tree = None
    for at, size in ((0, 16), (16, 16), (32, 6)):
        decode(vendor(tdisp(0x84, at.to_bytes(2, "little") + size.to_bytes(2, "little")), answer=False), session)
        rest = len(REPORT) - at - size
        body = size.to_bytes(2, "little") + rest.to_bytes(2, "little") + REPORT[at : at + size]
        tree = decode(vendor(tdisp(0x04, body), answer=True), session)
        assert (tree.find("VendorDefinedRspPayload.TDI_REPORT") is not None) == (rest == 0)
    assert tree is not None
    report = get(tree, "VendorDefinedRspPayload.TDI_REPORT")
    assert (report.value, report.offset) == (REPORT, None)
    assert value(report, "MMIO_RANGE[0].FIRST_PAGE") == 0x1000
    assert value(report, "DEVICE_SPECIFIC_INFO") == b"ab"


def test_portions_that_do_not_follow_make_no_report() -> None:
    session = Session()
    decode(vendor(tdisp(0x84, bytes.fromhex("1400 1400")), answer=False), session)  # the first one was not seen
    body = bytes.fromhex("1400 0000") + REPORT[20:40]
    tree = decode(vendor(tdisp(0x04, body), answer=True), session)
    assert tree.find("VendorDefinedRspPayload.TDI_REPORT") is None
    for function in range(200):  # many functions at once do not pile up
        decode(vendor(tdisp(0x84, bytes.fromhex("0000 1400")), answer=False).replace(b"\xef\xbe", bytes((function, 1))), session)
        first = vendor(tdisp(0x04, bytes.fromhex("1400 2000") + REPORT[:20]), answer=True)
        decode(first.replace(b"\xef\xbe", bytes((function, 1))), session)
    assert len(session.portions) == 64
