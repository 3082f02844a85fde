"""A cursor over one SPDM message that yields nodes. Every read is bounded; what does not fit ends in an error node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ..tree import Node, Severity, worse
from ._fields import HEX_SHOWN, Layout, Make, hexed, node, number, reserved
from .algorithms import HASH_SIZES, REQUEST_EXCHANGE_SIZES, RESPONSE_EXCHANGE_SIZES, SIGNATURE_SIZES
from .codes import V14
from .secure import Channel
from .session import Session

Parse = Callable[["Reader"], str]
"""Reads a part and returns its summary."""

Octets = bytes
"""The type, where ``Reader.bytes`` hides its name."""
MAX_DEPTH = 4
"""Messages inside messages (encapsulated, chunked) that are taken apart."""
MAX_ITEMS = 1024
"""Elements of a list that are taken apart; the rest is one leaf."""
Sizes = Mapping[str, Sequence[int]]
"""Name of a size -> the values it can have."""
WIDE: Sizes = {
    "H": HASH_SIZES,
    "S": SIGNATURE_SIZES,
    "R": SIGNATURE_SIZES,
    "D": REQUEST_EXCHANGE_SIZES,
    "E": RESPONSE_EXCHANGE_SIZES,
    "?summary": (0, 1),
    "?verify": (0, 1),
}
"""Sizes of a hash, a signature of the responder and of the requester, exchange data sent by requester and responder,
and whether there is a measurement summary hash, or verify data."""


class Cut(Exception):
    """The data ends before the part does. The error node and the rest are made already; the parts above stop too."""


class Reader:
    """One message in ``data[pos:end]``. Tree offsets are positions in ``data`` plus ``base``.

    version       the message's own version byte, clamped to those known
    level         1 for what an encapsulated message carries, else 0
    depth         how many messages this one is inside of
    pad           how many zero bytes a transport may have put behind the message
    """

    __slots__ = (
        "base",
        "channel",
        "data",
        "depth",
        "end",
        "facts",
        "level",
        "nodes",
        "note",
        "pad",
        "pos",
        "session",
        "severity",
        "start",
        "version",
    )

    def __init__(
        self, data: Octets, pos: int, end: int, session: Session, *, base: int = 0, level: int = 0, depth: int = 0, pad: int = 3
    ) -> None:
        self.data = data
        self.start = pos
        self.pos = pos
        self.end = end
        self.base = base
        self.session = session
        self.channel: Channel = session.channel if session.inside is None else session.line
        self.level = level
        self.depth = depth
        self.pad = pad
        self.nodes: list[Node] = []
        self.version = V14
        self.note: str | None = None
        self.severity: Severity | None = None
        self.facts: dict[str, Any] = {}

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.pos

    def say(self, note: str, severity: Severity = "note") -> None:
        """A note on the message as a whole."""
        self.note = f"{self.note}; {note}" if self.note else note
        self.severity = worse(self.severity, severity)

    def request(self, code: int) -> Octets | None:
        """The request of that code which this response answers, as sent; None where another one or none was seen."""
        found = self.channel.encapsulated if self.level else self.channel.request
        return found if found is not None and len(found) > 3 and found[1] == code else None

    def echoes(self, what: str, value: object, asked: object) -> None:
        """A note where the response does not repeat what the request said."""
        if value != asked:
            shown = [v.hex() if isinstance(v, Octets) else v for v in (value, asked)]
            self.say(f"{what} {shown[0]}, the request said {shown[1]}", "warning")

    # reading

    def fields(self, layout: Layout) -> tuple[Any, ...]:
        """The values of a run of fixed fields."""
        pos = self.pos
        after = pos + layout.size
        if after > self.end:
            nodes, name, want = layout.partial(self.data[pos : self.end], self.base + pos)
            self.nodes += nodes
            self.pos += sum(n.size for n in nodes)
            self.short(name, want)
        values, made = layout.read(self.data, pos, self.base + pos)
        self.nodes += made
        self.pos = after
        return values

    def bytes(self, name: str, size: int, text: str | None = None) -> Octets:
        """That many bytes as one leaf."""
        pos = self.pos
        after = pos + size
        if after > self.end:
            self.short(name, size)
        value = self.data[pos:after]
        if text is None:
            text = value.hex() if 0 < size <= HEX_SHOWN else hexed(value)
        self.nodes.append(node(name, value, text, self.base + pos, size))
        self.pos = after
        return value

    def uint(self, name: str, size: int, make: Make = number) -> int:
        """A little-endian number of that many bytes."""
        pos = self.pos
        after = pos + size
        if after > self.end:
            self.short(name, size)
        value = int.from_bytes(self.data[pos:after], "little")
        self.nodes.append(make(name, value, self.base + pos, size))
        self.pos = after
        return value

    def reserved(self, size: int, name: str = "Reserved") -> None:
        """Bytes that should be zero."""
        at = self.pos
        self.bytes(name, size)
        self.nodes[-1] = reserved(name, self.data[at : self.pos], self.base + at, size)

    def rest(self, name: str, text: str | None = None) -> Octets:
        """All that is left as one leaf, nothing where nothing is left."""
        return self.bytes(name, self.end - self.pos, text) if self.pos < self.end else b""

    def short(self, name: str, want: int) -> None:
        """End here: ``name`` needs ``want`` bytes that are not there. Raises Cut."""
        left = self.end - self.pos
        at = self.base + self.pos
        note = f"{want} {'byte' if want == 1 else 'bytes'} expected at {at:#x}, {left} there"
        self.fail(name, note, "truncated")

    def fail(self, name: str, note: str, text: str = "not decoded") -> None:
        """End here for the reason that ``note`` says: an error node, then the rest as a leaf. Raises Cut."""
        self.nodes.append(node(name, None, text, self.base + self.pos, 0, (), note, "error"))
        self.rest("rest")
        raise Cut

    def append(self, made: Node) -> None:
        """Add a node made elsewhere. Bytes it covers have to be read already."""
        self.nodes.append(made)

    def noted(self, note: str, severity: Severity = "note") -> None:
        """A note on the node read last."""
        self.nodes[-1] = self.nodes[-1].noted(note, severity)

    # parts

    def group(self, name: str, parse: Parse) -> None:
        """A part made of other parts; it ends where ``parse`` stops reading."""
        outer, at = self.nodes, self.pos
        self.nodes = []
        try:
            text = parse(self)
        except Cut:
            outer.append(node(name, None, "", self.base + at, self.pos - at, tuple(self.nodes)))
            self.nodes = outer
            raise
        outer.append(node(name, None, text, self.base + at, self.pos - at, tuple(self.nodes)))
        self.nodes = outer

    def items(self, name: str, count: int, parse: Parse) -> str:
        """A list to which nothing follows; the summary is that of its first elements."""
        said = []
        for i in range(min(count, MAX_ITEMS)):
            if not self.left:
                self.fail(f"{name}[{i}]", f"{count} said to be there, {i} are", "truncated")
            self.group(f"{name}[{i}]", parse)
            if i < 8:
                said.append(self.nodes[-1].text)
        if count > MAX_ITEMS and self.left:
            self.rest("rest")
            self.noted(f"{count - MAX_ITEMS} more elements, not taken apart")
        return ", ".join(said)

    def region(self, name: str, size: int, parse: Parse) -> Octets:
        """A part of a size known beforehand, and its bytes. What goes wrong inside stays inside; what is left of it is a
        leaf."""
        at = self.pos
        if at + size > self.end:
            self.short(name, size)
        outer, end = self.nodes, self.end
        self.nodes, self.end = [], at + size
        text = ""
        try:
            text = parse(self)
            self.rest("trailing")
        except Cut:
            pass
        value = self.data[at : at + size]
        outer.append(node(name, None, text, self.base + at, size, tuple(self.nodes)))
        self.nodes, self.end = outer, end
        return value

    def fits(self, end: int) -> bool:
        """Whether a message may end there: at the end of the data, or with the transport's padding behind it."""
        return end == self.end or (end < self.end <= end + self.pad and not any(self.data[end : self.end]))

    # sizes that the message itself does not say

    def sizes(self, parts: Sequence[str | int], rule: Sizes | None = None) -> dict[str, int]:
        """The sizes with which the rest of the message is read.

        ``parts`` is the order of what follows: a number of bytes, the name of a size (``WIDE``), ``'opaque'`` for two
        bytes of length and as many of data, or a name with '?' in front for H bytes that are there (1) or not (0).
        ``rule`` has the sizes that version and request determine, those of algorithms are the session's. A size that
        nothing says is taken from the length of the message where only one fits, with a note. Raises Cut where it
        cannot be told.
        """
        options: dict[str, Sequence[int]] = {}
        hashes = False
        for name in parts:
            if not isinstance(name, str) or name == "opaque" or name in options:
                continue
            known = rule.get(name) if rule else None
            if known is None and len(name) == 1:
                size = self.session.size(name)
                known = (size,) if size else None
            options[name] = known = known or WIDE[name]
            hashes |= name[0] == "?" and known[-1] == 1
        if hashes and "H" not in options:
            size = self.session.size("H")
            options["H"] = (size,) if size else WIDE["H"]
        ruled = {k: v[0] for k, v in options.items()}
        unknown = [k for k, v in options.items() if len(v) > 1]
        if not unknown:
            return ruled if self.fits(self._end(parts, ruled)) else self._other(parts, ruled)
        found = list(self._search(parts, options))
        best = [f for f in found if self._end(parts, f) == self.end] or found
        if len(best) != 1:
            many = f"{len(best)} combinations of sizes fit" if best else "no sizes fit"
            self.fail("rest", f"the negotiation is not in this capture, and {many} the length")
        said = ", ".join(f"{k.strip('?')} {best[0][k]}" for k in unknown)
        self.say(f"the negotiation is not in this capture; from the length: {said}")
        self.session.inferred.update((k, best[0][k]) for k in unknown if len(k) == 1 and best[0][k])
        return best[0]

    def _other(self, parts: Sequence[str | int], ruled: dict[str, int]) -> dict[str, int]:
        """The sizes known do not fit: others that do, where there is one set only; else those, and errors follow.

        What a request decides (whether there is a signature, a hash) is doubted before what was negotiated.
        """
        asked: dict[str, Sequence[int]] = {}
        for k, v in ruled.items():
            asked[k] = (0, 1) if k[0] == "?" else (0, self.session.size(k)) if len(k) == 1 and not v else (v,)
        if any(k[0] == "?" for k in ruled) and "H" not in ruled:
            asked["H"] = (self.session.size("H"),)
        for options in (asked, {k: WIDE.get(k, v) for k, v in asked.items()}):
            found = list(self._search(parts, options))
            if len(found) == 1:
                changed = [(k, v) for k, v in found[0].items() if v != ruled.get(k, v)]
                said = ", ".join(f"{k.strip('?')} {v} instead of {ruled[k]}" for k, v in changed)
                self.say(f"the length fits other sizes than negotiated or asked for: {said}", "warning")
                return found[0]
            if found:
                break
        return ruled

    def _end(self, parts: Sequence[str | int], chosen: Mapping[str, int]) -> int:
        """Where the message ends with these sizes; beyond the data where it does not fit."""
        at = self.pos
        for part in parts:
            if isinstance(part, int):
                at += part
            elif part != "opaque":
                at += chosen[part] * (chosen.get("H", 0) if part[0] == "?" else 1)
            elif at + 2 > self.end:
                return self.end + 1
            else:
                at += 2 + int.from_bytes(self.data[at : at + 2], "little")
        return at

    def _search(self, parts: Sequence[str | int], options: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
        """Every choice of sizes with which the message ends where it may.

        A signature stands behind the opaque data and has by far the most sizes: its own follows from all others.
        """
        free = next((k for k in ("S", "R") if len(options.get(k, ())) > 1), None)
        names = [k for k in options if k != free]
        asked = [k for k in names if k[0] == "?"]
        for values in product(*(options[k] for k in names)):
            chosen = dict(zip(names, values, strict=True))
            if "H" not in parts and chosen.get("H", 0) != next(iter(options.get("H", (0,)))) and not any(map(chosen.get, asked)):
                continue  # no hash in it: the same for every size of one
            if free is None:
                if self.fits(self._end(parts, chosen)):
                    yield chosen
                continue
            chosen[free] = 0
            end = self._end(parts, chosen)
            for pad in range(self.pad + 1):
                size = self.end - pad - end
                if size in options[free] and self.fits(self.end - pad):
                    yield {**chosen, free: size}
