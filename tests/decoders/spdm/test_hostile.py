"""Bad bytes: every prefix and many mutations of every kind of message in the captures, and bytes of no origin at all.

A decode returns, and every byte of what it was given lies in exactly one leaf. Exhaustive truncation is cheap and finds
what mutation does not; the state that a hostile message leaves in a session is used for the next one.
``tests/decoders/spdm/campaign.py`` does the same any number of times.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decoders.doe import decode_doe, objects
from decoders.mctp import decode_mctp
from decoders.spdm import Session, decode_spdm, name_of
from decoders.spdm.codes import NAMES
from tests.decoders.spdm.campaign import check, mutate, mutations, negotiated, prefixes, subjects
from tests.decoders.spdm.corpus import assert_covered, clear, link_type, runs

MANY = int(os.environ.get("RMITRACE_MUTATIONS", "300"))
"""Mutations of each message in the slow test; 100000 for a night. RMITRACE_SEED begins elsewhere."""
SEED = int(os.environ.get("RMITRACE_SEED", "21"))


def test_every_kind_of_message_is_there() -> None:
    kinds = {s.kind for s in subjects()}
    assert kinds == {"DOE", "SPDM", "secured", "MCTP", "IDE_KM", "CXL_IDE_KM", "TDISP", "CXL_TSP", "PLDM", "report", "chain"}
    assert len(subjects()) > 500
    assert len({s.name for s in subjects() if s.kind in ("DOE", "SPDM")}) > 50


@pytest.mark.parametrize("session", [None, "negotiated"])
def test_prefixes(session: str | None) -> None:
    state = negotiated() if session else None
    for subject in subjects()[:: 1 if session else 4]:
        for cut in prefixes(subject.data, 997):
            check(subject, cut, state)


def test_mutations() -> None:
    for subject in subjects():
        assert list(mutations(subject, 8, 20)) == [], subject.name


@pytest.mark.slow
def test_more_mutations() -> None:
    for subject in subjects():
        assert list(mutations(subject, MANY, SEED)) == [], subject.name


@pytest.mark.slow
def test_a_damaged_capture_goes_on() -> None:
    """A whole run with one message in ten damaged: what the damage leaves in the session does not break the rest."""
    dice = random.Random(5)
    for run in runs():
        session = Session()
        decode = decode_spdm if link_type(run) == 291 else decode_doe
        for _, data in clear(run):
            bad = mutate(data, dice) if dice.random() < 0.1 else data
            assert_covered(decode(bad, session=session), len(bad))


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


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_any_packet(data: bytes) -> None:
    assert_covered(decode_mctp(data, session=Session()), len(data))
    assert_covered(decode_doe(b"\1\0" + data, session=Session()), len(data) + 2)


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
