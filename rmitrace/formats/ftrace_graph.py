"""The drawing of the function_graph tracer (kernel/trace/trace_functions_graph.c): columns by option, then a statement.

``[time |] [cpu)] [task-pid |] [flags |] [overhead duration us |] func(args) {`` and its kin. Events stand in comments:
``/* smc_enter: (...) a0=... */``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..capture.records import NO_TIME
from . import eventmap
from .base import Detail
from .ftrace_graph_scan import OpenDepths
from .ftrace_line import nanoseconds, number

_DURATION = re.compile(rb" {0,24}[+!#*@$]? {0,8}(?:(?P<us>\d{1,12})\.(?P<part>\d{1,3}) us)? {0,8}\| ?")
_COLUMNS = re.compile(
    rb"(?: *(?P<seconds>\d{1,12})\.(?P<fraction>\d{6}) \| | *\d{1,12} us \| )?"  # the second: time since a latency tracer's start
    rb"(?: *(?P<cpu>\d{1,6})\) ?)?(?: {0,16}(?P<comm>[^|]{0,16})-(?P<pid>\d{1,9}) {1,16}\| )?"
    rb"(?: {0,4}[^\s|]{4,6} \| )?"  # flags
    rb"(?:" + _DURATION.pattern + rb")?"
)
"""Each column of those that there are."""
_SWITCH = re.compile(rb" *(\d{1,6})\) +([^|>]{0,16})-(\d{1,9}) +=> +([^|>]{0,16})-(\d{1,9}) *$")
_CALL = re.compile(rb"([A-Za-z_$][\w.$]{0,127})(?: \[[\w.-]{1,64}\])?\(([^{};]{0,4096})\)(;| \{) ?(?:/\* (.{0,512}) \*/)?$")
_CLOSE = re.compile(rb"\}(?: /\* (.{0,512}) \*/)?$")
_TAIL = re.compile(rb"([A-Za-z_$][\w.$]{0,127})")
_RET = re.compile(rb"ret=(0x[0-9a-f]{1,16}|-?\d{1,20})$")
_ARG = re.compile(rb"([A-Za-z_]\w{0,63})=([^,]{1,256})")
_RULE = b" ------------------------------------------"


class Graph(NamedTuple):
    """One line of the drawing.

    kind    'open', 'leaf', 'close', 'event', 'switch', 'other'
    ts      ns of the line's moment, NO_TIME without funcgraph-abstime; took: duration in ns, -1 where not shown
    indent  blanks in front of the statement: the depth, in the drawing's own measure
    func    of a call, of a return that names it; the new task of a switch is in comm and pid, the old in args and ret
    ret     the value returned, None where not shown
    event   of an event: its text, from the name on
    """

    kind: str
    comm: str | None
    pid: int
    cpu: int
    ts: int
    took: int
    indent: int
    func: str | None
    args: bytes
    ret: int | None
    event: bytes | None


def parse_graph(line: bytes) -> Graph | None:
    """A line of the drawing, None where it is none (a CPU column or a ``|`` is required)."""
    if line[:43] == _RULE or line.startswith(b" (Overruns: "):
        return Graph("other", None, -1, -1, NO_TIME, -1, 0, None, b"", None, None)
    if b"=>" in line and (found := _SWITCH.match(line)) is not None:
        comm = found[4].strip().decode("utf-8", "surrogateescape")
        return Graph("switch", comm, int(found[5]), int(found[1]), NO_TIME, -1, 0, None, found[2].strip(), int(found[3]), None)
    found = _COLUMNS.match(line)
    assert found is not None
    seconds, fraction, number_of_cpu, name, task, us, part = found.groups()
    at = found.end()
    ts = NO_TIME if seconds is None else nanoseconds(seconds, fraction)[0]
    cpu = -1 if number_of_cpu is None else int(number_of_cpu)
    comm, pid = (None, -1) if task is None else (name.decode("utf-8", "surrogateescape"), int(task))
    took = -1 if us is None else int(us) * 1000 + int(part.ljust(3, b"0"))
    if at == 0 or (cpu < 0 and b"|" not in line[:at]):
        return None
    statement = _statement(line[at:].rstrip())
    if statement is None:
        arrow = b"==========" in line
        return Graph("other", comm, pid, cpu, ts, took, 0, None, b"", None, None) if arrow else None
    kind, indent, func, args, ret, event = statement
    return Graph(kind, comm, pid, cpu, ts, took, indent, func, args, ret, event)


def parse_graph_event(text: bytes) -> Graph | None:
    """The drawing that ``trace-cmd report`` puts behind ``funcgraph_entry:`` and ``funcgraph_exit:``."""
    found = _DURATION.match(text)
    if found is None:
        return None
    took = -1 if found[1] is None else int(found[1]) * 1000 + int(found[2].ljust(3, b"0"))
    statement = _statement(text[found.end() :].rstrip())
    if statement is None:
        return None
    kind, indent, func, args, ret, event = statement
    return Graph(kind, None, -1, -1, NO_TIME, took, indent, func, args, ret, event)


def _statement(text: bytes) -> tuple[str, int, str | None, bytes, int | None, bytes | None] | None:
    stripped = text.lstrip(b" ")
    indent = len(text) - len(stripped)
    if stripped[:2] == b"/*" and stripped[-2:] == b"*/" and len(stripped) >= 4:
        return "event", indent, None, b"", None, stripped[2:-2].strip(b" ")
    if stripped[:1] == b"}":
        if (found := _CLOSE.match(stripped)) is None:
            return None
        tail = _TAIL.match(found[1]) if found[1] and not found[1].startswith(b"ret=") else None
        return "close", indent, tail[1].decode("ascii") if tail else None, b"", _returned(found[1]), None
    if (found := _CALL.match(stripped)) is not None:
        kind = "leaf" if found[3] == b";" else "open"
        return kind, indent, found[1].decode("ascii"), found[2], _returned(found[4]) if kind == "leaf" else None, None
    return None


def _returned(comment: bytes | None) -> int | None:
    found = _RET.search(comment) if comment else None
    return number(found[1]) if found else None


def arguments(args: bytes) -> dict[str, str]:
    """``name=value`` pairs of a drawn call."""
    return {m[1].decode("ascii"): m[2].decode("utf-8", "surrogateescape") for m in _ARG.finditer(args)}


def graph_detail(graph: Graph, text: str) -> Detail:
    """A line of the drawing in full."""
    fields = arguments(graph.args) if graph.kind in ("open", "leaf") else {}
    regs = {0: graph.ret} if graph.ret is not None and graph.kind in ("leaf", "close") else {}
    return Detail(text=text, task=graph.comm, event=graph.func, regs=regs, fields=fields)


@dataclass(slots=True)
class Returned:
    """A wrapper function that was entered (``out`` False) or left, at a time in ns or NO_TIME."""

    func: str
    out: bool
    ts: int
    ret: int | None


class Stacks:
    """The wrapper functions that are open, for every task (for every CPU where the drawing has no tasks)."""

    DEPTH = 64

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], list[tuple[int, str]]] = {}
        self._task: dict[int, int] = {}
        self.first_switch: dict[int, tuple[int, int]] = {}
        self._depths: OpenDepths | None = None

    def pid(self, graph: Graph) -> int:
        """The task of a line: its own column, else the one that the last switch on its CPU named, else -1."""
        return graph.pid if graph.pid >= 0 else self._task.get(graph.cpu, -1)

    def switch(self, graph: Graph, offset: int) -> None:
        """Take a task switch; the first one on a CPU tells which task ran before it."""
        self._depths = None
        before = graph.ret if graph.ret is not None else -1
        if graph.cpu not in self._task and len(self.first_switch) < eventmap.MAX_REGS * 1024:
            self.first_switch[graph.cpu] = (offset, before)
            known = self._open.pop((-1, graph.cpu), None)
            if known:
                self._open[self._key(before, graph.cpu)] = known
        if graph.cpu in self._task or len(self._task) < 1 << 16:
            self._task[graph.cpu] = graph.pid

    def lost(self, cpu: int) -> None:
        """Forget what was open on a CPU: events were lost there."""
        self._depths = None
        self._open.pop(self._key(self._task.get(cpu, -1), cpu), None)

    @property
    def depths(self) -> OpenDepths:
        """How deep the wrappers that are open stand."""
        if self._depths is None:
            deep = {key: stack[-1][0] for key, stack in self._open.items() if stack}
            tasks: dict[int, int] = {}
            for (pid, _), depth in deep.items():
                tasks[pid] = max(depth, tasks.get(pid, -1))
            self._depths = OpenDepths(max(deep.values(), default=-1), tasks)
        return self._depths

    def take(self, graph: Graph, pid: int, cpu: int) -> list[Returned]:
        """The wrapper functions entered or left by a line."""
        key = self._key(pid, cpu)
        self._depths = None
        found = self._take(graph, key)
        if not self._open.get(key, True):
            del self._open[key]
        return found

    def _take(self, graph: Graph, key: tuple[int, int]) -> list[Returned]:
        stack = self._open.get(key)
        if stack:
            limit = graph.indent + 1 if graph.kind == "close" else graph.indent
            while stack and stack[-1][0] >= limit:
                stack.pop()  # its return was lost
        wrapper = eventmap.is_wrapper(graph.func)
        if graph.kind == "close":
            if stack and stack[-1][0] == graph.indent:
                func = stack.pop()[1]
                return [Returned(func, True, graph.ts, graph.ret)] if graph.func in (None, func) else []
            return [Returned(graph.func, True, graph.ts, graph.ret)] if wrapper and graph.func else []
        if not wrapper or graph.func is None:
            return []
        entered = Returned(graph.func, False, graph.ts, None)
        if graph.kind == "leaf":
            end = graph.ts + graph.took if graph.ts != NO_TIME and graph.took >= 0 else graph.ts
            return [entered, Returned(graph.func, True, end, graph.ret)]
        if stack is None:
            if len(self._open) >= 1 << 16:
                self._open.clear()
            stack = self._open[key] = []
        if len(stack) < self.DEPTH:
            stack.append((graph.indent, graph.func))
        return [entered]

    @staticmethod
    def _key(pid: int, cpu: int) -> tuple[int, int]:
        return (pid, 0) if pid > 0 else (pid, cpu)
