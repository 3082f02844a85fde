"""Conditions about what stands in a parameter page: lengths, flags, identifiers, ranges, keys."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import decoders
from decoders.abi import Failure

from . import pages
from .query import GRANULE, OPEN, Answer, Query, hexa, no, unknown, yes

KEY_LENGTHS = {0: 384, 1: 65, 2: 97}
"""RmiSignatureAlgorithm -> bytes of the key that TF-RMM wants: RSA-3072 modulus, P-256 and P-384 points (0x04, X, Y)."""
MAX_KEY = 1024
MAX_SID_TF_RMM = 31
"""Stream ids that TF-RMM of 1.1-alp16 takes; a PCIe stream id has 8 bits."""


def length(q: Query, f: Failure) -> Answer:
    """key_len, metadata_len, rsp_len above what the page or a granule holds."""
    if f.id in ("rsp_len", "resp_len"):
        value, most, name = (q.exchange.rsp_len if q.exchange is not None else None), GRANULE, "rsp_len"
    else:
        name = f.id.removesuffix("_oflow")
        value, most = q.field(name), MAX_KEY
    if value is None:
        return OPEN
    told = f"{name} is {value}"
    return yes(told) if value > most else no(told)


def key(q: Query, f: Failure) -> Answer:
    """A key whose length does not fit its algorithm."""
    size, algo = q.field("key_len"), q.field("algo")
    if size is None or algo is None:
        return OPEN
    wanted = KEY_LENGTHS.get(algo)
    if wanted is None:
        return yes(f"algorithm {algo} is not known")
    if size != wanted:
        leading = "; a leading zero byte of the modulus was kept" if (size, wanted) == (385, 384) else ""
        return yes(f"key_len is {size}, TF-RMM wants {wanted} for this algorithm{leading}")
    if algo and q.page is not None and (first := _first_byte(q)) is not None and first != 4:
        return yes(f"the point begins with 0x{first:02x}, not with 0x04")
    return unknown(f"key_len {size} fits the algorithm")


def _first_byte(q: Query) -> int | None:
    address = q.arg("params_ptr")
    return next((b.data[0] for b, _ in q.call.buffers if b.addr == address and b.when == "enter" and b.data), None)


def pdev_params(q: Query, f: Failure) -> Answer:
    """Parameters of RMI_PDEV_CREATE that contradict each other or are out of range."""
    wrong = pdev_problems(q)
    if wrong:
        return yes("; ".join(wrong[:3]))
    return unknown("what can be told of the page is in order") if q.page is not None else OPEN


def pdev_problems(q: Query) -> list[str]:
    """What is wrong with the parameter page of RMI_PDEV_CREATE, in half sentences."""
    if q.page is None:
        return []
    out = []
    base, top = q.field("rid_base"), q.field("rid_top")
    rid = q.field("pdev_id")
    if base == top == 0:
        pass  # TF-RMM of 1.1-alp16 takes it
    elif base is not None and top is not None and base >= top:
        out.append(f"rid_base {hexa(base)} is not below rid_top {hexa(top)}")
    elif base is not None and top is not None and not q.two and rid is not None and not base <= rid & 0xFFFF < top:
        out.append(f"the routing id {hexa(rid & 0xFFFF)} is outside of [{hexa(base)}, {hexa(top)})")
    algo = q.field("hash_algo")
    if algo is not None and algo not in decoders.profile(q.revision).enums.get("RmiHashAlgorithm", {}):
        out.append(f"hash_algo {algo} does not exist in {q.revision}")
    if (segment := q.field("routing_id")) is not None and segment > 0xFFFF:
        out.append(f"routing_id {hexa(segment)} has more than 16 bits, which TF-RMM does not take")
    if (sid := q.field("ncoh_ide_sid")) is not None and sid > 255:
        out.append(f"ncoh_ide_sid {sid} is above 255")
    for name, most in (("ncoh", 16), ("coh", 4)):
        count = q.field(f"{name}_num_addr_range")
        if count is not None and count > most:
            out.append(f"{count} {name} address ranges, {most} are possible")
        out += range_problems(pages.ranges(q.page, f"{name}_addr_range"))
    return out


def range_problems(found: list[tuple[int, int]]) -> list[str]:
    """What is wrong with a list of address ranges."""
    out = []
    for base, top in found:
        if base % GRANULE or top % GRANULE:
            out.append(f"range {hexa(base)}..{hexa(top)} is not granule aligned")
        elif base >= top:
            out.append(f"range {hexa(base)}..{hexa(top)} is empty")
    ordered = sorted(found)
    out += [
        f"ranges {hexa(a[0])}..{hexa(a[1])} and {hexa(b[0])}..{hexa(b[1])} overlap" for a, b in pairwise(ordered) if b[0] < a[1]
    ]
    return out


def flags_supported(q: Query, f: Failure) -> Answer:
    """Flags of a PDEV that the firmware does not take."""
    flags = q.field("flags") if q.page is not None else q.arg("flags")
    if flags is None:
        return OPEN
    defined = sum(b.mask for b in decoders.profile(q.revision).bitfields.get("RmiPdevFlags", ()))
    if flags & ~defined:
        return yes(f"flags {hexa(flags)} has bits that {q.revision} does not define")
    wrong = tf_rmm_flags(flags, q.two)
    return yes(f"flags {hexa(flags)}: {wrong}") if wrong else unknown(f"flags {hexa(flags)}")


def tf_rmm_flags(flags: int, two: bool) -> str:
    """What TF-RMM does not take of RmiPdevFlags, empty where it takes all."""
    if two:
        category = flags >> 1 & 3
        return f"category {category} does not exist" if category > 2 else ""
    wanted = (("spdm", 0, 1), ("ncoh_ide", 1, 1), ("coh_ide", 3, 0), ("coh_addr", 4, 0), ("p2p", 5, 0), ("trust", 6, 0))
    wrong = [f"{name} is {flags >> bit & 1}" for name, bit, value in wanted if flags >> bit & 1 != value]
    if flags >> 7 & 3:
        wrong.append(f"category is {flags >> 7 & 3}")
    return "TF-RMM of 1.1-alp16 does not take that " + ", ".join(wrong) if wrong else ""


def stream_id(q: Query, f: Failure) -> Answer:
    """An IDE stream id that is out of range."""
    sid = q.field("ncoh_ide_sid") if q.page is not None else q.arg("ide_sid")
    if sid is None:
        return OPEN
    if sid > 255:
        return yes(f"stream id {sid}; PCIe has 8 bits")
    if sid > MAX_SID_TF_RMM:
        return yes(f"stream id {sid}; TF-RMM of 1.1-alp16 takes up to {MAX_SID_TF_RMM}")
    return no(f"stream id {sid}")


def non_tee(q: Query, f: Failure) -> Answer:
    """A stream of type NON_TEE (0), which is a feature of its own."""
    kind = q.field("stream_type")
    if kind is None:
        return OPEN
    return no(f"stream_type is {kind}, not NON_TEE") if kind else unknown("stream_type is NON_TEE")


def max_vdevs(q: Query, f: Failure) -> Answer:
    """More VDEVs asked for than the RMM can have."""
    if f.id == "max_vdevs":
        order = q.field("max_vdevs_order")
        if order is None:
            return OPEN
        limit = feature(q, 2, "MAX_VDEVS_ORDER")
        if limit is None:
            return yes(f"max_vdevs_order is {order}, TF-RMM takes up to 4") if order > 4 else OPEN
        told = f"max_vdevs_order is {order}, RMI_FEATURES says {limit}"
        return yes(told) if order > limit else no(told)
    base, top, limit = q.field("rid_base"), q.field("rid_top"), feature(q, 2, "PDEV_MAX_VDEVS_ORDER")
    if base is None or top is None or limit is None or top < base:
        return OPEN
    told = f"the span of routing ids is {top - base}, the limit 2^{limit} - 1"
    return yes(told) if top - base > (1 << limit) - 1 else no(told)


def feature(q: Query, index: int, name: str) -> int | None:
    """A field of a feature register that was read before the call."""
    rows, _end, asked, known = q.world.columns.done_with(("FEATURES",), "index")
    _rows, _end, value, told = q.world.columns.done_with(("FEATURES",), "value", out=True)
    read = np.flatnonzero(known & told & (asked == index) & (rows < q.seq))
    fields = decoders.profile(q.revision).bitfields.get(f"RmiFeatureRegister{index}", ())
    found = next((b for b in fields if b.name == name), None)
    return (int(value[read[-1]]) & found.mask) >> found.lsb if len(read) and found is not None else None


def assignment(q: Query, f: Failure) -> Answer:
    """The RMM has no device assignment."""
    worked = q.world.has_devices
    if worked >= 0:
        return no(f"call {worked} worked", worked)
    has = feature(q, 2 if q.two else 0, "DA")
    if has is None:
        return OPEN
    return no("RMI_FEATURES shows DA") if has else yes("RMI_FEATURES shows that DA is not there")


def version(q: Query, f: Failure) -> Answer:
    """RMI_VERSION: which versions the RMM has."""
    req, lower, higher = q.arg("req"), q.result("lower"), q.result("higher")
    if req is None or lower is None or higher is None:
        return OPEN
    told = f"asked for {_dotted(req)}, the RMM has {_dotted(lower)} to {_dotted(higher)}"
    if f.id == "incompat_lower":
        return yes(told) if req > higher else no(told)
    if f.id == "incompat_higher":
        return yes(told) if req < lower else no(told)
    return yes(told) if not lower <= req <= higher or lower >> 16 != req >> 16 else OPEN


def _dotted(value: int) -> str:
    return f"{value >> 16}.{value & 0xFFFF}"


def realm_params(q: Query, f: Failure) -> Answer:
    """Parameters of RMI_REALM_CREATE that can be told to be wrong."""
    if q.page is None:
        return OPEN
    limit = feature(q, 0, "S2SZ")
    size = q.field("s2sz")
    if limit is not None and size is not None and size > limit:
        return yes(f"s2sz is {size}, RMI_FEATURES says {limit}")
    algo = q.field("hash_algo")
    if algo is not None and algo not in decoders.profile(q.revision).enums.get("RmiHashAlgorithm", {}):
        return yes(f"hash_algo {algo} does not exist in {q.revision}")
    if size is not None and size < 32:
        return yes(f"s2sz is {size}")
    if q.field("rtt_num_start") == 0:
        return yes("rtt_num_start is 0")
    return OPEN


def stream_params(q: Query, f: Failure) -> Answer:
    """Parameters of RMI_PDEV_STREAM_CONNECT that can be told to be wrong."""
    if q.page is None:
        return OPEN
    count = q.field("num_addr_range")
    wrong = [f"{count} address ranges, 16 are possible"] if count is not None and count > 16 else []
    wrong += range_problems(pages.ranges(q.page, "addr_range"))
    if (sid := q.field("ide_sid")) is not None and sid > 255:
        wrong.append(f"ide_sid {sid} is above 255")
    return yes("; ".join(wrong[:3])) if wrong else OPEN


def vdev_params(q: Query, f: Failure) -> Answer:
    """Address ranges of RMI_VDEV_CREATE."""
    if q.page is None:
        return OPEN
    found = pages.ranges(q.page, "addr_range")
    wrong = range_problems(found)
    if not wrong and found != sorted(found):
        wrong.append("the address ranges are not sorted")
    return yes("; ".join(wrong[:3])) if wrong else OPEN
