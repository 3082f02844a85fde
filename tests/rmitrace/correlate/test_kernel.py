"""Error lines of a kernel and the rows behind them: in one log, in a log beside it, and where it cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.correlate.kernel import told

ROOT = Path(__file__).parents[3]
UART = """\
SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_SUCCESS
SMC_RMI_PDEV_COMMUNICATE          49500000 49402000 > RMI_SUCCESS
SMC_RMI_GRANULE_UNDELEGATE        49600000 > RMI_ERROR_INPUT
SMC_RMI_PDEV_COMMUNICATE          49500000 49402000 > RMI_ERROR_DEVICE
SMC_RMI_PDEV_ABORT                49500000 > RMI_ERROR_DEVICE
{}
SMC_RMI_PDEV_DESTROY              49500000 > RMI_ERROR_DEVICE
"""


def behind(text: str, tmp_path: Path) -> list[tuple[int | None, str | None]]:
    path = tmp_path / "uart.log"
    path.write_text(text)
    capture = open_capture([str(path)])
    return [(t.errno, None if t.call is None else capture.call(t.call).line.split("(")[0]) for t in told(capture)]


@pytest.mark.parametrize(
    ("line", "errno", "call"),
    [
        ("[   56.841038] pci 0000:01:00.0: device communication error", None, "RMI_PDEV_COMMUNICATE"),
        ("[   56.841538] arm-cca-host: PCI/TSM: tsm0/lock failed: -6", 6, "RMI_PDEV_ABORT"),
        ("[   56.841538] PCI/TSM: tsm0/connect: Input/output error", 5, "RMI_PDEV_COMMUNICATE"),
        ("[   56.841538] arm-cca-host: RMI: busy, ret=-EBUSY", 16, None),  # RMI_BUSY alone becomes -EBUSY
    ],
)
def test_the_row_behind_a_line(line: str, errno: int | None, call: str | None, tmp_path: Path):
    assert behind(UART.format(line), tmp_path) == [(errno, call)]


def test_a_line_that_tells_of_no_error_is_left_alone(tmp_path: Path):
    assert behind(UART.format("[   56.841538] arm-cca-host: RMI ABI version 2.0"), tmp_path) == []


def test_busy_is_behind_ebusy(tmp_path: Path):
    text = "SMC_RMI_PDEV_COMMUNICATE          49500000 49402000 > RMI_BUSY\n[   56.841538] arm-cca-host: RMI: -EBUSY\n"
    assert behind(text, tmp_path) == [(16, "RMI_PDEV_COMMUNICATE")]


def test_a_kernel_log_of_its_own_goes_by_its_times(tmp_path: Path):
    log = tmp_path / "dmesg.txt"
    log.write_text(
        "[    9.103388] arm-cca-host arm-rmi-dev: RMI ABI version 2.0\n"
        "[   11.478900] pci 0000:01:00.0: device communication error\n"  # PDEV_COMMUNICATE failed from 11.476815 to 11.477825
        "[   99.000000] pci 0000:01:00.0: device communication error\n"
    )
    capture = open_capture([str(ROOT / "captures/ftrace/pdev-connect.trace.txt"), str(log)])
    first, second = told(capture)
    assert capture.call(first.call).line.startswith("RMI_PDEV_COMMUNICATE(pdev_ptr=0x49500000")
    assert capture.call(first.call).ts_ns == 11_476_815_000
    assert second.call is None  # more than two seconds behind everything
    before = [capture.call(m.before_call).ts_ns for m in capture.marks()[:2]]
    assert before == [9_720_178_000, 11_481_697_000]  # the first call of the trace, and the one behind 11.4789
