"""Pure decoders of the traffic around the Arm CCA RMM: ints and bytes in, trees of ``Node`` out.

    decode_call(x, r, revision='1.1-alp17')                    one SMC of any service
    decode_struct('RmiPdevParams', data, revision='2.0-bet3')  memory handed over with a call
    decode_doe(data), decode_spdm(data)                        what goes to and from a device; see decoders.spdm.Session
    command, name_of, status_of, status_number                 look-ups without a tree
    profile, commands, structs                                 the tables of a revision

Nothing here reads a file, and nothing raises on bad input; a name that does not exist is a LookupError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .abi import Profile
from .call import decode_call
from .layout import decode_struct, structs
from .names import INDEXED, REVISIONS, command, commands, found_in, name_of, profile, status_number, status_of
from .spec import Command, Reg
from .tree import Node

if TYPE_CHECKING:
    from .spdm import Session

__all__ = [
    "INDEXED",
    "REVISIONS",
    "Command",
    "Node",
    "Profile",
    "Reg",
    "command",
    "commands",
    "decode_call",
    "decode_doe",
    "decode_spdm",
    "decode_struct",
    "found_in",
    "name_of",
    "profile",
    "status_number",
    "status_of",
    "structs",
]


def decode_doe(data: bytes, *, session: Session | None = None) -> Node:
    """See ``decoders.doe.decode_doe``, which this imports when it is called."""
    from .doe import decode_doe as decode

    return decode(data, session=session)


def decode_spdm(data: bytes, *, session: Session | None = None) -> Node:
    """See ``decoders.spdm.decode_spdm``, which this imports when it is called."""
    from .spdm import decode_spdm as decode

    return decode(data, session=session)
