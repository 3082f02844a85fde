"""What is said of kernel and firmware of different revisions."""

from __future__ import annotations

import json
from pathlib import Path

from rmitrace.__main__ import main
from rmitrace.capture import open_capture
from rmitrace.checks.skew import spoken

ROOT = Path(__file__).parents[3]
OLD = str(ROOT / "captures" / "rmm" / "tf-rmm-alp16-nominal.calls.jsonl.xz")
NEW = str(ROOT / "captures" / "rmm" / "tf-rmm-head-errors.log.xz")


def test_a_skew_is_an_error_and_each_bite_a_warning():
    found = list(spoken(open_capture([OLD, NEW])))
    skews = [f for f in found if f.rule == "REVISION-SKEW"]
    assert [f.severity for f in skews] == ["error", "error"]
    assert skews[1].message.startswith(
        "commands on devices: the kernel of tf-rmm-alp16-nominal.calls.jsonl.xz speaks 1.1-alp17 ("
    )
    assert "the firmware of tf-rmm-head-errors.log.xz 2.0-bet3 (" in skews[1].message
    assert {f.severity for f in found if f.rule != "REVISION-SKEW"} == {"warning"}
    assert all(f.calls for f in found)


def test_both_sides_of_one_run_give_nothing():
    names = ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log")
    assert list(spoken(open_capture([str(ROOT / "captures" / n) for n in names]))) == []


def test_abi_of_says_what_each_side_speaks(capsys):
    assert main(["abi", "of", OLD]) == 0
    out = capsys.readouterr().out
    assert "kernel, commands on devices: 1.1-alp17" in out
    assert "    RMI_PDEV_GET_STATE gives 6, 7, a state of 1.1 only: 1.1-alp17" in out
    assert "nothing shows that they differ" in out


def test_abi_of_ends_with_1_where_they_differ(capsys):
    assert main(["abi", "of", "--format", "json", OLD, NEW]) == 1
    told = json.loads(capsys.readouterr().out)
    assert {s["group"] for s in told["skew"]} == {"core", "device"}
    assert {b["kind"] for s in told["skew"] for b in s["bites"]} >= {"command", "structure", "flags", "status", "state"}
    assert all(e["text"] and e["fits"] for s in told["speaks"] for e in s["evidence"])
