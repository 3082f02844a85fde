"""export: each file read by another program, or with the library of its format."""

from __future__ import annotations

import csv
import json
import lzma
import signal
import struct
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import polars as pl
import pytest
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

from rmitrace.__main__ import main
from rmitrace.cli.writing import Writing
from rmitrace.export import perfetto as perfetto_module
from rmitrace.export import perfetto_calls

ROOT = Path(__file__).parent.parent.parent.parent
RECORDING = ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz"
CONNECT = ROOT / "captures/ftrace/pdev-connect.trace.txt"
PACKETS = ROOT / "captures/spdm/doe_v12_maconly.pcap"
MCTP = ROOT / "captures/spdm/mctp_v12_measall.pcap"
TRUTH = [json.loads(line) for line in lzma.decompress(RECORDING.read_bytes()).splitlines()]


def export(tmp_path: Path, to: str, *words: str, of: Path = CONNECT) -> Path:
    out = tmp_path / f"out.{to}"
    assert main(["export", "--to", to, "-o", str(out), *words, str(of)]) == 0
    assert list(tmp_path.iterdir()) == [out]
    return out


def tshark(path: Path, *fields: str) -> list[list[str]]:
    words = [w for f in fields for w in ("-e", f)]
    done = subprocess.run(["tshark", "-r", path, "-T", "fields", *words], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def records(path: Path) -> list[tuple[int, bytes]]:
    """Times in us and bytes of a classic little-endian pcap file."""
    data, at, out = path.read_bytes(), 24, []
    while at < len(data):
        sec, usec, size, _ = struct.unpack_from("<IIII", data, at)
        out.append((sec * 1_000_000 + usec, data[at + 16 : at + 16 + size]))
        at += 16 + size
    return out


def blocks(path: Path) -> list[tuple[int, int, bytes]]:
    """Link type, time and bytes of the enhanced packet blocks of a little-endian pcapng file."""
    data, at, out = path.read_bytes(), 0, []
    links: list[int] = []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 1:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
        if kind == 6:
            interface, high, low, length = struct.unpack_from("<IIII", data, at + 8)
            out.append((links[interface], high << 32 | low, data[at + 28 : at + 28 + length]))
        assert struct.unpack_from("<I", data, at + size - 4) == (size,)
        at += size
    return out


@pytest.mark.parametrize(("capture", "link"), [(PACKETS, 292), (MCTP, 291)])
def test_packets_come_out_as_they_went_in(tmp_path, capture, link):
    there = records(capture)
    here = blocks(export(tmp_path, "pcapng", of=capture))
    assert here == [(link, us * 1000, data) for us, data in there]


def test_tshark_reads_the_messages_of_a_trace(tmp_path):
    out = export(tmp_path, "pcapng")
    rows = tshark(out, "frame.len", "frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "frame.comment")
    # GET_VERSION has 4 bytes, behind a DOE header of 8; DATA_OBJECT_PROTOCOL in the trace is at 9.880795 s
    assert rows[0] == ["12", "9.880795000", "DOE", "0x00000002", "GET_VERSION, call 34 RMI_PDEV_COMMUNICATE, pdev:0x49500000"]
    assert len(rows) == 14
    assert [r[3] for r in rows] == ["0x00000002", "0x00000001"] * 7
    for _, _, packet in blocks(out):  # PCIe r6.1 6.30.1: vendor, type, reserved, length in dwords
        vendor, kind, odd, dwords = struct.unpack_from("<HBBI", packet)
        assert (vendor, odd, dwords * 4) == (1, 0, len(packet))
        assert kind == (1 if packet[8] == 0x10 or packet[8] == 0x12 else 2)


@pytest.mark.parametrize("capture", [PACKETS, MCTP])
def test_pcap_is_the_file_that_was_read(tmp_path, capture):
    """Written by an emulator, with the same snapshot length and link type; whole but for the zone, which is 0 in both."""
    out = export(tmp_path, "pcap", of=capture)
    assert out.read_bytes() == capture.read_bytes()


def test_pcap_has_one_link_type(tmp_path, capsys):
    assert main(["export", "--to", "pcap", "-o", str(tmp_path / "x"), str(PACKETS), str(MCTP)]) == 2
    assert "pcapng holds both" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    there = Counter(link for c, link in ((PACKETS, 292), (MCTP, 291)) for _ in records(c))
    both = tmp_path / "both.pcapng"
    assert main(["export", "--to", "pcapng", "-o", str(both), str(PACKETS), str(MCTP)]) == 0
    assert Counter(link for link, _, _ in blocks(both)) == there


def test_pcapng_of_some_calls(tmp_path):
    out = export(tmp_path, "pcapng", "--where", "seq = 37")
    assert [r[0].split(",")[0] for r in tshark(out, "frame.comment")] == ["GET_CAPABILITIES", "CAPABILITIES"]


def test_parquet_holds_the_recording(tmp_path):
    frame = pl.read_parquet(export(tmp_path, "parquet", of=RECORDING))
    assert len(frame) == len(TRUTH)
    for i in range(8):
        wanted = [int(c["in"][i], 16) if i < len(c["in"]) else None for c in TRUTH]
        assert frame[f"x{i}"].to_list() == wanted
    assert frame["r0"].to_list() == [int(c["out"][0], 16) for c in TRUTH]


def test_parquet_of_chosen_calls_and_of_messages(tmp_path):
    failed = pl.read_parquet(export(tmp_path, "parquet", "--failed"))
    assert failed["name"].to_list() == [
        "RMI_PDEV_STOP",
        "RMI_PDEV_COMMUNICATE",
        "RMI_PDEV_DESTROY",
        "RMI_GRANULE_RANGE_UNDELEGATE",
    ]
    messages = pl.read_parquet(export(tmp_path, "parquet", "--table", "messages"))
    assert messages["name"].to_list()[:2] == ["GET_VERSION", "VERSION"]


def perfetto(path: Path) -> tuple[dict[int, tuple[str, int]], list[tuple[int, TrackEvent, str]]]:
    """Tracks by uuid (name, parent), and the events with their time and name."""
    trace = Trace()
    trace.ParseFromString(path.read_bytes())
    tracks: dict[int, tuple[str, int]] = {}
    names: dict[int, str] = {}
    events = []
    assert [p.sequence_flags & 1 for p in trace.packet] == [1] + [0] * (len(trace.packet) - 1)
    for p in trace.packet:
        names |= {e.iid: e.name for e in p.interned_data.event_names}
        if p.HasField("track_descriptor"):
            d = p.track_descriptor
            assert d.parent_uuid == 0 or d.parent_uuid in tracks
            tracks[d.uuid] = (d.name, d.parent_uuid)
        elif p.HasField("track_event"):
            assert p.track_event.track_uuid in tracks
            assert p.track_event.name_iid in (0, *names)
            events.append((p.timestamp, p.track_event, names.get(p.track_event.name_iid, "")))
    return tracks, events


def test_perfetto_shows_each_call_for_its_time(tmp_path):
    _, events = perfetto(export(tmp_path, "perfetto", of=RECORDING))
    told = [{a.name: a.string_value for a in e.debug_annotations} for _, e, _ in events]
    shown = Counter((int(t["x0"], 16), int(t["x1"], 16)) for t in told if "x0" in t)
    assert shown == Counter((int(c["in"][0], 16), int(c["in"][1], 16)) for c in TRUTH)
    times = [ts for (ts, _, _), t in zip(events, told, strict=True) if "x0" in t]
    assert times == sorted(times)


def test_perfetto_is_the_same_by_the_piece(tmp_path, monkeypatch):
    whole = export(tmp_path, "perfetto").read_bytes()
    made: list[bool] = []
    make = perfetto_calls._made
    monkeypatch.setattr(perfetto_calls, "_made", lambda *a: made.append(a[-1] is not None) or make(*a))
    assert export(tmp_path, "perfetto").read_bytes() == whole
    once = sum(made)
    for module, name in ((perfetto_calls, "RENEWED"), (perfetto_module, "AT_ONCE"), (perfetto_module, "SEQUENCES")):
        monkeypatch.setattr(module, name, 2)
    assert export(tmp_path, "perfetto").read_bytes() == whole
    assert sum(made) - once > once > 0  # packets of calls that are alike were let go, and made anew


def test_perfetto_spans_are_closed_and_nest(tmp_path):
    tracks, events = perfetto(export(tmp_path, "perfetto"))
    open_: dict[int, list[int]] = defaultdict(list)
    for ts, e, _ in sorted(events, key=lambda x: x[0]):  # stable, as in trace_processor
        if e.type == TrackEvent.TYPE_SLICE_BEGIN:
            open_[e.track_uuid].append(ts)
        elif e.type == TrackEvent.TYPE_SLICE_END:
            assert open_[e.track_uuid].pop() <= ts
    assert not any(open_.values())
    shown = [(tracks[e.track_uuid][0], name) for _, e, name in events if name]
    assert ("connect", "connect: failed") in shown
    assert ("state", "ERROR") in shown
    assert ("messages", "GET_VERSION") in shown
    assert ("findings", "COMM-FAILED") in shown
    # the failed stop is the SMC that the trace has from 11.473143 to 11.473996
    stop = [(ts, e.type) for ts, e, name in events if name == "RMI_PDEV_STOP"]
    assert stop == [(11473143000, TrackEvent.TYPE_SLICE_BEGIN)]
    assert (11473996000, TrackEvent.TYPE_SLICE_END) in [(ts, e.type) for ts, e, _ in events]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_text_is_what_decode_prints(tmp_path, capsys, form):
    written = export(tmp_path, form).read_bytes().decode()
    capsys.readouterr()
    assert main(["decode", "--format", form, str(CONNECT)]) == 0
    assert written == capsys.readouterr().out


def test_what_is_read_reaches_no_file_raw(tmp_path):
    line = "  \x1b[31mevil\u202e-91  [001] d..1.  12.345678: smc_enter: (__arm_smccc_smc+0x0/0x30) x0=0xc4000150 x1=0x20000\n"
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "tr\x1bace.txt"
    path.write_text("# tracer: nop\n" + line)
    out = tmp_path / "out"
    out.mkdir()
    for form in ("perfetto", "json", "csv"):
        written = export(out, form, of=path)
        text = str(perfetto(written)) if form == "perfetto" else written.read_bytes().decode()
        assert "evil" in text
        assert not set(text) & {"\x1b", "\u202e"}
        written.unlink()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "parquet", "-o", "-"], "parquet needs a file"),
        (["--to", "json", "--table", "messages"], "--table is for --to parquet"),
        (["--to", "parquet", "--table", "messages", "--failed"], "calls are chosen"),
        (["--to", "pcapng", "--where", "seq = 0"], "no bytes of protocol messages"),
        (["--to", "pcapng", "-o", str(CONNECT)], "that is the capture"),
        (["--to", "json", "-o", "/nonexistent/out"], "/nonexistent"),
    ],
)
def test_mistakes_leave_no_file(tmp_path, capsys, words, said):
    before = CONNECT.read_bytes()
    there = tmp_path / "there"
    there.write_text("as it was")
    given = words if "-o" in words else [*words, "-o", str(there)]
    assert main(["export", *given, str(CONNECT)]) == 2
    assert said in capsys.readouterr().err
    assert there.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [there]
    assert CONNECT.read_bytes() == before


def test_perfetto_without_times(tmp_path, capsys):
    log = ROOT / "captures/rmm/tf-rmm-head-release.log"
    assert main(["export", "--to", "perfetto", "-o", str(tmp_path / "x"), str(log)]) == 2
    assert "no times" in capsys.readouterr().err


def test_memory_that_is_not_there(tmp_path, capsys, monkeypatch):
    """Polars ends the process where it gets none: it is asked before."""
    monkeypatch.setattr("rmitrace.export.parquet.NEEDED", 1 << 60)
    assert main(["export", "--to", "parquet", "-o", str(tmp_path / "out"), str(CONNECT)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["csv", "json", "perfetto", "parquet"])
def test_what_was_written_when_ctrl_c_came_is_a_file(tmp_path, capsys, monkeypatch, form):
    """The first 4096 calls of 9000, and nothing that is told of all."""
    path = tmp_path / "trace.txt"
    pair = "vmm-1 [000] ..... {0}.{1}: smc_enter: (f+0x0/0x30) x0=0xc4000150 x1={0:#x}\n" \
           "vmm-1 [000] ..... {0}.{2}: smc_exit: (g+0x0/0x30 <- f) x0=0x0\n"  # fmt: skip
    path.write_text("# tracer: nop\n" + "".join(pair.format(i, 1, 2) for i in range(1, 9001)))
    monkeypatch.setattr("rmitrace.export.parquet.AT_ONCE", 4096)
    going = Writing.going

    def interrupted(self: Writing, done: int) -> bool:
        if done >= 4096:
            signal.raise_signal(signal.SIGINT) if form != "parquet" else setattr(self._stop, "asked", True)
        return going(self, done)

    monkeypatch.setattr(Writing, "going", interrupted)
    out = tmp_path / "out"
    assert main(["export", "--no-cache", "--to", form, "-o", str(out), str(path)]) == 130
    assert f"stopped: {out} has the first 4,096 of 9,000 calls" in capsys.readouterr().err
    if form == "parquet":
        found = pl.read_parquet(out)["x1"].to_list()
    elif form == "perfetto":
        said = [{a.name: a.string_value for a in e.debug_annotations} for _, e, _ in perfetto(out)[1]]
        found = [int(s["x1"], 16) for s in said if "x1" in s]
    elif form == "csv":
        found = [int(row["x1"], 16) for row in csv.DictReader(out.open())]
    else:
        found = [int(c["x"][1], 16) for c in map(json.loads, out.open()) if c["type"] == "call"]
    assert found == list(range(1, 4097))
