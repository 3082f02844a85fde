"""Decoded trees and bytes as a report shows them: what is private in a field is hidden in the bytes, too."""

from __future__ import annotations

from decoders.tree import Node

from ..capture.messages.decoding import is_hidden
from ..display import safe
from .model import Block, Branch, Shown
from .redact import Redactor

MAX_NODES = 400
"""Nodes of one tree."""
MAX_TEXT = 300
"""Characters of a value."""
MAX_LINES = 64
"""Lines of sixteen bytes of one block."""
_LEAST = 8
"""Bytes from which a part of something private is hidden that is not named itself."""
_PRIVATE = (
    ("nonces", ("nonce", "randomdata")),
    ("measurements", ("measurementvalue", "measurementsummaryhash", "measurementhash")),
    ("serials", ("serial", "certchain", "certificate[", "certificatedata")),
)
"""Kinds of private fields by a part of their names, in lower case without '_'."""


class Trees:
    """Makes the branches of one buffer's tree; ``masked``: the bytes that hold what is private."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = MAX_NODES
        self.masked: set[int] = set()

    def branches(self, node: Node, within: str | None = None) -> tuple[Branch, ...]:
        """The children of a node. ``within``: the kind of private thing that it is a part of."""
        out = []
        for i, child in enumerate(node.children):
            if self._left <= 0:
                out.append(Branch(Shown(f"and {len(node.children) - i} more"), Shown(""), Shown(""), False, None))
                break
            out.append(self._branch(child, within))
        return tuple(out)

    def _branch(self, node: Node, within: str | None) -> Branch:
        self._left -= 1
        named = private_kind(node.name) or within
        kind = named if _is_value(node) and (named != within or node.size >= _LEAST) else None
        if is_hidden(node):
            self._redactor.count("keys", "keys that are not shown")
            self._mask(node)
            return self._made(node, Shown(safe(node.text)), ())
        if kind is not None and self._redactor.hides(kind):
            data = node.value if isinstance(node.value, bytes) else node.text.encode("utf-8", "surrogateescape")
            self._redactor.known(data, kind)
            self._mask(node)
            what = f"{node.size} bytes" if node.size else "hidden"
            return self._made(node, self._redactor.hidden_bytes(data, kind, what), ())
        if not node.children and isinstance(node.value, bytes) and self._redactor.hides("addresses"):
            words = self._mask_words(node)
            return self._made(node, Shown(f"{node.size} bytes, with addresses" if words else safe(node.text)), ())
        children = self.branches(node, named) if node.children else ()
        text = self._redactor.text(node.text, strict=bool(children) and _holds_private(node))
        if not children and text != safe(node.text):
            self._mask(node)
        return self._made(node, text, children)

    def _made(self, node: Node, text: Shown, children: tuple[Branch, ...]) -> Branch:
        if len(text) > MAX_TEXT:
            text = Shown(f"{text[:MAX_TEXT]}…")
        note = self._redactor.text(node.note or "")
        return Branch(Shown(safe(node.name)), text, note, node.severity in ("warning", "error"), node.offset, children)

    def _mask(self, node: Node) -> None:
        if node.offset is not None:
            self.masked.update(range(node.offset, node.offset + min(node.size, 1 << 16)))

    def _mask_words(self, node: Node) -> bool:
        """Bytes without a meaning may hold addresses: whether they do."""
        assert isinstance(node.value, bytes)
        found = addresses_in(self._redactor, node.value)
        if node.offset is not None:
            self.masked.update(node.offset + i for i in found)
        return bool(found)


def _is_value(node: Node) -> bool:
    return not node.children or isinstance(node.value, bytes)


def private_kind(name: str) -> str | None:
    """What a field with such a name holds, where that is private."""
    plain = name.lower().replace("_", "")
    return next((kind for kind, words in _PRIVATE if any(w in plain for w in words) and not plain.endswith("length")), None)


def _holds_private(node: Node) -> bool:
    return any(is_hidden(n) or (private_kind(n.name) is not None) for n in node.walk() if n is not node)


def addresses_in(redactor: Redactor, data: bytes) -> set[int]:
    """The bytes of words that look like an address."""
    if not redactor.hides("addresses"):
        return set()
    out: set[int] = set()
    for i in range(0, min(len(data), 1 << 16) - 7, 8):
        if redactor.is_address(int.from_bytes(data[i : i + 8], "little")):
            out.update(range(i, i + 8))
    return out


def block(title: Shown, data: bytes, masked: set[int]) -> Block:
    """Bytes in hexadecimal, sixteen a line, those that are masked as dots; rows of zeros are left out."""
    lines: list[Shown] = []
    zeros = left = 0
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        if not any(row) and at and at + 16 < len(data) and not masked.intersection(range(at, at + 16)):
            zeros += 16
            continue
        if zeros:
            lines.append(Shown(f"      {zeros} bytes of zero"))
            zeros = 0
        if len(lines) >= MAX_LINES:
            left = len(data) - at
            break
        cells = ["··" if at + i in masked else f"{b:02x}" for i, b in enumerate(row)]
        letters = "".join("·" if at + i in masked else chr(b) if 0x20 <= b < 0x7F else "." for i, b in enumerate(row))
        lines.append(Shown(f"{at:04x}  {' '.join(cells[:8]):<23}  {' '.join(cells[8:]):<23}  {letters}"))
    if zeros:
        lines.append(Shown(f"      {zeros} bytes of zero"))
    return Block(title, tuple(lines), Shown(f"{left} more bytes are left out" if left else ""))
