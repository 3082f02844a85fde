"""What logs say of IDE keys: TF-RMM's ``IDE_KM_KEY_PROG: Endpoint ...`` and ``EL3_IDE_KEY_PROG: Root Port ...``
(app/device_assignment), its harness' ``firme_ide_prog``, and tee-io-validator's ``dev key_prog`` and ``rp key_prog``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...formats.base import Data

if TYPE_CHECKING:
    from .model import Conversation

ENDPOINT, ROOT_PORT = "endpoint", "root port"
PROG, GO, STOP = "KEY_PROG", "K_SET_GO", "K_SET_STOP"
SUB_STREAMS = ("PR", "NPR", "CPL")
ACTIONS = {"PROG": PROG, "GO": GO, "STOP": STOP}


@dataclass(slots=True)
class Programming:
    """One step for one sub-stream and direction at one end of a link.

    end         ENDPOINT or ROOT_PORT
    action      PROG, GO or STOP
    stream      stream id, None where it is not told
    sub_stream  0 PR, 1 NPR, 2 CPL
    direction   'RX' or 'TX', as the endpoint sees it: firmware names both ends so
    key_set     0 or 1, None where it is not told
    status      how it ended: 'Success', 'Unsupported Value', 'E_RMM_OK', '' where nothing says
    failed      it did not succeed
    key         the 32 bytes as in KEY_PROG, None where they are not known
    source, offset, call, message
                where it was seen; call and message are numbers of these, None where it was a line of a log
    """

    end: str
    action: str
    stream: int | None
    sub_stream: int
    direction: str
    key_set: int | None
    status: str
    failed: bool
    source: int
    offset: int
    call: int | None = None
    message: int | None = None
    key: bytes | None = None
    iv: bytes | None = None
    conversation: Conversation | None = None


SEEN = "seen at EL3"
_LINES = re.compile(
    rb"IDE_(?:KM_)?KEY_(?P<action>PROG|SET_GO|SET_STOP)(?P<failed>(?: Ack)? [Ff]ailed)?: (?P<end>Endpoint|Root Port|rootport) "
    rb"(?:dir: (?P<dir>\d)|(?P<dirs>RX/TX|RX|TX)) id/sub_id: (?P<stream>\d{1,3})/(?:\[0-(?P<last>\d)\]|(?P<sub>\d))"
    rb"|IDE Refresh: Current active key slot: (?P<slot>\d)"
    rb"|firme_ide_(?P<firme>prog|go|stop): ecam/keyset/handle: 0x[0-9a-f]{1,16}/0x(?P<keyset>[0-9a-f]{1,16})/"
    rb"|(?P<tee>dev|rp) key_prog K(?P<ks>[01])\|(?P<td>RX|TX)\|(?P<ts>PR|NPR|CPL) - (?:sts=(?P<sts>[0-9a-f]{2}))?"
    rb"|KSetGo K(?P<gks>[01])\|(?P<gd>RX|TX)\|(?P<gs>PR|NPR|CPL)(?P<gfail> failed)?"
)
_BEGINNINGS = (
    b"IDE_KM_KEY_",
    b"IDE_KEY_",
    b"IDE Refresh: Current",
    b"firme_ide_",
    b"dev key_prog K",
    b"rp key_prog K",
    b"KSetGo K",
)
_SECRET_LINES = 24
_DUMPED = re.compile(rb"(?:Key|IV) \(big-endian\):|[0-9a-f]{4}: ((?:[0-9a-f]{2} ?){1,16})\s*$")
_REGISTER = re.compile(rb"(Key|IFV)_DW(\d): 0x([0-9a-f]{8})")


def from_lines(data: Data, source: int) -> Iterator[Programming]:
    """What logs say of it. TF-RMM does not print the key set with each step; the line that ends a refresh does, and it is
    the active one that is stopped."""
    waiting: list[Programming] = []
    active: int | None = None
    for m in _hits(data):
        if m["slot"]:
            active = int(m["slot"])
            for p in waiting:
                p.key_set = active if p.key_set is None else p.key_set
            yield from waiting
            waiting = []
        elif m["action"]:
            steps = _firmware_line(m, source)
            for p in steps:
                p.key_set = active if p.action == STOP else None
            waiting += steps
        elif m["firme"]:
            value = int(m["keyset"], 16)
            direction = "RX" if value & 2 else "TX"
            action = ACTIONS[m["firme"].decode().upper()]
            stream, sub, slot = value >> 6 & 0xFF, value >> 2 & 0xF, value & 1
            waiting.append(Programming(ROOT_PORT, action, stream, sub, direction, slot, SEEN, False, source, m.start()))
        elif m["tee"]:
            end = ENDPOINT if m["tee"] == b"dev" else ROOT_PORT
            status = "" if m["sts"] is None else "Success" if m["sts"] == b"00" else f"status {m['sts'].decode()}"
            sub, refused = SUB_STREAMS.index(m["ts"].decode()), m["sts"] not in (None, b"00")
            p = Programming(end, PROG, None, sub, m["td"].decode(), int(m["ks"]), status, refused, source, m.start())
            p.key, p.iv = _keys_below(data, m.end(), end)
            waiting.append(p)
        elif m["gks"]:
            sub, said = SUB_STREAMS.index(m["gs"].decode()), "failed" if m["gfail"] else ""
            waiting.append(
                Programming(ENDPOINT, GO, None, sub, m["gd"].decode(), int(m["gks"]), said, bool(said), source, m.start())
            )
    yield from waiting


def _hits(data: Data) -> Iterator[re.Match[bytes]]:
    """The lines that tell something, in order; plain searches for what they begin with."""
    places = []
    for word in _BEGINNINGS:
        at = data.find(word)
        while at >= 0:
            places.append(at)
            at = data.find(word, at + len(word))
    for at in sorted(places):
        m = _LINES.match(data, at)
        if m is not None:
            yield m


def _firmware_line(m: re.Match[bytes], source: int) -> list[Programming]:
    end = ENDPOINT if m["end"] == b"Endpoint" else ROOT_PORT
    action = ACTIONS[m["action"].decode().split("_")[-1]]
    if m["dir"]:
        directions = ["TX" if int(m["dir"]) & 2 else "RX"]
    else:
        directions = m["dirs"].decode().split("/")
    subs = range(int(m["last"]) + 1) if m["last"] else [int(m["sub"])]
    status = "failed" if m["failed"] else ""
    return [
        Programming(end, action, int(m["stream"]), sub, d, None, status, bool(m["failed"]), source, m.start())
        for sub in subs
        for d in directions
    ]


def _keys_below(data: Data, at: int, end: str) -> tuple[bytes | None, bytes | None]:
    """Key and IV printed below a line of tee-io-validator, in the order of KEY_PROG's bytes: the endpoint's as big-endian
    dwords, the root port's as registers, the last dword first (its doc/key_byte_order.md)."""
    text = bytes(data[at : at + 4096]).split(b"\n")[1 : 1 + _SECRET_LINES]
    if end == ROOT_PORT:
        words: dict[bytes, dict[int, int]] = {b"Key": {}, b"IFV": {}}
        for line in text:
            if (m := _REGISTER.search(line)) is not None:
                words[m[1]][int(m[2])] = int(m[3], 16)
            elif _LINES.search(line):
                break
        parts = [b"".join(w[i].to_bytes(4, "little") for i in sorted(w, reverse=True)) for w in words.values()]
        return (parts[0] if len(parts[0]) == 32 else None), parts[1] or None
    dumped: list[bytearray] = []
    for line in text:
        m = _DUMPED.search(line)
        if m is None:
            if dumped:
                break
        elif m[1] is None:
            dumped.append(bytearray())
        elif dumped:
            dumped[-1] += bytes.fromhex(m[1].decode())
    swapped = [b"".join(bytes(d[i : i + 4][::-1]) for i in range(0, len(d), 4)) for d in dumped[:2]] + [b"", b""]
    return (swapped[0] if len(swapped[0]) == 32 else None), swapped[1] or None
