"""GET_VERSION to ALGORITHMS, written by hand, and what they leave in the session."""

from __future__ import annotations

import pytest

from decoders.spdm import Capabilities, Session
from tests.decoders.spdm.hand import decode, get, notes, value


def le32(number: int) -> str:
    return number.to_bytes(4, "little").hex()


def capabilities(code: str, version: str, flags: int, transfer: int = 0x1200, largest: int = 0x1200) -> str:
    return f"{version} {code} 00 00 00 00 0000 {le32(flags)} {le32(transfer)} {le32(largest)}"


def test_version_entries() -> None:
    tree = decode("10 04 00 00 00 03 0010 0011 2312")
    assert [(n.value, n.text) for n in tree.children[-3:]] == [(0x1000, "1.0"), (0x1100, "1.1"), (0x1223, "1.2.2.3")]
    assert tree.text == "1.0, 1.1, 1.2.2.3"
    cut = decode("10 04 00 00 00 03 0010")
    assert [(n.name, n.severity) for n in cut.children[-2:]] == [
        ("VersionNumberEntry[0]", None),
        ("VersionNumberEntry[1]", "error"),
    ]


def test_get_capabilities_of_1_0_is_bare() -> None:
    assert [n.name for n in decode("10 e1 00 00").children] == ["SPDMVersion", "RequestResponseCode", "Param1", "Param2"]


def test_capabilities_by_version() -> None:
    # 1.1: no sizes; bit 17 (CHUNK) came with 1.2
    tree = decode("11 e1 00 00 00 02 0000 06000200")
    assert get(tree, "Flags").note == "bits not defined in SPDM 1.1: 0x20000"
    assert value(tree, "Flags.CERT_CAP") == value(tree, "Flags.CHAL_CAP") == 1
    assert get(tree, "CTExponent").text == "2 (4 us)"
    newer = decode(capabilities("e1", "12", 0x20006))
    assert get(newer, "Flags").note is None
    assert value(newer, "Flags.CHUNK_CAP") == 1
    # a requester has no CACHE
    assert get(decode(capabilities("e1", "12", 1)), "Flags").severity == "warning"
    assert get(decode(capabilities("61", "12", 1)), "Flags").severity is None


def test_fields_of_two_bits() -> None:
    tree = decode(capabilities("61", "13", 2 << 3 | 1 << 10 | 2 << 22 | 1 << 26))
    assert get(tree, "Flags.MEAS_CAP").text == "with signature (2)"
    assert get(tree, "Flags.PSK_CAP").text == "yes (1)"
    assert get(tree, "Flags.EP_INFO_CAP").text == "with signature (2)"
    assert get(tree, "Flags.MULTI_KEY_CAP").text == "only (1)"
    assert get(decode(capabilities("61", "13", 3 << 3)), "Flags.MEAS_CAP").severity == "warning"


def test_extended_flags_of_1_4() -> None:
    tree = decode("14 61 00 00 00 00 0100 00000000 00120000 00120000")
    assert value(tree, "ExtFlags.SLOT_MGMT_CAP") == 1
    assert get(decode("13 61 00 00 00 00 0100 00000000 00120000 00120000"), "Reserved").severity is None
    assert ("Reserved", "warning", "reserved, should be zero") in notes(
        decode("13 61 00 00 00 00 0100 00000000 00120000 00120000")
    )


def test_sizes_that_cannot_be() -> None:
    assert decode(capabilities("e1", "12", 0, 41, 41)).note == "DataTransferSize 41 is below the minimum of 42"
    assert decode(capabilities("e1", "12", 0, 42, 41)).note == "MaxSPDMmsgSize 41 is below DataTransferSize 42"
    assert decode(capabilities("e1", "12", 0, 42, 42)).note is None


# 1 table count + 1 + Length ... : 2 + 2 + 1 + 1 + 4 + 4 + 4 + 8 + 1 + 1 + 1 + 1 = 30, and 4 tables of 4: 46 = 0x2e
BLOCK = "04 00 2e00 01 02 90000000 03000000 00000000 0000000000000000 00 00 00 01 02201000 03200600 04200f00 05200100"


def test_supported_algorithms_block() -> None:
    tree = decode("13 61 01 00 00 00 0000 00000000 00120000 00120000" + BLOCK)
    assert notes(tree) == []
    assert get(tree, "SupportedAlgorithms").size == 46
    assert get(tree, "SupportedAlgorithms.BaseAsymAlgo").text == "ECDSA_ECC_NIST_P256 | ECDSA_ECC_NIST_P384"
    assert get(tree, "SupportedAlgorithms.ReqAlgStruct[0].AlgSupported").text == "secp384r1"
    wrong = decode("13 61 01 00 00 00 0000 00000000 00120000 00120000" + BLOCK.replace("2e00", "3000"))
    assert wrong.note == "Length is 48, the fields take 46 bytes"
    # without the bit there is no block
    assert decode("13 61 00 00 00 00 0000 00000000 00120000 00120000" + BLOCK).child("SupportedAlgorithms") is None


# 32 fixed bytes + one extended algorithm (4) + one table (4) = 40
NEGOTIATE = "12 e3 01 00 2800 01 02 80000000 02000000 00000000 0000000000000000 01 00 00 00 03 00 3412 02211000 04003412"


def test_extended_algorithms() -> None:
    tree = decode(NEGOTIATE.replace("2800", "2c00"))
    assert get(tree, "ExtAsym[0]").text == "PCI-SIG (3) 0x1234"
    assert value(tree, "ReqAlgStruct[0].AlgCount.ExtAlgCount") == 1
    assert value(tree, "ReqAlgStruct[0].AlgCount.FixedAlgByteCount") == 2
    assert value(tree, "ReqAlgStruct[0].AlgExternal[0].RegistryID") == 4
    assert notes(tree) == []
    assert decode(NEGOTIATE).note == "Length is 40, the fields take 44 bytes"


def test_tables_of_other_sizes() -> None:
    tree = decode("12 e3 01 00 2700 01 02 80000000 02000000 00000000 0000000000000000 00 00 00 00 02 40 10000000")
    assert get(tree, "ReqAlgStruct[0].AlgSupported").size == 4
    assert get(tree, "ReqAlgStruct[0].AlgSupported").severity == "warning"
    unknown = decode("12 e3 01 00 2400 01 02 80000000 02000000 00000000 0000000000000000 00 00 00 00 09 20 1000")
    assert get(unknown, "ReqAlgStruct[0].AlgType").severity == "warning"


def algorithms(version: str, other: str, tables: str = "", count: int = 0) -> str:
    size = (36 + 4 * count).to_bytes(2, "little").hex()
    return (
        f"{version} 63 {count:02x} 00 {size} 01 {other} 08000000 80000000 02000000 00000000 00000000000000 00 00 00 0000 {tables}"
    )


def test_a_connection() -> None:
    session = Session()
    steps = [
        "10 84 00 00",
        "10 04 00 00 00 01 0012",
        capabilities("e1", "12", 0x82C6),
        capabilities("61", "12", 0x82D7),
        "12 e3 00 00 2000 01 02 80000000 02000000 00000000 0000000000000000 00 00 00 00",
        algorithms("12", "02", "02201000 03200200 04200800 05200100", 4),
    ]
    for step in steps:
        assert notes(decode(step, session)) == []
    assert session.version == 0x12
    assert session.requester == Capabilities(0x82C6, 0, 0, 0x1200, 0x1200)
    assert session.responder == Capabilities(0x82D7, 0, 0, 0x1200, 0x1200)
    chosen = session.algorithms
    assert (chosen.base_asym, chosen.base_hash, chosen.measurement_hash) == (0x80, 2, 8)
    assert (chosen.dhe, chosen.aead, chosen.req_base_asym, chosen.key_schedule) == (0x10, 2, 8, 1)
    assert session.vca == bytes.fromhex("".join(steps))
    # GET_VERSION alone clears nothing; VERSION does
    decode("10 84 00 00", session)
    assert session.algorithms.base_hash == 2
    decode("10 04 00 00 00 01 0012", session)
    assert session.version is None
    assert session.algorithms.base_hash == 0
    assert session.vca == bytes.fromhex("10840000 10040000 0001 0012")


def test_a_refused_request_is_not_part_of_the_negotiation() -> None:
    session = Session()
    start = ["10 84 00 00", "10 04 00 00 00 01 0012"]
    for step in (*start, capabilities("e1", "12", 0x40), "12 7f 01 00"):
        decode(step, session)
    assert session.requester is None
    accepted = [capabilities("e1", "12", 0x82C6), capabilities("61", "12", 0x82D7)]
    for step in accepted:
        decode(step, session)
    assert session.requester is not None
    assert session.requester.flags == 0x82C6
    assert session.vca == bytes.fromhex("".join(start + accepted))


@pytest.mark.parametrize(
    ("responder", "asked", "requester", "selected", "expected"),
    [
        # MULTI_KEY_CAP: 0 none, 1 only, 2 negotiable; bit 4 of the other side's parameters
        (0, 0x10, 0, 0x10, (False, False)),
        (1, 0x00, 1, 0x00, (True, True)),
        (2, 0x10, 2, 0x10, (True, True)),
        (2, 0x00, 2, 0x00, (False, False)),
        (2, 0x10, 2, 0x00, (True, False)),
    ],
)
def test_multiple_keys(responder: int, asked: int, requester: int, selected: int, expected: tuple[bool, bool]) -> None:
    session = Session()
    decode(capabilities("e1", "13", requester << 26), session)
    decode(capabilities("61", "13", responder << 26), session)
    decode(f"13 e3 00 00 2000 01 {asked | 2:02x} 80000000 02000000 00000000 0000000000000000 00 00 00 00", session)
    decode(algorithms("13", f"{selected | 2:02x}"), session)
    assert (session.responder_multi_key, session.requester_multi_key) == expected


def test_more_than_one_selected() -> None:
    tree = decode(algorithms("12", "02").replace("80000000", "90000000"))
    assert get(tree, "BaseAsymSel").severity == "error"
