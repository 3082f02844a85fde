"""The tree of a decoded thing: what every decoder returns and every view shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Node:
    """One field, register or group of them.

    name      the spec's spelling
    value     the raw value: an int, bytes, a str, or None where there is none (a group, an unknown register)
    text      what a person reads: ``PDEV_NEEDS_KEY (1)``, ``0x88001000``
    offset    byte offset in the enclosing buffer, None for what lies in no buffer (registers);
              a bit field has the offset of the bytes that hold it
    size      number of bytes
    note      what is odd about it (reserved bit set, truncated, unknown value), with its severity
    """

    name: str
    value: int | bytes | str | None = None
    text: str = ""
    offset: int | None = None
    size: int = 0
    children: tuple[Node, ...] = ()
    note: str | None = None
    severity: Severity | None = None

    def child(self, name: str) -> Node | None:
        """The first child of that name, or None."""
        return next((c for c in self.children if c.name == name), None)

    def find(self, path: str) -> Node | None:
        """The node at a dotted path below this one (``enter.status``), or None."""
        node: Node | None = self
        for part in path.split("."):
            node = node.child(part) if node is not None else None
        return node

    def walk(self) -> Iterator[Node]:
        """This node and every one below it, parents first."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            if node.children:
                waiting += node.children[::-1]

    def leaves(self) -> Iterator[Node]:
        """The nodes without children, in order."""
        return (n for n in self.walk() if not n.children)

    def noted(self, note: str, severity: Severity = "note") -> Node:
        """The same node with a note; a note already there is kept in front."""
        return replace(self, note=f"{self.note}; {note}" if self.note else note, severity=worse(self.severity, severity))

    def to_json(self) -> dict[str, Any]:
        """The JSON form: name, value, text, offset, size, then children, note and severity where present."""
        value = self.value.hex() if isinstance(self.value, bytes) else self.value
        out: dict[str, Any] = {"name": self.name, "value": value, "text": self.text, "offset": self.offset, "size": self.size}
        if self.children:
            out["children"] = [c.to_json() for c in self.children]
        if self.note:
            out["note"] = self.note
            out["severity"] = self.severity
        return out


_RANK: dict[Severity | None, int] = {None: 0, "note": 1, "warning": 2, "error": 3}


def worse(a: Severity | None, b: Severity | None) -> Severity | None:
    """The graver of two severities."""
    return a if _RANK[a] >= _RANK[b] else b
