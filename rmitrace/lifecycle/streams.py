"""IDE streams of 2.0, as parts of the sequences of the PDEVs at their ends."""

from __future__ import annotations

from itertools import islice
from typing import Any

from .common import NOTHING, PDEV, STREAM, Device, Tracker
from .events import RETRY, Event
from .ledger import Draft
from .model import FAILED, INCOMPLETE, OK

_ENDS = 64
"""PDEVs that a stream whose ends are not told may connect."""


class StreamTracker(Tracker):
    """Follows the streams of one source."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.stream_pdevs: list[int] = []
        self.stream_draft: Draft | None = None

    def draft_of(self, d: Device) -> Draft | None:
        """The sequence that polling a PDEV is part of: that of the stream operation where one is open."""
        return self.stream_draft if d.stream and self.stream_draft is not None else d.draft

    def pdev_of(self, address: int) -> Device:
        """The PDEV at an address."""
        d = self.pdevs.get(address)
        if d is None:
            d = self.pdevs[address] = Device(PDEV, address)
        return d

    def stream(self, e: Event) -> None:
        """A call on a stream."""
        what = e.name.removeprefix("RMI_PDEV_STREAM_").lower().replace("_", " ")
        if what == "info":
            return
        if what == "complete":
            self._complete(e)
            return
        if what == "connect":
            pdev = self._endpoint_of(e)
            d = self.pdev_of(pdev) if pdev else Device(STREAM)
            draft = d.draft if d.draft is not None and d.draft.kind == "connect" and d.draft.outcome != FAILED else None
            draft = draft or self.open(d, "connect")
            ends = self._latest()
        else:
            d = self.pdev_of(e.x[0])
            draft = self.open(d, what)
            ends = [p for p in e.x[:2] if p]
        draft.outcome = INCOMPLETE if draft.outcome == OK else draft.outcome
        draft.add(f"stream {what}", [e.unit])
        self.stream_draft = draft
        if e.failed and e.status not in RETRY:
            draft.fail(f"{e.name} returned {e.status}{self.why(e, d)}{self.reasons(e.first, e.first)}")
            self.stream_draft = None
            return
        for p in ends:
            self.pdev_of(p).stream = True
        self.stream_pdevs = ends

    def _latest(self) -> list[int]:
        """The PDEVs that were made last, the latest first: any of them may be an end of a stream that is connected."""
        return list(islice(reversed(self.pdevs), _ENDS))

    def _endpoint_of(self, e: Event) -> int:
        """The endpoint of a stream connect: in the parameter page where that was recorded, else told by the handle
        (TF-RMM: address of the endpoint plus the stream's type), else the PDEV that became READY last."""
        enter = int(self.capture.calls.enter[e.first])
        if enter >= 0 and any(b.struct for b in self.capture.detail(self.source, enter, False).buffers):
            for buffer, tree in self.capture.call(e.first).buffers:
                node = tree.child("pdev_1") or tree.child("pdev_1_ptr") if tree is not None and buffer.when == "enter" else None
                if node is not None and isinstance(node.value, int) and node.value:
                    return node.value
        if e.r1 is not None and (e.r1 & ~0xFFF) in self.pdevs:
            return e.r1 & ~0xFFF
        ready = ((p, self.pdevs[p]) for p in self._latest())
        return next((p for p, d in ready if d.state == "READY" and d.draft is not None and d.draft.kind == "connect"), 0)

    def _complete(self, e: Event) -> None:
        draft = self.stream_draft
        if draft is None:
            d = self.pdev_of(e.x[0])
            draft = d.draft or self.open(d, "stream complete")
        draft.add("stream complete", [e.unit])
        if e.failed and e.status not in RETRY:
            draft.fail(f"{e.name} returned {e.status}{self.why(e, self.pdevs.get(e.x[0], Device(NOTHING)))}")
        elif e.status:
            draft.end_step(OK)
            if draft.outcome != FAILED:
                draft.outcome = OK if draft.kind != "disconnect" else INCOMPLETE
            for p in self.stream_pdevs:
                if p in self.pdevs:
                    self.pdevs[p].stream = False
            self.stream_draft, self.stream_pdevs = None, []
