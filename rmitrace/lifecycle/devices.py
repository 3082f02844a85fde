"""PDEVs, VDEVs and IDE streams: from the calls on them to states, and to sequences with their steps and outcome.

The state machines are those of DEN0137 1.1-alp17 and 2.0 (PDEV: 'NEW' .. 'ERROR'). A state is known from
RMI_PDEV_GET_STATE; between two of these it is inferred from commands that succeed. Whether a transaction of
RMI_PDEV_COMMUNICATE is over stands in the shared page and not in the registers, so it is the next state read back, or
the next command, that ends a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .common import Device
from .events import GRANULE, RETRY, Event
from .ledger import Draft
from .model import FAILED, INCOMPLETE, OK
from .streams import StreamTracker
from .vdevs import VdevTracker

# the step that PDEV_COMMUNICATE works on, by the state it starts in
_COMM_STEP = {"NEW": "negotiate", "HAS_KEY": "session", "COMMUNICATING": "key refresh", "IDE_RESETTING": "ide reset",
              "STOPPING": "stop"}  # fmt: skip


class DeviceTracker(VdevTracker, StreamTracker):
    """Follows the devices of one source."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pdev_states = self.names_of("RmiPdevState", "RMI_PDEV_")
        self.handlers: dict[str, Callable[[Device, Event], None]] = {
            "RMI_PDEV_CREATE": self._create,
            "RMI_PDEV_COMMUNICATE": self._communicate,
            "RMI_PDEV_GET_STATE": self._get_state,
            "RMI_PDEV_SET_PUBKEY": self._set_pubkey,
            "RMI_PDEV_STOP": self._stop,
            "RMI_PDEV_DESTROY": self._destroy,
            "RMI_PDEV_ABORT": self._abort,
        }

    def run(self) -> None:
        """Follow all calls into the ledger."""
        for e in self.events:
            if e.name in GRANULE:
                self.granule(e)
            elif e.name in ("RMI_PDEV_AUX_COUNT", "RMI_VDEV_AUX_COUNT"):
                self.loose.add(e)
            else:
                if e.name != "RMI_PDEV_DESTROY":
                    self.after = None
                if e.name.startswith("RMI_VDEV_"):
                    self.vdev(e)
                elif e.name.startswith("RMI_PDEV_STREAM_"):
                    self.stream(e)
                else:
                    self._pdev(e)

    def _pdev(self, e: Event) -> None:
        d = self.pdev_of(e.x[0])
        handler = self.handlers.get(e.name)
        if handler is not None:
            handler(d, e)
        elif e.name in ("RMI_PDEV_IDE_KEY_REFRESH", "RMI_PDEV_IDE_RESET"):
            kind = "key refresh" if "REFRESH" in e.name else "ide reset"
            self.open(d, kind).add(kind, [e.unit])
            if not self.refused(d, e):
                self.to(d, "COMMUNICATING" if kind == "key refresh" else "IDE_RESETTING", e.first, inferred=True)
        elif d.draft is not None:
            d.draft.add(e.name.removeprefix("RMI_PDEV_").lower().replace("_", " "), [e.unit])
            self.refused(d, e)

    def _create(self, d: Device, e: Event) -> None:
        d.state, d.stopping, d.stream, d.failed_transaction = None, False, False, False
        draft = self.open(d, "connect")
        own, behind = self.loose.take(e.x[0], "RMI_PDEV_AUX_COUNT")
        draft.add("delegate", own)
        draft.add("create", [*behind, e.unit])
        if self.refused(d, e):
            return
        self.creating = None if e.done else d
        if e.done:
            draft.end_step(OK)
            self.to(d, "NEW", e.last, inferred=True)
        self.between(e, draft)

    def _communicate(self, d: Device, e: Event) -> None:
        if d.stream and self.stream_draft is not None:
            self.stream_draft.add(self.stream_draft.name or "stream", [e.unit])
            if e.failed and e.status not in RETRY:
                self.stream_draft.fail(f"{e.name} of {d.object} returned {e.status}{self.reasons(e.first, e.first)}")
            return
        draft = d.draft or self.open(d, "communicate")
        draft.add("stop" if d.stopping else _COMM_STEP.get(d.state or "", draft.name or "communicate"), [e.unit])
        if not self.refused(d, e) and e.reads and d.state not in (None, "ERROR"):
            self._arrived(draft, d.state or "")

    def _get_state(self, d: Device, e: Event) -> None:
        draft = self.draft_of(d)
        if draft is not None and draft.name is not None:
            draft.add(draft.name, [e.unit])
        if e.failed or e.r1 is None or not e.status:
            return
        state = self.pdev_states.get(e.r1, f"state {e.r1}")
        before = d.state
        self.to(d, state, e.first, inferred=False)
        if state == "ERROR":
            if before != "ERROR":
                d.failed_transaction = True
                if draft is not None:
                    draft.fail(f"{e.name} gives PDEV_ERROR{self.reasons(self.step_began(draft, e), e.first)}")
        elif draft is not None and draft is not self.stream_draft:
            self._arrived(draft, state)

    def _arrived(self, draft: Draft, state: str) -> None:
        """A PDEV is in a state that its sequence aims at."""
        if draft.kind == "connect" and state in ("NEEDS_KEY", "HAS_KEY", "READY") and draft.outcome != FAILED:
            draft.end_step(OK)
            if state == "READY":
                draft.outcome = OK
        elif draft.kind in ("key refresh", "ide reset", "communicate") and state == "READY" and draft.outcome != FAILED:
            draft.end_step(OK)
            draft.outcome = OK
        elif draft.kind == "disconnect" and state == "STOPPED":
            draft.end_step(OK)

    def _set_pubkey(self, d: Device, e: Event) -> None:
        draft = d.draft or self.open(d, "connect")
        draft.add("set key", [e.unit])
        if not self.refused(d, e) and e.status:
            draft.end_step(OK)
            self.to(d, "HAS_KEY", e.first, inferred=True)

    def _disconnecting(self, d: Device, e: Event) -> Draft:
        if d.draft is None or d.draft.kind != "disconnect":
            return self.open(d, "disconnect", e)
        return d.draft

    def _stop(self, d: Device, e: Event) -> None:
        self._disconnecting(d, e).add("stop", [e.unit])
        if not self.refused(d, e):
            d.stopping = True
            if self.revision.startswith("1."):
                self.to(d, "STOPPING", e.first, inferred=True)

    def _destroy(self, d: Device, e: Event) -> None:
        draft = self._disconnecting(d, e)
        draft.add("destroy", [e.unit])
        self.between(e, draft)
        if self.refused(d, e) or not e.done or not e.status:
            return
        draft.end_step(OK)
        if draft.outcome != FAILED:
            draft.outcome = OK
        self.to(d, "destroyed", e.last, inferred=True)
        self.after = draft
        d.draft = None
        del self.pdevs[e.x[0]]

    def _abort(self, d: Device, e: Event) -> None:
        draft = d.draft or self.open(d, "abort")
        was = draft.name or ""
        if e.failed:
            draft.add("abort", [e.unit])
            said = f"{e.name} returned {e.status}{self.why(e, d)}"
            draft.end_step(FAILED, said)  # nothing to abort is no failure of the whole
            return
        if draft.kind == "connect" and draft.outcome == INCOMPLETE:
            draft.fail(f"the host gave up the {was} step with {e.name}{self.reasons(self.step_began(draft, e), e.first)}")
        d.failed_transaction = False
        draft.add("abort", [e.unit])
        draft.end_step(OK)
        if draft.kind == "abort":
            draft.outcome = OK
