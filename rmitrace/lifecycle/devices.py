"""PDEVs, VDEVs and IDE streams: from the calls on them to states, and to sequences with their steps and outcome.

The state machines are those of DEN0137 1.1-alp17 and 2.0 (PDEV: 'NEW' .. 'ERROR'). A state is known from
RMI_PDEV_GET_STATE; between two of these it is inferred from commands that succeed. Whether a transaction of
RMI_PDEV_COMMUNICATE is over stands in the shared page and not in the registers, so it is the next state read back, or
the next command, that ends a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import decoders

from ..capture.records import NO_TIME
from .model import FAILED, INCOMPLETE, OK, Draft, StateChange
from .refusals import why_refused

if TYPE_CHECKING:
    from ..capture.model import Capture
    from .model import Sequence

_REMEMBERED = 512
"""Delegated granules that are remembered for a PDEV or VDEV that may be made of them."""
_ENOUGH_SAID = 600
"""Characters of a sequence's why behind which further failures add nothing to it."""
RETRY = ("RMI_BUSY", "RMI_BLOCKED")
_GRANULE = ("RMI_GRANULE_DELEGATE", "RMI_GRANULE_RANGE_DELEGATE", "RMI_GRANULE_UNDELEGATE", "RMI_GRANULE_RANGE_UNDELEGATE")

# the step that PDEV_COMMUNICATE works on, by the state it starts in
_COMM_STEP = {"NEW": "negotiate", "HAS_KEY": "session", "COMMUNICATING": "key refresh", "IDE_RESETTING": "ide reset",
              "STOPPING": "stop"}  # fmt: skip

# commands on a VDEV that open a sequence: kind, state that ends it
_VDEV_KIND = {
    "RMI_VDEV_CREATE": ("attach", "UNLOCKED"),
    "RMI_VDEV_LOCK": ("lock", "LOCKED"),
    "RMI_VDEV_START": ("start", "STARTED"),
    "RMI_VDEV_UNLOCK": ("unlock", "UNLOCKED"),
    "RMI_VDEV_DESTROY": ("detach", None),
    "RMI_VDEV_GET_MEASUREMENTS": ("measurements", None),
    "RMI_VDEV_GET_INTERFACE_REPORT": ("interface report", None),
    "RMI_VDEV_ABORT": ("abort", None),
}


@dataclass(slots=True)
class Event:
    """A call on a device: its row, command, result and the registers that matter."""

    seq: int
    name: str
    status: str
    failed: bool
    x: tuple[int, int, int, int]
    r1: int | None
    rows: list[int]
    done: bool
    """False where a stateful operation was started and its end is not in the capture."""


@dataclass(slots=True)
class Device:
    """A PDEV or VDEV while the calls are followed."""

    object: str
    state: str | None = None
    observed: bool = False
    draft: Draft | None = None
    stopping: bool = False
    pdev: int = 0
    """Of a VDEV: the PDEV it was made on."""
    created: bool = False
    stream: bool = False
    """A stream operation (connect, disconnect, key refresh, key purge) that names this PDEV is open."""
    failed_transaction: bool = False


class DeviceTracker:
    """Follows the devices of one source, and of those that show the same run."""

    def __init__(self, capture: Capture, source: int, last_op: dict[int, int], reasons: Callable[[int, int], str]) -> None:
        self.capture = capture
        self.source = source
        self.revision = capture.revision.at(source).device
        self.mine = np.isin(capture.calls.source, capture.together(source))
        self.last_op = last_op
        self.reasons = reasons
        """What the firmware said between two calls (marks), for the why of a failure."""
        self.pdevs: dict[int, Device] = {}
        self.vdevs: dict[int, Device] = {}
        self.drafts: list[Draft] = []
        self.states: list[StateChange] = []
        self.loose: list[Event] = []
        """Delegated granules and PDEV_AUX_COUNT that belong to nothing yet: some are for the PDEV_CREATE that follows."""
        self.after: Draft | None = None
        """The sequence whose granules are being given back."""
        self.stream_pdevs: list[int] = []
        self.stream_draft: Draft | None = None
        self.handles: dict[int, int] = {}
        self.handlers = {
            "RMI_PDEV_CREATE": self._create,
            "RMI_PDEV_COMMUNICATE": self._communicate,
            "RMI_PDEV_GET_STATE": self._get_state,
            "RMI_PDEV_SET_PUBKEY": self._set_pubkey,
            "RMI_PDEV_STOP": self._stop,
            "RMI_PDEV_DESTROY": self._destroy,
            "RMI_PDEV_ABORT": self._abort,
        }
        self.pdev_states = self._names_of("RmiPdevState", "RMI_PDEV_")
        self.vdev_states = self._names_of("RmiVdevState", "RMI_VDEV_")
        self.creating: Device | None = None
        """The PDEV whose stateful RMI_PDEV_CREATE has no end in the capture: it takes the granules delegated behind it."""

    # -- reading the calls

    def events(self) -> list[Event]:
        """The calls on devices and the granule calls of this source, in order; OP_* rows join their command."""
        cap, c = self.capture, self.capture.calls
        prefixes = ("RMI_PDEV_", "RMI_VDEV_")
        wanted = [i for i, n in enumerate(cap.names) if n.startswith(prefixes)]
        device = np.flatnonzero(self.mine & np.isin(c.name, wanted))
        if not len(device):
            return []
        rows = device
        granule = [i for i, n in enumerate(cap.names) if n in _GRANULE]
        if granule:
            # a realm that is built between two connects delegates millions: only those near a device call matter
            near = np.flatnonzero(self.mine & np.isin(c.name, granule))
            edge = np.searchsorted(device, near)
            distance = np.minimum(
                np.abs(device[np.minimum(edge, len(device) - 1)] - near), np.abs(near - device[np.maximum(edge - 1, 0)])
            )
            rows = np.unique(np.concatenate([device, near[distance < 4096]]))
        columns = [cap.regs(rows, k)[0].tolist() for k in (1, 2, 3, 4)]
        r1, known = cap.regs(rows, 1, out=True)
        ops: dict[int, list[int]] = {}
        for child in np.flatnonzero(c.parent >= 0).tolist():
            ops.setdefault(int(c.parent[child]), []).append(child)
        seqs = rows.tolist()
        ends = [self.last_op.get(q, q) for q in seqs]
        statuses = [*cap.statuses, ""]  # -1, no status, is the last one
        names = cap.names
        table = zip(
            seqs,
            c.name[rows].tolist(),
            c.status[rows].tolist(),
            c.status[ends].tolist(),
            c.failed[ends].tolist(),
            zip(*columns, strict=True),
            r1.tolist(),
            known.tolist(),
            strict=True,
        )
        return [
            Event(
                seq,
                names[name],
                statuses[end],
                bad and statuses[said] not in RETRY,
                x,
                out if has else None,
                [seq, *ops[seq]] if seq in ops else [seq],
                statuses[end] != "RMI_INCOMPLETE",
            )
            for seq, name, said, end, bad, x, out, has in table
        ]

    def run(self) -> list[Sequence]:
        """Follow all calls; the sequences in order of their first call."""
        for e in self.events():
            self._one(e)
        for d in (*self.pdevs.values(), *self.vdevs.values()):
            self._close(d)
        c = self.capture.calls
        return [d.finish(c.ts, c.dur, NO_TIME) for d in self.drafts if d.steps]

    # -- one call

    def _one(self, e: Event) -> None:
        if e.name in _GRANULE:
            self._granule(e)
            return
        if e.name in ("RMI_PDEV_AUX_COUNT", "RMI_VDEV_AUX_COUNT"):
            self.loose.append(e)
            return
        if e.name != "RMI_PDEV_DESTROY":
            self.after = None
        if e.name.startswith("RMI_VDEV_"):
            self._vdev(e)
        elif e.name.startswith("RMI_PDEV_STREAM_"):
            self._stream(e)
        else:
            self._pdev(e)

    def _granule(self, e: Event) -> None:
        gives_back = "UNDELEGATE" in e.name
        if gives_back and self.after is not None:
            self.after.add("undelegate", e.rows)
            if e.failed and e.status not in RETRY:
                self.after.fail(f"{e.name} of 0x{e.x[0]:x} returned {e.status}{self._why(e, None)}")
            return
        if self.creating is not None and self.creating.draft is not None and not gives_back:
            self.creating.draft.add("create", e.rows)
            return
        held = self.pdevs.get(e.x[0])
        if gives_back and held is not None and held.draft is not None:
            held.draft.add("undelegate", e.rows)
            if e.failed:
                said = f"{e.name} of 0x{e.x[0]:x} returned {e.status}"
                held.draft.fail(said + self._why(e, held))
            return
        if gives_back:
            self.loose = [o for o in self.loose if o.x[0] != e.x[0]]
        else:
            self.loose = [*self.loose[-_REMEMBERED:], e]

    def _given(self, address: int, count: str) -> tuple[list[int], list[int]]:
        """What was delegated for an object before it was made: its own page, and all that came behind the call that
        told how many auxiliary granules it needs (``count``)."""
        own = [e for e in self.loose if "AUX_COUNT" not in e.name and _covers(e, address)]
        last_count = next((i for i, e in reversed(list(enumerate(self.loose))) if e.name == count), len(self.loose))
        behind = self.loose[last_count:]
        taken = {e.seq for e in (*own, *behind)}
        self.loose = [e for e in self.loose if e.seq not in taken]
        later = {e.seq for e in behind}
        return [r for e in own if e.seq not in later for r in e.rows], [r for e in behind for r in e.rows]

    def _pdev(self, e: Event) -> None:
        d = self.pdevs.get(e.x[0])
        if d is None:
            d = self.pdevs[e.x[0]] = Device(f"pdev:0x{e.x[0]:x}")
        handler = self.handlers.get(e.name)
        if handler is not None:
            handler(d, e)
        elif e.name in ("RMI_PDEV_IDE_KEY_REFRESH", "RMI_PDEV_IDE_RESET"):
            kind = "key refresh" if "REFRESH" in e.name else "ide reset"
            self._open(d, kind).add(kind, e.rows)
            if not self._refused(d, e):
                self._to(d, "COMMUNICATING" if kind == "key refresh" else "IDE_RESETTING", e.seq, inferred=True)
        elif d.draft is not None:
            d.draft.add(e.name.removeprefix("RMI_PDEV_").lower().replace("_", " "), e.rows)
            self._refused(d, e)

    def _why(self, e: Event, d: Device | None) -> str:
        state, failed = (d.state, d.failed_transaction) if d is not None else (None, False)
        if e.name == "RMI_PDEV_STOP" and e.status == "RMI_ERROR_DEVICE":
            living = [v.object for v in self.vdevs.values() if v.pdev == e.x[0] and v.created]
            if living:
                return f": {living[0]} of it has not been destroyed"
        return why_refused(e.name, e.status, state, failed, self.revision)

    def _open(self, d: Device, kind: str, by: Event | None = None) -> Draft:
        old = d.draft
        if old is not None and old.kind == "connect" and old.outcome == INCOMPLETE and by is not None and old.steps:
            old.fail(f"the host went on to {by.name} before the device was connected")
        self._close(d)
        d.draft = Draft(kind, d.object, self.source)
        self.drafts.append(d.draft)
        return d.draft

    def _close(self, d: Device) -> None:
        """End a sequence: what has reached its aim is ok, what another one follows keeps what it is."""
        d.draft = None

    def _refused(self, d: Device, e: Event, *, fatal: bool = True) -> bool:
        """Whether a command failed; the sequence it belongs to then failed at this step."""
        if not e.failed:
            return False
        if d.draft is not None and len(d.draft.why) > _ENOUGH_SAID:
            d.draft.end_step(FAILED)
        elif d.draft is not None and fatal and e.status not in RETRY:
            said = f"{e.name} returned {e.status or 'an error'}"
            d.draft.fail(said + self._why(e, d) + self.reasons(e.seq, e.seq))
        return True

    def _to(self, d: Device, state: str, seq: int, *, inferred: bool) -> None:
        if d.state == state:
            d.observed = d.observed or not inferred
            return
        ts = int(self.capture.calls.ts[seq])
        self.states.append(StateChange(d.object, None if ts == NO_TIME else ts, d.state, state, seq, inferred))
        d.state, d.observed = state, not inferred

    def _create(self, d: Device, e: Event) -> None:
        d.state, d.stopping, d.stream, d.failed_transaction = None, False, False, False
        draft = self._open(d, "connect")
        own, behind = self._given(e.x[0], "RMI_PDEV_AUX_COUNT")
        draft.add("delegate", own)
        draft.add("create", [*behind, *e.rows])
        if self._refused(d, e):
            return
        self.creating = None if e.done else d
        if e.done:
            draft.end_step(OK)
            self._to(d, "NEW", e.rows[-1], inferred=True)
        self._between(e, draft)

    def _between(self, e: Event, draft: Draft) -> None:
        """Granule calls while a stateful operation was open are part of it."""
        if len(e.rows) > 1:
            c, names = self.capture.calls, self.capture.names
            rows = np.arange(e.rows[0], e.rows[-1])
            wanted = [i for i, n in enumerate(names) if n in _GRANULE]
            mine = rows[self.mine[rows] & np.isin(c.name[rows], wanted)]
            draft.add(draft.steps[-1][0], mine.tolist())

    def _communicate(self, d: Device, e: Event) -> None:
        if d.stream and self.stream_draft is not None:
            self.stream_draft.add(self._stream_step(), e.rows)
            if e.failed and e.status not in RETRY:
                self.stream_draft.fail(f"{e.name} of {d.object} returned {e.status}{self.reasons(e.seq, e.seq)}")
            return
        if d.draft is None:
            self._open(d, "communicate")
        assert d.draft is not None
        step = "stop" if d.stopping else _COMM_STEP.get(d.state or "", d.draft.steps[-1][0] if d.draft.steps else "communicate")
        d.draft.add(step, e.rows)
        self._refused(d, e)

    def _get_state(self, d: Device, e: Event) -> None:
        draft = self.stream_draft if d.stream else d.draft
        if draft is not None and draft.steps:
            draft.add(draft.steps[-1][0], e.rows)
        if e.failed or e.r1 is None or not e.status:
            return
        state = self.pdev_states.get(e.r1, f"state {e.r1}")
        before = d.state
        self._to(d, state, e.seq, inferred=False)
        if state == "ERROR":
            if before != "ERROR":
                d.failed_transaction = True
                first = draft.steps[-1][1][0] if draft is not None and draft.steps else e.seq
                if draft is not None:
                    draft.fail(f"{e.name} gives PDEV_ERROR{self.reasons(first, e.seq)}")
            return
        if draft is None or draft is self.stream_draft:
            return
        self._arrived(d, draft, state)

    def _arrived(self, d: Device, draft: Draft, state: str) -> None:
        if draft.kind == "connect" and state in ("NEEDS_KEY", "HAS_KEY", "READY") and draft.outcome != FAILED:
            draft.end_step(OK)
            if state == "READY":
                draft.outcome = OK
        elif draft.kind in ("key refresh", "ide reset", "communicate") and state == "READY" and draft.outcome != FAILED:
            draft.end_step(OK)
            draft.outcome = OK
        elif draft.kind == "disconnect" and state == "STOPPED":
            draft.end_step(OK)

    def _names_of(self, enum: str, prefix: str) -> dict[int, str]:
        names = decoders.profile(self.revision).enums.get(enum, {})
        return {value: name.removeprefix(prefix) for value, name in names.items()}

    def _set_pubkey(self, d: Device, e: Event) -> None:
        if d.draft is None:
            self._open(d, "connect")
        assert d.draft is not None
        d.draft.add("set key", e.rows)
        if not self._refused(d, e) and e.status:
            d.draft.end_step(OK)
            self._to(d, "HAS_KEY", e.seq, inferred=True)

    def _stop(self, d: Device, e: Event) -> None:
        if d.draft is None or d.draft.kind != "disconnect":
            self._open(d, "disconnect", e)
        assert d.draft is not None
        d.draft.add("stop", e.rows)
        if not self._refused(d, e):
            d.stopping = True
            if self.revision.startswith("1."):
                self._to(d, "STOPPING", e.seq, inferred=True)

    def _destroy(self, d: Device, e: Event) -> None:
        if d.draft is None or d.draft.kind != "disconnect":
            self._open(d, "disconnect", e)
        draft = d.draft
        assert draft is not None
        draft.add("destroy", e.rows)
        self._between(e, draft)
        if self._refused(d, e):
            return
        if not e.done or not e.status:
            return
        draft.end_step(OK)
        if draft.outcome != FAILED:
            draft.outcome = OK
        self._to(d, "destroyed", e.rows[-1], inferred=True)
        self.after = draft
        self._close(d)
        del self.pdevs[e.x[0]]

    def _abort(self, d: Device, e: Event) -> None:
        if d.draft is None:
            self._open(d, "abort")
        assert d.draft is not None
        was = d.draft.steps[-1][0] if d.draft.steps else ""
        if e.failed:
            d.draft.add("abort", e.rows)
            said = f"{e.name} returned {e.status}{self._why(e, d)}"
            d.draft.end_step(FAILED, said)  # nothing to abort is no failure of the whole
            return
        if d.draft.kind == "connect" and d.draft.outcome == INCOMPLETE:
            first = d.draft.steps[-1][1][0] if d.draft.steps else e.seq
            d.draft.fail(f"the host gave up the {was} step with {e.name}{self.reasons(first, e.seq)}")
        d.failed_transaction = False
        d.draft.add("abort", e.rows)
        d.draft.end_step(OK)
        if d.draft.kind == "abort":
            d.draft.outcome = OK

    # -- streams of 2.0

    def _stream_step(self) -> str:
        draft = self.stream_draft
        return draft.steps[-1][0] if draft is not None and draft.steps else "stream"

    def _stream(self, e: Event) -> None:
        what = e.name.removeprefix("RMI_PDEV_STREAM_").lower().replace("_", " ")
        if what == "info":
            return
        if what == "complete":
            self._stream_complete(e)
            return
        if what == "connect":
            pdev = self._endpoint_of(e)
            d = self.pdevs.setdefault(pdev, Device(f"pdev:0x{pdev:x}")) if pdev else None
            if d is None:
                d = Device("stream")
            draft = d.draft if d.draft is not None and d.draft.kind == "connect" and d.draft.outcome != FAILED else None
            draft = draft or self._open(d, "connect")
            if e.r1 is not None:
                self.handles[e.r1] = pdev or 0
            ends = list(self.pdevs)
        else:
            d = self.pdevs.setdefault(e.x[0], Device(f"pdev:0x{e.x[0]:x}"))
            draft = self._open(d, "disconnect" if what == "disconnect" else what)
            ends = [p for p in e.x[:2] if p]
        draft.outcome = INCOMPLETE if draft.outcome == OK else draft.outcome
        draft.add(f"stream {what}", e.rows)
        self.stream_draft = draft
        if e.failed and e.status not in RETRY:
            said = f"{e.name} returned {e.status}"
            draft.fail(said + self._why(e, d) + self.reasons(e.seq, e.seq))
            self.stream_draft = None
            return
        for p in ends:
            self.pdevs.setdefault(p, Device(f"pdev:0x{p:x}")).stream = True
        self.stream_pdevs = ends

    def _endpoint_of(self, e: Event) -> int:
        """The endpoint of a stream connect: in the parameter page where that was recorded, else told by the handle
        (TF-RMM: address of the endpoint plus the stream's type), else the PDEV that became READY last."""
        for buffer, tree in self.capture.call(e.seq).buffers:
            node = tree.child("pdev_1") or tree.child("pdev_1_ptr") if tree is not None and buffer.when == "enter" else None
            if node is not None and isinstance(node.value, int) and node.value:
                return node.value
        if e.r1 is not None and (e.r1 & ~0xFFF) in self.pdevs:
            return e.r1 & ~0xFFF
        ready = [p for p, d in self.pdevs.items() if d.state == "READY" and d.draft is not None and d.draft.kind == "connect"]
        return ready[-1] if ready else 0

    def _stream_complete(self, e: Event) -> None:
        draft = self.stream_draft
        if draft is None:
            d = self.pdevs.setdefault(e.x[0], Device(f"pdev:0x{e.x[0]:x}"))
            draft = d.draft or self._open(d, "stream complete")
        draft.add("stream complete", e.rows)
        if e.failed and e.status not in RETRY:
            d = self.pdevs.get(e.x[0], Device(""))
            draft.fail(f"{e.name} returned {e.status}{self._why(e, d)}")
        elif e.status:
            draft.end_step(OK)
            if draft.outcome != FAILED:
                draft.outcome = OK if draft.kind != "disconnect" else INCOMPLETE
            for p in self.stream_pdevs:
                if p in self.pdevs:
                    self.pdevs[p].stream = False
            self.stream_draft, self.stream_pdevs = None, []

    # -- VDEVs

    def _vdev(self, e: Event) -> None:
        address = e.x[2]
        if e.name == "RMI_VDEV_ABORT" and not address:
            address = e.x[0]
        if e.name == "RMI_VDEV_GET_STATE":
            address = e.x[0]
        elif e.name in ("RMI_VDEV_COMPLETE", "RMI_VDEV_MAP", "RMI_VDEV_UNMAP", "RMI_VDEV_VALIDATE_MAPPING"):
            return
        d = self.vdevs.setdefault(address, Device(f"vdev:0x{address:x}"))
        if e.name == "RMI_VDEV_COMMUNICATE":
            if d.draft is None:
                self._open(d, "communicate")
            assert d.draft is not None
            d.draft.add(d.draft.kind, e.rows)
            self._refused(d, e)
        elif e.name == "RMI_VDEV_GET_STATE":
            self._vdev_state(d, e)
        elif e.name in _VDEV_KIND:
            self._vdev_command(d, e, *_VDEV_KIND[e.name])

    def _vdev_command(self, d: Device, e: Event, kind: str, target: str | None) -> None:
        if d.draft is not None and d.draft.outcome == INCOMPLETE and not e.failed and kind not in ("abort",):
            d.draft.end_step(OK)  # the next operation was accepted: the one before was over
            d.draft.outcome = OK
        draft = self._open(d, kind)
        if kind == "attach":
            own, behind = self._given(e.x[2], "RMI_VDEV_AUX_COUNT")
            draft.add("delegate", [*own, *behind])
        draft.add(kind, e.rows)
        self._between(e, draft)
        if self._refused(d, e):
            return
        if kind == "attach" and e.done:
            d.pdev, d.created = e.x[1], True
            self._to(d, "NEW", e.rows[-1], inferred=True)
        elif kind in ("detach", "abort") and e.done and e.status:
            draft.end_step(OK)
            draft.outcome = OK
            if kind == "detach":
                self._to(d, "destroyed", e.rows[-1], inferred=True)
                self.after = draft
                self._close(d)
                self.vdevs.pop(e.x[2], None)

    def _vdev_state(self, d: Device, e: Event) -> None:
        if d.draft is not None and d.draft.steps:
            d.draft.add(d.draft.steps[-1][0], e.rows)
        if e.failed or e.r1 is None or not e.status:
            return
        state = self.vdev_states.get(e.r1, f"state {e.r1}")
        before = d.state
        self._to(d, state, e.seq, inferred=False)
        if d.draft is None:
            return
        target = next((t for k, t in _VDEV_KIND.values() if k == d.draft.kind), None)
        if state == "ERROR" and before != "ERROR":
            d.draft.fail(f"{e.name} gives VDEV_ERROR{self.reasons(d.draft.steps[-1][1][0], e.seq)}")
        elif state == target and d.draft.outcome != FAILED:
            d.draft.end_step(OK)
            d.draft.outcome = OK


def _covers(e: Event, address: int) -> bool:
    """Whether a granule call is about a page: by its address, or within base and top of a range."""
    return e.x[0] == address or ("RANGE" in e.name and e.x[0] <= address < e.x[1])
