"""Syndromes, taken apart by hand: EC [31:26], IL [25], ISS [24:0] of DDI 0487 ESR_EL2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders.esr import decode_esr, fault_text


def fields(value: int) -> dict[str, str]:
    return {n.name: n.text for n in decode_esr(value).walk()}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        # 0x96000004: 0x25 << 26 = 0x94000000, IL 0x02000000, DFSC 0b000100
        (0x96000004, "data abort from the same exception level: read, translation fault, level 0"),
        # 0x96000047: WnR 0x40, DFSC 0b000111
        (0x96000047, "data abort from the same exception level: write, translation fault, level 3"),
        # 0x86000028: 0x21 << 26 = 0x84000000; IFSC 0b101000
        (0x86000028, "instruction abort from the same exception level: granule protection fault, not on a table walk"),
        # 0x8200000f: 0x20 << 26 = 0x80000000; IFSC 0b001111
        (0x8200000F, "instruction abort from a lower exception level: permission fault, level 3"),
        # 0x5e000003: 0x17 << 26 = 0x5c000000; imm16 3
        (0x5E000003, "SMC #0x3"),
        # 0x5a00beef: 0x16 << 26 = 0x58000000
        (0x5A00BEEF, "HVC #0xbeef"),
        # 0xf2000801: 0x3c << 26 = 0xf0000000; comment 0x801
        (0xF2000801, "BRK #0x801"),
        # EC 0x18 << 26 = 0x60000000; SCTLR2_EL1 is 3 0 C1 C0 3: op0 3 << 20, op2 3 << 17, op1 0, CRn 1 << 10, Rt 5 << 5, CRm 0
        (0x60000000 | 1 << 25 | 3 << 20 | 3 << 17 | 1 << 10 | 5 << 5, "MSR SCTLR2_EL1, x5"),
        # MDSCR_EL1 is 2 0 C0 C2 2, read into xzr: Rt 31, CRm 2 << 1, Direction 1
        (0x60000000 | 1 << 25 | 2 << 20 | 2 << 17 | 31 << 5 | 2 << 1 | 1, "MRS xzr, MDSCR_EL1"),
        (0x02000000, "unknown reason"),
        (0x8A000000, "PC not aligned"),  # 0x22 << 26 = 0x88000000
        (0x1E000000, "access to SVE, SIMD or floating point"),  # 0x07 << 26 = 0x1c000000
    ],
)
def test_in_one_sentence(value: int, said: str) -> None:
    assert said in decode_esr(value).text


def test_an_access_that_a_host_emulates() -> None:
    """0x93c08047: EC 0x24, IL; ISS 0x1c08047: ISV [24], SAS [23:22] = 3, SRT [20:16] = 0, SF [15], WnR [6], DFSC 7."""
    got = fields(0x93C08047)
    assert got["EC"] == "data abort from a lower exception level (0x24)"
    assert got["ISV"] == "1"
    assert got["SAS"] == "doubleword (3)"
    assert got["SRT"] == "x0"
    assert (got["SF"], got["WnR"]) == ("1", "write (1)")
    assert got["DFSC"] == "translation fault, level 3 (0x7)"


def test_an_access_without_a_syndrome_has_no_size() -> None:
    assert "SAS" not in fields(0x92000047)
    assert fields(0x92000047)["ISV"] == "0"


def test_wait_and_serror() -> None:
    assert fields(0x07E00000 | 1)["TI"] == "WFE (1)"  # 0x01 << 26 = 0x04000000, IL, CV 1 << 24, COND 14 << 20
    got = fields(0xBE000411)  # 0x2f << 26 = 0xbc000000; AET 1 << 10, DFSC 0x11
    assert (got["AET"], got["DFSC"]) == ("unrecoverable (1)", "0x11")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0b000000, "address size fault, level 0"),
        (0b001001, "access flag fault, level 1"),
        (0b010000, "external abort, not on a table walk"),
        (0b010111, "external abort on a table walk, level 3"),
        (0b011110, "parity or ECC error on a table walk, level 2"),
        (0b100001, "alignment fault"),
        (0b100110, "granule protection fault on a table walk, level 2"),
        (0b101011, "translation fault, level -1"),
        (0b110000, "TLB conflict"),
        (0b111111, "reserved (0x3f)"),
    ],
)
def test_fault_status_codes(code: int, said: str) -> None:
    assert fault_text(code) == said


def test_what_is_reserved_is_said() -> None:
    assert decode_esr(0x3F << 26).note == "EC 0x3f is reserved"
    assert "not defined" in (decode_esr(1 << 56).note or "")


@given(st.integers(0, (1 << 64) - 1))
def test_every_value_has_a_tree(value: int) -> None:
    tree = decode_esr(value)
    assert tree.value == value
    assert tree.text
