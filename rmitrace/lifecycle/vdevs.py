"""VDEVs: attach, lock, start, unlock, detach and what lies between."""

from __future__ import annotations

from typing import Any

from .common import VDEV, Device, Tracker
from .events import Event
from .model import FAILED, INCOMPLETE, OK

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
_TARGET = dict(_VDEV_KIND.values())


class VdevTracker(Tracker):
    """Follows the VDEVs of one source."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.vdev_states = self.names_of("RmiVdevState", "RMI_VDEV_")

    def vdev(self, e: Event) -> None:
        """A call on a VDEV."""
        address = e.x[2]
        if e.name == "RMI_VDEV_GET_STATE" or (e.name == "RMI_VDEV_ABORT" and not address):
            address = e.x[0]
        elif e.name in ("RMI_VDEV_COMPLETE", "RMI_VDEV_MAP", "RMI_VDEV_UNMAP", "RMI_VDEV_VALIDATE_MAPPING"):
            return
        d = self.vdevs.get(address)
        if d is None:
            d = self.vdevs[address] = Device(VDEV, address)
        if e.name == "RMI_VDEV_COMMUNICATE":
            draft = d.draft or self.open(d, "communicate")
            draft.add(draft.kind, [e.unit])
            if not self.refused(d, e) and e.reads and d.state is not None:
                self._vdev_arrived(d, d.state)
        elif e.name == "RMI_VDEV_GET_STATE":
            self._vdev_state(d, e)
        elif e.name in _VDEV_KIND:
            self._vdev_command(d, e, _VDEV_KIND[e.name][0])

    def _vdev_command(self, d: Device, e: Event, kind: str) -> None:
        if d.draft is not None and d.draft.outcome == INCOMPLETE and not e.failed and kind != "abort":
            d.draft.end_step(OK)  # the next operation was accepted: the one before was over
            d.draft.outcome = OK
        draft = self.open(d, kind)
        if kind == "attach":
            own, behind = self.loose.take(e.x[2], "RMI_VDEV_AUX_COUNT")
            draft.add("delegate", [*own, *behind])
        draft.add(kind, [e.unit])
        self.between(e, draft)
        if self.refused(d, e):
            return
        if kind == "attach" and e.done:
            d.pdev, d.created = e.x[1], True
            self.to(d, "NEW", e.last, inferred=True)
        elif kind in ("detach", "abort") and e.done and e.status:
            draft.end_step(OK)
            draft.outcome = OK
            if kind == "detach":
                self.to(d, "destroyed", e.last, inferred=True)
                self.after = draft
                d.draft = None
                self.vdevs.pop(e.x[2], None)

    def _vdev_state(self, d: Device, e: Event) -> None:
        if d.draft is not None and d.draft.name is not None:
            d.draft.add(d.draft.name, [e.unit])
        if e.failed or e.r1 is None or not e.status:
            return
        state = self.vdev_states.get(e.r1, f"state {e.r1}")
        before = d.state
        self.to(d, state, e.first, inferred=False)
        if d.draft is not None and state == "ERROR" and before != "ERROR":
            d.draft.fail(f"{e.name} gives VDEV_ERROR{self.reasons(self.step_began(d.draft, e), e.first)}")
        else:
            self._vdev_arrived(d, state)

    def _vdev_arrived(self, d: Device, state: str) -> None:
        if d.draft is not None and state == _TARGET.get(d.draft.kind) and d.draft.outcome != FAILED:
            d.draft.end_step(OK)
            d.draft.outcome = OK
