"""stats against sums made from the recording itself."""

from __future__ import annotations

import csv
import io
import json
import lzma
import math
from collections import defaultdict
from pathlib import Path

import pytest

from rmitrace.__main__ import main
from rmitrace.cli.stats import SORTS, duration

ROOT = Path(__file__).parent.parent.parent.parent
CAPTURE = ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz"

TRUTH: dict[str, list[dict]] = defaultdict(list)
for _line in lzma.decompress(CAPTURE.read_bytes()).splitlines():
    _call = json.loads(_line)
    TRUTH[f"0x{int(_call['fid'], 16) & ~0x10000:x}"].append(_call)  # without the SVE hint


def stats(capsys, *argv: str) -> str:
    assert main(["stats", *argv, str(CAPTURE)]) == 0
    return capsys.readouterr().out


def test_json_holds_the_recording(capsys):
    document = json.loads(stats(capsys, "--format", "json"))
    rows = {r["fid"]: r for r in document["commands"]}
    assert rows.keys() == TRUTH.keys()
    for fid, calls in TRUTH.items():
        row = rows[fid]
        spans = sorted(c["dur_us"] * 1000 for c in calls)
        assert row["calls"] == row["timed"] == len(calls)
        assert row["total_ns"] == pytest.approx(sum(spans), abs=2 * len(calls))
        assert row["max_ns"] == pytest.approx(spans[-1], abs=2)
        for name, share in (("p50_ns", 0.50), ("p99_ns", 0.99)):
            nearest = spans[math.ceil(share * len(spans)) - 1]
            assert row[name] == pytest.approx(nearest, abs=2)
        if fid.startswith(("0xc40001", "0xc40002")):
            good = sum(int(c["out"][0], 16) & 0xFF in (0, 13) for c in calls)  # RMI_SUCCESS, RMI_INCOMPLETE
            assert row["failed"] == len(calls) - good, row
            assert row["statuses"].get("RMI_SUCCESS", 0) == sum(int(c["out"][0], 16) & 0xFF == 0 for c in calls)
    assert document["total"]["calls"] == sum(map(len, TRUTH.values()))


def test_unknown_function_ids_have_rows(capsys):
    out = stats(capsys)
    unknown = [line for line in out.splitlines() if "unknown 0x" in line]
    assert unknown
    assert all("SMC_NOT_SUPPORTED 1" in line or "SMC_NOT_SUPPORTED 2" in line for line in unknown)


def test_text_has_a_total(capsys):
    out = stats(capsys).splitlines()
    assert out[0].split()[:2] == ["%", "time"]
    assert out[-1].split()[2:4] == [str(sum(map(len, TRUTH.values()))), str(int(out[-1].split()[3]))]
    shares = [float(line.split()[0]) for line in out[1:-1]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("order", [s for s in SORTS if s != "name"])
def test_sort(order, capsys):
    column = {"time": "total_ns", "calls": "calls", "errors": "failed"}.get(order, f"{order}_ns")
    rows = list(csv.DictReader(io.StringIO(stats(capsys, "--format", "csv", "--sort", order))))
    values = [int(r[column]) for r in rows]
    assert values == sorted(values, reverse=True)


def test_choices_limit_the_rows(capsys):
    rows = list(csv.DictReader(io.StringIO(stats(capsys, "--format", "csv", "--where", "name = 'RMI_RTT_CREATE'"))))
    assert [(r["name"], int(r["calls"])) for r in rows] == [("RMI_RTT_CREATE", len(TRUTH["0xc400015d"]))]
    out = stats(capsys, "--where", "name = 'RMI_NOSUCH'").splitlines()
    assert len(out) == 2  # head and total


def test_a_log_without_times(tmp_path, capsys):
    log = tmp_path / "uart.log"
    log.write_text("SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000\n" * 3)
    assert main(["stats", str(log)]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row == ["-", "-", "3", "-", "-", "-", "RMI_VERSION"]


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (None, "-"),
        (0, "0ns"),
        (999, "999ns"),
        (1000, "1.00us"),
        (42_100, "42.1us"),
        (999_000, "999us"),
        (1_500_000, "1.50ms"),
        (12 * 10**9, "12.0s"),
    ],
)
def test_duration(ns, text):
    assert duration(ns) == text
