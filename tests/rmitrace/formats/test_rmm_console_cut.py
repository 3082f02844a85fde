"""Rows in pieces: every cut of a row by kernel, harness, mailer or another CPU is mended, and nothing else is joined."""

from __future__ import annotations

import textwrap

import pytest

from rmitrace.formats.rmm_console_reader import Reader

Found = tuple[str, list[int | None], int | None, list[int | None]]

ROWS: dict[bytes, Found] = {
    b"SMC_RMI_PDEV_COMMUNICATE          2a4000000 2a4002000 > RMI_ERROR_DEVICE":
        ("RMI_PDEV_COMMUNICATE", [0x2A4000000, 0x2A4002000], 6, []),
    b"SMC_RMI_RTT_DESTROY               7f40b2bd5000 200000 3 > RMI_ERROR_RTT 2 0 40000000":
        ("RMI_RTT_DESTROY", [0x7F40B2BD5000, 0x200000, 3], 0x204, [0, 0x40000000]),
    b"SMC_RMI_VERSION                   10000 > RMI_SUCCESS 10000 10001":
        ("RMI_VERSION", [0x10000], 0, [0x10000, 0x10001]),
    b"SMC_RMI_REC_CREATE                7f5079449000 7f507944a000 7f507944b000 > RMI_INCOMPLETE 0 40":
        ("RMI_REC_CREATE", [0x7F5079449000, 0x7F507944A000, 0x7F507944B000], 13, [0, 0x40]),
    b"SMC_RMM_REC_CREATE            555dcef8e000 555dcef8d000 555dcef90000        0        0 > RMI_SUCCESS":
        ("RMI_REC_CREATE", [0x555DCEF8E000, 0x555DCEF8D000, 0x555DCEF90000, 0, 0], 0, []),
    b"SMC_RSI_IPA_STATE_GET             3ffe0000 40000000 > RSI_SUCCESS 40000000 0":
        ("RSI_IPA_STATE_GET", [0x3FFE0000, 0x40000000], 0, [0x40000000, 0]),
    b"SMC_84000050                      1 0 0 ffff8000811a2000 0 0 0 > ffffffffffffffff 0 0 0":
        ("SMC_84000050", [1, 0, 0, 0xFFFF8000811A2000, 0, 0, 0], 2**64 - 1, [0, 0, 0]),
}  # fmt: skip
FIRST = next(iter(ROWS))
KERNEL = b"[   61.000042] usb 1-1: new high-speed USB device number 7\r\n"


def read(text: bytes) -> list[Found]:
    reader = Reader()
    at = 0
    for line in text.splitlines(keepends=True):
        reader.feed(line, at)
        at += len(line)
    reader.finish()
    items = sorted(reader.items, key=lambda i: i.start)
    return [(i.row.name, i.row.args, i.row.x0, i.row.outs) for i in items if i.row is not None]


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.split()[0].decode())
@pytest.mark.parametrize("lines", [1, 3])
def test_a_kernel_in_the_middle(row: bytes, lines: int) -> None:
    """At every character behind 'SMC_'."""
    for at in range(4, len(row)):
        text = row[:at] + KERNEL * lines + row[at:] + b"\r\n" + FIRST + b"\r\n"
        assert read(text) == [ROWS[row], ROWS[FIRST]], text


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.split()[0].decode())
def test_a_harness_that_stamps_what_it_reads(row: bytes) -> None:
    """At every character behind 'SMC_', the blanks at the ends of the pieces lost."""
    for at in range(4, len(row)):
        text = b"2026-03-14 09:26:53,680: %s\n2026-03-14 09:26:53,690: %s\n" % (row[:at].rstrip(), row[at:].lstrip())
        assert read(text) == [ROWS[row]], text


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.split()[0].decode())
@pytest.mark.parametrize("quote", ["", "> ", ">> ", "> [   rmm ] "])
def test_a_mailer_that_wraps(row: bytes, quote: str) -> None:
    for width in range(64, 84, 2):
        lines = textwrap.wrap(row.decode(), width - len(quote), break_long_words=False, break_on_hyphens=False)
        text = "".join(f"{quote}{line}\n" for line in [*lines, "and so on"]).encode()
        assert read(text) == [ROWS[row]], text


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.split()[0].decode())
def test_a_row_of_another_cpu_in_the_middle(row: bytes) -> None:
    """Also where that row could itself go on: PDEV_CREATE has outputs in some revisions."""
    others: dict[bytes, Found] = {
        b"SMC_RMI_GRANULE_DELEGATE          88000000 > RMI_ERROR_INPUT": ("RMI_GRANULE_DELEGATE", [0x88000000], 1, []),
        b"SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_SUCCESS": (
            "RMI_PDEV_CREATE",
            [0x49500000, 0x49401000],
            0,
            [],
        ),
    }
    for other, found in others.items():
        for at in (i for i in range(len(row)) if row[i : i + 1] == b" "):
            text = row[:at] + other + b"\n" + row[at:] + b"\n"
            assert sorted(read(text), key=str) == sorted([ROWS[row], found], key=str), text


def test_the_quote_mark_is_not_the_separator_and_the_other_way_round() -> None:
    row = b"SMC_RMI_REC_CREATE            892970000 89ced6000 89ced5000 > RMI_SUCCESS"
    found: Found = ("RMI_REC_CREATE", [0x892970000, 0x89CED6000, 0x89CED5000], 0, [])
    head = row[: row.index(b" >")]
    for text in (
        b"> %s >\n> RMI_SUCCESS\n" % head,
        b"> %s\n>> RMI_SUCCESS\n" % head,
        b"%s\n> RMI_SUCCESS\n" % head,
        b"> %s\n> > RMI_SUCCESS\n" % head,
    ):
        assert read(text) == [found], text
    refused = b"> SMC_RMI_PDEV_STOP             892970000\n> > ffffffffffffffff\n"
    assert read(refused) == [("RMI_PDEV_STOP", [0x892970000], 2**64 - 1, [])]


@pytest.mark.parametrize(
    "text",
    [
        b"SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_SUCCESS\n 10 84 00 00\n",  # a hex dump below
        b"SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_SUCCESS\ncafe is open\n",
        b"SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_ERROR_INPUT\n[handle_ns_smc] unknown function_id: c4000190\n",
        b"SMC_RMI_PDEV_CREATE               49500000 49401000 > RMI_SUCCESS\n\n0\n",
    ],
)
def test_a_whole_row_takes_nothing_from_the_next_line(text: bytes) -> None:
    assert [(args, outs) for _, args, _, outs in read(text)] == [([0x49500000, 0x49401000], [])]


def test_services_are_not_mixed() -> None:
    text = b"SMC_RSI_IPA_STATE_SET             80000000 b0000000 1 0\n > RMI_SUCCESS 3\n"
    assert read(text) == [("RSI_IPA_STATE_SET", [0x80000000, 0xB0000000, 1, 0], None, [])]


def test_too_far_apart() -> None:
    text = b"SMC_RMI_REC_CREATE                892970000 89ced6000\n" + b"hello\n" * 300 + b" 89ced5000 > RMI_SUCCESS\n"
    assert read(text) == [("RMI_REC_CREATE", [0x892970000, 0x89CED6000], None, [])]
