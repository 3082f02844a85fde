"""IDE_KM objects against spdm_dump's text of decrypted runs, and bytes put together by hand from PCIe r6 6.33.3."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given as generate
from hypothesis import strategies as st

from decoders.ide_km import decode_cxl_ide_km, decode_ide_km
from decoders.tree import Node
from tests.decoders.spdm_runs import assert_covered, decoded, dumped

WITH_IDE = ["doe_v12_default", "doe_v12_measall", "err_tdisp_idekm_v12"]
LINE = re.compile(r"^(\d+) \(\d+\) .*\(ProtID=0x00\) (CXL_)?IDE_KM\((0x[0-9a-f]{2})\) (\S+)(.*)")
PATHS = {
    "port": "PortIndex",
    "PortIndex": "PortIndex",
    "DevFunc": "DeviceFunction",
    "Bus": "Bus",
    "Seg": "Segment",
    "MaxPort": "MaxPortIndex",
    "Caps": "Capabilities",
    "StreamId": "StreamID",
    "Status": "Status",
    "KeySubStream": "KeySubStream",
    "KeySet": "KeySubStream.KeySet",
    "RxTx": "KeySubStream.RxTx",
    "SubStream": "KeySubStream.SubStream",
    "Iv": "KeySubStream.IV",
    "Mode": "KeySubStream.Mode",
}
NAMES = {"K_SET_GOSTOP_ACK": "K_GOSTOP_ACK"}


def vendor_payloads(run: str, protocol: int) -> Iterator[tuple[int, bool, bytes]]:
    """(record, whether CXL's, bytes behind the protocol id) of the vendor-defined messages of a run before SPDM 1.4:
    standard id 2 bytes, vendor id length 1, vendor id 2, payload length 2, protocol 1."""
    for r in decoded(run):
        if r.opened is None:
            continue
        message = r.opened.plain[3 if r.binding == "MCTP" else 2 :]
        if message[1] in (0xFE, 0x7E) and message[4:6] == b"\x03\0" and message[6] == 2:
            size = int.from_bytes(message[9:11], "little")
            if message[11] == protocol:
                yield r.number, message[7:9] == b"\x98\x1e", message[12 : 11 + size]


@cache
def payloads(run: str) -> dict[int, tuple[bool, bytes]]:
    return {number: (cxl, data) for number, cxl, data in vendor_payloads(run, 0)}


@pytest.mark.parametrize("run", WITH_IDE)
def test_fields_that_spdm_dump_prints(run: str) -> None:
    seen = set()
    for line in dumped(run):
        found = LINE.match(line)
        if found is None:
            continue
        number, code, name, fields = int(found[1]), int(found[3], 16), found[4], found[5]
        cxl, data = payloads(run)[number]
        assert cxl == bool(found[2])
        tree = decode_cxl_ide_km(data) if cxl else decode_ide_km(data)
        assert_covered(tree, len(data))
        assert tree.child("ObjectID").value == code
        if name == "<Unknown>":
            assert tree.name == f"UNKNOWN_{code:#04x}"
            continue
        assert tree.name == NAMES.get(name, name)
        for field, value in re.findall(r"(\w+)=(0x[0-9a-f]+|[0-9a-f]+)", fields):
            assert tree.find(PATHS[field]).value == int(value, 16), (line, field)
        seen.add((cxl, tree.name))
    if run.startswith("doe_"):
        pci = {"QUERY", "QUERY_RESP", "KEY_PROG", "KP_ACK", "K_SET_GO", "K_SET_STOP", "K_GOSTOP_ACK"}
        assert seen == {(False, n) for n in pci} | {(True, n) for n in (*pci, "GET_KEY", "GET_KEY_ACK")}


def test_a_key_is_shown_only_on_demand() -> None:
    key, ifv = bytes(range(0x40, 0x60)), bytes(range(0x80, 0x88))
    data = bytes([2, 0, 0, 5, 0, 0x22, 1]) + key + ifv  # KEY_PROG, stream 5, CPL TX K0, port 1
    tree = decode_ide_km(data)
    assert tree.text == "stream 0x5 CPL TX K0, port 1"
    assert (tree.child("Key").value, tree.child("Key").offset, tree.child("Key").size) == ("<256-bit key, redacted>", 7, 32)
    assert (tree.child("IFV").text, tree.child("IFV").offset) == ("<64-bit IV, redacted>", 39)
    shown = decode_ide_km(data, reveal=True)
    assert (shown.child("Key").value, shown.child("IFV").value) == (key, ifv)
    hidden = str(tree.to_json())
    assert key.hex() not in hidden
    assert ifv.hex() not in hidden
    cut = decode_ide_km(data[:20])  # 13 of the 32 bytes
    assert key[:13].hex() not in str(cut.to_json())
    assert cut.child("Key").severity == "error"


def test_cxl_key_has_an_iv_of_twelve_bytes() -> None:
    data = bytes([2, 0, 0, 0, 0, 0x8A, 0]) + bytes(32) + bytes(12)
    tree = decode_cxl_ide_km(data, reveal=True)
    assert tree.text == "stream 0x0 CXL TX K0, port 0"
    assert tree.child("IV").size == 12
    assert tree.find("KeySubStream.IV").text.startswith("default")
    assert_covered(tree, len(data))


def test_a_refused_key() -> None:
    tree = decode_ide_km(bytes([3, 0, 0, 9, 2, 0x11, 4]))
    assert (tree.name, tree.child("Status").text, tree.severity) == ("KP_ACK", "Unsupported Port Index (2)", "warning")
    assert tree.text == "stream 0x9 NPR RX K1, port 4: Unsupported Port Index"


def test_registers_of_a_port() -> None:
    """One link stream and one selective stream with an address association, bit by bit from PCIe r6 7.9.26."""
    capability = 1 << 0 | 1 << 1 | 1 << 6 | 1 << 24  # link, selective, IDE_KM, TEE-limited; one of each
    link = struct.pack("<II", 1 | 3 << 24, 2)  # enabled, stream 3, secure
    rid = 0x0110  # bus 1, device 2, function 0
    selective = struct.pack(
        "<IIIIIIII",
        1,  # one address association
        1 | 1 << 22 | 0x42 << 24,  # enabled, default stream, stream 0x42
        0x8000_0000,  # insecure, integrity check failure received
        rid + 7 << 8,
        1 | rid << 8,
        1 | 0x800 << 8 | 0x80F << 20,  # base 0x80000000, limit 0x80ffffff
        1,  # limit, upper 32 bits
        1,  # base, upper 32 bits
    )
    data = bytes([1, 0, 2, 0x10, 1, 0, 7]) + struct.pack("<II", capability, 4) + link + selective
    tree = decode_ide_km(data)
    assert_covered(tree, len(data))
    assert tree.text == "port 2 of 0 to 7, 00:01:02.0"
    regs = tree.child("IDERegisters")
    assert regs.text == "1 link streams, 1 selective streams"
    assert [n.name for n in regs.child("Capability").children if n.value == 1] == [
        "LinkIDE",
        "SelectiveIDE",
        "IDE_KM",
        "TEELimited",
    ]
    assert regs.find("Control.FlowThroughEnabled").value == 1
    assert regs.child("LinkStream[0]").text == "stream 0x3, enabled, Secure"
    stream = regs.child("SelectiveStream[0]")
    assert stream.text == "stream 0x42, enabled, Insecure"
    assert stream.find("Control.DefaultStream").value == 1
    assert stream.find("Status.IntegrityCheckFailReceived").value == 1
    assert "up to 01:02.7" in stream.child("RIDAssociation1").text
    assert "from 00:01:02.0, valid" in stream.child("RIDAssociation2").text
    assert stream.child("AddressAssociation[0]").text == "0x180000000 to 0x180ffffff"


def test_more_streams_than_bytes() -> None:
    data = bytes([1, 0, 0, 0, 0, 0, 0]) + struct.pack("<II", 2 | 255 << 16, 0) + bytes(40)
    tree = decode_ide_km(data)
    assert_covered(tree, len(data))
    assert any(n.severity == "error" for n in tree.walk())


def test_every_truncation_and_mutations() -> None:
    rng = random.Random(7)
    corpus: dict[tuple[bool, int], bytes] = {}
    for run in WITH_IDE[:2]:
        for cxl, data in payloads(run).values():
            corpus.setdefault((cxl, data[0]), data)
    assert len(corpus) >= 15
    for (cxl, _), data in corpus.items():
        decode = decode_cxl_ide_km if cxl else decode_ide_km
        for cut in range(len(data)):
            tree = decode(data[:cut])
            assert_covered(tree, cut)
            assert tree.name == "QUERY_RESP" or any(n.severity == "error" for n in tree.walk())
        for _ in range(30):
            bad = bytearray(data)
            bad[rng.randrange(len(bad))] = rng.randrange(256)
            assert_covered(decode(bytes(bad)), len(bad))
        extended = decode(data + b"!!")
        if data[0] != 1:  # registers go on to the end
            assert extended.children[-1].name == "trailing"
            assert extended.children[-1].severity == "warning"


@generate(st.binary(max_size=400), st.booleans())
def test_any_bytes(data: bytes, reveal: bool) -> None:
    assert_covered(decode_ide_km(data, reveal=reveal), len(data))
    assert_covered(decode_cxl_ide_km(data, reveal=reveal), len(data))


def test_nothing() -> None:
    assert isinstance(decode_ide_km(b""), Node)
