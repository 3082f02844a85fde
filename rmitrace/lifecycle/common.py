"""What following PDEVs, VDEVs and streams has in common: devices, their sequences, and the granules they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import decoders

from .course import Course
from .events import RETRY, Event, Events
from .granules import Loose
from .ledger import Draft, Ledger
from .model import FAILED, INCOMPLETE
from .refusals import why_refused
from .table import PREFIXES, object_text

if TYPE_CHECKING:
    from ..capture.model import Capture

_ENOUGH_SAID = 600
"""Characters of a sequence's why behind which further failures add nothing to it."""


@dataclass(slots=True)
class Device:
    """A PDEV or VDEV while the calls are followed; ``prefix`` and ``address`` name it."""

    prefix: int
    address: int = 0
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

    @property
    def object(self) -> str:
        """'pdev:0x49500000'."""
        return object_text(self.prefix, self.address)


PDEV, VDEV, STREAM, NOTHING = (PREFIXES.index(p) for p in ("pdev", "vdev", "stream", ""))


class Tracker:
    """Follows the devices of one source.

    reasons     what the firmware said between two calls (marks), for the why of a failure
    """

    def __init__(
        self, capture: Capture, source: int, events: Events | Course, ledger: Ledger, reasons: Callable[[int, int], str]
    ) -> None:
        self.capture, self.source, self.events, self.ledger, self.reasons = capture, source, events, ledger, reasons
        self.revision = capture.revision.at(source).device
        self.pdevs: dict[int, Device] = {}
        self.vdevs: dict[int, Device] = {}
        self.loose = Loose()
        self.after: Draft | None = None
        """The sequence whose granules are being given back."""
        self.creating: Device | None = None
        """The PDEV whose stateful RMI_PDEV_CREATE has no end in the capture: it takes the granules delegated behind it."""

    def names_of(self, enum: str, prefix: str) -> dict[int, str]:
        """The values of an enumeration of the device commands, without their prefix."""
        names = decoders.profile(self.revision).enums.get(enum, {})
        return {value: name.removeprefix(prefix) for value, name in names.items()}

    # -- sequences and states

    def open(self, d: Device, kind: str, by: Event | None = None) -> Draft:
        """A new sequence of a device; ``by``: what the host went on to."""
        old = d.draft
        if old is not None and old.kind == "connect" and old.outcome == INCOMPLETE and by is not None and old.name is not None:
            old.fail(f"the host went on to {by.name} before the device was connected")
        d.draft = self.ledger.open(kind, d.prefix, d.address, self.source)
        return d.draft

    def why(self, e: Event, d: Device | None) -> str:
        """Why a call on a device was refused, as far as its state tells."""
        state, failed = (d.state, d.failed_transaction) if d is not None else (None, False)
        if e.name == "RMI_PDEV_STOP" and e.status == "RMI_ERROR_DEVICE":
            living = next((v.object for v in self.vdevs.values() if v.pdev == e.x[0] and v.created), None)
            if living is not None:
                return f": {living} of it has not been destroyed"
        return why_refused(e.name, e.status, state, failed, self.revision)

    def refused(self, d: Device, e: Event) -> bool:
        """Whether a command failed; the sequence it belongs to then failed at this step."""
        if not e.failed:
            return False
        if d.draft is not None and len(d.draft.why) > _ENOUGH_SAID:
            d.draft.end_step(FAILED)
        elif d.draft is not None and e.status not in RETRY:
            said = f"{e.name} returned {e.status or 'an error'}"
            d.draft.fail(said + self.why(e, d) + self.reasons(e.first, e.first))
        return True

    def to(self, d: Device, state: str, call: int, *, inferred: bool) -> None:
        """A device is in a state."""
        if d.state == state:
            d.observed = d.observed or not inferred
            return
        self.ledger.changed(d.prefix, d.address, call, d.state, state, inferred)
        d.state, d.observed = state, not inferred

    # -- granules

    def granule(self, e: Event) -> None:
        """A granule was delegated or given back."""
        gives_back = "UNDELEGATE" in e.name
        if gives_back and self.after is not None:
            self.after.add("undelegate", [e.unit])
            if e.failed and e.status not in RETRY:
                self.after.fail(f"{e.name} of 0x{e.x[0]:x} returned {e.status}{self.why(e, None)}")
            return
        if self.creating is not None and self.creating.draft is not None and not gives_back:
            self.creating.draft.add("create", [e.unit])
            return
        held = self.pdevs.get(e.x[0])
        if gives_back and held is not None and held.draft is not None:
            held.draft.add("undelegate", [e.unit])
            if e.failed:
                held.draft.fail(f"{e.name} of 0x{e.x[0]:x} returned {e.status}{self.why(e, held)}")
            return
        if gives_back:
            self.loose.forget(e.x[0])
        else:
            self.loose.add(e)

    def step_began(self, draft: Draft | None, e: Event) -> int:
        """The first call of the last step of a sequence, that of the event where there is none."""
        return e.first if draft is None or draft.name is None else self.events.call(draft.step_first)

    def between(self, e: Event, draft: Draft) -> None:
        """Granule calls while a stateful operation was open are part of it."""
        if e.last > e.first and draft.name is not None:
            draft.add(draft.name, self.events.granules_within(e.first, e.last))
