"""A capture that grows, part by part and as a whole, is the capture that is read at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmitrace.capture import Capture, CaptureError, OpenOptions, open_capture
from rmitrace.capture.follow import feed
from rmitrace.capture.follow.growing import CONTEXT
from rmitrace.capture.follow.live import Live, Part
from rmitrace.export.text import call_text

ROOT = Path(__file__).parents[4] / "captures"
FTRACE = ROOT / "ftrace/pdev-connect.trace.txt"
CONSOLE = ROOT / "rmm/tf-rmm-head-loglevel40.log"
MANY = (
    "ftrace/lost.trace_pipe.txt",
    "ftrace/connect.trace.txt",
    "ftrace/graph-two-cpus.trace.txt",
    "perf/script-x0-x17.txt",
    "bpftrace/regs-r.txt",
    "mixed/report-ci.txt",
    "mixed/doe-kernel.log",
    "qemu/trace-log-timestamp.txt",
    "qemu/execlog.txt",
    "qemu/d-int-cpu-rmi.txt",
)


@pytest.fixture(autouse=True)
def never_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time does not decide in these tests."""
    monkeypatch.setattr(feed, "QUIET_S", 1e9)


def pieces(data: bytes, seed: str, sizes: tuple[int, ...] = (60, 3000, 12000)) -> Iterator[bytes]:
    choose = random.Random(seed)
    at = 0
    while at < len(data):
        size = choose.choice(sizes)
        yield data[at : at + size]
        at += size


class Followed:
    """Files that a test writes to, and the calls that were given out: number -> what is said of each."""

    def __init__(self, tmp_path: Path, *names: str, options: OpenOptions | None = None) -> None:
        self.paths = [tmp_path / n for n in names]
        for p in self.paths:
            p.write_bytes(b"")
        self.live = Live([str(p) for p in self.paths], options)
        self.calls: dict[int, tuple[int, int, int | None, str]] = {}
        self.parents: dict[int, int] = {}
        self.messages: list[tuple[int | None, str]] = []
        self.revisions: list[str] = []

    def write(self, data: bytes, file: int = 0) -> list[int]:
        """Write, and take what that gives; the numbers of the new calls."""
        with self.paths[file].open("ab") as out:
            out.write(data)
        return self.take(self.live.step())

    def take(self, part: Part | None) -> list[int]:
        if part is None:
            return []
        numbers = []
        for seq in part.new.tolist():
            call, n = part.capture.call(seq), part.capture.number(seq)
            self.calls[n] = (call.source, call.offset, call.exit_offset, call_text(part.capture, seq))
            numbers.append(n)
            if call.parent is not None:
                self.parents[n] = part.capture.number(call.parent)
            self.messages += [(m.place.call, m.title) for m in self.live.talk.by_call.get(seq, ())]
        self.messages += [(m.place.call, m.title) for m in self.live.talk.alone]
        if part.revised:
            self.revisions.append(part.capture.revision.name)
        return numbers

    def end(self) -> Capture:
        for g in self.live.sources:
            while g.tail.take():
                pass
            g.tail.ended = True
        while not self.live.ended or (part := self.live.step(end=True)) is not None:
            self.take(part if self.live.ended else self.live.step())
        return self.live.finish(stopped=False)


def said(capture: Capture) -> list[tuple[int, int, int | None, str]]:
    calls = [(capture.call(s), call_text(capture, s)) for s in range(len(capture))]
    return sorted(((c.source, c.offset, c.exit_offset, text) for c, text in calls), key=str)


@pytest.mark.parametrize("name", MANY)
def test_parts_and_whole_are_what_is_read_at_once(tmp_path: Path, name: str) -> None:
    once = open_capture([str(ROOT / name)])
    f = Followed(tmp_path, Path(name).name)
    for piece in pieces((ROOT / name).read_bytes(), name):
        f.write(piece)
    whole = f.end()
    assert sorted(f.calls) == list(range(len(once)))  # each once, numbered one after the other
    assert sorted(f.calls.values(), key=str) == said(once)
    assert said(whole) == said(once)
    assert [(x.rule, x.message) for x in whole.findings] == [(x.rule, x.message) for x in once.findings]
    assert [s.title for s in whole.sequences] == [s.title for s in once.sequences]
    assert whole.revision.name == once.revision.name == f.revisions[-1]
    for seq in range(len(whole)):
        call = whole.call(seq)
        assert f.calls[whole.number(seq)][:3] == (call.source, call.offset, call.exit_offset)


def test_calls_are_given_out_when_they_return(tmp_path: Path) -> None:
    lines = FTRACE.read_bytes().splitlines(keepends=True)
    f = Followed(tmp_path, "trace")
    given = 0
    for line in lines[:80]:
        new = f.write(line)
        assert new == list(range(given, given + len(new)))
        assert len(new) == (b" smc_exit: " in line)
        given += len(new)


def test_a_call_that_never_returns_is_given_out_at_the_end(tmp_path: Path) -> None:
    lines = [x for x in FTRACE.read_bytes().splitlines(keepends=True) if b"smc_" in x]
    f = Followed(tmp_path, "trace")
    f.write(b"".join(lines[:5]))
    assert len(f.calls) == 2
    now = f.live.whole(waiting=True)
    assert call_text(now, 2).endswith("= <no exit>")
    assert len(f.live.whole()) == 2
    f.end()
    assert f.calls[2][3].endswith("= <no exit>")


def test_operations_are_joined_over_the_parts(tmp_path: Path) -> None:
    """PDEV_CREATE of 2.0 starts an operation; the OP_* calls that work for it come later, other calls between them."""
    once = open_capture([str(FTRACE)])
    wanted = {s: int(once.calls.parent[s]) for s in range(len(once)) if once.calls.parent[s] >= 0}
    assert len(wanted) >= 2
    f = Followed(tmp_path, "trace")
    for line in FTRACE.read_bytes().splitlines(keepends=True):
        f.write(line)
    assert f.parents == wanted  # one task: the order of the exits is that of the entries


def test_an_operation_with_many_calls_between_is_joined(tmp_path: Path) -> None:
    lines = [x for x in FTRACE.read_bytes().splitlines(keepends=True) if b" smc_" in x]
    once = open_capture([str(FTRACE)])
    names = [once.name_text(s) for s in range(len(once))]
    create, donate = 2 * names.index("RMI_PDEV_CREATE"), 2 * names.index("RMI_OP_MEM_DONATE")  # an enter and an exit each
    f = Followed(tmp_path, "trace")
    f.write(b"".join(lines[: create + 2]))
    number = max(f.calls)
    assert "RMI_PDEV_CREATE" in f.calls[number][3]
    for _ in range(CONTEXT + 10):
        f.write(b"".join(lines[2:4]))
    (op,) = f.write(b"".join(lines[donate : donate + 2]))
    assert "RMI_OP_" in f.calls[op][3]
    assert f.parents == {op: number}


def test_messages_come_with_their_calls_and_in_context(tmp_path: Path) -> None:
    """A console of libspdm and rows: what a message means depends on what was negotiated long before it."""
    once = open_capture([str(CONSOLE)])
    f = Followed(tmp_path, "uart")
    for piece in pieces(CONSOLE.read_bytes(), "messages"):
        f.write(piece)
    whole = f.end()
    titles = [m.title for m in once.conversations.decode()]
    assert sorted(t for _, t in f.messages) == sorted(titles)
    assert [m.title for m in whole.conversations.decode()] == titles


def test_recorded_calls_have_their_messages(tmp_path: Path) -> None:
    once = open_capture([str(ROOT / "rmm/tf-rmm-head-nominal.calls.jsonl.xz")])
    data = bytes(once.sources[0].data)
    f = Followed(tmp_path, "calls.jsonl")
    for piece in pieces(data, "jsonl", (200_000, 900_000)):
        f.write(piece)
    whole = f.end()
    assert sorted(f.messages, key=str) == sorted(((m.place.call, m.title) for m in once.conversations.decode()), key=str)
    assert said(whole) == said(once)


def test_two_sources_grow_together(tmp_path: Path) -> None:
    both = [FTRACE, ROOT / "mixed/rme-uart0.log"]
    once = open_capture([str(p) for p in both])
    f = Followed(tmp_path, "trace", "uart")
    turns = [[*pieces(p.read_bytes(), p.name)] for p in both]
    for i in range(max(map(len, turns))):
        for file, turn in enumerate(turns):
            if i < len(turn):
                f.write(turn[i], file)
    whole = f.end()
    for i, path in enumerate(both):  # each side's when it returns; at the end they are joined
        alone = open_capture([str(path)])
        assert sorted(c[1:3] for c in f.calls.values() if c[0] == i) == sorted(c[1:3] for c in said(alone))
    assert said(whole) == said(once)
    assert [s.title for s in whole.sequences] == [s.title for s in once.sequences]
    numbers = [whole.number(s) for s in range(len(whole))]
    assert len(set(numbers)) == len(numbers) < len(f.calls)
    assert set(numbers) < set(f.calls)


def test_a_file_that_is_cut_goes_on(tmp_path: Path) -> None:
    data = FTRACE.read_bytes()
    f = Followed(tmp_path, "trace")
    f.write(data[:9000])
    before = len(f.calls)
    f.paths[0].write_bytes(b"")
    f.take(f.live.step())
    f.write(data[9000:])
    whole = f.end()
    assert len(f.calls) > before + 10
    assert [x.rule for x in whole.reading if x.rule.startswith("SOURCE-")] == ["SOURCE-CUT"]
    assert whole.sources[0].raw(0, 20) == data[:20]  # what was read before is still there to be looked at


def test_the_revision_may_be_another_one_later(tmp_path: Path) -> None:
    lines = FTRACE.read_bytes().splitlines(keepends=True)
    first = next(i for i, x in enumerate(lines) if b"a0=0xc40001ec" in x)  # the first command that only 2.0 has
    f = Followed(tmp_path, "trace")
    f.write(b"".join(lines[:first]))
    f.write(b"".join(lines[first:]))
    f.end()
    assert f.revisions[-1] == open_capture([str(FTRACE)]).revision.name
    assert len(f.revisions) == len(set(f.revisions))


def test_nothing_recognised_is_told(tmp_path: Path) -> None:
    f = Followed(tmp_path, "log")
    f.write(b"hello\nworld\n")
    with pytest.raises(CaptureError, match="no SMC traffic recognised in 12 bytes"):
        f.end()


def test_stopped_before_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "STEP", 8000)
    f = Followed(tmp_path, "trace")
    f.write(FTRACE.read_bytes())
    f.take(f.live.step(end=True))
    whole = f.live.finish(stopped=True)
    (found,) = [x for x in whole.reading if x.rule == "INTERRUPTED"]
    assert found.offset == f.live.sources[0].feed.read_to
    assert f"{FTRACE.stat().st_size - found.offset} bytes more" in found.message


def test_options_are_checked_at_once(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"")
    with pytest.raises(CaptureError, match="no ABI revision"):
        Live([str(tmp_path / "t")], OpenOptions(abi="9"))
    with pytest.raises(CaptureError, match="no format"):
        Live([str(tmp_path / "t")], OpenOptions(source_format="nothing"))
