"""Conditions about ranges and levels of a translation table: arithmetic over arguments, and what the level in x0 says."""

from __future__ import annotations

from decoders.abi import Failure

from .addresses import TABLE_COMMANDS, ipa_inside, ipa_protected, level_size
from .pages import field, params
from .query import GRANULE, OPEN, Answer, Query, hexa, no, unknown, yes

_ENTRY = ("rtte_state", "aux_ref", "aux_live", "rtte_ripas")
"""Conditions about the entry that a walk reaches."""


def order(q: Query, f: Failure) -> Answer:
    """base, top and their order (top_bound, size_valid, base_bound where they say so)."""
    base, top = q.arg("base"), q.arg("top")
    if base is None or top is None:
        return OPEN
    if "top not above base" in f.when or "range less than a granule" in f.when:
        if top <= base:
            return yes(f"top {hexa(top)} is not above base {hexa(base)}")
        if ("less than a granule" in f.when) and top - base < GRANULE:
            return yes(f"{hexa(top - base)} bytes")
        if "aligned" in f.when:
            for name, value in (("base", base), ("top", top)):
                if value % GRANULE and (name == "top" or "base" in f.when.split("top")[0]):
                    return yes(f"{name} {hexa(value)} is not granule aligned")
        return no(f"top {hexa(top)} is above base {hexa(base)}")
    return OPEN


def range_(q: Query, f: Failure) -> Answer:
    """A range in the wrong half of the IPA space, or not aligned to the block it is mapped with."""
    base, top = q.arg("base"), q.arg("top")
    if base is None:
        return OPEN
    if "empty" in f.when and top is not None and top <= base:
        return yes(f"top {hexa(top)} is not above base {hexa(base)}")
    if "aligned" in f.when and (base % GRANULE or (top is not None and top % GRANULE)):
        return yes(f"{hexa(base if base % GRANULE else top or 0)} is not granule aligned")
    if q.command == "GRANULE_TRACKING_GET":
        return OPEN
    wants = "UNPROT" not in q.command
    half = ipa_protected(q, base)
    if half.holds is None:
        return OPEN
    if wants != half.holds:
        return yes(half.text, *half.calls)
    inside = ipa_inside(q, base)
    if inside.holds is False:
        return yes(inside.text, *inside.calls)
    return unknown(half.text, *half.calls) if "aligned" in f.when else no(half.text, *half.calls)


def level(q: Query, f: Failure) -> Answer:
    """A level that this command does not take."""
    value = q.arg("level")
    if value is None:
        return OPEN
    signed = value - (1 << 64) if value >> 63 else value
    lowest = 0
    found = q.world.realm_params(q.rd, q.seq) if q.rd is not None else None
    if found is not None:
        lowest = found[1] + (1 if q.command in TABLE_COMMANDS else 0)
        if "MAP_UNPROTECTED" in q.command:
            lowest = max(lowest, 1)
    if signed > 3:
        return yes(f"level {signed} is above 3")
    if found is not None and signed < lowest:
        return yes(f"level {signed} is below {lowest}; the Realm's tables start at level {found[1]}", _made(q))
    if signed < -1:
        return yes(f"level {signed}")
    return no(f"level {signed} is possible", _made(q)) if found is not None else OPEN


def _made(q: Query) -> int:
    call = q.world.realm_created(q.rd, q.seq) if q.rd is not None else None
    return -1 if call is None else call


def index(q: Query, f: Failure) -> Answer:
    """The number of a translation table of planes."""
    value = q.arg("index")
    if value is None:
        return OPEN
    if value == 0:
        return yes("index 0 is the primary tree")
    found = _planes(q)
    if found is None:
        return OPEN
    planes, call, per_plane = found
    if value > planes:
        return yes(f"index {value}, the Realm has {planes} auxiliary planes", call)
    if not per_plane:
        return yes("the Realm has no tree for each plane", call)
    return no(f"the Realm has {planes} auxiliary planes", call)


def _planes(q: Query) -> tuple[int, int, bool] | None:
    """How many auxiliary planes the Realm has, the call that made it, and whether each plane has a tree."""
    call = q.world.realm_created(q.rd, q.seq) if q.rd is not None else None
    page = params(q.capture, q.world.command_of(call), "RmiRealmParams") if call is not None else None
    planes, per_plane = field(page, "num_aux_planes"), field(page, "flags1")
    return None if planes is None or call is None else (planes, call, bool((per_plane or 0) & 1))


def walk(q: Query, f: Failure) -> Answer:
    """Where a walk over a table ended: the level in x0 tells the conditions of RMI_ERROR_RTT apart."""
    if f.id.startswith("aux_") and (planes := _planes(q)) is not None and planes[0] == 0:
        return no("the Realm has no auxiliary planes", planes[1])
    ended = q.call.index
    if ended is None or q.call.status != f.status:
        return OPEN
    table = q.command in TABLE_COMMANDS
    wanted = q.arg("level")
    if table:
        if wanted is None:
            return OPEN
        wanted -= 1
    elif wanted is None:
        wanted = 3
        if "UNPROT" in q.command or "AUX" in q.command:
            return OPEN
    early, there, below = ended < wanted, ended == wanted, ended > wanted
    said = f"the walk ended at level {ended}, wanted was {wanted}"
    if f.id == "rtt_walk":
        if "entry is no table" in f.when:
            return yes(said) if early or there else no(said)
        if "another level" in f.when:
            return yes(said) if not there else no(said)
        return yes(said) if early else no(said)
    if f.id in ("rtt_live", "rtt_homo", "fold_level"):
        if not below:
            return no(said)
        return yes("x0 names the level of the table itself") if f.id == "rtt_live" else unknown(said)
    if f.id == "too_small":
        base, top = q.arg("base"), q.arg("top")
        if base is None or top is None or not -1 <= ended <= 3:
            return OPEN
        size = level_size(ended)
        return no(f"{hexa(top - base)} bytes are not less than a block of level {ended}") if top - base >= size else OPEN
    if f.id in ("rtte_state", "aux_ref", "aux_live"):
        if early:
            return no(said) if q.has("rtt_walk") else unknown(said)
        alone = sum(c.id in _ENTRY and c.status == f.status for c in q.conditions) == 1
        if f.id == "rtte_state" and there and (alone or q.command == "RTT_CREATE"):
            return yes(f"the walk ended at level {ended}, where it should: so it is the entry")
        return no(said) if below and table else OPEN
    return OPEN


def flags(q: Query, f: Failure) -> Answer:
    """Flags of a mapping."""
    value = q.arg("flags")
    if value is None:
        return OPEN
    if f.id == "flags":
        return yes(f"flags {hexa(value)}") if value > 1 else no(f"flags {hexa(value)}")
    kind = value & 3
    if f.id == "oaddr_type":
        return yes(f"oaddr_type {kind}") if kind != 1 and ("single" in f.when or "one descriptor" in f.when) else no("SINGLE")
    return OPEN
