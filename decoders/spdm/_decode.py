"""The handlers of every message, and the front of the decoder."""

from __future__ import annotations

from ..tree import Node
from . import _endpoint, _establish, _identity, _measurements, _negotiation, _provisioning, _slots, _transfer, _vendor
from ._fields import node
from ._message import HANDLERS, behind, read_message
from .session import Session

__all__ = ["decode", "read_message"]

for _module in (_negotiation, _identity, _measurements, _establish, _transfer, _vendor, _provisioning, _slots, _endpoint):
    HANDLERS.update(_module.HANDLERS)


def decode(data: bytes, session: Session | None) -> Node:
    """See ``decoders.spdm.decode_spdm``."""
    made, end = read_message(data, 0, len(data), Session() if session is None else session)
    if end == len(data):
        return made
    return node(
        made.name,
        made.value,
        made.text,
        0,
        len(data),
        (*made.children, behind(data, end, len(data), "padding")),
        made.note,
        made.severity,
    )
