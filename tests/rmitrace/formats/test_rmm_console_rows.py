"""The grammar of a row: the examples of every era, and what must not be taken for a row."""

from __future__ import annotations

import time

import pytest

from rmitrace.formats.rmm_console_rows import HEAD, Row, clean_row, parse


def row(text: bytes, broken: bool = False) -> Row | None:
    m = HEAD.search(text)
    return parse(text, m, len(text), broken) if m is not None else None


ERAS = [
    # from TF-RMM v0.2.0 (fixed columns) to v0.9.0: name, arguments, x0, outputs
    (b"SMC_RMM_REC_CREATE            555dcef8e000 555dcef8d000 555dcef90000        0        0 > RMI_SUCCESS",
     "RMI_REC_CREATE", [0x555DCEF8E000, 0x555DCEF8D000, 0x555DCEF90000, 0, 0], 0, []),
    (b"SMC_RMM_REC_AUX_COUNT         555dcef8d000        0        0        0        0 > RMI_SUCCESS       10",
     "RMI_REC_AUX_COUNT", [0x555DCEF8D000, 0, 0, 0, 0], 0, [0x10]),
    (b"SMC_RMM_VERSION                      0        0        0        0        0 > 380000",
     "RMI_VERSION", [0] * 5, 0x380000, []),
    (b"SMC_RSI_ABI_VERSION                  0        0        0        0        0 > c0000",
     "RSI_ABI_VERSION", [0] * 5, 0xC0000, []),
    (b"SMC_RMM_RTT_CREATE            563e1465f000 563e14665000 0 1 > RMI_SUCCESS",
     "RMI_RTT_CREATE", [0x563E1465F000, 0x563E14665000, 0, 1], 0, []),
    (b"SMC_RMI_PDEV_GET_STATE            55c5605b2000 > RMI_SUCCESS 3", "RMI_PDEV_GET_STATE", [0x55C5605B2000], 0, [3]),
    (b"SMC_RMI_VDEV_GET_INTERFACE_REPORT 7f40b2bd5000 7f40b2c03000 7f40b2c03000 > RMI_ERROR_INPUT",
     "RMI_VDEV_GET_INTERFACE_REPORT", [0x7F40B2BD5000, 0x7F40B2C03000, 0x7F40B2C03000], 1, []),
    (b"SMC_RMI_REC_CREATE                7f5079449000 7f507944a000 7f507944b000 > RMI_INCOMPLETE 0 40",
     "RMI_REC_CREATE", [0x7F5079449000, 0x7F507944A000, 0x7F507944B000], 13, [0, 0x40]),
    (b"      SMC_RMI_OP_MEM_DONATE       0 7f5079456000 10 > RMI_INCOMPLETE 10 0",
     "RMI_OP_MEM_DONATE", [0, 0x7F5079456000, 0x10], 13, [0x10, 0]),
    (b"SMC_RMI_RMM_ACTIVATE              > RMI_SUCCESS", "RMI_RMM_ACTIVATE", [], 0, []),
    (b"SMC_RMI_RTT_DESTROY               7f40b2bd5000 200000 3 > RMI_ERROR_RTT 2 0 40000000",
     "RMI_RTT_DESTROY", [0x7F40B2BD5000, 0x200000, 3], 4 | 2 << 8, [0, 0x40000000]),
    (b"SMC_RMI_REC_ENTER                 7fca6ec5e000 7fca6ec60000 > RMI_ERROR_REALM 1",
     "RMI_REC_ENTER", [0x7FCA6EC5E000, 0x7FCA6EC60000], 2 | 1 << 8, []),
    (b"SMC_RMI_PDEV_COMMUNICATE          7f096f10d000 7f096f10c000 > ffffffffffffffff",
     "RMI_PDEV_COMMUNICATE", [0x7F096F10D000, 0x7F096F10C000], 2**64 - 1, []),
    (b"SMC_RSI_IPA_STATE_GET             1001 4000 > RSI_ERROR_INPUT 0 0", "RSI_IPA_STATE_GET", [0x1001, 0x4000], 1, [0, 0]),
    (b"SMC_RSI_<unsupported>             > ffffffffffffffff", "RSI_<unsupported>", [], 2**64 - 1, []),
    (b"PSCI_c4000003                     1 80000000 55 0 0 0 0 > fffffffffffffffe 0 0 0",
     "PSCI_c4000003", [1, 0x80000000, 0x55, 0, 0, 0, 0], 2**64 - 2, [0, 0, 0]),
    (b"SMC_80000000                      0 0 0 0 0 0 0 > 10002 0 0 0", "SMC_80000000", [0] * 7, 0x10002, [0, 0, 0]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "args", "x0", "outs"), ERAS, ids=[e[0].split()[0].decode() for e in ERAS])
def test_eras(text: bytes, name: str, args: list[int], x0: int, outs: list[int]) -> None:
    found = row(text)
    assert found is not None
    assert (found.name, found.args, found.x0, found.outs) == (name, args, x0, outs)
    assert found.answered
    quick = clean_row(text)
    if text.lstrip().startswith((b"SMC_RM", b"SMC_RSI_A", b"SMC_RSI_I")):
        assert quick is not None
        assert (quick.name, quick.args, quick.x0, quick.outs) == (name, args, x0, outs)


def test_realm_calls_that_went_to_the_host_have_no_result() -> None:
    found = row(b"SMC_RSI_IPA_STATE_SET             80000000 b0000000 1 0")
    assert found is not None
    assert (found.args, found.answered, found.state) == ([0x80000000, 0xB0000000, 1, 0], False, "open")
    short = row(b"SMC_RSI_IPA_STATE_SET             80000000 b0000000")
    assert short is not None
    assert short.state == "cut"


@pytest.mark.parametrize(
    ("text", "args", "elided"),
    [
        (b"SMC_RMI_DATA_DESTROY ... > RMI_ERROR_RTT", [], True),
        (b"SMC_RMI_DATA_DESTROY 1000 ... > RMI_ERROR_RTT", [0x1000], True),
        (b"SMC_RMI_DATA_DESTROY ... 2000 > RMI_ERROR_RTT", [], True),  # which one 2000 is cannot be told
        (b"SMC_RMI_DATA_DESTROY xxxxxxxx 2000 > RMI_ERROR_RTT", [None, 0x2000], True),
        (b"SMC_RMI_DATA_DESTROY <redacted> 2000 > RMI_ERROR_RTT", [None, 0x2000], True),
        (b"SMC_RMI_DATA_DESTROY rd=0x1000 ipa=2000 > RMI_ERROR_RTT", [0x1000, 0x2000], False),
    ],
)
def test_shortened_by_hand(text: bytes, args: list[int | None], elided: bool) -> None:
    found = row(text)
    assert found is not None
    assert (found.args, found.elided, found.x0) == (args, elided, 4)


@pytest.mark.parametrize(
    "text",
    [
        b"#define SMC_RMI_PDEV_CREATE\t\tSMC64_RMI_FID(U(0x26))",
        b"#define SMC_RSI_VERSION 0xc4000190",
        b"SMC_RSI_VERSION c4000190",
        b"case SMC_RMI_PDEV_STOP:",
        b"smc_call(SMC_RMI_VERSION, 0x10000);",
        b"SMC_RMI_REC_ENTER returns to the host",
        b"SMC_RMI_VERSION -> the version",
        b"SMC_RMI_",
        b"MY_PSCI_84000000",
    ],
)
def test_mentions_are_no_rows(text: bytes) -> None:
    assert row(text) is None


@pytest.mark.parametrize(
    ("text", "state", "glued"),
    [
        (b"SMC_RMI_REC_CREATE                89ced6000 88bd", "cut", True),
        (b"SMC_RMI_REC_CREATE                89ced6000 ", "cut", False),
        (b"SMC_RMI_REC_CREATE                ", "cut", False),
        (b"SMC_RMI_REC_CREATE                89ced6000 89ced5000 89ced4000 > R", "cut", True),
        (b"SMC_RMI_REC_CREATE                89ced6000 89ced5000 89ced4000 > RMI_SUC", "open", True),
        (b"SMC_RMI_REC_AUX_COUNT             89ced6000 > RMI_SUCCESS 1", "open", True),
    ],
)
def test_where_another_writer_cut_it(text: bytes, state: str, glued: bool) -> None:
    found = row(text, broken=True)
    assert found is not None
    assert (found.state, found.glued) == (state, glued)


def test_a_value_beyond_64_bits_is_none() -> None:
    assert clean_row(b"SMC_RMI_PDEV_STOP 1ffffffffffffffff > RMI_SUCCESS") is None
    found = row(b"SMC_RMI_PDEV_STOP 1ffffffffffffffff > RMI_SUCCESS")
    assert found is None or not found.answered


@pytest.mark.parametrize("filler", [b"a", b"a1 ", b"> ", b"... ", b"a=1 ", b"x"])
def test_time_is_linear(filler: bytes) -> None:
    """The obvious expression for a row takes 11 s for 26 hexadecimal digits without a '>'."""
    text = b"SMC_RMI_PDEV_STOP " + filler * (60_000 // len(filler))
    began = time.process_time()
    row(text)
    clean_row(text)
    assert time.process_time() - began < 0.5
