"""RMM console logs against the recording of the same run: every register that a row shows, call by call."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from rmitrace.capture import open_capture

CAPTURES = Path(__file__).parents[2] / "captures" / "rmm"
RUNS = ("tf-rmm-head-nominal", "tf-rmm-head-errors", "tf-rmm-alp16-nominal", "tf-rmm-mid-nominal", "tf-rmm-rel0-nominal")
HINT = 1 << 16
# RmiStatusCode of DEN0137 2.0-bet3; the names that a row prints
STATUS = ("SUCCESS", "ERROR_INPUT", "ERROR_REALM", "ERROR_REC", "ERROR_RTT", "ERROR_NOT_SUPPORTED", "ERROR_DEVICE",
          "ERROR_RTT_AUX", "ERROR_PSMMU_ST", "ERROR_DPT", "BUSY", "ERROR_GLOBAL", "ERROR_TRACKING", "INCOMPLETE", "BLOCKED",
          "ERROR_GPT", "ERROR_GRANULE")  # fmt: skip


def lines(run: str) -> list[dict]:
    with lzma.open(CAPTURES / f"{run}.calls.jsonl.xz", "rt") as file:
        return [json.loads(line) for line in file]


def recording(run: str):
    """The recorded calls of a run that printed an RMI row, with the row's words."""
    for call in lines(run):
        rows = [r for r in call["log"].splitlines() if r.strip().startswith(("SMC_RMI_", "SMC_RMM_"))]
        if rows:
            left, _, right = rows[-1].partition(" > ")
            yield call, left.split()[1:], right.split()


def console(run: str) -> str:
    """What the RMM printed in that run, without the other writers."""
    return "".join(call["log"] for call in lines(run))


@pytest.mark.parametrize("run", RUNS)
def test_rows_carry_the_recorded_registers(run: str, tmp_path: Path):
    log = tmp_path / "rmm.log"
    log.write_text(console(run))
    capture = open_capture([str(log)])
    decoded = [capture.call(i) for i in range(len(capture)) if capture.service_text(i) == "RMI"]
    recorded = list(recording(run))
    assert len(decoded) == len(recorded) > 5
    for got, (want, args, result) in zip(decoded, recorded, strict=True):
        x = [int(v, 16) for v in want["in"]]
        out = [int(v, 16) for v in want["out"]]
        assert got.fid == x[0] & ~HINT, want["seq"]
        assert got.x[1:] == [int(a, 16) for a in args] == x[1 : 1 + len(args)], want["seq"]
        assert got.r is not None
        if result[0].startswith("RMI_"):
            assert got.status == result[0]
            assert STATUS.index(result[0].removeprefix("RMI_")) == out[0] & 0xFF
            if result[0] == "RMI_ERROR_RTT":
                assert got.index == out[0] >> 8 & 0xFF == int(result[1], 16)
                assert got.r[1:] == out[1 : len(result) - 1]
            elif result[0] in ("RMI_SUCCESS", "RMI_INCOMPLETE"):
                assert got.r[1:] == out[1 : len(result)], want["seq"]
        else:
            assert got.r[0] == out[0] == int(result[0], 16)


@pytest.mark.parametrize("run", RUNS)
def test_the_recording_itself_is_read_register_by_register(run: str):
    capture = open_capture([str(CAPTURES / f"{run}.calls.jsonl.xz")])
    recorded = lines(run)
    assert len(capture) == len(recorded)
    for i, want in enumerate(recorded):
        call = capture.call(i)
        assert call.x == [int(v, 16) for v in want["in"]]
        assert call.r == [int(v, 16) for v in want["out"]]
        pages = {(b.addr, b.when) for b, _ in call.buffers}
        for when, key in (("enter", "mem_in"), ("exit", "mem")):
            for addr, text in want[key].items():
                assert (int(addr, 16), when) in pages
                found = next(b for b, _ in call.buffers if b.addr == int(addr, 16) and b.when == when)
                assert found.data == bytes.fromhex(text).ljust(4096, b"\0")
                assert found.struct == want["regions"].get(addr)
