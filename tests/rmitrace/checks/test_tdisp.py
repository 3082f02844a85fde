"""TDISP: an emulator's device refuses what it should; interfaces that change their state by themselves."""

from __future__ import annotations

import gzip
import re
import struct
import tomllib
from pathlib import Path

import pytest

from rmitrace.capture.records import Finding
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, clear, opened

REFUSED = CAPTURES / "spdm" / "err_tdisp_idekm_v12.pcap"
ERRORS = {
    "VERSION_MISMATCH": 0x41, "INVALID_INTERFACE_STATE": 4, "INVALID_INTERFACE": 0x101, "INVALID_NONCE": 0x102,
    "UNSUPPORTED_REQUEST": 7, "INVALID_REQUEST": 1,
}  # fmt: skip
NONCE = "11" * 32


def vendor(code: int, tdisp: str) -> str:
    """VENDOR_DEFINED of PCI-SIG (registry 3, vendor 1) with protocol 1 = TDISP (PCIe r6 6.31.3, 11.3)."""
    payload = b"\1" + bytes.fromhex(tdisp)
    return f"12{code:02x}0000 0300 02 0100 " + struct.pack("<H", len(payload)).hex() + payload.hex()


def tdisp(kind: int, body: str = "", function: int = 0x100) -> str:
    """TDISPVersion 1.0, MessageType, 2 bytes reserved, INTERFACE_ID: FUNCTION_ID and 8 bytes reserved."""
    head = bytes((0x10, kind, 0, 0)) + struct.pack("<I", function) + bytes(8)
    return vendor(0xFE if kind & 0x80 else 0x7E, head.hex() + body)


LOCK, LOCKED = tdisp(0x83, "00" * 20), tdisp(0x03, NONCE)
STATE = tdisp(0x85)
START, STARTED = tdisp(0x86, NONCE), tdisp(0x06)
STOP, STOPPED = tdisp(0x87), tdisp(0x07)


def found(folder: Path, *messages: str) -> list[Finding]:
    capture = opened(clear(folder, *[(i + 1, m) for i, m in enumerate(messages)]))
    return [f for f in capture.findings if f.rule.startswith("TDISP")]


def state(value: int) -> str:
    return tdisp(0x05, f"{value:02x}")


def test_what_an_emulator_refuses() -> None:
    """The codes are those that DMTF's spdm_dump shows, in its order."""
    dump = gzip.decompress((DATA / "spdm" / "err_tdisp_idekm_v12.spdm_dump.a.txt.gz").read_bytes()).decode()
    wanted = [int(code, 16) for code in re.findall(r"TDISP\(0x7f\) ERROR \(\w+\) \(err_code=(0x\w+)", dump)]
    keys = tomllib.loads(REFUSED.with_name(REFUSED.name + ".toml").read_text())["keys"]
    refused = [f.message for f in opened(REFUSED, keys=keys).findings if f.rule == "TDISP-ERROR"]
    named = [re.search(r"was refused: (\w+) \(0x([0-9a-f]+)\)", m) for m in refused]
    assert [int(m[2], 16) for m in named if m is not None] == wanted
    assert all(m is not None and ERRORS[m[1]] == int(m[2], 16) for m in named)
    assert len(wanted) == 17


def test_without_the_secret_nothing_is_said() -> None:
    assert [f for f in opened(REFUSED).findings if f.rule.startswith("TDISP")] == []


def test_a_good_life(tmp_path: Path) -> None:
    """CONFIG_UNLOCKED 0, CONFIG_LOCKED 1, RUN 2, ERROR 3 (PCIe r6 11.3.13)."""
    said = [STATE, state(0), LOCK, LOCKED, STATE, state(1), START, STARTED, STATE, state(2), STOP, STOPPED, STATE, state(0)]
    assert found(tmp_path, *said) == []


def test_another_nonce(tmp_path: Path) -> None:
    (one,) = found(tmp_path, LOCK, LOCKED, tdisp(0x86, "22" * 32), STARTED)
    assert (one.rule, one.severity) == ("TDISP-NONCE", "error")


@pytest.mark.parametrize(
    ("before", "request_", "answer", "state_"),
    [
        ((STATE, state(0)), START, STARTED, "CONFIG_UNLOCKED"),
        ((LOCK, LOCKED), LOCK, LOCKED, "CONFIG_LOCKED"),
        ((LOCK, LOCKED, START, STARTED), LOCK, LOCKED, "RUN"),
        ((STOP, STOPPED), tdisp(0x84, "0000ffff"), tdisp(0x04, "00000000"), "CONFIG_UNLOCKED"),
    ],
)
def test_requests_that_need_another_state(
    tmp_path: Path, before: tuple[str, ...], request_: str, answer: str, state_: str
) -> None:
    (one,) = found(tmp_path, *before, request_, answer)
    assert (one.rule, one.severity) == ("TDISP-ORDER", "warning")
    assert f" in {state_}; it needs " in one.message


def test_an_interface_that_fell_into_error(tmp_path: Path) -> None:
    (one,) = found(tmp_path, LOCK, LOCKED, START, STARTED, STATE, state(3))
    assert (one.rule, one.severity) == ("TDISP-STATE", "error")
    assert one.message == "the interface is in ERROR, and was in RUN before"


def test_an_answer_of_another_kind(tmp_path: Path) -> None:
    (one,) = found(tmp_path, LOCK, STARTED)
    assert (one.rule, one.severity) == ("TDISP-ANSWER", "warning")


def test_interfaces_have_states_of_their_own(tmp_path: Path) -> None:
    other = [tdisp(0x83, "00" * 20, 0x200), tdisp(0x03, "33" * 32, 0x200)]
    assert found(tmp_path, LOCK, LOCKED, *other, START, STARTED) == []
