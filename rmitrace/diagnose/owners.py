"""Conditions about who belongs to whom: VDEVs of a PDEV and a Realm, streams of PDEVs, handles of operations."""

from __future__ import annotations

from decoders.abi import Failure

from . import pages
from .operations import CONTINUE, DONATE, RECLAIM, WANTED
from .query import OPEN, Answer, Query, hexa, no, unknown, yes
from .world import Owner


def num_vdevs(q: Query, f: Failure) -> Answer:
    """A PDEV (or the endpoint of a stream) that still has VDEVs."""
    if "still has VDEVs" not in f.when:
        return OPEN
    pdev = q.pdev_address("1") if q.command.startswith("PDEV_STREAM") else q.pdev_address()
    if pdev is None:
        return OPEN
    living = q.world.living_vdevs(q.seq, pdev=pdev)
    if living:
        return yes(f"vdev:{hexa(living[0][0])}, made in call {living[0][1].call}, is not destroyed", living[0][1].call)
    return no("no VDEV of it is in the capture") if q.world.columns.from_the_start else unknown("no VDEV of it is in the capture")


def vdev_pdev(q: Query, f: Failure) -> Answer:
    """A VDEV of another PDEV."""
    owner = _owner(q)
    if owner is None or q.pdev_address() is None:
        return OPEN
    told = f"call {owner.call} made it on pdev:{hexa(owner.pdev)}"
    return yes(told, owner.call) if owner.pdev != q.pdev_address() else no(told, owner.call)


def vdev_realm(q: Query, f: Failure) -> Answer:
    """A VDEV of another Realm."""
    owner = _owner(q)
    if owner is None or q.rd is None:
        return OPEN
    told = f"call {owner.call} made it for realm:{hexa(owner.rd)}"
    return yes(told, owner.call) if owner.rd != q.rd else no(told, owner.call)


def _owner(q: Query) -> Owner | None:
    address = q.vdev_address
    return next((o for _, o in q.world.living_vdevs(q.seq, vdev=address)), None) if address is not None else None


def vdev_ids(q: Query, f: Failure) -> Answer:
    """vdev_id and tdi_id: used by another VDEV, or outside of the PDEV's range."""
    mine = q.field("tdi_id" if f.id.startswith("tdi") else "vdev_id")
    pdev = q.pdev_address()
    if mine is None or pdev is None:
        return OPEN
    if f.id == "tdi_id_bound":
        made = next((c for c in reversed(q.world.pdev_creations(pdev)) if c < q.seq), None)
        page = pages.params(q.capture, made, "RmiPdevParams") if made is not None else None
        base, top = pages.field(page, "rid_base"), pages.field(page, "rid_top")
        if base is None or top is None or made is None or base == top == 0:
            return OPEN
        told = f"tdi_id {hexa(mine)}, the PDEV has [{hexa(base)}, {hexa(top)})"
        return no(told, made) if base <= mine < top else yes(told, made)
    name = "tdi_id" if f.id.startswith("tdi") else "vdev_id"
    others = q.world.living_vdevs(q.seq, pdev=pdev) if name == "tdi_id" else q.world.living_vdevs(q.seq, rd=q.rd)
    known = True
    for _, owner in others:
        value = pages.field(pages.params(q.capture, q.world.command_of(owner.call), "RmiVdevParams"), name)
        known &= value is not None
        if value == mine:
            return yes(f"{name} {hexa(mine)} is that of the VDEV made in call {owner.call}", owner.call)
    return no(f"no living VDEV has {name} {hexa(mine)}") if known and q.world.columns.from_the_start else OPEN


# streams of 2.0


def stream(q: Query, f: Failure) -> Answer:
    """A stream's handle and state."""
    if f.id in ("stream_valid", "stream_state", "complete") and q.arg("stream_hnd") is not None:
        return _by_handle(q, f)
    pdev = q.pdev_address("1") if q.command.startswith("PDEV_STREAM") else q.pdev_address()
    if pdev is None:
        return OPEN
    living = q.world.streams_of(pdev, q.seq)
    if f.id == "pdev_stream_live":
        if living:
            return yes(f"a stream of it is {living[0].state} since call {living[0].call}", living[0].call)
        return no("no stream of it is in the capture") if q.world.columns.sees_all else OPEN
    if f.id in ("pdev_streams", "stream_exists"):
        connected = [s for s in living if s.state == "CONNECTED"]
        if connected:
            return no(f"a stream of it is CONNECTED since call {connected[0].call}", connected[0].call)
        told = f"its stream is {living[0].state}" if living else "RMI_PDEV_STREAM_CONNECT has not succeeded for it"
        return yes(told, *(s.call for s in living)) if q.world.columns.from_the_start or living else unknown(told)
    if f.id in ("stream_type_exists", "disconnected"):
        kind = q.field("stream_type")
        same = [s for s in living if kind is None or s.type is None or s.type == kind]
        if same and kind is not None and same[0].type is not None:
            return yes(f"call {same[0].call}: it has a stream of this type, {same[0].state}", same[0].call)
        return no("it has no stream of this type") if not living and q.world.columns.from_the_start else OPEN
    return OPEN


def _by_handle(q: Query, f: Failure) -> Answer:
    handle = q.arg("stream_hnd") or 0
    found = q.world.stream(handle, q.seq)
    if found is None or found.state == "DISCONNECTED":
        told = f"no RMI_PDEV_STREAM_CONNECT gave {hexa(handle)}" if found is None else f"call {found.call} disconnected it"
        if f.id == "stream_valid":
            return yes(told, found.call if found else -1) if q.world.columns.from_the_start or found else unknown(told)
        return OPEN
    told = f"the stream is {found.state} since call {found.call}"
    if f.id == "stream_valid":
        pair = {p for p in (q.pdev_address("1"), q.pdev_address("2")) if p}
        if found.pdev_1 and pair != {found.pdev_1, found.pdev_2} - {0}:
            return yes(f"call {found.call} is about pdev:{hexa(found.pdev_1)} and pdev:{hexa(found.pdev_2)}", found.call)
        if found.pdev_1 and q.pdev_address("1") != found.pdev_1:
            return unknown("the PDEVs are named in the other order", found.call)
        return no(told, found.call)
    if f.id == "stream_state":
        wants_open = "no operation to finish" in f.when
        if wants_open:
            return yes(told, found.call) if found.state == "CONNECTED" else no(told, found.call)
        if "SYS" in f.when and found.state == "CONNECTED":
            return OPEN
        return yes(told, found.call) if found.state != "CONNECTED" else no(told, found.call)
    for which in ("1", "2"):
        s = q.pdev(which)
        if s is not None and s.op and s.op.startswith("STREAM_") and s.op != "STREAM_COMPLETE" and "IDLE" not in s.comm:
            return yes(f"the transaction of PDEV {which} that call {s.began} began is not over", s.began)
    return OPEN


# operations of 2.0


def handle(q: Query, f: Failure) -> Answer:
    """RMI_OP_*: the handle, and whether this is the call that the operation waits for."""
    value = q.arg("handle")
    if value is None:
        return OPEN
    found = q.world.operations.at(value, q.seq)
    if found is None:
        told = f"handle {hexa(value)} " + (
            "was finished before" if q.world.operations.given(value, q.seq) else "was given by no call"
        )
        if f.id in ("handle", "complete"):
            return yes(told) if q.world.columns.from_the_start or q.world.operations.given(value, q.seq) else unknown(told)
        return unknown(told)
    wants = WANTED.get(found.wants if found.wants is not None else -1)
    told = f"call {found.command} started it" + (f", it waits for {wants}" if wants else "")
    if f.id in ("handle", "complete"):
        return no(told, found.command)
    if f.id == "order":
        if found.wants is None:
            return OPEN
        right = {"OP_CONTINUE": CONTINUE, "OP_MEM_DONATE": DONATE, "OP_MEM_RECLAIM": RECLAIM}.get(q.command)
        return no(told, found.call) if found.wants == right else yes(told, found.call)
    if f.id == "can_cancel":
        if found.cancel is None:
            return OPEN
        told = f"call {found.call} says that it {'may' if found.cancel else 'may not'} be cancelled"
        return no(told, found.call) if found.cancel else yes(told, found.call)
    return _donated(q, f, found.call, found.wants)


def _donated(q: Query, f: Failure, call: int, wants: int | None) -> Answer:
    """RMI_OP_MEM_DONATE: more than was asked for, or granules that are not what was asked for."""
    if wants is not None and wants != DONATE:
        told = f"the operation does not wait for memory but for {WANTED.get(wants)}"
        return unknown(told, call)
    asked = q.capture.call(call)
    req = next((r.value for r in asked.results if r.name == "donate_req" and isinstance(r.value, int)), None)
    count = q.arg("list_count")
    if f.id == "mem_gt" and req is not None and count is not None:
        wanted = req >> 2 & 0x3FFF
        if count > wanted:
            return yes(f"{count} entries, call {call} asks for {wanted} granules", call)
    listed = next((b.data for b, _ in q.call.buffers if b.addr == q.arg("list_addr") and b.when == "enter"), None)
    if listed is None or count is None:
        return OPEN
    entries = [int.from_bytes(listed[8 * i : 8 * i + 8], "little") for i in range(min(count, len(listed) // 8))]
    if f.id == "mem_state":
        for e in entries[:64]:
            known = q.granule(e & 0xFFFFFFFFFF000)
            if known is not None and known.state != "DELEGATED" and (req is None or req >> 17 & 1 == 0):
                return yes(f"{hexa(e & 0xFFFFFFFFFF000)} is {known.state} since call {known.call}", known.call)
    if f.id == "mem_align" and any(e & 0xFFFFFFFFFF000 == 0 for e in entries):
        return OPEN
    return OPEN


def blocked(q: Query, f: Failure) -> Answer:
    """Operations that hold the firmware's contexts."""
    living = q.world.operations.open_at(q.seq)
    if not living:
        return OPEN
    first = living[0]
    n = len(living)
    said = f"{n} operation{'s are' if n > 1 else ' is'} not finished, the first began in call {first.command}"
    return yes(said, *(o.command for o in living[:8]))


def aux_count(q: Query, f: Failure) -> Answer:
    """num_aux differs from what the AUX_COUNT command said."""
    mine = q.field("num_aux")
    if mine is None:
        return OPEN
    command = q.command.split("_")[0] + "_AUX_COUNT"
    rows, _ = q.world.columns.done(command)
    before = rows[rows < q.seq]
    if not len(before):
        return unknown(f"RMI_{command} is not in the capture")
    call = int(before[-1])
    said = next((r.value for r in q.capture.call(call).results if r.name == "aux_count"), None)
    if not isinstance(said, int):
        return OPEN
    told = f"num_aux is {mine}, call {call} said {said}"
    return no(told, call) if said == mine else yes(told, call)


def index_of_rec(q: Query, f: Failure) -> Answer:
    """RECs are made in the order of their MPIDR."""
    mpidr = q.field("mpidr")
    if mpidr is None or q.rd is None or not q.world.columns.from_the_start:
        return OPEN
    made = q.world.recs_of(q.rd, q.seq)
    number = (mpidr & 0xF) | (mpidr >> 8 & 0xFF) << 4 | (mpidr >> 16 & 0xFF) << 12
    told = f"the MPIDR is that of REC {number}, {made} were made"
    return no(told) if number == made else yes(told)
