"""SPDM as it was spoken: refusals, what was not answered, damage, and choices that are weaker than they had to be.

Messages are made by hand after DSP0274 1.2: version, code, Param1, Param2, then the fields.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture.records import Finding
from rmitrace.checks import spdm
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, clear, opened, packets, write

GET_VERSION, VERSION = "10840000", "10040000 00020011 0012"  # 1.1 and 1.2
GET_CAPABILITIES, CAPABILITIES = "e10000 00000000 c2020200 00120000 00120000", "610000 00000000 d2020200 00120000 00120000"
GET_DIGESTS, DIGESTS = "12810000", "12010000"
ALGORITHM_FIXED = "00000000 000000000000000000000000 0000 0000"


def negotiate(asym: int, hashes: int) -> str:
    """NEGOTIATE_ALGORITHMS without structures: 32 bytes, BaseAsymAlgo at 8, BaseHashAlgo at 12."""
    return "12e30000 2000 01 00" + asym.to_bytes(4, "little").hex() + hashes.to_bytes(4, "little").hex() + "00" * 16


def algorithms(asym: int, hashed: int) -> str:
    """ALGORITHMS without structures: 36 bytes, MeasurementHashAlgo at 8, BaseAsymSel at 12, BaseHashSel at 16."""
    return "12630000 2400 01 00 02000000" + asym.to_bytes(4, "little").hex() + hashed.to_bytes(4, "little").hex() + "00" * 16


def found(folder: Path, *messages: str) -> list[Finding]:
    capture = opened(clear(folder, *[(i + 1, m) for i, m in enumerate(messages)]))
    return [f for f in capture.findings if f.rule.startswith("SPDM")]


def rules(folder: Path, *messages: str) -> list[tuple[str, str]]:
    return [(f.rule, f.severity) for f in found(folder, *messages)]


def test_nothing_is_wrong_with_a_good_conversation(tmp_path: Path) -> None:
    said = [GET_VERSION, VERSION, "12" + GET_CAPABILITIES, "12" + CAPABILITIES, negotiate(0x90, 3), algorithms(0x80, 2)]
    assert rules(tmp_path, *said) == []


@pytest.mark.parametrize(
    "name", ["doe_v10_measall", "doe_v12_measall", "doe_v12_keyupd_all", "doe_v14_chunk512", "mctp_v12_measall"]
)
def test_good_captures_have_no_findings(name: str) -> None:
    assert opened(CAPTURES / "spdm" / f"{name}.pcap").findings == []


def test_a_request_that_was_not_answered(tmp_path: Path) -> None:
    assert rules(tmp_path, GET_DIGESTS, GET_DIGESTS, DIGESTS) == [("SPDM-UNANSWERED", "warning")]
    (last,) = found(tmp_path, GET_DIGESTS, DIGESTS, GET_DIGESTS)
    assert (last.rule, last.severity) == ("SPDM-UNANSWERED", "note")
    assert last.message == "GET_DIGESTS was not answered before the end of the capture"
    assert last.offset == 24 + 2 * (16 + 12)  # the third packet: its header, then DOE header and 4 bytes


def test_an_odd_response_that_nothing_follows(tmp_path: Path) -> None:
    start = [GET_VERSION, VERSION, "12" + GET_CAPABILITIES]
    # without CHUNK_CAP (bit 17) the two sizes at the end are the same; here 0x1200 and 0x2800
    other = "12" + CAPABILITIES.replace("d2020200 00120000 00120000", "d2020000 00120000 00280000")
    (stopped,) = found(tmp_path, *start, other)
    assert (stopped.rule, stopped.severity) == ("SPDM-STOPPED", "warning")
    assert stopped.message.startswith("nothing follows CAPABILITIES, in which is odd: CAPABILITIES: MaxSPDMmsgSize 10240 is not")
    assert stopped.offset == 24 + (16 + 12) + (16 + 20) + (16 + 28)  # VERSION is padded from 18 to 20 bytes
    assert rules(tmp_path, *start, other, negotiate(0x90, 3), algorithms(0x80, 2)) == []  # it went on
    assert rules(tmp_path, *start, "12" + CAPABILITIES) == []
    assert rules(tmp_path, *start, "12 7f 01 00") == [("SPDM-ERROR", "error")]


def test_a_response_without_a_request(tmp_path: Path) -> None:
    assert rules(tmp_path, GET_DIGESTS, DIGESTS, DIGESTS) == [("SPDM-NO-REQUEST", "warning")]


def test_one_side_only(tmp_path: Path) -> None:
    assert rules(tmp_path, GET_DIGESTS, GET_DIGESTS) == [("SPDM-UNANSWERED", "note")]
    (one,) = found(tmp_path, DIGESTS, DIGESTS)
    assert "no requests" in one.message


def test_a_response_to_another_request(tmp_path: Path) -> None:
    (one,) = found(tmp_path, GET_DIGESTS, "12020000 0000 0000", GET_DIGESTS, DIGESTS)
    assert (one.rule, one.severity) == ("SPDM-ANSWER", "warning")
    assert one.message == "GET_DIGESTS was answered with CERTIFICATE"


@pytest.mark.parametrize(
    ("code", "name", "severity"),
    [
        (0x01, "InvalidRequest", "error"),
        (0x03, "Busy", "note"),
        (0x42, "ResponseNotReady", "note"),
        (0x05, "Unspecified", "error"),
    ],
)
def test_refusals_are_named(tmp_path: Path, code: int, name: str, severity: str) -> None:
    (one,) = found(tmp_path, GET_DIGESTS, f"127f{code:02x}00" + "00000000" * (code == 0x42))
    assert (one.rule, one.severity) == ("SPDM-ERROR", severity)
    assert one.message.startswith(f"GET_DIGESTS was answered with ERROR {name}")


def test_the_same_refusal_is_told_once(tmp_path: Path) -> None:
    (one,) = found(tmp_path, *[GET_DIGESTS, "127f0100"] * 4)
    assert one.message == "GET_DIGESTS was answered with ERROR InvalidRequest, and 3 more so"


def test_a_device_that_is_busy_once() -> None:
    (one,) = opened(CAPTURES / "spdm" / "err_v12_busy_measurements.pcap").findings
    assert (one.rule, one.severity) == ("SPDM-ERROR", "note")
    assert one.message.endswith("ERROR Busy")


def test_malformed_requests() -> None:
    """Made so by hand: GET_CAPABILITIES and CHALLENGE cut short, NEGOTIATE_ALGORITHMS with a wrong length, a code that is
    none; the device refuses them."""
    capture = opened(CAPTURES / "spdm" / "err_raw_v12_doe.pcap")
    damaged = [f.message.split(":")[0] for f in capture.findings if f.rule == "SPDM-DAMAGED"]
    assert damaged == ["GET_CAPABILITIES", "NEGOTIATE_ALGORITHMS", "CHALLENGE"]
    refused = [f.message for f in capture.findings if f.rule == "SPDM-ERROR"]
    assert any(m.startswith("UNKNOWN_0xc0 was answered with ERROR InvalidRequest") for m in refused)
    assert any(m.startswith("HEARTBEAT was answered with ERROR SessionRequired") for m in refused)


def test_a_mac_that_is_not_right(tmp_path: Path) -> None:
    """In a session without encryption the message is there to be read all the same. Record 47 is HEARTBEAT: 16 bytes of
    record, 8 of DOE, 6 of the secured message, 4 of its own, then the MAC."""
    data = bytearray((CAPTURES / "spdm" / "doe_v12_maconly.pcap").read_bytes())
    data[24 + sum(map(len, packets(data)[:46])) + 16 + 8 + 6 + 4] ^= 1
    keys = (DATA / "spdm" / "doe_v12_maconly.json").read_text()
    said = [f for f in opened(write(tmp_path, "mac.pcap", bytes(data)), keys=keys).findings if f.rule == "SPDM-NOT-DECRYPTED"]
    assert [f.severity for f in said] == ["error"]
    assert said[0].message.startswith("session 0xffffffff: not authenticated: ")


def test_a_lower_version_than_was_offered(tmp_path: Path) -> None:
    (one,) = found(
        tmp_path, GET_VERSION, VERSION, "11" + GET_CAPABILITIES[:-18], "11" + CAPABILITIES[:-18].replace("d20202", "d20200")
    )
    assert (one.rule, one.severity) == ("SPDM-DOWNGRADE", "note")
    assert one.message == "the device offers SPDM 1.2, the connection goes on with 1.1"


def test_a_lower_version_than_before(tmp_path: Path) -> None:
    first = [GET_VERSION, VERSION, "12" + GET_CAPABILITIES, "12" + CAPABILITIES]
    only_11 = "10040000 00010011"
    (one,) = found(
        tmp_path,
        *first,
        GET_VERSION,
        only_11,
        "11" + GET_CAPABILITIES[:-18],
        "11" + CAPABILITIES[:-18].replace("d20202", "d20200"),
    )
    assert (one.rule, one.severity, one.message) == (
        "SPDM-DOWNGRADE",
        "warning",
        "SPDM 1.1 after 1.2 with the same device",
    )


def test_nothing_after_version() -> None:
    (one,) = opened(CAPTURES / "spdm" / "err_version_mismatch.pcapng").findings
    assert (one.rule, one.severity) == ("SPDM-VERSION", "note")
    assert one.message.startswith("nothing follows VERSION (1.1)")


def test_versions_asked_for_behind_a_session_are_its_end() -> None:
    """TF-RMM's disconnect: END_SESSION, then GET_VERSION, which makes the device forget the connection."""
    capture = opened(CAPTURES / "trace-dat" / "ready.dat")
    assert capture.conversations.list[0].messages[-1].name == "VERSION"
    assert [f.rule for f in capture.findings] == ["SPDM-DOWNGRADE"]


@pytest.mark.parametrize(
    ("offered", "chosen", "severity", "words"),
    [
        ((0x90, 3), (0x80, 4), "error", "BaseHashSel: the device chose"),  # SHA-512 was not offered
        ((0x90, 3), (0x80, 3), "error", "BaseHashSel: the device chose more than one"),
        ((0x10, 3), (0x80, 2), "error", "BaseAsymSel: the device chose"),
        ((0x90, 3), (0x80, 0), "note", "BaseHashSel: nothing chosen of"),
    ],
)
def test_algorithms(tmp_path: Path, offered: tuple[int, int], chosen: tuple[int, int], severity: str, words: str) -> None:
    said = [GET_VERSION, VERSION, "12" + GET_CAPABILITIES, "12" + CAPABILITIES, negotiate(*offered), algorithms(*chosen)]
    (one,) = [f for f in found(tmp_path, *said) if f.rule == "SPDM-ALGORITHM"]
    assert one.severity == severity
    assert one.message.startswith(words)


def test_many_findings_of_a_rule_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spdm, "MOST", 3)
    said = found(tmp_path, *[GET_DIGESTS] * 10, DIGESTS)
    assert [f.rule for f in said] == ["SPDM-UNANSWERED"] * 4
    assert said[-1].message == "6 more of these"


@pytest.mark.parametrize("keys", [None, "json"])
def test_indexes_of_measurements_that_are_tried_are_no_error(keys) -> None:
    """libspdm's requester asks for each index from 1 on until it has as many as there are; the run was a good one."""
    path = DATA / "spdm" / "doe_v12_default.pcap"
    found = [f for f in opened(path, keys=keys and path.with_suffix(".json").read_text()).findings if f.rule == "SPDM-ERROR"]
    assert [f.severity for f in found] == ["note"]
