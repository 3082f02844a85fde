"""In what two calls that belong together differ: status, arguments, outputs, memory, messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, zip_longest

import numpy as np

from decoders.tree import Node

from ..capture.messages import Message
from ..capture.model import Call
from ..capture.naming import FID_MASK
from ..capture.records import N_REGS
from .normal import ADDRESS, Normal, Side
from .registers import Holds, kinds, names, role

_PAGE = 0xFFF
_END = 1 << 52
_FRESH = frozenset(
    (
        *("Nonce", "RandomData", "ExchangeData", "Signature", "RequesterVerifyData", "ResponderVerifyData", "CipherText", "MAC"),
        *("ReqSessionID", "RspSessionID", "SessionID", "SequenceNumber", "START_INTERFACE_NONCE", "Context", "RequesterContext"),
    )
)
"""Fields of messages that are drawn anew in every run, or follow from such."""
_SHOWN = 8
"""Differences in memory and messages of one call that are told one by one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not the same.

    what   'status', 'parameter', 'output', 'state', 'memory', 'message' or 'time'
    name   the register, field or message
    a, b   the values in words, '-' where a side has none
    """

    what: str
    name: str
    a: str
    b: str


def compare(a: Normal, i: int, b: Normal, j: int, *, deep: bool = True) -> list[Difference]:
    """What differs in two calls that belong together, gravest first. ``deep``: in memory and messages, too."""
    x, y = a.capture.call(a.seq(i)), b.capture.call(b.seq(j))
    found = [*_status(x, y), *_registers(a, i, x, b, j, y)]
    if not deep:
        return found
    found += _memory(x, y)
    return found + _messages(a.capture.messages_of(x.seq), b.capture.messages_of(y.seq))


def _status(x: Call, y: Call) -> Iterator[Difference]:
    here, there = (c.status or (f"0x{c.r[0]:x}" if c.r and c.r[0] is not None else "no result") for c in (x, y))
    if here != there:
        yield Difference("status", "status", here, there)
    elif x.index != y.index and None not in (x.index, y.index):
        yield Difference("output", "index", str(x.index), str(y.index))


def _registers(a: Normal, i: int, x: Call, b: Normal, j: int, y: Call) -> Iterator[Difference]:
    fid = (x.fid or 0) & FID_MASK
    args, outs, objects = kinds(fid, a.capture.revision.at(x.source).of(x.name))
    called = names(fid, a.capture.revision.at(x.source).of(x.name))
    (xa, ra), (xb, rb) = a.registers(i), b.registers(j)
    one = np.zeros(1, dtype=np.int64)
    for n, how in args.items():
        if n >= N_REGS or not (xa.has(one, n) & xb.has(one, n))[0]:
            continue
        here, there = int(xa.value[0, n]), int(xb.value[0, n])
        if how is Holds.OBJECT:
            p, q = a.object_of(i, n), b.object_of(j, n)
            if p != q:
                yield Difference("parameter", called[n], role(objects[n], p), role(objects[n], q))
        elif _differ(how, (a, x, xa, here), (b, y, xb, there)):
            yield Difference("parameter", called[n], _text(x.args, called[n], here), _text(y.args, called[n], there))
    if x.status != y.status:
        return
    for o in outs:
        n = o.reg
        if n < N_REGS and x.status in o.valid_on and (ra.has(one, n) & rb.has(one, n))[0]:
            here, there = int(ra.value[0, n]), int(rb.value[0, n])
            if _differ(o.how, (a, x, xa, here), (b, y, xb, there)):
                what = "state" if o.name == "state" else "output"
                yield Difference(what, o.name, _text(x.results, o.name, here), _text(y.results, o.name, there))


def _differ(how: Holds, *sides: tuple[Normal, Call, Side, int]) -> bool:
    """Whether a register differs: of each side its call, what that was given, and the value."""
    here, there = (value for *_, value in sides)
    if how is Holds.ADDRESS:
        return not alike(here, there) and bool(here) != bool(there)
    if here == there and how is not Holds.SIZE:
        return False
    p, q = (
        n.compared(np.array([value], dtype=np.uint64), how, given.value[:, 1], np.array([call.seq]))[0]
        for n, call, given, value in sides
    )
    return bool(p != q)


def alike(a: object, b: object, offset: int = 0) -> bool:
    """Whether two values are equal, or addresses with the same place in their page; of bytes the words from ``offset`` on."""
    if a == b:
        return True
    if isinstance(a, bytes) and isinstance(b, bytes) and len(a) == len(b):
        edges = [0, *range(-offset % 8, len(a), 8), len(a)]
        words = ((int.from_bytes(v[i:j], "little") for v in (a, b)) for i, j in pairwise(edges))
        return all(alike(*pair) for pair in words)
    if not (isinstance(a, int) and isinstance(b, int)):
        return False
    return min(a, b) >= ADDRESS and max(a, b) < _END and not (a ^ b) & _PAGE


def _text(nodes: tuple[Node, ...], name: str, value: int) -> str:
    return next((n.text for n in nodes if n.name == name), f"0x{value:x}")


def _memory(x: Call, y: Call) -> list[Difference]:
    """Fields of structures in memory; what is no structure (messages, data pages) is told by other means, or not at all."""
    found: list[Difference] = []
    theirs = {(b.struct, b.when): t for b, t in y.buffers if t is not None}
    for b, tree in x.buffers:
        other = theirs.get((b.struct, b.when))
        if tree is not None and other is not None:
            found += _leaves("memory", f"{b.struct}.", tree, other, frozenset())
    unique = {(d.name, d.a, d.b): d for d in found}  # a page that stays is there before and after the call
    return _some(list(unique.values()), "memory")


def _leaves(what: str, prefix: str, a: Node, b: Node, leave_out: frozenset[str]) -> Iterator[Difference]:
    for path, p, q in _walk(a, b, ""):
        name = path.rpartition(".")[2]
        if name in leave_out or (p is not None and q is not None and alike(p.value, q.value, p.offset or 0)):
            continue
        yield Difference(what, prefix + path, "-" if p is None else p.text[:80], "-" if q is None else q.text[:80])


def _walk(a: Node, b: Node, path: str) -> Iterator[tuple[str, Node | None, Node | None]]:
    """Leaves of two trees, those of one name beside each other."""
    for p, q in zip_longest(a.children, b.children):
        node = p if p is not None else q
        here = f"{path}.{node.name}" if path else node.name
        if p is None or q is None or p.name != q.name:
            yield here, p, q
        elif p.children or q.children:
            yield from _walk(p, q, here)
        else:
            yield here, p, q


def _messages(a: list[Message], b: list[Message]) -> list[Difference]:
    """Messages that only one side has, with another name or size, or other contents where these are not drawn anew."""
    found: list[Difference] = []
    for p, q in zip_longest(a, b):
        if p is None or q is None or (p.direction, title(p)) != (q.direction, title(q)):
            direction = (p or q).direction
            found.append(Difference("message", direction, "none" if p is None else title(p), "none" if q is None else title(q)))
            break  # what follows is another conversation
        if p.size != q.size:
            found.append(Difference("message", f"size of {title(p)}", f"{p.size} bytes", f"{q.size} bytes"))
        if p.tree is not None and q.tree is not None and not p.secured and not q.secured:
            found += _leaves("message", f"{title(p)}.", p.tree, q.tree, _FRESH)
    return _some(found, "message")


def title(m: Message) -> str:
    """The name of a message without its session, whose id is drawn anew."""
    return m.title.partition(" in session")[0]


def _some(found: list[Difference], what: str) -> list[Difference]:
    if len(found) <= _SHOWN:
        return found
    return [*found[:_SHOWN], Difference(what, f"{len(found) - _SHOWN} more", "", "")]
