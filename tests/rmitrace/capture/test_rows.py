"""What is filled in for a call is what is written of it when it is read in full, whatever its registers hold."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import decoders
from rmitrace.capture import Capture, OpenOptions, open_capture
from rmitrace.capture import rows as module
from rmitrace.capture.rows import Rows
from rmitrace.export import csv, jsonl_calls, text

CAPTURES = Path(__file__).parents[3] / "captures"
PSCI = (0x84000000, 0xC4000003, 0xC4000012, 0x84000050)
NO_CALL = (0xC40002CF, 0xC6000123)
VALUES = (0, 1, 2, 3, 7, 0x1000, 0x2000_0000_0000_0001, 0x8000_0000_0000_0000, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xC400015C)


def lines(revision: str, each: int, width: int, seed: int) -> Iterator[str]:
    """Trace text with calls of every command, and of some that are none; each several times, with other registers."""
    draw = random.Random(seed)

    def register() -> int:
        return draw.choice(VALUES) if draw.random() < 0.5 else draw.getrandbits(draw.choice((4, 8, 12, 40, 64)))

    fids = [c.fid for c in decoders.commands(revision)] + [*PSCI, *NO_CALL]
    for i, fid in enumerate(f for f in fids for _ in range(each)):
        x = ",".join(f"{v:#x}" for v in (fid, *(register() for _ in range(width - 1))))
        x0 = draw.choice((0, 0, draw.randrange(16), draw.randrange(16) | draw.getrandbits(4) << 8, register()))
        r = ",".join(f"{v:#x}" for v in (x0, *(register() for _ in range(width - 1))))
        head = f"{draw.choice(('vmm', 'a, b', '=x')):>16}-{draw.choice((1, 42))} [{i % 3:03}] ..... {i + 1}.00000{i % 7}"
        yield f"{head}: smc_enter: (__arm_smccc_smc+0x0/0x30) x={{{x}}}\n"
        if draw.random() < 0.95:
            yield f"{head}5: smc_exit: (do+0x0/0x30 <- __arm_smccc_smc) r={{{r}}}\n"


def same(capture: Capture) -> int:
    """Compare every call in every form; how many were filled in."""
    filled = 0
    for row in Rows(capture).read(range(len(capture))):
        filled += row.form is not None
        assert text.row_text(capture, row) == text.call_text(capture, row.seq)
    wanted = io.StringIO()
    for seq in range(len(capture)):
        about = capture.object_of(seq)
        wanted.write(csv.line(csv.cells(capture.call(seq), bool(capture.calls.failed[seq]), about, capture.number)))
    out = io.StringIO()
    csv.write_rows(capture, range(len(capture)), out)
    assert out.getvalue() == wanted.getvalue()
    calls = jsonl_calls.Calls(capture)
    for row in calls.rows.read(range(len(capture))):
        assert calls.text(row) == jsonl_calls.as_line(jsonl_calls.call_object(capture, row.seq)) + "\n"
    return filled


@pytest.mark.parametrize(("revision", "width"), zip(decoders.REVISIONS, (8, 18, 8, 18), strict=True))
def test_every_command(revision: str, width: int, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text("# tracer: nop\n" + "".join(lines(revision, 6, width, 1)))
    capture = open_capture([str(path)], OpenOptions(abi=revision))
    assert len(capture) > 6 * len(decoders.commands(revision))
    assert same(capture) == len(capture)


@pytest.mark.parametrize(
    "paths",
    [
        ["ftrace/pdev-connect.trace.txt"],
        ["ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log"],
        ["trace-dat/ready.dat"],
        ["mixed/rme-uart0.log"],
    ],
    ids=["text", "two", "trace.dat", "console"],
)
def test_captures(paths: list[str]) -> None:
    capture = open_capture([str(CAPTURES / p) for p in paths])
    assert same(capture) > len(capture) // 2


def test_memory_is_read_in_full() -> None:
    capture = open_capture([str(CAPTURES / "rmm/tf-rmm-head-errors.calls.jsonl.xz")])
    assert same(capture) == 0


def test_few_forms_and_no_more_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of a range with its size and kind in one register does not make a form of each call."""
    path = tmp_path / "trace.txt"
    every = [
        f"vmm-1 [000] ..... {i}.5: smc_enter: (__arm_smccc_smc+0x0/0x30) x={{0xc4000160,0x8000,{i:#x}000,{i + 9:#x}000,1,"
        f"{i:#x}000,0,0}}\nvmm-1 [000] ..... {i}.6: smc_exit: (do+0x0/0x30 <- __arm_smccc_smc) r={{0,{i:#x}000,0,0,0,0,0,0}}\n"
        for i in range(1, 400)
    ]
    path.write_text("".join(every))
    capture = open_capture([str(path)], OpenOptions(abi="2.0-bet3"))
    rows = Rows(capture)
    assert len({id(row.form) for row in rows.read(range(len(capture)))}) <= 3
    monkeypatch.setattr(module, "MOST_FORMS", 1)
    assert same(capture) == len(capture)


def test_any_choice_in_its_order() -> None:
    capture = open_capture([str(CAPTURES / "ftrace/pdev-connect.trace.txt")])
    assert [r.seq for r in Rows(capture).read([5, 3, 40])] == [5, 3, 40]
    assert list(islice(Rows(capture).read([]), 1)) == []
