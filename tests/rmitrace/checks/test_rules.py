"""Every rule: a run that fires it, and one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace import checks
from rmitrace.capture import open_capture
from tests.rmitrace.capture.messages.runs import CAPTURES
from tests.rmitrace.checks.cases import communicate, course, devices, memory, recorded, streams, vdevs
from tests.rmitrace.checks.cases.run import Case

FAMILIES = (communicate, memory, devices, vdevs, streams, course, recorded)
CASES: dict[str, Case] = {rule: case for family in FAMILIES for rule, case in family.CASES.items()}


@pytest.mark.parametrize("rule", CASES)
def test_fires(rule: str, tmp_path) -> None:
    assert rule in CASES[rule].fires().rules(tmp_path)


@pytest.mark.parametrize("rule", CASES)
def test_is_silent(rule: str, tmp_path) -> None:
    assert rule not in CASES[rule].silent().rules(tmp_path)


ELSEWHERE = {
    "capture/test_opening.py": ("INTERRUPTED",),
    "capture/follow/test_live.py": ("SOURCE-CUT",),
    "capture/follow/test_tail.py": ("SOURCE-REPLACED",),
    "formats/test_rmm_console.py": ("LINE-TOO-LONG", "STATUS-UNKNOWN"),
    "formats/test_calls_jsonl.py": ("BUFFER-UNREADABLE",),
    "formats/test_mctp_bindings.py": ("MCTP-BINDING",),
    "capture/messages/test_join.py": ("MESSAGES-NOT-JOINED",),
    "capture/messages/test_conversations.py": ("MESSAGES-LEFT-OUT",),
    "capture/messages/test_logs.py": ("DUMPS-LEFT-OUT", "DUMP-CUT"),
    "capture/messages/test_packets.py": ("PACKET-UNKNOWN", "MCTP-FRAGMENT", "TSHARK"),
    "capture/messages/test_decoding.py": ("KEY-LOG", "SPDM-NOT-DECRYPTED"),
    "capture/messages/test_certificates.py": ("PUBKEY-MISMATCH",),
    "checks/test_sides.py": ("SIDES-DIFFER", "SIDE-MISSING", "SOURCES-APART", "KERNEL-LINE"),
    "checks/test_firmware.py": ("RMM-CRASH", "RMM-ASSERTION"),
    "checks/test_certificates.py": ("CERT-CHAIN", "SPDM-DIGEST"),
    "checks/test_ide.py": ("IDE-ACK", "IDE-KEY-REFUSED", "IDE-KEY-MISMATCH", "IDE-ORDER"),
    "checks/test_tdisp.py": ("TDISP-ERROR", "TDISP-ANSWER", "TDISP-ORDER", "TDISP-NONCE", "TDISP-STATE"),
    "checks/test_proofs.py": ("MESSAGE-CHANGED", "SPDM-SIGNATURE", "SPDM-VERIFY-DATA", "SPDM-SUMMARY-HASH"),
    "checks/test_spdm.py": ("SPDM-ANSWER", "SPDM-UNANSWERED", "SPDM-NO-REQUEST", "SPDM-STOPPED", "SPDM-DOWNGRADE", "SPDM-VERSION",
                            "SPDM-ALGORITHM", "SPDM-DAMAGED"),
}  # fmt: skip
"""Rules whose both sides are with the tests of what they are about."""


def test_every_rule_is_fired_and_silenced() -> None:
    tested = [rule for rules in ELSEWHERE.values() for rule in rules]
    assert sorted([*CASES, *tested]) == sorted(checks.RULES), "a rule needs a run that fires it and one that does not"
    for path, rules in ELSEWHERE.items():
        text = (Path(__file__).parents[1] / path).read_text()
        assert [r for r in rules if f'"{r}"' not in text] == [], path


GOOD = (
    *(f"rmm/tf-rmm-{run}-nominal.calls.jsonl.xz" for run in ("head", "mid", "alp16", "rel0", "eac5")),
    *(f"rmm/tf-rmm-{run}.xz" for run in ("eac5-nominal.log", "mid-nominal.log", "rel0-nominal.log", "pre1.log",
                                          "alp16-blockbuffered.log")),
    "rmm/tf-rmm-head-loglevel40.log", "spdm/tf-rmm-head-nominal.pcap", "spdm/doe_v10_measall.pcap", "spdm/doe_v12_measall.pcap",
    "spdm/doe_v12_handshake_enc.pcap", "spdm/doe_v12_keyupd_all.pcap", "spdm/doe_v12_maconly.pcap", "spdm/doe_v12_psk_only.pcap",
    "spdm/doe_v14_chunk512.pcap", "spdm/mctp_v12_measall.pcap",
)  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_run_gives_no_error_and_no_warning(name: str) -> None:
    found = open_capture([str(CAPTURES / name)]).findings
    assert [(f.rule, f.message) for f in found if f.severity != "note"] == []


def test_no_rule_has_two_cases() -> None:
    assert len(CASES) == sum(len(family.CASES) for family in FAMILIES)
    assert set(CASES) <= checks.RULES.keys()
