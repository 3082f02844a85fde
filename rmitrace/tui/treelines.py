"""The visible lines of the tree of a row: what is open, wrapped to a width, and what each line stands for in the bytes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from decoders.tree import Node, Severity, worse

from ..display import safe
from .details import Branch, Details, Place
from .text import SIGN

Path = tuple[str, ...]
"""Names from the root, for keeping folds from call to call."""

_MORE = 6
"""Lines over which a text or a note may run."""


@dataclass(frozen=True, slots=True)
class TreeLine:
    """One line of the tree: a node, the rest of its text, or the note below it.

    parent  line number of the node above, -1 for none
    text    what is written behind the name, or on the line
    kind    'node', 'more' or 'note'
    worst   the gravest severity at or below the node
    """

    node: Node
    depth: int
    path: Path
    parent: int
    place: Place | None
    open: bool
    text: str = ""
    kind: str = "node"
    worst: Severity | None = None


class TreeLines:
    """Makes the lines of one tree. ``folds`` says for a path whether the user opened it; for the others see ``opens``."""

    def __init__(self, details: Details, folds: dict[Path, bool], width: int) -> None:
        self.details, self.folds, self.width = details, folds, width
        self.lines: list[TreeLine] = []
        for branch in details.branches:
            root = f"{branch.kind or branch.node.name}{max(branch.buffer, 0)}"
            self._walk(branch, branch.node, (root,), 0, -1, None)

    def _walk(self, branch: Branch, node: Node, path: Path, depth: int, parent: int, above: Place | None) -> None:
        place = _place(branch, node, above)
        worst = _worst(node)
        opened = self.folds.get(path, opens(branch, node, depth, worst))
        here = len(self.lines)
        room = self.width - 2 * depth - 3
        first, *more = _wrap(node.text, room - len(node.name) - 5, room - 2) if not node.children else [node.text]
        self.lines.append(TreeLine(node, depth, path, parent, place, opened, first, worst=worst))
        self.lines.extend(TreeLine(node, depth + 1, path, here, place, False, text, "more") for text in more)
        for i, text in enumerate(_wrap(node.note, room - 4, room - 4) if node.note else ()):
            sign = f"{SIGN[node.severity or 'note']} " if i == 0 else "  "
            self.lines.append(TreeLine(node, depth + 1, path, here, place, False, sign + text, "note", node.severity))
        for i, child in enumerate(node.children if opened else ()):
            self._walk(branch, child, (*path, f"{i}:{child.name}"), depth + 1, here, self._child(branch, node, depth, i, place))

    def _child(self, branch: Branch, node: Node, depth: int, index: int, place: Place | None) -> Place | None:
        """What a child stands for where it is a register, else what its parent does."""
        numbers = self.details.registers.get(branch.kind)
        if numbers is not None and depth == 0:
            return Place(register=numbers[index], out=branch.kind == "results") if index < len(numbers) else None
        if branch.kind == "registers" and depth == 1:
            return Place(register=index, out=node.name == "out")
        return place


def opens(branch: Branch, node: Node, depth: int, worst: Severity | None) -> bool:
    """What is open unless the user said otherwise: the first level, the message in an envelope, and the way to what is wrong."""
    enveloped = branch.kind == "message" and depth == 1 and node.name.isupper()
    return bool(node.children) and branch.open and (depth == 0 or enveloped or worst in ("warning", "error"))


def _place(branch: Branch, node: Node, above: Place | None) -> Place | None:
    if branch.buffer >= 0:
        return Place(branch.buffer, node.offset, node.size) if node.offset is not None and node.size else above
    return Place(register=0, out=True) if branch.kind == "result" else above


def _worst(node: Node) -> Severity | None:
    found: Severity | None = None
    for n in node.walk():
        found = worse(found, n.severity)
    return found


def _wrap(text: str, first: int, width: int) -> list[str]:
    """A text in lines, the first of them shorter."""
    text = safe(text)
    if len(text) <= first:
        return [text]
    indent = " " * max(width - first, 0)
    parts = textwrap.wrap(text, max(width, 12), initial_indent=indent, max_lines=_MORE, placeholder=" …")
    return [p.strip() for p in parts] or [""]
