"""CXL TSP: real messages against what spdm_dump says of them, and bytes written by hand."""

from __future__ import annotations

import gzip
import re

import pytest

from decoders.secured import inner
from decoders.spdm.tsp import OPCODES, decode_tsp
from decoders.tree import Node
from tests.decoders.spdm.corpus import DATA, assert_covered
from tests.decoders.spdm.hand import get, notes, value
from tests.decoders.spdm_runs import decoded

RUN = "doe_v12_measall"
FIELDS = {
    "mem_enc_feat": ("MemoryEncryptionFeaturesSupported", "MemoryEncryptionFeatures"),
    "mem_enc_algo": ("MemoryEncryptionAlgorithmsSupported", "MemoryEncryptionAlgorithm"),
    "mem_enc_num_rang": ("MemoryEncryptionNumberOfRangeBasedKeys",),
    "te_cntl_feat": ("TEStateChangeAndAccessControlFeaturesSupported", "TEStateChangeAndAccessControlFeatures"),
    "oob_te_gran": ("SupportedExplicitOOBTEStateGranularity", "ExplicitOOBTEStateGranularity"),
    "ib_te_gran": ("SupportedExplicitIBTEStateGranularity",),
    "cfg_feat": ("ConfigurationFeaturesSupported", "ConfigurationFeatures"),
    "num_ckid": ("NumberOfCKIDs",),
    "ckid_base": ("CKIDBase",),
    "num_2nd_sess": ("NumberOfSecondarySessions",),
    "current_tsp_state": ("CurrentTSPState",),
    "te_state": ("TEState",),
    "num_mem_range": ("NumberOfMemoryRanges",),
    "offset": ("Offset",),
    "length": ("Length",),
    "port_len": ("PortionLength",),
    "rem_len": ("RemainderLength",),
    "cfg_valid": ("ConfigurationValidityFlags",),
}


def tsp_of(record: Node) -> Node | None:
    message = inner(record)
    payload = next((c for c in message.children if c.name.startswith("VendorDefined")), None) if message else None
    if message is None or payload is None or payload.find("ProtocolID") is None or value(message, "VendorID") != b"\x98\x1e":
        return None
    return payload.children[1] if value(payload, "ProtocolID") == 1 else None


def test_against_spdm_dump() -> None:
    said = {}
    with gzip.open(DATA / f"{RUN}.spdm_dump.a.txt.gz", "rt") as lines:
        for line in lines:
            found = re.match(r"^(\d+) .*CXL_TSP\(0x([0-9a-f]{2})\) \w+ (.*)", line)
            if found:
                said[int(found[1])] = int(found[2], 16), re.findall(r"(\w+)=(0x[0-9a-f]+)", found[3])
    seen = 0
    for record in decoded(RUN):
        tree = tsp_of(record.tree) if record.secured else None
        if tree is None:
            continue
        code, pairs = said.pop(record.number)
        assert tree.name == OPCODES[code]
        assert notes(tree) == []
        for key, number in pairs:
            paths = FIELDS.get(key)
            if paths is not None:
                found_node = next(n for p in paths if (n := tree.child(p)) is not None)
                assert found_node.value == int(number, 16), (tree.name, key)
                seen += 1
    assert said == {}
    assert seen > 80


def test_keys_are_not_shown() -> None:
    key = bytes(range(1, 33))
    data = bytes.fromhex("10 87 0000 05000000 01 000000000000 03") + key + key
    tree = decode_tsp(data)
    assert_covered(tree, len(data))
    assert tree.text == "CKID 0x5"
    assert [n.value for n in tree.children if n.name.endswith("Key")] == ["<256-bit key, redacted>"] * 2
    cut = decode_tsp(data[:-40])  # 24 bytes of the first key are left
    assert_covered(cut, len(data) - 40)
    assert get(cut, "DataEncryptionKey").text == "<192-bit key, redacted>"
    assert key[:24].hex() not in str(cut.to_json())
    assert key.hex() not in str(tree.to_json())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("10 7f 0000 0d000000 00000000", "ALREADY_LOCKED"),
        ("10 7e 0000 10000000", "delay 16"),
        ("10 89 0000 07000000", "CKID 0x7"),
        ("10 01 0000 02 10 11", "1.0, 1.1"),
        ("10 86 0000", ""),
    ],
)
def test_messages_by_hand(data: str, text: str) -> None:
    tree = decode_tsp(bytes.fromhex(data))
    assert tree.text == text
    assert notes(tree) == []


def test_bad_bytes() -> None:
    for code in range(256):
        for size in (0, 1, 2, 3, 9, 40, 120, 400):
            data = (bytes((0x10, code)) + bytes(size))[:size]
            assert_covered(decode_tsp(data), len(data))
    assert decode_tsp(b"\x10\x99\0\0").name == "UNKNOWN_0x99"
    assert get(decode_tsp(b"\x10\x99\0\0"), "Opcode").severity == "warning"
