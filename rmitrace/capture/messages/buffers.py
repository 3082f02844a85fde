"""Bytes recorded at the host's DOE functions: a probe's request and response buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...formats.base import Detail
from ..records import NO_TIME, Kind
from .model import DOE_LAYER, REQUEST, RESPONSE, Message, Place
from .windows import Windows, device_of

if TYPE_CHECKING:
    from ..model import Capture

_LENGTHS = ("len", "length", "size", "sz", "ret", "retval", "n")
_DIRECTION = {"DevCommReqBuf": REQUEST, "DevCommRspBuf": RESPONSE}


def from_buffers(capture: Capture, source: int) -> list[Message]:
    """The messages of a source's BUFFER records, in its order."""
    rec = capture.sources[source].records
    at = np.flatnonzero(rec.kind == Kind.BUFFER)
    if not len(at):
        return []
    windows = Windows(capture, source)
    found: list[Message] = []
    for r in at.tolist():
        detail = capture.detail(source, r, False)
        for b in detail.buffers:
            direction = _DIRECTION.get(b.struct or "")
            if direction is None or not b.data:
                continue
            call = windows.claim(r, int(rec.pid[r]), direction, b.data)
            ts = int(rec.ts[r])
            device = device_of(capture, call) if call is not None else None
            offset, length = int(rec.offset[r]), int(rec.length[r])
            place = Place(source, offset, length, None if ts == NO_TIME else ts, call, device)
            layer = DOE_LAYER.get(_number(detail, ("type",), 1), "DOE")
            declared = _number(detail, _LENGTHS, len(b.data))
            cut = declared if len(b.data) < declared < 1 << 20 else None
            found.append(Message(place, direction, [layer], b.data, declared=cut))
    return found


def _number(detail: Detail, names: tuple[str, ...], missing: int) -> int:
    try:
        return int(next((detail.fields[n] for n in names if n in detail.fields), str(missing)), 0)
    except ValueError:
        return missing
