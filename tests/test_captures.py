"""The menagerie: every sample capture is described, recognised, counted, and survives cutting and mutation."""

from __future__ import annotations

import io
import lzma
import random
import re
import shutil
import time
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rmitrace.capture import Capture, CaptureError, OpenOptions, open_capture
from rmitrace.export import csv, jsonl, text, timeline

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "captures"
DESCRIPTIONS = sorted(FOLDER.glob("*/*.toml"))
SAMPLES = sorted(p for p in FOLDER.glob("*/*") if p.suffix != ".toml" and p.is_file())
NEEDS = {"perf-data": "perf"}
"""Formats that are read through a program, and that program."""
KEYS = {"title": str, "format": str, "origin": str, "revision": str, "shows": str, "licence": str}
MAX_SIZE = 400 << 10
WINDOW = 16 << 10
"""Bytes of a capture that are mutated at a time."""


def name(path: Path) -> str:
    return str(path.relative_to(FOLDER))


def need_program(path: Path) -> None:
    """Skip the test where the program that reads the sample is missing."""
    program = NEEDS.get(describe(path)["format"])
    if program is not None and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def describe(path: Path) -> dict:
    return tomllib.loads(path.with_name(path.name + ".toml").read_text())


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.LZMADecompressor().decompress(data) if path.suffix == ".xz" else data  # one file is cut on purpose


def one_line(e: CaptureError) -> None:
    assert str(e)
    assert "\n" not in str(e)


def check_sound(capture: Capture) -> None:
    """Every record lies inside its file, and every call can be written in every form."""
    for source in capture.sources:
        rec = source.records
        assert (rec.offset >= 0).all()
        assert (rec.length >= 0).all()
        assert (rec.offset + rec.length <= len(source.data)).all()
    seqs = range(len(capture.calls))
    for writer in (text, jsonl, csv):
        out = io.StringIO()
        writer.write(capture, seqs, out)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.getvalue()), writer.__name__
    timeline.write(capture, io.StringIO(), 80)


def test_there_are_captures() -> None:
    assert len(SAMPLES) >= 20


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_described(path: Path) -> None:
    d = describe(path)
    assert {k: type(d.get(k)) for k in KEYS} == KEYS
    assert d["licence"] == "Apache-2.0"
    assert d["title"]
    assert d["shows"]
    assert path.stat().st_size <= MAX_SIZE


def test_descriptions_describe_something() -> None:
    assert [name(d) for d in DESCRIPTIONS if not d.with_suffix("").is_file()] == []


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_recognised_and_counted(path: Path) -> None:
    need_program(path)
    d = describe(path)
    capture = open_capture([str(path)], OpenOptions())
    assert capture.sources[0].format == d["format"]
    check_sound(capture)
    calls = d.get("expect", {}).get("calls")
    if calls is not None:
        assert len(capture.calls) == calls


def test_listed() -> None:
    """captures/README.md says what the descriptions say."""
    spec = spec_from_file_location("index", FOLDER / "index.py")
    assert spec is not None
    assert spec.loader is not None
    index = module_from_spec(spec)
    spec.loader.exec_module(index)
    listing = (FOLDER / "README.md").read_text()
    assert listing == index.table(), "run python captures/index.py"
    assert all(f"`{name(p)}`" in listing for p in SAMPLES)


def test_covers_the_formats_and_revisions() -> None:
    from rmitrace.formats import registry

    described = [describe(p) for p in SAMPLES]
    assert {f.name for f in registry.formats()} <= {d["format"] for d in described}
    assert {"1.0", "1.1", "2.0"} <= {d["revision"][:3] for d in described}


def mutations(data: bytes, seed: str) -> list[bytes]:
    """The same capture cut short, with bytes flipped, lines dropped, doubled, joined and broken, and other text in between."""
    rng = random.Random(seed)
    if len(data) > WINDOW:
        start = data.rfind(b"\n", 0, rng.randrange(len(data) - WINDOW)) + 1
        data = data[: 2 << 10] + data[start : start + WINDOW]
    out = [data[: rng.randrange(len(data))], data[rng.randrange(len(data)) :]]
    for share in (1000, 50):
        flipped = bytearray(data)
        for _ in range(max(1, len(data) // share)):
            flipped[rng.randrange(len(flipped))] = rng.randrange(256)
        out.append(bytes(flipped))
    lines = data.splitlines(keepends=True)
    rng.shuffle(lines)
    out.append(b"".join(lines))
    broken = data.splitlines(keepends=True)
    for _ in range(max(1, len(broken) // 10)):
        i = rng.randrange(len(broken))
        at = rng.randrange(len(broken[i]) + 1)
        insert = rng.choice(
            [b"\n", b"\r\n", b"[   12.345678] kvm: hello\n", b"\x00" * 9, b"\x1b[2J", b"> ", b"9" * 30, b"\xe2\x80\xae"]
        )
        broken[i] = broken[i][:at] + insert + broken[i][at:]
    out.append(b"".join(broken))
    out.append(data.replace(b"\n", b""))
    out.append(data.replace(b"0x", b"0x" + b"f" * 20))
    return out


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_survives_damage(path: Path, tmp_path: Path) -> None:
    """Recognised or refused in one line, in time; never an exception, never a record outside the file."""
    for i, data in enumerate(mutations(unpacked(path), name(path))):
        file = tmp_path / f"{i}.txt"
        file.write_bytes(data)
        told = describe(path)["format"] if i % 2 else None
        began = time.process_time()
        try:
            capture = open_capture([str(file)], OpenOptions(source_format=told))
        except CaptureError as e:
            one_line(e)
            continue
        check_sound(capture)
        assert time.process_time() - began < 10, (i, len(data))


@pytest.mark.parametrize("path", [p for p in SAMPLES if p.suffix == ".xz"], ids=name)
def test_survives_a_damaged_archive(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()
    rng = random.Random(name(path))
    for i in range(4):
        cut = data[: rng.randrange(8, len(data))] if i % 2 else bytes(b ^ (rng.random() < 0.001) for b in data)
        file = tmp_path / f"{i}.xz"
        file.write_bytes(cut)
        try:
            check_sound(open_capture([str(file)], OpenOptions()))
        except CaptureError as e:
            one_line(e)
