"""What is done with an event's records, told from its format; and registers taken from many records at once."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from rmitrace.formats.eventmap import EventRule
from rmitrace.formats.trace_dat_formats import parse_format
from rmitrace.formats.trace_dat_plan import FUNCTION, IGNORE, ONE_BY_ONE, Plan, load, plan_of
from tests.rmitrace.formats import trace_dat_build as build


def of(text: str, **rules: EventRule) -> Plan:
    kind = parse_format(text.encode())
    assert kind is not None
    return plan_of(kind, rules)


def test_probes() -> None:
    enter = of(build.probe_format("smc12_enter", 1144, [f"a{i}" for i in range(18)]))
    assert (enter.how, enter.known, enter.out, enter.need) == (ONE_BY_ONE, (1 << 18) - 1, False, 16 + 18 * 8)
    assert enter.loads == tuple((i, 16 + 8 * i, 8, False) for i in range(8))
    left = of(build.probe_format("smc12_exit", 1145, ["fid", "a0", "a1"], ret=True))
    assert (left.known, left.out) == (0b11, True)
    assert left.loads == ((0, 32, 8, False), (1, 40, 8, False))
    wrapped = of(build.probe_format("w", 1146, ["p", "ret"], ret=True))
    assert (wrapped.loads, wrapped.ret) == (((0, 32, 8, False),), True)


def test_the_name_tells_more_than_the_kind_of_probe() -> None:
    """A probe behind the SMC instruction is no return probe, and still an exit."""
    assert of(build.probe_format("smc_exit", 1145, ["ret"])).out
    assert of(build.probe_format("smc_exit", 1145, ["ret"])).known == 1


def test_arrays() -> None:
    fields = [("unsigned long __probe_ip", 8, 8, 0), ("u32 a[]", 16, 48, 0)]
    plan = of(build.event_format("smc_enter", 1144, fields, "(%lx) a={0x%x}", "REC->a[0]"))
    assert plan.known == (1 << 12) - 1
    assert plan.loads == tuple((i, 16 + 4 * i, 4, False) for i in range(8))


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (build.FUNCTION, FUNCTION), (build.GRAPH_EXIT, FUNCTION), (build.PRINT, ONE_BY_ONE), (build.RAW_DATA, ONE_BY_ONE),
        (build.internal_format("kernel_stack", 4, ("int size", 8, 4)), IGNORE),
        (build.event_format("sched_switch", 400, [("int prev", 8, 4, 1)], "prev: %d", "REC->prev"), IGNORE),
        (build.event_format("lat", 400, [("u64 fid", 8, 8, 0)], "fid=%llu", "REC->fid"), ONE_BY_ONE),
    ],
)  # fmt: skip
def test_other_events(text: str, how: int) -> None:
    assert of(text).how == how


def test_rules_and_strings() -> None:
    rule = EventRule("exit", {"what": 0})
    plan = of(build.probe_format("odd", 1200, ["what", "a1"]), odd=rule)
    assert (plan.loads, plan.out, plan.known) == (((0, 16, 8, False),), True, 1)
    tracepoint = build.event_format("sched_switch", 400, [("u64 prev", 8, 8, 0)], "prev: %d", "REC->prev")
    assert of(tracepoint, sched_switch=EventRule("enter", {"prev": 0})).known == 1
    text = build.event_format(
        "e", 1200, [("unsigned long __probe_ip", 8, 8, 0), ("__data_loc char[] a0", 16, 4, 1)], "(%lx)", "x"
    )
    assert of(text).loads == ()


def test_loads_what_struct_reads() -> None:
    fields = [
        ("unsigned long __probe_ip", 8, 8, 0), ("u64 a0", 16, 8, 0), ("u64 a1", 24, 8, 0), ("s32 a2", 32, 4, 1),
        ("u8 a3", 36, 1, 0), ("s16 a4", 37, 2, 1), ("u32 a6", 39, 4, 0), ("s64 a7", 43, 8, 1),
    ]  # fmt: skip
    plan = of(build.event_format("smc_enter", 1144, fields, "(%lx) a0=0x%Lx", "REC->a0"))
    rng = np.random.default_rng(1)
    pages = rng.integers(0, 256, 4096, dtype=np.uint8)
    body = np.array([0, 77, 4000], dtype=np.int64)
    out = np.zeros((5, 8), dtype=np.uint64)
    load(pages, plan, body, out, np.array([4, 0, 2]))
    for at, row in zip(body.tolist(), (4, 0, 2), strict=True):
        a0, a1, a2, a3, a4, a6, a7 = struct.unpack_from("<QQiBhIq", pages.tobytes(), at + 16)
        assert out[row].tolist() == [v & 0xFFFFFFFFFFFFFFFF for v in (a0, a1, a2, a3, a4, 0, a6, a7)]
    assert not out[[1, 3]].any()
