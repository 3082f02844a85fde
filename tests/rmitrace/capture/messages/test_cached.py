"""The objects that the RMM has the host cache, held against what went over the device's mailbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rmitrace.capture.messages.cached import cached_objects
from tests.rmitrace.capture.messages.runs import CAPTURES, RUN, exchanges, opened, recording, write

RUNS = (RUN, "tf-rmm-alp16-nominal")
HEADER = 4 + 48
"""Of a chain: length, reserved and the hash of the root, SHA-384 here (DSP0274)."""


def chain(run: str) -> bytes:
    """The chain out of the CERTIFICATE responses: Param1 slot, PortionLength at 4, the portion at 8."""
    found = b""
    for e in exchanges(run):
        if e.response[1] == 0x02:
            found += e.response[8 : 8 + int.from_bytes(e.response[4:6], "little")]
    return found


@pytest.mark.parametrize("run", RUNS)
def test_objects(run: str) -> None:
    found = cached_objects(opened(CAPTURES / "rmm" / f"{run}.calls.jsonl.xz"))
    vca, certificate, again = found
    assert [o.kind for o in found] == ["VCA", "CERTIFICATE", "VCA"]
    first = [x for e in exchanges(run)[:3] for x in (e.request, e.response)]  # version, capabilities, algorithms
    assert len(vca.pieces) == 6
    for piece, message in zip(vca.pieces, first, strict=True):
        assert message.startswith(piece)
        assert len(message) - len(piece) < 4
    assert certificate.data == chain(run)[HEADER:]
    assert all(o.cut == 0 for o in found)
    assert again.data[:4] == b"\x10\x84\0\0"
    assert again.calls[0] > certificate.calls[-1]


def test_trees() -> None:
    vca, certificate, _ = cached_objects(opened(CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz"))
    names = [n.name for n in vca.tree().children[0].children]
    assert names == ["GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS"]
    for n in vca.tree().children[0].children:
        assert n.offset is not None
        assert vca.data[n.offset + 1] == n.child("RequestResponseCode").value  # type: ignore[union-attr]
    assert sum(n.name.startswith("Certificate[") for n in certificate.tree().walk()) == 3


def test_memory_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The second portion of the chain was not recorded."""
    lines = []
    second = [e.after for e in exchanges() if e.response[1] == 0x02][1]
    for line in recording():
        row = json.loads(line)
        if row["seq"] == second + 2:  # the call that hands the response in
            row["mem_in"] = {a: m for a, m in row["mem_in"].items() if row["regions"].get(a) == "RmiDevCommData"}
            row["mem"] = {a: m for a, m in row["mem"].items() if row["regions"].get(a) == "RmiDevCommData"}
        lines.append(json.dumps(row) + "\n")
    found = cached_objects(opened(write(tmp_path, "a.calls.jsonl", "".join(lines))))
    certificate = next(o for o in found if o.kind == "CERTIFICATE")
    portion = next(e.response for e in exchanges() if e.after == second)
    assert certificate.cut == int.from_bytes(portion[4:6], "little")
    assert f"{certificate.cut} bytes more" in str(certificate.tree().note)


def test_captures_without_memory() -> None:
    assert cached_objects(opened(CAPTURES / "ftrace" / "pdev-connect.trace.txt")) == []
