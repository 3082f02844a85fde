"""The sides' views of one call: what the host passed and got, what the RMM logged, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import decoders

from ..capture.records import N_REGS
from .keys import registers

if TYPE_CHECKING:
    from ..capture.model import Call, Capture

_STATUS = 0xFF
_ALL_ONES = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that two sights of a call have differently.

    name        argument or output as in the spec, 'status', or the register
    out         it is a result
    register    its number
    here        the value of the call; ``there``: of the other sight; of a status the name
    """

    name: str
    out: bool
    register: int
    here: str
    there: str


def differences(capture: Capture, call: Call, sight: Call) -> list[Difference]:
    """Where a further sight of a call differs from it, as far as both show the value: arguments, status, outputs."""
    name = call.name or sight.name or ""
    args, outs = registers(name)
    command = None if call.fid is None else decoders.command(call.fid, capture.revision.at(call.source).of(call.name))
    found: list[Difference] = []
    for out, mask, ours, theirs in ((False, args, call.x, sight.x), (True, outs, call.r or [], sight.r or [])):
        if out and (other := _status(call, sight)) is not None:
            return [*found, other]  # the outputs of another status mean something else
        names = {} if command is None else {r.reg: r.name for r in (command.outputs if out else command.args)}
        for n in range(1, min(N_REGS, len(ours), len(theirs))):
            a, b = ours[n], theirs[n]
            if mask >> n & 1 and a is not None and b is not None and a != b:
                found.append(Difference(names.get(n, f"x{n}"), out, n, f"0x{a:x}", f"0x{b:x}"))
    return found


def _status(call: Call, sight: Call) -> Difference | None:
    if not call.r or not sight.r or call.r[0] is None or sight.r[0] is None:
        return None
    a, b = (x if x == _ALL_ONES else x & _STATUS for x in (call.r[0], sight.r[0]))
    if a == b:
        return None
    return Difference("status", True, 0, call.status or f"0x{call.r[0]:x}", sight.status or f"0x{sight.r[0]:x}")


def told(found: list[Difference]) -> str:
    """'data_ptr=0x9402000, status=RMI_ERROR_INPUT': what the other sight has instead."""
    return ", ".join(f"{d.name}={d.there}" for d in found)
