"""Decoded trees as indented text."""

from __future__ import annotations

from collections.abc import Iterator

from decoders.tree import Node

from ..display import safe

MAX_TEXT = 160
"""Characters of a value on one line; the JSON form has all of it."""


def tree_lines(node: Node, indent: str = "", *, offsets: bool = True) -> Iterator[str]:
    """A line for each node below ``node``: byte offset in hexadecimal, name, text, and what is odd about it."""
    wide = offsets and any(n.offset is not None for n in node.walk())
    for child in node.children:
        yield from _lines(child, indent, 0, wide)


def _lines(node: Node, indent: str, depth: int, wide: bool) -> Iterator[str]:
    at = f"{node.offset:04x}  " if node.offset is not None else " " * 6
    text = node.text if len(node.text) <= MAX_TEXT else f"{node.text[: MAX_TEXT - 1]}…"
    said = f": {text}" if text else ""
    note = f"  ! {node.note}" if node.note and node.severity != "note" else f"  ({node.note})" if node.note else ""
    yield safe(f"{indent}{at if wide else ''}{'  ' * depth}{node.name}{said}{note}")
    for child in node.children:
        yield from _lines(child, indent, depth + 1, wide)
