"""What failed is a finding: sequences as errors, statuses as notes with their counts."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from pathlib import Path

from rmitrace.capture import open_capture

ROOT = Path(__file__).parents[3]
RMM = ROOT / "captures" / "rmm"


def findings(path: Path, rule: str):
    return [f for f in open_capture([str(path)]).findings if f.rule == rule]


def test_a_failed_connect_and_what_follows_are_errors_in_order():
    found = findings(ROOT / "captures/ftrace/pdev-connect.trace.txt", "SEQUENCE-FAILED")
    assert [(f.severity, f.object, f.message.split(":")[0], f.message.split(" at ")[1].split(":")[0]) for f in found] == [
        ("error", "pdev:0x49500000", "connect of pdev", "session"),
        ("error", "pdev:0x49500000", "disconnect of pdev", "stop"),
    ]


def test_good_runs_have_no_error_and_no_warning():
    for run in ("head-nominal", "alp16-nominal", "mid-nominal", "rel0-nominal"):
        capture = open_capture([str(RMM / f"tf-rmm-{run}.calls.jsonl.xz")])
        assert [f for f in capture.findings if f.severity in ("error", "warning")] == [], run


def test_findings_are_the_same_however_many_calls_are_looked_at_together(monkeypatch):
    paths = [
        ROOT / "captures/ftrace/pdev-connect.trace.txt",
        *(RMM / f"tf-rmm-head-{run}.calls.jsonl.xz" for run in ("errors", "doefail6")),
    ]
    whole = [open_capture([str(p)]).findings for p in paths]
    monkeypatch.setattr("rmitrace.checks.finding._AT_ONCE", 5)
    monkeypatch.setattr("rmitrace.checks.storms.SEQUENCES_AT_ONCE", 1)
    assert [open_capture([str(p)]).findings for p in paths] == whole


def test_statuses_are_counted_as_recorded():
    """Counted in the recording by the low byte of x0; -1 is another status."""
    path = RMM / "tf-rmm-head-errors.calls.jsonl.xz"
    want: Counter[int] = Counter()
    with lzma.open(path, "rt") as lines:
        for line in lines:
            call = json.loads(line)
            x0 = int(call["out"][0], 16)
            if x0 == (1 << 64) - 1:
                want[-1] += 1
            elif x0 & 0xFF not in (0, 13):
                want[x0 & 0xFF] += 1
    numbers = {"RMI_ERROR_INPUT": 1, "RMI_ERROR_REALM": 2, "RMI_ERROR_REC": 3, "RMI_ERROR_RTT": 4, "RMI_ERROR_NOT_SUPPORTED": 5,
               "RMI_ERROR_DEVICE": 6, "RMI_BUSY": 10, "RMI_ERROR_GLOBAL": 11, "RMI_BLOCKED": 14, "RMI_ERROR_GPT": 15,
               "RMI_ERROR_GRANULE": 16, "SMC_NOT_SUPPORTED": -1, "PSCI_NOT_SUPPORTED": -1}  # fmt: skip
    got: Counter[int] = Counter()
    for f in findings(path, "ERROR-STATUS"):
        status = f.message.split(" returned ")[1].split()[0]
        got[numbers.get(status, -1)] += len(f.calls)
        assert status in numbers or status.endswith("_NOT_SUPPORTED")
    assert got == want


def test_many_failed_sequences_are_counted(monkeypatch):
    """Each is told up to a bound, the rest are one finding: none is lost, and a capture of millions is bounded."""
    path = ROOT / "captures/ftrace/pdev-connect.trace.txt"
    every = [f for f in open_capture([str(path)]).findings if f.rule == "SEQUENCE-FAILED"]
    assert len(every) == 2  # connect and disconnect
    monkeypatch.setattr("rmitrace.checks.outcomes.MOST", 1)
    some = [f for f in open_capture([str(path)]).findings if f.rule == "SEQUENCE-FAILED"]
    assert some[0] == every[0]
    assert some[1].message == "1 more of these"
    assert some[1].calls == every[1].calls[:1]
