"""Conditions over messages of a recorded connect whose exchanges and plain texts were written down by the requester itself."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from rmitrace import query, query_messages
from rmitrace.__main__ import main
from rmitrace.capture import Capture, OpenOptions, open_capture

ROOT = Path(__file__).parent.parent.parent
CAPTURE = ROOT / "captures/rmm/tf-rmm-head-nominal.calls.jsonl.xz"
SECURED = ROOT / "tests/data/secured/tf-rmm-head-nominal.secured.jsonl"
EXCHANGES = [json.loads(x) for x in (ROOT / "tests/data/secured/tf-rmm-head-nominal.doe.jsonl").read_text().splitlines()]
ERRORS = ROOT / "captures/spdm/err_v12_busy_measurements.pcap"


@cache
def run() -> Capture:
    return open_capture([str(CAPTURE)], OpenOptions(keys=SECURED.read_text()))


def found(where: str) -> list[str]:
    capture = run()
    return [m.vendor or m.name for m in query_messages.select(capture, where, capture.conversations.decode())]


def test_numbers_and_texts() -> None:
    clear = [e for e in EXCHANGES if e["doe_type"] == 1]
    assert len(found("NOT secured")) == 2 * len(clear)
    assert len(found("secured AND session = 0xffffffff")) == 2 * (len(EXCHANGES) - len(clear))
    certificates = [e for e in clear if e["req"][2:4] == "82"]
    assert found("name = 'GET_CERTIFICATE'") == ["GET_CERTIFICATE"] * len(certificates)
    assert found("code = 0x82 AND direction = 'request'") == ["GET_CERTIFICATE"] * len(certificates)
    second = bytes.fromhex(certificates[1]["req"])
    assert found(f"facts LIKE '% from {int.from_bytes(second[4:6], 'little')}'") == ["GET_CERTIFICATE"]
    sizes = [len(e[k]) // 2 for e in clear for k in ("req", "rsp")]
    assert len(found("NOT secured AND size > 1000")) == sum(s > 1000 for s in sizes)
    assert found("device LIKE 'vdev:%'") == []


def test_what_was_decrypted() -> None:
    plain = [bytes.fromhex(r["plain"]) for r in map(json.loads, SECURED.read_text().splitlines()) if r["op"] == "encode"]
    key_prog = sum(p[1] == 0xFE and p[11:13] == b"\0\2" for p in plain)  # PCI-SIG protocol 0 (IDE_KM), object 2
    assert key_prog > 0
    assert found("vendor = 'IDE_KM KEY_PROG' AND decrypted") == ["IDE_KM KEY_PROG"] * key_prog


def test_calls_and_times() -> None:
    (version,) = [e for e in EXCHANGES if e["req"][2:4] == "84"][:1]
    assert found(f"call = {version['after_seq']}") == ["GET_VERSION", "VERSION"]
    assert found("rtt_us > 1e9") == []
    assert set(found("rtt_ns >= 0")) == set(found("answered"))
    assert found("call IS NULL") == []
    at = version["t"]
    assert found(f"ts BETWEEN {at - 0.001} AND {at + 0.001}")[:2] == ["GET_VERSION", "VERSION"]


def test_refusals() -> None:
    capture = open_capture([str(ERRORS)], OpenOptions())
    everything = capture.conversations.decode()
    busy = query_messages.select(capture, "error = 'Busy'", everything)
    assert busy
    assert all(m.payload[1:3] == b"\x7f\x03" for m in busy)  # ERROR, code 3
    assert len(query_messages.select(capture, "refused", everything)) == 2 * len(busy)
    assert query_messages.select(capture, "TRUE", everything) == everything
    assert query_messages.select(capture, "format = 'pcap' AND layers = 'DOE SPDM' AND error IS NOT NULL", everything) == busy


def test_calls_by_their_messages() -> None:
    capture = run()
    seqs = query.select(capture, "messages LIKE '%CHALLENGE%'")
    assert seqs.tolist() == [e["after_seq"] for e in EXCHANGES if e["req"][2:4] == "83"]
    assert len(query.select(capture, "messages IS NOT NULL")) == len({e["after_seq"] for e in EXCHANGES})


@pytest.mark.parametrize("where", ["", "vendr = 'x'", "name", "x1 = 4"])
def test_mistakes_are_one_line(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["messages", "--where", where, str(ERRORS)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("rmitrace: --where: ")
    assert said.err.count("\n") == 1


def test_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["messages", "--where", "name = 'ERROR' AND error = 'Busy'", "--format", "json", str(ERRORS)]) == 0
    assert {json.loads(line)["name"] for line in capsys.readouterr().out.splitlines() if '"message"' in line} == {"ERROR"}
