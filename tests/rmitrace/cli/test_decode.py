"""decode: forms, choices and exit statuses, held against the recorded registers themselves."""

from __future__ import annotations

import csv
import io
import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from rmitrace.__main__ import main

ROOT = Path(__file__).parent.parent.parent.parent
CAPTURE = ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz"
TRUTH = [json.loads(line) for line in lzma.decompress(CAPTURE.read_bytes()).splitlines()]
"""What the recorder wrote: fid, in, out, t (s), dur_us."""

ERROR_RTT, SUCCESS, INCOMPLETE = 4, 0, 13  # RmiStatusCode of DEN0137 2.0
RTT_DESTROY = "0xc400015e"


def decode(capsys, *argv: str) -> str:
    assert main(["decode", *argv, str(CAPTURE)]) == 0
    return capsys.readouterr().out


def lines(text: str) -> list[str]:
    """The call lines of the text form."""
    head, _, _ = text.partition("\n\n")
    return [line for line in head.splitlines() if line and line[0] not in "#|" and line.split()[0] not in ("->", "<-")]


def test_text_is_one_line_a_call(capsys):
    out = decode(capsys)
    assert len(lines(out)) == len(TRUTH)
    assert "\nFindings\n" in out


def test_json_has_every_register(capsys):
    objects = [json.loads(line) for line in decode(capsys, "--format", "json").splitlines()]
    assert objects[0]["type"] == "capture"
    assert objects[-1]["type"] == "summary"
    assert objects[-1]["calls"] == len(TRUTH)
    calls = [o for o in objects if o["type"] == "call"]
    assert [int(c["x"][0], 16) & ~0x10000 for c in calls] == [int(t["in"][0], 16) & ~0x10000 for t in TRUTH]
    assert [c["x"][1] for c in calls] == [t["in"][1] for t in TRUTH]
    assert [c["r"][0] for c in calls] == [t["out"][0] for t in TRUTH]


def test_csv_is_a_table(capsys):
    rows = list(csv.DictReader(io.StringIO(decode(capsys, "--format", "csv"))))
    assert [r["r0"] for r in rows] == [t["out"][0] for t in TRUTH]


def test_status(capsys):
    wanted = [t for t in TRUTH if int(t["out"][0], 16) & 0xFF == ERROR_RTT]
    assert wanted
    for spelling in ("RMI_ERROR_RTT", "error_rtt"):
        assert len(lines(decode(capsys, "--status", spelling))) == len(wanted)
    both = [t for t in TRUTH if int(t["out"][0], 16) & 0xFF in (ERROR_RTT, INCOMPLETE)]
    assert len(lines(decode(capsys, "--status", "ERROR_RTT", "--status", "INCOMPLETE"))) == len(both)
    assert decode(capsys, "--status", "RMI_BLOCKED").count("RMI_BLOCKED") == 0  # known, not in this capture


def test_failed(capsys):
    rmi = [t for t in TRUTH if t["fid"] != "0x84000000"]
    wanted = [t for t in rmi if int(t["out"][0], 16) & 0xFF not in (SUCCESS, INCOMPLETE)]
    rows = list(csv.DictReader(io.StringIO(decode(capsys, "--failed", "--format", "csv"))))
    assert [r["r0"] for r in rows if r["service"] != "PSCI"] == [t["out"][0] for t in wanted]
    assert all(r["failed"] == "1" for r in rows)


def test_where_and_others_together(capsys):
    wanted = [t for t in TRUTH if t["fid"] == RTT_DESTROY and int(t["out"][0], 16) & 0xFF == ERROR_RTT]
    assert wanted
    out = decode(capsys, "--where", f"fid = {RTT_DESTROY}", "--failed", "--status", "RMI_ERROR_RTT")
    assert len(lines(out)) == len(wanted)
    assert all("RMI_RTT_DESTROY(" in line for line in lines(out))
    assert "Sequences" not in out  # what is chosen, and no more


def test_object(capsys):
    create = next(t for t in TRUTH if t["fid"] == "0xc4000158" and t["out"][0] == "0x0")  # REALM_CREATE
    rd = create["in"][1]
    whole = lines(decode(capsys, "--object", f"realm:{rd}"))
    assert whole
    assert all(f"rd={rd}" in line for line in whole)
    every_kind = lines(decode(capsys, "--object", rd))  # the realm, and the granule that it is made of
    assert set(whole) < set(every_kind)
    assert all(f"={rd}" in line for line in every_kind)
    assert lines(decode(capsys, "--object", rd.removeprefix("0x"))) == every_kind


def test_time(capsys):
    """Relative to the first call, in its own clock, and half-open ends."""
    first = TRUTH[0]["t"]
    middle = TRUTH[200]["t"]
    after = sum(t["t"] >= middle for t in TRUTH)
    assert len(lines(decode(capsys, "--from", f"+{middle - first - 1e-5:.6f}"))) == after
    assert len(lines(decode(capsys, "--to", f"{middle - 1e-5:.6f}"))) == len(TRUTH) - after


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--where", "nmae = 'x'"], "--where: no column nmae; did you mean name?"),
        (["--where", "name"], "--where: a condition is wanted"),
        (["--status", "RMI_NOSUCH"], "--status RMI_NOSUCH: no such status; in this capture: RMI_BLOCKED"),
        (["--object", "pdev:xyz"], "--object pdev:xyz"),
        (["--object", "-5"], "--object"),
        (["--from", "soon"], "--from soon: not a number of seconds"),
        (["--from", "1e400"], "--from 1e400: not a number of seconds"),
        (["--to", "nan"], "--to nan: not a number of seconds"),
    ],
)
def test_mistakes(argv, said, capsys):
    if said.endswith("RMI_BLOCKED"):
        said = said.removesuffix("RMI_BLOCKED")
    assert main(["decode", *argv, str(CAPTURE)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_time_without_a_clock(tmp_path, capsys):
    log = tmp_path / "uart.log"
    log.write_text("SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000\n" * 3)
    assert main(["decode", "--from", "1", str(log)]) == 2
    assert "no times" in capsys.readouterr().err


def test_fail_on(tmp_path, capsys):
    assert main(["decode", "--fail-on", "warning", str(CAPTURE)]) == 1  # unknown function ids
    good = ROOT / "captures/rmm/tf-rmm-head-nominal.calls.jsonl.xz"
    assert main(["decode", "--fail-on", "error", str(good)]) == 0
    capsys.readouterr()


def test_damaged_input_is_decoded_and_told(tmp_path, capsys):
    whole = lzma.decompress(CAPTURE.read_bytes())
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole[: len(whole) // 2])
    complete = whole[: len(whole) // 2].count(b"\n")
    assert main(["decode", str(cut)]) == 3
    out = capsys.readouterr().out
    assert len(lines(out)) == complete
    assert main(["decode", "--fail-on", "error", str(cut)]) == 1


def test_standard_input():
    done = subprocess.run(
        [sys.executable, "-m", "rmitrace", "decode", "-"], input=CAPTURE.read_bytes(), capture_output=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0
    assert len(lines(done.stdout.decode())) == len(TRUTH)


def test_own_events(tmp_path, capsys):
    """--map: an event whose names say nothing of an SMC."""
    head = "              sh-42      [000] d....    1.00000"
    trace = tmp_path / "trace.txt"
    trace.write_text(
        f"# tracer: nop\n#\n{head}0: before: (my_call+0x0/0x30) what=0xc4000150 arg=0x20000\n"
        f"{head}5: after: (my_caller+0x10/0x30 <- my_call) ret=0x0 low=0x10000\n"
    )
    maps = ["--map", "before:enter:what=x0,arg=x1", "--map", "after:exit:ret=x0,low=x1"]
    assert main(["decode", *maps, str(trace)]) == 0
    assert "RMI_VERSION(req=2.0) = RMI_SUCCESS {lower=1.0" in capsys.readouterr().out
    assert main(["decode", "--map", "before", str(trace)]) == 2
    err = capsys.readouterr().err
    assert "--map 'before'" in err
    assert err.count("\n") == 1


def test_several_files_are_one_capture(tmp_path, capsys):
    log = tmp_path / "uart.log"
    log.write_text("SMC_RMI_VERSION                   20000 > RMI_SUCCESS 20000 20000\n")
    assert main(["decode", "--format", "json", str(CAPTURE), str(log)]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [s["format"] for s in objects[0]["sources"]] == ["calls-jsonl", "rmm-console"]
    assert objects[-1]["calls"] == len(TRUTH)  # the row is one of the calls of the recording
    both = [o for o in objects if o["type"] == "call" and o["seen_by"] == [0, 1]]
    assert [(o["name"], o["counterpart"]["source"], o["counterpart"]["offset"]) for o in both] == [("RMI_VERSION", 1, 0)]


def test_hostile_names_stay_text(tmp_path, capsys):
    """A task name that would move the cursor, set the title or reverse the line."""
    trace = tmp_path / "trace\x1b[2J.txt"
    comm = b"\x1b]0;owned\x07\xe2\x80\xae\x9b"
    line = b"%16s-42      [000] d....    1.000000: smc_enter: (__arm_smccc_smc+0x0/0x30) a0=0xc4000150 a1=0x20000\n" % comm
    trace.write_bytes(b"# tracer: nop\n#\n" + line)
    for form in ("text", "json", "csv"):
        assert main(["decode", "--format", form, str(trace)]) == 0
        out = capsys.readouterr().out
        assert "RMI_VERSION" in out
        assert not set(out) & {"\x1b", "\x07", "\x9b", "\u202e"}
