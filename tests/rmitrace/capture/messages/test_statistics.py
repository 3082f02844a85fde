"""How often messages came, what was refused, and how long the device took."""

from __future__ import annotations

import re
from pathlib import Path

from rmitrace.capture import Capture
from rmitrace.capture.messages.statistics import Row, error_code, is_error, round_trips, rows
from tests.rmitrace.capture.messages.runs import CAPTURES, clear, opened

TRACE = CAPTURES / "ftrace" / "pdev-connect.trace.txt"


def named(capture: Capture) -> dict[str, Row]:
    return {r.name: r for r in rows(capture.conversations)}


def test_times_are_those_between_the_probes() -> None:
    stamps = [
        (m[1], float(m[2]))
        for m in re.finditer(r"(\d+\.\d{6}): (?:doe_req|doe_rsp)", TRACE.read_text())
        for m in [("", m[1], m[1])]
    ]
    took = [round((b[1] - a[1]) * 1e9) for a, b in zip(stamps[::2], stamps[1::2], strict=True)]
    capture = opened(TRACE)
    capture.conversations.decode()
    found = list(round_trips(capture.conversations).values())
    assert len(found) == len(took) == 7
    assert all(abs(a - b) <= 1 for a, b in zip(found, took, strict=True))


def test_a_clock_of_seconds_gives_no_times() -> None:
    """spdm-emu writes whole seconds into its pcaps."""
    capture = opened(CAPTURES / "spdm" / "doe_v12_measall.pcap")
    capture.conversations.decode()
    assert round_trips(capture.conversations) == {}
    assert all(r.p50_ns is None and r.timed == 0 for r in rows(capture.conversations))


GET_DIGESTS, BUSY, DIGESTS = "12810000", "127f0300", "12010000"


def test_rows(tmp_path: Path) -> None:
    """Took 10, 20, 30 and 40 us, of which the second was refused; a fifth was not answered. By nearest rank the median of
    four is the second, the 99th percentile the last."""
    times = (10, 20, 30, 40)
    said = [(1000 * i + took * (half == 1) + 1, text) for i, took in enumerate(times) for half, text in
            enumerate((GET_DIGESTS, BUSY if i == 1 else DIGESTS))]  # fmt: skip
    capture = opened(clear(tmp_path, *said, (9000, GET_DIGESTS)))
    found = named(capture)
    assert found["GET_DIGESTS"] == Row("GET_DIGESTS", "request", 5, 1, 1, 4, 20_000, 40_000, 40_000)
    assert (found["ERROR"].count, found["ERROR"].errors) == (1, 1)
    assert found["DIGESTS"] == Row("DIGESTS", "response", 3, 0, 0, 0, None, None, None)
    assert [r.name for r in rows(capture.conversations)] == ["GET_DIGESTS", "DIGESTS", "ERROR"]


def test_only_chosen_messages(tmp_path: Path) -> None:
    capture = opened(clear(tmp_path, (1, GET_DIGESTS), (11, BUSY)))
    chosen = capture.conversations.all[:1]
    (row,) = rows(capture.conversations, chosen)
    assert (row.name, row.errors, row.max_ns) == ("GET_DIGESTS", 1, 10_000)


def test_what_counts_as_refused() -> None:
    """ERROR LargeResponse only begins a response in chunks; TDISP and IDE_KM refuse inside of their own answers."""
    busy = opened(CAPTURES / "spdm" / "err_v12_busy_measurements.pcap").conversations.decode()
    assert [error_code(m) for m in busy if is_error(m)] == ["Busy"]
    chunks = opened(CAPTURES / "spdm" / "doe_v14_chunk512.pcap").conversations.decode()
    large = [m for m in chunks if m.name == "ERROR" and error_code(m) == "LargeResponse"]
    assert large
    assert not any(is_error(m) for m in large)
