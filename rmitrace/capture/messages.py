"""Protocol messages seen with the calls: SPDM requests that the RMM hands out and the device's responses.

A message belongs to the RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE that asked the host to send it: the request leaves
with the exit of that call, the response comes back before the next one is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import decoders
from decoders.tree import Node

from ..formats.base import Detail
from .records import NO_TIME, Kind

if TYPE_CHECKING:
    from .model import Call, Capture

REQUEST, RESPONSE = "request", "response"
_DIRECTION = {"DevCommReqBuf": REQUEST, "DevCommRspBuf": RESPONSE}
SPDM, SECURED = 1, 2
"""DOE data object types of vendor 0x0001 (PCIe r6.1 6.30.1)."""
_SEND = 1 << 2
"""req_send in the flags of RmiDevCommExit."""
MAX_IN_SESSION = 200_000
"""Messages that are decoded in the context of what came before; later ones are decoded by themselves."""


@dataclass(slots=True)
class Message:
    """One message. ``data`` are the bytes of the SPDM or secured SPDM message, without a DOE header."""

    seq: int
    call: int | None
    ts_ns: int | None
    source: int
    offset: int
    length: int
    direction: str
    doe_type: int
    data: bytes
    device: str | None
    """The PDEV or VDEV it is for: 'pdev:0x49500000'."""
    tree: Node | None = None

    @property
    def secured(self) -> bool:
        """Whether it is a secured message."""
        return self.doe_type == SECURED

    @property
    def layers(self) -> list[str]:
        """The protocols, outermost first."""
        return ["SECURED_SPDM"] if self.secured else ["SPDM"]

    @property
    def name(self) -> str:
        """The SPDM name, 'SECURED 0x<session id>' for one that is encrypted."""
        if self.secured:
            return f"SECURED 0x{int.from_bytes(self.data[:4], 'little'):08x}" if len(self.data) >= 4 else "SECURED"
        return decoders.spdm_name(self.data)


def find_messages(capture: Capture) -> list[Message]:
    """The messages of a capture, in the order of its calls."""
    found: list[tuple[tuple[int, int], Message]] = []
    for s in range(len(capture.sources)):
        found += _from_buffers(capture, s)
    found += _from_pages(capture)
    found.sort(key=lambda f: f[0])
    out = [m for _, m in found]
    for i, m in enumerate(out):
        m.seq = i
    return out


def _from_buffers(capture: Capture, s: int) -> list[tuple[tuple[int, int], Message]]:
    """Bytes recorded at the host's DOE functions: each belongs to the last communicate call of its task."""
    source, c = capture.sources[s], capture.calls
    rec = source.records
    at = np.flatnonzero(rec.kind == Kind.BUFFER)
    if not len(at):
        return []
    wanted = [i for i, n in enumerate(capture.names) if n in ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE")]
    rows = np.flatnonzero((c.source == s) & np.isin(c.name, wanted))
    ends = np.where(c.exit[rows] >= 0, c.exit[rows], c.enter[rows])
    order = np.argsort(ends, kind="stable")
    rows, ends = rows[order], ends[order]
    out = []
    for r in at.tolist():
        detail = capture.detail(s, r, False)
        k = int(np.searchsorted(ends, r)) - 1
        while k >= 0 and c.pid[rows[k]] != rec.pid[r] and k > 0:
            k -= 1
        call = int(rows[k]) if k >= 0 and c.pid[rows[k]] == rec.pid[r] else None
        ts = int(rec.ts[r])
        for b in detail.buffers:
            if b.struct in _DIRECTION and b.data:
                m = Message(
                    0,
                    call,
                    None if ts == NO_TIME else ts,
                    s,
                    int(rec.offset[r]),
                    int(rec.length[r]),
                    _DIRECTION[b.struct],
                    _doe_type(detail),
                    b.data,
                    capture.object_of(call) if call is not None else None,
                )
                out.append(((call if call is not None else len(c), r), m))
    return out


def _doe_type(detail: Detail) -> int:
    try:
        return int(detail.fields.get("type", "1"), 0)
    except ValueError:
        return SPDM


def _from_pages(capture: Capture) -> list[tuple[tuple[int, int], Message]]:
    """Messages in the shared pages of calls recorded with their memory (RmiDevCommData, request and response buffers)."""
    wanted = [i for i, n in enumerate(capture.names) if n in ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE")]
    whole = [i for i, s in enumerate(capture.sources) if s.format == "calls-jsonl"]
    c = capture.calls
    if not whole or not wanted:
        return []
    asked: dict[tuple[int, int], int] = {}
    types: dict[tuple[int, int], int] = {}
    out = []
    for seq in np.flatnonzero(np.isin(c.source, whole) & np.isin(c.name, wanted)).tolist():
        call = capture.call(seq)
        data = next((a.value for a in call.args if a.name == "data_ptr"), None)
        if not isinstance(data, int):
            continue
        key = (call.source, data)
        enter, exit_ = _page(call, data, "enter"), _page(call, data, "exit")
        if enter is not None and key in asked:
            length = _number(enter, "enter.rsp_len")
            if _number(enter, "enter.status") == 1:
                buffer = _bytes(call, _number(enter, "enter.rsp_addr"), "enter")[:length]
                if buffer:
                    before = asked[key]
                    m = _page_message(capture, before, call, RESPONSE, types[key], buffer)
                    out.append(((before, 1), m))
            del asked[key]
        if exit_ is not None and call.status == "RMI_SUCCESS" and _number(exit_, "exit.flags") & _SEND:
            buffer = _bytes(call, _number(exit_, "enter.req_addr"), "exit")[: _number(exit_, "exit.req_len")]
            types[key] = SECURED if _number(exit_, "exit.protocol") == 1 else SPDM
            asked[key] = seq
            if buffer:
                out.append(((seq, 0), _page_message(capture, seq, call, REQUEST, types[key], buffer)))
    return out


def _page(call: Call, addr: int, when: str) -> Node | None:
    return next((t for b, t in call.buffers if b.addr == addr and b.when == when and t is not None), None)


def _number(tree: Node, path: str) -> int:
    node = tree.find(path)
    return node.value if node is not None and isinstance(node.value, int) else 0


def _bytes(call: Call, addr: int, when: str) -> bytes:
    return next((b.data for b, _ in call.buffers if b.addr == addr and b.when == when), b"")


def _page_message(capture: Capture, seq: int, call: Call, direction: str, doe_type: int, data: bytes) -> Message:
    return Message(
        0, seq, call.ts_ns, call.source, call.offset, call.length, direction, doe_type, data, capture.object_of(seq)
    )  # fmt: skip


def decode_messages(messages: list[Message]) -> None:
    """Fill the trees, each conversation in the context of its session."""
    from decoders.spdm import Session

    sessions: dict[tuple[int, str | None], Session] = {}
    for i, m in enumerate(messages):
        session = sessions.setdefault((m.source, m.device), Session()) if i < MAX_IN_SESSION else None
        if m.secured:
            from decoders.secured import decode_secured

            m.tree = decode_secured(m.data, session=session)
        else:
            m.tree = decoders.decode_spdm(m.data, session=session)
