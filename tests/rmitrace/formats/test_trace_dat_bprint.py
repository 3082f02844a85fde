"""trace_printk() arguments, packed by hand as vbin_printf() of lib/vsprintf.c does: words of four bytes, strings in place."""

from __future__ import annotations

import struct

import pytest

from rmitrace.formats.trace_dat_bprint import MAX_TEXT, bprintf


@pytest.mark.parametrize(
    ("template", "packed", "text"),
    [
        (b"plain 100%%\n", b"", b"plain 100%\n"),
        (b"%d %u %x %#x %X", struct.pack("<5I", 2**32 - 5, 2**32 - 5, 0xAB, 0xAB, 0xAB), b"-5 4294967291 ab 0xab AB"),
        (b"%lx %lld %zu", struct.pack("<QQQ", 0xC4000175, 2**64 - 1, 7), b"c4000175 -1 7"),
        (b"%d %lx", struct.pack("<IQ", 1, 2), b"1 2"),  # eight bytes are aligned to four
        (b"%c%c%d", b"ab\0\0" + struct.pack("<I", 3), b"ab3"),
        (b"%hhx %hd", b"\xff\0" + struct.pack("<h", -2), b"ff -2"),
        (b"%s=%d", b"pdev\0" + b"\0\0\0" + struct.pack("<I", 4), b"pdev=4"),
        (b"[%6s|%-6s|%.2s]", b"a\0b\0cde\0", b"[     a|b     |cd]"),
        (b"%08x|%-5d|%5d|%+d", struct.pack("<4I", 0xAB, 3, 4, 5), b"000000ab|3    |    4|+5"),
        (b"%*d %.*s", struct.pack("<iii", 4, 7, 2) + b"abc\0", b"   7 ab"),
        (b"%-*d|", struct.pack("<ii", -4, 7), b"7   |"),
        (b"%p %px", struct.pack("<QQ", 0x10, 0x20), b"0x10 0x20"),
        (b"%pS %d", struct.pack("<QI", 0xFFFF800080001000, 1), b"0xffff800080001000 1"),
        # rendered while recording: the text is packed
        (b"%pUb x", b"00112233\0", b"00112233 x"),
        (b"rmi-comm: %*ph", struct.pack("<i", 4) + b"10 84 00 00\0", b"rmi-comm: 10 84 00 00"),
        (b"%d %s", b"", b"0 "),
        (b"%y %", b"", b"%y %"),
    ],
)
def test_as_printed(template: bytes, packed: bytes, text: bytes) -> None:
    assert bprintf(template, packed) == text


def test_bounded() -> None:
    assert len(bprintf(b"%999d" * 1000, b"")) == MAX_TEXT
    assert bprintf(b"%*d", struct.pack("<ii", 2**31 - 1, 1)) == b"1".rjust(255)
    assert len(bprintf(b"%.*s", struct.pack("<i", -5) + b"x" * 10)) == 0
