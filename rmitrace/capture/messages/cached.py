"""What the host keeps for a device: the objects that the RMM asks it to cache, put together over the calls.

RmiDevCommExit says which bytes of the request and response buffers to append to which object (DEN0137 RmiDevCommObject:
the messages of version, capabilities and algorithms; the certificates; measurements; the interface report).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from decoders.dev_comm import OBJECTS, REQ_CACHE, RSP_CACHE
from decoders.spdm import Session, decode_spdm
from decoders.tdisp import decode_report, is_report
from decoders.tree import Node
from decoders.x509 import decode_chain

from .decoding import detached, moved
from .pages import bytes_at, number_at, shared_page
from .windows import communicates

if TYPE_CHECKING:
    from ..model import Call, Capture

MAX_OBJECT = 1 << 20
_BEGINS = ("RMI_PDEV_CREATE", "RMI_VDEV_CREATE", "RMI_VDEV_GET_MEASUREMENTS", "RMI_VDEV_GET_INTERFACE_REPORT")
"""Commands after which an object begins anew."""


@dataclass(slots=True)
class CachedObject:
    """One object of one device.

    device  'pdev:0x..' or 'vdev:0x..': whom the communicate calls were for
    kind    'VCA', 'CERTIFICATE', 'MEASUREMENTS', 'INTERFACE_REPORT', or the number
    pieces  the bytes in the order in which they were to be appended
    calls   the call of each piece
    cut     bytes that were to be cached and are not in the capture
    """

    device: str
    kind: str
    pieces: list[bytes] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    cut: int = 0

    @property
    def data(self) -> bytes:
        """The whole object."""
        return b"".join(self.pieces)

    def tree(self) -> Node:
        """The object decoded; offsets count from its start."""
        data = self.data
        if self.kind == "CERTIFICATE":
            made = decode_chain(data)
        elif self.kind == "INTERFACE_REPORT" and is_report(data):
            made = decode_report(data)
        else:
            session, at, nodes = Session(), 0, []
            for piece in self.pieces:
                nodes.append(moved(decode_spdm(piece, session=session), at))
                at += len(piece)
            report = b"".join(n.value for m in nodes for n in m.walk() if n.name == "REPORT_BYTES" and isinstance(n.value, bytes))
            made = Node("messages", None, f"{len(nodes)} messages", 0, len(data), tuple(nodes))
            if report and is_report(report):
                made = Node("messages", None, made.text, 0, len(data), (*nodes, detached(decode_report(report))))
        out = Node(self.kind, None, f"{len(data)} bytes: {made.text}", 0, len(data), (made,))
        return out.noted(f"{self.cut} bytes more were to be cached", "warning") if self.cut else out


def cached_objects(capture: Capture) -> list[CachedObject]:
    """The objects of a capture with memory, in the order in which they began; empty where no shared page was recorded."""
    whole = [i for i, s in enumerate(capture.sources) if s.format == "calls-jsonl"]
    if not whole:
        return []
    c = capture.calls
    begins = [i for i, n in enumerate(capture.names) if n in _BEGINS]
    talks = communicates(capture)
    out: list[CachedObject] = []
    growing: dict[tuple[str, int], CachedObject] = {}
    for seq in np.flatnonzero(np.isin(c.source, whole) & np.isin(c.name, talks + begins) & ~c.failed).tolist():
        device = capture.object_of(seq) or "?"
        if int(c.name[seq]) in begins:
            for key in [k for k in growing if k[0] == device]:
                del growing[key]
            continue
        call = capture.call(seq)
        data = next((a.value for a in call.args if a.name == "data_ptr"), None)
        page = shared_page(call, data, "exit") if isinstance(data, int) else None
        flags = number_at(page, "exit.flags") if page is not None else 0
        if page is None or not flags & (REQ_CACHE | RSP_CACHE):
            continue
        kind = number_at(page, "exit.cache_obj_id")
        key = (device, kind)
        if key not in growing or (kind == 0 and _begins_vca(call, page, flags)):
            growing[key] = CachedObject(device, OBJECTS.get(kind, f"object {kind}"))
            out.append(growing[key])
        for flag, side in ((REQ_CACHE, "req"), (RSP_CACHE, "rsp")):
            if flags & flag:
                address = number_at(page, f"enter.{side}_addr")
                at, size = number_at(page, f"exit.{side}_cache_offset"), number_at(page, f"exit.{side}_cache_len")
                _append(growing[key], bytes_at(call, address, "exit"), at, size, seq)
    return out


def _begins_vca(call: Call, page: Node, flags: int) -> bool:
    """Whether GET_VERSION is to be cached: a connection begins."""
    at = number_at(page, "exit.req_cache_offset")
    return bool(flags & REQ_CACHE) and bytes_at(call, number_at(page, "enter.req_addr"), "exit")[at : at + 2] == b"\x10\x84"


def _append(o: CachedObject, buffer: bytes, at: int, size: int, seq: int) -> None:
    piece = buffer[at : at + min(size, MAX_OBJECT)]
    o.cut += size - len(piece)
    if piece and sum(map(len, o.pieces)) + len(piece) <= MAX_OBJECT:
        o.pieces.append(piece)
        o.calls.append(seq)
    else:
        o.cut += len(piece)
