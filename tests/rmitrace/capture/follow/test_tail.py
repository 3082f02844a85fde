"""The end of a file, FIFO or pipe: what is new is taken once, and another file in its place is noticed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from rmitrace.capture import CaptureError
from rmitrace.capture.follow import spool, tail
from rmitrace.capture.follow.tail import Tail


def taken(t: Tail) -> bytes:
    """All that came until there is nothing more."""
    before = t.spool.size
    while t.take():
        pass
    return bytes(t.spool.data()[before:])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as out:
        out.write(data)


def test_takes_what_is_new(file: Path) -> None:
    t = Tail(str(file))
    assert taken(t) == b"one\n"
    assert taken(t) == b""
    append(file, b"tw")
    assert taken(t) == b"tw"
    append(file, b"o\nthree\n")
    assert taken(t) == b"o\nthree\n"
    assert bytes(t.spool.data()) == b"one\ntwo\nthree\n"
    assert (t.ended, t.events, t.left()) == (False, [], 0)
    t.close()


def test_takes_a_big_file_in_chunks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "CHUNK", 1000)
    content = os.urandom(2500)
    file.write_bytes(content)
    t = Tail(str(file))
    assert t.take()
    assert t.left() == 1500
    assert taken(t) == content[1000:]
    assert bytes(t.spool.data()) == content


def test_copies_where_the_kernel_cannot(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(spool.os, "copy_file_range", refuse)
    assert taken(Tail(str(file))) == b"one\n"


def test_an_empty_file_may_grow(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"")
    t = Tail(str(tmp_path / "log"))
    assert taken(t) == b""
    append(tmp_path / "log", b"first\n")
    assert taken(t) == b"first\n"
    append(tmp_path / "log", b"second\n")
    assert taken(t) == b"second\n"


def test_a_file_that_is_cut_is_read_from_its_start(file: Path) -> None:
    t = Tail(str(file))
    taken(t)
    os.truncate(file, 0)
    taken(t)
    append(file, b"new\n")
    assert taken(t) == b"new\n"
    assert [(e.rule, e.at) for e in t.events] == [("SOURCE-CUT", 4)]
    assert str(file) in t.events[0].message


def test_a_file_that_was_cut_and_is_longer_again_is_noticed(file: Path) -> None:
    t = Tail(str(file))
    taken(t)
    file.write_bytes(b"other text, longer than before\n")
    assert taken(t) == b"other text, longer than before\n"
    assert [e.rule for e in t.events] == ["SOURCE-CUT"]


def test_the_rest_of_a_line_does_not_run_into_the_next_file(file: Path) -> None:
    append(file, b"half a li")
    t = Tail(str(file))
    taken(t)
    os.truncate(file, 0)
    append(file, b"new\n")
    taken(t)
    assert bytes(t.spool.data()) == b"one\nhalf a li\nnew\n"
    assert t.events[0].at == len(b"one\nhalf a li\n")


def test_a_replaced_file_is_read_to_its_end_and_then_the_new_one(file: Path, tmp_path: Path) -> None:
    t = Tail(str(file))
    taken(t)
    file.rename(tmp_path / "log.1")
    append(tmp_path / "log.1", b"last words\n")  # the writer has it still open
    assert taken(t) == b"last words\n"
    assert t.events == []  # no new one yet
    file.write_bytes(b"fresh\n")
    t.take()
    assert taken(t) == b"fresh\n"
    assert [(e.rule, e.at) for e in t.events] == [("SOURCE-REPLACED", len(b"one\nlast words\n"))]
    append(file, b"more\n")
    assert taken(t) == b"more\n"


def test_a_file_that_is_gone_may_come_back(file: Path) -> None:
    t = Tail(str(file))
    taken(t)
    file.unlink()
    assert taken(t) == b""
    file.write_bytes(b"back\n")
    t.take()
    assert taken(t) == b"back\n"


def test_a_fifo_ends_when_its_writers_have_closed_it(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    t = Tail(str(path))  # before there is a writer
    assert taken(t) == b""
    assert not t.ended
    a, b = (os.open(path, os.O_WRONLY) for _ in range(2))
    assert taken(t) == b""
    os.write(a, b"from a\n")
    os.write(b, b"from b\n")
    assert taken(t) == b"from a\nfrom b\n"
    os.close(a)
    assert taken(t) == b""
    assert not t.ended
    os.write(b, b"last\n")
    os.close(b)
    assert taken(t) == b"last\n"
    assert t.ended
    assert t.waits_on is None
    t.close()


def test_a_fifo_whose_writer_says_nothing_ends_too(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    t = Tail(str(path))
    os.close(os.open(path, os.O_WRONLY))
    taken(t)
    assert t.ended


class _Tracefs:
    """os as a file of tracefs behaves: no size, and what was read is gone; with O_NONBLOCK EAGAIN when there is nothing."""

    def __init__(self, chunks: list[bytes | None]) -> None:
        self.chunks = chunks

    def read(self, fd: int, size: int) -> bytes:
        if not self.chunks or self.chunks[0] is None:
            self.chunks[:1] = []
            raise BlockingIOError
        return self.chunks.pop(0) or b""


@pytest.mark.parametrize("first", [[], [None]])
def test_trace_pipe_has_no_size_and_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: list[None]) -> None:
    path = tmp_path / "trace_pipe"
    path.write_bytes(b"")
    t = Tail(str(path))
    monkeypatch.setattr(tail.os, "read", _Tracefs([*first, b"a 1\n", b"a 2\n", None, b"a 3\n"]).read)
    for _ in range(6):
        t.take()
    assert bytes(t.spool.data()) == b"a 1\na 2\na 3\n"
    assert not t.ended


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file"):
        Tail(str(tmp_path / "none"))
    with pytest.raises(CaptureError, match="is a folder"):
        Tail(str(tmp_path))


def test_standard_input_that_is_a_file_begins_where_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fd = os.open(file, os.O_RDONLY)
    saved = os.dup(0)
    try:
        os.dup2(fd, 0)
        os.lseek(0, 2, os.SEEK_SET)
        t = Tail("-")
        assert taken(t) == b"e\n"
        append(file, b"two\n")
        assert taken(t) == b"two\n"
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(fd)


def test_there_is_an_end_to_what_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MAX_UNPACKED", 10)
    t = Tail(str(file))
    taken(t)
    append(file, b"1234567")
    with pytest.raises(CaptureError, match="following ends here"):
        t.take()


def test_the_copy_has_no_name(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    t = Tail(str(file))
    assert taken(t) == b"one\n"
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["cache", "log", "rmitrace"]
