"""What came of signatures and verify data, with the messages of a capture."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import Capture
from rmitrace.capture.messages import Message
from rmitrace.capture.messages.proving import verified_text
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, opened, packets, write


def capture(run: str, keys: bool = True) -> Capture:
    text = (DATA / "spdm" / f"{run}.json").read_text() if keys else None
    made = opened(DATA / "spdm" / f"{run}.pcap", keys=text)
    made.conversations.decode()
    return made


def named(found: Capture, name: str) -> list[Message]:
    return [m for m in found.conversations.all if m.name == name]


def test_verdicts_are_kept_and_told() -> None:
    found = capture("doe_v12_keyupd_all")
    (auth, *_), finish = named(found, "CHALLENGE_AUTH"), named(found, "FINISH")[0]
    assert {name: v.outcome for name, v in auth.proven} == {"MeasurementSummaryHash": "verified", "Signature": "verified"}
    assert [name for name, _ in finish.proven] == ["Signature", "RequesterVerifyData"]
    assert finish.tree is not None
    said = [n.note for n in finish.tree.walk() if n.name == "RequesterVerifyData"]
    assert said == ["verified over TH with the secret of session 0xffffffff"]


def test_messages_of_a_session() -> None:
    """The tree around the secured message and that of the message inside say the same."""
    found = capture("doe_v12_keyupd_all")
    m = next(m for m in named(found, "MEASUREMENTS") if m.secured)
    assert m.tree is not None
    assert m.inside is not None
    texts = [n.note or "" for tree in (m.tree, m.inside) for n in tree.walk() if n.name == "Signature"]
    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert "verified over L1/L2" in texts[0]


def test_the_words_of_it() -> None:
    """CHALLENGE_AUTH of both sides, four MEASUREMENTS, two KEY_EXCHANGE_RSP and FINISH, and three CSRs; FINISH and
    FINISH_RSP of two sessions, PSK_EXCHANGE_RSP and PSK_FINISH of one."""
    found = capture("doe_v12_keyupd_all")
    text = verified_text(found.conversations.all, True)
    assert text == "13 of 13 signatures, 6 of 6 verify data, 4 of 4 measurement summary hashes verified"
    assert "verify data" not in verified_text(capture("doe_v12_keyupd_all", keys=False).conversations.all, False)
    assert verified_text([], True) == ""


def test_a_wrong_secret_says_so(tmp_path: Path) -> None:
    found = opened(DATA / "spdm" / "doe_v12_keyupd_all.pcap", keys="DHE * " + "ab" * 48)
    found.conversations.decode()
    outcomes = {v.outcome for m in named(found, "FINISH") for name, v in m.proven if name == "RequesterVerifyData"}
    assert outcomes == {"unproven"}


@pytest.mark.parametrize("missing", [13, 14, 18, 19])
def test_records_that_are_missing(tmp_path: Path, missing: int) -> None:
    """Without the request of DIGESTS, DIGESTS, CERTIFICATE or CHALLENGE, its M1/M2 is not known: not verified, and not said
    to be wrong."""
    data = (CAPTURES / "spdm" / "doe_v12_measall.pcap").read_bytes()
    kept = [p for i, p in enumerate(packets(data), 1) if i != missing]
    found = opened(write(tmp_path, "cut.pcap", data[:24] + b"".join(kept)))
    found.conversations.decode()
    auth = named(found, "CHALLENGE_AUTH")[0]
    outcome = dict(auth.proven)["Signature"]
    assert outcome.outcome == "unchecked"
    assert "is not in this capture" in outcome.text


def test_records_that_were_cut(tmp_path: Path) -> None:
    """A recorder that keeps 100 bytes of a packet: the chain is not there, nor the signatures."""
    data = (CAPTURES / "spdm" / "doe_v12_measall.pcap").read_bytes()
    short = b"".join(p[:8] + min(len(p) - 16, 100).to_bytes(4, "little") + p[12:116] for p in packets(data))
    found = opened(write(tmp_path, "short.pcap", data[:24] + short))
    found.conversations.decode()
    assert {v.outcome for m in found.conversations.all for _, v in m.proven} <= {"unchecked"}
    assert not [f for f in found.findings if f.rule == "SPDM-SIGNATURE" and f.severity == "error"]


def test_a_log_that_only_names_messages() -> None:
    """The RMM's console names them without their bytes: nothing to verify, and nothing wrong."""
    found = opened(CAPTURES / "rmm" / "tf-rmm-head-errors.log.xz")
    found.conversations.decode()
    assert all(v.outcome == "unchecked" for m in found.conversations.all for _, v in m.proven)
    assert not [f for f in found.findings if f.rule.startswith(("SPDM-SIG", "SPDM-VER"))]
