"""Mutations of every kind of message, as many as asked for:

    python -m tests.decoders.spdm.campaign --count 100000 [--seed N] [--only KIND] [--part I/N]

A decode returns within LIMIT seconds and raises nothing, and every byte of what it was given lies in exactly one leaf. What
fails is printed with its bytes and seed; the exit status is 1 then. tests/decoders/spdm/test_hostile.py runs a few of each.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from decoders.doe import decode_doe, open_doe
from decoders.ide_km import decode_cxl_ide_km, decode_ide_km
from decoders.mctp import decode_mctp
from decoders.pldm import decode_pldm
from decoders.secured import decode_secured, open_secured, use_secrets
from decoders.spdm import Session, decode_spdm, name_of
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.tsp import decode_report as decode_tsp_report
from decoders.spdm.tsp import decode_tsp
from decoders.tdisp import decode_report, decode_tdisp
from decoders.tree import Node
from decoders.x509 import decode_chain
from tests.decoders.spdm.corpus import assert_covered, link_type, records, runs
from tests.decoders.spdm_runs import given

LIMIT = 2.0
"""Seconds that one decode may take, of the processor; the slowest takes some ms."""
SHORT = 160
"""Bytes up to which every prefix is tried; of longer messages the first ones and some more."""
CHAINS = Path(__file__).parents[2] / "data" / "x509"
Decode = Callable[[bytes, Session | None], Node]


class Subject(NamedTuple):
    """A message and what decodes it: with a session that goes on, with one where all is negotiated, or with none."""

    kind: str
    name: str
    data: bytes
    decode: Decode


def _spdm(data: bytes, session: Session | None) -> Node:
    return decode_spdm(data, session=session)


def _doe(data: bytes, session: Session | None) -> Node:
    return decode_doe(data, session=session)


def _mctp(data: bytes, session: Session | None) -> Node:
    return decode_mctp(data, session=session)


def _secured(data: bytes, session: Session | None) -> Node:
    return decode_secured(data, session=session, binding="DOE" if len(data) % 2 else "MCTP")


def _alone(decode: Callable[[bytes], Node]) -> Decode:
    return lambda data, _: decode(data)


PAYLOADS: dict[str, Callable[[bytes], Node]] = {
    "IDE_KM": decode_ide_km,
    "CXL_IDE_KM": decode_cxl_ide_km,
    "TDISP": decode_tdisp,
    "CXL_TSP": decode_tsp,
}


@cache
def subjects() -> tuple[Subject, ...]:
    """One message of every name, version and size in the captures, as it is on the wire and as it is decrypted, and of
    everything that it carries."""
    found: dict[tuple[object, ...], Subject] = {}

    def add(kind: str, name: str, data: bytes, decode: Decode, *more: object) -> None:
        found.setdefault((kind, name, len(data) // 32, *more), Subject(kind, name, data, decode))

    for run in runs():
        session = Session()
        use_secrets(session, given(run))
        mctp = link_type(run) == 291
        for packet in records(run):
            if mctp:
                secured = packet[4] & 0x7F == 6
                add("MCTP", "secured" if secured else name_of(packet[5:]), packet, _mctp)
                if secured:
                    tree, opened = open_secured(packet[5:], session=session, binding="MCTP")
                else:
                    tree, opened = decode_mctp(packet, session=session), None
            else:
                secured = packet[:3] == b"\1\0\2"
                name = "secured" if secured else "discovery" if packet[2] == 0 else name_of(packet[8:])
                add("DOE", name, packet, _doe, packet[8:9])
                tree, opened = open_doe(packet, session=session)
            if secured:
                add("secured", "secured", packet[5 if mctp else 8 :], _secured)
            if opened is not None:
                plain = next((n for n in tree.walk() if n.name == "PlainText"), None)
                start = (0 if opened.mac_only else 2) + mctp
                if plain is not None and opened.plain[start - mctp : start] in (b"", b"\5"):
                    message = opened.plain[start:]
                    add("SPDM", name_of(message), message, _spdm, message[:1])
                elif plain is not None:
                    add("PLDM", "PLDM", opened.plain[start:], _alone(decode_pldm), opened.plain[start:])
            for node in tree.walk():
                if node.name == "ProtocolID" and opened is not None:
                    _carried(tree, node, opened.plain, add)
                elif node.name in ("TDI_REPORT", "TSP_REPORT") and isinstance(node.value, bytes):
                    report = decode_report if node.name == "TDI_REPORT" else decode_tsp_report
                    add("report", node.name, node.value, _alone(report))
    for path in sorted(CHAINS.glob("*.chain")):
        add("chain", path.name, path.read_bytes(), _alone(decode_chain))
    return tuple(found.values())


def _carried(tree: Node, protocol: Node, plain: bytes, add: Callable[..., None]) -> None:
    kind = protocol.text.split(" (")[0]
    at = next(n.offset for n in tree.walk() if n.name == "PlainText")
    payload = next(
        n for n in tree.walk() if n.name in ("VendorDefinedReqPayload", "VendorDefinedRspPayload") and protocol in n.children
    )
    if kind in PAYLOADS and at is not None and protocol.offset is not None and payload.offset is not None:
        data = plain[protocol.offset + 1 - at : payload.offset + payload.size - at]
        add(kind, payload.children[1].name, data, _alone(PAYLOADS[kind]))


def negotiated() -> Session:
    """A session in which all sizes are known: SHA-384, P-384 of the responder, RSA-3072 of the requester."""
    session = Session(algorithms=Algorithms(base_hash=2, base_asym=0x80, dhe=0x10, aead=2, req_base_asym=8, other_params=2))
    session.responder_multi_key = session.requester_multi_key = False
    return session


def mutate(data: bytes, dice: random.Random) -> bytes:
    """A message with a byte, some bytes or a length field changed, a piece taken out or doubled, or bytes behind it."""
    kind = dice.randrange(7)
    out = bytearray(data)
    at = dice.randrange(len(out)) if out else 0
    if kind == 0 and out:
        out[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, out[at] ^ 1 << dice.randrange(8)))
    elif kind == 1:
        out[at : at + dice.randrange(1, 5)] = b"\xff" * dice.randrange(5)
    elif kind == 2:
        out = out[:at] + out[at // 2 :]
    elif kind == 3 and out:  # most length fields lie in the first bytes
        out[dice.randrange(min(len(out), 24))] = dice.randrange(256)
    elif kind == 4:
        del out[at:]
    elif kind == 5:
        for _ in range(dice.randrange(2, 6)):
            if out:
                out[dice.randrange(len(out))] = dice.randrange(256)
    else:
        out += dice.randbytes(dice.randrange(1, 9))
    return bytes(out)


def prefixes(data: bytes, step: int) -> Iterator[bytes]:
    """The beginnings of a message: all of a short one; of a long one those of the first bytes, and each ``step``."""
    for n in (*range(min(len(data), SHORT)), *range(SHORT, len(data), step)):
        yield data[:n]


def check(subject: Subject, data: bytes, session: Session | None) -> None:
    """Decode and see that every byte is covered, in time."""
    before = time.process_time()
    tree = subject.decode(data, session)
    took = time.process_time() - before
    assert_covered(tree, len(data))
    assert took < LIMIT, f"{took:.1f} s"


def mutations(subject: Subject, count: int, seed: int) -> Iterator[tuple[bytes, Exception]]:
    """Decode so many mutations; yields those that went wrong. What a hostile message leaves in a session is there for the
    next ones."""
    dice = random.Random(zlib.crc32(subject.data) ^ seed)
    session, known = Session(), negotiated()
    for i in range(count):
        if i % 997 == 0:
            session, known = Session(), negotiated()
        data = mutate(subject.data, dice)
        try:
            check(subject, data, dice.choice((None, session, known)))
        except Exception as error:
            yield data, error
            session, known = Session(), negotiated()


def main() -> int:
    """Run the campaign and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="mutations of each message")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="only messages of this kind: DOE, SPDM, secured, TDISP, ...")
    parser.add_argument("--part", default="0/1", help="I/N: every N-th message, from the I-th on")
    args = parser.parse_args()
    first, step = map(int, args.part.split("/"))
    chosen = [s for s in subjects() if args.only in (None, s.kind)][first::step]
    failures = 0
    start = time.process_time()
    for i, subject in enumerate(chosen):
        for data in prefixes(subject.data, 1):
            try:
                check(subject, data, negotiated())
            except Exception as error:
                failures += 1
                print(f"{subject.kind} {subject.name} prefix of {len(data)}: {error!r}\n  {data[:400].hex()}", flush=True)
        wrong = 0
        for data, error in mutations(subject, args.count, args.seed):
            failures += 1
            wrong += 1
            if wrong <= 5:
                print(f"{subject.kind} {subject.name} seed {args.seed}: {error!r}\n  {data[:400].hex()}", flush=True)
        done = f"{i + 1}/{len(chosen)} {subject.kind} {subject.name} {len(subject.data)} bytes, {wrong} wrong"
        print(f"{done}, {time.process_time() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"{len(chosen)} messages, {args.count} mutations each: {failures} went wrong")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
