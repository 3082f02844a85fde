"""SPDM messages (DSP0274 1.0 to 1.4) as trees of their fields.

    decode_spdm(data, session=session)   one message, in the context of those before it
    name_of(data)                        its name alone
    Session                              what a connection negotiated, and what it is in the middle of

Every byte lies in exactly one leaf (bit fields share theirs); nothing raises on bad bytes. Field names are the
specification's; a parameter byte has the name of what it means.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from ..tree import Node
from .codes import name_of
from .secure import Capabilities, SecureSession
from .session import Session

__all__ = ["Capabilities", "SecureSession", "Session", "decode_spdm", "name_of", "read_message"]


@cache
def _decoder() -> ModuleType:
    """Construct and the layouts: imported with the first message, not needed for names."""
    from . import _decode

    return _decode


def decode_spdm(data: bytes, *, session: Session | None = None) -> Node:
    """One SPDM message, without its transport's header, as a tree named after it; offsets count from its first byte.

    ``session`` is read and written: give it every message of a connection in the order of the wire. Without one, or
    where the negotiation is not in the capture, sizes are taken from the length of the message where only one fits,
    with a note. A message put together from chunks is the child ``LargeMessage``, whose bytes are its value and whose
    tree has no offsets. Never raises: a message that ends early ends in an error node and a leaf ``rest``.
    """
    made: Node = _decoder().decode(bytes(data), session)
    return made


def read_message(
    data: bytes, pos: int, end: int, session: Session, *, base: int = 0, level: int = 0, depth: int = 0, pad: int = 3
) -> tuple[Node, int]:
    """For decoders of what carries SPDM: the message at ``pos`` and where it ends, at ``end`` at the latest.

    Its offsets are positions in ``data`` plus ``base``; ``pad`` is how many zero bytes the carrier may have put behind it.
    """
    made: tuple[Node, int] = _decoder().read_message(data, pos, end, session, base=base, level=level, depth=depth, pad=pad)
    return made
