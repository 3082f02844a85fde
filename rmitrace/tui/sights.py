"""The other sides' views of a call: who shows it, what differs there, and how the clocks go together."""

from __future__ import annotations

from decoders.tree import Node

from ..capture.model import Call
from ..correlate import sources_of
from ..correlate.views import Difference, differences
from ..correlate.words import line
from .view import View


def sight_node(view: View, call: Call) -> Node | None:
    """Who shows a call, with each further side's view of it; None in a capture of which no sources are compared."""
    capture = view.capture
    found = capture.correlation
    if found is None:
        return None
    names = [s.name for s in capture.sources]
    children = []
    for sight in capture.sights(call.seq):
        differs = differences(capture, call, sight)
        note = f"{len(differs)} value{'s' if len(differs) > 1 else ''} changed on the way" if differs else None
        nodes = tuple(_difference(d, names[call.source], names[sight.source]) for d in differs)
        children.append(
            Node(names[sight.source], text=sight.line, children=nodes, note=note, severity="error" if differs else None)
        )
    children += [
        Node(names[s], text="does not show it, and would", severity="warning") for s in sources_of(int(found.missing[call.seq]))
    ]
    children += [
        Node(names[s], text="one of several alike there: which one cannot be told")
        for s in sources_of(int(found.unclear[call.seq]))
    ]
    children += [Node("clock", text=line(capture, k)) for k in found.links if call.source in (k.source, k.reference)]
    shown = " + ".join(names[s] for s in sources_of(int(found.seen[call.seq])))
    return Node("shown by", text=shown, children=tuple(children))


def _difference(d: Difference, ours: str, theirs: str) -> Node:
    way = "returned" if d.out else "passed"
    return Node(d.name, text=f"{way} as {d.here} in {ours}, {d.there} in {theirs}", severity="error")
