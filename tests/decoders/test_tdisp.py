"""TDISP messages against spdm_dump's text of decrypted runs, and bytes put together by hand from PCIe r6 11.3."""

from __future__ import annotations

import random
import re
import struct
from functools import cache

import pytest
from hypothesis import given as generate
from hypothesis import strategies as st

from decoders.tdisp import CODES, MAX_RANGES, decode_report, decode_tdisp, is_report
from tests.decoders.spdm_runs import assert_covered, dumped
from tests.decoders.test_ide_km import WITH_IDE, vendor_payloads

LINE = re.compile(r"^(\d+) \(\d+\) .*\(ProtID=0x01\) TDISP\((0x[0-9a-f]{2})\) (\S+)(?: \(([0-9a-f]{8})\))?(.*)")
PATHS = {
    "tsm_caps": "TSM_CAPS",
    "dsm_caps": "DSM_CAPS",
    "lock_flags": "LOCK_INTERFACE_FLAGS_SUPPORTED",
    "addr_width": "DEV_ADDR_WIDTH",
    "req_this": "NUM_REQ_THIS",
    "req_all": "NUM_REQ_ALL",
    "flags": "FLAGS",
    "default_stream": "DEFAULT_STREAM_ID",
    "mmio_offset": "MMIO_REPORTING_OFFSET",
    "bind_p2p_mask": "BIND_P2P_ADDRESS_MASK",
    "offset": "OFFSET",
    "length": "LENGTH",
    "port_len": "PORTION_LENGTH",
    "rem_len": "REMAINDER_LENGTH",
    "tdi_state": "TDI_STATE",
    "err_code": "ERROR_CODE",
    "err_data": "ERROR_DATA",
    "nonce": "START_INTERFACE_NONCE",
    "msg_cap": "REQ_MSGS_SUPPORTED",
}


@cache
def payloads(run: str) -> dict[int, bytes]:
    return {number: data for number, cxl, data in vendor_payloads(run, 1) if not cxl}


@pytest.mark.parametrize("run", WITH_IDE)
def test_fields_that_spdm_dump_prints(run: str) -> None:
    seen = set()
    for line in dumped(run):
        found = LINE.match(line)
        if found is None:
            continue
        number, code, name, function, fields = int(found[1]), int(found[2], 16), found[3], found[4], found[5]
        data = payloads(run)[number]
        tree = decode_tdisp(data)
        assert_covered(tree, len(data))
        assert tree.child("MessageType").value == code
        assert tree.name == CODES.get(code, f"UNKNOWN_{code:#04x}")
        assert (name == "<Unknown>") == (code not in CODES)
        if function:
            assert tree.find("INTERFACE_ID.FUNCTION_ID").value == int(function, 16)
        if tree.name == "TDISP_VERSION":
            assert fields.strip() == "(1.0)"
            assert tree.child("VERSION_NUM_ENTRY[0]").text.startswith("1.0 ")
        for field, value in re.findall(r"(\w+)=\[?(0x[0-9a-f]+|[0-9a-f]+)", fields):
            node = tree.find(PATHS[field])
            if field == "nonce":
                assert node.value == bytes.fromhex(value)
            elif field == "msg_cap":  # printed from the last byte to the first
                assert node.value == bytes.fromhex(value)[::-1]
            else:
                assert node.value == int(value, 16), (line, field)
        seen.add(tree.name)
    if run == "doe_v12_measall":
        assert seen == {CODES[c] for c in (*range(0x81, 0x88), *range(1, 8))}


def portions(run: str) -> list[bytes]:
    """The reports of a run, each put together from its portions by hand: 16 bytes of header, length, remainder, bytes."""
    whole, part = [], b""
    for data in payloads(run).values():
        if data[1] == 4:
            size, rest = struct.unpack_from("<HH", data, 16)
            part += data[20 : 20 + size]
            if not rest:
                whole.append(part)
                part = b""
    return whole


@pytest.mark.parametrize("run", WITH_IDE)
def test_report_as_spdm_dump_prints_it(run: str) -> None:
    text = "\n".join(dumped(run))
    printed = re.findall(r"InterfaceReport\(if_info=.*?dev_info\(len=.*?\)\)\)", text, re.S)
    reports = portions(run)
    assert len(reports) == len(printed)
    for report, shown in zip(reports, printed, strict=True):
        assert is_report(report)
        tree = decode_report(report)
        assert_covered(tree, len(report))
        head = re.search(r"if_info=(\w+), msix_ctrl=(\w+), lnr_ctrl=(\w+), tph_ctrl=(\w+), mmio_count=(\w+)", shown)
        names = ("INTERFACE_INFO", "MSI_X_MESSAGE_CONTROL", "LNR_CONTROL", "TPH_CONTROL", "MMIO_RANGE_COUNT")
        assert [tree.child(n).value for n in names] == [int(x, 16) for x in head.groups()]
        ranges = re.findall(r"mmio_range\((\d+)\)=\(first=(\w+), num_pg=(\w+), attr=(\w+), rang_id=(\w+)\)", shown)
        assert ranges
        for index, *values in ranges:
            node = tree.child(f"MMIO_RANGE[{index}]")
            fields = ("FIRST_PAGE", "NUMBER_OF_PAGES", "RANGE_ATTRIBUTES", "RANGE_ID")
            assert [node.child(f).value for f in fields] == [int(v, 16) for v in values]
        info = re.search(r"dev_info\(len=(\w+), data=\(([^)]*)\)", shown)
        assert tree.child("DEVICE_SPECIFIC_INFO_LEN").value == int(info[1], 16)
        assert tree.child("DEVICE_SPECIFIC_INFO").value == bytes.fromhex(info[2].replace(",", " "))


def header(code: int, function: int = 0xBEEF) -> bytes:
    return struct.pack("<BBHIQ", 0x10, code, 0, function, 0)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (0x0000BEEF, "be:1d.7"),  # 0xbe, 0xef = 0b11101_111
        (0x01020108, "0002:01:01.0"),  # segment 2, marked valid
    ],
)
def test_function_id(function: int, text: str) -> None:
    assert decode_tdisp(header(0x85, function)).text == text


def test_reserved_bits_of_a_function_id() -> None:
    assert decode_tdisp(header(0x85, 0x8000_0000)).find("INTERFACE_ID.FUNCTION_ID").severity == "warning"
    assert decode_tdisp(header(0x85, 0x0002_0000)).find("INTERFACE_ID.FUNCTION_ID").note == "a segment that is not marked valid"


@pytest.mark.parametrize(
    ("code", "data", "text"),
    [
        (0x0001, 0, "INVALID_REQUEST"),
        (0x0003, 0, "BUSY"),
        (0x0004, 0, "INVALID_INTERFACE_STATE"),
        (0x0005, 0, "UNSPECIFIED"),
        (0x0007, 0x88, "UNSUPPORTED_REQUEST of BIND_P2P_STREAM_REQUEST"),
        (0x0041, 0, "VERSION_MISMATCH"),
        (0x0101, 0, "INVALID_INTERFACE"),
        (0x0102, 0, "INVALID_NONCE"),
        (0x0103, 0, "INSUFFICIENT_ENTROPY"),
        (0x0104, 0, "INVALID_DEVICE_CONFIGURATION"),
        (0x9999, 0, "unknown (0x9999)"),
    ],
)
def test_errors(code: int, data: int, text: str) -> None:
    tree = decode_tdisp(header(0x7F) + struct.pack("<II", code, data))
    assert tree.text == f"be:1d.7, {text}"
    assert (tree.severity, tree.note) == ("warning", f"the device refused: {text}")


def test_extended_error_data_of_a_vendor() -> None:
    data = header(0x7F) + struct.pack("<II", 0xFF, 0) + bytes([0, 2, 0xB5, 0x13]) + b"why"
    tree = decode_tdisp(data)
    extended = tree.child("EXTENDED_ERROR_DATA")
    assert (extended.text, extended.child("VENDOR_DATA").value) == ("PCI-SIG 0x13b5", b"why")
    assert_covered(tree, len(data))


def test_bodies_no_emulator_sends() -> None:
    assert decode_tdisp(header(0x88) + b"\x07").child("P2P_STREAM_ID").value == 7
    assert decode_tdisp(header(0x89) + b"\x08").text == "be:1d.7, stream 0x8"
    attribute = decode_tdisp(header(0x8A) + struct.pack("<QIHH", 0x40, 2, 4, 3))
    assert attribute.child("MMIO_RANGE").text == "range 3: page 0x40 (address 0x40000), 2 pages, IS_NON_TEE_MEM"
    vdm = decode_tdisp(header(0x8B) + bytes([1, 2, 0x98, 0x1E]) + b"x")
    assert vdm.child("VENDOR").text == "CXL 0x1e98"
    for code in (0x08, 0x09, 0x0A):
        assert len(decode_tdisp(header(code)).children) == 4


def test_a_report_in_one_portion_is_taken_apart() -> None:
    report = struct.pack("<HHHHII", 3, 0, 0, 0, 0, 1) + struct.pack("<QIHH", 8, 4, 8, 2) + struct.pack("<I", 2) + b"ab"
    message = header(0x04) + struct.pack("<HH", len(report), 0) + report
    tree = decode_tdisp(message)
    assert tree.find("REPORT_BYTES.MMIO_RANGE[0].FIRST_PAGE").offset == 20 + 16
    assert_covered(tree, len(message))
    alone = decode_report(report)
    assert alone.child("MMIO_RANGE[0]").text == "range 2: page 0x8 (address 0x8000), 4 pages, IS_MEM_ATTR_UPDATABLE"
    assert alone.child("INTERFACE_INFO").text == "0x3 (NO_UPDATE_AFTER_LOCK | DMA_WITHOUT_PASID)"


def test_ranges_are_bounded() -> None:
    count = MAX_RANGES + 5
    report = struct.pack("<HHHHII", 0, 0, 0, 0, 0, count) + struct.pack("<QIHH", 1, 1, 0, 0) * count + bytes(4)
    tree = decode_report(report)
    assert len(tree.children) < MAX_RANGES + 10
    assert_covered(tree, len(report))
    assert_covered(decode_report(struct.pack("<HHHHII", 0, 0, 0, 0, 0, 0xFFFFFFFF) + bytes(64)), 80)


def test_every_truncation_and_mutations() -> None:
    rng = random.Random(11)
    corpus = {data[1]: data for run in WITH_IDE for data in payloads(run).values()}
    assert len(corpus) >= 18
    for code, data in corpus.items():
        for cut in range(len(data)):
            tree = decode_tdisp(data[:cut])
            assert_covered(tree, cut)
            if code in CODES and cut < 16:
                assert any(n.severity == "error" for n in tree.walk())
        for _ in range(30):
            bad = bytearray(data)
            bad[rng.randrange(len(bad))] = rng.randrange(256)
            assert_covered(decode_tdisp(bytes(bad)), len(bad))
    report = portions("doe_v12_measall")[0]
    for cut in range(len(report)):
        tree = decode_report(report[:cut])
        assert_covered(tree, cut)
        assert any(n.severity == "error" for n in tree.walk())


@generate(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert_covered(decode_tdisp(data), len(data))
    assert_covered(decode_tdisp(header(0x7F) + data), len(data) + 16)
    assert_covered(decode_report(data), len(data))
