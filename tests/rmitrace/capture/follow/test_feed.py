"""Records out of a text that grows are those of the whole text, whatever the pieces it comes in."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import CaptureError
from rmitrace.capture.follow import feed as module
from rmitrace.capture.follow.feed import Feed
from rmitrace.capture.follow.tail import Tail
from rmitrace.capture.records import COLUMNS, Kind
from rmitrace.formats import registry
from rmitrace.formats.base import ReadOptions

ROOT = Path(__file__).parents[4] / "captures"
TEXTS = (
    "ftrace/pdev-connect.trace.txt",
    "ftrace/lost.trace_pipe.txt",
    "ftrace/graph-two-cpus.trace.txt",
    "perf/script.txt",
    "mixed/rme-uart0.log",
    "mixed/report-shared-uart.txt",
    "mixed/report-mail.txt",
    "rmm/tf-rmm-head-loglevel40.log",
)
MORE = {p.parent.name: p for p in sorted(ROOT.glob("qemu/*")) if p.suffix in (".txt", ".log")}


@pytest.fixture(autouse=True)
def never_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time does not decide in these tests."""
    monkeypatch.setattr(module, "QUIET_S", 1e9)


class Growing:
    """A file that a test writes to, and what was read of it."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"")
        self.path = path
        self.tail = Tail(str(path))
        self.feed = Feed(self.tail, ReadOptions())
        self.rows: list[tuple[int, ...]] = []

    def write(self, data: bytes) -> int:
        """Write, and read on; how many records that gave."""
        with self.path.open("ab") as out:
            out.write(data)
        while self.tail.take():
            pass
        return self._read(end=False)

    def end(self) -> int:
        self.tail.ended = True
        return self._read(end=True)

    def _read(self, *, end: bool) -> int:
        found = self.feed.take(end=end)
        n = len(found)
        while len(found) or self.feed.behind:
            self.rows += rows(found)
            before = self.feed.read_to
            found = self.feed.take(end=end)
            n += len(found)
            if self.feed.read_to == before:
                break
        self.rows += rows(found)
        return n


def rows(rec: object) -> list[tuple[object, ...]]:
    names = rec.names  # type: ignore[attr-defined]
    columns = [getattr(rec, c).tolist() for c in COLUMNS if c != "name"] + [getattr(rec, "regs").tolist()]  # noqa: B009
    named = [names[i] if i >= 0 else None for i in rec.name.tolist()]  # type: ignore[attr-defined]
    return [(*values[:-1], tuple(values[-1]), name) for *values, name in zip(*columns, named, strict=True)]


def whole(data: bytes, name: str) -> list[tuple[object, ...]]:
    return rows(registry.by_name(name).read(data, 0, len(data), ReadOptions()))


@pytest.mark.parametrize("name", [*TEXTS, *(str(p.relative_to(ROOT)) for p in MORE.values())])
def test_pieces_give_what_the_whole_gives(tmp_path: Path, name: str) -> None:
    data = (ROOT / name).read_bytes()
    random.seed(name)
    g = Growing(tmp_path / "log")
    at = 0
    while at < len(data):
        size = random.choice((1, 40, 300, 2000, 9000))
        g.write(data[at : at + size])
        at += size
    g.end()
    assert g.feed.format is not None
    assert sorted(g.rows, key=str) == sorted(whole(data, g.feed.format.name), key=str)


def test_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    """ftrace: a record a line, none of which waits for the next."""
    lines = (ROOT / TEXTS[0]).read_bytes().splitlines(keepends=True)
    records = [i for i, line in enumerate(lines) if not line.startswith(b"#")]
    g = Growing(tmp_path / "trace")
    g.write(b"".join(lines[: records[0]]))
    for i in records[:20]:
        assert g.write(lines[i][:50]) == 0
        assert g.write(lines[i][50:-1]) == 0
        assert g.write(b"\n") == 1
    assert g.end() == 0


def test_a_row_that_may_go_on_waits(tmp_path: Path) -> None:
    """An RMM console: the terminal broke the row in the middle; alone it would be a row that was cut."""
    g = Growing(tmp_path / "uart")
    g.write(b"SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n" * 3)
    cut = b"SMC_RMI_RTT_CREATE            883a00000 883c44000 80000000 1 >\n"
    g.write(cut)
    g.write(b"RMI_ERROR_RTT 0\n" + b"NOTICE: something else\n" * 40)
    created = [r for r in g.rows if r[-1] == "RMI_RTT_CREATE"]
    assert [Kind(r[5]) for r in created] == [Kind.WHOLE_IN, Kind.WHOLE_OUT]
    assert g.feed.findings == []


def test_what_waits_is_given_when_nothing_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    g = Growing(tmp_path / "uart")
    assert g.write(b"SMC_RMI_VERSION 10000 > RMI_SUCCESS 10000 10000\n" * 3) == 0
    monkeypatch.setattr(module, "QUIET_S", -1.0)
    assert g.write(b"") == 6
    assert g.feed.read_to == g.tail.spool.size


def test_only_what_is_new_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the length of the file: no more than the new lines and the format's context."""
    line = b"     sh-1 [000] .....     1.000000: smc_enter: (a+0x0/0x80) a0=0xc4000150 a1=0x20000 a2=0x0\n"
    g = Growing(tmp_path / "trace")
    g.write(line * 20_000)
    read = g.feed.format.read  # type: ignore[union-attr]
    seen: list[int] = []
    monkeypatch.setattr(
        type(g.feed.format),
        "read",
        lambda self, data, start, end, options: seen.append(end - start) or read(data, start, end, options),
    )
    for _ in range(5):
        assert g.write(line) == 1
    assert len(seen) == 5
    assert max(seen) <= (1 << 16) + 2 * len(line)


def test_times_that_count_from_the_line_before_go_on(tmp_path: Path) -> None:
    """The text of QEMU's simple backend has the microseconds since the event before: 1.5 + 2 + 3.25 us."""
    g = Growing(tmp_path / "trace")
    call = b"pid=7 x0=0xc4000150 x1=0x10000 x2=0x0 x3=0x0 cpuid=0x0\n"
    for us in (b"1.500", b"2.000", b"3.250"):
        g.write(b"arm_psci_call " + us + b" " + call)
    g.end()
    assert [r[2] for r in g.rows] == [1500, 3500, 6750]


def test_packets_are_taken_when_they_are_whole(tmp_path: Path) -> None:
    data = (ROOT / "spdm/doe_v10_measall.pcap").read_bytes()
    g = Growing(tmp_path / "pcap")
    for at in range(0, len(data), 777):
        g.write(data[at : at + 777])
        assert all(r[5] == Kind.BUFFER for r in g.rows)
    g.end()
    assert g.rows == whole(data, "pcap")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        ("trace-dat/arrays.dat", "complete only when its recorder has closed it"),
        ("raw-pages/trace_pipe_raw.cpu1.bin", "raw pages cannot be followed"),
        ("rmm/tf-rmm-head-nominal.calls.jsonl.xz", "is compressed"),
    ],
)
def test_what_cannot_be_followed_says_so(tmp_path: Path, file: str, why: str) -> None:
    g = Growing(tmp_path / "x")
    g.write(b"")
    with pytest.raises(CaptureError, match=why):  # noqa: PT012 - at once, or when it is sure
        g.write((ROOT / file).read_bytes())
        g.end()


def test_the_format_is_found_when_there_is_enough_to_tell(tmp_path: Path) -> None:
    """Firmware that boots says nothing of SMCs for a while."""
    g = Growing(tmp_path / "uart")
    for _ in range(30):
        g.write(b"NOTICE:  BL1: v2.12.0(release)\n" * 10)
    assert g.feed.format is None
    g.write((ROOT / "mixed/rme-uart0.log").read_bytes())
    assert g.feed.format is not None
    assert g.feed.format.name == "rmm-console"


def test_the_wanted_format_is_taken(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"x\n")
    tail = Tail(str(tmp_path / "t"))
    tail.take()
    feed = Feed(tail, ReadOptions(), "rmm-console")
    feed.take()
    assert feed.format is registry.by_name("rmm-console")


def test_counts_are_those_of_the_whole_at_the_end(tmp_path: Path) -> None:
    data = (ROOT / "perf/script.txt").read_bytes()
    g = Growing(tmp_path / "perf")
    for line in data.splitlines(keepends=True):
        g.write(line)
    g.end()
    lines = g.feed.lines
    g.feed.recount()
    once = registry.by_name("perf-script").read(data, 0, len(data), ReadOptions())
    assert g.feed.findings == once.findings
    assert g.feed.facts == once.facts
    assert lines == data.count(b"\n")


def test_a_long_text_is_read_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 5000)
    data = (ROOT / TEXTS[0]).read_bytes()
    path = tmp_path / "trace"
    path.write_bytes(data)
    tail = Tail(str(path))
    tail.take()
    feed = Feed(tail, ReadOptions())
    found, steps = [], 0
    while len(taken := feed.take()):
        found += rows(taken)
        steps += 1
        assert feed.read_to <= steps * 5000 + 8192  # a line may be longer
    assert steps >= len(data) // 8192
    assert found == whole(data, "ftrace")


def test_names_keep_their_numbers(tmp_path: Path) -> None:
    data = (ROOT / TEXTS[2]).read_bytes()
    g = Growing(tmp_path / "trace")
    g.write(data[: len(data) // 2])
    before = list(g.feed.names)
    g.write(data[len(data) // 2 :])
    assert list(g.feed.names)[: len(before)] == before
    assert np.array_equal(list(g.feed.names.values()), np.arange(len(g.feed.names)))
