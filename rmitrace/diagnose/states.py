"""Conditions about the state of things: granules, the RMM, Realms, RECs, PDEVs, VDEVs and their communication."""

from __future__ import annotations

import re

from decoders.abi import Failure

from .addresses import address, unused
from .devices import ANY_COMM, FAILED, GONE, IDLE, Snapshot
from .query import GRANULE, OPEN, Answer, Query, at, hexa, no, unknown, yes

_GRANULE_STATE = re.compile(r"\bnot in state (\w+)")
_KINDS = (
    ("Realm descriptor granule", "RD"),
    ("REC granule", "REC"),
    ("VDEV granule", "VDEV"),
    ("VSMMU granule", "VSMMU"),
    ("not a VSMMU", "VSMMU"),
)


def granule_state(q: Query, f: Failure) -> Answer:
    """A granule that is not in the state that the command wants."""
    if unused(q, f):
        return no("the VDEV uses no virtual SMMU")
    match = _GRANULE_STATE.search(f.when)
    wanted = match[1] if match else next((s for text, s in _KINDS if text in f.when), None)
    if wanted is None and "DELEGATED" in f.when:
        wanted = "DELEGATED"
    if wanted is None:
        return OPEN
    if "first PDEV" in f.when or "second PDEV" in f.when:
        which = "1" if "first" in f.when else "2"
        name, value = f"pdev_{which}", q.pdev_address(which)
        if which == "2" and not value:
            return no("no second PDEV is named") if value == 0 else OPEN
    elif f.id in ("aux_state", "rtt_state") and q.command in ("PDEV_CREATE", "VDEV_CREATE", "REC_CREATE", "REALM_CREATE"):
        return _listed(q, f.id)
    elif f.id in ("data_state", "dev_state") and q.arg("oaddr") is not None:
        name, value = "oaddr", (q.arg("oaddr") or 0) & 0xFFFFFFFFFF000
        if (q.arg("flags") or 0) & 3 != 1:
            return OPEN
    else:
        name, value = address(q, f.id)
    return OPEN if value is None else granule_is_not(q, name, value, wanted, f.id)


def granule_is_not(q: Query, name: str, value: int, wanted: str, condition: str = "") -> Answer:
    """Whether a granule is in another state than ``wanted``."""
    if value % GRANULE:
        # a condition of its own says so, where the list has one
        stem = re.sub(r"_(gran_)?state\Z", "", condition)
        if not any(f.id == f"{stem}_align" for f in q.conditions):
            return yes(f"{name} {hexa(value)} is not granule aligned")
        return unknown(f"{name} {hexa(value)} is not granule aligned")
    known = q.granule(value)
    if wanted == "DELEGATED" and (making := q.world.making(value, q.seq)) is not None:
        return yes(f"call {making} makes an object of it and is not finished", making)
    if known is None:
        columns = q.world.columns
        if wanted == "UNDELEGATED":
            return unknown("nothing in the capture delegated it")
        told = (
            f"nothing in the capture made {hexa(value)} {wanted}" if wanted != "DELEGATED" else f"nothing delegated {hexa(value)}"
        )
        return yes(told) if columns.from_the_start else unknown(told)
    if known.state == wanted:
        return no(f"{hexa(value)} is {wanted} since call {known.call}", known.call)
    if known.state in ("DONATED",):
        return OPEN
    return yes(f"{name} {hexa(value)} is {known.state} since call {known.call}", known.call)


def range_state(q: Query, f: Failure) -> Answer:
    """The first granule of a range that is delegated or given back (2.0)."""
    base = q.arg("base")
    if base is None:
        return OPEN
    known = q.granule(base)
    if q.command == "GRANULE_RANGE_UNDELEGATE":
        answer = granule_is_not(q, "base", base & ~(GRANULE - 1), "DELEGATED")
        return yes(answer.text) if known is None and answer.holds else answer
    if known is None:
        return OPEN
    told = f"{hexa(base)} is {known.state} since call {known.call}"
    if known.state == "UNDELEGATED":
        return no(told, known.call)
    return unknown(told, known.call) if known.state == "DELEGATED" else yes(told, known.call)


def _listed(q: Query, condition: str) -> Answer:
    """Granules in a list of the parameter page that have to be DELEGATED."""
    from .pages import numbers

    if q.page is None:
        return OPEN
    if condition == "rtt_state":
        base, count = q.field("rtt_base"), q.field("rtt_num_start") or 0
        listed = [base + (i << 12) for i in range(min(count, 16))] if base is not None else []
    else:
        listed = numbers(q.page, "aux")
    answers = [granule_is_not(q, "the list's", a, "DELEGATED", condition) for a in listed]
    held = next((a for a in answers if a.holds), None)
    if held is not None:
        return held
    return no("every granule in the list is DELEGATED") if answers and all(a.holds is False for a in answers) else OPEN


# the RMM, Realms and RECs


def rmm(q: Query, f: Failure) -> Answer:
    """The RMM is not active, or no longer in INIT."""
    active, call = q.world.active(q.seq)
    if active is None:
        return OPEN
    told = f"RMI_RMM_ACTIVATE succeeded in call {call}" if active and q.capture.name_text(call).endswith("ACTIVATE") else (
        f"call {call} worked" if active else "RMI_RMM_ACTIVATE has not succeeded")  # fmt: skip
    wants_init = "INIT" in f.when
    if active == wants_init:
        return yes(told, call)
    return no(told, call)


def realm(q: Query, f: Failure) -> Answer:
    """The state of the Realm."""
    rd = q.rd
    if rd is None and q.rec is not None:
        owner = q.world.rec(q.rec, q.seq)
        rd = owner.rd if owner is not None else None
    if rd is None:
        return OPEN
    state, call = q.world.realm(rd, q.seq)
    if state is None:
        return OPEN
    told = f"the Realm is {state} since call {call}"
    if f.id == "realm_new":
        return yes(told, call) if state == "NEW" else no(told, call)
    if f.id == "system_off":
        return no(told, call) if state == "NEW" else OPEN
    if "not in NEW" in f.when:
        return yes(told, call) if state in ("ACTIVE", "TERMINATED") else no(told, call) if state == "NEW" else OPEN
    if "neither NEW nor ACTIVE" in f.when:
        return yes(told, call) if state == "TERMINATED" else OPEN
    return OPEN


def realm_live(q: Query, f: Failure) -> Answer:
    """What a Realm still owns."""
    if q.rd is None:
        return OPEN
    vdevs = q.world.living_vdevs(q.seq, rd=q.rd)
    if vdevs and "VDEV" in f.when:
        return yes(f"vdev:{hexa(vdevs[0][0])} of it exists", vdevs[0][1].call)
    living = q.world.living_recs(q.rd, q.seq)
    if living and "REC" in f.when:
        return yes(f"rec:{hexa(living[0][0])} of it exists", living[0][1])
    if vdevs and f.id == "realm_live":  # 1.1 does not name them, TF-RMM counts them all the same
        return yes(f"vdev:{hexa(vdevs[0][0])} of it exists", vdevs[0][1].call)
    tables = q.world.tables(q.rd, q.seq)
    if tables and f.id == "realm_live":
        return yes(f"{len(tables)} table{'s' if len(tables) > 1 else ''} made by RMI_RTT_CREATE still exist", *tables[:3])
    return OPEN


def rec_owner(q: Query, f: Failure) -> Answer:
    """A REC of another Realm."""
    if q.rec is None or q.rd is None:
        return OPEN
    owner = q.world.rec(q.rec, q.seq)
    if owner is None:
        return OPEN
    told = f"the REC was made for realm:{hexa(owner.rd)} in call {owner.call}"
    return yes(told, owner.call) if owner.rd != q.rd else no(told, owner.call)


# devices


_LIST = re.compile(r"\{([A-Z_, ]+)\}")


def device_state(q: Query, f: Failure) -> Answer:
    """The state of a PDEV or VDEV that a command does not work in."""
    s, what = _device(q, f)
    if s is None or not s.states:
        return OPEN
    states = _named(f.when)
    if not states:
        return OPEN
    bad = states if "state in {" in f.when else None
    wrong = {x for x in s.states if (x in bad if bad is not None else x not in states)}
    told = _told(s, what)
    if wrong == set(s.states):
        return yes(told, s.call)
    return no(told, s.call) if not wrong else unknown(f"{what} may be in {' or '.join(sorted(s.states))}", s.call)


def _named(when: str) -> set[str]:
    match = _LIST.search(when)
    text = match[1] if match else when
    return set(re.findall(r"\b(?:NEW|NEEDS_KEY|HAS_KEY|READY|IDE_RESETTING|COMMUNICATING|STOPPING|STOPPED|ERROR|UNLOCKED|"
                          r"LOCKED|STARTED|KEY_REFRESH|KEY_PURGE)\b", text))  # fmt: skip


def _told(s: Snapshot, what: str) -> str:
    states = " or ".join(sorted(s.states))
    return f"{what} is {states}{f', read back in call {s.call}' if s.read else at(s.call)}"


def _device(q: Query, f: Failure) -> tuple[Snapshot | None, str]:
    if f.id.startswith("pdev_1") or "first PDEV" in f.when:
        return q.pdev("1"), "the first PDEV"
    if f.id.startswith("pdev_2") or "second PDEV" in f.when:
        return q.pdev("2"), "the second PDEV"
    if f.id.startswith("vdev") or (q.command.startswith("VDEV_") and not f.id.startswith("pdev")):
        return q.vdev(), "the VDEV"
    return q.pdev(), "the PDEV"


def comm_state(q: Query, f: Failure) -> Answer:
    """The communication state, which the host cannot read: told by what was started and how it ended."""
    s, what = _device(q, f)
    if f.id.startswith("pdev_2") and not q.pdev_address("2"):
        return no("no second PDEV is named") if q.pdev_address("2") == 0 else OPEN
    if s is None or s.comm == ANY_COMM:
        return OPEN
    if "IDLE or ERROR" in f.when:
        bad = frozenset((IDLE, FAILED))
    elif "not IDLE" in f.when:
        bad = ANY_COMM - {IDLE}
    elif "IDLE" in f.when:
        bad = frozenset((IDLE,))
    else:
        return OPEN
    told = _communicates(s, what)
    calls = tuple(c for c in (s.began, s.failed) if c >= 0) or ((s.call,) if s.call >= 0 else ())
    if s.comm <= bad:
        return yes(told, *calls)
    return no(told, *calls) if not s.comm & bad else unknown(told if s.failed >= 0 else "", *calls)


def _communicates(s: Snapshot, what: str) -> str:
    if s.failed >= 0 and s.comm & {FAILED}:
        return f"a transaction of {what.removeprefix('the ')} failed{at(s.failed)}, and nothing cleared that"
    if s.comm == {IDLE}:
        return f"{what} has no transaction that is open"
    if s.began >= 0:
        return f"the transaction that call {s.began} began is not over"
    return f"communication of {what} is {' or '.join(sorted(s.comm))}"


def operation(q: Query, f: Failure) -> Answer:
    """A PDEV that already has an operation (2.0)."""
    s, what = _device(q, f)
    if s is None or s.op is None:
        return OPEN
    if s.op == "":
        return no(f"{what} has no operation that is open", s.call)
    return yes(f"{what} has {s.op} open since call {s.began}", s.began) if s.op != "STREAM_COMPLETE" else OPEN


def gone(q: Query, address_of: int) -> bool:
    """Whether a PDEV or VDEV was destroyed and not made again."""
    return GONE in q.world.pdev(address_of, q.seq).states or GONE in q.world.vdev(address_of, q.seq).states
