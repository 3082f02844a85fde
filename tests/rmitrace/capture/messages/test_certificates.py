"""Certificate chains of a capture, and the key that the host gave to the RMM beside the last certificate's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from rmitrace.capture import Capture
from rmitrace.capture.messages.certificates import chain_tree, given_keys, latest
from rmitrace.capture.records import Finding
from tests.rmitrace.capture.messages.runs import CAPTURES, RUN, opened, recording, write
from tests.rmitrace.capture.messages.test_cached import chain


def pubkey(capture: Capture) -> list[Finding]:
    return [f for f in capture.findings if f.rule == "PUBKEY-MISMATCH"]


def with_key(folder: Path, at: int, without_messages: bool = False) -> Path:
    """The recording with one bit of the structure of RMI_PDEV_SET_PUBKEY (0xc400017b) changed."""
    lines = []
    for line in recording():
        row = json.loads(line)
        if row["fid"] == "0xc400017b":
            for part in ("mem_in", "mem"):
                for address, text in row[part].items():
                    data = bytearray.fromhex(text)
                    data[at] ^= 1
                    row[part][address] = data.hex()
        if not without_messages or int(row["fid"], 16) & 0xFFFF != 0x175:
            lines.append(json.dumps(row) + "\n")
    return write(folder, f"{at}.calls.jsonl", "".join(lines))


def test_the_chain_of_a_capture() -> None:
    capture = opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz")
    capture.conversations.decode()
    (found,) = latest(capture.conversations.chains)
    assert found.data == chain(RUN)
    assert found.hash_name == "sha384"
    tree = chain_tree(found)
    assert tree.child("RootHash") is not None
    assert sum(n.name.startswith("Certificate[") for n in tree.children) == 3
    assert not any(n.severity in ("error", "warning") for n in tree.walk())
    length = int.from_bytes(found.data[54:56], "big") + 4  # DER: 30 82 LENGTH
    assert found.data[4:52] == hashlib.sha384(found.data[52 : 52 + length]).digest()


def test_the_same_chain_twice_is_shown_once() -> None:
    capture = opened(CAPTURES / "spdm" / "doe_v12_measall.pcap")
    capture.conversations.decode()
    everything = capture.conversations.chains
    assert len({(c.side, c.slot, c.data) for c in everything}) == len(latest(everything))


def test_the_key_that_was_given_is_the_chains() -> None:
    capture = opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz")
    (given,) = given_keys(capture)
    assert given.call == 86
    assert given.result.severity is None
    assert pubkey(capture) == []


def test_another_key_is_a_finding(tmp_path: Path) -> None:
    """RmiPublicKeyParams begins with the key; here the first byte of an uncompressed point and one of X are changed."""
    (finding,) = pubkey(opened(with_key(tmp_path, 8)))
    assert finding.severity == "error"
    assert finding.calls == (86,)
    assert finding.object == "pdev:0x7fc5fc75e000"
    assert pubkey(opened(with_key(tmp_path, 0)))


def test_without_certificates_nothing_is_said(tmp_path: Path) -> None:
    capture = opened(with_key(tmp_path, 8, without_messages=True))
    assert given_keys(capture) == []
    assert pubkey(capture) == []


def test_a_chain_that_comes_later_is_not_compared(tmp_path: Path) -> None:
    """The key was given before: that is for the certificates of another connection."""
    rows = [json.loads(line) for line in recording()]
    key = [r for r in rows if r["fid"] == "0xc400017b"]
    first = next(i for i, r in enumerate(rows) if int(r["fid"], 16) & 0xFFFF == 0x175)
    rest = [r for r in rows if r["fid"] != "0xc400017b"]
    key[0]["t"] = rest[first]["t"] - 0.0001
    rows = rest[:first] + key + rest[first:]
    for i, r in enumerate(rows):
        r["seq"] = i
    path = write(tmp_path, "a.calls.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    assert given_keys(opened(path)) == []
