"""Secured messages opened with the secrets of their session, and keys that are hidden unless they are asked for.

The plain text is what the RMM itself gave to and got from its AEAD in the same run.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from decoders.tree import Node
from rmitrace.capture import Capture
from rmitrace.capture.messages.decoding import redacted
from rmitrace.display import safe
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, RUN, opened

PCAP = CAPTURES / "spdm" / f"{RUN}.pcap"
KEY = slice(19, 51)
"""Of KEY_PROG: 11 bytes of VENDOR_DEFINED, protocol id, 7 bytes of IDE_KM header, the key, 8 bytes of IV."""


def log(run: str = RUN) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "secured" / f"{run}.secured.jsonl").read_text().splitlines()]


def secret(run: str = RUN) -> str:
    return f"DHE * {log(run)[0]['dhe_secret']}"


def plain(run: str = RUN) -> dict[bytes, bytes]:
    """Secured message as on the wire, without padding -> plain text."""
    rows = [r for r in log(run) if r["op"] in ("encode", "decode") and r["rc"] == 0]
    return {wire(bytes.fromhex(r["secured"])): bytes.fromhex(r["plain"]) for r in rows}


def wire(secured: bytes) -> bytes:
    """Session id, length, and as many bytes (DSP0277)."""
    return secured[: 6 + int.from_bytes(secured[4:6], "little")]


def rules(capture: Capture) -> set[str]:
    return {f.rule for f in capture.findings}


def values(tree: Node) -> list[object]:
    return [n.value for n in tree.walk()]


@pytest.mark.parametrize("run", [RUN, "tf-rmm-alp16-nominal"])
def test_the_right_secret_opens_all(run: str) -> None:
    source = PCAP if run == RUN else CAPTURES / "rmm" / f"{run}.calls.jsonl.xz"
    capture = opened(source, keys=secret(run))
    truth = plain(run)
    found = [m for m in capture.conversations.decode() if m.secured]
    known = 0
    for m in found:
        assert m.inside is not None, m.seq
        said = truth.get(wire(m.payload))
        if said is not None:
            known += 1
            assert m.code == said[1]
            code = {"request": 0x80, "response": 0}[m.direction]
            assert said[1] & 0x80 == code
    assert known == len(truth) >= 60
    assert "SPDM-NOT-DECRYPTED" not in rules(capture)


def test_the_wrong_secret_is_said_to_be_wrong() -> None:
    capture = opened(PCAP, keys="DHE * " + "00" * 48)
    assert all(m.inside is None for m in capture.conversations.decode() if m.secured)
    (finding,) = [f for f in capture.findings if f.rule == "SPDM-NOT-DECRYPTED"]
    assert finding.severity == "error"
    assert "0xffffffff" in finding.message
    assert "wrong secret" in finding.message


def test_no_secret_is_no_fault() -> None:
    capture = opened(PCAP)
    found = capture.conversations.decode()
    assert sum(m.secured for m in found) == len(plain()) == 64
    assert {m.name for m in found if m.secured} == {"SECURED"}
    assert "SPDM-NOT-DECRYPTED" not in rules(capture)


def test_lines_of_a_key_log_that_are_none_are_said() -> None:
    capture = opened(PCAP, keys=secret() + "\nDHE * zz\n")
    capture.conversations.decode()
    problems = [f for f in capture.conversations.problems if f.rule == "KEY-LOG"]
    assert len(problems) == 1
    assert "2" in problems[0].message


@pytest.mark.parametrize("reveal", [False, True])
def test_keys_are_hidden_unless_asked_for(reveal: bool) -> None:
    """In trees, in the bytes that are shown, and in what the tree says as text."""
    truth = plain()
    capture = opened(PCAP, keys=secret(), reveal=reveal)
    programmed = [m for m in capture.conversations.decode() if m.vendor == "IDE_KM KEY_PROG"]
    assert len(programmed) == sum(t[11:13] == b"\0\2" for t in truth.values() if t[1] == 0xFE) == 12
    for m in programmed:
        key = truth[wire(m.payload)][KEY]
        assert m.tree is not None
        assert (key in values(m.tree)) is reveal
        texts = "".join(safe(n.text) for n in m.tree.walk())
        assert (key.hex() in texts) is reveal
        inside = m.inside
        assert inside is not None
        assert (key in values(inside)) is reveal


def test_keys_in_the_clear_are_blanked_in_the_bytes() -> None:
    """A log of plain text has them as bytes; what is shown has zeros in their place, and nothing else is changed."""
    found = opened(CAPTURES / "spdm" / "tee-io-validator.log").conversations.decode()
    programmed = [m for m in found if m.vendor == "IDE_KM KEY_PROG"]
    assert len(programmed) == 6
    for m in programmed:
        data = redacted(m)
        assert data[KEY] == bytes(32)
        assert any(m.covered[KEY])
        assert data[:19] == m.covered[:19]
        assert len(data) == len(m.covered)
    others = [m for m in found if m.vendor != "IDE_KM KEY_PROG"]
    assert all(redacted(m) == m.covered for m in others)


def test_a_secret_of_psk() -> None:
    text = (DATA / "spdm" / "doe_v12_psk_only.json").read_text()
    capture = opened(DATA / "spdm" / "doe_v12_psk_only.pcap", keys="".join(f"PSK * {p}\n" for p in json.loads(text)["psk"]))
    found = [m for m in capture.conversations.decode() if m.secured]
    assert found
    assert all(m.inside is not None for m in found)


def test_the_file_of_an_emulator_is_a_key_log() -> None:
    text = (DATA / "spdm" / "doe_v12_measall.json").read_text()
    found = [m for m in opened(DATA / "spdm" / "doe_v12_measall.pcap", keys=text).conversations.decode() if m.secured]
    assert found
    assert all(m.inside is not None for m in found)


def test_the_plain_text_of_another_source_stands_in_for_the_secret() -> None:
    """The console of the responder shows FINISH as the session has it, the probes only its cipher text."""
    trace = CAPTURES / "ftrace" / "pdev-connect.trace.txt"
    capture = opened(trace, CAPTURES / "spdm" / "pdev-connect.responder.log")
    closed = [m for m in opened(trace).conversations.decode() if m.secured]
    assert [m.name for m in closed] == ["SECURED"] * 2
    secured = [m for m in capture.conversations.decode() if m.secured]
    assert [m.name for m in secured] == ["FINISH", "FINISH_RSP"]
    assert all(m.also for m in secured)
