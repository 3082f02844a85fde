"""CSRs, certificates and key pairs, written by hand."""

from __future__ import annotations

from tests.decoders.spdm.hand import HASH, decode, fill, get, negotiated, notes, value


def test_get_csr_by_version() -> None:
    tree = decode("12 ed 00 00 0300 0000 616263")
    assert value(tree, "RequesterInfo") == b"abc"
    # 1.3: key pair 4; model 1, tracking tag 2 (bits 5:3), overwrite (bit 7): 0x91. Bit 6 is reserved
    assert get(decode("13 ed 04 40 0000 0000"), "Param2").note == "bits not defined in SPDM 1.4: 0x40"
    newer = decode("13 ed 04 91 0000 0000")
    assert value(newer, "KeyPairID") == 4
    assert get(newer, "Param2.CSRCertModel").text == "DeviceCert (1)"
    assert (value(newer, "Param2.CSRTrackingTag"), value(newer, "Param2.Overwrite")) == (2, 1)
    assert notes(decode("12 ed 04 00 0000 0000")) == [("Param1", "warning", "reserved, should be zero")]


def test_csr() -> None:
    tree = decode("12 6d 00 00 0400 0000 30020000")
    assert value(tree, "CSRdata") == bytes.fromhex("30020000")
    assert get(decode("12 6d 00 00 0500 0000 30020000"), "CSRdata").severity == "error"


def test_set_certificate() -> None:
    size = 4 + HASH + 4 + 128
    chain = size.to_bytes(2, "little").hex() + "0000" + fill(1, HASH) + "30820080" + fill(2, 128)
    # slot 2, model 1, key pair 7; two bytes behind the chain are padding
    tree = decode(f"13 ee 12 07 {chain} 0000", negotiated())
    assert (value(tree, "Param1.SlotID"), get(tree, "Param1.SetCertModel").text, value(tree, "KeyPairID")) == (
        2,
        "DeviceCert (1)",
        7,
    )
    assert [n.name for n in get(tree, "CertChain").children] == ["Length", "Reserved", "RootHash", "Certificate[0]"]
    assert [n.name for n in tree.children][-1] == "padding"
    # what is put into a slot is not what the responder shows of it
    session = negotiated()
    decode(f"13 ee 12 07 {chain}", session)
    assert session.chains == {}
    erase = decode("13 ee 85 00")
    assert erase.text == "slot 5, erase"
    assert get(decode("12 ee 85 00"), "Param1").severity == "warning"
    assert decode("12 6e 05 00").text == "slot 5"


PAIR = "13 7c 00 00 05 02 3f00 0f00 0100 ff010000 08000000 0300 05 616263"


def test_key_pair_info() -> None:
    tree = decode(PAIR)
    assert tree.text == "key pair 2 of 5"
    assert get(tree, "Capabilities").text == "GenKeyCap | ErasableCap | CertAssocCap | KeyUsageCap | AsymAlgoCap | ShareableCap"
    assert get(tree, "CurrentAsymAlgo").text == "ECC256"
    assert get(tree, "CurrentKeyUsage").text == "KeyExUse"
    assert get(tree, "AssocCertSlotMask").text == "0x05 (slots 0, 2)"
    assert value(tree, "PublicKeyInfo") == b"abc"
    assert notes(tree) == []


def test_key_pair_info_of_1_4() -> None:
    """PQC algorithms follow, each behind a length of one byte; libspdm 1.4 sends six zero bytes more."""
    tree = decode(PAIR.replace("13 7c", "14 7c") + "04 07000000 04 02000000")
    assert get(tree, "PqcAsymAlgoCap").text == "ML-DSA-44 | ML-DSA-65 | ML-DSA-87"
    assert get(tree, "CurrentPqcAsymAlgo").text == "ML-DSA-65"
    assert notes(tree) == []
    longer = decode(PAIR.replace("13 7c", "14 7c") + "04 07000000 04 02000000" + "00" * 6)
    assert notes(longer) == [("trailing", "note", "6 bytes beyond the fields of the message")]


def test_set_key_pair_info() -> None:
    tree = decode("13 fd 02 00 03 00 0100 10000000 01")
    assert tree.text == "GenerateKeyPair, key pair 3"
    assert get(tree, "DesiredAsymAlgo").text == "ECC384"
    assert decode("13 fd 01 00 03").text == "KeyPairErase, key pair 3"
    newer = decode("14 fd 00 00 03 00 0100 00000000 01 04 01000000")
    assert get(newer, "DesiredPqcAsymAlgo").text == "ML-DSA-44"
    assert decode("13 fc 00 00 03").text == "key pair 3"
    assert decode("13 7d 00 00").name == "SET_KEY_PAIR_INFO_ACK"
