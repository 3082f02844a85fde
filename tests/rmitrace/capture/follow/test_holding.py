"""Which records wait: an entry, and what is inside of its call, until the exit comes or cannot come any more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmitrace.capture.follow import holding
from rmitrace.capture.follow.feed import nothing
from rmitrace.capture.follow.holding import Holding
from rmitrace.capture.records import Kind, RecordBuilder, Records

FID = 0xC4000150


class Source:
    """Records of a source, each at the next byte; what a Holding gives of them."""

    def __init__(self) -> None:
        self.b = RecordBuilder()
        self.at = 0
        self.held = Holding(nothing())

    def rec(self, *wanted: tuple[Kind, int, str], cpu: int = 0) -> Records:
        self.b.rows.clear()
        self.b.regs.clear()
        for kind, pid, name in wanted:
            self.b.add(kind, self.at, 1, ts=self.at, cpu=cpu, pid=pid, name=name, regs=[FID])
            self.at += 1
        return self.b.finish()

    def add(self, *wanted: tuple[Kind, int, str], cpu: int = 0, end: bool = False) -> list[int]:
        return [int(o) for o in self.held.add(self.rec(*wanted, cpu=cpu), end=end).offset]


IN, OUT, WIN, WOUT = Kind.ENTER, Kind.EXIT, Kind.WRAP_ENTER, Kind.WRAP_EXIT


def enter(pid: int) -> tuple[Kind, int, str]:
    return IN, pid, "smc_enter"


def leave(pid: int) -> tuple[Kind, int, str]:
    return OUT, pid, "smc_exit"


def test_a_call_waits_for_its_exit() -> None:
    s = Source()
    assert s.add(enter(1)) == []
    assert s.add(enter(2), leave(2)) == [1, 2]  # another task's
    assert s.add(leave(1)) == [0, 3]
    assert len(s.held.waiting) == 0


def test_what_belongs_to_no_task_does_not_wait() -> None:
    s = Source()
    assert s.add(enter(1), (Kind.MARK, -1, "kernel"), (Kind.WHOLE_IN, -1, "RMI_VERSION"), (Kind.DAMAGED, -1, "cut")) == [1, 2, 3]


def test_a_buffer_waits_with_the_call_around_it() -> None:
    s = Source()
    assert s.add(enter(1), (Kind.BUFFER, 1, "doe"), (Kind.BUFFER, 2, "doe")) == [2]
    assert s.add(leave(1)) == [0, 1, 3]


def test_of_nested_probes_all_wait_for_the_outer_one() -> None:
    """A function around the SMC and the SMC: one call, so they go together."""
    s = Source()
    assert s.add((WIN, 1, "rmi_version"), enter(1)) == []
    assert s.add(leave(1)) == []
    assert s.add((WOUT, 1, "rmi_version")) == [0, 1, 2, 3]


def test_the_function_around_an_smc_waits_where_only_entries_are_recorded() -> None:
    s = Source()
    assert s.add((WIN, 1, "rmi_version"), enter(1), (WOUT, 1, "rmi_version")) == []
    assert s.add((WIN, 1, "rmi_features")) == []
    assert s.add(enter(1)) == [0, 1, 2]  # the SMC before cannot return any more
    assert s.add(end=True) == [3, 4]


def test_functions_around_no_smc_do_not_wait() -> None:
    s = Source()
    assert s.add((WIN, 1, "kvm_arch_vcpu_ioctl_run")) == [0]


def test_an_entry_after_which_the_task_enters_again_never_returned() -> None:
    s = Source()
    assert s.add(enter(1)) == []
    assert s.add(enter(1)) == [0]
    assert s.add(leave(1)) == [1, 2]


def test_an_entry_before_a_loss_on_its_cpu_never_returned() -> None:
    s = Source()
    assert s.add(enter(1), cpu=0) == []
    assert s.add(enter(2), cpu=1) == []
    assert s.add((Kind.LOST, -1, "lost events"), cpu=1) == [1, 2]
    assert s.add(leave(1), cpu=0) == [0, 3]


def test_a_loss_that_names_no_cpu_is_one_on_all() -> None:
    s = Source()
    s.add(enter(1), cpu=0)
    s.add(enter(2), cpu=1)
    assert s.add((Kind.LOST, -1, "lost events"), cpu=-1) == [0, 1, 2]


def test_the_idle_tasks_of_two_cpus_are_two() -> None:
    s = Source()
    assert s.add(enter(0), cpu=0) == []
    assert s.add(enter(0), cpu=1) == []
    assert s.add(leave(0), cpu=0) == [0, 2]
    assert s.add(leave(0), cpu=1) == [1, 3]


def test_where_no_exit_is_ever_shown_entries_wait_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU's arm_psci_call fires at the entry alone."""
    s = Source()
    assert s.add((IN, -1, "arm_psci_call")) == []
    monkeypatch.setattr(holding, "PATIENCE_S", -1.0)
    assert s.add() == [0]
    assert s.add((IN, -1, "arm_psci_call")) == [1]


def test_where_exits_are_shown_a_long_call_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    s = Source()
    s.add(enter(1), leave(1))
    monkeypatch.setattr(holding, "PATIENCE_S", -1.0)
    assert s.add(enter(1)) == []
    assert s.add(leave(1)) == [2, 3]


def test_there_is_an_end_to_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MOST", 10)
    s = Source()
    s.add(enter(2), leave(2), enter(1))
    for _ in range(9):
        assert s.add((Kind.BUFFER, 1, "doe")) == []
    assert s.add((Kind.BUFFER, 1, "doe")) == list(range(2, 13))


def test_at_the_end_nothing_waits() -> None:
    s = Source()
    s.add(enter(1), (WIN, 2, "rmi_version"))
    assert s.add(end=True) == [0, 1]
    assert s.add(end=True) == []


def test_names_that_come_later_do_not_move_the_others() -> None:
    s = Source()
    s.add(enter(1))
    s.add((Kind.MARK, -1, "kernel"))
    got = s.held.add(s.rec(leave(1)))
    assert [got.names[i] for i in got.name.tolist()] == ["smc_enter", "smc_exit"]


def test_columns_keep_their_types() -> None:
    s = Source()
    got: Any = s.held.add(s.rec(enter(1), leave(1)))
    assert (got.offset.dtype, got.length.dtype, got.regs.dtype) == (np.int64, np.int32, np.uint64)
    assert got.regs.shape == (2, 8)
