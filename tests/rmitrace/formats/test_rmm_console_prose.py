"""Rows of another RMM, and calls told by hand."""

from __future__ import annotations

import pytest

from rmitrace.formats.rmm_console_prose import other_rows
from rmitrace.formats.rmm_console_rows import Row


def only(text: bytes) -> Row:
    found = other_rows(text)
    assert len(found) == 1
    return found[0][1]


def test_islet() -> None:
    row = only(b"[TRACE]monitor::event -- RMI: RTT_INIT_RIPAS       [88C00000, 88B3D000, 3] > [0, 88B3E000]")
    assert (row.name, row.args, row.x0, row.outs) == ("RMI_RTT_INIT_RIPAS", [0x88C00000, 0x88B3D000, 3], 0, [0x88B3E000])
    row = only(b"RSI: Undefined 3288334746       [] > [FFFFFFFFFFFFFFFF]")
    assert (row.name, row.args, row.x0) == ("RSI_c400019a", [], 2**64 - 1)


@pytest.mark.parametrize(
    ("text", "name", "args", "x0"),
    [
        (b"RMI_REALM_ACTIVATE -> RMI_SUCCESS", "RMI_REALM_ACTIVATE", [], 0),
        (b"first RMI_PDEV_STOP => RMI_ERROR_DEVICE, then", "RMI_PDEV_STOP", [], 6),
        (b"DATA_DESTROY 18aac000 9a62e000 > RMI_ERROR_RTT 3 0 9a700000", "RMI_DATA_DESTROY", [0x18AAC000, 0x9A62E000], 0x304),
        (b"GRP_SHARE_JOIN ... > RSI_SUCCESS", "RSI_GRP_SHARE_JOIN", [], 0),
        (b"VENDOR_CALL 12 34 > RMI_ERROR_INPUT", "RMI_VENDOR_CALL", [0x12, 0x34], 1),
        (b"C_RMI_PDEV_STOP 1 > RMI_SUCCESS", "RMI_PDEV_STOP", [1], 0),  # its first characters were lost
        (b"I_PDEV_STOP 1 > RMI_SUCCESS", "RMI_PDEV_STOP", [1], 0),
        (b"RMI_PDEV_CREATE(pdev_ptr=0x88001000, params_ptr=0x88002000) = RMI_SUCCESS  <42.1us>", "RMI_PDEV_CREATE",
         [0x88001000, 0x88002000], 0),
        (b"RMI_PSCI_COMPLETE(calling_rec_ptr=0x1000, status=PSCI_DENIED (-3), x=NAME (7)) = RMI_SUCCESS", "RMI_PSCI_COMPLETE",
         [0x1000, None, 7], 0),
    ],
)  # fmt: skip
def test_by_hand(text: bytes, name: str, args: list[int | None], x0: int) -> None:
    row = only(text)
    assert (row.name, row.args, row.x0) == (name, args, x0)


def test_several_in_a_line() -> None:
    found = other_rows(b"RMI_REC_DESTROY -> RMI_SUCCESS, RMI_REALM_DESTROY -> RMI_ERROR_REALM")
    assert [(at, row.name, row.x0) for at, row in found] == [(0, "RMI_REC_DESTROY", 0), (32, "RMI_REALM_DESTROY", 2)]


@pytest.mark.parametrize(
    "text",
    [
        b"RMI_SUCCESS -> RMI_ERROR_INPUT",
        b"RMI_NEW -> RMI_STOPPED",
        b"PDEV_NEW -> PDEV_NEEDS_KEY",
        b"if (ret > RMI_SUCCESS)",
        b"ret = RMI_SUCCESS;",
        b"RMI_PDEV_STOP = RMI_SUCCESS",
        b"RSI_VERSION -> RMI_SUCCESS",
        b"The result > RMI_SUCCESS",
        b"> RMI_SUCCESS",
        b"RMI: not a row [1] > [",
    ],
)
def test_no_calls(text: bytes) -> None:
    assert other_rows(text) == []
