"""``rmitrace check``: text, JSON, SARIF, JUnit, suppressions, rules and single calls."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from rmitrace import checks, cli
from rmitrace.capture import open_capture

ROOT = Path(__file__).parents[3]
CONNECT = ROOT / "captures/ftrace/pdev-connect.trace.txt"
GOOD = [ROOT / f"captures/rmm/tf-rmm-{n}-nominal.calls.jsonl.xz" for n in ("head", "mid", "alp16", "rel0", "eac5")]


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = cli.run(["check", *map(str, words)])
    got = capsys.readouterr()
    return status, got.out, got.err


def test_the_call_that_failed_comes_first_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """The host calls RMI_PDEV_STOP after the session failed; the next to fail is RMI_PDEV_COMMUNICATE (README, captures)."""
    status, out, _ = run(capsys, "--severity", "error", "--rule", "STOP-*", "--rule", "COMM-NOTHING-OPEN", CONNECT)
    assert status == 0
    heads = [line.split(":")[0] for line in out.splitlines() if line.startswith("error ")]
    assert heads == ["error STOP-AFTER-FAILURE", "error COMM-NOTHING-OPEN"]
    assert "? comm_state  comm state is not IDLE: a transaction of PDEV failed by call 54" in out
    assert "- pdev_state, num_vdevs, pdev_stream_live" in out
    assert out.splitlines()[-1] == "2 errors"


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.name)
def test_good_runs_have_no_error_and_no_warning(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--fail-on", "warning", path)
    assert status == 0
    assert not re.search(r"^(error|warning) ", out, re.M)


def test_fail_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--fail-on", "error", CONNECT)[0] == 1
    assert run(capsys, "--fail-on", "error", "--rule", "ERROR-STATUS", CONNECT)[0] == 0
    assert run(capsys, "--fail-on", "note", "--rule", "ERROR-STATUS", CONNECT)[0] == 1


def test_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--call", 59, CONNECT)
    assert "RMI_PDEV_DESTROY(pdev_ptr=0x49500000) = RMI_ERROR_DEVICE" in out
    assert "+ pdev_state  state is not STOPPED: the PDEV is ERROR, read back in call 58" in out
    _, out, _ = run(capsys, "--call", 59, "--format", "json", CONNECT)
    failure = json.loads(out)["failure"]
    assert failure["cause"] == "pdev_state"
    assert [(c["id"], c["status"], c["holds"], c["calls"]) for c in failure["conditions"]] == [
        ("pdev_state", "RMI_ERROR_DEVICE", True, [58])
    ]
    assert "it did not fail" in run(capsys, "--call", 0, CONNECT)[1]
    assert run(capsys, "--call", 61, CONNECT)[::2] == (2, "rmitrace: --call 61: calls go from 0 to 60\n")


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in run(capsys, "--format", "json", CONNECT)[1].splitlines()]
    assert [lines[0]["type"], lines[-1]["type"]] == ["capture", "summary"]
    found = [x for x in lines if x["type"] == "finding"]
    assert lines[-1]["findings"]["error"] == sum(f["severity"] == "error" for f in found)
    stop = next(f for f in found if f["rule"] == "STOP-AFTER-FAILURE")
    assert stop["calls"][0] == 56
    assert stop["failure"]["left"] is True
    assert {"title", "why", "next", "spec"} <= stop.keys()


def test_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    """The requirements of SARIF 2.1.0: 3.13 log, 3.14 run, 3.27 result, 3.29 physical location, 3.30 region, 3.49 rule."""
    text = run(capsys, "--format", "sarif", CONNECT)[1]
    assert text.isascii()
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (one,) = log["runs"]
    driver = one["tool"]["driver"]
    assert driver["name"] == "rmitrace"
    ids = [r["id"] for r in driver["rules"]]
    assert len(ids) == len(set(ids))
    for r in driver["rules"]:
        assert r["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
        assert all(r[k]["text"].endswith(".") for k in ("fullDescription", "help"))
    (artifact,) = one["artifacts"]
    assert unquote(artifact["location"]["uri"]) == f"file://{CONNECT}"
    assert artifact["length"] == CONNECT.stat().st_size
    assert len(one["results"]) > 5
    for r in one["results"]:
        assert ids[r["ruleIndex"]] == r["ruleId"]
        assert r["level"] in ("note", "warning", "error")
        assert r["message"]["text"]
        for place in (*r["locations"], *r.get("relatedLocations", ())):
            where = place["physicalLocation"]
            assert where["artifactLocation"] == {"uri": artifact["location"]["uri"], "index": 0}
            region = where["region"]
            assert region.keys() <= {"byteOffset", "byteLength"}
            assert 0 <= region["byteOffset"] < artifact["length"]
    stop = next(r for r in one["results"] if r["ruleId"] == "STOP-AFTER-FAILURE")
    at = stop["locations"][0]["physicalLocation"]["region"]["byteOffset"]
    capture = open_capture([str(CONNECT)])
    assert at == capture.call(56).offset
    assert stop["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "pdev:0x49500000", "kind": "object"}]


def test_junit(capsys: pytest.CaptureFixture[str]) -> None:
    """What the CI viewers read: counts that agree, a name and class for each case, failure with type and message."""
    suites = ET.fromstring(run(capsys, "--format", "junit", CONNECT)[1])
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    cases = suite.findall("testcase")
    failures = [c for c in cases if c.find("failure") is not None]
    assert all(c.get("name") and c.get("classname") for c in cases)
    assert int(suite.get("tests", "")) == len(cases)
    assert int(suite.get("failures", "")) == len(failures) > 3
    errors = [f for f in open_capture([str(CONNECT)]).findings if f.severity == "error"]
    assert [c.get("classname") for c in failures] == [f"rmitrace.{f.rule}" for f in errors]
    assert {c.get("classname") for c in cases} == {f"rmitrace.{r}" for r in checks.RULES}
    stricter = ET.fromstring(run(capsys, "--format", "junit", "--fail-on", "note", CONNECT)[1])
    assert int(stricter[0].get("failures", "")) > len(failures)


def test_suppressions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.toml"
    known.write_text(
        '[[suppress]]\nrule = "stop-*"\nobject = "pdev:*"\nreason = "old firmware"\n'
        '[[suppress]]\nrule = "SEQUENCE-FAILED"\ncommand = "PDEV_STOP"\nreason = "follows"\n'
        '[[suppress]]\nrule = "KEY-*"\nobject = "pdev:0x1"\nreason = "of another device"\n'
    )
    status, out, _ = run(capsys, "--suppress", known, CONNECT)
    assert status == 0
    assert "STOP-AFTER-FAILURE:" not in out
    assert "disconnect of pdev" not in out
    assert f"unused suppression of KEY-*: {known}, entry 3 (of another device)" in out
    assert out.splitlines()[-1].endswith("(2 suppressed)")
    shown = run(capsys, "--suppress", known, "--show-suppressed", CONNECT)[1]
    assert f"(old firmware; {known}, entry 1)" in shown
    log = json.loads(run(capsys, "--suppress", known, "--format", "sarif", CONNECT)[1])
    said = [r["suppressions"] for r in log["runs"][0]["results"] if r["suppressions"]]
    assert said == [[{"kind": "external", "justification": t}] for t in ("old firmware", "follows")]
    suite = ET.fromstring(run(capsys, "--suppress", known, "--format", "junit", CONNECT)[1])[0]
    assert suite.get("skipped") == "2"
    assert [s.get("message") for s in suite.iter("skipped")] == ["old firmware", "follows"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[suppress]]\nrule = 'A'", "reason is missing"),
        ("[[suppress]]\nrule = 'NO-SUCH'\nreason = 'x'", "no rule NO-SUCH"),
        ("[[suppress]]\nrule = 'IDE-*'\nreason = ' '", "reason is missing"),
        ("[[suppress]]\nrule = 'IDE-*'\nreason = 'x'\nobjekt = 'y'", "unknown key 'objekt'"),
        ("[[suppress]]\nrule = 3\nreason = 'x'", "want keys with strings"),
        ("suppress = 1", "want tables [[suppress]]"),
        ("[[suppress", "bad.toml: "),
    ],
)
def test_bad_suppressions_are_the_users_mistake(
    text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    status, out, err = run(capsys, "--suppress", path, CONNECT)
    assert (status, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_rules_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run(capsys, "--list")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(checks.RULES)
    told = run(capsys, "--explain", "stop-after-failure")[1]
    rule = checks.rule("STOP-AFTER-FAILURE")
    assert f"why: {rule.why}" in told
    assert f"next: {rule.next}" in told
    assert run(capsys, "--explain", "NOTHING-*")[::2] == (2, "rmitrace: no rule NOTHING-* (see rmitrace check --list)\n")
    assert run(capsys)[0] == 2


def test_hostile_text_is_shown_as_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose name and reasons carry an escape sequence and markup."""
    capture = tmp_path / "a\x1b[31m<b>&.txt"
    capture.write_bytes(CONNECT.read_bytes())
    known = tmp_path / "k.toml"
    known.write_text('[[suppress]]\nrule = "STOP-*"\nreason = "\\u001b[31m<script>"\n')
    for form in ("text", "json", "sarif", "junit"):
        out = run(capsys, "--suppress", known, "--show-suppressed", "--format", form, capture)[1]
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out), form
        if form == "junit":
            assert ET.fromstring(out)[0].get("name", "").endswith("<b>&.txt")
            assert "<script>" not in out
