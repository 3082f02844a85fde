"""Certificate chains that do not hold, and ones that are not what was announced."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from rmitrace.capture.records import Finding
from tests.rmitrace.capture.messages.runs import CAPTURES, clear, exchanges, opened

SHA384 = 2


def conversation(chain: bytes, announced: bytes) -> list[str]:
    """Version to algorithms as the device of a run had them, then DIGESTS of slot 0 and the chain in portions of 512."""
    said = [x.hex() for e in exchanges()[:3] for x in (e.request, e.response)]
    said += ["12810000", "12010001" + announced.hex()]
    for at in range(0, len(chain), 512):
        part = chain[at : at + 512]
        said.append("12820000" + struct.pack("<HH", at, 512).hex())
        said.append("12020000" + struct.pack("<HH", len(part), len(chain) - at - len(part)).hex() + part.hex())
    return said


def the_chain() -> bytes:
    parts = [e.response for e in exchanges() if e.response[1] == 2]
    return b"".join(r[8 : 8 + int.from_bytes(r[4:6], "little")] for r in parts)


def found(folder: Path, chain: bytes, announced: bytes | None = None) -> list[Finding]:
    digest = hashlib.sha384(chain).digest() if announced is None else announced
    path = clear(folder, *[(i + 1, m) for i, m in enumerate(conversation(chain, digest))])
    return [f for f in opened(path).findings if f.rule in ("CERT-CHAIN", "SPDM-DIGEST")]


def test_a_good_chain(tmp_path: Path) -> None:
    assert found(tmp_path, the_chain()) == []


def test_another_digest_than_announced(tmp_path: Path) -> None:
    (one,) = found(tmp_path, the_chain(), bytes(48))
    assert (one.rule, one.severity) == ("SPDM-DIGEST", "error")
    assert "slot 0" in one.message


@pytest.mark.parametrize("at", [-1, -40])
def test_a_signature_that_does_not_hold(tmp_path: Path, at: int) -> None:
    """The end of a chain is the signature of its last certificate."""
    chain = bytearray(the_chain())
    chain[at] ^= 1
    said = found(tmp_path, bytes(chain))
    assert {f.rule for f in said} == {"CERT-CHAIN"}
    assert any("signature" in f.message and f.severity == "error" for f in said)


def test_another_root_than_its_hash(tmp_path: Path) -> None:
    chain = bytearray(the_chain())
    chain[4] ^= 0x80
    said = found(tmp_path, bytes(chain))
    assert [f.rule for f in said] == ["CERT-CHAIN"]
    assert "RootHash" in said[0].message


@pytest.mark.parametrize("name", ["doe_v10_measall.pcap", "doe_v12_measall.pcap", "tf-rmm-head-nominal.pcap"])
def test_good_captures(name: str) -> None:
    capture = opened(CAPTURES / "spdm" / name)
    assert capture.conversations.decode()
    assert capture.conversations.chains
    assert [f for f in capture.findings if f.rule in ("CERT-CHAIN", "SPDM-DIGEST")] == []
