"""Texts that somebody wrote to break the reader: nothing raises, nothing takes long, nothing gets through alive."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.answers import answers
from rmitrace.export import answers as export

ASKED = sorted((Path(__file__).parents[3] / "tests" / "data" / "asked").glob("*.txt"))
PIECES = (
    b"SMC_RMI_",
    b" > RMI_ERROR_RTT 3 0 ",
    b"0x",
    b"KVM_CAP_RME(",
    b"x0: c4000176 ",
    b"Unexpected exception on CPU #",
    b"\n> ",
    b"ESR_EL2:",
)


@pytest.mark.parametrize("path", ASKED, ids=lambda p: p.stem)
def test_damaged_texts_do_not_raise(path: Path) -> None:
    """Cut, doubled, and with bytes changed; the seed is the name."""
    raw, rnd = path.read_bytes(), random.Random(path.stem)
    for _ in range(40):
        data = bytearray(raw)
        for _ in range(rnd.randrange(1, 12)):
            at = rnd.randrange(len(data))
            data[at : at + rnd.randrange(3)] = rnd.choice((b"\0", b"\x1b[", b"\xff", b"{", rnd.choice(PIECES)))
        for a in answers(bytes(data[: rnd.randrange(1, len(data) + 1)])):
            assert a.said


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*PIECES, b"\n", b"ffff ", b"-1 ", b"\xe2\x80\xae", b"tsm0/connect", b"rmm_feat_reg0=0x"]), max_size=60
    )
)
def test_pieces_in_any_order_do_not_raise(parts: list[bytes]) -> None:
    answers(b"".join(parts))


@pytest.mark.parametrize(
    "piece",
    [
        b"0x",
        b"f ",
        b"x0=c4000176 ",
        b"Assertion ",
        b"a/",
        b"-",
        b"> ",
        b"unknown option ",
        b"RMI ABI v2.0 - ",
        b"= ",
        b"Check 6 : ",
    ],
)
def test_one_piece_thousands_of_times(piece: bytes) -> None:
    """In one line, and in lines of their own: expressions that went over it again and again would not come back."""
    answers(b"SMC_RMM_ KVM_CAP_RME Unexpected exception " + piece * 30_000)
    answers((b"KVM_CAP_RME " + piece + b"\n") * 4_000)


def test_control_characters_are_shown_and_not_sent() -> None:
    found = answers(b"KVM_CAP_RME(KVM_CAP_ARM_RME_CREATE_RD): \x1b]0;owned\x07 No such device or address\n")
    out = io.StringIO()
    export.write(found, out, 100)
    assert "ENXIO" in out.getvalue()
    assert not {"\x1b", "\x07"} & {*out.getvalue()}
