"""Messages in the shared pages of calls that were recorded with their memory: RmiDevCommData says where they lie.

A request is there when its communicate call returns, the response when the next one of the device is entered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from decoders import dev_comm
from decoders.tree import Node

from ...formats.spdm_log import looks_secured
from .model import REQUEST, RESPONSE, SECURED, SPDM, Message, Place
from .windows import communicates, device_of

if TYPE_CHECKING:
    from ..model import Call, Capture


@dataclass(slots=True)
class _Asked:
    """A request that was handed out. ``exit``: the exit half of the shared page as that call left it."""

    seq: int
    layer: str
    request: bytes
    address: int
    exit: bytes


def from_pages(capture: Capture) -> list[tuple[tuple[int, int], Message]]:
    """Messages with their places in the order of the calls: (call that hands them out or in, 0 response or 1 request)."""
    whole = [i for i, s in enumerate(capture.sources) if s.format == "calls-jsonl"]
    c = capture.calls
    rows = np.flatnonzero(np.isin(c.source, whole) & np.isin(c.name, communicates(capture))) if whole else np.array([])
    asked: dict[tuple[int, int, str], _Asked] = {}
    found: list[tuple[tuple[int, int], Message]] = []
    for seq in rows.astype(np.int64).tolist():
        call = capture.call(seq)
        data = next((a.value for a in call.args if a.name == "data_ptr"), None)
        if not isinstance(data, int):
            continue
        device = device_of(capture, seq)
        key = (call.source, data, device)
        enter, exit_ = shared_page(call, data, "enter"), shared_page(call, data, "exit")
        if enter is not None and number_at(enter, "enter.status") == dev_comm.RESPONSE:
            response = bytes_at(call, number_at(enter, "enter.rsp_addr"), "enter")[: number_at(enter, "enter.rsp_len")]
            before = asked.pop(key, None)
            if before is not None and not _same(before, call, data):
                before = None  # a call in between is missing: this is the response to its request
            if response:
                layer = before.layer if before is not None else _layer(response)
                place = Place(call.source, call.offset, call.length, call.ts_ns, before.seq if before else None, device)
                found.append(((seq, 0), Message(place, RESPONSE, [layer], response)))
        if exit_ is not None and call.status == "RMI_SUCCESS" and number_at(exit_, "exit.flags") & dev_comm.REQ_SEND:
            address = number_at(exit_, "enter.req_addr")
            request = bytes_at(call, address, "exit")[: number_at(exit_, "exit.req_len")]
            layer = SECURED if number_at(exit_, "exit.protocol") == 1 else SPDM
            asked[key] = _Asked(seq, layer, request, address, _exit_half(call, data, "exit"))
            if request:
                end = None if call.ts_ns is None else call.ts_ns + (call.dur_ns or 0)
                place = Place(call.source, call.offset, call.length, end, seq, device)
                found.append(((seq, 1), Message(place, REQUEST, [layer], request)))
    return found


def _same(before: _Asked, call: Call, data: int) -> bool:
    """Whether the pages are still as that call left them, as far as they were recorded."""
    now = _exit_half(call, data, "enter")
    if before.exit and now and before.exit != now:
        return False
    request = bytes_at(call, before.address, "enter")[: len(before.request)]
    return not request or request == before.request


def _exit_half(call: Call, data: int, when: str) -> bytes:
    return bytes_at(call, data, when)[0x800:]


def _layer(data: bytes) -> str:
    return SECURED if looks_secured(data) else SPDM


def shared_page(call: Call, addr: int, when: str) -> Node | None:
    """The decoded structure at an address, before ('enter') or after ('exit') the call."""
    return next((t for b, t in call.buffers if b.addr == addr and b.when == when and t is not None), None)


def number_at(tree: Node, path: str) -> int:
    """The number at a dotted path, 0 where there is none."""
    node = tree.find(path)
    return node.value if node is not None and isinstance(node.value, int) else 0


def bytes_at(call: Call, addr: int, when: str) -> bytes:
    """The memory recorded at an address, empty where there is none."""
    return next((b.data for b, _ in call.buffers if b.addr == addr and b.when == when), b"")
