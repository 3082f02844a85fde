"""The quick way through rows that stand alone gives what the careful way gives; the lines between are all counted."""

from __future__ import annotations

import re
import time

import pytest

from rmitrace.capture.records import Kind, Records
from rmitrace.formats import rmm_console_scan

from .test_rmm_console import LOGS, load, read

ROW = b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCCESS 3\n"


def same(a: Records, b: Records) -> bool:
    names = [[r.names[i] for i in r.name] for r in (a, b)]
    columns = ("offset", "length", "ts", "cpu", "kind", "known", "regs")
    return names[0] == names[1] and all((getattr(a, c) == getattr(b, c)).all() for c in columns) and a.facts == b.facts


@pytest.mark.parametrize("name", [*LOGS, "rmm/tf-rmm-alp16-blockbuffered.log.xz", "mixed/report-shared-uart.txt"])
def test_both_ways_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(name)
    quick = read(data)
    taken = rmm_console_scan._CLEAN.findall(data)
    monkeypatch.setattr(rmm_console_scan, "_CLEAN", re.compile(rb"(?!)"))
    assert same(quick, read(data))
    assert taken or name.endswith(("pre1.log.xz", "report-shared-uart.txt"))


@pytest.mark.parametrize(
    "odd",
    [
        b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_NO_STATUS 3\n",
        b"SMC_RMI_NO_COMMAND                88200000 > RMI_SUCCESS 3\n",
        b"SMC_RMI_PDEV_GET_STATE            1" + b"0" * 16 + b" > RMI_SUCCESS 3\n",
        b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCCESS " + b"1 " * 30 + b"\n",
        b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCCESSfee\n",
        b"SMC_RMI_PDEV_GET_STATE            882\n",
        b"Unexpected exception on CPU #1:\n",
        b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCC=\n",
        b"\r\n",
    ],
)
def test_odd_lines_among_rows(odd: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\n" + ROW * 3 + odd + ROW.replace(b"\n", b"\r\n") * 2 + b"      " + ROW + ROW
    quick = read(data)
    monkeypatch.setattr(rmm_console_scan, "_CLEAN", re.compile(rb"(?!)"))
    assert same(quick, read(data))


def test_a_row_ends_where_its_line_ends() -> None:
    data = b"\n" + ROW * 2 + ROW.replace(b"\n", b"  \r\n") + ROW
    r = read(data)
    spans = [data[o : o + n] for o, n in zip(r.offset.tolist(), r.length.tolist(), strict=True)]
    assert [s.rstrip(b" ") for s in spans] == [ROW.rstrip()] * 8
    assert not any(b"\r" in s for s in spans)


def test_lines_of_every_kind_are_counted() -> None:
    for data, lines in ((b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (ROW * 3 + b"x", 4), (b"x\n\n" + ROW * 2 + b"\n", 5)):
        assert read(data).facts["lines"] == lines, data


def test_quick_enough() -> None:
    """A 3 MB log of rows, and one without any; a few times the time each takes on a slow machine."""
    for data in (b"\n" + ROW * 50_000, b"[    1.234567] usb 1-1: new high-speed USB device number 2\n" * 50_000):
        began = time.process_time()
        r = read(data)
        assert time.process_time() - began < 15
        assert (r.kind == Kind.WHOLE_IN).sum() == data.count(b"SMC_")
