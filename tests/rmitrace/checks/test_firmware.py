"""RMM-CRASH and RMM-ASSERTION: what ends the firmware, and what only looks like it."""

from __future__ import annotations

from pathlib import Path

from rmitrace.capture import open_capture
from rmitrace.capture.records import Finding

MIXED = Path(__file__).parents[3] / "captures" / "mixed"
ROW = "SMC_RMI_PDEV_COMMUNICATE          88200000 88202000 > RMI_SUCCESS\n"


def found(path: Path) -> list[Finding]:
    return [f for f in open_capture([str(path)]).findings if f.rule in ("RMM-CRASH", "RMM-ASSERTION")]


def test_a_crash_is_an_error_with_its_syndrome() -> None:
    """report-crash.txt: ESR_EL2 0x96000004 is EC 0x25 (0x94000000 >> 26), IL, DFSC 4; after one row."""
    first = found(MIXED / "report-crash.txt")[0]
    assert (first.rule, first.severity, first.calls) == ("RMM-CRASH", "error", (0,))
    assert "on CPU #3" in first.message
    assert "data abort from the same exception level: read, translation fault, level 0" in first.message
    assert "the last call before it was call 0 RMI_PDEV_COMMUNICATE" in first.message


def test_a_dump_that_is_missing(tmp_path: Path) -> None:
    log = tmp_path / "uart.log"
    log.write_text(f"{ROW}Unexpected exception on CPU #0:\n")
    (only,) = found(log)
    assert "its dump is not in the log" in only.message


def test_an_assertion(tmp_path: Path) -> None:
    log = tmp_path / "uart.log"
    log.write_text(f'{ROW}Assertion "g_data != NULL" failed in runtime/rmi/rtt.c:1113\n')
    (only,) = found(log)
    assert (only.rule, only.calls) == ("RMM-ASSERTION", (0,))
    assert "g_data != NULL" in only.message


def test_what_is_none(tmp_path: Path) -> None:
    """A row alone; exceptions and assertions of other programs."""
    log = tmp_path / "uart.log"
    log.write_text(f"{ROW}Unexpected exception: java.lang.NullPointerException\nAssertion `x > 0' failed.\n")
    assert found(log) == []
    assert found(MIXED / "rme-uart0.log") == []
