"""Names of tasks of many calls are those that stand in the records, each read by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture import Capture, CaptureError, OpenOptions, open_capture, tasks

CAPTURES = Path(__file__).parents[3] / "captures"


def names(capture: Capture) -> list[str | None]:
    found = capture.tasks.of(0, len(capture))
    return [capture.tasks.names[i] for i in found.tolist()]


@pytest.mark.parametrize("folder", ["bpftrace", "ftrace", "perf", "qemu", "raw-pages", "rmm", "trace-dat"])
def test_as_read_one_by_one(folder: str) -> None:
    called = 0
    for path in sorted((CAPTURES / folder).iterdir()):
        if path.suffix == ".toml" or path.is_dir():
            continue
        try:
            capture = open_capture([str(path)], OpenOptions(cache=False))
        except CaptureError:
            continue
        called += len(capture)
        assert names(capture) == [capture.task(i) for i in range(len(capture))], path.name
    assert called


def test_of_one_pid_that_has_several_names_and_of_names_with_the_pid_in_them(tmp_path: Path) -> None:
    """As odd-comms.trace.txt: the kernel pads a name to 16 characters, puts '-' and the pid behind it."""
    tasks = ["sh", "kvmtool", "x-142", "142", "a b-142", "kvmtool", "sh", "x-142"]
    lines = ["# tracer: nop", "#"]
    for i, task in enumerate(tasks * 3):
        event = "hit: (__arm_smccc_smc+0x0/0x40) a0=0xc4000150 a1=0x10000 a2=0x0 a3=0x0 a4=0x0 a5=0x0 a6=0x0 a7=0x0"
        lines.append(f"{task:>16}-142     [000] .....  {i}.000001: {event}")
    path = tmp_path / "trace.txt"
    path.write_text("\n".join(lines) + "\n")
    capture = open_capture([str(path)], OpenOptions(cache=False))
    assert names(capture) == tasks * 3


@pytest.mark.parametrize("most", [18, 17])
def test_of_all_calls_where_there_are_not_too_many_names(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST", most)
    monkeypatch.setattr(tasks, "_AT_ONCE", 7)  # several parts, on all cores
    capture = open_capture([str(CAPTURES / "ftrace/odd-comms.trace.txt")], OpenOptions(cache=False))
    wanted = [capture.task(i) for i in range(len(capture))]
    assert len(set(wanted)) == 18
    capture.tasks.settle()
    assert (capture.tasks.numbers is not None) == (most == 18)
    assert names(capture) == wanted
    some = np.arange(len(capture))[::-3]
    assert [capture.tasks.names[i] for i in capture.tasks.of_calls(some).tolist()] == wanted[::-3]


def test_two_sources() -> None:
    paths = [str(CAPTURES / n) for n in ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log")]
    capture = open_capture(paths, OpenOptions(cache=False))
    assert names(capture) == [capture.task(i) for i in range(len(capture))]
    assert set(names(capture)) == {"python3", None}
