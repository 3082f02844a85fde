"""What logs say of IDE keys: firmware consoles and tee-io-validator, with the keys that it prints."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from rmitrace.capture.messages.ide_lines import ENDPOINT, GO, PROG, ROOT_PORT, SEEN, STOP, Programming, from_lines
from tests.rmitrace.capture.messages.runs import CAPTURES

SUBS = ((0, "PR"), (1, "NPR"), (2, "CPL"))


def read(text: str | bytes) -> list[Programming]:
    return list(from_lines(text.encode() if isinstance(text, str) else text, 0))


def short(p: Programming) -> tuple[str, str, int | None, int, str, int | None]:
    return p.end, p.action, p.stream, p.sub_stream, p.direction, p.key_set


def test_a_firmware_console() -> None:
    """grep: 24 lines 'firme_ide_prog' or '_go' with K0 and K1 for 3 sub-streams and 2 directions, then 6 'firme_ide_stop'; the
    requests to the endpoint are one line for all of them, or one for each direction."""
    data = (CAPTURES / "rmm" / "tf-rmm-head-loglevel40.log").read_bytes()
    found = read(data)
    seen = Counter(p.action for p in found if p.status == SEEN)
    assert seen == {PROG: data.count(b"firme_ide_prog:"), GO: data.count(b"firme_ide_go:"), STOP: data.count(b"firme_ide_stop:")}
    assert seen[PROG] == 12
    for end in (ENDPOINT, ROOT_PORT):
        sets = {(p.sub_stream, p.direction, p.key_set) for p in found if p.end == end and p.action == PROG}
        assert sets == {(s, d, k) for s in range(3) for d in ("RX", "TX") for k in (0, 1)}
    assert {p.stream for p in found} == {0}
    assert not any(p.failed for p in found)
    assert [p.offset for p in found if p.status == SEEN] == sorted(p.offset for p in found if p.status == SEEN)


def test_one_line_for_all_sub_streams() -> None:
    text = "IDE_KM_KEY_PROG: Endpoint RX/TX id/sub_id: 7/[0-2]\r\nIDE Refresh: Current active key slot: 1\n"
    assert [short(p) for p in read(text)] == [(ENDPOINT, PROG, 7, s, d, 1) for s in range(3) for d in ("RX", "TX")]


def test_the_active_key_set_is_stopped() -> None:
    text = "IDE Refresh: Current active key slot: 1\nIDE_KM_KEY_SET_STOP: Endpoint dir: 2 id/sub_id: 0/1\n"
    assert [short(p) for p in read(text)] == [(ENDPOINT, STOP, 0, 1, "TX", 1)]


def test_a_failed_acknowledgement() -> None:
    (p,) = read("IDE_KM_KEY_PROG Ack failed: Endpoint dir: 0 id/sub_id: 3/2\n")
    assert short(p) == (ENDPOINT, PROG, 3, 2, "RX", None)
    assert p.failed


@pytest.mark.parametrize(
    ("keyset", "where"),
    [
        # bit 0 key set, bit 1 direction (1 RX), bits 5:2 sub-stream, bits 13:6 stream
        ("0x2", (0, 0, "RX", 0)),
        ("0x0", (0, 0, "TX", 0)),
        ("0xb", (0, 2, "RX", 1)),
        ("0x1049", (0x41, 2, "TX", 1)),
    ],
)
def test_key_sets_of_firme(keyset: str, where: tuple[int, int, str, int]) -> None:
    (p,) = read(f"Host EL3: firme_ide_prog: ecam/keyset/handle: 0x7f00/{keyset}/0x0\n")
    assert short(p) == (ROOT_PORT, PROG, *where)


def test_keys_that_tee_io_validator_prints() -> None:
    """They are SHA-256 of 'made up RX PR' and so on; the root port got zeros for CPL TX. The validator prints the
    endpoint's as big-endian dwords, the root port's as registers with the last dword first."""
    found = [p for p in read((CAPTURES / "spdm" / "tee-io-validator.log").read_bytes()) if p.action == PROG]
    wanted = {(s, d): hashlib.sha256(f"made up {d} {n}".encode()).digest() for s, n in SUBS for d in ("RX", "TX")}
    assert {(p.sub_stream, p.direction): p.key for p in found if p.end == ENDPOINT} == wanted
    assert {(p.sub_stream, p.direction): p.key for p in found if p.end == ROOT_PORT} == {**wanted, (2, "TX"): bytes(32)}
    assert {p.iv for p in found} == {bytes.fromhex("00000000 01000000")}
    assert all(p.status == "Success" for p in found if p.end == ENDPOINT)


def test_a_status_that_refuses() -> None:
    (p,) = read("[2026-02-03 10:11:12.382][info] dev key_prog K1|TX|NPR - sts=04\n")
    assert (short(p), p.failed, p.status) == ((ENDPOINT, PROG, None, 1, "TX", 1), True, "status 04")
    assert p.key is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "IDE_KM_KEY_PROG",
        "IDE_KM_KEY_PROG: Endpoint dir: 9999",
        "firme_ide_prog: ecam/keyset/handle: 0x" + "f" * 500,
        "dev key_prog K0|RX|PR - sts=00\nKey (big-endian):\n0000: 12 34\n",
        "rp key_prog K0|RX|PR - \n" + "Key_DW0: 0x12345678\n" * 100,
        "dev key_prog K" * 10000,
    ],
)
def test_what_is_cut_or_made_up(text: str) -> None:
    assert all(p.key is None for p in read(text))
