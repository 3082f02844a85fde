"""DOE data objects: bytes written by hand, from the layouts of PCIe 6.30.1."""

from __future__ import annotations

import pytest

from decoders import decode_doe
from decoders.doe import MAX_SIZE, objects
from decoders.spdm import Session
from decoders.tree import Node
from tests.decoders.spdm.corpus import assert_covered, records

GET_VERSION = bytes.fromhex("0100 01 00 0300000010 84 00 00")


def find(tree: Node, path: str) -> Node:
    found = tree.find(path)
    assert found is not None, path
    return found


def notes(tree: Node) -> list[tuple[str, str | None]]:
    return [(n.name, n.severity) for n in tree.walk() if n.note]


def test_an_object_of_three_dwords() -> None:
    tree = decode_doe(GET_VERSION)
    assert (tree.name, tree.offset, tree.size) == ("DOE", 0, 12)
    assert tree.text == "CMA/SPDM: GET_VERSION"
    assert [(n.name, n.value, n.text, n.offset, n.size) for n in tree.children[:4]] == [
        ("VendorID", 1, "PCI-SIG (1)", 0, 2),
        ("DataObjectType", 1, "CMA/SPDM (1)", 2, 1),
        ("Reserved", 0, "0", 3, 1),
        ("Length", 3, "3 dwords (12 bytes)", 4, 4),
    ]
    assert (tree.children[4].name, tree.children[4].offset) == ("GET_VERSION", 8)
    assert notes(tree) == []


def test_padding_is_no_part_of_the_message() -> None:
    # CHUNK_GET of 1.2 has 6 bytes
    tree = decode_doe(bytes.fromhex("0100 01 00 0500000012 86 00 07 0300000000000000"))
    assert [n.name for n in tree.children[4:]] == ["CHUNK_GET", "trailing"]
    assert (tree.children[4].size, tree.children[5].size, tree.children[5].severity) == (6, 6, "note")
    tree = decode_doe(bytes.fromhex("0100 01 00 0400000012 86 00 07 03000000"))
    assert [(n.name, n.offset, n.size, n.note) for n in tree.children[5:]] == [("padding", 14, 2, None)]
    tree = decode_doe(bytes.fromhex("0100 01 00 0400000012 86 00 07 03000001"))
    assert [(n.name, n.offset, n.size, n.severity) for n in tree.children[5:]] == [("trailing", 14, 2, "warning")]


def test_length_and_what_is_there() -> None:
    long = decode_doe(bytes.fromhex("0100 01 00 6300000010 84 00 00"))  # 0x63 dwords are 396 bytes
    assert find(long, "Length").note == "396 bytes, 12 are there"
    assert find(long, "Length").severity == "error"
    assert long.children[4].name == "GET_VERSION"  # what is there is decoded
    zero = decode_doe(bytes.fromhex("0100 01 00 0000000010 84 00 00"))
    assert find(zero, "Length").text == f"0 (2^18 dwords, {MAX_SIZE} bytes)"
    assert find(zero, "Length").severity == "error"
    one = decode_doe(bytes.fromhex("0100 01 00 0100000010 84 00 00"))
    assert find(one, "Length").severity == "error"
    assert one.children[4].name == "GET_VERSION"
    short = decode_doe(GET_VERSION + b"\x01\x02\x03")
    assert (short.children[-1].name, short.children[-1].offset, short.children[-1].value) == ("trailing", 12, b"\x01\x02\x03")
    assert short.children[-1].severity == "warning"
    # bits 31:18 are reserved and do not count
    odd = decode_doe(bytes.fromhex("0100 01 00 0300048010 84 00 00"))
    assert find(odd, "Length").text == "3 dwords (12 bytes)"
    assert find(odd, "Length").note == "reserved bits set: 0x80040000"


@pytest.mark.parametrize("size", range(8))
def test_less_than_a_header(size: int) -> None:
    tree = decode_doe(GET_VERSION[:size])
    assert_covered(tree, size)
    error = next(n for n in tree.children if n.severity == "error")
    field, offset, want = ("VendorID", 0, 2) if size < 2 else ("DataObjectType", 2, 1) if size < 3 else ("Length", 4, 4)
    if size == 3:
        field, offset, want = "Reserved", 3, 1
    assert (error.name, error.offset, error.size) == (field, offset, 0)
    assert error.note == f"{want} {'byte' if want == 1 else 'bytes'} expected at {offset:#x}, {size - offset} there"


def test_types_that_are_not_spdm() -> None:
    foreign = decode_doe(bytes.fromhex("8680 01 00 0300000010 84 00 00"))  # type 1 of another vendor
    assert [n.name for n in foreign.children[4:]] == ["rest"]
    assert foreign.text == "vendor 0x8086, type 0x01"
    unknown = decode_doe(bytes.fromhex("0100 77 00 0300000010 84 00 00"))
    assert find(unknown, "DataObjectType").severity == "warning"
    assert unknown.children[4].value == bytes.fromhex("10840000")
    empty = decode_doe(bytes.fromhex("0100 01 00 02000000"))
    assert len(empty.children) == 4
    assert_covered(empty, 8)


def discovery(body: str, session: Session | None = None) -> Node:
    tree = decode_doe(bytes.fromhex("0100 00 00 03000000" + body), session=session)
    assert_covered(tree, 12)
    return tree.children[4]


def test_discovery_takes_turns() -> None:
    session = Session()
    assert discovery("01 02 0000", session).name == "DISCOVERY_REQUEST"
    answer = discovery("0100 01 02", session)
    assert [(n.name, n.value) for n in answer.children] == [("VendorID", 1), ("DataObjectType", 1), ("NextIndex", 2)]
    # 01 00 00 00 is a request of index 1, or the only object type of PCI-SIG: by whose turn it is
    assert discovery("01 00 0000", session).name == "DISCOVERY_REQUEST"
    assert discovery("01 00 0000", session).name == "DISCOVERY_RESPONSE"
    assert discovery("01 00 0000").name == "DISCOVERY_REQUEST"
    assert discovery("0100 02 00").name == "DISCOVERY_RESPONSE"


def test_discovery_cut_short() -> None:
    tree = decode_doe(bytes.fromhex("0100 00 00 0300000001"))
    assert_covered(tree, 9)
    assert ("DOEDiscoveryVersion", "error") in notes(tree)


def test_secured_object_covers_its_bytes() -> None:
    packet = next(p for p in records("doe_v12_default") if p[2] == 2)
    tree = decode_doe(packet)
    assert_covered(tree, len(packet))
    assert tree.text.startswith("Secured CMA/SPDM")


def test_objects_in_a_row() -> None:
    row = GET_VERSION + bytes.fromhex("0100 00 00 02000000") + GET_VERSION
    assert list(objects(row)) == [(0, 12), (12, 8), (20, 12)]
    assert list(objects(row[:-1])) == [(0, 12), (12, 8), (20, 11)]  # the last one is cut
    assert list(objects(GET_VERSION + b"\0\0\0")) == [(0, 12), (12, 3)]
    # one dword is less than the header: nothing after it can be told apart
    assert list(objects(bytes.fromhex("0100 01 00 01000000") + GET_VERSION)) == [(0, 20)]
    assert list(objects(b"")) == []


def test_connections_of_one_mailbox() -> None:
    # type 3; header 2: length 3 dwords, bits 29:18 the Connection ID: 5 << 18 | 3 = 0x00140003
    asked = bytes.fromhex("0100 03 00 03001400 10840000")
    session = Session()
    tree = decode_doe(asked, session=session)
    assert_covered(tree, len(asked))
    assert tree.text == "CMA/SPDM with Connection ID: GET_VERSION"
    assert [(n.name, n.value) for n in find(tree, "Length").children] == [("Length", 3), ("ConnectionID", 5)]
    assert notes(tree) == []
    assert find(decode_doe(bytes.fromhex("0100 03 00 03001440 10840000")), "Length").severity == "warning"  # bit 30
    assert notes(decode_doe(bytes.fromhex("0100 01 00 03001400 10840000"))) == [("Length", "warning")]  # no such field there


def test_each_connection_negotiates_for_itself() -> None:
    capabilities = "{} 61 0000 00000000 00000000"  # of 1.1: 12 bytes, 5 dwords with the header
    session = Session()
    for connection, version in ((5, 0x11), (6, 0x10)):
        length = (connection << 18 | 5).to_bytes(4, "little")
        data = b"\1\0\3\0" + length + bytes.fromhex(capabilities.format(f"{version:02x}"))
        tree = decode_doe(data, session=session)
        assert_covered(tree, len(data))
        assert find(tree, "Length").text == f"5 dwords (20 bytes), connection {connection}"
    assert session.version is None
    assert [(n, c.version) for n, c in session.connections.items()] == [(5, 0x11), (6, 0x10)]
    for number in range(100):
        session.connection(number)
    assert len(session.connections) == 64


def test_secured_messages_of_a_connection() -> None:
    # type 4: session id, length 18 (2 + MAC), cipher text, MAC: 24 bytes, 8 dwords with the header
    data = bytes.fromhex("0100 04 00 08000400 ffffffff 1200 aabb") + bytes(16)
    tree = decode_doe(data, session=Session())
    assert_covered(tree, len(data))
    assert tree.text == "Secured CMA/SPDM with Connection ID: SecuredMessage: session 0xffffffff"
    assert find(tree, "Length.ConnectionID").value == 1


def test_discovery_of_version_2() -> None:
    session = Session()
    decode_doe(bytes.fromhex("0100 00 00 03000000 02 02 0000"), session=session)
    # 4th dword: largest object 0x40 dwords, bits 31:18 the largest Connection ID 7: 7 << 18 | 0x40 = 0x001c0040
    data = bytes.fromhex("0100 00 00 04000000 0100 03 00 40001c00")
    tree = decode_doe(data, session=session)
    assert_covered(tree, len(data))
    assert tree.children[4].name == "DISCOVERY_RESPONSE"
    assert find(tree, "DISCOVERY_RESPONSE.Extent.MaxDOLength").value == 0x40
    assert find(tree, "DISCOVERY_RESPONSE.Extent.AdditionalInfo").text == "0x7 (8 connections)"
    refused = decode_doe(bytes.fromhex("0100 00 00 03000000 ffff 00 00"), session=session)
    assert find(refused, "DISCOVERY_RESPONSE.VendorID").text == "no such index (0xffff)"


def test_async_messages() -> None:
    inner = bytes.fromhex("0100 01 00 03000000 12 f1 0000")
    data = bytes.fromhex("0100 05 00 06000000 01000000") + inner
    tree = decode_doe(data, session=Session())
    assert_covered(tree, len(data))
    assert tree.text.startswith("Async Message: ASYNC_MESSAGE: REQUEST: CMA/SPDM: SEND_EVENT")
    nested = bytes.fromhex("0100 05 00 03000000 00000000")  # none inside of another
    data = bytes.fromhex("0100 05 00 06000000 02000000") + nested
    tree = decode_doe(data)
    assert_covered(tree, len(data))
    assert find(tree, "ASYNC_MESSAGE.rest").value == nested
    assert decode_doe(nested).text == "Async Message: ASYNC_MESSAGE: GET"
