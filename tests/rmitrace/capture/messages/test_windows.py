"""Which communicate call a probe's message belongs to, with all rows there and with some missing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rmitrace.capture import Capture
from tests.rmitrace.capture.messages.runs import CAPTURES, opened, write

TRACE = CAPTURES / "ftrace" / "pdev-connect.trace.txt"
COMMUNICATE = "0xc4000175"


def told(lines: list[str]) -> dict[int, int]:
    """Number of each line of a DOE probe -> number of the line that enters its call: the last enter above it, in this
    trace of one task, is that of its RMI_PDEV_COMMUNICATE."""
    out, enter = {}, -1
    for i, line in enumerate(lines):
        if ": smc_enter: " in line:
            enter = i
        elif ": doe_re" in line or ": doe_rs" in line:
            assert COMMUNICATE in lines[enter]
            out[i] = enter
    return out


def given(capture: Capture, kept: list[int], lines: list[str]) -> dict[int, set[int]]:
    """Number of each probe line -> numbers of the lines of the call that it was given, of those that were kept."""
    starts, at = {}, 0
    for i in kept:
        starts[at] = i
        at += len(lines[i].encode())
    records = capture.sources[0].records
    out = {}
    for m in capture.conversations.all:
        if m.place.call is not None:
            ends = (int(capture.calls.enter[m.place.call]), int(capture.calls.exit[m.place.call]))
            out[starts[m.place.offset]] = {starts[int(records.offset[e])] for e in ends if e >= 0}
    return out


def test_every_message_of_a_whole_trace() -> None:
    lines = TRACE.read_text().splitlines(keepends=True)
    truth = told(lines)
    assert len(truth) == 14
    found = given(opened(TRACE), list(range(len(lines))), lines)
    assert found.keys() == truth.keys()
    assert all(truth[i] in rows for i, rows in found.items())


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_missing_rows_lend_no_message_to_another_call(tmp_path: Path, share: float) -> None:
    """Enter and exit lines of calls are left out; a call is known by either. Only where nothing is left of a call may its
    messages go to the one before it, and seldom they do."""
    lines = TRACE.read_text().splitlines(keepends=True)
    truth = told(lines)
    exits = {enter: next(i for i in range(enter, len(lines)) if ": smc_exit: " in lines[i]) for enter in truth.values()}
    good = bad = 0
    for seed in range(16):
        rng = random.Random(seed)
        kept = [i for i, line in enumerate(lines) if ": smc_" not in line or rng.random() >= share]
        path = write(tmp_path, f"{seed}.txt", "".join(lines[i] for i in kept))
        for line, rows in given(opened(path), kept, lines).items():
            right = {truth[line], exits[truth[line]]}
            good += bool(rows & right)
            if not rows & right:
                assert not right & set(kept), (seed, line, rows)
                bad += 1
    assert good >= {0.1: 180, 0.3: 130}[share]  # of 224
    assert bad <= {0.1: 0, 0.3: 6}[share]


def test_lost_events_end_the_time_of_a_call(tmp_path: Path) -> None:
    lines = TRACE.read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if ": doe_req: " in line)
    lines.insert(first, "CPU:0 [LOST 12 EVENTS]\n")
    found = opened(write(tmp_path, "lost.txt", "".join(lines))).conversations.all
    assert [m.place.call is None for m in found] == [True, True] + [False] * 12


def test_two_tasks_at_once(tmp_path: Path) -> None:
    """Each task's probes go to its own call, though the calls overlap."""

    def line(pid: int, ts: int, text: str) -> str:
        return f"  host-{pid}  [00{pid}] d....  {ts}.000001: {text}\n"

    def enter(a1: int) -> str:
        return f"smc_enter: (x+0x0/0x80) a0=0xc4000175 a1={a1:#x} a2=0x1000 a3=0x0 a4=0x0 a5=0x0 a6=0x0 a7=0x0"

    out = "smc_exit: (y+0x0/0x80 <- x) a0=0x0 a1=0x0 a2=0x0 a3=0x0"
    ask = "doe_req: (pci_doe+0x0/0x140) type=1 len=4 d0={0x10,0x84,0x0,0x0}"
    say = "doe_rsp: (z+0x0/0x80 <- pci_doe) type=1 len=8 d0={0x10,0x4,0x0,0x0,0x0,0x1,0x0,0x12}"
    parts = [(1, enter(0x1000)), (2, enter(0x2000)), (1, out), (2, out), (2, ask), (1, ask), (1, say), (2, say)]
    text = "# tracer: nop\n" + "".join(line(pid, i + 1, said) for i, (pid, said) in enumerate(parts))
    conversations = opened(write(tmp_path, "two.txt", text)).conversations
    assert [m.place.device for m in conversations.all] == ["pdev:0x2000", "pdev:0x1000", "pdev:0x1000", "pdev:0x2000"]
    assert len(conversations.list) == 2
    conversations.decode()
    for c in conversations.list:
        assert [(m.direction, m.name) for m in c.messages] == [("request", "GET_VERSION"), ("response", "VERSION")]
        assert c.messages[1].partner is c.messages[0]
