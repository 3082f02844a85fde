"""Bad bytes: every prefix and many mutations of every kind of message in the captures, and bytes of no origin at all.

A decode returns, and every byte of what it was given lies in exactly one leaf. Exhaustive truncation is cheap and finds
what mutation does not; the state that a hostile message leaves in a session is used for the next one.
"""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoders.doe import decode_doe, objects
from decoders.spdm import Session, decode_spdm, name_of
from decoders.spdm.algorithms import Algorithms
from decoders.spdm.codes import NAMES
from tests.decoders.spdm.corpus import assert_covered, clear, link_type, runs

SHORT = 160
"""Bytes up to which every prefix is tried; of longer messages the first ones and some more."""


@cache
def kinds() -> tuple[bytes, ...]:
    """One message of every name, version and size in the captures, with the DOE header where it had one."""
    found: dict[tuple[object, ...], bytes] = {}
    for run in runs():
        mctp = link_type(run) == 291
        for _, data in clear(run):
            message = data if mctp else data[8:]
            found.setdefault((mctp, name_of(message), message[:1], len(data) // 32), data)
    return tuple(found.values())


def negotiated() -> Session:
    """A session in which all sizes are known: SHA-384, P-384 of the responder, RSA-3072 of the requester."""
    session = Session(algorithms=Algorithms(base_hash=2, base_asym=0x80, dhe=0x10, aead=2, req_base_asym=8, other_params=2))
    session.responder_multi_key = session.requester_multi_key = False
    return session


def check(data: bytes, session: Session | None) -> None:
    if data[2:3] in (b"\0", b"\1") and data[:2] == b"\1\0":
        tree = decode_doe(data, session=session)
    else:
        tree = decode_spdm(data, session=session)
    assert_covered(tree, len(data))


def prefixes(data: bytes, step: int) -> list[bytes]:
    whole = range(min(len(data), SHORT))
    return [data[:n] for n in (*whole, *range(SHORT, len(data), step))]


@pytest.mark.parametrize("session", [None, "negotiated"])
def test_every_prefix(session: str | None) -> None:
    state = negotiated() if session else None
    for data in kinds():
        for cut in prefixes(data, 997):
            check(cut, state)


def mutate(data: bytes, dice: random.Random) -> bytes:
    kind = dice.randrange(5)
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
    else:
        out += dice.randbytes(dice.randrange(1, 9))
    return bytes(out)


def mutations(rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    for data in kinds():
        session = Session()
        for _ in range(rounds):
            check(mutate(data, dice), dice.choice((None, session, negotiated())))


def test_mutations() -> None:
    mutations(12, 20)


@pytest.mark.slow
def test_more_mutations() -> None:
    mutations(150, 21)


@pytest.mark.slow
def test_a_damaged_capture_goes_on() -> None:
    """A whole run with one message in ten damaged: what the damage leaves in the session does not break the rest."""
    dice = random.Random(5)
    for run in runs():
        session = Session()
        for _, data in clear(run):
            check(mutate(data, dice) if dice.random() < 0.1 else data, session)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    version=st.sampled_from((0x00, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0xFF)),
    code=st.sampled_from(sorted(NAMES)) | st.integers(0, 255),
    body=st.binary(max_size=200),
    known=st.booleans(),
)
def test_any_bytes(version: int, code: int, body: bytes, known: bool) -> None:
    data = bytes((version, code)) + body
    tree = decode_spdm(data, session=negotiated() if known else None)
    assert_covered(tree, len(data))
    assert tree.name == name_of(data)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6).map(b"".join))
def test_objects_leave_nothing_out(data: bytes) -> None:
    at = 0
    for offset, size in objects(data):
        assert offset == at
        assert size > 0
        at += size
        assert_covered(decode_doe(data[offset : offset + size]), size)
    assert at == len(data)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(NAMES)), st.binary(max_size=90)), max_size=12))
def test_any_sequence(messages: list[tuple[int, bytes]]) -> None:
    session = Session()
    for code, body in messages:
        data = bytes((0x12, code)) + body
        assert_covered(decode_spdm(data, session=session), len(data))
