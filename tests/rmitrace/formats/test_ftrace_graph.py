from __future__ import annotations

import re

import pytest

from rmitrace.capture.records import NO_TIME
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.eventmap import is_wrapper
from rmitrace.formats.ftrace import FORMAT
from rmitrace.formats.ftrace_graph import arguments, parse_graph
from tests.rmitrace.formats.trace_text import CAPTURES, kinds, names, read, regs

GRAPHS = sorted((CAPTURES / "ftrace").glob("graph-*.txt"))


NO = NO_TIME
MINUS = 2**64 - 1


@pytest.mark.parametrize(
    ("line", "kind", "func", "cpu", "pid", "ts", "took", "ret"),
    [
        (b" 1)               |      rmi_version [m]() {", "open", "rmi_version", 1, -1, NO, -1, None),
        (b" 0) + 17.333 us   |          rs_invoke12 [m](regs=0xff);", "leaf", "rs_invoke12", 0, -1, NO, 17_333, None),
        (b" 0)   9.257 us    |          rs_invoke12 [m](); /* ret=-1 */", "leaf", "rs_invoke12", 0, -1, NO, 9_257, MINUS),
        (b" 1) + 23.684 us   |        } /* f.constprop.0 [m] ret=-1 */", "close", "f.constprop.0", 1, -1, NO, 23_684, MINUS),
        (b" 0) # 1543.715 us |      }", "close", None, 0, -1, NO, 1_543_715, None),
        (b" 0) + 16.6 us   |  f(r=0x1); /* <-g+0x60/0xe0 [m] ret=0x2a */", "leaf", "f", 0, -1, NO, 16_600, 42),
        (b"    8.846245 |   0)  sh-238   |          |  rmi_f [m](i=0x0) {", "open", "rmi_f", 0, 238, 8_846_245_000, -1, None),
        (b"    8.578108 |   0)     sh-238     |  ...1. | + 24.946 us   |  }", "close", None, 0, 238, 8_578_108_000, 24_946, None),
        (b" 1)  ...1. |               |      rmi_version [m]() {", "open", "rmi_version", 1, -1, NO, -1, None),
        (b"+ 16.201 us   |          rs_invoke12 [m]();", "leaf", "rs_invoke12", -1, -1, NO, 16_201, None),
        (b" 0)     rmi_version [m]() {", "open", "rmi_version", 0, -1, NO, -1, None),
        (b"       12 us |   0)     sh-238     |  d.... |   1.500 us    |  f();", "leaf", "f", 0, 238, NO, 1_500, None),
        (b" 0)   kworker-9    =>     sh-186    ", "switch", None, 0, 186, NO, -1, 9),
        (b" 0)   ==========> |", "other", None, 0, -1, NO, -1, None),
        (b" (Overruns: 0)", "other", None, -1, -1, NO, -1, None),
        (b" ------------------------------------------", "other", None, -1, -1, NO, -1, None),
    ],
)  # fmt: skip
def test_lines(line: bytes, kind: str, func: str | None, cpu: int, pid: int, ts: int, took: int, ret: int | None) -> None:
    graph = parse_graph(line)
    assert graph is not None
    assert (graph.kind, graph.func, graph.cpu, graph.pid, graph.ts, graph.took, graph.ret) == (
        kind,
        func,
        cpu,
        pid,
        ts,
        took,
        ret,
    )


def test_an_event_in_a_comment() -> None:
    graph = parse_graph(b" 1)               |  /* inv: (rs_invoke12+0x0/0x80 [rmishape]) a0=0xc4000150 */")
    assert graph is not None
    assert graph.event == b"inv: (rs_invoke12+0x0/0x80 [rmishape]) a0=0xc4000150"


@pytest.mark.parametrize(
    "line", [b"", b"rmi_version() {", b"  }", b"foo();", b"INFO:    BL1", b" 1) first item", b"a | b | c", b" => f"]
)
def test_other_text(line: bytes) -> None:
    assert parse_graph(line) is None


def test_arguments() -> None:
    assert arguments(b"req=0x20000, lo=0xffff800083333a70") == {"req": "0x20000", "lo": "0xffff800083333a70"}
    assert arguments(b"") == {}


@pytest.mark.parametrize("path", GRAPHS, ids=lambda p: p.name)
def test_wrappers_of_a_capture(path) -> None:
    """As often entered as drawn, and left as often, but for the function that switches its CPU off."""
    data = path.read_bytes()
    drawn = [f.decode() for f in re.findall(rb"(?<![\w.])((?:rmi|psci)_\w+)(?: \[\w+\])?\([^)]*\)(?:;| \{)", data)]
    drawn = [f for f in drawn if is_wrapper(f)]
    records = read(FORMAT, data)
    by_kind: dict[str, list[str | None]] = {"WRAP_ENTER": [], "WRAP_EXIT": []}
    for kind, name in zip(kinds(records), names(records), strict=True):
        by_kind.setdefault(kind, []).append(name)
    probes = [n for n in by_kind["WRAP_ENTER"] if n in drawn]
    if path.name == "graph-6.12.trace.txt":  # besides, it has probes on three of the functions
        assert len(probes) == len(drawn) + 5
        assert len(by_kind["WRAP_EXIT"]) == len(drawn) - 1
    else:
        assert by_kind["WRAP_ENTER"] == drawn
        assert sorted(map(str, by_kind["WRAP_EXIT"])) == sorted(drawn)


def test_returned_values() -> None:
    data = (CAPTURES / "ftrace/graph-retval-retaddr.trace.txt").read_bytes()
    records = read(FORMAT, data)
    rows = [i for i, k in enumerate(kinds(records)) if k == "WRAP_EXIT"]
    closing = re.findall(rb"\} /\* (rmi_\w+) \[\w+\] ret=(0x[0-9a-f]+) \*/", data)
    assert len(rows) == len(closing) == 21
    for row, (func, ret) in zip(rows, closing, strict=True):
        assert names(records)[row] == func.decode()
        assert regs(records, row) == {0: int(ret, 16)}
    line = data[int(records.offset[0]) :].partition(b"\n")[0]
    assert FORMAT.detail(line, False, ReadOptions()).fields == {"req": "0x20000", "lo": "0xffff8000822a3b68"}


def test_times_of_wrappers() -> None:
    data = (CAPTURES / "ftrace/graph-events.trace.txt").read_bytes()
    records = read(FORMAT, data)
    # 58.846141 rmi_version {, 58.846245 smc12_enter, 58.846294 smc12_exit, 58.846333 }
    assert kinds(records)[:4] == ["WRAP_ENTER", "ENTER", "EXIT", "WRAP_EXIT"]
    assert records.ts[:4].tolist() == [58_846_141_000, 58_846_245_000, 58_846_294_000, 58_846_333_000]
    assert records.pid[:4].tolist() == [238] * 4


SWITCHED = b"""# tracer: function_graph
 0)               |  rmi_version() {
 ------------------------------------------
 0)     sh-264     =>     sh-265
 ------------------------------------------

 0)               |  rmi_features() {
 0)   9.000 us    |  }
 ------------------------------------------
 0)     sh-265     =>     sh-264
 ------------------------------------------

 0) + 20.000 us   |  }
"""


def test_a_task_switch_between() -> None:
    records = read(FORMAT, SWITCHED)
    assert list(zip(kinds(records), names(records), records.pid.tolist(), strict=True)) == [
        ("WRAP_ENTER", "rmi_version", 264),  # told by the first switch: what ran before it
        ("WRAP_ENTER", "rmi_features", 265),
        ("WRAP_EXIT", "rmi_features", 265),
        ("WRAP_EXIT", "rmi_version", 264),
    ]


def test_a_closing_brace_whose_start_was_lost() -> None:
    data = b" 0)   1.000 us    |  }\n 0)               |  rmi_version() {\nCPU:0 [LOST 9 EVENTS]\n 0)   1.000 us    |  }\n"
    assert kinds(read(FORMAT, data)) == ["WRAP_ENTER", "LOST"]
    # the return of the inner function was lost: the brace belongs to the outer one
    data = b" 0)               |  rmi_version() {\n 0)               |    rmi_features() {\n 0)   1.000 us    |  }\n"
    records = read(FORMAT, data)
    assert list(zip(kinds(records), names(records), strict=True))[-1] == ("WRAP_EXIT", "rmi_version")


def test_leaf_wrapper_returns_after_its_duration() -> None:
    records = read(FORMAT, b"  730.000000 |   1) + 18.094 us   |  rmi_pdev_get_state(p=0x1); /* ret=0x0 */\n")
    assert kinds(records) == ["WRAP_ENTER", "WRAP_EXIT"]
    assert records.ts.tolist() == [730_000_000_000, 730_000_018_094]
    assert records.offset.tolist() == [0, 0]
    assert regs(records, 1) == {0: 0}


def test_in_trace_cmd_report() -> None:
    data = b"""cpus=2
              sh-275   [000] d....    67.885098: funcgraph_entry:                   |  rmi_version() {
              sh-275   [000] d....    67.885100: funcgraph_entry:        1.500 us   |    rs_invoke12();
              sh-275   [000] d....    67.885215: funcgraph_exit:       + 12.345 us  |  }
              sh-275   [000] d....    67.885300: function:             rmi_features <-- rs_connect
"""
    records = read(FORMAT, data)
    assert list(zip(kinds(records), names(records), records.pid.tolist(), strict=True)) == [
        ("WRAP_ENTER", "rmi_version", 275),
        ("WRAP_EXIT", "rmi_version", 275),
        ("WRAP_ENTER", "rmi_features", 275),
    ]
    assert records.ts.tolist() == [67_885_098_000, 67_885_215_000, 67_885_300_000]


def test_function_tracer() -> None:
    for name in ("function", "function-args", "function-symaddr", "function-symoffset"):
        data = (CAPTURES / f"ftrace/{name}.trace.txt").read_bytes()
        entered = [f.decode() for f in re.findall(rb": (rmi_\w+)", data)]
        records = read(FORMAT, data)
        assert len(entered) == 19
        assert names(records) == entered
        assert set(kinds(records)) == {"WRAP_ENTER"}
