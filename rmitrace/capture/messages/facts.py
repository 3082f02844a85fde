"""What matters in a message, in half a line for people. Not escaped: for display it goes through rmitrace.display.safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decoders.tree import Node

from .model import Kept, Message

if TYPE_CHECKING:
    from ..model import Capture


def name_and_facts(m: Message) -> str:
    """'IDE_KM KEY_PROG in 0xffffffff: stream 0x0 PR RX K0, port 1'."""
    vendor = m.vendor
    name, said = m.name, facts(m)
    if vendor is not None:
        name = vendor
        said = said.removeprefix(f"{vendor}: ").removeprefix(f"{vendor}, ")
        said = "" if said == vendor else said
    if m.session_id is not None:
        name += f" in 0x{m.session_id:08x}"
    if m.told is not None and not m.data:
        said = f"{m.told.size} bytes, named by the log only"
    elif m.name == "SECURED":
        said = f"{m.size} bytes"
    return f"{name}: {said}" if said else name


def facts(m: Message) -> str:
    """What matters in a message, for people."""
    if m.kept is not None:
        return m.kept.facts
    node = m.spdm
    if node is None and m.tree is not None:
        discovery = next((c for c in m.tree.children if c.name.startswith("DISCOVERY_")), None)
        return (discovery or m.tree).text
    if node is None:
        return ""
    if m.name in ("CAPABILITIES", "GET_CAPABILITIES"):
        return _capabilities(node)
    if m.name == "MEASUREMENTS":
        blocks = [n.child("Index") for n in node.walk() if n.name.startswith("MeasurementBlock[")]
        indices = [i.text.split(" ")[0] for i in blocks if i is not None]
        return node.text + (f", index {' '.join(indices)}" if indices else "")
    if m.name == "KEY_EXCHANGE_RSP":
        opaque = next((n.text for n in node.walk() if n.name == "OpaqueData" and n.text not in ("", "none")), "")
        return node.text + (f", {opaque}" if opaque else "")
    return node.text


def shown_time(capture: Capture, m: Message) -> int | None:
    """When it was seen, on the clock of its call where that source has it too, in ns; None where unknown."""
    if m.place.call is not None:
        source = int(capture.calls.source[m.place.call])
        for p in (m.place, *m.also):
            if p.source == source and p.ts_ns is not None:
                return p.ts_ns
    return m.place.ts_ns


def _capabilities(node: Node) -> str:
    version, flags = node.child("SPDMVersion"), node.child("Flags")
    out = [f"SPDM {version.text}"] if version is not None else []
    if flags is not None and flags.children:
        names = [
            f.name.removesuffix("_CAP") + (f"={f.text.rsplit(' (', 1)[0]}" if not f.text.isdigit() else "")
            for f in flags.children
            if f.value
        ]
        out.append(" ".join(names) or "no capability")
    sizes = node.child("DataTransferSize")
    if sizes is not None:
        out.append(f"DataTransferSize {sizes.text}")
    return ", ".join(out)


def forget(m: Message) -> None:
    """Give up the tree of a message, which is most of its memory; its name and what matters stay."""
    m.kept = Kept(m.name, m.vendor, facts(m), m.code)
    m.tree = m.inside = m.plain = m.logged = None
