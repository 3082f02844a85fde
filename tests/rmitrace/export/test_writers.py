"""The output that scripts and people read: the JSON contract, strace-like text, CSV and the timeline as text."""

from __future__ import annotations

import csv as csv_module
import io
import json
import unicodedata
from pathlib import Path

import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.export import csv, jsonl, text, timeline

ROOT = Path(__file__).parents[3]
CONNECT = ROOT / "captures/ftrace/pdev-connect.trace.txt"
RECORDED = ROOT / "captures/rmm/tf-rmm-alp16-nominal.calls.jsonl.xz"

# DESIGN: the keys every object has
CALL = {"type", "seq", "ts_ns", "dur_ns", "cpu", "task", "source", "offset", "exit_offset", "fid", "name", "service", "x", "r",
        "args", "status", "index", "results", "buffers", "messages", "inferred", "paired"}  # fmt: skip
KEYS = {
    "capture": {"type", "sources", "revision"},
    "call": CALL,
    "message": {"type", "seq", "call", "ts_ns", "source", "offset", "direction", "layers", "name", "data", "tree", "secured"},
    "state": {"type", "object", "ts_ns", "from", "to", "call", "inferred"},
    "sequence": {"type", "kind", "object", "start_ns", "end_ns", "outcome", "steps"},
    "finding": {"type", "rule", "severity", "message", "object", "calls", "source", "offset", "spec"},
    "summary": {"type", "calls", "by_status", "unknown", "lost", "findings"},
}


def written(capture: Capture) -> list[dict]:
    out = io.StringIO()
    jsonl.write(capture, range(len(capture)), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def nodes(item: object):
    if isinstance(item, dict):
        if {"name", "value", "text", "offset", "size"} <= item.keys():
            yield item
        for v in item.values():
            yield from nodes(v)
    elif isinstance(item, list):
        for v in item:
            yield from nodes(v)


@pytest.mark.parametrize("path", [CONNECT, RECORDED], ids=["trace", "recording"])
def test_objects_have_the_keys_of_the_contract(path: Path):
    objects = written(open_capture([str(path)]))
    assert objects[0]["type"] == "capture"
    assert objects[-1]["type"] == "summary"
    assert {o["type"] for o in objects} | {"finding"} == set(KEYS)
    for o in objects:
        assert KEYS[o["type"]] <= o.keys(), o["type"]
    for o in objects:
        if o["type"] == "call":
            assert o["paired"] in ("both", "enter-only", "exit-only", "whole")
            assert all(v is None or v.startswith("0x") for v in o["x"])
            for n in nodes(o):
                assert isinstance(n["value"], int | str | None)
                assert isinstance(n["text"], str)


def test_calls_of_a_trace_as_its_lines_say():
    """Against the lines of the file, read with nothing but split."""
    lines = CONNECT.read_text().splitlines()
    enters = [line for line in lines if ": smc_enter: " in line]
    exits = [line for line in lines if ": smc_exit: " in line]
    calls = [o for o in written(open_capture([str(CONNECT)])) if o["type"] == "call"]
    assert len(calls) == len(enters) == len(exits)
    raw = CONNECT.read_bytes()
    for call, enter, exit_ in zip(calls, enters, exits, strict=True):
        values = [w.split("=")[1] for w in enter.split() if w[0] == "a" and "=" in w]
        assert [int(v, 16) for v in call["x"]] == [int(v, 16) for v in values]
        back = [w.split("=")[1] for w in exit_.split() if w[0] == "a" and "=" in w]
        assert [int(v, 16) for v in call["r"]] == [int(v, 16) for v in back]
        seconds = next(w for w in enter.split() if w.endswith(":") and "." in w)[:-1]
        assert call["ts_ns"] == int(seconds.replace(".", "")) * 1000
        assert call["task"] == enter.split()[0]
        assert raw[call["offset"] :].startswith(enter.encode())
        assert raw[call["exit_offset"] :].startswith(exit_.encode())


def test_json_can_be_opened_again(tmp_path: Path):
    before = open_capture([str(RECORDED)])
    path = tmp_path / "decoded.jsonl"
    with path.open("w") as out:
        jsonl.write(before, range(len(before)), out)
    after = open_capture([str(path)])
    assert len(after) == len(before)
    assert [(q.kind, q.object, q.outcome) for q in after.sequences] == [(q.kind, q.object, q.outcome) for q in before.sequences]
    for i in range(0, len(before), 7):
        a, b = before.call(i), after.call(i)
        assert (a.x, a.r, a.name, a.ts_ns, a.status) == (b.x, b.r, b.name, b.ts_ns, b.status)
        assert [x.data for x, _ in a.buffers] == [x.data for x, _ in b.buffers]


def test_text_is_one_line_a_call_in_the_manner_of_strace():
    out = io.StringIO()
    capture = open_capture([str(CONNECT)])
    text.write(capture, [0, 57], out)
    lines = [line for line in out.getvalue().splitlines() if line.startswith(("9.", "11."))]
    assert lines == [
        "9.720178 [000] python3-142  RMI_VERSION(req=2.0) = RMI_SUCCESS {lower=2.0, higher=2.0}  <6.3ms>",
        "11.476815 [000] python3-142  RMI_PDEV_COMMUNICATE(pdev_ptr=0x49500000, data_ptr=0x49402000) = RMI_ERROR_DEVICE  <1.0ms>",
    ]


def test_events_that_are_no_smcs_are_counted_in_the_header():
    path = ROOT / "captures/ftrace/trace-cmd-arrays.report.txt"
    said = path.read_text()
    counts = {n: said.count(f" {n}: ") for n in ("ipi_entry", "ipi_exit", "ipi_raise", "ipi_send_cpu")}
    assert all(counts.values())
    out = io.StringIO()
    text.write_header(open_capture([str(path)]), out)
    first = out.getvalue().splitlines()[0]
    told = dict(t.rsplit(" ", 1) for t in first.partition("; other events: ")[2].split(", "))
    assert told == {name: str(n) for name, n in counts.items()}


def test_messages_stand_under_their_call():
    out = io.StringIO()
    capture = open_capture([str(CONNECT)])
    text.write(capture, range(len(capture)), out)
    names = [line.split()[1].rstrip(":") for line in out.getvalue().splitlines() if line.startswith(("    -> ", "    <- "))]
    # the connect as the responder of the same run saw it
    assert names == [
        "GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS", "GET_CERTIFICATE",
        "CERTIFICATE", "GET_CERTIFICATE", "CERTIFICATE", "KEY_EXCHANGE", "KEY_EXCHANGE_RSP", "SECURED", "SECURED",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ns", "said"), [(0, "0ns"), (999, "999ns"), (42_100, "42.1us"), (1_300_000, "1.3ms"), (2 * 10**9, "2.0s"), (None, "")]
)
def test_durations(ns, said):
    assert text.duration(ns) == said


@pytest.mark.parametrize(
    ("ns", "digits", "said"),
    [
        (12_345_678_000, 6, "12.345678"),
        (12_345_678_000, 3, "12.345"),
        (5, 6, "0.000000"),
        (-1_500_000_000, 3, "-1.500"),
        (None, 6, "-"),
    ],
)
def test_seconds(ns, digits, said):
    assert text.seconds(ns, digits) == said


HOSTILE = (
    b"  \x1b]0;pwned\x07\x1b[2J-77    [000] d....     1.000000: smc_enter: (f+0x0/0x8) a0=0xc4000178 a1=0x1000 a2=0x0 a3=0x0\n"
    b"  \x1b]0;pwned\x07\x1b[2J-77    [000] d....     1.000010: smc_exit: (g+0x0/0x8 <- f) a0=0x0 a1=0x3 a2=0x0 a3=0x0\n"
    b"     =cmd|'/c x'-78    [000] d....     1.000020: smc_enter: (f+0x0/0x8) a0=0xc4000178 a1=0x1000 a2=0x0 a3=0x0\n"
    b"     =cmd|'/c x'-78    [000] d..1.     1.000030: smc_exit: (g+0x0/0x8 <- f) a0=0x0 a1=0x3 a2=0x0 a3=0x0\n"
    + "      \u202eevil[/b]-79    [000] .....     1.000040: tracing_mark_write: \x9b31m [bold]<img onerror=alert(1)>\n".encode()
)


@pytest.fixture
def hostile(tmp_path: Path) -> Capture:
    path = tmp_path / "x\x1b[31m.txt"
    path.write_bytes(b"# tracer: nop\n#\n" + HOSTILE)
    return open_capture([str(path)])


def test_nothing_acts_on_a_terminal(hostile: Capture):
    out = io.StringIO()
    everything = range(len(hostile))
    text.write(hostile, everything, out)
    timeline.write(hostile, out, 100)
    jsonl.write(hostile, everything, out)
    assert len(hostile) == 2
    for c in out.getvalue():
        assert c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"), hex(ord(c))
    assert "pwned" in out.getvalue()


def test_no_cell_is_a_formula(hostile: Capture):
    out = io.StringIO(newline="")
    csv.write(hostile, range(len(hostile)), out)
    rows = list(csv_module.DictReader(io.StringIO(out.getvalue())))
    assert rows[1]["task"] == "'=cmd|'/c x'"
    assert rows[0]["name"] == "RMI_PDEV_GET_STATE"
    assert rows[0]["x1"] == "0x1000"
    assert rows[0]["r1"] == "0x3"
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_timeline_names_the_failed_step_and_why():
    out = io.StringIO()
    timeline.write(open_capture([str(CONNECT)]), out, 100)
    lines = out.getvalue().splitlines()
    at = next(i for i, line in enumerate(lines) if "connect pdev:0x49500000: failed at session" in line)
    assert any(line.strip().startswith("x session") for line in lines[at : at + 8])
    assert any("PDEV_ERROR" in line for line in lines[at : at + 10])
    assert max(map(len, lines[1:])) <= 100


def test_timeline_says_how_much_there_is():
    """76 smc_enter and 18 DOE events in trace-cmd report of the file; a connect and a disconnect; SPDM 1.2 of 1.4."""
    out = io.StringIO()
    timeline.write(open_capture([str(ROOT / "captures/trace-dat/ready.dat")]), out, 100)
    assert "\n# 76 calls, 0 failed, 2 sequences, 18 messages, 1 finding\n\n" in out.getvalue()


def test_a_console_row_does_not_claim_what_it_does_not_show():
    """An INCOMPLETE row shows handle and request and bits 7:0 of x0; a shortened ERROR_RTT row has no index."""
    capture = open_capture([str(ROOT / "captures/mixed/rme-uart0.log")])
    call = next(capture.call(i) for i in range(len(capture)) if capture.name_text(i) == "RMI_PDEV_CREATE")
    assert [(n.name, n.value) for n in call.results] == [("handle", 0), ("donate_req", 0x50)]  # the row: > RMI_INCOMPLETE 0 50
    result = call.tree.child("result")
    assert result is not None
    assert [c.name for c in result.children] == ["status"]
    assert "7:0" in (result.note or "")


def test_an_exit_alone_says_so(tmp_path: Path):
    path = tmp_path / "cut.txt"
    path.write_text("   sh-7       [000] d..1.     1.000010: smc_exit: (g+0x0/0x8 <- f) a0=0x0 a1=0x3 a2=0x0 a3=0x0\n" * 3)
    capture = open_capture([str(path)])
    assert [capture.name_text(i) for i in range(len(capture))] == ["SMC return (entry not recorded)"] * 3
    assert not [f for f in capture.findings if f.rule == "UNKNOWN-FID"]


def test_the_timeline_of_packets_is_their_conversation():
    out = io.StringIO()
    timeline.write(open_capture([str(ROOT / "captures/spdm/doe_v12_measall.pcap")]), out, 100)
    names = [line.split()[2].rstrip(":") for line in out.getvalue().splitlines() if line.split()[1:2] in (["->"], ["<-"])]
    assert names[6:12] == ["GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS"]
    assert "# ABI" not in out.getvalue()
