"""Conditions about addresses: aligned, inside of memory that may be used, in the Non-secure world, given twice."""

from __future__ import annotations

import re

from decoders.abi import Failure

from . import pages
from .query import GRANULE, OPEN, Answer, Query, hexa, no, unknown, yes

_NAMES: dict[str, tuple[str, ...]] = {
    "rd": ("rd",),
    "rec": ("rec_ptr", "rec"),
    "recv": ("rec_ptr",),
    "pdev": ("pdev_ptr",),
    "vdev": ("vdev_ptr",),
    "vdev_1": ("vdev_1_ptr",),
    "vdev_2": ("vdev_2_ptr",),
    "params": ("params_ptr",),
    "run": ("run_ptr",),
    "data": ("data_ptr", "data"),
    "src": ("src",),
    "rtt": ("rtt",),
    "list": ("list_addr",),
    "cfg": ("cfg_ptr",),
    "info": ("info_ptr",),
    "calling": ("calling_rec_ptr", "calling_rec"),
    "target": ("target_rec_ptr", "target_rec"),
    "vsmmu": ("vsmmu_ptr",),
    "stream": ("stream_ptr",),
    "gran": ("addr",),
    "addr": ("addr", "desc"),
    "base": ("base",),
    "top": ("top",),
    "top_gran": ("top",),
}
_PAGE_FIELDS = {
    "req": "req_addr",
    "resp": "rsp_addr",
}
_PARAM_FIELDS = {"vsmmu": "vsmmu_addr"}
_STEP = {"list": 8, "info": 0x100}
_SUFFIX = re.compile(r"_(align|bound|bound2|pas|pop|track|state|gran_state)\Z")
PA_BITS = 52
"""Width of a physical address with LPA2; nothing is above it."""
TABLE_COMMANDS = ("RTT_CREATE", "RTT_DESTROY", "RTT_FOLD", "RTT_AUX_CREATE", "RTT_AUX_DESTROY", "RTT_AUX_FOLD")
"""Commands on a table: ``ipa`` is what the table covers, so it is aligned to the level above it."""


def level_size(level: int) -> int:
    """Bytes that an entry of a level maps (4 KiB granules)."""
    return 1 << (12 + 9 * (3 - level))


def address(q: Query, condition: str) -> tuple[str, int | None]:
    """Name and value of the address that a condition is about."""
    stem = _SUFFIX.sub("", condition)
    if stem in _PAGE_FIELDS and q.exchange is not None:
        name = _PAGE_FIELDS[stem]
        return name, q.exchange.req_addr if stem == "req" else q.exchange.rsp_addr
    if stem in ("pdev_1", "pdev_2"):
        return stem + "_ptr", q.pdev_address(stem[-1])
    names = _NAMES.get(stem, (stem,))
    value = q.arg(*names)
    if value is None and stem in _PARAM_FIELDS:
        return _PARAM_FIELDS[stem], q.field(_PARAM_FIELDS[stem])
    return next((n for n in names if q.arg(n) is not None), names[0]), value


def alignment(q: Query, f: Failure) -> Answer:
    """An address that is not aligned."""
    if unused(q, f):
        return no("the VDEV uses no virtual SMMU")
    if f.id == "align":
        return _any(_aligned("base", q.arg("base")), _aligned("top", q.arg("top")))
    if f.id == "aux_align":
        return _aux_aligned(q)
    if f.id.startswith("ipa"):
        return _ipa_aligned(q)
    if f.status == "RMI_ERROR_RTT" or "level" in f.when:
        return OPEN if f.id != "addr_align" else _level_aligned(q)
    if f.id == "addr_align" and "region" in f.when:
        return _aligned("addr", q.arg("addr"), 1 << 30)
    if f.id == "addr_align" and "GPT" in f.when:
        value = q.arg("addr")
        return _aligned("addr", value) if value is not None and value % GRANULE else OPEN
    name, value = address(q, f.id)
    stem = _SUFFIX.sub("", f.id)
    if stem == "cfg" and value == 0:
        return yes(f"{name} is zero")
    if "needed" in f.when and not value:
        return no(f"{name} is not needed here") if value == 0 else OPEN
    return _aligned(name, value, _STEP.get(stem, GRANULE))


def _aligned(name: str, value: int | None, step: int = GRANULE) -> Answer:
    if value is None:
        return OPEN
    if value % step:
        return yes(f"{name} {hexa(value)} is not a multiple of {hexa(step)}")
    return no(f"{name} {hexa(value)} is aligned")


def _any(*answers: Answer) -> Answer:
    """One of several holds; it does not only where none does."""
    held = next((a for a in answers if a.holds), None)
    if held is not None:
        return held
    if all(a.holds is False for a in answers):
        return no("; ".join(a.text for a in answers if a.text), *(c for a in answers for c in a.calls))
    return OPEN


def _aux_aligned(q: Query) -> Answer:
    aux = pages.numbers(q.page, "aux")
    bad = next((a for a in aux if a % GRANULE), None)
    if bad is not None:
        return yes(f"aux has {hexa(bad)}")
    return no("every address in aux is aligned") if q.page is not None else OPEN


def _level_aligned(q: Query) -> Answer:
    level, value = q.arg("level"), q.arg("desc", "addr")
    if level is None or value is None or not 0 <= level <= 3:
        return OPEN
    return _aligned("the output address", value & ((1 << PA_BITS) - 1) & ~0xFFF, level_size(level))


def _ipa_aligned(q: Query) -> Answer:
    ipa, level = q.arg("ipa"), q.arg("level")
    if ipa is None:
        return OPEN
    if level is None:
        return _outside_too(q, _aligned("ipa", ipa))
    if q.command in TABLE_COMMANDS:
        level -= 1
    if not -1 <= level <= 3:
        return unknown(f"level {q.arg('level')} itself is not valid")
    answer = _aligned("ipa", ipa, level_size(level))
    return _outside_too(q, answer)


def _outside_too(q: Query, answer: Answer) -> Answer:
    """Where the same condition covers an IPA outside the Realm's space, an aligned one settles nothing by itself."""
    listed = next((f for f in q.conditions if f.id == "ipa_align"), None)
    if answer.holds is not False or listed is None or "outside" not in listed.when:
        return answer
    inside = ipa_inside(q, q.arg("ipa") or 0)
    if inside.holds is None:
        return inside
    return yes(inside.text, *inside.calls) if inside.holds is False else no(f"{answer.text}, {inside.text}", *inside.calls)


def ipa_inside(q: Query, ipa: int) -> Answer:
    """Whether an address is inside of the IPA space of the Realm (holds: it is)."""
    if ipa >> PA_BITS:
        return no(f"{hexa(ipa)} is above 52 bits")
    found = q.world.realm_params(q.rd, q.seq) if q.rd is not None else None
    if found is None:
        return OPEN
    size, call = found[0], q.world.realm_created(q.rd or 0, q.seq)
    said = f"the Realm has {size} bits of IPA"
    return no(f"{hexa(ipa)} is outside: {said}", call or -1) if ipa >> size else yes(f"{said}, {hexa(ipa)} is inside", call or -1)


def ipa_protected(q: Query, ipa: int) -> Answer:
    """Whether an address is in the Protected half of the Realm's IPA space (holds: it is)."""
    found = q.world.realm_params(q.rd, q.seq) if q.rd is not None else None
    if found is None:
        return no(f"{hexa(ipa)} is above 52 bits") if ipa >> PA_BITS else OPEN
    call = q.world.realm_created(q.rd or 0, q.seq) or -1
    half = f"the Protected half of {found[0]} bits"
    return no(f"{hexa(ipa)} is not in {half}", call) if ipa >> (found[0] - 1) else yes(f"{hexa(ipa)} is in {half}", call)


def ipa_bound(q: Query, f: Failure) -> Answer:
    """An IPA in the wrong half of the Realm's space, or outside of it."""
    ipa = q.arg("ipa", "base")
    if ipa is None:
        return OPEN
    if "Unprotected IPA" in f.when:
        inside, protected = ipa_inside(q, ipa), ipa_protected(q, ipa)
        if inside.holds is False:
            return yes(inside.text, *inside.calls)
        return Answer(protected.holds, protected.text, protected.calls) if inside.holds else OPEN
    if "Protected" in f.when:
        if "aligned" in f.when and ipa % GRANULE:
            return yes(f"{hexa(ipa)} is not granule aligned")
        answer = ipa_protected(q, ipa)
        return answer._replace(holds=None if answer.holds is None else not answer.holds)
    if "IPA space" in f.when:
        answer = ipa_inside(q, ipa)
        return answer._replace(holds=None if answer.holds is None else not answer.holds)
    return OPEN


def bound(q: Query, f: Failure) -> Answer:
    """An address outside of the memory that a command may use: known only where it is impossible, or was used before."""
    if f.id == "bound":
        base, top = q.arg("base"), q.arg("top")
        return yes("base is not aligned") if base is not None and base % GRANULE else \
            yes("top is not aligned") if top is not None and top % GRANULE else OPEN  # fmt: skip
    if "48 bits" in f.when:
        value = q.arg("data", "rtt", "desc", "addr")
        if value is None:
            return OPEN
        return no(f"{hexa(value)} has no more than 48 bits") if value < 1 << 48 else OPEN
    if unused(q, f):
        return no("the VDEV uses no virtual SMMU")
    name, value = address(q, f.id)
    if value is None:
        return OPEN
    if value >> PA_BITS:
        return yes(f"{name} {hexa(value)} is above 52 bits")
    if "needed" in f.when and not value:
        return no(f"{name} is not needed here")
    known = q.granule(value)
    if known is not None and "Non-secure" not in f.when:
        return no(f"{hexa(value & ~0xFFF)} was accepted before", known.call)
    return OPEN


def unused(q: Query, f: Failure) -> bool:
    """Whether a condition is about the virtual SMMU of a VDEV that has none."""
    return q.command == "VDEV_CREATE" and f.id.startswith("vsmmu_") and q.field("flags") is not None and not q.field("flags")


def pas(q: Query, f: Failure) -> Answer:
    """Memory that has to be the host's, and is not."""
    name, value = address(q, f.id)
    if value is None:
        return OPEN
    known = q.granule(value)
    if known is None:
        if value % GRANULE and not q.has(_SUFFIX.sub("", f.id) + "_align"):
            return yes(f"{name} {hexa(value)} is not granule aligned")
        return unknown("nothing in the capture delegated it")
    if known.state != "UNDELEGATED":
        return yes(f"{name} {hexa(value)} is {known.state} since call {known.call}", known.call)
    if value % GRANULE and not q.has(_SUFFIX.sub("", f.id) + "_align"):
        return yes(f"{name} {hexa(value)} is not granule aligned")
    return no(f"{name} {hexa(value)} was given back by call {known.call}", known.call)


def alias(q: Query, f: Failure) -> Answer:
    """The same memory named twice."""
    if f.id == "aux_alias":
        aux = [a & ~0xFFF for a in pages.numbers(q.page, "aux")]
        own = q.arg("pdev_ptr", "vdev_ptr", "rec_ptr", "rec")
        twice = next((a for i, a in enumerate(aux) if a in aux[:i] or a == own), None)
        if twice is not None:
            return yes(f"{hexa(twice)} is there twice")
        return no("no address is in aux twice") if q.page is not None else OPEN
    if q.command == "PSCI_COMPLETE":
        one, two = q.arg("calling_rec_ptr", "calling_rec"), q.arg("target_rec_ptr", "target_rec")
        if one is None or two is None:
            return OPEN
        if one == two:
            return yes(f"both are {hexa(one)}")
        if "one is no REC" not in f.when:
            return no("they are different")
        for value in (one, two):
            known = q.granule(value)
            if known is not None and known.state != "REC":
                return yes(f"{hexa(value)} is {known.state} since call {known.call}", known.call)
            if known is None and q.world.columns.from_the_start:
                return yes(f"nothing in the capture made {hexa(value)} a REC")
        return OPEN
    rd, page = q.rd, q.arg("params_ptr")
    base, count = q.field("rtt_base"), q.field("rtt_num_start") or 0
    if rd is not None and rd == page:
        return yes(f"rd and params_ptr are both {hexa(rd)}")
    if rd is not None and base is not None and base <= rd < base + (count << 12):
        return yes("rd lies in the start tables")
    return no("rd, params_ptr and the start tables do not overlap") if base is not None and rd is not None else OPEN
