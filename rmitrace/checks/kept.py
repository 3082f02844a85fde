"""What the host keeps for the device, IDE keys at both ends of the link, and messages against what carried them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..capture.messages import SPDM
from ..capture.messages.cached import cached_objects
from ..capture.messages.ide_keys import Link, links, programmings, stream_name
from ..capture.messages.ide_lines import GO, PROG
from ..capture.records import Finding
from ..formats.spdm_log import looks_secured
from .communicate_rules import CACHE_HOLES, CACHED_RULES, NOT_DER
from .finding import failures, found, parts, some
from .rule import Check, Rule
from .spdm import at

if TYPE_CHECKING:
    from ..capture.messages.cached import CachedObject
    from ..capture.model import Capture

_CHAIN_HEADERS = (0, 4 + 32, 4 + 48, 4 + 64)
"""Bytes in front of the certificates: length, reserved, and the hash of the root by SHA-256, -384 or -512 (DSP0274)."""
ONE_SIDE = Rule(
    "IDE-ONE-SIDE",
    "warning",
    "an IDE key is programmed at one end of the link only",
    "endpoint and root port have to have the same keys: the stream does not become secure",
    "the IDE_KM messages to the endpoint against the RMM's calls for the root port",
    "PCIe r6 6.33.3; TF-RMM message order",
    "messages",
)
EL3_KEY = Rule(
    "EL3-IDE-KEY",
    "error",
    "a call of the RMM to EL3 for an IDE key failed",
    "the root port's keys are not programmed, and the transaction ends in ERROR; E_RMM_AGAIN is tried three times",
    "EL3's driver for the root port",
    "TF-RMM app_services.c; RMM-EL3 interface",
)
DOE_TYPE = Rule(
    "DOE-TYPE",
    "error",
    "a message went out with a DOE type that does not fit it",
    "type 1 is clear SPDM, type 2 is secured SPDM: the device drops it or answers with nothing",
    "the protocol field of the exit, and how the host turns it into a DOE feature",
    "PCIe r6.1 6.30.1; DEN0137 RmiDevCommProtocol",
    "messages",
)


def cached(capture: Capture) -> Iterable[Finding]:
    """COMM-CACHE-NOT-DER, COMM-CACHE-HOLES: the certificates as the host was told to keep them."""
    return some(f for o in cached_objects(capture) if o.kind == "CERTIFICATE" for f in _certificate(capture, o))


def _certificate(capture: Capture, o: CachedObject) -> Iterator[Finding]:
    offsets = _portions(capture, o)
    if offsets is not None:
        expected = 0
        for offset, size, call in offsets:
            if offset != expected:
                what = "overlaps" if offset < expected else "leaves a hole"
                text = f"the portion at {offset} that call {call} caches {what}: {expected} bytes came before it"
                yield found(CACHE_HOLES, capture, text, [call], object=o.device)
                return
            expected = offset + size
    data = o.data
    at_ = 0
    while at_ < len(data):
        length = _der(data, at_)
        if length is None or at_ + length > len(data):
            text = f"byte {at_} of the {len(data)} cached for {o.device} begins no DER sequence that fits"
            yield found(NOT_DER, capture, text, o.calls, object=o.device)
            return
        at_ += length


def _der(data: bytes, at: int) -> int | None:
    """Bytes of the DER SEQUENCE at a place, header included; None where there is none (X.690 8.1.3)."""
    if data[at : at + 1] != b"\x30" or len(data) < at + 2:
        return None
    first = data[at + 1]
    if first < 0x80:
        return first + 2
    n = first & 0x7F
    if not 1 <= n <= 3 or len(data) < at + 2 + n:
        return None
    return int.from_bytes(data[at + 2 : at + 2 + n], "big") + 2 + n


def _portions(capture: Capture, o: CachedObject) -> list[tuple[int, int, int]] | None:
    """Offset, size and call of each piece, as the GET_CERTIFICATE requests that led to them say; None where these are not
    known, or the pieces are not what the messages carry."""
    out: list[tuple[int, int, int]] = []
    header = 0
    for piece, call in zip(o.pieces, o.calls, strict=True):
        earlier = [m for c in range(max(call - 8, 0), call) for m in capture.messages_of(c) if m.name == "GET_CERTIFICATE"]
        node = earlier[-1].spdm if earlier else None
        offset = next((n.value for n in node.children if n.name == "Offset"), None) if node is not None else None
        if not isinstance(offset, int):
            return None
        # the first portion loses the chain's header: length, reserved and the root hash
        if not out:
            answer = earlier[-1].partner
            size = (
                next((n.value for n in answer.spdm.children if n.name == "PortionLength"), None)
                if answer and answer.spdm
                else None
            )
            left_out = size - len(piece) if isinstance(size, int) else 0
            header = max((h for h in _CHAIN_HEADERS if h <= left_out), default=0)
        out.append((max(offset - header, 0), len(piece), call))
    return out


def one_side(capture: Capture) -> Iterable[Finding]:
    """IDE-ONE-SIDE: in a capture that shows keys at both ends, those that are at one of them only."""
    steps = programmings(capture, capture.conversations)
    both = links(steps)
    if not any(x.endpoint for x in both) or not any(x.root_port for x in both):
        return ()
    return some(f for x in both if bool(x.endpoint) != bool(x.root_port) for f in _lonely(x))


def _lonely(link: Link) -> Iterator[Finding]:
    steps = link.endpoint or link.root_port
    wanted = [p for p in steps if p.action in (PROG, GO)]
    if any(p.action == GO for p in wanted):  # a key that is not used yet may still get its other end
        p = wanted[0]
        counts = Counter(q.action for q in wanted)
        name = stream_name(p.sub_stream, p.direction, p.key_set)
        said = ", ".join(f"{n} {a}" for a, n in counts.items())
        text = f"{name} of stream {p.stream if p.stream is not None else '?'} is programmed at the {p.end} only ({said})"
        yield Finding(ONE_SIDE.id, ONE_SIDE.severity, text, p.source, p.offset, None, (p.call,) if p.call is not None else ())


def el3(capture: Capture) -> Iterable[Finding]:
    """EL3-IDE-KEY: IDE key calls of the RMM to EL3 that failed; E_RMM_AGAIN where it came three times in a row."""
    c = capture.calls
    ide = [i for i, n in enumerate(capture.names) if "IDE" in n and not n.startswith("RMI_")]
    if not ide:
        return
    rows, name, _status = failures(capture)
    rows = rows[np.isin(name, ide)]
    again = [i for i, s in enumerate(capture.statuses) if "AGAIN" in s]
    bad = rows[~np.isin(c.status[rows], again)]
    for seq in bad.tolist()[:50]:
        yield found(EL3_KEY, capture, f"{capture.name_text(seq)} returned {capture.status_text(seq) or 'an error'}", [seq])
    retried = rows[np.isin(c.status[rows], again)]
    for i in np.unique(c.name[retried]).tolist():
        every = np.concatenate([np.flatnonzero(c.name[part] == i) + part.start for part in parts(capture)])
        place = np.searchsorted(every, retried[c.name[retried] == i])
        for run in np.split(place, np.flatnonzero(np.diff(place) != 1) + 1):
            if len(run) >= 3:
                text = f"{capture.names[i]} returned E_RMM_AGAIN {len(run)} times in a row"
                yield found(EL3_KEY, capture, text, every[run].tolist())


def doe_types(capture: Capture) -> Iterable[Finding]:
    """DOE-TYPE: secured bytes in an object of type clear SPDM, as DOE probes and packets show it."""
    return some(_doe_types(capture))


def _doe_types(capture: Capture) -> Iterator[Finding]:
    for m in capture.conversations.all:
        carried = m.layers[0] == "DOE" or capture.sources[m.place.source].format not in ("calls-jsonl", "spdm-log", "rmm-console")
        data = m.payload
        if carried and m.layers[-1] == SPDM and len(data) > 8 and data[0] >> 4 != 1 and looks_secured(data):
            yield at(
                DOE_TYPE.id, DOE_TYPE.severity, f"{len(data)} bytes that look secured went out as clear SPDM", m, DOE_TYPE.spec
            )


CHECKS = (
    Check(cached, CACHED_RULES),
    Check(one_side, (ONE_SIDE,)),
    Check(el3, (EL3_KEY,)),
    Check(doe_types, (DOE_TYPE,)),
)
