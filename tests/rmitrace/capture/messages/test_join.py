"""The same message in several sources: by its bytes, or by order, name and size; never a wrong pair."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import Capture
from rmitrace.capture.messages import Message
from rmitrace.capture.messages.join import align, align_repeated
from tests.rmitrace.capture.messages.runs import (
    CAPTURES,
    RUN,
    communicates,
    console,
    console_rows,
    judged,
    opened,
    pcap,
    recording,
    thinned,
    write,
)

# the alignment


def test_align() -> None:
    assert align("abcd", "abcd") == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert align("abcd", "acd") == [(0, 0), (2, 1), (3, 2)]
    assert align("xaay", "xaay") == [(0, 0), (1, 1), (2, 2), (3, 3)]  # as many of them on both sides
    assert align("xaay", "xay") == [(0, 0), (3, 2)]  # which of the two it is nobody can tell
    assert align("", "abc") == []
    assert align("abc", "cab") in ([(0, 1), (1, 2)], [(2, 0)])
    assert align("abc", "xyz") == []


def test_align_repeated() -> None:
    assert align_repeated("aaa", "aaa") == [(0, 0), (1, 1), (2, 2)]
    assert align_repeated("aa", "aaa") == []
    assert align_repeated("aab", "aaab") == [(2, 3)]
    assert align_repeated("qrqrr", "qrqrqr")[:4] == [(0, 0), (1, 1), (2, 2), (3, 3)]  # the fourth request is missing
    assert align_repeated("qrqrqr", "qrqrr")[-1] == (5, 4)
    assert align_repeated("bcd", "abcde") == [(0, 1), (1, 2), (2, 3)]
    assert align_repeated("", "abc") == []
    assert align_repeated("abxcd", "abycd") == [(0, 0), (1, 1), (3, 3), (4, 4)]


@settings(max_examples=200, deadline=None)
@given(st.text("abcd", max_size=40), st.integers(0, 2**30))
def test_what_is_left_of_a_sequence_finds_its_place(whole: str, seed: int) -> None:
    """Pairs of a sequence with what is left of it after some were taken out: ascending, and each the right one."""
    rng = random.Random(seed)
    kept = [i for i in range(len(whole)) if rng.random() > 0.2]
    left = "".join(whole[i] for i in kept)
    pairs = align_repeated(whole, left)
    assert all(i == kept[j] for i, j in pairs)
    assert len(set(whole)) < len(whole) or len(pairs) == len(left)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=60), st.lists(st.integers(0, 12), max_size=60))
def test_pairs_ascend_and_hold_the_same(a: list[int], b: list[int]) -> None:
    for pairs in (align(a, b), align_repeated(a, b)):
        assert all(a[i] == b[j] for i, j in pairs)
        assert all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(pairs))


def test_long_sequences_take_no_time() -> None:
    rng = random.Random(1)
    a = [rng.randrange(50) for _ in range(20_000)]
    align(a, a[::-1])
    align_repeated(a, [x for x in a if rng.random() > 0.1])
    align_repeated([0] * 20_000, [0] * 19_999)


# a recording with memory and a packet capture of the same run


def numbers(capture: Capture, source: int = 0) -> list[tuple[Message, int]]:
    """Messages with the numbers of their calls in the recording."""
    out = []
    for m in capture.conversations.all:
        if m.data and m.place.call is not None:
            call = capture.call(m.place.call)
            assert call.source == source
            out.append((m, json.loads(call.raw)["seq"]))
    return out


def test_packets_stand_under_their_calls() -> None:
    capture = opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz", CAPTURES / "spdm" / f"{RUN}.pcap")
    messages = capture.conversations.all
    assert len(messages) == 82
    assert {m.place.source for m in messages} == {1}
    assert all(p.source == 0 for m in messages for p in m.also)
    assert all(len(m.also) == 1 for m in messages)
    assert judged(numbers(capture)) == (82, 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side", ["calls", "packets", "both"])
def test_no_false_pair_with_bytes_where_records_are_missing(tmp_path: Path, seed: int, side: str) -> None:
    head, records = pcap()
    lines = recording()
    calls = write(tmp_path, "calls.jsonl", b"".join(lines if side == "packets" else thinned(lines, seed)))
    wire = write(tmp_path, "doe.pcap", head + b"".join(records if side == "calls" else thinned(records, seed + 9)))
    good, bad = judged(numbers(opened(calls, wire)))
    assert bad == 0
    assert good > 55


# the RMM's console, which names messages, and a packet capture


def console_numbers(capture: Capture, rows: dict[int, int]) -> list[tuple[Message, int]]:
    """Messages with bytes and the numbers of their calls in the recording, told by the places of the rows."""
    order = communicates()
    out = []
    for m in capture.conversations.all:
        if m.data and m.place.call is not None:
            call = capture.call(m.place.call)
            out.append((m, order[rows[call.offset]]))
    return out


def test_names_of_a_console_give_packets_their_rows(tmp_path: Path) -> None:
    lines = console()
    log = write(tmp_path, "uart.log", b"".join(lines))
    capture = opened(log, CAPTURES / "spdm" / f"{RUN}.pcap")
    assert len(capture.conversations.all) == 82
    assert judged(console_numbers(capture, console_rows(lines, [True] * len(lines)))) == (82, 0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("side", ["console", "packets", "both"])
def test_no_false_pair_by_name_where_records_are_missing(tmp_path: Path, seed: int, side: str) -> None:
    head, records = pcap()
    lines = console()
    rng = random.Random(seed)
    kept = [side == "packets" or rng.random() >= 0.1 for _ in lines]
    log = write(tmp_path, "uart.log", b"".join(x for x, keep in zip(lines, kept, strict=True) if keep))
    wire = write(tmp_path, "doe.pcap", head + b"".join(records if side == "console" else thinned(records, seed + 9)))
    capture = opened(log, wire)
    good, bad = judged(console_numbers(capture, console_rows(lines, kept)))
    assert bad == 0
    assert good >= {"console": 30, "packets": 20, "both": 0}[side]
    assert len({id(m) for m in capture.conversations.all}) == len(capture.conversations.all)


def test_three_sources_are_one_conversation(tmp_path: Path) -> None:
    log = write(tmp_path, "uart.log", b"".join(console()))
    capture = opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz", log, CAPTURES / "spdm" / f"{RUN}.pcap")
    messages = capture.conversations.all
    assert len(messages) == 82
    assert all({m.place.source, *(p.source for p in m.also)} == {0, 1, 2} for m in messages)
    assert judged(numbers(capture)) == (82, 0)
    assert len(capture.conversations.list) == 1


def test_host_trace_without_bytes_gets_its_packets_through_the_console(tmp_path: Path) -> None:
    """The recording without its memory tells nothing of messages; the console's rows are aligned with its calls."""
    bare = []
    for line in recording():
        o = json.loads(line)
        bare.append(json.dumps({k: v for k, v in o.items() if k not in ("mem", "mem_in", "regions")}).encode() + b"\n")
    calls = write(tmp_path, "calls.jsonl", b"".join(bare))
    log = write(tmp_path, "uart.log", b"".join(console()))
    capture = opened(calls, log, CAPTURES / "spdm" / f"{RUN}.pcap")
    assert judged(numbers(capture)) == (82, 0)


def test_two_runs_with_the_same_device_are_not_one() -> None:
    """GET_VERSION and the certificates are the same bytes in every run; nonces and sessions are not."""
    capture = opened(CAPTURES / "ftrace" / "pdev-connect.trace.txt", CAPTURES / "spdm" / f"{RUN}.pcap")
    assert not any(m.also for m in capture.conversations.all)
    assert len(capture.conversations.all) == 14 + 82
    assert {f.rule for f in capture.conversations.problems} == {"MESSAGES-NOT-JOINED"}


def test_a_flipped_byte_is_still_the_same_message(tmp_path: Path) -> None:
    head, records = pcap()
    at = next(i for i, r in enumerate(records) if len(r) > 1000)
    changed = bytearray(records[at])
    changed[500] ^= 1
    wire = write(tmp_path, "doe.pcap", head + b"".join([*records[:at], bytes(changed), *records[at + 1 :]]))
    capture = opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz", wire)
    assert len(capture.conversations.all) == 82
    assert all(m.also for m in capture.conversations.all)


def test_guest_and_emulator_saw_the_same_mailbox() -> None:
    """The guest's probes of pci_doe, and the configuration accesses that QEMU traced below it."""
    capture = opened(CAPTURES / "ftrace" / "doe.trace.txt", CAPTURES / "qemu" / "trace-log.txt")
    joined = [m for m in capture.conversations.all if m.also]
    assert len(joined) == 10
    assert len(capture.conversations.all) == 16  # and QEMU's discovery before
    assert all(m.layers[0] == "DOE" for m in joined)


def test_a_plain_text_log_opens_what_the_trace_has_as_cipher_text() -> None:
    trace, responder = CAPTURES / "ftrace" / "pdev-connect.trace.txt", CAPTURES / "spdm" / "pdev-connect.responder.log"
    conversations = opened(trace, responder).conversations
    conversations.decode()
    assert [m.name for m in conversations.all[-2:]] == ["FINISH", "FINISH_RSP"]
    assert all(m.secured and m.inside is not None for m in conversations.all[-2:])
    whole = next(m for m in conversations.all if m.name == "CERTIFICATE")
    assert whole.declared is None  # the trace has 1024 of its bytes, the responder's log all of them
    assert whole.size == 1032
    assert whole.place.call is not None
