"""Lines of function_graph that the kernel passes over: none that the line reader would have taken for something."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import NO_TIME, Kind
from rmitrace.formats import ftrace_graph_scan
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace_graph import parse_graph
from rmitrace.formats.ftrace_graph_scan import OpenDepths, Passing
from rmitrace.formats.ftrace_line import parse_head
from rmitrace.formats.ftrace_reader import Reader
from rmitrace.formats.ftrace_scan import compiled, scan
from rmitrace.formats.kernel_steps import SLACK
from tests.rmitrace.formats.test_ftrace_scan import everything
from tests.rmitrace.formats.trace_text import CAPTURES

HEAD = b"# tracer: function_graph\n#\n"


def depths(text: bytes, kernel: Any = ftrace_graph_scan.depths) -> list[tuple[int, int]]:
    """(depth, pid) of every line."""
    data = text + b"\n" * SLACK
    buf: Any = data if kernel is ftrace_graph_scan.depths else np.frombuffer(data, dtype=np.uint8)
    starts = np.array([0, *(i + 1 for i, c in enumerate(text[:-1]) if c == 10)], dtype=np.int64)
    depth, pid = (np.full(len(starts), -1, dtype=np.int32) for _ in range(2))
    kernel(buf, len(text) + 1, starts, np.zeros(len(starts), dtype=np.uint8), 0, len(starts), depth, pid)
    return list(zip(depth.tolist(), pid.tolist(), strict=True))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b" 1)               |  do_idle() {", (1, -1)),
        (b" 1) ! 329.869 us  |        }", (7, -1)),
        (b"  58.578088 |   0)     sh-238     |  ...1. |   9.478 us    |          f [m](a=0x1); /* ret=-1 */", (9, 238)),
        (b" 0)  <idle>-0      |   0.5 us    |    ktime_get();", (3, 0)),
        (b" 0)  kworker/0:1-23    | + 10.000 us   |  } /* f ret=0 */", (1, 23)),
        (b" 0)         f.constprop.0 [rmishape]();", (8, -1)),
        (b" 1)  ...1. |               |      g(idx=0x0) { /* <-f+0x78/0x220 [m] */", (5, -1)),
        (b" 1)               |  raw_spin_lock();", (1, -1)),
        # given to the line reader
        (b" 1)               |  rmi_version() {", (-1, -1)),
        (b" 1)               |  } /* psci_0_2_cpu_on ret=0 */", (-1, -1)),
        (b" 1)               |  /* smc_enter: (f+0x0/0x80) a0=0xc4000150 */", (-1, -1)),
        (b" 1)    sh-12   =>   foo-13", (-1, -1)),
        (b"+ 16.201 us   |          f();", (-1, -1)),
        (b" 1)  foo(bar)-12    |  rmi_version();", (-1, -1)),
        (b" 1)  a b-12    |   1.000 us    |  f();", (-1, -1)),
        (b" 1)               |  f()", (-1, -1)),
        (b" 1)               |  f{};", (-1, -1)),
        (b" ------------------------------------------", (-1, -1)),
        (b" 1)               |  f(); x", (-1, -1)),
        (b" 1)               |  f();\r", (-1, -1)),
        (b"", (-1, -1)),
    ],
)
def test_lines(line: bytes, expected: tuple[int, int]) -> None:
    assert depths(line + b"\n") == [expected]
    assert depths(line + b"\n", ftrace_graph_scan.compiled()) == [expected]


COLUMN = st.sampled_from(
    [
        b"",
        b" 1) ",
        b" 0)",
        b" 12) ",
        b"1234567) ",
        b"  732.476469 |   1) ",
        b" 1.5 |  1) ",
        b"   12 us |  1) ",
        b" x) ",
    ]
)
TASK = st.sampled_from(
    [
        b"",
        b"",
        b"   sh-1939     | ",
        b"  <idle>-0      | ",
        b" kworker/0:1-23 | ",
        b" a b-1 | ",
        b"-1 | ",
        b" (f)-3 | ",
        b" f(x)-3 | ",
        b" sh-12 [000] 1.5: x-3   | ",
        b" 123456789012345678-1 | ",
        b" sh-1939 |",
        b" rmi_x();-4   | ",
    ]
)
FLAGS = st.sampled_from([b"", b"", b" ...1. | ", b" d..1 | ", b" ..... ... | ", b" abc | ", b"      ...1. | "])
DURATION = st.sampled_from(
    [
        b"              |  ",
        b"+ 20.188 us   |  ",
        b"! 1.5 us  |",
        b"  1.1234 us  |",
        b"",
        b"$ |  ",
        b"  1 us |  ",
        b"* 123456789012.123 us        | ",
        b"|",
        b"                                          |  ",
    ]
)
DEPTH = st.sampled_from([b"", b"  ", b"    ", b"      ", b"\t"])
STATEMENT = st.sampled_from(
    [
        b"f() {",
        b"f();",
        b'f [m](a=0x1, b="x");',
        b"}",
        b"} /* f */",
        b"} /* rmi_version */",
        b"} /* ret=0x1 */",
        b"} /* f ret=0 */",
        b"rmi_version() {",
        b"rmi_version(); /* ret=0 */",
        b"psci_system_off [m]() {",
        b"psci();",
        b"rmi_call();",
        b"r();",
        b"f(;",
        b"f)",
        b"f({);",
        b"f() { /* <-g+0x1/0x2 */",
        b"f();/* x */",
        b"f();  /* x */",
        b"f() {}",
        b"/* smc_enter: (f) a0=0xc4000150 */",
        b"/* x */",
        b"==========> irq",
        b"f(a0=0x1)",
        b"f(x a0=0x1, type: 3);",
        b"f(" + b"a" * 4100 + b");",
        b"f(); /* " + b"a" * 600 + b" */",
        b"g" * 130 + b"();",
        b"f(); |",
        b"f(a|b);",
        b"a-1 [000] 1.5: x(y);",
        b"$x();",
        b"f-g();",
        b"f() { ",
        b"} ",
        b"}x",
        b"",
    ]
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    return draw(COLUMN) + draw(TASK) + draw(FLAGS) + draw(DURATION) + draw(DEPTH) + draw(STATEMENT)


@settings(max_examples=400, deadline=None)
@given(lines())
def test_what_is_passed_over_is_a_statement_of_no_wrapper(line: bytes) -> None:
    """The line reader's own patterns find the same depth and task, and a function that is no wrapper."""
    (told,) = depths(line + b"\n")
    assert depths(line + b"\n", ftrace_graph_scan.compiled()) == [told]
    if told[0] < 0:
        return
    graph = parse_graph(line)
    assert parse_head(line) is None
    assert graph is not None
    assert graph.kind in ("open", "leaf", "close")
    assert (graph.indent, graph.pid) == told
    assert graph.func is None or not graph.func.startswith(("rmi_", "rsi_", "psci_"))


@settings(max_examples=60, deadline=None)
@given(st.lists(lines(), min_size=1, max_size=30))
def test_the_same_records_however_it_is_read(text: list[bytes]) -> None:
    data = HEAD + b"\n".join(text) + b"\n" + b" 1)               |  rmi_version();\n" * 2
    alone = everything(Reader(data, 0, len(data), ReadOptions()).read(None))
    assert everything(Reader(data, 0, len(data), ReadOptions()).read(scan)) == alone
    assert everything(Reader(data, 0, len(data), ReadOptions()).read(compiled())) == alone


def test_most_lines_of_a_kernel_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand lines the reader takes the first, which tells that it is a drawing, and those of the wrapper."""
    other = b" 0)  <idle>-0      |   1.500 us    |  ktime_get();\n"
    call = b" 1)    sh-1939     |               |    rmi_version() {\n 1)    sh-1939     | + 20.188 us   |    }\n"
    data = HEAD + other * 500 + call + other * 500 + call
    taken: list[bytes] = []
    line = Reader.line
    monkeypatch.setattr(Reader, "line", lambda r, at, stop: (taken.append(bytes(data[at:stop])), line(r, at, stop))[1])
    records = Reader(data, 0, len(data), ReadOptions()).read(compiled())
    assert len(taken) == 2 + 1 + 2 + 2
    assert records.kind.tolist() == [Kind.WRAP_ENTER, Kind.WRAP_EXIT] * 2
    assert records.facts["lines"] == 2 + 1000 + 4
    assert records.ts.tolist() == [NO_TIME] * 4


def test_a_function_no_deeper_than_an_open_wrapper_ends_it() -> None:
    """The return at depth 2 of the task is not that of the wrapper: a shallower function came in between."""
    text = (
        b" 1)    sh-1939     |               |    rmi_version() {\n"
        b" 0)  <idle>-0      |   1.500 us    |  ktime_get();\n"  # another task
        b" 1)    sh-1939     |   1.500 us    |      deeper();\n"
        b" 1)    sh-1939     |   1.500 us    |  shallower();\n"
        b" 1)    sh-1939     | + 20.188 us   |    }\n"
    )
    data = HEAD + text
    for scanner in (None, scan, compiled()):
        assert Reader(data, 0, len(data), ReadOptions()).read(scanner).kind.tolist() == [Kind.WRAP_ENTER]


def test_the_next_line_that_counts() -> None:
    text = b"".join(
        b" 1)  t-%d    |               |%s %s\n" % (pid, b" " * depth, statement)
        for pid, depth, statement in [
            (7, 4, b"f();"),
            (8, 1, b"f();"),
            (7, 2, b"f();"),
            (7, 5, b"rmi_version() {"),
            (7, 6, b"f();"),
        ]
    )
    data = text + b"\n" * SLACK
    starts = np.array([0, *(i + 1 for i, c in enumerate(text[:-1]) if c == 10)], dtype=np.int64)
    passing = Passing(ftrace_graph_scan.depths, data, len(text) + 1, starts, np.array([0, 0, 0, 0, 1], dtype=np.uint8), 0, 5)
    assert passing.behind(0, OpenDepths(-1, {})) == 3
    assert passing.behind(4, OpenDepths(-1, {})) == 4  # others were read in front of it
    assert passing.behind(0, OpenDepths(3, {7: 3})) == 2
    assert passing.behind(0, OpenDepths(3, {9: 3})) == 3


@pytest.mark.parametrize("path", sorted((CAPTURES / "ftrace").glob("graph-*.txt")), ids=lambda p: p.name)
def test_shipped_captures_many_times_over(path: Any) -> None:
    """Long enough for several pieces; the head of the file but once."""
    text = path.read_bytes()
    head, body = text[: (at := text.index(b"\n", text.rindex(b"\n#") + 1) + 1)], text[at:]
    data = head + body * (3_000_000 // max(len(body), 1) + 1)
    alone = everything(Reader(data, 0, len(data), ReadOptions()).read(None))
    assert everything(Reader(data, 0, len(data), ReadOptions()).read(compiled(), 2)) == alone
