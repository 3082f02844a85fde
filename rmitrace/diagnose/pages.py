"""What stands in the memory recorded with a call: parameter pages, and the shared page of the communicate calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from decoders.tree import Node

if TYPE_CHECKING:
    from ..capture.model import Capture

WITH_MEMORY = ("calls-jsonl",)
"""Formats whose calls may carry memory."""

NONE, RESPONSE, ERROR = 0, 1, 2
"""RmiDevCommStatus, what the host brings."""
REQ_CACHE, RSP_CACHE, REQ_SEND, RSP_WAIT, RSP_RESET, MULTI, STREAM_WAIT = (1 << i for i in range(7))
"""RmiDevCommExitFlags."""
GOES_ON = REQ_CACHE | RSP_CACHE | REQ_SEND | RSP_WAIT | RSP_RESET | STREAM_WAIT
"""Flags with which a transaction is not over (multi alone says nothing)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """The shared page around one communicate call. What was not recorded is None.

    status .. rsp_len    RmiDevCommEnter, what the host wrote
    flags .. rsp_timeout RmiDevCommExit, what the RMM answered; only where the call succeeded
    response             the response as the host handed it in; request: what the RMM asks to send
    """

    data_ptr: int
    status: int | None
    req_addr: int | None
    rsp_addr: int | None
    rsp_len: int | None
    flags: int | None
    req_cache: tuple[int, int] = (0, 0)
    rsp_cache: tuple[int, int] = (0, 0)
    object: int = 0
    protocol: int = 0
    req_delay: int = 0
    req_len: int = 0
    rsp_timeout: int = 0
    response: bytes | None = None
    request: bytes | None = None

    @property
    def over(self) -> bool | None:
        """Whether the transaction ended with this call, None where that is not known."""
        return None if self.flags is None else not self.flags & GOES_ON


def has_memory(capture: Capture, seq: int) -> bool:
    """Whether the memory of a call may have been recorded."""
    return capture.sources[capture.source_of(seq)].format in WITH_MEMORY


def params(capture: Capture, seq: int, struct: str = "") -> Node | None:
    """The parameter page that a call was given, decoded; None where it was not recorded."""
    if not has_memory(capture, seq):
        return None
    call = capture.call(seq)
    pointers = {a.value for a in call.args if a.name in ("params_ptr", "run_ptr", "data_ptr", "cfg_ptr")}
    for buffer, tree in call.buffers:
        if tree is not None and buffer.when == "enter" and buffer.addr in pointers and struct in ("", buffer.struct):
            return tree
    return None


def field(tree: Node | None, path: str) -> int | None:
    """The number at a dotted path."""
    node = tree.find(path) if tree is not None else None
    return node.value if node is not None and isinstance(node.value, int) else None


def numbers(tree: Node | None, name: str) -> list[int]:
    """The numbers of an array that are in use."""
    node = tree.child(name) if tree is not None else None
    return [c.value for c in node.children if isinstance(c.value, int)] if node is not None else []


def ranges(tree: Node | None, name: str) -> list[tuple[int, int]]:
    """Base and top of the address ranges in an array that are in use."""
    node = tree.child(name) if tree is not None else None
    out = []
    for c in node.children if node is not None else ():
        base, top = field(c, "base"), field(c, "top")
        if base is not None and top is not None:
            out.append((base, top))
    return out


def exchange(capture: Capture, seq: int) -> Exchange | None:
    """The shared page around a communicate call, None where it was not recorded. Decoded from the bytes: there may be many."""
    if not has_memory(capture, seq):
        return None
    c = capture.calls
    data_reg = 2 if capture.name_text(seq) == "RMI_PDEV_COMMUNICATE" else _data_register(capture, seq)
    source = capture.sources[int(c.source[seq])]
    rec = source.records
    data_ptr = int(rec.regs[int(c.enter[seq]), data_reg]) if c.enter[seq] >= 0 else 0
    before = _pages(capture, seq, False)
    page = before.get(data_ptr)
    if page is None or len(page) < 0x20:
        return None
    status, req, rsp, length = page[0], _u64(page, 8), _u64(page, 16), _u64(page, 24)
    response = before.get(rsp)
    told = Exchange(data_ptr, status, req, rsp, length, None, response=None if response is None else response[:length])
    if c.exit[seq] < 0 or capture.status_text(seq) != "RMI_SUCCESS":
        return told
    after = _pages(capture, seq, True)
    page = after.get(data_ptr)
    if page is None or len(page) < 0x850:
        return told
    out = page[0x800:0x850]
    request = after.get(req)
    return Exchange(
        data_ptr,
        status,
        req,
        rsp,
        length,
        _u64(out, 0),
        (_u64(out, 8), _u64(out, 0x10)),
        (_u64(out, 0x18), _u64(out, 0x20)),
        out[0x28],
        out[0x30],
        _u64(out, 0x38),
        _u64(out, 0x40),
        _u64(out, 0x48),
        told.response,
        None if request is None else request[: _u64(out, 0x40)],
    )


def exit_reason(capture: Capture, seq: int) -> int | None:
    """RmiRecExitReason of an RMI_REC_ENTER, None where the page was not recorded."""
    record = int(capture.calls.exit[seq])
    if record < 0 or not has_memory(capture, seq):
        return None
    found = capture.detail(int(capture.calls.source[seq]), record, True).buffers
    page = next((b.data for b in found if b.struct == "RmiRecRun"), b"")
    return page[_REC_EXIT] if len(page) > _REC_EXIT else None


_REC_EXIT = 0x800
"""Where RmiRecExit begins in RmiRecRun; its first byte is the reason."""


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _data_register(capture: Capture, seq: int) -> int:
    import decoders

    command = decoders.command("RMI_VDEV_COMMUNICATE", capture.revision.device)
    return next((a.reg for a in command.args if a.name == "data_ptr"), 4) if command is not None else 4


def _pages(capture: Capture, seq: int, out: bool) -> dict[int, bytes]:
    c = capture.calls
    record = int(c.exit[seq] if out else c.enter[seq])
    if record < 0:
        return {}
    found = capture.detail(int(c.source[seq]), record, out).buffers
    return {b.addr: b.data for b in found if b.addr is not None}
