"""SLOT_MANAGEMENT, written by hand from the structures in libspdm's definitions."""

from __future__ import annotations

from tests.decoders.spdm.hand import HASH, decode, fill, get, negotiated, notes, value

ADDRESS = "0800 0000 01 02 0000"  # bank 1, slot 2


def test_request_without_a_structure() -> None:
    tree = decode("14 88 00 00 0000 0000")
    assert (tree.text, value(tree, "MgmtStructOffset")) == ("SupportedSubCodes", 0)


def test_supported_sub_codes() -> None:
    # bits 0 to 4 and 0x20: 0x10000001f; 2 + 2 + 8 + 24 bytes
    tree = decode("14 08 00 00 0800 0000 2400 0000 1f00000001000000" + "00" * 24)
    found = get(tree, "SupportedSubCodes.SubCodeBitmap")
    assert found.text == "SupportedSubCodes | GetBankInfo | GetBankDetails | GetCertificateChain | GetCSR | ManageBank"
    assert notes(tree) == []


def test_bank_info() -> None:
    tree = decode("14 08 01 00 0800 0000 1000 0000 02 000000 04 00 03 01 04 01 10 00")
    assert [n.text for n in get(tree, "GetBankInfo").children[4:]] == ["bank 0", "bank 1"]
    assert get(tree, "GetBankInfo.BankElement[0].SlotMask").text == "0x03 (slots 0, 1)"
    assert decode("14 88 02 00 0800 0000" + ADDRESS).text == "GetBankDetails: bank 1, slot 2"


def test_bank_details() -> None:
    head = "5800 01 00 0100 03 00 ff010000 10000000 30000000"
    pqc = "04 07000000 00 00" + "00000000"
    element = "4000 02 00 01 07 01 00 0300 0000 00100000" + fill(5, HASH)  # 16 + 48 = 0x40 bytes
    tree = decode("14 08 02 00 0800 0000" + head + pqc + element)
    details = get(tree, "GetBankDetails")
    assert get(details, "CurrentAsymAlgo").text == "ECC384"
    assert get(details, "PqcAsymAlgoCap").text == "ML-DSA-44 | ML-DSA-65 | ML-DSA-87"
    assert (value(details, "SlotElement[0].KeyPairID"), value(details, "SlotElement[0].Digest")) == (7, b"\5" * HASH)
    assert notes(tree) == []
    missing = decode("14 08 02 00 0800 0000" + head.replace("0100 03", "0200 03") + pqc + element)
    assert any(n[1] == "error" for n in notes(missing))


def test_chain_and_csr() -> None:
    chain = (4 + HASH).to_bytes(4, "little").hex() + fill(1, HASH)
    tree = decode("14 08 03 00 0800 0000 34000000 00000000" + chain, negotiated())
    assert value(tree, "GetCertificateChain.CertChain.RootHash") == b"\1" * HASH
    csr = decode("14 08 04 00 0800 0000 02000000 00000000 3000")
    assert value(csr, "GetCSR.CSRdata") == b"\x30\0"
    ask = decode("14 88 04 00 0800 0000" + ADDRESS + "07 09 0000 0100 0000 61")
    assert (value(ask, "GetCSR.KeyPairID"), value(ask, "GetCSR.RequesterInfo")) == (7, b"a")


def test_changes() -> None:
    bank = decode("14 88 20 00 0800 0000" + ADDRESS + "01 000000 10000000 04 01000000")
    assert get(bank, "ManageBank.SelectPqcAsymAlgo").text == "ML-DSA-44"
    slot = decode("14 88 21 00 0800 0000" + ADDRESS + "01 000000")
    assert get(slot, "ManageSlot.Operation").text == "Erase (1)"
    chain = (4 + HASH).to_bytes(4, "little").hex() + fill(1, HASH)
    certificate = decode("14 88 22 00 0800 0000" + ADDRESS + "34000000 01 07 0000" + chain, negotiated())
    assert value(certificate, "SetCertificate.CertChain.RootHash") == b"\1" * HASH


def test_offsets() -> None:
    inside = decode("14 88 02 00 0400 0000" + ADDRESS)
    assert any(n[1] == "error" for n in notes(inside))
    gap = decode("14 88 02 00 0a00 0000 0000" + ADDRESS)
    assert get(gap, "GetBankDetails").offset == 10
    unknown = decode("14 88 33 00 0800 0000 aabb")
    assert value(unknown, "SlotMgmtStruct") == b"\xaa\xbb"
