"""What the two halves of RmiDevCommData say together: what the host brings, and what the RMM asks of it.

DEN0137 1.1 and 2.0, RmiDevCommEnter, RmiDevCommExit and RmiDevCommExitFlags. The host writes the enter half before
RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE, the RMM the exit half before it returns; the other half of the page is
what the call before left in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from .tree import Node, Severity

PAGE = "RmiDevCommData"
GRANULE = 4096
"""Bytes of the request and of the response buffer."""
REQ_CACHE, RSP_CACHE, REQ_SEND, RSP_WAIT, RSP_RESET, MULTI, STREAM_WAIT = (1 << i for i in range(7))
NONE, RESPONSE, ERROR = range(3)
"""RmiDevCommStatus."""
OBJECTS = {0: "VCA", 1: "CERTIFICATE", 2: "MEASUREMENTS", 3: "INTERFACE_REPORT"}
"""RmiDevCommObject."""
DOE_OBJECTS = {0: "CMA/SPDM", 1: "secured CMA/SPDM"}
"""RmiDevCommProtocol as the DOE data object type that carries it."""
OVER = "nothing to send, to wait for or to cache: the transaction is over"


def described(page: Node, when: Literal["enter", "exit"] | None = None) -> Node:
    """The tree of an RmiDevCommData with the meaning of each half as its text, and notes where fields contradict each
    other. ``when``: before or after the call; the half that is then to be read is the text of the whole."""
    enter, exit_ = page.child("enter"), page.child("exit")
    if enter is None:
        return page
    halves = {"enter": _noted(enter, brought(enter), _enter_notes(enter))}
    if exit_ is not None:
        halves["exit"] = _noted(exit_, asked(exit_), _exit_notes(exit_))
    said = {name: half.text for name, half in halves.items() if half.text}
    if when == "enter" and "exit" in halves:
        halves["exit"] = replace(halves["exit"], text=f"left by the call before: {halves['exit'].text}")
    text = said.get(when, "") if when is not None else "; ".join(f"{k}: {v}" for k, v in said.items())
    return replace(page, text=text, children=tuple(halves.get(c.name, c) for c in page.children))


def brought(enter: Node) -> str:
    """What the host reports in RmiDevCommEnter: 'a response of 52 bytes'."""
    status, size = _number(enter, "status"), _number(enter, "rsp_len")
    if status == RESPONSE:
        return f"the host brings a response of {size} bytes"
    if status == ERROR:
        return "the host could not send the request or got no response"
    return "the host brings nothing" if status == NONE else ""


def asked(exit_: Node) -> str:
    """What the host is to do by RmiDevCommExit: 'send request bytes 0..48 in a CMA/SPDM object'."""
    return "; ".join(_tasks(exit_)) or OVER


def _tasks(exit_: Node) -> Iterator[str]:
    flags = _number(exit_, "flags")
    cached = [_span(exit_, side, word) for bit, side, word in _SIDES if flags & bit]
    if cached:
        kind = _number(exit_, "cache_obj_id")
        yield f"append {' and '.join(cached)} to the {OBJECTS.get(kind, f'object {kind}')}"
    if flags & REQ_SEND:
        delay = _number(exit_, "req_delay")
        carrier = DOE_OBJECTS.get(_number(exit_, "protocol"), "unknown")
        more = ", more requests follow" if flags & MULTI else ""
        after = f" after {delay} us" if delay else ""
        yield f"send request bytes 0..{_number(exit_, 'req_len')} in a {carrier} object{after}{more}"
    if flags & RSP_WAIT:
        yield "keep waiting for the response"
    timeout = _number(exit_, "rsp_timeout")
    if timeout and flags & (REQ_SEND | RSP_WAIT):
        yield f"give up {timeout} us after the timer started"
    if flags & RSP_RESET:
        yield "start the response timer again"
    if flags & STREAM_WAIT:
        yield "first communicate with the other PDEV of the stream"


_SIDES = ((REQ_CACHE, "req", "request"), (RSP_CACHE, "rsp", "response"))


def _span(exit_: Node, side: str, word: str) -> str:
    at = _number(exit_, f"{side}_cache_offset")
    return f"{word} bytes {at}..{at + _number(exit_, f'{side}_cache_len')}"


Note = tuple[str, str, Severity]
"""Field, what is wrong with it, how bad that is."""


def _enter_notes(enter: Node) -> Iterator[Note]:
    status, size = _number(enter, "status"), _number(enter, "rsp_len")
    if status == RESPONSE and size > GRANULE:
        yield "rsp_len", "more than one granule: RMI_ERROR_INPUT", "error"
    elif status == RESPONSE and not size:
        yield "rsp_len", "a response without bytes", "warning"


def _exit_notes(exit_: Node) -> Iterator[Note]:
    flags = _number(exit_, "flags")
    if flags & REQ_SEND and flags & RSP_WAIT:
        yield "flags", "req_send and rsp_wait exclude each other", "warning"
    if flags & MULTI and not flags & REQ_SEND:
        yield "flags", "multi means something with req_send only", "warning"
    if flags & REQ_SEND:
        size = _number(exit_, "req_len")
        if size > GRANULE:
            yield "req_len", "more than the request buffer, which is one granule", "error"
        elif not size:
            yield "req_len", "a request without bytes", "warning"
    for bit, side, word in _SIDES:
        end = _number(exit_, f"{side}_cache_offset") + _number(exit_, f"{side}_cache_len")
        if flags & bit and end > GRANULE:
            yield f"{side}_cache_len", f"reaches to {end:#x}, beyond the {word} buffer, which is one granule", "error"


def _noted(half: Node, text: str, notes: Iterator[Note]) -> Node:
    if half.child("status") is None and half.child("flags") is None:
        return half  # cut before the fields that say what the others mean
    children = list(half.children)
    for name, note, severity in notes:
        i = next((i for i, c in enumerate(children) if c.name == name), None)
        if i is not None:
            children[i] = children[i].noted(note, severity)
    return replace(half, text=text, children=tuple(children))


def _number(half: Node, name: str) -> int:
    node = half.child(name)
    return node.value if node is not None and isinstance(node.value, int) else 0
