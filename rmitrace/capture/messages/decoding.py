"""Messages into trees, in the context of their conversation; secrets of IDE hidden unless they are asked for."""

from __future__ import annotations

from dataclasses import replace

from decoders.doe import decode_doe, open_doe
from decoders.mctp import decode_control
from decoders.pldm import decode_pldm
from decoders.secured import Binding, open_secured
from decoders.spdm import Session, decode_spdm
from decoders.tree import Node

from .model import REQUEST, RESPONSE, SPDM, Message

_MCTP = {"PLDM": decode_pldm, "CONTROL": decode_control}
"""What MCTP carries besides SPDM that has fields."""
_CARRIES_KEYS = frozenset((0x7E, 0x6A, 0x6B))
"""Codes without bit 7 of messages in the clear that may have IDE keys in them: vendor-defined ones, and encapsulated."""


def decode(m: Message, session: Session, reveal: bool = False) -> None:
    """Give a message its tree. ``session`` is read and written; ``reveal``: show IDE keys and IVs."""
    if not m.data:
        with session.within(m.session_id):
            session.gap(f"{m.name} is named in this capture without its bytes", m.code)
        return
    _decode(m, session, reveal)
    if m.declared is not None:
        with session.within(m.session_id):
            session.gap(f"{m.name} was not recorded whole", m.code)


def _decode(m: Message, session: Session, reveal: bool) -> None:
    if m.secured:
        binding: Binding = "MCTP" if "MCTP" in m.layers else "TCP" if "TCP" in m.layers else "DOE"
        if m.layers[0] == "DOE" and m.start:
            m.tree, opened = open_doe(m.data, session=session)
            secured = m.tree.child("SecuredMessage") or m.tree
        else:
            secured, opened = open_secured(m.payload, session=session, binding=binding)
            m.tree = secured
        plain = secured.child("PlainText")
        if opened is not None:
            m.direction, m.sure = REQUEST if opened.direction == REQUEST else RESPONSE, True
            if opened.skipped:
                _gap(m, session, "messages of its session before it are not in this capture")
            if plain is not None and has_secrets(plain):
                m.plain = opened.plain
        elif m.logged is not None and plain is None:
            logged = _with_logged(m, secured, session, reveal)
            outer = tuple(logged if c is secured else c for c in m.tree.children)
            m.tree = logged if m.tree is secured else replace(m.tree, children=outer)
        elif plain is None:
            _gap(m, session, "messages of its session were not decrypted")
        if plain is not None:
            m.inside = next((c for c in plain.children if c.name == "PLDM" or c.child("SPDMVersion")), None)
    elif m.layers[0] == "DOE" and m.start:
        m.tree = decode_doe(m.data, session=session)
    elif SPDM in m.layers:
        with session.within(m.within):
            m.tree = decode_spdm(m.payload, session=session)
    elif m.layers[-1] in _MCTP:
        m.tree = _MCTP[m.layers[-1]](m.payload)
    else:
        m.tree = Node(m.name, m.covered, m.covered[:16].hex(" "), 0, len(m.covered))
    if reveal and m.tree is not None and has_secrets(m.tree):
        m.tree = _revealed(m, m.tree)
        if m.inside is not None:
            m.inside = _revealed(m, m.inside)


def _gap(m: Message, session: Session, why: str) -> None:
    with session.within(m.session_id):
        session.gap(why)


def _with_logged(m: Message, secured: Node, session: Session, reveal: bool) -> Node:
    """The tree of a message that was not decrypted, with the plain text that another source has of it."""
    with session.within(m.session_id):
        m.inside = decode_spdm(m.logged or b"", session=session)
    if reveal:
        m.inside = _revealed(m, m.inside)
    said = Node("PlainText", None, "as another source shows it", None, 0, (detached(m.inside),))
    return replace(secured, children=(*secured.children, said))


def detached(node: Node) -> Node:
    """The same tree without places in the buffer."""
    return replace(node, offset=None, children=tuple(detached(c) for c in node.children))


def moved(node: Node, by: int) -> Node:
    """The same tree in a buffer that begins ``by`` bytes earlier."""
    offset = None if node.offset is None else node.offset + by
    return replace(node, offset=offset, children=tuple(moved(c, by) for c in node.children))


def has_secrets(tree: Node) -> bool:
    """Whether there is a hidden key or IV in a tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if is_hidden(node):
            return True
        waiting += node.children
    return False


def is_hidden(node: Node) -> bool:
    """Whether a node stands for bytes that are not shown."""
    return isinstance(node.value, str) and node.value.endswith("redacted>")


def secret_bytes(m: Message, node: Node) -> bytes | None:
    """The bytes that a hidden node stands for; None where the message was not decrypted."""
    if node.offset is None or m.tree is None:
        return None
    if not m.secured:
        return m.covered[node.offset : node.offset + node.size]
    at = next((n.offset for n in m.tree.walk() if n.name == "PlainText"), None)
    if m.plain is None or at is None:
        return m.logged[node.offset : node.offset + node.size] if m.logged is not None else None
    return m.plain[node.offset - at : node.offset - at + node.size]


def redacted(m: Message) -> bytes:
    """The bytes that the tree covers, with zeros where an IDE key or IV lies in the clear."""
    if m.secured or m.tree is None or (m.code or 0) & 0x7F not in _CARRIES_KEYS:
        return m.covered
    out = bytearray(m.covered)
    for n in m.tree.walk():
        if is_hidden(n) and n.offset is not None:
            out[n.offset : n.offset + n.size] = bytes(n.size)
    return bytes(out)


def _revealed(m: Message, tree: Node) -> Node:
    """The tree with the keys and IVs in the place of what hides them."""

    def shown(n: Node) -> Node:
        if is_hidden(n):
            value = secret_bytes(m, n)
            return n if value is None else replace(n, value=value, text=value.hex())
        return replace(n, children=tuple(shown(c) for c in n.children)) if n.children else n

    return shown(tree)
