"""The first error of a run that failed names the call that failed, and why.

The runs are recorded good ones in which the status of one call is changed to one that its command can fail with: nothing else
is wrong with them, so the first error has to be about that call.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

import decoders
from rmitrace.capture import open_capture
from rmitrace.capture.records import Finding
from rmitrace.diagnose import conditions_of
from tests.rmitrace.capture.messages.runs import recording

RUNS = ("tf-rmm-head-nominal", "tf-rmm-alp16-nominal", "tf-rmm-mid-nominal")
PASSING = ("RMI_BUSY", "RMI_ERROR_RTT", "RMI_ERROR_RTT_AUX")
"""Statuses that a host meets on its way: it tries again, or makes the table."""
ANSWERS = ("RMI_VDEV_COMPLETE", "RMI_PSCI_COMPLETE")
"""Refused where there is nothing to complete, which is no error."""
ERROR, PDEV_ERROR, GET_STATE = 2, {"1": 8, "2": 5}, 0x178
"""RmiDevCommStatus; RmiPdevState by revision; the low part of a function id."""


def rows(run: str) -> list[dict]:
    return [json.loads(line) for line in recording(run)]


def errors(folder: Path, changed: list[dict] | list[bytes]) -> list[Finding]:
    path = folder / "changed.calls.jsonl"
    path.write_bytes(b"".join(r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in changed))
    return [f for f in open_capture([str(path)]).findings if f.severity == "error"]


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_a_command_that_failed(run: str, tmp_path: Path) -> None:
    """Some commands of the run, each with one of the statuses of its list."""
    lines = recording(run)
    (tmp_path / "run.jsonl").write_bytes(b"".join(lines))
    base = open_capture([str(tmp_path / "run.jsonl")])
    good = {base.name_text(i): i for i in reversed(range(len(base))) if not base.calls.failed[i]}  # the first of each command
    rng, tried = random.Random(run), 0
    for name in rng.sample(sorted(n for n in good if n.startswith("RMI_") and n not in ANSWERS), 18):
        seq = good[name]
        revision = base.revision.of(name)
        numbers = {v: k for k, v in decoders.profile(revision).enums["RmiStatusCode"].items()}
        able = sorted({f.status for f in conditions_of(name, revision)[0]} & set(numbers) - set(PASSING))
        if not able:
            continue
        status = rng.choice(able)
        row = json.loads(lines[seq]) | {"out": [hex(numbers[status]), *["0x0"] * 7]}
        found = errors(tmp_path, [*lines[:seq], json.dumps(row).encode() + b"\n", *lines[seq + 1 :]])
        tried += 1
        assert found, (name, status)
        # the status of an operation is that of the command that began it
        command = base.name_text(int(base.calls.parent[seq])) if name == "RMI_OP_CONTINUE" else name
        assert found[0].calls[0] == seq, (name, status, found[0])
        assert command in found[0].message, (name, status, found[0])
        assert f"{status}: " in found[0].message or name == "RMI_VERSION" or status == "RMI_BLOCKED", found[0]
    assert tried > 10


def no_response(changed: list[dict], seq: int, revision: str) -> list[dict]:
    """The host reports at a communicate call that nothing came back, and reads ERROR; the recording ends there."""
    row, last = changed[seq], changed[seq + 1]
    page = row["in"][2]
    for side in ("mem_in", "mem"):
        data = bytearray.fromhex(row[side][page]).ljust(4096, b"\0")
        data[0] = ERROR
        if side == "mem":
            data[0x800:0x850] = bytes(0x50)  # no flags: the transaction is over
        row[side][page] = data.hex()
    state = next(r for r in changed if int(r["fid"], 16) & 0xFFFF == GET_STATE)
    regs = [state["in"][0], row["in"][1], *state["in"][2:]]
    read = {**state, "t": last["t"], "in": regs, "out": ["0x0", hex(PDEV_ERROR[revision[0]]), *["0x0"] * 6]}
    return [*changed[: seq + 1], read]


@pytest.mark.parametrize(("run", "request_name"), [(r, n) for r in RUNS[:2] for n in ("GET_CAPABILITIES", "GET_CERTIFICATE")])
def test_a_response_that_never_came(run: str, request_name: str, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_bytes(b"".join(recording(run)))
    base = open_capture([str(tmp_path / "run.jsonl")])
    asked = next(m.place.call for m in base.conversations.decode() if m.name == request_name and m.direction == "request")
    assert asked is not None
    answered = next(i for i in range(asked + 1, len(base)) if base.name_text(i) == "RMI_PDEV_COMMUNICATE")
    found = errors(tmp_path, no_response(rows(run), answered, base.revision.device))
    assert (found[0].rule, found[0].calls[0]) == ("COMM-FAILED", answered)
    assert "the host reported that the transfer failed" in found[0].message
    assert f"{request_name}" in found[0].message
    assert "was not answered" in found[0].message


def another_byte(row: dict) -> None:
    page = row["in"][2]
    data = bytearray.fromhex(row["mem_in"][page])
    data[40] ^= 1
    row["mem_in"][page] = data.hex()


def leading_zero(row: dict) -> None:
    page = row["in"][2]
    data = bytearray.fromhex(row["mem_in"][page]).ljust(4096, b"\0")
    data[0x800:0x808] = (385).to_bytes(8, "little")
    row["mem_in"][page], row["out"][0] = data.hex(), "0x1"


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        (another_byte, "PUBKEY-MISMATCH", "differs from the certificate's from byte 40"),
        (leading_zero, "KEY-LENGTH", "key_len is 385"),
    ],
)
def test_a_wrong_key(change: Callable[[dict], None], rule: str, said: str, tmp_path: Path) -> None:
    changed = rows(RUNS[0])
    seq = next(i for i, r in enumerate(changed) if int(r["fid"], 16) & 0xFFFF == 0x17B)
    change(changed[seq])
    found = errors(tmp_path, changed)
    assert (found[0].rule, found[0].calls[0]) == (rule, seq)
    assert said in found[0].message
