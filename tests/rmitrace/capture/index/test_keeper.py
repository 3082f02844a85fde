"""A capture out of its index is the capture as it was read; an index that does not fit is as if there were none."""

from __future__ import annotations

import dataclasses
import io
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace.capture import Capture, OpenOptions, open_capture, opening, reopen_capture
from rmitrace.capture.index import container, contents, folder, identity, keeper
from rmitrace.capture.messages import logs
from rmitrace.capture.packed import Column
from rmitrace.capture.records import COLUMNS
from rmitrace.export import jsonl

ROOT = Path(__file__).parents[4]
FTRACE = ROOT / "captures/ftrace/pdev-connect.trace.txt"
CONSOLE = ROOT / "captures/mixed/rme-uart0.log"
MAIL = ROOT / "captures/mixed/report-mail.txt"
PACKED = ROOT / "captures/rmm/tf-rmm-head-nominal.calls.jsonl.xz"
TRACE_DAT = ROOT / "captures/trace-dat/arrays.dat"
TRACE_DAT_PLAIN = ROOT / "captures/trace-dat/pdev-connect.dat"
PAGES = ROOT / "captures/raw-pages/trace_pipe_raw.cpu1.bin"
PCAP = ROOT / "captures/spdm/doe_v12_measall.pcap"
CACHED = OpenOptions(cache=True)
pytestmark = pytest.mark.usefixtures("cache")


def said(capture: Capture) -> str:
    """All that a capture says, as JSON lines."""
    out = io.StringIO()
    jsonl.write(capture, range(len(capture)), out)
    return out.getvalue()


def same_columns(a: Any, b: Any, names: Any) -> bool:
    return all(getattr(a, n).dtype == getattr(b, n).dtype and np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


def the_index(cache: Path) -> Path:
    (found,) = cache.iterdir()
    return found


@pytest.mark.parametrize(
    "paths",
    [[FTRACE], [FTRACE, CONSOLE], [PACKED], [MAIL], [TRACE_DAT], [TRACE_DAT_PLAIN], [PAGES], [PCAP], [TRACE_DAT, MAIL]],
    ids=["text", "two", "packed", "mail", "trace.dat", "trace.dat of version 6", "raw pages", "pcap", "binary and text"],
)
def test_a_capture_comes_out_as_it_was_read(paths: list[Path]) -> None:
    names = [str(p) for p in paths]
    read = open_capture(names)
    assert reopen_capture(names, CACHED) is None
    open_capture(names, CACHED)
    again = reopen_capture(names, CACHED)
    assert again is not None
    assert same_columns(read.calls, again.calls, contents.CALLS)
    for a, b in zip(read.sources, again.sources, strict=True):
        assert same_columns(a.records, b.records, (*COLUMNS, "regs"))
        facts = [{k: v for k, v in s.records.facts.items() if k != "detail"} for s in (a, b)]
        assert facts[0] == facts[1]
        assert (a.records.names, a.records.findings) == (b.records.names, b.records.findings)
        assert (a.path, a.format, a.reader, a.findings, a.data[:]) == (b.path, b.format, b.reader, b.findings, b.data[:])
    for name in ("names", "services", "statuses", "reading", "duplicates", "options", "complete", "revision"):
        assert getattr(read, name) == getattr(again, name), name
    assert read.revision.signs == again.revision.signs
    assert said(read) == said(again)


def test_without_the_formats_that_raw_pages_were_read_with_they_are_read_again(tmp_path: Path) -> None:
    shutil.copytree(PAGES.parent, tmp_path / "pages")
    path = str(tmp_path / "pages" / PAGES.name)
    open_capture([path], CACHED)
    assert reopen_capture([path], CACHED) is not None
    with (tmp_path / "pages/events/header_page").open("a") as out:
        out.write("\n")
    tried = keeper.Keeper([path], CACHED)
    assert tried.load() is None
    assert "other event formats" in tried.problem
    assert len(open_capture([path], CACHED)) == len(open_capture([str(PAGES)]))
    assert reopen_capture([path], CACHED) is not None


def test_times_in_ticks_are_not_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are in no column, and a record is shown with them."""
    from tests.rmitrace.formats import trace_dat_build as build

    record = build.event(build.record(1500, 7, 1, 0xC4000150, 0x20000))
    trace = build.Trace([build.probe_format("smc_enter", 1500, ["a0", "a1"])], {0: build.page(5, record)}, clock="counter")
    path = tmp_path / "ticks.dat"
    path.write_bytes(build.v7(trace))
    read = open_capture([str(path)], CACHED)
    assert len(read) == 1
    assert not contents.fits(read)
    assert reopen_capture([str(path)], CACHED) is None


def test_every_column_of_calls_and_records_is_kept() -> None:
    assert set(contents.CALLS) == {f.name for f in dataclasses.fields(opening.Calls)}


def test_it_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    open_capture([str(FTRACE)], CACHED)
    monkeypatch.setattr(opening, "_read", lambda *a: pytest.fail("read again"))
    assert len(open_capture([str(FTRACE)], CACHED)) == len(open_capture([str(FTRACE)], CACHED))


def test_small_files_and_standard_input_have_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SMALLEST", FTRACE.stat().st_size + 1)
    open_capture([str(FTRACE)], CACHED)
    assert list(cache.iterdir()) == []
    monkeypatch.setattr(keeper, "SMALLEST", FTRACE.stat().st_size)
    open_capture([str(FTRACE)], CACHED)
    assert the_index(cache)
    assert reopen_capture(["-"], CACHED) is None


def test_a_fifo_has_none_and_is_not_read_for_it(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    assert reopen_capture([str(fifo)], CACHED) is None


def test_other_options_have_another_index(cache: Path) -> None:
    a = open_capture([str(FTRACE)], CACHED)
    b = open_capture([str(FTRACE)], OpenOptions(cache=True, abi="2.0-bet1"))
    assert (a.revision.core, b.revision.core) == ("2.0-bet3", "2.0-bet1")
    assert len(list(cache.iterdir())) == 2
    for options, core in ((CACHED, "2.0-bet3"), (OpenOptions(cache=True, abi="2.0-bet1"), "2.0-bet1")):
        again = reopen_capture([str(FTRACE)], options)
        assert again is not None
        assert again.revision.core == core


def test_secrets_are_not_in_it() -> None:
    """Keys may be given another time, or not: what they open is worked out from the capture each time."""
    open_capture([str(PACKED)], OpenOptions(cache=True, keys="PSK * 00ff", show_secrets=True))
    again = reopen_capture([str(PACKED)], CACHED)
    assert again is not None
    assert (again.options.keys, again.options.show_secrets) == (None, False)


# -- out of date


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "trace.txt"
    path.write_bytes(FTRACE.read_bytes())
    open_capture([str(path)], CACHED)
    assert reopen_capture([str(path)], CACHED) is not None
    return path


def test_after_appending_it_is_out_of_date(copy: Path) -> None:
    n = len(open_capture([str(copy)], CACHED))
    lines = copy.read_text().splitlines(keepends=True)
    with copy.open("a") as out:
        out.writelines(lines[-2:])
    assert reopen_capture([str(copy)], CACHED) is None
    assert len(open_capture([str(copy)], CACHED)) == n + 1
    again = reopen_capture([str(copy)], CACHED)
    assert again is not None
    assert len(again) == n + 1


@pytest.mark.parametrize("place", ["middle", "head", "tail"])
def test_after_a_change_that_keeps_size_and_time_it_is_out_of_date(copy: Path, place: str) -> None:
    before = copy.stat()
    text = bytearray(copy.read_bytes())
    at = {"middle": text.find(b"a1=0x", len(text) // 2), "head": 2, "tail": len(text) - 2}[place]
    with copy.open("r+b") as out:
        out.seek(at)
        out.write(b"9")
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (copy.stat().st_size, copy.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert reopen_capture([str(copy)], CACHED) is None


def test_head_tail_and_samples_tell_where_times_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without times of its own: a big change anywhere shows."""
    path = tmp_path / "trace.txt"
    path.write_bytes(FTRACE.read_bytes())

    def no_times(p: str) -> identity.Stamp | None:
        found = stamp(p)
        return found and found._replace(mtime_ns=0, ctime_ns=0)

    stamp = identity.stamp
    monkeypatch.setattr(identity, "stamp", no_times)
    open_capture([str(path)], CACHED)
    assert reopen_capture([str(path)], CACHED) is not None
    path.write_bytes(FTRACE.read_bytes().replace(b"c4000150", b"c4000151"))
    assert reopen_capture([str(path)], CACHED) is None


def test_a_file_that_was_just_written_has_none(copy: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a tick of the file system's clock two changes have one time."""
    folder.clear()
    monkeypatch.setattr(identity, "_SETTLED_NS", 10**12)
    open_capture([str(copy)], CACHED)
    assert list(cache.iterdir()) == []


def test_a_file_that_grows_while_it_is_read_has_none(copy: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.clear()
    read = opening._read

    def grows(*args: Any) -> None:
        read(*args)
        with copy.open("a") as out:
            out.write("\n")

    monkeypatch.setattr(opening, "_read", grows)
    open_capture([str(copy)], CACHED)
    assert list(cache.iterdir()) == []


def test_another_program_does_not_use_it(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "program", lambda: "another version")
    assert reopen_capture([str(copy)], CACHED) is None


def test_the_program_is_told_by_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "decoders" / "rmi.py"
    module.parent.mkdir()
    module.write_text("")
    monkeypatch.setattr(identity.rmitrace, "__file__", str(tmp_path / "rmitrace" / "__init__.py"))
    was = identity.program.__wrapped__()
    assert identity.program.__wrapped__() == was
    module.write_text("# changed")
    assert identity.program.__wrapped__() != was


# -- hostile


@pytest.mark.usefixtures("piece")
def test_flipped_and_cut_indexes_give_the_right_capture(cache: Path) -> None:
    """Whatever happens to the file: the capture is right, and the index is made again."""
    right = said(open_capture([str(FTRACE)], CACHED))
    file = the_index(cache)
    good = file.read_bytes()
    random.seed(4)
    places = [*range(0, 64, 7), *random.sample([i for i in range(64, len(good)) if good[i]], 40), len(good) // 2]
    refused = 0
    for at in places:
        file.write_bytes(good[:at] + bytes([good[at] ^ random.randrange(1, 256)]) + good[at + 1 :])
        again = reopen_capture([str(FTRACE)], CACHED)
        refused += again is None
        assert again is None or said(again) == right, at
    for size in (0, 1, 63, 64, 4095, 4096, 5000, len(good) // 2, len(good) - 1):
        file.write_bytes(good[:size])
        assert reopen_capture([str(FTRACE)], CACHED) is None
    assert refused > 10
    assert said(open_capture([str(FTRACE)], CACHED)) == right
    assert file.read_bytes() == good
    assert reopen_capture([str(FTRACE)], CACHED) is not None


@pytest.mark.parametrize("damage", ["cut", "flipped", "of another version", "empty", "text"])
def test_what_is_damaged_is_said_once_and_made_again(cache: Path, damage: str) -> None:
    open_capture([str(FTRACE)], CACHED)
    file = the_index(cache)
    good = file.read_bytes()
    versions = {"of another version": good[:16] + b"\1" + good[17:], "empty": b"", "text": b"rmitrace" * 1000}
    file.write_bytes(versions.get(damage, good[: len(good) // 2] if damage == "cut" else good[:4096] + b"\xee" + good[4097:]))
    notes: list[str] = []
    options = dataclasses.replace(CACHED, note=notes.append)
    assert len(open_capture([str(FTRACE)], options)) == len(open_capture([str(FTRACE)]))
    (note,) = notes
    assert FTRACE.name in note
    assert "not used" in note
    assert file.read_bytes() == good
    assert reopen_capture([str(FTRACE)], options) is not None
    assert len(notes) == 1


def test_nothing_is_said_of_an_index_that_is_out_of_date(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes() + b"\n")
    notes: list[str] = []
    open_capture([str(copy)], dataclasses.replace(CACHED, note=notes.append))
    assert notes == []


def test_an_index_of_another_file_in_its_place_is_not_used(cache: Path, copy: Path) -> None:
    mine = the_index(cache)
    open_capture([str(CONSOLE)], CACHED)
    (other,) = (p for p in cache.iterdir() if p != mine)
    mine.write_bytes(other.read_bytes())
    assert reopen_capture([str(copy)], CACHED) is None
    assert len(open_capture([str(copy)], CACHED)) == len(open_capture([str(FTRACE)]))


NUMBERS = [
    ("0.name", 1 << 20),
    ("0.name", -2),
    ("0.kind", 0),
    ("0.kind", 200),
    ("0.offset", -1),
    ("0.offset", 1 << 40),
    ("0.length", -1),
    ("0.known", 1 << 31),
    ("call.enter", 1 << 40),
    ("call.exit", -2),
    ("call.source", 1),
    ("call.source", -1),
    ("call.name", 1 << 20),
    ("call.name", -1),
    ("call.service", 999),
    ("call.status", -2),
    ("call.paired", 4),
    ("call.parent", 1 << 40),
    ("call.dur", -2),
]


def _forge(cache: Path, change: Any) -> None:
    """The index of FTRACE with right checksums and another content."""
    file = the_index(cache)
    found = container.read(str(file))
    names = [n for n in found._table if not n.endswith(container.SIZES)]
    columns = {n: found.values(n, np.dtype(found._table[n][0])) for n in names}
    meta = found.meta
    change(meta, columns)
    container.write(str(file), found.key, meta, columns)
    found.close()


@pytest.fixture(params=[Column.PIECE, 16])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns of one piece that is not full, or of many: what is said of those is looked at without unpacking them."""
    monkeypatch.setattr(Column, "PIECE", request.param)


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("column", "value"), NUMBERS)
def test_numbers_out_of_bounds_are_refused(cache: Path, column: str, value: int, plain: bool) -> None:
    open_capture([str(FTRACE)], CACHED)

    def change(meta: Any, columns: Any) -> None:
        if plain:
            columns[column] = np.asarray(columns[column]).copy()
        columns[column][3] = value

    _forge(cache, change)
    tried = keeper.Keeper([str(FTRACE)], CACHED)
    assert tried.load() is None
    assert column.split(".")[0] in tried.problem


@pytest.mark.usefixtures("piece")
def test_a_call_without_records_is_refused(cache: Path) -> None:
    open_capture([str(FTRACE)], CACHED)

    def change(meta: Any, columns: Any) -> None:
        columns["call.enter"][0] = columns["call.exit"][0] = -1

    _forge(cache, change)
    assert reopen_capture([str(FTRACE)], CACHED) is None


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("calls",), 7),
        (("calls",), -1),
        (("calls",), True),
        (("names",), [1]),
        (("names",), None),
        (("sources",), []),
        (("sources", 0), None),
        (("sources", 0, "format"), "no such format"),
        (("sources", 0, "records"), 1 << 60),
        (("sources", 0, "facts"), []),
        (("sources", 0, "findings"), [["A", "fatal", "x", 0, 0, None, [], ""]]),
        (("reading",), [["A", "note", "x", 9, 0, None, [], ""]]),
        (("reading",), [["A", "note", "x", 0, 0, None, [1 << 50], ""]]),
        (("reading",), [["A", "note"]]),
        (("revision", "core"), "9.9"),
        (("revision",), {}),
        (("duplicates",), "3"),
    ],
)
def test_a_table_of_another_shape_is_refused(cache: Path, where: tuple[Any, ...], value: Any) -> None:
    open_capture([str(FTRACE)], CACHED)

    def change(meta: Any, columns: Any) -> None:
        for key in where[:-1]:
            meta = meta[key]
        meta[where[-1]] = value

    _forge(cache, change)
    assert reopen_capture([str(FTRACE)], CACHED) is None


# -- what is found out later


def test_where_messages_are_is_kept_and_only_looked_at_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console log in which libspdm names its messages: found again, without a look at the rest of the log."""
    path = str(ROOT / "captures/rmm/tf-rmm-head-loglevel40.log")
    text = Path(path).read_bytes()
    read = open_capture([path], CACHED)
    assert read.keeper is not None
    titles = [m.title for m in read.conversations.decode()]
    assert len(titles) > 10
    read.keeper.learn(read)
    again = reopen_capture([path], CACHED)
    assert again is not None
    talk = again.sources[0].talk
    assert talk is not None
    assert text[talk[0] - 1 : talk[0]] in (b"", b"\n")
    assert text[talk[1] - 1 : talk[1]] == b"\n"
    assert 0 < talk[1] - talk[0] < len(text)
    assert talk[0] <= text.find(b"spdm_send_spdm_request") < text.rfind(b"spdm_receive_spdm_response") < talk[1]
    assert [m.title for m in again.conversations.decode()] == titles
    nothing = open_capture([str(MAIL)], CACHED)
    assert nothing.conversations.all == []
    assert nothing.keeper is not None
    nothing.keeper.learn(nothing)
    again = reopen_capture([str(MAIL)], CACHED)
    assert again is not None
    assert again.sources[0].talk == (0, 0)
    monkeypatch.setattr(
        logs, "hex_lines", lambda data, start, end: iter(()) if (start, end) == (0, 0) else pytest.fail("scanned")
    )
    assert again.conversations.all == []


@pytest.mark.parametrize("value", [[[0, 1 << 50]], [[5]], [], [None, None], {}, None, [[-1, 4]], [[9, 4]]])
def test_what_was_found_out_later_is_checked(cache: Path, value: Any) -> None:
    read = open_capture([str(MAIL)], CACHED)
    assert read.keeper is not None
    assert read.conversations.all == []
    read.keeper.learn(read)
    (file,) = cache.glob("*" + keeper.LATER)
    container.write(str(file), container.key_of(str(file))[0], {"talk": value}, {})
    again = reopen_capture([str(MAIL)], CACHED)
    assert again is not None
    assert again.sources[0].talk is None


def test_two_at_a_time_leave_one_whole_index(cache: Path) -> None:
    """Written beside and then renamed: a reader sees the old one or the new one."""
    open_capture([str(FTRACE)], CACHED)
    open_before = container.read(str(the_index(cache)))
    tried = keeper.Keeper([str(FTRACE)], CACHED)
    assert tried.save(open_capture([str(FTRACE)]))
    assert open_before.values("call.enter", np.int64).tolist() == open_capture([str(FTRACE)]).calls.enter.tolist()
    open_before.close()
    assert the_index(cache)


def test_a_folder_that_cannot_be_written_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "not-a-folder").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not-a-folder"))
    assert len(open_capture([str(FTRACE)], CACHED)) == len(open_capture([str(FTRACE)]))


def test_over_the_limit_nothing_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMITRACE_CACHE_LIMIT", "0")
    open_capture([str(FTRACE)], CACHED)
    assert list(cache.iterdir()) == []


def test_use_is_noted(copy: Path, cache: Path) -> None:
    file = the_index(cache)
    os.utime(file, (1, 1))
    assert reopen_capture([str(copy)], CACHED) is not None
    assert file.stat().st_mtime > time.time() - 60
