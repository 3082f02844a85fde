"""NEGOTIATE_ALGORITHMS and ALGORITHMS, written by hand, and what a negotiation leaves in the session."""

from __future__ import annotations

import pytest

from decoders.spdm import Capabilities, Session
from tests.decoders.spdm.hand import capabilities, decode, get, notes, value

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
