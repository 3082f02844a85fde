"""Every command and form on captures that try to act on whoever looks at them: no sink lets anything through alive."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import struct
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from google.protobuf.message import Message
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

from rmitrace.__main__ import main
from rmitrace.capture import open_capture
from rmitrace.compare import compare_captures
from rmitrace.tui.comparison import ComparisonApp
from tests.rmitrace import hostile
from tests.rmitrace.hostile import ACTS, CAPTURES, NAME
from tests.rmitrace.tui.driver import running
from tests.rmitrace.tui.test_trust import cells

MADE = {
    "ftrace": hostile.trace,
    "console": hostile.console,
    "uart": hostile.uart,
    "emulator": hostile.emulator_run,
    "packets": hostile.conversation,
}
TEXT = ("ftrace", "rmm-console", "perf-script", "bpftrace", "qemu-log", "qemu-int", "qemu-simple", "spdm-log", "calls-jsonl")
"""Formats that are text, or can be."""


def one_of_each() -> list[Path]:
    """The smallest text sample of each format."""
    found: dict[str, Path] = {}
    for about in sorted(CAPTURES.glob("*/*.toml"), key=lambda p: p.with_suffix("").stat().st_size):
        form, path = tomllib.loads(about.read_text())["format"], about.with_suffix("")
        if form in TEXT and path.suffix not in (".trace", ".xz"):
            found.setdefault(form, path)
    return [found[f] for f in sorted(found)] + [CAPTURES / "mixed" / "report-mail.txt"]


COMMANDS = (
    ("decode",),
    ("decode", "--why", "--failed"),
    ("decode", "--format", "json"),
    ("decode", "--format", "csv"),
    ("stats",),
    ("stats", "--format", "json"),
    ("stats", "--format", "csv"),
    ("check",),
    ("check", "--format", "json"),
    ("check", "--format", "sarif"),
    ("check", "--format", "junit"),
    ("view", "--text"),
    ("messages",),
    ("messages", "--format", "json"),
    ("explain",),
    ("formats",),
    ("abi", "of"),
    ("query", "SELECT * FROM findings"),
    ("query", "--format", "csv", "SELECT seq, task, name, args FROM calls"),
    ("export", "--to", "json", "-o", "-"),
    ("export", "--to", "csv", "-o", "-"),
    ("report",),
    ("report", "--redact", "all"),
    ("report", "--redact", "none", "--format", "markdown"),
)


def test_findings_quote_canaries(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without that the forms of `check` would be tested on nothing."""
    path = tmp_path / "uart.log"
    path.write_bytes(hostile.uart())
    main(["check", "--format", "sarif", str(path)])
    assert "<script>alert(1)</script>" in capfd.readouterr().out


def check(command: tuple[str, ...], out: str) -> None:
    """What a form has to hold for what reads it."""
    assert not ACTS.search(out), (command, ACTS.search(out))
    form = command[command.index("--format") + 1] if "--format" in command else ""
    if command[0] == "report":
        (hostile.check_markdown if form == "markdown" else hostile.check_html)(out)
    elif form == "json" or command[:3] == ("export", "--to", "json"):
        at, read = 0, json.JSONDecoder()
        while at < len(out):
            at = read.raw_decode(out, at)[1] + 1
    elif form == "sarif":
        texts = re.findall(r'"text": "(.*)"', out)
        assert not any(re.search(r"(?<!\\)\]\(", t.replace("\\\\", "\\")) for t in texts)  # 3.11.6: links in messages
    elif form == "junit":
        tags = {e.tag for e in ET.fromstring(out).iter()}
        assert tags <= {"testsuites", "testsuite", "testcase", "failure", "system-out", "system-err", "skipped"}
    elif form == "csv" or command[:3] == ("export", "--to", "csv"):
        rows = list(csv.reader(io.StringIO(out)))
        assert len({len(r) for r in rows}) <= 1
        assert not any(cell.startswith(("=", "+", "@")) for r in rows for cell in r)


@pytest.fixture(params=[*MADE, *(pytest.param(p.name, marks=pytest.mark.slow) for p in one_of_each())])
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A hostile capture with a hostile name."""
    made = MADE.get(request.param)
    data = made() if made is not None else hostile.poisoned(next(p for p in one_of_each() if p.name == request.param))
    path = tmp_path / NAME
    path.write_bytes(data)
    return path


def test_every_command_and_form(capture: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    for command in COMMANDS:
        status = main([*command, str(capture)])
        sys.stdout.flush()
        seen = capfd.readouterr()
        assert status in (0, 1, 2, 3), (command, seen.err)
        assert "internal error" not in seen.err, (command, seen.err)
        assert not ACTS.search(seen.err), (command, seen.err)
        if status != 2:
            check(command, seen.out)
            read += 1
    assert read > len(COMMANDS) // 2, "the capture was not read: nothing was tested"


FILES = (
    ("perfetto",),
    ("pcapng",),
    ("pcap",),
    *(("parquet", "--table", t) for t in ("calls", "messages", "sequences", "states", "findings")),
)
ALWAYS = {
    "ftrace": ("perfetto", "parquet"),
    "emulator": ("perfetto", "pcapng", "pcap", "parquet"),
    "packets": ("pcapng", "parquet"),
}
"""What can be made of a capture at least; of the others it is tables."""


def texts(path: Path, form: str) -> Iterator[str]:
    """Every text in a file for another program, taken out with the library of its format, or by hand."""
    if form == "parquet":
        frame = pl.read_parquet(path)
        yield from (v for c in frame.columns if frame[c].dtype == pl.String for v in frame[c].drop_nulls())
    elif form == "perfetto":
        trace = Trace()
        trace.ParseFromString(path.read_bytes())
        yield from strings(trace)
    elif form == "pcapng":  # draft-ietf-opsawg-pcapng: blocks of type, length, body; options of code, length, value
        data, at = path.read_bytes(), 0
        while at < len(data):
            kind, size = struct.unpack_from("<II", data, at)
            body = {0x0A0D0D0A: 24, 1: 16, 6: 28}[kind]
            captured = struct.unpack_from("<I", data, at + 20)[0] if kind == 6 else 0
            option, end = at + body + captured + -captured % 4, at + size - 4
            while option < end:
                code, length = struct.unpack_from("<HH", data, option)
                if code in (1, 2, 4) and not (kind == 6 and code == 2):  # comment, name, program; of a packet 2 are flags
                    yield data[option + 4 : option + 4 + length].decode()
                option += 4 + length + -length % 4
            at += size


def strings(message: Message) -> Iterator[str]:
    """The texts in a protocol buffer."""
    for _, value in message.ListFields():
        for v in (value,) if isinstance(value, Message | str | bytes | int | float) else value:
            if isinstance(v, Message):
                yield from strings(v)
            elif isinstance(v, str):
                yield v


def test_every_file_for_another_program(capture: Path, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> None:
    made = set()
    for form, *more in FILES:
        out = capture.parent / "out"
        status = main(["export", "--to", form, *more, "-o", str(out), str(capture)])
        seen = capfd.readouterr()
        assert status in (0, 2, 3), (form, seen.err)
        assert "internal error" not in seen.err, (form, more, seen.err)
        assert not ACTS.search(seen.out + seen.err), form
        if status != 2:
            made.add(form)
            found = [t for t in texts(out, form) if ACTS.search(t)]
            assert not found, (form, more, found[:3])
    assert made >= set(ALWAYS.get(request.node.callspec.params["capture"], ("parquet",)))


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_as_it_happens(capture: Path, form: str, capfd: pytest.CaptureFixture[str]) -> None:
    pipe = capture.parent / f"f{NAME}"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(capture.read_bytes()))
    writer.start()
    status = main(["decode", "-f", "--format", form, str(pipe)])
    writer.join()
    sys.stdout.flush()
    seen = capfd.readouterr()
    assert status in (0, 2, 3), seen.err
    assert "internal error" not in seen.err, seen.err
    assert not ACTS.search(seen.err)
    assert seen.out or status == 2
    check(("decode", "--format", form), seen.out)


def test_two_of_them_compared(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / NAME, tmp_path / f"b{NAME}"
    a.write_bytes(hostile.trace())
    b.write_bytes(hostile.trace().replace(b"a0=0x1 ", b"a0=0x3 "))
    for form in ("text", "json"):
        assert main(["diff", "--format", form, str(a), str(b)]) in (0, 1)
        seen = capfd.readouterr()
        assert seen.out
        assert not ACTS.search(seen.out + seen.err)


@pytest.mark.parametrize("name", ["ftrace", "console", "emulator"])
async def test_two_of_them_side_by_side(name: str, tmp_path: Path) -> None:
    paths = tmp_path / NAME, tmp_path / f"b{NAME}"
    data = MADE[name]()
    paths[0].write_bytes(data)
    changed = {"ftrace": (b"a0=0x1 ", b"a0=0x3 "), "console": (b"RMI_ERROR_DEVICE", b"RMI_SUCCESS"), "emulator": (b"0x0", b"0x1")}
    paths[1].write_bytes(data.replace(*changed[name]))
    compared = compare_captures(*(open_capture([str(p)]) for p in paths))
    assert compared.differing
    app = ComparisonApp(compared)
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        for keys in (["n"], ["n", "n"], ["tab", "j"], ["tab", "f"], ["!"], ["G"], ["g"], ["question_mark"]):
            await pilot.press(*keys)
            await pilot.pause()
            drawn = "".join(s.text for line in app.screen._compositor.render_strips() for s in line)
            assert drawn.strip()
            assert not ACTS.search(drawn), (keys, ACTS.search(drawn))


def test_words_of_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What a user, or a script, pastes into a command is as little to be trusted."""
    good = str(CAPTURES / "ftrace" / "pdev-connect.trace.txt")
    groups = [hostile.CANARIES[i : i + 8] for i in range(0, len(hostile.CANARIES), 8)]
    for word in ("".join(g).replace("\0", "") for g in groups):
        for line in (
            ["decode", str(tmp_path / word.replace("/", ""))],
            ["decode", "--where", word, good],
            ["decode", "--status", word, good],
            ["decode", "--object", word, good],
            ["decode", "--abi", word, good],
            ["check", "--rule", word, good],
            ["query", word, good],
            ["explain", word],
            ["report", "--redact", word, good],
            ["abi", "show", word],
            [word],
        ):
            main(line)
            seen = capfd.readouterr()
            assert "internal error" not in seen.err, (line, seen.err)
            assert not ACTS.search(seen.out + seen.err), line


@pytest.mark.parametrize("name", list(MADE))
async def test_the_viewer(name: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(MADE[name]())
    async with running(open_capture([str(path)]), size=(160, 40)) as d:
        for keys in (["j", "j"], ["a", "tab", "a"], ["tab"], ["escape", "]", "]"], ["!"], ["escape", "G"], ["y"], ["c", "x"]):
            await d.press(*keys)
            drawn = cells(d)
            assert not ACTS.search(drawn), (keys, ACTS.search(drawn))
            assert not ACTS.search(d.app.clipboard)
