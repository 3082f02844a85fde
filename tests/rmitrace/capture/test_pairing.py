"""Pairing of entries and exits: by task, through preemption, loss and nesting."""

from __future__ import annotations

import numpy as np
import pytest

from rmitrace.capture.pairing import pair
from rmitrace.capture.pairs import BOTH, ENTER_ONLY, EXIT_ONLY, WHOLE
from rmitrace.capture.records import Kind, RecordBuilder

CREATE, STATE, CPU_OFF = 0xC4000176, 0xC4000178, 0x84000002


class Trace:
    """Builds the records of a small trace, one event a call, at offsets 0, 1, 2, ..."""

    def __init__(self) -> None:
        self.b = RecordBuilder()
        self.n = 0

    def add(self, kind: Kind, *regs: int, pid: int = 10, cpu: int = 0, name: str | None = None) -> Trace:
        self.b.add(kind, self.n, 1, ts=self.n * 1000, cpu=cpu, pid=pid, name=name, regs=regs)
        self.n += 1
        return self

    def enter(self, *regs: int, pid: int = 10, cpu: int = 0, name: str = "smc_enter") -> Trace:
        return self.add(Kind.ENTER, *regs, pid=pid, cpu=cpu, name=name)

    def exit(self, *regs: int, pid: int = 10, cpu: int = 0, name: str = "smc_exit") -> Trace:
        return self.add(Kind.EXIT, *regs, pid=pid, cpu=cpu, name=name)

    def calls(self) -> list[tuple[int, int, int]]:
        p = self.pairs()
        return list(zip(p.enter.tolist(), p.exit.tolist(), p.paired.tolist(), strict=True))

    def pairs(self):
        family = lambda n: n.replace("_enter", "").replace("_exit", "")  # noqa: E731
        return pair(self.b.finish(), family, lambda n: n.startswith("rmi_"))


def test_entry_and_exit_of_a_task():
    assert Trace().enter(CREATE, 1).exit(0).calls() == [(0, 1, BOTH)]


def test_two_tasks_interleaved_on_one_cpu():
    t = Trace().enter(CREATE, 1, pid=10).enter(STATE, 2, pid=11).exit(0, pid=10).exit(6, pid=11)
    assert t.calls() == [(0, 2, BOTH), (1, 3, BOTH)]


def test_a_task_that_moves_to_another_cpu():
    assert Trace().enter(CREATE, 1, cpu=0).exit(0, cpu=3).calls() == [(0, 1, BOTH)]


def test_the_idle_task_is_one_per_cpu():
    t = Trace().enter(CREATE, 1, pid=0, cpu=0).enter(STATE, 2, pid=0, cpu=1).exit(0, pid=0, cpu=0).exit(0, pid=0, cpu=1)
    assert t.calls() == [(0, 2, BOTH), (1, 3, BOTH)]


def test_lost_events_keep_the_halves_apart():
    t = Trace().enter(CREATE, 1).add(Kind.LOST, 5, pid=-1).exit(0)
    assert t.calls() == [(0, -1, ENTER_ONLY), (-1, 2, EXIT_ONLY)]


def test_lost_events_on_another_cpu_do_not_matter():
    t = Trace().enter(CREATE, 1, cpu=0).add(Kind.LOST, 5, pid=-1, cpu=1).exit(0, cpu=0)
    assert t.calls() == [(0, 2, BOTH)]


def test_missed_exit_leaves_its_own_entry_open_and_not_the_next_one():
    t = Trace().enter(CREATE, 1).enter(STATE, 2).exit(0)
    assert t.calls() == [(0, -1, ENTER_ONLY), (1, 2, BOTH)]


def test_cpu_off_never_takes_a_later_exit():
    t = Trace().enter(CPU_OFF).enter(STATE, 2).exit(0).exit(0)
    assert t.calls() == [(0, -1, ENTER_ONLY), (1, 2, BOTH), (-1, 3, EXIT_ONLY)]


def test_cpu_off_that_is_denied_has_its_exit():
    assert Trace().enter(CPU_OFF).exit((1 << 64) - 3).calls() == [(0, 1, BOTH)]


def test_one_smc_seen_by_two_probes_is_one_call_and_the_fuller_sight_is_kept():
    t = Trace().enter(CREATE, 1, name="arr_enter").enter(CREATE, 1, 2, 3, name="smc_enter").exit(0, 7).exit(0, name="arr_exit")
    p = t.pairs()
    assert list(zip(p.enter.tolist(), p.exit.tolist(), strict=True)) == [(1, 2)]
    assert p.duplicates == 2
    assert p.duplicate_of == {0: (0, 3)}


def test_two_probes_that_show_different_calls_stay_two():
    t = Trace().enter(CREATE, 1, name="a_enter").exit(0, name="a_exit").enter(CREATE, 1, name="b_enter").exit(0, name="b_exit")
    assert [c[2] for c in t.calls()] == [BOTH, BOTH]


def test_whole_rows_are_calls_and_rows_without_a_result_too():
    b = RecordBuilder()
    b.add(Kind.WHOLE_IN, 0, 5, regs=(STATE, 1))
    b.add(Kind.WHOLE_OUT, 0, 5, regs=(0, 3))
    b.add(Kind.WHOLE_IN, 6, 5, regs=(CREATE, 1))
    b.add(Kind.WHOLE_IN, 12, 5, regs=(STATE, 1))
    b.add(Kind.WHOLE_OUT, 12, 5, regs=(0, 3))
    p = pair(b.finish(), str, lambda n: False)
    assert p.enter.tolist() == [0, 2, 3]
    assert p.exit.tolist() == [1, -1, 4]
    assert p.paired.tolist() == [WHOLE] * 3


def test_a_function_around_an_smc_is_a_call_only_where_the_smc_is_not_seen():
    t = Trace()
    t.add(Kind.WRAP_ENTER, name="rmi_pdev_create").enter(CREATE, 1).exit(0).add(Kind.WRAP_EXIT, name="rmi_pdev_create")
    t.add(Kind.WRAP_ENTER, name="rmi_pdev_stop").add(Kind.WRAP_EXIT, name="rmi_pdev_stop")
    t.add(Kind.WRAP_ENTER, name="psci_affinity_info").add(Kind.WRAP_EXIT, name="psci_affinity_info")
    p = t.pairs()
    assert p.enter.tolist() == [1, 4]
    assert p.inferred.tolist() == [False, True]


@pytest.mark.parametrize("seed", range(20))
def test_every_record_is_in_one_call(seed: int):
    rng = np.random.default_rng(seed)
    t = Trace()
    for _ in range(300):
        pid, cpu = int(rng.integers(0, 4)), int(rng.integers(0, 2))
        kind = rng.choice([Kind.ENTER, Kind.EXIT, Kind.LOST], p=[0.48, 0.48, 0.04])
        t.add(Kind(int(kind)), int(rng.choice([CREATE, STATE, CPU_OFF])), pid=pid, cpu=cpu, name="smc")
    records = t.b.finish()
    p = pair(records, str, lambda n: False)
    seen = np.concatenate([p.enter[p.enter >= 0], p.exit[p.exit >= 0]])
    smc = np.flatnonzero(records.kind != Kind.LOST)
    assert sorted(seen.tolist()) == smc.tolist()
    both = p.paired == BOTH
    assert (p.enter[both] < p.exit[both]).all()
    assert (records.kind[p.enter[p.enter >= 0]] == Kind.ENTER).all()


def stacked(records) -> list[tuple[int, int]]:
    """(entry, exit) of the calls, -1 for none: a stack a task, which an exit without its entry empties."""
    stacks: dict[int, list[tuple[int, int, bool]]] = {}
    lost: dict[int, int] = {}
    out: dict[int, int | None] = {}
    for i, (kind, pid, cpu) in enumerate(zip(records.kind.tolist(), records.pid.tolist(), records.cpu.tolist(), strict=True)):
        if kind == Kind.LOST:
            lost[cpu] = lost.get(cpu, 0) + 1
            continue
        task = pid if pid > 0 else -2 - cpu
        stack = stacks.setdefault(task, [])
        if kind == Kind.ENTER:
            stack.append((i, lost.get(cpu, 0), False))
            out[i] = -1
            continue
        at, epoch, held = stack.pop() if stack else (-1, -1, False)
        if at < 0 or epoch != lost.get(cpu, 0) or (held and int(records.regs[at, 0]) == CPU_OFF):
            stack.clear()
            out[i] = None
            continue
        out[at] = i
        if stack:
            stack[-1] = (*stack[-1][:2], True)
    return [(i, x) if x is not None else (-1, i) for i, x in out.items()]


@pytest.mark.parametrize("seed", range(100))
def test_the_same_as_a_stack_for_each_task(seed: int):
    rng = np.random.default_rng(1000 + seed)
    t = Trace()
    many = 70_000 if seed % 3 else 1  # task ids close together and far apart are sorted in different ways
    for _ in range(int(rng.integers(0, 200))):
        pid, cpu = int(rng.integers(0, 5)) * many, int(rng.integers(0, 3))
        kind = rng.choice([Kind.ENTER, Kind.EXIT, Kind.LOST], p=[0.49, 0.49, 0.02])
        t.add(Kind(int(kind)), int(rng.choice([CREATE, CPU_OFF])), pid=pid, cpu=cpu, name="smc")
    records = t.b.finish()
    p = pair(records, str, lambda n: False)
    assert list(zip(p.enter.tolist(), p.exit.tolist(), strict=True)) == stacked(records)
