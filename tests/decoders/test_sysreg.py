"""Names of system registers against two disassemblers."""

from __future__ import annotations

from pathlib import Path

from decoders.sysreg import NAMES, register_name, spelled

FACTS = Path(__file__).parent.parent / "data" / "sysregs.txt"


def test_names_are_those_of_the_disassemblers() -> None:
    rows = [line.split() for line in FACTS.read_text().splitlines() if not line.startswith("#")]
    assert len(rows) > 400
    wrong = [(encoding, name, spelled(encoding)) for encoding, name in rows if (spelled(encoding) or "").lower() != name.lower()]
    assert not wrong


def test_registers_that_are_newer_than_these() -> None:
    """DDI 0487: SCTLR2_EL1 op0 3, op1 0, CRn 1, CRm 0, op2 3; TCR2_EL1 3 0 2 0 3; PIR_EL1 3 0 10 2 3; POR_EL0 3 3 10 2 4."""
    for encoding, name in (((1, 0, 3), "SCTLR2_EL1"), ((2, 0, 3), "TCR2_EL1"), ((10, 2, 3), "PIR_EL1")):
        assert register_name(3, 0, *encoding) == name
    assert register_name(3, 3, 10, 2, 4) == "POR_EL0"


def test_what_has_no_name() -> None:
    assert register_name(3, 7, 15, 15, 7) == "S3_7_C15_C15_7"
    assert spelled("S3_7_C15_C15_7") is None
    for text in ("S4_0_C0_C0_0", "MDSCR_EL1", "S3_0_C1_C0_3x", ""):
        assert spelled(text) is None
    assert len(set(NAMES.values())) == len(NAMES)
