"""Keys of both link ends side by side: who got which, and whether they are the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from rmitrace.capture import Capture
from rmitrace.capture.messages.ide_keys import Link, links, programmings, stream_name
from rmitrace.capture.messages.ide_lines import ENDPOINT, GO, PROG, ROOT_PORT, STOP, Programming
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, RUN, opened, write
from tests.rmitrace.capture.messages.test_decoding import KEY, PCAP, plain, secret

IV = slice(51, 59)


def of(capture: Capture) -> list[Link]:
    return links(programmings(capture, capture.conversations))


def told() -> dict[tuple[int, int], bytes]:
    """(number among all programmed, KeySubStream) -> plain text of KEY_PROG, as the RMM encrypted it."""
    found = [t for t in plain().values() if t[1] == 0xFE and t[11:13] == b"\0\2"]
    return {(i, t[17]): t for i, t in enumerate(found)}


def test_what_the_endpoint_got() -> None:
    """KeySubStream (PCIe 6.33.3): bit 0 key set, bit 1 RX (0) or TX (1), bits 7:4 sub-stream."""
    found = of(opened(PCAP, keys=secret()))
    wanted = told()
    assert len(found) == len(wanted) == 12
    for link, ((_, sub), text) in zip(found, wanted.items(), strict=True):
        assert (link.stream, link.sub_stream, link.direction, link.key_set) == (0, sub >> 4, "TX" if sub & 2 else "RX", sub & 1)
        assert link.endpoint[0].key == text[KEY]
        assert link.endpoint[0].iv == text[IV]
        assert [p.action for p in link.endpoint] == [PROG, GO] + ([STOP] if sub & 1 else [])
        assert link.endpoint[0].status == "Success"
        assert (link.root_port, link.same) == ([], None)


def test_without_the_secret_nothing_is_known() -> None:
    assert of(opened(PCAP)) == []


def test_with_the_console_of_the_firmware() -> None:
    """It says what was programmed into the root port, not the keys."""
    found = of(opened(PCAP, DATA / "messages" / f"{RUN}.log.xz", keys=secret()))
    assert len(found) == 12
    for link in found:
        assert [p.action for p in link.root_port] == [p.action for p in link.endpoint]
        assert {p.status for p in link.root_port} == {"seen at EL3"}
        assert all(p.source == 1 for p in link.root_port)
        assert link.same is None


def test_with_calls_to_el3(tmp_path: Path) -> None:
    """RMM_IDE_KEY_PROG: x3 has the stream in bits 7:0, the sub-stream in 10:8, direction in 11 (1 RX), key set in 12; x4 to x7
    are the key. One gets what the endpoint got, one another."""
    keys = [t[KEY] for t in told().values()]

    def call(at: int, sub: int, receive: int, key: bytes) -> str:
        words = [0xC40001B7, 0x3F000000, 0x100, sub << 8 | receive << 11]
        words += [int.from_bytes(key[i : i + 8], "little") for i in range(0, 32, 8)]
        head = f"  rmm-1  [000] d....  {at}.00000"
        shown = " ".join(f"a{i}={w:#x}" for i, w in enumerate(words))
        return f"{head}1: smc_enter: (x+0x0/0x80) {shown}\n{head}2: smc_exit: (y+0x0/0x80 <- x) a0=0x0 a1=0x0 a2=0x0 a3=0x0\n"

    text = "# tracer: nop\n" + call(5, 0, 1, keys[0]) + call(6, 1, 1, bytes(32))
    capture = opened(PCAP, write(tmp_path, "el3.txt", text), keys=secret())
    found = {link.name: link for link in of(capture)}
    assert found["PR RX K0"].same is True
    assert found["NPR RX K0"].same is False
    assert found["PR TX K0"].same is None
    assert [p.call for p in found["PR RX K0"].root_port] == [0]
    mismatch = [f for f in capture.findings if f.rule == "IDE-KEY-MISMATCH"]
    assert [f.severity for f in mismatch] == ["error"]
    assert "NPR RX K0" in mismatch[0].message


def test_a_log_with_the_keys_of_both_ends() -> None:
    capture = opened(CAPTURES / "spdm" / "tee-io-validator.log")
    found = of(capture)
    assert [(k.name, k.same) for k in found] == [
        ("PR RX K0", True),
        ("NPR RX K0", True),
        ("CPL RX K0", True),
        ("PR TX K0", True),
        ("NPR TX K0", True),
        ("CPL TX K0", False),
    ]
    assert found[1].endpoint[0].key == hashlib.sha256(b"made up RX NPR").digest()
    assert all(len([p for p in k.endpoint if p.action == PROG]) == 1 for k in found)  # the log tells each of them twice
    stopped = next(p for p in found[0].endpoint if p.action == STOP)
    assert stopped.failed


def step(end: str, action: str, direction: str = "RX", key: bytes | None = None, stream: int | None = 0) -> Programming:
    return Programming(end, action, stream, 0, direction, 0, "", False, 0, 0, key=key)


def test_a_key_programmed_again_is_another_line() -> None:
    found = links([step(ENDPOINT, a) for a in (PROG, GO, STOP, PROG, GO)])
    assert [[p.action for p in k.endpoint] for k in found] == [[PROG, GO, STOP], [PROG, GO]]


def test_a_root_port_may_name_the_directions_the_other_way() -> None:
    a, b = bytes(31) + b"\1", bytes(31) + b"\2"
    ends = [
        step(ENDPOINT, PROG, "RX", a),
        step(ENDPOINT, PROG, "TX", b),
        step(ROOT_PORT, PROG, "RX", b),
        step(ROOT_PORT, PROG, "TX", a),
    ]
    assert [k.same for k in links(ends)] == [True, True]


def test_a_log_without_stream_ids() -> None:
    (link,) = links([step(ENDPOINT, PROG, stream=5), step(ROOT_PORT, PROG, stream=None)])
    assert (link.stream, len(link.endpoint), len(link.root_port)) == (5, 1, 1)


def test_names() -> None:
    assert stream_name(0, "RX", 0) == "PR RX K0"
    assert stream_name(2, "TX", None) == "CPL TX"
    assert stream_name(8, "TX", 1) == "CXL TX K1"
