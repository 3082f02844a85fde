"""Messages in logs: hex dumps in every form, libspdm's lines, and which calls they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture.messages import Message
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, console, opened, padded, write

KERNEL = CAPTURES / "mixed" / "doe-kernel.log"
RESPONDER = CAPTURES / "spdm" / "pdev-connect.responder.log"


def of_trace() -> list[Message]:
    return opened(CAPTURES / "ftrace" / "pdev-connect.trace.txt").conversations.all


def test_dumps_of_a_kernel_log_hold_what_the_probes_recorded() -> None:
    """The log was written with the bytes of the trace, in groups of 1, 4 and 8 bytes and rows of 16 and 32."""
    found = opened(KERNEL).conversations.all
    probed = of_trace()
    assert len(found) == 14
    for m, p in zip(found, probed, strict=True):
        assert m.direction == p.direction
        assert padded(m.payload).startswith(padded(p.payload)[:1016])
        assert len(padded(m.payload)) == len(padded(m.payload[: p.size]))


def test_dumps_stand_under_the_rows_before_them() -> None:
    capture = opened(KERNEL)
    for m in capture.conversations.all:
        assert m.place.call is not None
        assert capture.name_text(m.place.call) == "RMI_PDEV_COMMUNICATE"
    calls = [m.place.call for m in capture.conversations.all]
    assert calls[::2] == calls[1::2]
    assert len(set(calls)) == 7


def test_times_of_the_kernel() -> None:
    first = opened(KERNEL).conversations.all[0]
    assert first.place.ts_ns == 12_300_242_000


def test_a_responders_log_has_the_plain_text() -> None:
    capture = opened(RESPONDER)
    found = capture.conversations.decode()
    text = RESPONDER.read_text(errors="replace")
    assert len(found) == text.count("SpdmReceiveRequest[0] msg") + text.count("SpdmReceiveRequest[ffffffff] msg") + text.count(
        "SpdmSendResponse[0]: msg"
    ) + text.count("SpdmSendResponse[ffffffff]: msg")
    clear = [padded(m.payload) for m in found if m.within is None]
    assert [padded(m.payload)[: len(c)][:1016] for m, c in zip(of_trace(), clear, strict=False) if not m.secured] == [
        c[:1016] for c in clear
    ]
    assert [m.name for m in found if m.within == 0xFFFFFFFF] == ["FINISH", "FINISH_RSP"]
    assert all(m.tree is not None for m in found)


def test_a_console_names_messages_without_their_bytes() -> None:
    capture = opened(DATA / "messages" / "tf-rmm-head-nominal.log.xz")
    found = capture.conversations.all
    text = b"".join(console()).decode()
    assert len(found) == text.count("libspdm_send_spdm_request[") + text.count("libspdm_receive_spdm_response[")
    assert [m.name for m in found[:4]] == ["GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES"]
    assert all(not m.data and m.told is not None and m.place.call is not None for m in found)
    assert {m.session_id for m in found} == {None, 0xFFFFFFFF}
    assert found[5].size == 0x34


ROW = "SMC_RMI_PDEV_COMMUNICATE          49500000 49402000 > RMI_SUCCESS\n"
STATE = "SMC_RMI_PDEV_GET_STATE            49500000 > RMI_SUCCESS 0\n"
ASK = "libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): \n"
SAID = "libspdm_receive_spdm_response[0] msg SPDM_VERSION(0x4), size (0x10): \n"
ASK2 = "libspdm_send_spdm_request[0] msg SPDM_GET_CAPABILITIES(0xe1), size (0x14): \n"
SAID2 = "libspdm_receive_spdm_response[0] msg SPDM_CAPABILITIES(0x61), size (0x14): \n"


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (STATE + ASK + ROW + STATE + SAID + ASK2 + ROW + STATE + SAID2, [1, 1, 3, 3]),
        (STATE + ASK + ROW + ROW + SAID + ASK2 + ROW + SAID2, [1, 1, 3, 3]),  # a call that only caches in between
        (STATE + ASK + STATE + SAID + ASK2 + ROW + STATE + SAID2, [None, None, 2, 2]),  # the row of the first is lost
        (STATE + ASK + SAID + ASK2 + ROW + STATE + SAID2, [None, None, 1, 1]),
        (STATE + ROW + STATE + SAID + ASK2 + ROW + STATE + SAID2, [None, 3, 3]),  # its line is lost
        (STATE + ASK + ROW + STATE + ASK2 + ROW + STATE + SAID2, [1, 3, 3]),  # the answer to it is
        (STATE + ASK + ROW + STATE + SAID2, [1, None]),  # an answer to something else
    ],
)
def test_lines_belong_to_the_row_they_were_printed_in(tmp_path: Path, text: str, calls: list[int | None]) -> None:
    capture = opened(write(tmp_path, "uart.log", text))
    assert [m.place.call for m in capture.conversations.all] == calls


def test_a_marker_with_bytes_in_a_trace(tmp_path: Path) -> None:
    head = "# tracer: nop\n#\n"
    call = (
        "     kworker-9   [001] d....  10.000001: smc_enter: (rmi_smc+0x0/0x80) a0=0xc4000175 a1=0x49500000 a2=0x49402000\n"
        "     kworker-9   [001] d....  10.000101: smc_exit: (rmi_call+0x74/0x100 <- rmi_smc) a0=0x0 a1=0x0 a2=0x0\n"
    )
    marker = "     kworker-9   [001] .....  10.000{}: tsm_doe: doe {}: {}\n"
    text = head + call + marker.format(200, "req", "10 84 00 00") + marker.format(300, "rsp", "10 04 00 00 00 01 00 12")
    capture = opened(write(tmp_path, "t.txt", text))
    found = capture.conversations.all
    assert [(m.name, m.place.call, m.place.ts_ns) for m in found] == [
        ("GET_VERSION", 0, 10_000_200_000),
        ("VERSION", 0, 10_000_300_000),
    ]


def test_a_window_longer_than_the_message() -> None:
    """The module's trace_printk dumped 64 bytes; GET_VERSION has four."""
    (found,) = opened(CAPTURES / "ftrace" / "markers.trace.txt").conversations.decode()
    assert found.name == "GET_VERSION"
    assert found.tree is not None
    assert found.tree.children[-1].name == "trailing"


def test_secured_dumps_need_words_that_say_so(tmp_path: Path) -> None:
    cipher = (b"\xff\xff\xff\xff\x14\x00" + bytes(range(20))).hex(" ")
    found = opened(write(tmp_path, "a.log", f"[ 1.000000] doe req: {cipher}\n[ 1.1] doe: 10 84 00 00\n")).conversations.all
    assert [(m.name, m.direction) for m in found] == [("SECURED", "request"), ("GET_VERSION", "request")]
    other = opened(write(tmp_path, "b.log", f"[ 1.0] usb: {cipher}\n[ 1.1] doe: 10 84 00 00\n")).conversations.all
    assert [m.name for m in other] == ["GET_VERSION"]


def test_a_dump_with_a_hole_is_a_finding(tmp_path: Path) -> None:
    whole = bytes.fromhex("12e3040030000102940000000300000000000000000000000000000000000000022018000320030004200f0005200100")
    rows = [f"[ 1.{i:06d}] doe req: {i:08x}: {whole[i : i + 16].hex(' ')}\n" for i in range(0, 48, 16)]
    first = "[ 0.500000] doe req: 00000000: 10 84 00 00\n"
    conversations = opened(write(tmp_path, "a.log", first + rows[0] + rows[2])).conversations
    assert "DUMP-CUT" in {f.rule for f in conversations.problems}
    found = conversations.decode()
    assert [m.name for m in found] == ["GET_VERSION", "NEGOTIATE_ALGORITHMS"]


def test_libspdm_lines_win_over_other_dumps_of_the_same(tmp_path: Path) -> None:
    text = "libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): \n0000: 10 84 00 00 \n"
    text += "Platform port Transmit buffer:\n"
    text += "    01 00 01 00 03 00 00 00 10 84 00 00\n"
    conversations = opened(write(tmp_path, "a.log", text)).conversations
    assert len(conversations.all) == 1
    assert [f.rule for f in conversations.problems] == ["DUMPS-LEFT-OUT"]


def test_bug_reports_without_messages_have_none() -> None:
    for path in sorted((DATA / "reports").glob("*.txt")):
        capture = opened(path, source_format="rmm-console")
        text = path.read_text(errors="replace")
        if "spdm" not in text:
            assert capture.conversations.all == [], path.name
