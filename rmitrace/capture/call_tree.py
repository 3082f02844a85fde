"""The tree and the line of a call, from its registers: kept, since many calls are alike."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import decoders
from decoders.tree import Node

from ..display import safe


class Words(NamedTuple):
    """All that the tree and the line of a call are made of."""

    xs: tuple[int | None, ...]
    rs: tuple[int | None, ...] | None
    fid: int | None
    name: str | None
    known_name: str
    revision: str
    status: str | None
    shown: bool
    """The row shows bits 7:0 of x0 only."""
    answered: bool
    whole: bool


@lru_cache(maxsize=2048)
def read(w: Words) -> tuple[Node, int | None, str]:
    """The tree, the index beside the status, and the line."""
    return read_once(w)


def read_once(w: Words) -> tuple[Node, int | None, str]:
    """The same, not kept."""
    tree = _tree(w.xs, _as_if_donating(w.rs) if w.shown else w.rs, w.fid, w.name, w.revision)
    index = _result_index(tree)
    if w.shown:
        tree, index = _without_upper_bits(tree), None
    return tree, index, call_line(w.known_name, tree, w.status, index, w.answered, w.whole)


def _tree(xs: Seq[int | None], rs: Seq[int | None] | None, fid: int | None, name: str | None, revision: str) -> Node:
    if fid is not None:
        return decoders.decode_call(xs, rs, revision=revision)
    args = tuple(_register(f"x{i}", v) for i, v in enumerate(xs) if i and v is not None)
    outs = tuple(_register(f"x{i}", v) for i, v in enumerate(rs or ()) if i and v is not None)
    children = [Node("args", children=args)]
    if rs and rs[0] is not None:
        children.append(Node("result", value=rs[0], text=f"0x{rs[0]:x}"))
    return Node(name or "unknown", children=(*children, Node("results", children=outs)))


def _register(name: str, value: int) -> Node:
    return Node(name, value, f"0x{value:x}", None, 8)


_INCOMPLETE, _DONATE = 13, 1 << 8
"""RmiStatusCode RMI_INCOMPLETE and RmiOpMemReq DONATE in x0 (DEN0137 2.0)."""


def _as_if_donating(rs: tuple[int | None, ...] | None) -> tuple[int | None, ...] | None:
    """A console prints x2 of RMI_INCOMPLETE where memory is asked for (TF-RMM of 2026-07), and not that x0 says so."""
    if rs and rs[0] == _INCOMPLETE and len(rs) > 2 and rs[2]:
        return (_INCOMPLETE | _DONATE, *rs[1:])
    return rs


def _without_upper_bits(tree: Node) -> Node:
    """The tree of a console row that shows the status and not what else x0 held."""
    result = tree.child("result")
    if result is None:
        return tree
    kept = tuple(c for c in result.children if c.name == "status")
    said = replace(result, children=kept).noted("the row shows bits 7:0 of x0 only")
    return replace(tree, children=tuple(said if c is result else c for c in tree.children))


def _result_index(tree: Node) -> int | None:
    result = tree.child("result")
    for name in ("index", "level"):
        node = result.child(name) if result is not None else None
        if node is not None and isinstance(node.value, int):
            return node.value
    return None


def call_line(name: str, tree: Node, status: str | None, index: int | None, answered: bool, whole: bool) -> str:
    """A call in strace's manner: ``RMI_PDEV_GET_STATE(pdev_ptr=0x88001000) = RMI_SUCCESS {state=PDEV_READY (3)}``."""
    args = tree.child("args")
    inside = ", ".join(f"{a.name}={a.text}" for a in args.children) if args is not None else ""
    result = tree.child("result")
    text = f"{name}({inside})"
    if not answered and status is not None:
        return safe(f"{text} = {status}  ! the exit was not recorded, another source has the result")
    if not answered:
        return safe(text + (" = ?" if whole else " = <no exit>"))
    said = status or (result.text if result is not None else "") or "?"
    if index is not None and status is not None and (index or "RTT" in status):
        said += f" index {index}"
    outs = tree.child("results")
    if outs is not None and outs.children:
        said += " {" + ", ".join(f"{o.name}={o.text}" for o in outs.children) + "}"
    return safe(f"{text} = {said}")
