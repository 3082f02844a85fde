"""Opening files: mapped, compressed, piped, cut, hostile."""

from __future__ import annotations

import gzip
import lzma
import mmap
import os
import subprocess
import sys

import pytest
import zstandard

from rmitrace.capture import source as source_module
from rmitrace.capture.errors import CaptureError
from rmitrace.capture.records import NO_TIME, Kind, RecordBuilder
from rmitrace.capture.source import open_source

TEXT = b"".join(b"line %d of a capture\n" % i for i in range(5000))


def test_a_plain_file_is_mapped_and_not_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    source = open_source(str(path), 0)
    assert isinstance(source.data, mmap.mmap)
    assert source.raw(5, 6) == TEXT[5:11]
    assert source.whole


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "xz", "zstd"])
def test_compressed_files_are_known_by_content(tmp_path, pack):
    path = tmp_path / "named.txt"
    path.write_bytes(pack(TEXT))
    assert bytes(open_source(str(path), 0).data) == TEXT


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gzip", "xz"])
def test_a_cut_archive_gives_what_is_there_and_says_so(tmp_path, pack):
    path = tmp_path / "cut"
    packed = pack(os.urandom(50_000) + TEXT)
    path.write_bytes(packed[: len(packed) // 2])
    source = open_source(str(path), 3)
    assert not source.whole
    assert [(f.rule, f.severity, f.source) for f in source.findings] == [("INPUT-CUT", "error", 3)]
    assert source.findings[0].offset == len(source.data)


def test_an_archive_bomb_stops_at_the_cap(tmp_path, monkeypatch):
    monkeypatch.setattr(source_module, "MIN_SUSPECT", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(32 << 20)))  # deflate reaches 1 to 1,000
    source = open_source(str(path), 0)
    assert len(source.data) < 16 << 20
    assert source.findings[0].rule == "INPUT-CUT"
    assert "limit" in source.findings[0].message


def test_a_preview_ends_on_a_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    source = open_source(str(path), 0, limit=1000)
    assert not source.whole
    assert len(source.data) <= 1000
    assert source.data[-1:] == b"\n"
    assert source.findings == []


def test_standard_input_is_read_and_unpacked(tmp_path):
    code = "from rmitrace.capture.source import open_source; s = open_source('-', 0); print(len(s.data), s.name)"
    for data in (TEXT, gzip.compress(TEXT)):
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        assert done.stdout.decode().strip() == f"{len(TEXT)} standard input"


def test_what_cannot_be_opened_is_one_line(tmp_path):
    with pytest.raises(CaptureError, match="No such file"):
        open_source(str(tmp_path / "no"), 0)
    with pytest.raises(CaptureError, match="folder"):
        open_source(str(tmp_path), 0)


def test_an_empty_file_opens(tmp_path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    assert len(open_source(str(path), 0).data) == 0


def test_the_span_is_of_the_records_that_have_a_time(monkeypatch):
    monkeypatch.setattr(source_module, "_AT_ONCE", 2)
    builder = RecordBuilder()
    for ts in (NO_TIME, 7, 3, NO_TIME, NO_TIME, 9, 4):
        builder.add(Kind.ENTER, 0, 1, ts=ts)
    assert source_module.Source("x", b"", records=builder.finish()).span_ns == (3, 9)
    assert source_module.Source("x", b"").span_ns is None
