"""What is said where host and firmware do not show the same."""

from __future__ import annotations

from pathlib import Path

from rmitrace.capture import open_capture
from rmitrace.checks import sides

ROOT = Path(__file__).parents[3]
HOST = str(ROOT / "captures" / "ftrace" / "pdev-connect.trace.txt")
UART = ROOT / "captures" / "mixed" / "rme-uart0.log"
PUBKEY = "SMC_RMI_PDEV_SET_PUBKEY           49500000 49406000 > RMI_SUCCESS"


def found(check, text: str, tmp_path: Path) -> list:
    log = tmp_path / "uart.log"
    log.write_text(text)
    return list(check(open_capture([HOST, str(log)])))


def test_both_sides_of_one_run_give_each_finding_once(tmp_path: Path):
    """The world that both show is one: it was looked at once for each source."""
    log = tmp_path / "uart.log"
    log.write_text(uart())
    found = [(f.rule, f.message) for f in open_capture([HOST, str(log)]).findings]
    assert len(found) == len(set(found))
    failed = next(message for rule, message in found if rule == "COMM-FAILED")
    assert "the firmware's log says: Creating secure session failed with status 0x80040001 (RECEIVE_FAIL" in failed


def uart() -> str:
    return UART.read_text(errors="replace")


def test_sides_of_one_run_that_agree_give_nothing(tmp_path: Path):
    for check in (sides.differing, sides.missing, sides.apart, sides.kernel_lines):
        assert found(check, uart(), tmp_path) == []


def test_a_changed_argument_is_named_with_both_values(tmp_path: Path):
    assert uart().count(PUBKEY) == 1
    (f,) = found(sides.differing, uart().replace(PUBKEY, PUBKEY.replace("49406000", "9406000")), tmp_path)
    assert (f.rule, f.severity, f.object) == ("SIDES-DIFFER", "error", "pdev:0x49500000")
    assert "key_ptr" in f.message or "params_ptr" in f.message
    assert "0x49406000 in pdev-connect.trace.txt is 0x9406000 in uart.log" in f.message
    assert len(f.calls) == 1


def test_a_changed_result_is_named_as_such(tmp_path: Path):
    (f,) = found(sides.differing, uart().replace(PUBKEY, PUBKEY.replace("SUCCESS", "ERROR_INPUT")), tmp_path)
    assert "status returned as RMI_SUCCESS in pdev-connect.trace.txt is RMI_ERROR_INPUT in uart.log" in f.message


def test_one_value_that_always_changes_is_one_finding(tmp_path: Path):
    # 13 rows of RMI_PDEV_COMMUNICATE, one of which failed
    assert uart().count("49500000 49402000 >") == 14
    (f,) = found(sides.differing, uart().replace("49500000 49402000 >", "49500000 402000 >"), tmp_path)
    assert "first of 14 such calls" in f.message


def test_what_a_side_lacks_is_counted(tmp_path: Path):
    rows = [r for r in uart().splitlines(keepends=True) if "PDEV_STOP" not in r]
    (f,) = found(sides.missing, "".join(rows), tmp_path)
    assert (f.rule, f.severity) == ("SIDE-MISSING", "warning")
    assert f.message == "a call that pdev-connect.trace.txt shows is missing in uart.log: RMI_PDEV_STOP"


def test_another_run_is_said_to_be_one(tmp_path: Path):
    (f,) = found(sides.apart, uart().replace("495", "885").replace("494", "884"), tmp_path)
    assert f.rule == "SOURCES-APART"


def test_a_kernel_line_in_the_uart_is_tied_to_the_call_of_both(tmp_path: Path):
    row = "SMC_RMI_PDEV_COMMUNICATE          49500000 49402000 > RMI_ERROR_DEVICE\n"
    assert uart().count(row) == 1
    (f,) = found(
        sides.kernel_lines, uart().replace(row, row + "[   11.5] pci 0000:01:00.0: device communication error\n"), tmp_path
    )
    assert f.rule == "KERNEL-LINE"
    assert "is behind RMI_PDEV_COMMUNICATE(pdev_ptr=0x49500000" in f.message
    assert f.message.endswith("(in pdev-connect.trace.txt and uart.log)")
