"""Both sides of one call: the host's trace and the firmware's console of one recorded run."""

from __future__ import annotations

from pathlib import Path

from decoders.tree import Node
from rmitrace.capture import Capture, open_capture
from rmitrace.tui import details
from rmitrace.tui.details import Details
from rmitrace.tui.view import View
from tests.rmitrace.capture.messages.runs import CAPTURES

HOST, UART = CAPTURES / "ftrace" / "pdev-connect.trace.txt", CAPTURES / "mixed" / "rme-uart0.log"
ROW = "SMC_RMI_PDEV_SET_PUBKEY           49500000 49406000 > RMI_SUCCESS"


def opened(folder: Path, before: str = "", after: str = "") -> Capture:
    """The run, with a change of the console."""
    log = folder / "uart.log"
    log.write_text(UART.read_text(errors="replace").replace(before, after) if before else UART.read_text(errors="replace"))
    return open_capture([str(HOST), str(log)])


def of(capture: Capture, name: str) -> tuple[Details, Node]:
    seq = next(i for i in range(len(capture)) if capture.name_text(i) == name)
    found = details.of_call(View(capture), seq)
    return found, next(b.node for b in found.branches if b.kind == "sights")


def test_a_call_that_both_show_has_both_records(tmp_path: Path) -> None:
    found, node = of(opened(tmp_path), "RMI_PDEV_SET_PUBKEY")
    assert (node.name, node.text) == ("shown by", "pdev-connect.trace.txt + uart.log")
    assert [n.name for n in node.children] == ["uart.log", "clock"]
    assert all(n.severity is None for n in node.children)
    assert node.children[1].text.startswith("1 uart.log has no times, placed in 0 by 35 calls that both show")
    assert [r.title.split(":")[0] for r in found.raws] == [
        "entry pdev-connect.trace.txt",
        "exit pdev-connect.trace.txt",
        "row uart.log",
    ]
    assert found.raws[2].text.strip() == ROW


def test_a_value_that_changed_between_them_stands_out(tmp_path: Path) -> None:
    _, node = of(opened(tmp_path, ROW, ROW.replace("49406000", "9406000")), "RMI_PDEV_SET_PUBKEY")
    (side,) = (n for n in node.children if n.name == "uart.log")
    assert (side.severity, side.note) == ("error", "1 value changed on the way")
    (value,) = side.children
    assert value.name in ("key_ptr", "params_ptr")
    assert value.text == "passed as 0x49406000 in pdev-connect.trace.txt, 0x9406000 in uart.log"


def test_a_call_that_one_side_lacks(tmp_path: Path) -> None:
    rows = UART.read_text(errors="replace").splitlines(keepends=True)
    stop = next(r for r in rows if "SMC_RMI_PDEV_STOP" in r)
    _, node = of(opened(tmp_path, stop, ""), "RMI_PDEV_STOP")
    assert node.text == "pdev-connect.trace.txt"
    assert ("uart.log", "does not show it, and would", "warning") in [(n.name, n.text, n.severity) for n in node.children]


def test_one_source_alone_has_no_other_side() -> None:
    capture = open_capture([str(HOST)])
    assert [b.kind for b in details.of_call(View(capture), 0).branches if b.kind == "sights"] == []
