from __future__ import annotations

import pytest

from rmitrace.formats.base import ReadOptions
from rmitrace.formats.ftrace import FORMAT
from rmitrace.formats.ftrace_buffers import buffer_of
from rmitrace.formats.ftrace_line import parse_body
from tests.rmitrace.formats.trace_text import HEAD, kinds, read

PLACE = b"(pci_doe+0x0/0x140) "


@pytest.mark.parametrize(
    ("event", "values", "data", "declared"),
    [
        # GET_VERSION is 10 84 00 00; what follows in the window is stale
        ("doe_req", b"type=1 len=4 d0={0x10,0x84,0x0,0x0,0x77}", "10840000", 4),
        ("req32", b"vendor=0x1 type=0x1 len=4 dw={0x8410,0x1234}", "10840000", 4),
        ("doe_req", b"type=1 len=6 d0={0x1,0x2,0x3,0x4} d4={0x5,0x6,0x7,0x8}", "010203040506", 6),
        # chunks of two dwords each: d8 begins 8 bytes in, so an element has 4
        ("doe_req", b"len=12 d0={0x1,0x2} d8={0x3,0x4}", "010000000200000003000000", 12),
        ("doe_rsp", b"ret=3 cap=4096 rsp={16,4,0,0}", "100400", 3),
        ("doe_req", b"len=1032 d0={0x1,0x2}", "0102", 1032),
        ("doe_req", b"len=5 d0={0x1,0x2} d64={0x3,0x4}", "0102", 5),  # a gap ends what is known
        ("spdm_send", b"len=2 buf={0x12,0xe1}", "12e1", 2),
        ("doe_rsp", b"len=-5 d0={0x1}", "", -5),
    ],
)
def test_bytes(event: str, values: bytes, data: str, declared: int) -> None:
    found = buffer_of(parse_body(event, PLACE + values))
    assert found is not None
    assert (found[0].hex(), found[1]) == (data, declared)


@pytest.mark.parametrize(
    ("event", "values"),
    [("doe_req", b"len=4"), ("doe_req", b"d0={0x1}"), ("doe_req", b"len=4 d0={0x1,"), ("irq", b"n=1 name={0x1}")],
)
def test_no_buffer(event: str, values: bytes) -> None:
    assert buffer_of(parse_body(event, b"(f+0x0/0x8) " + values)) is None


def test_a_failed_exchange_is_no_buffer() -> None:
    data = HEAD + b"doe_rsp: (rs_doe+0x74/0xc0 <- pci_doe) type=1 len=-110 d0={0x1,0x2}\n"
    assert kinds(read(FORMAT, data)) == ["MARK"]


def test_two_equal_requests_of_one_probe_are_two() -> None:
    request = HEAD + b"doe_req: (pci_doe+0x0/0x140) type=1 len=4 d0={0x10,0x84,0x0,0x0}\n"
    assert kinds(read(FORMAT, request * 2)) == ["BUFFER", "BUFFER"]


def test_the_longer_of_two_dumps_is_kept() -> None:
    short = HEAD + b"req32: (pci_doe+0x0/0x140) type=1 len=8 dw={0x8212}\n"
    long = HEAD + b"req: (pci_doe+0x0/0x140) type=1 len=8 req={0x12,0x82,0x0,0x0,0x0,0x0,0x20,0x0}\n"
    for data in (short + long, long + short):
        records = read(FORMAT, data)
        assert kinds(records) == ["BUFFER"]
        assert records.facts["duplicates"] == 1
        line = data[int(records.offset[0]) :].partition(b"\n")[0]
        assert FORMAT.detail(line, False, ReadOptions()).buffers[0].data.hex() == "1282000000002000"
