"""What ``rmitrace explain`` found, on standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ..display import safe
from . import explain_value

if TYPE_CHECKING:
    from decoders.tree import Node


def show(trees: list[Node], form: str) -> int:
    """Print trees, as text or JSON; the exit status."""
    from ..export.tree import tree_lines

    if form == "json":
        for tree in trees:
            print(json.dumps(tree.to_json()))
        return 0
    for tree in trees:
        head = f"{tree.name}: {tree.text}" if tree.text else tree.name
        note = f"  ! {tree.note}" if tree.note else ""
        sys.stdout.write(safe(head + note) + "\n")
        sys.stdout.writelines(line + "\n" for line in tree_lines(tree, "  "))
    return 0


def show_readings(found: list[explain_value.Reading], form: str, word: str) -> int:
    """Print what a value may be, as text or JSON; the exit status."""
    if form == "json":
        print(json.dumps({"value": word, "readings": [r.to_json() for r in found]}))
        return 0
    for i, r in enumerate(found):
        if i:
            print()
        indent = "  " if r.title and r.tree is None and not r.title.startswith(word) else ""
        if r.title:
            head = f"{r.title}: {r.tree.text}" if r.tree is not None and not r.lines else r.title
            note = f"  ! {r.tree.note}" if r.tree is not None and r.tree.note and not r.lines else ""
            sys.stdout.write(safe(head + note) + "\n")
        for line in r.lines:
            sys.stdout.write(safe(indent + line) + "\n")
        if r.tree is not None and not r.lines:
            _tree(r.tree)
    return 0


def _tree(tree: Node) -> None:
    from ..export.tree import tree_lines

    sys.stdout.writelines(line + "\n" for line in tree_lines(tree, "  "))
