"""GET_VERSION to CAPABILITIES, written by hand."""

from __future__ import annotations

from tests.decoders.spdm.hand import capabilities, decode, get, notes, value


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
