"""A capture made by hand for the tests of the screen: a few objects, one connect that works, one that fails."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from decoders.tree import Node
from rmitrace.capture.marks import Mark
from rmitrace.capture.model import Call, Calls, SourceCalls
from rmitrace.capture.records import NO_TIME, Finding
from rmitrace.formats.base import Buffer
from rmitrace.lifecycle.members import table_of
from rmitrace.lifecycle.model import Sequence, Step
from rmitrace.lifecycle.objects import KINDS
from rmitrace.lifecycle.table import StateTable, object_number
from rmitrace.listing import Arrangement, arrange

GOOD, BAD = "pdev:0x88001000", "pdev:0x88003000"
FIDS = {
    "RMI_VERSION": 0xC4000150,
    "RMI_GRANULE_DELEGATE": 0xC4000151,
    "RMI_PDEV_CREATE": 0xC4000176,
    "RMI_PDEV_COMMUNICATE": 0xC4000175,
    "RMI_PDEV_GET_STATE": 0xC4000178,
}

# name, x1, status, object
SCRIPT = [
    ("RMI_VERSION", 0x10000, "RMI_SUCCESS", None),
    ("RMI_GRANULE_DELEGATE", 0x88001000, "RMI_SUCCESS", "granule:0x88001000"),
    ("RMI_PDEV_CREATE", 0x88001000, "RMI_SUCCESS", GOOD),
    ("RMI_PDEV_COMMUNICATE", 0x88001000, "RMI_SUCCESS", GOOD),
    ("RMI_PDEV_COMMUNICATE", 0x88001000, "RMI_SUCCESS", GOOD),
    ("RMI_PDEV_GET_STATE", 0x88001000, "RMI_SUCCESS", GOOD),
    ("RMI_VERSION", 0x10000, "RMI_SUCCESS", None),
    ("RMI_GRANULE_DELEGATE", 0x88003000, "RMI_SUCCESS", "granule:0x88003000"),
    ("RMI_PDEV_CREATE", 0x88003000, "RMI_SUCCESS", BAD),
    ("RMI_PDEV_COMMUNICATE", 0x88003000, "RMI_ERROR_DEVICE", BAD),
    ("RMI_PDEV_GET_STATE", 0x88003000, "RMI_SUCCESS", BAD),
    ("RMI_VERSION", 0x10000, "RMI_SUCCESS", None),
]
WHY = "RMI_ERROR_DEVICE from RMI_PDEV_COMMUNICATE"
SEQUENCES: list[tuple[str, str, str, list[Any], str]] = [
    ("connect", GOOD, "ok", [("create", [1, 2], "ok", ""), ("communicate", [3, 4, 5], "ok", "")], ""),
    ("connect", BAD, "failed", [("create", [7, 8], "ok", ""), ("communicate", [9, 10], "failed", WHY)], WHY),
]
PAGE = bytes([3, 0, 0, 0, 0, 0, 0, 0]) + bytes(range(0x10, 0x18)) + bytes(80) + b"\xff" * 32


STATES = [
    (GOOD, None, "PDEV_NEW", 2, True),
    (GOOD, "PDEV_NEW", "PDEV_NEEDS_KEY", 5, False),
    (BAD, "PDEV_NEW", "PDEV_ERROR", 10, False),
]


def states(*changes: tuple[str, str | None, str, int, bool]) -> StateTable:
    """State changes: object, from, to, call, inferred; without times."""
    names = sorted({s for _, frm, to, *_ in changes for s in (frm, to) if s is not None})
    objects = [object_number(c[0]) for c in changes]
    return StateTable(
        names, np.array([p for p, _ in objects], np.uint8), np.array([a for _, a in objects], np.uint64),
        np.array([c[3] for c in changes], np.int64), np.array([names.index(c[1]) if c[1] else -1 for c in changes], np.int16),
        np.array([names.index(c[2]) for c in changes], np.int16), np.array([c[4] for c in changes], bool),
    )  # fmt: skip


class FakeMarks(list[Mark]):
    """What is read of rmitrace.capture.marks.Marks."""

    @property
    def before_call(self) -> np.ndarray:
        return np.array([m.before_call for m in self], dtype=np.int64)

    def in_order(self) -> FakeMarks:
        return FakeMarks(sorted(self, key=lambda m: m.before_call))

    def first_ns(self) -> int | None:
        return None


def _steps(parts: list[tuple[str, list[int], str, str]]) -> tuple[Step, ...]:
    return tuple(Step(n, c[0], c[-1], o, w, np.array(c, dtype=np.int64)) for n, c, o, w in parts)


def sequence(kind: str, object: str, outcome: str, steps: tuple[Step, ...], why: str = "", ts: Any = None) -> Sequence:
    calls = np.unique(np.concatenate([s.calls for s in steps]))
    first, last = int(calls[0]), int(calls[-1])
    start, end = (None, None) if ts is None or ts[first] == NO_TIME else (int(ts[first]), int(ts[last]))
    return Sequence(kind, object, first, last, start, end, outcome, steps, why, 0, calls)


class FakeCapture:
    """The attributes of rmitrace.capture.Capture that the screen reads."""

    def why(self, seq: int) -> None:
        """No failure is explained."""

    def worked_out(self, part: str) -> bool:
        """Nothing is known from before."""
        return False

    def __init__(
        self,
        *,
        timed: bool = True,
        comm: str = "kworker/u8:3",
        lines: list[str] | None = None,
        script: Any = None,
        sequences: int = 2,
    ) -> None:
        script = SCRIPT if script is None else script
        self.script = script
        self.keeper = None
        self.correlation = None
        n = len(script)
        self.comm = comm
        self.names = sorted({s[0] for s in script})
        self.statuses = sorted({s[2] for s in script})
        self.services = ["RMI"]
        ts = 12_000_000_000 + np.arange(n, dtype=np.int64) * 1_000_000
        if not timed:
            ts[:] = NO_TIME
        z = np.zeros(n, dtype=np.int64)
        self.calls = Calls(
            enter=np.arange(n, dtype=np.int64) * 2,
            exit=np.arange(n, dtype=np.int64) * 2 + 1,
            source=z.astype(np.int16),
            ts=ts,
            dur=np.where(timed, 42_100, -1) + z,
            cpu=(np.arange(n) % 2).astype(np.int32),
            pid=(z + 91).astype(np.int32),
            fid=np.array([FIDS[s[0]] for s in script], dtype=np.uint64),
            name=np.array([self.names.index(s[0]) for s in script], dtype=np.int32),
            service=z.astype(np.int16),
            status=np.array([self.statuses.index(s[2]) for s in script], dtype=np.int32),
            failed=np.array(["ERROR" in s[2] for s in script], dtype=bool),
            paired=z.astype(np.uint8),
            inferred=z.astype(bool),
            parent=z - 1,
        )
        offsets = np.arange(2 * n, dtype=np.int64) * 100
        records = SimpleNamespace(offset=offsets, kind=z.astype(np.uint8), regs=np.zeros((n, 8), dtype=np.uint64))
        records.of_kind = lambda kind: np.flatnonzero(records.kind == kind)
        self.sources = [SimpleNamespace(path="trace.txt", name="trace.txt", format="ftrace", records=records)]
        self.revision = SimpleNamespace(
            name="1.1-alp17",
            core="1.1-alp17",
            device="1.1-alp17",
            evidence=["RMI_PDEV_AUX_COUNT called"],
            of=lambda name: "1.1-alp17",
        )
        self.revision.at = lambda source: self.revision
        self.complete = True
        self.sequences = table_of([sequence(k, o, end, _steps(s), why, ts) for k, o, end, s, why in SEQUENCES[:sequences]])
        self.sequences.ts, self.sequences.dur = self.calls.ts, z - 1
        self.states = states(*(c for c in STATES if c[3] < n))
        self.findings = [
            Finding("PDEV-ERROR", "error", "the PDEV went to ERROR", 0, 1000, BAD, (10,), "DEN0137 1.1-alp17"),
            Finding("COMM-TWICE", "warning", "communicate called twice", 0, 400, GOOD, (4,), ""),
            Finding("VERSION-OLD", "note", "the host asks for 1.0", 0, 0, None, (0,), ""),
        ]
        self.findings = [f for f in self.findings if f.calls[0] < n]
        self.lines = lines if lines is not None else ["RMM: v0.8.0", "pci 0000:01:00.0: device communication error"]

    def __len__(self) -> int:
        return len(self.calls)

    def of_source(self, source: int) -> SourceCalls:
        return SourceCalls(np.arange(len(self.calls)), self.calls.enter, self.calls.exit, self.calls.pid)

    def name_text(self, seq: int) -> str:
        return self.names[self.calls.name[seq]]

    def status_text(self, seq: int) -> str:
        return self.statuses[self.calls.status[seq]]

    def service_text(self, seq: int) -> str:
        return "RMI"

    def object_of(self, seq: int) -> str | None:
        return self.script[seq][3]

    def objects(self) -> Any:
        names = [s[3] or "" for s in self.script]
        kind = np.array([KINDS.index(n.partition(":")[0]) for n in names], dtype=np.int8)
        addr = np.array([int(n.partition(":")[2] or "0", 16) for n in names], dtype=np.uint64)
        return SimpleNamespace(
            kind=kind, addr=addr, rows=lambda wanted: np.array([i for i, n in enumerate(names) if n == wanted], dtype=np.int64)
        )

    @property
    def arrangement(self) -> Arrangement:
        return arrange(self, self.sequences)

    @property
    def conversations(self) -> Any:
        return SimpleNamespace(all=[], of=lambda call: [], decode=list)

    def marks(self) -> FakeMarks:
        places = [0, min(10, len(self)), *range(len(self.lines))][: len(self.lines)]
        return FakeMarks(Mark(0, p * 100 + 50, len(t), None, "kernel", t, p) for p, t in zip(places, self.lines, strict=True))

    def sights(self, seq: int) -> list[Call]:
        return []

    def call(self, seq: int) -> Call:
        if not 0 <= seq < len(self.calls):
            raise IndexError(seq)
        name, x1, status, _ = self.script[seq]
        fid, failed = FIDS[name], "ERROR" in status
        state = (Node("state", 8, "PDEV_ERROR (8)"),) if name.endswith("STATE") else ()
        children = [Node("args", children=(Node("pdev_ptr", x1, f"0x{x1:x}", None, 8),))]
        children.append(
            Node(
                "result",
                6 if failed else 0,
                status,
                note="the device failed" if failed else None,
                severity="error" if failed else None,
            )
        )
        children.append(Node("results", children=state))
        buffers: list[tuple[Buffer, Node | None]] = []
        if name == "RMI_PDEV_COMMUNICATE":
            enter = Node(
                "enter",
                None,
                "",
                0,
                16,
                (Node("status", 3, "3", 0, 8), Node("req_addr", 0x1716151413121110, "0x1716151413121110", 8, 8)),
            )
            tree = Node(
                "RmiDevCommData",
                None,
                "",
                0,
                len(PAGE),
                (enter, Node("rest", PAGE[16:], f"{len(PAGE) - 16} bytes", 16, len(PAGE) - 16)),
            )
            buffers.append((Buffer("RmiDevCommData", 0x88002000, "enter", PAGE), tree))
        at = int(self.calls.ts[seq])
        head = f" {self.comm}-91 [000] d.... 12.0000"
        return Call(
            seq=seq,
            ts_ns=None if at == NO_TIME else at,
            dur_ns=None if self.calls.dur[seq] < 0 else int(self.calls.dur[seq]),
            cpu=int(self.calls.cpu[seq]),
            task=self.comm,
            pid=91,
            source=0,
            offset=seq * 200,
            length=90,
            exit_offset=seq * 200 + 100,
            exit_length=90,
            fid=fid,
            name=name,
            service="RMI",
            x=[fid, x1, 0, 0],
            r=[6 if failed else 0, 8 if state else 0, 0, 0],
            status=status,
            index=None,
            paired="both",
            inferred=False,
            parent=None,
            tree=Node(name, fid, name, children=tuple(children)),
            buffers=buffers,
            raw=f"{head}00: smc_enter: a0=0x{fid:x} a1=0x{x1:x} a2=0x0 a3=0x0",
            exit_text=lambda: f"{head}42: smc_exit: a0=0x{int(failed) * 6:x} a1=0x{len(state) * 8:x} a2=0x0 a3=0x0",
            line=f"{name}(pdev_ptr=0x{x1:x}) = {status}",
        )
