"""Logs of SPDM messages: libspdm's lines in their forms through the years, and what a dump is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.formats import registry
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.spdm_log import FORMAT, headings, looks_secured, recognise

CAPTURES = Path(__file__).parents[3] / "captures"


# real lines: TF-RMM's console, tee-io-validator issue 196, libspdm issue 1793, libspdm pull request 1788
@pytest.mark.parametrize(
    ("line", "request_", "session", "code", "size"),
    [
        ("libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): ", True, None, 0x84, 4),
        (
            "libspdm_receive_spdm_response[ffffffff] msg SPDM_VENDOR_DEFINED_RESPONSE(0x7e), size (0x13b): ",
            False,
            0xFFFFFFFF,
            0x7E,
            0x13B,
        ),
        ("libspdm_send_spdm_request[1ffff] msg SPDM_VENDOR_DEFINED_REQUEST(0xfe), size (0x13):", True, 0x1FFFF, 0xFE, 0x13),
        ("libspdm_send_spdm_request[ffffffff] (0x8):     ", True, 0xFFFFFFFF, None, 8),
        ("SpdmReceiveRequest[0] msg SPDM_GET_CAPABILITIES(0xe1), size (0x14):", True, None, 0xE1, 0x14),
        ("SpdmSendResponse[0]: msg SPDM_CAPABILITIES(0x61), size (0x14):", False, None, 0x61, 0x14),
        ("SpdmSendResponse[0] (0x14):", False, None, None, 0x14),
        (
            "[2024-05-09 10:00:00.123][info] libspdm_send_spdm_request[0] msg SPDM_GET_DIGESTS(0x81), size (0x4):",
            True,
            None,
            0x81,
            4,
        ),
    ],
)
def test_headings(line: str, request_: bool, session: int | None, code: int | None, size: int) -> None:
    (h,) = headings(f"before\n{line}\nafter\n".encode())
    assert (h.request, h.session, h.code, h.size) == (request_, session, code, size)
    assert h.line == len("before\n")


@pytest.mark.parametrize(
    "line",
    [
        "SpdmReceiveRequest[.] ...",
        "SpdmSendResponse[0] ...",
        "libspdm_send_spdm_request",
        "libspdm_start_session - libspdm_send_receive_finish - 0u",
        "libspdm_generate_session_handshake_key[ffffffff]",
    ],
)
def test_no_headings(line: str) -> None:
    assert headings(line.encode()) == []


def test_recognise() -> None:
    clear = bytes.fromhex("10840000")
    assert recognise(clear, False) == (clear, ("SPDM",), 0, "request")
    doe = bytes.fromhex("0100010003000000") + clear
    assert recognise(doe + b"stale", False) == (doe, ("DOE", "SPDM"), 8, "request")
    secured = b"\xff\xff\xff\xff\x14\x00" + bytes(20)
    assert looks_secured(secured)
    assert recognise(secured, True) == (secured, ("SECURED",), 0, "")
    assert recognise(secured, False) is None


@pytest.mark.parametrize("data", ["", "10", "6c15811af7c10111", "3082013c", "12c00000", "00008410", "ff" * 40])
def test_other_bytes_are_no_messages(data: str) -> None:
    assert recognise(bytes.fromhex(data), False) is None


def test_recognised_by_content() -> None:
    for name in ("spdm/pdev-connect.responder.log", "spdm/tee-io-validator.log"):
        assert open_capture([str(CAPTURES / name)]).sources[0].format == "spdm-log"
    responder = (CAPTURES / "spdm" / "pdev-connect.responder.log").read_bytes()
    assert FORMAT.sniff(responder) > 0.5


@pytest.mark.parametrize(
    "name", ["ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log", "qemu/trace-log.txt", "perf/script.txt"]
)
def test_other_captures_are_theirs(name: str) -> None:
    data = (CAPTURES / name).read_bytes()
    best = registry.scores(data)[0]
    assert best[1].name != "spdm-log"
    assert best[0] > FORMAT.sniff(data[: 1 << 18])


def test_has_no_records() -> None:
    data = b"0000: 10 84 00 00\n"
    records = FORMAT.read(data, 0, len(data), ReadOptions())
    assert len(records) == 0
    assert FORMAT.detail(data, False, ReadOptions()).text == data.decode()
