"""The quick ways through a log give what the reader gives that sees every line; the lines between rows are all counted."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import COLUMNS, Kind
from rmitrace.formats import kernels, rmm_console, rmm_console_scan
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.rmm_console_kernel import compiled
from rmitrace.formats.rmm_console_kernel import scan as uncompiled

from .test_rmm_console import CAPTURES, REPORTS, load, read

ROW = b"SMC_RMI_PDEV_GET_STATE            88200000 > RMI_SUCCESS 3\n"
SPDM = b"libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): \n"


def line_by_line(data: Any, start: int, end: int, reader: Any, columns: Any, options: ReadOptions) -> None:
    """The plain way: the reader sees every line."""
    at = start
    while at < end:
        stop = data.find(b"\n", at, end) + 1 or end
        reader.feed(data[at:stop], at)
        at = stop
    columns.add(reader.items)
    reader.items.clear()


def everything(data: bytes) -> Any:
    """All of a reader's result, comparable."""
    records = read(data)
    columns = {c: getattr(records, c).tolist() for c in (*COLUMNS, "regs") if c != "name"}
    names = [records.names[i] if i >= 0 else None for i in records.name.tolist()]
    return columns, names, sorted(map(str, records.findings)), records.facts


def check(data: bytes, *, slowly: bool = True, piece: int = 300) -> None:
    """Line by line, by regular expressions, by the kernel: the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rmm_console, "scan", line_by_line)
        alone = everything(data)
    kernel = compiled()
    for way, size, threads in ((None, piece, 1), (kernel, 4 << 20, 1), (kernel, piece, 3), (uncompiled, 4 << 20, 1)):
        if way is uncompiled and not slowly:
            continue
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "PIECE", size)
            scan = rmm_console_scan.scan
            patch.setattr(rmm_console, "scan", lambda *a, scan=scan, way=way, threads=threads: scan(*a, way, threads))
            if way is None:
                patch.setattr(rmm_console_scan.rmm_console_kernel, "repaid", lambda size: False)
            assert everything(data) == alone, (way, size, threads)


SAMPLES = sorted(
    p for f in ("rmm", "mixed") for p in (CAPTURES / f).glob("*log*") if p.suffix != ".toml" and "calls" not in p.name
)
SAMPLES += sorted(REPORTS.glob("*.txt"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_captures(path: Any) -> None:
    data = load(str(path))
    check(data, slowly=len(data) < 5000, piece=10_000)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_mutated_captures(path: Any) -> None:
    rng = random.Random(path.name)
    data = load(str(path))
    rows = data.find(b"SMC_RM", len(data) // 3)
    data = data[max(rows, 0) :][:6000]
    for _ in range(4):
        out = bytearray(data)
        for _ in range(rng.randint(1, 40)):
            at, what = rng.randrange(len(out) or 1), rng.random()
            if what < 0.3 and out:
                out[at] = rng.randrange(256)
            elif what < 0.5:
                del out[at : at + rng.choice((1, 1, 2, 5, 40))]
            elif what < 0.8:
                out[at:at] = rng.choice(JUNK)
            else:
                other = rng.randrange(len(out) or 1)
                out[at:at] = out[other : other + rng.randint(1, 200)]
        check(bytes(out), slowly=False)


JUNK = [
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"      ",
    b">",
    b"> ",
    b"0x",
    b"\xff",
    b"\x1b[0m",
    b"&gt;",
    b"<br>",
    b"=\n",
    b"\\n",
    b"^M",
    b"SMC_",
    b"SMC_RMI_",
    b"PSCI_",
    b" > RMI_SUCCESS",
    b" > ",
    b"[   1.234567] x",
    b"12: ",
    b"ABC> ",
    b"9" * 17,
    b"Unexpected exception\n",
    b"-",
    b"g",
    b"abc\n",
    b"deadbeef 1\n",
    b"\t",
    b"\0",
    b"[rmm] ",
    b"RMI",
    ROW,
    SPDM,
]


def test_a_row_hurt_at_every_byte() -> None:
    """Every variant of a row stands between good ones: a kernel that runs past a line's end would lose them."""
    good = [
        ROW,
        b"      SMC_RMI_OP_CONTINUE         0 0 > RMI_SUCCESS 0 0\r\n",
        SPDM,
        b"SMC_RMI_RTT_DESTROY 7f40b 200000 3 > RMI_ERROR_RTT 2 0 40\n",
        b"SMC_RMI_PDEV_COMMUNICATE          7f096f10d000 7f096f10c000 > ffffffffffffffff\n",
    ]
    for piece in (b"\n", b"\r", b"", b" ", b">", b"0x", b"g", b"A", b"\xff", b"SMC_", b"\x1b[0m"):
        hurts = [r[:at] + piece + r[at + drop :] for r in good for at in range(len(r) - 1) for drop in (0, 1)]
        check(b"".join(h + good[i % 3] for i, h in enumerate(hurts)), slowly=False, piece=1000)


NAMES = st.sampled_from(
    [
        b"SMC_RMI_PDEV_GET_STATE",
        b"SMC_RMM_VERSION",
        b"SMC_RSI_IPA_STATE_GET",
        b"SMC_RMI_REC_ENTER",
        b"SMC_RMI_RTT_DESTROY",
        b"SMC_RMI_OP_CONTINUE",
        b"SMC_RMI_NO_SUCH",
        b"SMC_RMI_",
        b"SMC_RMI_SMC_RMI_VERSION",
        b"SMC_RSI_<unsupported>",
        b"PSCI_c4000003",
        b"SMC_c4000003",
        b"SMC_RMI_VERSION:",
    ]
)
VALUES = st.lists(
    st.sampled_from([b"0", b"1", b"88200000", b"f" * 16, b"1" + b"0" * 16, b"0x1", b"Ff", b"", b"100000000000000", b"g"]),
    max_size=9,
)
STATUS = st.sampled_from(
    [
        b"> RMI_SUCCESS",
        b"> RMI_ERROR_RTT",
        b"> RMI_ERROR_REALM",
        b"> RMI_INCOMPLETE",
        b"> RSI_SUCCESS",
        b"> RMI_NO_STATUS",
        b"> RMI_SUCCESS_",
        b"> 0",
        b"> ffffffffffffffff",
        b">",
        b"",
        b"=> RMI_SUCCESS",
        b"> RMI_SUCC",
    ]
)
LINES = st.sampled_from(
    [
        ROW,
        SPDM,
        b"\n",
        b"Measurement (SHA256): 0x00\n",
        b"3 4\n",
        b"beef\n",
        b"beef: x\n",
        b" 3\n",
        b"AB> 3\n",
        b"AB&gt; 3\n",
        b"7: text\n",
        b"# Hello\n",
        b" > Realm: Calling RSI_X: y\n",
        b" > Realm: done\n",
        b"> 3 4\n",
        b"\t2-level\n",
        b">> GH> 3\n",
        b"  ab 3\n",
        b"SMC_RSI_ATTEST_TOKEN_CONTINUE     1000 0 100\n",
        b"SMC_RSI_VDEV_GET_INFO 1 1000\n",
        b"x RSI_SUCCESS 0\n",
        b"x > 0\n",
        b"12 SMC_RMI_VERSION\n",
        b"[    1.000000] 3 4\n",
        b"[    1.000000] kvm [1]: realm 1\n",
        b"IDE_KM_KEY_PROG: 1\n",
        b"Unexpected exception on CPU #1:\n",
        b"X0:\t\t0x1\n",
        b"ESR_EL2:\t0x1\n",
        b"SMC_RM\n",
        b"I_VERSION 1 > RMI_SUCCESS 1 1\n",
        b"ab<br>\n",
        b"gab 3\n",
        b"ab_c\n",
        b"\r\n",
        b"A\r\n",
        b"SMC_RMI_REC_ENTER 1 2 =\n",
        b"> RMI_SUCCESS\n",
        b"RMI: VERSION [1] > [0, 1]\n",
        b"libspdm_x RMI\n",
    ]
)
END = st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b"\r\r\n", b"| \n", b"", b" [    1.000000] x\n"])


@st.composite
def row(draw: st.DrawFn) -> bytes:
    indent = draw(st.sampled_from([b"", b"", b"      ", b" ", b"[   rmm ] ", b"> "]))
    values = b" ".join([b"", *draw(VALUES)])
    return indent + draw(NAMES) + values + b" " + draw(STATUS) + b" ".join([b"", *draw(VALUES)]) + draw(END)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(row(), LINES, LINES), max_size=14))
@example([ROW, b"x\n", b"12 SMC_RMI_VERSION\n", ROW])
@example([b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS", b"\n", b"3 4\n", ROW])
def test_lines_near_the_common_form(lines: list[bytes]) -> None:
    check(b"".join(lines) + ROW)


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
        b"libspdm_send_spdm_request[0] msg SPDM_SMC_RMI_VERSION(0x84), size (0x4): \n",
        b"\r\n",
    ],
)
def test_odd_lines_among_rows(odd: bytes) -> None:
    check(b"\n" + ROW * 3 + odd + ROW.replace(b"\n", b"\r\n") * 2 + b"      " + ROW + ROW)


AGAIN = [
    b"PSMMU 0x2b400000 activated\n", b"PSMMU 0x2b500000 activated\r\n", b" > Realm: RSI_VDEV_GET_INFO with valid arg completed\n",
    b"RMM is in invalid state\n", b"[handle_ns_smc] unknown function_id: c4000199\n", b"SPDM_END_SESSION completed\n",
    b"Result => Passed\n", b"rmi_" + b"x" * 128 + b"\n", b"rmi_" + b"x" * 124 + b"\n", b"abc RMI_ def\n",
]  # fmt: skip
PARTS = [ROW, ROW[:40] + b"\n", ROW[40:], ROW[:-1], SPDM, b"3 4\n", b"\n", b"[    1.234567] kvm: RMM\n", b"> RMI_SUCCESS 3\n"]


@pytest.mark.parametrize("seed", range(12))
def test_lines_that_come_again_and_again(seed: int) -> None:
    rng = random.Random(seed)
    some = rng.sample(AGAIN, 4)
    check(b"".join(rng.choice(some if rng.random() < 0.6 else [ROW, *PARTS[: 2 + seed]]) for _ in range(120)) + ROW)


def test_a_row_ends_where_its_line_ends() -> None:
    data = b"\n" + ROW * 2 + ROW.replace(b"\n", b"  \r\n") + ROW
    r = read(data)
    spans = [data[o : o + n] for o, n in zip(r.offset.tolist(), r.length.tolist(), strict=True)]
    assert [s.rstrip(b" ") for s in spans] == [ROW.rstrip()] * 8
    assert not any(b"\r" in s for s in spans)


def test_lines_of_every_kind_are_counted() -> None:
    for data, lines in ((b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (ROW * 3 + b"x", 4), (b"x\n\n" + ROW * 2 + b"\n", 5)):
        assert read(data).facts["lines"] == lines, data


def test_the_common_rows_are_read_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, lines of libspdm and text between them need no second look; a row is the reader's where the next line may go on."""
    fed: list[bytes] = []
    feed = rmm_console_scan.Reader.feed
    monkeypatch.setattr(rmm_console_scan.Reader, "feed", lambda self, raw, *a: (fed.append(raw), feed(self, raw, *a))[1])
    monkeypatch.setattr(rmm_console_scan.rmm_console_kernel, "repaid", lambda size: True)
    monkeypatch.setattr(kernels, "PIECE", 4096)
    r = read((ROW * 5 + SPDM + b"Reserved 5 pages\nPSMMU 0x2b400000 activated\nabc RMI_ def\n") * 500)
    assert (r.kind == Kind.WHOLE_OUT).sum() == 2500
    assert (r.kind == Kind.MARK).sum() == 1000
    assert len(fed) < 100


def test_quick_enough() -> None:
    """A 3 MB log of rows, and one without any; a few times the time each takes on a slow machine."""
    for data in (b"\n" + ROW * 50_000, b"[    1.234567] usb 1-1: new high-speed USB device number 2\n" * 50_000):
        began = time.process_time()
        r = read(data)
        assert time.process_time() - began < 15
        assert (r.kind == Kind.WHOLE_IN).sum() == data.count(b"SMC_")
