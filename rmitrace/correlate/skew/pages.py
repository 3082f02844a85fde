"""Signs in shared pages: layouts that fit only one revision. Only in recordings that hold memory.

RmiPdevParams: 1.1 lists auxiliary granules from 0x100 on and has their number at 0x48, 2.0 is zero from 0x40 on; bet1
has the range of routing ids at 0x20 and the hash algorithm (0 or 1) at 0x30, from bet2 on both are 8 bytes further.
RmiDevCommExit: bit 6 of the flags (stream_wait) is 2.0's; 1.1-alp14 and older have req_len at 0x38, all later ones at 0x40.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...capture.revision import R11, R20B1, R20B3, TWO, Evidence

if TYPE_CHECKING:
    from ...capture.model import Call, Capture

_RID_TOP = 1 << 16
_MOST = 64
"""Calls of a command that are looked at."""
_EXIT = 0x800
_SEND, _STREAM_WAIT = 1 << 2, 1 << 6


def signs_in_pages(capture: Capture, source: int) -> Iterator[Evidence]:
    """The signs in the pages that were recorded with the calls of a source."""
    if capture.sources[source].format != "calls-jsonl":
        return
    seen: set[str] = set()
    for name, look in (("RMI_PDEV_CREATE", _params), ("RMI_PDEV_COMMUNICATE", _exit)):
        if name not in capture.names:
            continue
        c = capture.calls
        for seq in np.flatnonzero((c.source == source) & (c.name == capture.names.index(name)))[:_MOST].tolist():
            for e in look(capture.call(seq)):
                if e.text not in seen:
                    seen.add(e.text)
                    yield e


def _page(call: Call, when: str) -> bytes:
    """The page that the second argument points to, empty where it was not recorded."""
    address = call.x[2] if len(call.x) > 2 else None
    return next((b.data for b, _ in call.buffers if b.addr == address and b.when == when), b"")


def _word(page: bytes, at: int) -> int:
    return int.from_bytes(page[at : at + 8], "little")


def _params(call: Call) -> Iterator[Evidence]:
    page = _page(call, "enter")
    if not page:
        return
    if _word(page, 0x48) in range(1, 33) and any(page[0x100:0x200]):
        yield Evidence("device", (R11,), "RmiPdevParams lists auxiliary granules from 0x100 on", 4, "kernel")
    elif not any(page[0x40:]):
        yield Evidence("device", TWO, "RmiPdevParams is zero from 0x40 on", 3, "kernel")
        base, top, below = _word(page, 0x28), _word(page, 0x30), _word(page, 0x20)
        if 1 < top <= _RID_TOP and base < top:
            yield Evidence(
                "device", (R20B3,), "RmiPdevParams has rid_base and rid_top at 0x28 and 0x30, behind hb_base", 3, "kernel"
            )
        elif 1 < base <= _RID_TOP and below < base and top <= 1:
            yield Evidence("device", (R20B1,), "RmiPdevParams has rid_base and rid_top at 0x20 and 0x28", 3, "kernel")


def _exit(call: Call) -> Iterator[Evidence]:
    page = _page(call, "exit")[_EXIT:]
    flags = _word(page, 0)
    if flags & _STREAM_WAIT and call.status == "RMI_SUCCESS":
        yield Evidence("device", TWO, "RmiDevCommExit.flags has stream_wait (bit 6)", 4, "firmware")
    if flags & _SEND and 8 <= _word(page, 0x38) <= 4096 and not _word(page, 0x40) and not _word(page, 0x48):
        text = "RmiDevCommExit has req_len at 0x38, as 1.1-alp14 and older"
        yield Evidence("device", (R11,), text, 4, "firmware")
