"""Measurements and the measurement extension log, written by hand."""

from __future__ import annotations

from tests.decoders.spdm.hand import SIGNATURE, decode, fill, get, negotiated, notes, value

NONCE = fill(9, 32)


def block(index: int, kind: int, data: str, specification: int = 1) -> str:
    size = len(data) // 2
    outer, inner = (n.to_bytes(2, "little").hex() for n in (size + 3, size))
    return f"{index:02x}{specification:02x}{outer}{kind:02x}{inner}{data}"


def response(record: str, count: int, signature: int = 0, version: str = "12", params: str = "00 00", context: str = "") -> str:
    size = (len(record) // 2).to_bytes(3, "little").hex()
    return f"{version} 60 {params} {count:02x} {size} {record} {NONCE} 0000 {context} {fill(4, signature)}"


def test_request_by_version() -> None:
    assert [n.name for n in decode("12 e0 00 01").children[2:]] == ["Param1", "MeasurementOperation"]
    assert [n.name for n in decode("10 e0 01 ff" + NONCE).children[4:]] == ["Nonce"]
    assert [n.name for n in decode("12 e0 01 ff" + NONCE + "02").children[4:]] == ["Nonce", "SlotIDParam"]
    tree = decode("13 e0 05 00" + NONCE + "02" + fill(8, 8))
    assert [n.name for n in tree.children[4:]] == ["Nonce", "SlotIDParam", "RequesterContext"]
    assert value(tree, "Param1.NewMeasurementRequested") == 1
    assert get(tree, "MeasurementOperation").text == "TotalNumberOfMeasurements (0)"
    assert [n.name for n in decode("13 e0 00 fe" + fill(8, 8)).children[4:]] == ["RequesterContext"]
    assert get(decode("12 e0 00 fe"), "MeasurementOperation").text == "0xfe (DeviceMode)"
    assert get(decode("11 e0 02 01"), "Param1").severity == "warning"  # raw bit streams came with 1.2


def test_blocks() -> None:
    record = block(1, 0x00, fill(0xAB, 48)) + block(0x10, 0x87, "0700000000000000")
    session = negotiated()
    decode("12 e0 01 ff" + NONCE + "01", session)
    tree = decode(response(record, 2, SIGNATURE, params="00 21"), session)
    assert notes(tree) == []
    first, second = (get(tree, f"MeasurementRecordData.MeasurementBlock[{i}]") for i in (0, 1))
    assert first.text == "index 0x1: ImmutableROM, digest of 48 bytes"
    assert get(first, "Measurement.DMTFSpecMeasurementValueType").text == "Type=ImmutableROM"
    assert get(second, "Measurement.DMTFSpecMeasurementValue").value == 7
    assert get(second, "Measurement.DMTFSpecMeasurementValueType.RawBitStream").value == 1
    assert (value(tree, "Param2.SlotID"), get(tree, "Param2.ContentChanged").text) == (1, "Unchanged (2)")
    assert tree.text == "2 blocks, signed"


def test_device_mode() -> None:
    # capabilities: all six modes (0x3f), state: normal (4); debug: 0x1f, 0x11
    tree = decode(response(block(0xFE, 0x85, "3f000000 04000000 1f000000 11000000".replace(" ", "")), 1))
    mode = get(tree, "MeasurementRecordData.MeasurementBlock[0].Measurement.DMTFSpecMeasurementValue")
    assert get(mode, "OperationalModeState").text == "NormalMode"
    assert get(mode, "DeviceModeState").text == "NonInvasiveDebugActive | InvasiveDebugHasBeenActiveAfterManufacturing"
    # bit by bit, as DSP0274 numbers them
    modes = ["ManufacturingMode", "ValidationMode", "NormalMode", "RecoveryMode", "RMAMode", "DecommissionedMode"]
    assert [(c.name, c.value) for c in get(mode, "OperationalModeCapabilities").children] == [(m, 1) for m in modes]
    for bit, name in enumerate(modes):
        one = decode(response(block(0xFE, 0x85, f"{1 << bit:02x}000000" + "00" * 12), 1))
        path = "MeasurementRecordData.MeasurementBlock[0].Measurement.DMTFSpecMeasurementValue.OperationalModeCapabilities"
        assert get(one, path).text == name
    # a digest of a device mode has no such fields
    digest = decode(response(block(0xFE, 0x05, fill(1, 16)), 1))
    assert get(digest, "MeasurementRecordData.MeasurementBlock[0].Measurement.DMTFSpecMeasurementValue").children == ()


def test_blocks_that_do_not_fit() -> None:
    record = block(1, 0, fill(1, 8))
    short = decode(response(record, 2))
    assert any(n.severity == "error" for n in short.walk())
    assert value(short, "Nonce") == b"\x09" * 32  # the record's length holds: what follows is read
    more = decode(response(record + "aabb", 1))
    assert get(more, "MeasurementRecordData.trailing").severity == "warning"
    inner = decode(response(record.replace("000800", "00ff00"), 1))  # the value says 255 bytes, its block has 11
    assert any(n.severity == "error" for n in inner.walk())
    other = decode(response(block(1, 0, fill(1, 8), specification=2), 1))
    assert get(other, "MeasurementRecordData.MeasurementBlock[0].Measurement").children == ()


def test_number_of_measurements() -> None:
    session = negotiated()
    decode("12 e0 00 00", session)
    tree = decode("12 60 09 00 00 000000" + NONCE + "0000", session)
    assert (value(tree, "TotalNumberOfMeasurements"), tree.text) == (9, "9 measurements in all")
    assert notes(tree) == []


def test_a_signature_only_where_one_was_asked_for() -> None:
    session = negotiated()
    decode("12 e0 00 ff", session)
    assert decode(response(block(1, 0, fill(1, 8)), 1), session).child("Signature") is None
    # the request is not in the capture: the length says it
    alone = negotiated()
    assert decode(response(block(1, 0, fill(1, 8)), 1, SIGNATURE), alone).child("Signature") is not None
    # it says so too where the request said otherwise
    odd = decode(response(block(1, 0, fill(1, 8)), 1, SIGNATURE), session)
    assert get(odd, "Signature").size == SIGNATURE
    assert odd.severity == "warning"


def test_context_of_1_3() -> None:
    tree = decode(response("", 0, version="13", context=fill(7, 8)), negotiated())
    assert value(tree, "RequesterContext") == b"\7" * 8


# log: 2 entries of 4 + 1 + 3 + 1 + 2 + 3 = 14 bytes
LOG = bytes.fromhex(
    "02000000 1c000000 0000000000000000"
    "01000000 05 000000 89 0300 616263"
    "02000000 fd 000000 81 0300 646566"
)  # fmt: skip


def test_extension_log() -> None:
    session = negotiated()
    decode("13 ef 00 00 00000000 ffff0000", session)
    tree = decode("13 6f 00 00 2c000000 00000000" + LOG.hex(), session)
    assert [n.name for n in get(tree, "MEL").children] == [
        "NumberOfEntries",
        "MELEntriesLength",
        "Reserved",
        "MELEntry[0]",
        "MELEntry[1]",
    ]
    assert value(tree, "MEL.MELEntry[0].DMTFSpecMeasurementValue") == b"abc"
    assert get(tree, "MEL.MELEntry[1].MeasIndex").text == "0xfd (MeasurementManifest)"
    assert notes(tree) == []


def test_extension_log_in_portions() -> None:
    session = negotiated()
    tree = None
    for at, size in ((0, 20), (20, 24)):
        decode(f"13 ef 00 00 {at.to_bytes(4, 'little').hex()} ffff0000", session)
        left = len(LOG) - at - size
        part = LOG[at : at + size].hex()
        tree = decode(f"13 6f 00 00 {size.to_bytes(4, 'little').hex()} {left.to_bytes(4, 'little').hex()} {part}", session)
        assert notes(tree) == []
    assert tree is not None
    whole = tree.children[-1]
    assert (whole.name, whole.offset, whole.value) == ("MEL", None, LOG)
    assert value(whole, "MELEntry[1].DMTFSpecMeasurementValue") == b"def"
