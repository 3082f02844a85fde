"""Protocol messages seen with the calls or in packets: SPDM requests that the RMM hands out and the device's responses.

A message belongs to the RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE that asked the host to send it: the request leaves
with the exit of that call, the response comes back before the next one is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from decoders.spdm import name_of
from decoders.tree import Node

from ..formats.base import Detail
from .records import NO_TIME, Kind

if TYPE_CHECKING:
    from decoders.spdm import Session

    from .model import Call, Capture

REQUEST, RESPONSE = "request", "response"
_DIRECTION = {"DevCommReqBuf": REQUEST, "DevCommRspBuf": RESPONSE}
SPDM, SECURED = "SPDM", "SECURED_SPDM"
_DOE_LAYER = {1: SPDM, 2: SECURED}
"""DOE data object types of vendor 0x0001 (PCIe r6.1 6.30.1)."""
_SEND = 1 << 2
"""req_send in the flags of RmiDevCommExit."""
_COMMUNICATE = ("RMI_PDEV_COMMUNICATE", "RMI_VDEV_COMMUNICATE")


@dataclass(slots=True)
class Place:
    """Where a message was found: source, byte offset and length of the record, and the call it belongs to."""

    source: int
    offset: int
    length: int
    ts_ns: int | None
    call: int | None
    device: str | None
    """The PDEV it is for, 'pdev:0x49500000'; None in a packet capture."""


class Message:
    """One message of a conversation.

    data     the bytes its tree covers: from the carrier's header on where there is one ('DOE' in ``layers``)
    start    byte offset of the SPDM or secured message in them
    layers   protocols, outermost first: ['DOE', 'SPDM'], ['SECURED_SPDM'], ...
    tree     decoded in the context of the messages before it (see Conversations)
    """

    def __init__(self, seq: int, place: Place, direction: str, layers: list[str], data: bytes, start: int = 0) -> None:
        self.seq = seq
        self.place = place
        self.direction = direction
        self.layers = layers
        self.data = data
        self.start = start
        self.tree: Node | None = None
        self.inside: Node | None = None
        """The message in the plain text of a secured one, where it could be decrypted."""

    @property
    def secured(self) -> bool:
        """Whether it is a secured message."""
        return SECURED in self.layers

    @property
    def session_id(self) -> int | None:
        """Session id of a secured message."""
        head = self.data[self.start : self.start + 4]
        return int.from_bytes(head, "little") if self.secured and len(head) == 4 else None

    @cached_property
    def name(self) -> str:
        """The SPDM name ('GET_VERSION'), that of the message inside where it was decrypted, else 'SECURED'."""
        if self.inside is not None:
            return self.inside.name
        if self.secured:
            return "SECURED"
        if SPDM in self.layers:
            return name_of(self.data[self.start :])
        return "_".join(self.layers[-2:]) or "UNKNOWN"

    @property
    def title(self) -> str:
        """The name with what a vendor-defined message carries: 'VENDOR_DEFINED_REQUEST (IDE_KM KEY_PROG)'."""
        tree = self.inside or self.tree
        inner = vendor_message(tree) if tree is not None else None
        name = f"{self.name} ({inner})" if inner else self.name
        return f"{name} in session 0x{self.session_id:08x}" if self.session_id is not None else name


def vendor_message(tree: Node) -> str | None:
    """'IDE_KM KEY_PROG', 'TDISP LOCK_INTERFACE_REQUEST' for a vendor-defined message of PCI-SIG, else None."""
    for n in tree.walk():
        if n.name in ("IDE_KM", "TDISP"):
            kind = next((c for c in n.walk() if c.name in ("ObjectID", "MessageType") and c.text), None)
            return f"{n.name} {kind.text.split(' (')[0]}" if kind is not None else n.name
    return None


def find_messages(capture: Capture) -> list[Message]:
    """The messages of a capture: those of calls in the order of the calls, then those of packets."""
    found: list[tuple[tuple[int, int, int], Message]] = []
    for s, source in enumerate(capture.sources):
        if source.format == "pcap":
            found += _from_packets(capture, s)
        else:
            found += _from_buffers(capture, s)
    found += _from_pages(capture)
    found.sort(key=lambda f: f[0])
    out = [m for _, m in found]
    for i, m in enumerate(out):
        m.seq = i
    return out


def _communicates(capture: Capture) -> list[int]:
    return [i for i, n in enumerate(capture.names) if n in _COMMUNICATE]


def _from_buffers(capture: Capture, s: int) -> Iterator[tuple[tuple[int, int, int], Message]]:
    """Bytes recorded at the host's DOE functions: each belongs to the last communicate call of its task."""
    c, rec = capture.calls, capture.sources[s].records
    at = np.flatnonzero(rec.kind == Kind.BUFFER)
    if not len(at):
        return
    rows = np.flatnonzero((c.source == s) & np.isin(c.name, _communicates(capture)))
    by_task = {int(p): rows[c.pid[rows] == p] for p in np.unique(c.pid[rows])}
    ends_of = {p: np.where(c.exit[r] >= 0, c.exit[r], c.enter[r]) for p, r in by_task.items()}
    for r in at.tolist():
        detail = capture.detail(s, r, False)
        mine = by_task.get(int(rec.pid[r]))
        k = int(np.searchsorted(ends_of[int(rec.pid[r])], r)) - 1 if mine is not None else -1
        call = int(mine[k]) if mine is not None and k >= 0 else None
        ts = int(rec.ts[r])
        device = _device(capture, call) if call is not None else None
        place = Place(s, int(rec.offset[r]), int(rec.length[r]), None if ts == NO_TIME else ts, call, device)
        for b in detail.buffers:
            if b.struct in _DIRECTION and b.data:
                layer = _DOE_LAYER.get(_doe_type(detail), "DOE")
                yield (call if call is not None else len(c), s, r), Message(0, place, _DIRECTION[b.struct], [layer], b.data)


def _device(capture: Capture, seq: int) -> str:
    """The PDEV whose conversation a communicate call goes on with: a VDEV talks in the session of its PDEV, x2."""
    reg = 2 if capture.name_text(seq).startswith("RMI_VDEV") else 1
    value, _ = capture.regs(np.array([seq]), reg)
    return f"pdev:0x{int(value[0]):x}"


def _doe_type(detail: Detail) -> int:
    try:
        return int(detail.fields.get("type", "1"), 0)
    except ValueError:
        return 1


def _from_packets(capture: Capture, s: int) -> Iterator[tuple[tuple[int, int, int], Message]]:
    """The messages of a pcap; a secured one, whose bytes do not say, goes the other way than the one before it."""
    from ..formats.carriers import messages

    source = capture.sources[s]
    rec = source.records
    before = RESPONSE
    for r in np.flatnonzero(rec.kind == Kind.BUFFER).tolist():
        link, start, captured = (int(v) for v in rec.regs[r, :3])
        packet = source.raw(start, captured)
        ts = int(rec.ts[r])
        place = Place(s, int(rec.offset[r]), int(rec.length[r]), None if ts == NO_TIME else ts, None, None)
        for m in messages(packet, link):
            layers = [SECURED if x == "SECURED" else x for x in m.layers]
            direction = m.direction or (REQUEST if before == RESPONSE else RESPONSE)
            before = direction
            data = packet[m.start : m.offset + m.length]
            yield (len(capture.calls), s, r), Message(0, place, direction, layers, data, m.offset - m.start)


def _from_pages(capture: Capture) -> Iterator[tuple[tuple[int, int, int], Message]]:
    """Messages in the shared pages of calls recorded with their memory (RmiDevCommData, request and response buffers)."""
    whole = [i for i, s in enumerate(capture.sources) if s.format == "calls-jsonl"]
    wanted = _communicates(capture)
    c = capture.calls
    if not whole or not wanted:
        return
    asked: dict[tuple[int, int, int], tuple[int, str]] = {}
    for seq in np.flatnonzero(np.isin(c.source, whole) & np.isin(c.name, wanted)).tolist():
        call = capture.call(seq)
        data = next((a.value for a in call.args if a.name == "data_ptr"), None)
        if not isinstance(data, int):
            continue
        obj = capture.objects()
        key = (call.source, data, int(obj.addr[seq]))
        enter, exit_ = _page(call, data, "enter"), _page(call, data, "exit")
        if enter is not None and key in asked:
            before, layer = asked.pop(key)
            buffer = _bytes(call, _number(enter, "enter.rsp_addr"), "enter")[: _number(enter, "enter.rsp_len")]
            if _number(enter, "enter.status") == 1 and buffer:
                yield (before, call.source, 1), _page_message(capture, before, call, RESPONSE, layer, buffer)
        if exit_ is not None and call.status == "RMI_SUCCESS" and _number(exit_, "exit.flags") & _SEND:
            buffer = _bytes(call, _number(exit_, "enter.req_addr"), "exit")[: _number(exit_, "exit.req_len")]
            layer = SECURED if _number(exit_, "exit.protocol") == 1 else SPDM
            asked[key] = (seq, layer)
            if buffer:
                yield (seq, call.source, 0), _page_message(capture, seq, call, REQUEST, layer, buffer)


def _page(call: Call, addr: int, when: str) -> Node | None:
    return next((t for b, t in call.buffers if b.addr == addr and b.when == when and t is not None), None)


def _number(tree: Node, path: str) -> int:
    node = tree.find(path)
    return node.value if node is not None and isinstance(node.value, int) else 0


def _bytes(call: Call, addr: int, when: str) -> bytes:
    return next((b.data for b, _ in call.buffers if b.addr == addr and b.when == when), b"")


def _page_message(capture: Capture, seq: int, call: Call, direction: str, layer: str, data: bytes) -> Message:
    place = Place(call.source, call.offset, call.length, call.ts_ns, seq, _device(capture, seq))
    return Message(0, place, direction, [layer], data)


class Conversations:
    """The messages of a capture, found when first asked for, and decoded in the order of the wire: what a message
    means depends on what was negotiated before it. ``keys``: text of a key log, see decoders.keylog."""

    def __init__(self, capture: Capture, keys: str | None = None) -> None:
        self.all = find_messages(capture)
        self.keys = keys
        self.by_call: dict[int, list[Message]] = {}
        for m in self.all:
            if m.place.call is not None:
                self.by_call.setdefault(m.place.call, []).append(m)
        self._decoded = False

    def of(self, call: int) -> list[Message]:
        """The messages of a call, decoded."""
        if call not in self.by_call:
            return []
        self.decode()
        return self.by_call[call]

    def decode(self) -> list[Message]:
        """Every message with its tree."""
        if self._decoded:
            return self.all
        self._decoded = True
        from decoders.spdm import Session

        sessions: dict[tuple[int, str | None], Session] = {}
        for m in self.all:
            key = (m.place.source, m.place.device)
            if key not in sessions:
                sessions[key] = Session()
                if self.keys:
                    sessions[key].keys = self.keys
            _decode(m, sessions[key])
        return self.all


def _decode(m: Message, session: Session) -> None:
    from decoders.doe import decode_doe
    from decoders.secured import decode_secured, inner
    from decoders.spdm import decode_spdm

    if m.layers[0] == "DOE" and m.start:
        m.tree = decode_doe(m.data, session=session)
        secured = next((n for n in m.tree.walk() if n.name == "SecuredMessage"), None)
    elif m.secured:
        secured = m.tree = decode_secured(m.data[m.start :], session=session, binding="MCTP" if "MCTP" in m.layers else "DOE")
    elif SPDM in m.layers:
        m.tree = decode_spdm(m.data[m.start :], session=session)
        return
    else:
        m.tree = Node(m.name, m.data, m.data[:16].hex(" "), 0, len(m.data))
        return
    m.inside = inner(secured) if secured is not None else None
