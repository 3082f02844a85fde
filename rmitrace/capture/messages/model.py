"""What a protocol message of a capture is, and where it was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from decoders.spdm import name_of
from decoders.tree import Node

if TYPE_CHECKING:
    from decoders.verification import Verdict

REQUEST, RESPONSE = "request", "response"
SPDM, SECURED = "SPDM", "SECURED_SPDM"
DOE_LAYER = {1: SPDM, 2: SECURED, 3: SPDM, 4: SECURED}
"""DOE data object types of vendor 0x0001 (PCIe r6.1 6.30.1)."""
_ANY_VERSION = 0x12
_VENDOR_PAYLOADS = ("VendorDefinedReqPayload", "VendorDefinedRspPayload")


@dataclass(slots=True)
class Place:
    """Where a message was found: source, byte offset and length of the record, and the call it belongs to."""

    source: int
    offset: int
    length: int
    ts_ns: int | None
    call: int | None
    device: str | None
    """The PDEV it is for, 'pdev:0x49500000', or the function whose mailbox it went through, 'pci:00:03.0'; None
    where the source does not say."""


@dataclass(frozen=True, slots=True)
class Change:
    """Where the same message has other bytes in another place: the first of them, counted from the message's own first
    byte, and what stands there and here."""

    place: Place
    at: int
    there: int
    here: int


@dataclass(slots=True)
class Told:
    """What a log says of a message, with its bytes or without: the SPDM code, and the size in bytes (of the plain text)."""

    code: int
    size: int


@dataclass(slots=True)
class Kept:
    """What is left of a decoded message whose tree was given up: its name, what it carries, and what matters in it."""

    name: str
    vendor: str | None
    facts: str
    code: int | None


class Message:
    """One message of a conversation.

    data       the bytes from the carrier's header on; empty where a log only names the message (``told``)
    start      byte offset of the SPDM or secured message in them
    layers     protocols, outermost first: ['DOE', 'SPDM'], ['SECURED_SPDM'], ...
    declared   bytes that the message has, where the recorder kept fewer of them
    function   BUS:SLOT.FN whose mailbox it went through, where the source says
    within     id of the secure session whose plain text this is, where a log shows that in place of the cipher text
    sure       the direction is known from the source or the code, not by taking turns
    tree       decoded in the context of the messages before it (see Conversations)
    inside     the message in the plain text of a secured one, where it could be decrypted
    partner    the response to this request, or the request to this response
    also       other places where the same message was seen
    changed    one of them where its bytes are not the same
    plain      decrypted bytes, kept where there are secrets in them
    logged     the plain text of a secured message as another source shows it
    proven     what came of its signature, verify data and summary hash: names of the field with its verdict
    kept       what is left of a message whose tree was given up, see Conversations
    """

    __slots__ = (
        "also",
        "changed",
        "data",
        "declared",
        "direction",
        "function",
        "inside",
        "kept",
        "layers",
        "logged",
        "partner",
        "place",
        "plain",
        "proven",
        "seq",
        "start",
        "sure",
        "told",
        "tree",
        "within",
    )

    def __init__(
        self,
        place: Place,
        direction: str,
        layers: list[str],
        data: bytes,
        start: int = 0,
        *,
        declared: int | None = None,
        told: Told | None = None,
        within: int | None = None,
        function: str | None = None,
        sure: bool = True,
    ) -> None:
        self.seq = 0
        self.place = place
        self.direction = direction
        self.layers = layers
        self.data = data
        self.start = start
        self.declared = declared
        self.told = told
        self.within = within
        self.function = function
        self.sure = sure
        self.tree: Node | None = None
        self.inside: Node | None = None
        self.partner: Message | None = None
        self.also: tuple[Place, ...] = ()
        self.changed: Change | None = None
        self.kept: Kept | None = None
        self.plain: bytes | None = None
        self.logged: bytes | None = None
        self.proven: list[tuple[str, Verdict]] = []

    @property
    def secured(self) -> bool:
        """Whether it is a secured message."""
        return SECURED in self.layers

    @property
    def payload(self) -> bytes:
        """The SPDM or secured message without its carrier's header, with the carrier's padding."""
        return self.data[self.start :]

    @property
    def covered(self) -> bytes:
        """The bytes that the tree covers: those of a DOE object from its header on, else the payload."""
        return self.data if self.layers[0] == "DOE" else self.payload

    @property
    def size(self) -> int:
        """Bytes of the SPDM or secured message, as far as the source tells them."""
        if self.declared is not None:
            return self.declared
        return self.told.size if self.told is not None and not self.data else len(self.data) - self.start

    @property
    def code(self) -> int | None:
        """The SPDM code, of what is inside where it was decrypted; None where it is not known."""
        if self.kept is not None:
            return self.kept.code
        if self.inside is not None:
            node = self.inside.child("RequestResponseCode")
            return node.value if node is not None and isinstance(node.value, int) else None
        if self.told is not None and not self.data:
            return self.told.code
        if SPDM not in self.layers or len(self.data) < self.start + 2:
            return None
        return self.data[self.start + 1]

    @property
    def session_id(self) -> int | None:
        """Session id of a secured message, or of the session whose plain text this is."""
        if self.within is not None:
            return self.within
        head = self.data[self.start : self.start + 4]
        return int.from_bytes(head, "little") if self.secured and len(head) == 4 else None

    @property
    def spdm(self) -> Node | None:
        """The tree of the SPDM message: of a clear one, or of the one inside; None where there is none to be read."""
        if self.inside is not None or self.tree is None:
            return self.inside
        if self.secured:
            return None
        children = self.tree.children
        if children and children[0].name == "SPDMVersion":
            return self.tree
        return next((c for c in children if c.children and c.children[0].name == "SPDMVersion"), None)

    @property
    def name(self) -> str:
        """The SPDM name ('GET_VERSION'), that of the message inside where it was decrypted, else 'SECURED'."""
        if self.kept is not None:
            return self.kept.name
        if self.inside is not None:
            return self.inside.name
        if self.told is not None and not self.data:
            return name_of(bytes((_ANY_VERSION, self.told.code)))
        if self.secured:
            return "SECURED"
        if SPDM in self.layers:
            return name_of(self.data[self.start :])
        return "_".join(self.layers[-2:]) or "UNKNOWN"

    @property
    def title(self) -> str:
        """The name with what a vendor-defined message carries: 'VENDOR_DEFINED_REQUEST (IDE_KM KEY_PROG)'."""
        inner = self.vendor
        name = f"{self.name} ({inner})" if inner else self.name
        return f"{name} in session 0x{self.session_id:08x}" if self.session_id is not None else name

    @property
    def vendor(self) -> str | None:
        """What a vendor-defined message carries: 'IDE_KM KEY_PROG', 'TDISP LOCK_INTERFACE_REQUEST', else None."""
        if self.kept is not None:
            return self.kept.vendor
        node = self.spdm
        return vendor_message(node) if node is not None else None


def vendor_message(tree: Node) -> str | None:
    """'IDE_KM KEY_PROG', 'TDISP LOCK_INTERFACE_REQUEST' for a vendor-defined message of a known protocol, else None."""
    found = vendor_object(tree)
    if found is None:
        return None
    protocol, node = found
    return protocol if node is None or node.name in (protocol, "rest", "trailing") else f"{protocol} {node.name}"


def vendor_object(tree: Node) -> tuple[str, Node | None] | None:
    """The protocol ('IDE_KM', 'TDISP', ...) and the tree of what a VENDOR_DEFINED message carries, None where none is
    known. ``tree``: of the SPDM message."""
    payload = next((c for c in tree.children if c.name in _VENDOR_PAYLOADS), None)
    protocol = payload.child("ProtocolID") if payload is not None else None
    if payload is None or protocol is None:
        return None
    name = protocol.text.split(" (")[0]
    inner = next((c for c in payload.children if c is not protocol), None)
    return None if name == "unknown" else (name, inner)


def answers(request: int | None, response: int | None) -> bool:
    """Whether a response with that code can answer a request with that code; True where either is not known.

    RESPOND_IF_READY (0xFF) gets the response to an earlier request, ERROR (0x7F) answers any.
    """
    if request is None or response is None:
        return True
    return response in (request & 0x7F, 0x7F) or request == 0xFF


@dataclass(slots=True)
class Exchange:
    """A request with its response. Either may be missing from the capture."""

    request: Message | None
    response: Message | None = None

    @property
    def round_trip_ns(self) -> int | None:
        """Time from request to response in ns, None where their source has no usable times."""
        a, b = self.request, self.response
        if a is None or b is None or a.place.source != b.place.source or a.place.ts_ns is None or b.place.ts_ns is None:
            return None
        took = b.place.ts_ns - a.place.ts_ns
        return took if took >= 0 else None


@dataclass(slots=True)
class Conversation:
    """The messages between the host and one device, in order, as they are decoded together.

    device    'pdev:0x49500000', 'pci:00:03.0', None where no source says
    sources   indices of the sources they come from
    """

    device: str | None
    messages: list[Message] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def sources(self) -> set[int]:
        """Indices of the sources that the messages come from."""
        return {m.place.source for m in self.messages}
