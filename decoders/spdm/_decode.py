"""The handlers of every message, and the front of the decoder."""

from __future__ import annotations

from ..tree import Node
from . import (
    _capabilities,
    _endpoint,
    _establish,
    _identity,
    _measurements,
    _negotiation,
    _provisioning,
    _slots,
    _transfer,
    _vendor,
)
from ._fields import node
from ._message import HANDLERS, behind, read_message
from .session import Session

__all__ = ["decode", "read_message"]

for _part in (_capabilities, _negotiation, _identity, _measurements, _establish, _transfer, _vendor):
    HANDLERS.update(_part.HANDLERS)
for _part in (_provisioning, _slots, _endpoint):
    HANDLERS.update(_part.HANDLERS)


def decode(data: bytes, session: Session | None) -> Node:
    """See ``decoders.spdm.decode_spdm``."""
    made, end = read_message(data, 0, len(data), Session() if session is None else session)
    if end == len(data):
        return made
    children = (*made.children, behind(data, end, len(data), "padding"))
    return node(made.name, made.value, made.text, 0, len(data), children, made.note, made.severity)
