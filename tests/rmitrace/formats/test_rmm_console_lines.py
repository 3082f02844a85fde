"""What other tools put around a line: each wrapper met in logs and reports, and the time it carries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rmitrace.formats.rmm_console_lines import Line, clean, sublines, unwrap

ROW = b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS"


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 10**9


def unwrapped(text: bytes, numbered: bool = True) -> Line:
    return unwrap(Line(0, len(text), text), None, numbered)


@pytest.mark.parametrize(
    "front",
    [
        b"",
        b"   ",
        b"\t",
        b"[   rmm ] ",
        b"[     rmm ] ",
        b"[rmm] ",
        b"rmm  | ",
        b"rmm-1  | ",
        b"<6>",
        b"INFO:    ",
        b"DEBUG: ",
        b"- ",
        b"* ",
        b"boards/uart3.log:",
        b"boards/uart3.log:120:",
        b"console[12]: ",
        b"rmm: ",
    ],
)
def test_wrappers_without_a_time(front: bytes) -> None:
    line = unwrapped(front + ROW)
    assert line.text == ROW
    assert line.stamps == ()


@pytest.mark.parametrize(
    ("front", "clock", "ns"),
    [
        (b"2026-03-14 09:26:53,680: ", "local", at(2026, 3, 14, 9, 26, 53) + 680_000_000),
        (b"2026/11/22 10:00:00 ", "local", at(2026, 11, 22, 10)),
        (b"[2026-11-22 10:00:00.5] ", "local", at(2026, 11, 22, 10) + 500_000_000),
        (b"2026-11-22T10:00:00.123456789Z ", "utc", at(2026, 11, 22, 10) + 123_456_789),
        (b"2026-11-22T10:00:00+01:00 ", "utc", at(2026, 11, 22, 9)),
        (b"2026-11-22T10:00:00-0530 ", "utc", at(2026, 11, 22, 15, 30)),
        (b"2026-11-22T10:00:00.123456Z 00O ", "utc", at(2026, 11, 22, 10) + 123_456_000),
        (b"[Sun Nov 22 10:00:00 2026] ", "local", at(2026, 11, 22, 10)),
        (b"1795377563.142101 ", "utc", 1_795_377_563_142_101_000),
        (b"[   12.345678] ", "boot", 12_345_678_000),
        (b"[12.345678 0.000012] ", "boot", 12_345_678_000),
        (b"[   12.345678][    T1] ", "boot", 12_345_678_000),
        (b"12.345678 ", "boot", 12_345_678_000),
        (b"10:00:01.250 ", "time-of-day", 36_001_250_000_000),
        (b"[10:00:01] ", "time-of-day", 36_001_000_000_000),
        (b"Nov 22 10:00:01 ", "no-year", at(1972, 11, 22, 10, 0, 1)),
        (b"Feb 29 10:00:01 host console[12]: ", "no-year", at(1972, 2, 29, 10, 0, 1)),
    ],
)
def test_stamps(front: bytes, clock: str, ns: int) -> None:
    line = unwrapped(front + ROW)
    assert line.text == ROW
    assert line.stamps == ((clock, ns),)


def test_wrappers_upon_wrappers() -> None:
    line = unwrapped(b">> > | 2026-03-14 09:26:53,680: [   rmm ] " + ROW)
    assert line.text == ROW
    assert line.depth == 4
    assert [c for c, _ in line.stamps] == ["local"]
    assert line.wrapped
    assert not unwrapped(b"> > " + ROW).wrapped


@pytest.mark.parametrize("front", [b"2025-13-45 10:16:12: ", b"9999-01-01 00:00:00 ", b"Feb 31 10:00:00 "])
def test_impossible_dates_are_no_time(front: bytes) -> None:
    line = unwrapped(front + ROW)
    assert line.text == ROW
    assert line.stamps == ()


def test_editor_line_numbers_are_no_values() -> None:
    assert unwrapped(b"  120 " + ROW).number == 120
    assert unwrapped(b"120: " + ROW).text == ROW
    assert unwrapped(b"10000 10001", numbered=False).text == b"10000 10001"  # the rest of a cut row


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (ROW + b"\r\n", ROW),
        (b"SMC_RMI_PDEV_STOP 1 &gt; RMI_SUCCESS", ROW),
        (b"SMC_RMI_PDEV_STOP 1 &amp;gt; RMI_SUCCESS", ROW),
        (b"SMC_RMI_PDEV_STOP 1 \\u003e RMI_SUCCESS", ROW),
        (b"SMC_RMI_PDEV_STOP 1 =3E RMI_SUCCESS", ROW),
        (b"SMC_RMI_PDEV_STOP\xc2\xa01 > RMI_SUCCESS", ROW),
        (b"SMC_RMI_PDEV_STOP 1 > \x1b[01;31m\x1b[KRMI_SUCCESS\x1b[m\x1b[K", ROW),
        (b"^[[0;32mSMC_RMI_PDEV_STOP 1 > RMI_SUCCESS^[[0m", ROW),
        (b"\x1b]0;title\x07SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS", ROW),
        (b"<pre>SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS<br />", ROW),
        (b"\xef\xbb\xbfSMC_RMI_PDEV_STOP 1 > RMI_\x00SUCCESS", ROW),
        (b"SMC_RSI_<unsupported> > ffffffffffffffff", b"SMC_RSI_<unsupported> > ffffffffffffffff"),
    ],
)
def test_dirt_is_taken_off(raw: bytes, text: bytes) -> None:
    assert clean(raw)[0].strip() == text


def test_soft_line_breaks() -> None:
    assert clean(b"SMC_RMI_PDEV_STOP 1 > RMI_SUC=") == (b"SMC_RMI_PDEV_STOP 1 > RMI_SUC", True)
    assert clean(b"SMC_RMI_PDEV_STOP \\") == (b"SMC_RMI_PDEV_STOP ", True)
    assert clean(b"SMC_RMI_PDEV_STOP 1=20") == (b"SMC_RMI_PDEV_STOP 1 ", False)
    assert clean(b"x ==")[1] is False


def test_carriage_returns_inside_a_line() -> None:
    assert sublines(b"10%\r20%\rSMC\r\n", 100) == [(100, b"10%"), (104, b"20%"), (108, b"SMC")]
    assert sublines(b"\r\n", 7) == [(7, b"")]
