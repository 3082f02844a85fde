"""Sequences and states on recorded runs, held against what the recordings say themselves."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest
import yaml

from rmitrace.capture import Capture, open_capture

ROOT = Path(__file__).parents[3]
RMM = ROOT / "captures" / "rmm"
GET_STATE, INCOMPLETE = 0xC4000178, 13


def opened(run: str) -> Capture:
    return open_capture([str(RMM / f"tf-rmm-{run}.calls.jsonl.xz")])


def recorded(run: str) -> list[dict]:
    with lzma.open(RMM / f"tf-rmm-{run}.calls.jsonl.xz", "rt") as lines:
        return [json.loads(line) for line in lines]


def outcomes(capture: Capture) -> list[tuple[str, str]]:
    return [(q.kind, q.outcome) for q in capture.sequences]


def facts(revision: str) -> dict:
    return yaml.safe_load((ROOT / "tests" / "data" / "abi" / f"rmm-{revision}.yaml").read_text())


@pytest.mark.parametrize(
    ("run", "revision"),
    [("head-nominal", "2.0-bet3"), ("alp16-nominal", "1.1-alp17"), ("mid-nominal", "1.1-alp17"), ("head-corrupt5", "2.0-bet3")],
)
def test_states_are_those_that_were_read_back(run: str, revision: str):
    names = facts(revision)["enums"]["RmiPdevState"]
    want: list[tuple[str, str]] = []
    last: dict[str, str] = {}
    for call in recorded(run):
        x, out = [int(v, 16) for v in call["in"]], [int(v, 16) for v in call["out"]]
        if x[0] == GET_STATE and out[0] == 0:
            pdev, state = f"pdev:0x{x[1]:x}", names[out[1]].removeprefix("RMI_PDEV_")
            if last.get(pdev) != state:
                want.append((pdev, state))
            last[pdev] = state
    capture = opened(run)
    seen: dict[str, str] = {}
    got: list[tuple[str, str]] = []
    read_back = {i for i in range(len(capture)) if capture.calls.fid[i] == GET_STATE}
    for s in capture.states:
        if s.object.startswith("pdev:") and s.to != "destroyed":
            seen[s.object] = s.to
        if s.call in read_back and s.object.startswith("pdev:"):
            got.append((s.object, s.to))
    # a state that was inferred first and read back later is no new change: what is left must be in the recording
    assert [w for w in want if w in got] == got
    assert {p: s for p, s in last.items() if p in seen} == {p: s for p, s in seen.items() if p in last}


def test_a_connect_of_1_1_has_its_steps():
    capture = opened("alp16-nominal")
    connect = next(q for q in capture.sequences if q.kind == "connect")
    assert connect.outcome == "ok"
    assert [s.name for s in connect.steps] == ["delegate", "create", "negotiate", "set key", "session"]
    names = {s.name: [capture.name_text(int(i)) for i in s.calls] for s in connect.steps}
    assert "RMI_PDEV_AUX_COUNT" in names["create"]
    assert names["create"].count("RMI_GRANULE_DELEGATE") == int(recorded_aux_count("alp16-nominal"))
    assert names["set key"][0] == "RMI_PDEV_SET_PUBKEY"
    assert set(names["session"]) == {"RMI_PDEV_COMMUNICATE", "RMI_PDEV_GET_STATE"}
    last = capture.call(connect.last)
    assert last.name == "RMI_PDEV_GET_STATE"
    assert last.results[0].value == 3  # PDEV_READY


def recorded_aux_count(run: str) -> int:
    return next(int(c["out"][1], 16) for c in recorded(run) if int(c["in"][0], 16) == 0xC4000156)


def test_1_1_from_connect_to_teardown():
    assert outcomes(opened("alp16-nominal")) == [
        ("connect", "ok"),
        ("key refresh", "ok"),
        ("ide reset", "ok"),
        ("realm build", "ok"),
        ("realm run", "ok"),
        ("attach", "ok"),
        ("detach", "ok"),
        ("disconnect", "ok"),
        ("realm teardown", "ok"),
    ]


def test_2_0_from_connect_to_teardown():
    capture = opened("head-nominal")
    assert sorted(outcomes(capture)) == sorted(
        [
            ("realm build", "ok"),
            ("connect", "ok"),  # the root port
            ("connect", "ok"),  # the endpoint, with its stream
            ("key refresh", "ok"),
            ("realm run", "ok"),
            ("attach", "ok"),
            ("detach", "ok"),
            ("disconnect", "ok"),
            ("realm teardown", "ok"),
        ]
    )
    endpoint = next(q for q in capture.sequences if q.kind == "connect" and any(s.name == "set key" for s in q.steps))
    assert [s.name for s in endpoint.steps] == [
        "delegate", "create", "negotiate", "set key", "session", "stream connect", "stream complete"
    ]  # fmt: skip


def test_operations_belong_to_the_command_that_started_them():
    capture = opened("head-nominal")
    want: dict[int, int] = {}
    open_by_handle: dict[int, int] = {}
    for seq, call in enumerate(recorded("head-nominal")):
        x, out = [int(v, 16) for v in call["in"]], [int(v, 16) for v in call["out"]]
        if x[0] in (0xC4000203, 0xC4000208, 0xC4000209, 0xC400020A):
            want[seq] = open_by_handle[x[1]]
        elif out[0] & 0xFF == INCOMPLETE:
            open_by_handle[out[1]] = seq
    assert want
    assert {s: int(p) for s, p in enumerate(capture.calls.parent.tolist()) if p >= 0} == want


def test_a_flipped_byte_in_the_session_fails_the_connect_there():
    connect = next(q for q in opened("head-corrupt5").sequences if q.kind == "connect" and q.outcome == "failed")
    assert [s.name for s in connect.steps if s.outcome == "failed"] == ["session"]
    assert "PDEV_ERROR" in connect.why


def test_a_device_that_does_not_answer_fails_the_connect():
    connect = next(q for q in opened("head-doefail6").sequences if q.kind == "connect" and q.outcome == "failed")
    assert [s.name for s in connect.steps if s.outcome == "failed"] == ["session"]
    assert "RMI_PDEV_ABORT" in connect.why


def test_the_real_failed_connect_reads_as_what_happened():
    """A connect that ends in 'Creating secure session failed': STOP, DESTROY and undelegate are refused after that."""
    for path in ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log"):
        capture = open_capture([str(ROOT / "captures" / path)])
        connect, disconnect = capture.sequences
        assert (connect.kind, connect.outcome) == ("connect", "failed")
        assert [s.name for s in connect.steps if s.outcome == "failed"] == ["session"]
        assert (disconnect.kind, disconnect.outcome) == ("disconnect", "failed")
        assert [(s.name, s.outcome) for s in disconnect.steps] == [
            ("stop", "failed"),
            ("destroy", "failed"),
            ("undelegate", "failed"),
        ]
        whys = {s.name: s.why for s in disconnect.steps}
        assert "RMI_PDEV_ABORT" in whys["stop"]
        assert "PDEV_STOPPED" in whys["destroy"]
        assert "not DELEGATED" in whys["undelegate"]
        if path.endswith(".log"):
            assert "Creating secure session failed with status 0x80040001" in connect.why


def test_the_console_of_the_same_run_tells_the_host_why():
    paths = [str(ROOT / "captures" / p) for p in ("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log")]
    capture = open_capture(paths)
    host, *others = (q for q in capture.sequences if q.kind == "connect")
    assert host.source == 0
    assert "rme-uart0.log says: Creating secure session failed with status 0x80040001" in host.why
    assert not others  # both sides show the same connect


READY = ("trace-dat/ready.dat", "mixed/rme-ready-uart.log")
"""One run of a Linux host and TF-RMM, traced by the host and printed by the RMM."""


@pytest.mark.parametrize("names", [READY, READY[:1], READY[1:]], ids=" ".join)
def test_the_real_connect_that_reaches_ready(names: tuple[str, ...]):
    """The RMM's rows answer PDEV_GET_STATE with 1, 3 and 4: NEEDS_KEY, READY, STOPPED in RmiPdevState of DEN0137 2.0-bet3."""
    capture = open_capture([str(ROOT / "captures" / name) for name in names])
    assert not capture.calls.failed.any()
    assert [(q.kind, q.object, q.outcome) for q in capture.sequences] == [
        ("connect", "pdev:0x5265f000", "ok"),
        ("disconnect", "pdev:0x5265f000", "ok"),
    ]
    said = [s.to for s in capture.states if s.object == "pdev:0x5265f000" and not s.inferred]
    assert [s for s in said if s in ("NEEDS_KEY", "READY", "STOPPED")] == ["NEEDS_KEY", "READY", "STOPPED"]
    connect = next(iter(capture.sequences))
    assert [s.name for s in connect.steps if s.name != "delegate"] == ["create", "negotiate", "set key", "session"]


def test_the_rows_of_the_rmm_are_calls_of_the_host():
    """32 rows on the UART, all among the 76 calls whose SMC trace-cmd report shows in the host's trace."""
    capture = open_capture([str(ROOT / "captures" / name) for name in READY])
    assert len(re.findall("^ *SMC_RMI_", (ROOT / "captures" / READY[1]).read_text(), re.MULTILINE)) == 32
    assert len(capture.calls) == 76


def test_the_messages_of_the_real_connect():
    """The second byte of each of the 18 DOE payloads, read in DSP0274's table of codes; the secured ones by their DOE type 2."""
    capture = open_capture([str(ROOT / "captures" / READY[0])])
    (talk,) = capture.conversations.list
    assert [m.name for m in talk.messages] == [
        "GET_VERSION", "VERSION", "GET_CAPABILITIES", "CAPABILITIES", "NEGOTIATE_ALGORITHMS", "ALGORITHMS",
        "GET_CERTIFICATE", "CERTIFICATE", "GET_CERTIFICATE", "CERTIFICATE", "KEY_EXCHANGE", "KEY_EXCHANGE_RSP",
        "FINISH", "FINISH_RSP", "SECURED", "SECURED", "GET_VERSION", "VERSION",
    ]  # fmt: skip


def test_realm_of_1_0():
    capture = opened("rel0-nominal")
    assert outcomes(capture) == [("realm build", "ok"), ("realm run", "ok"), ("realm teardown", "ok")]
    assert [s.name for s in capture.sequences[0].steps] == ["create", "populate", "rec create", "activate"]
    assert [(s.frm, s.to) for s in capture.states] == [(None, "NEW"), ("NEW", "ACTIVE"), ("ACTIVE", "destroyed")]


VDEV = """\
SMC_RMI_VERSION                   10000 > RMI_SUCCESS 10000 10001
SMC_RMI_VDEV_AUX_COUNT            0 0 > RMI_SUCCESS 0
SMC_RMI_VDEV_CREATE               81000000 82000000 83000000 84000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_GET_STATE            83000000 > RMI_SUCCESS 1
SMC_RMI_VDEV_LOCK                 81000000 82000000 83000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_GET_STATE            83000000 > RMI_SUCCESS 2
SMC_RMI_VDEV_GET_MEASUREMENTS     81000000 82000000 83000000 86000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_GET_INTERFACE_REPORT 81000000 82000000 83000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_START                81000000 82000000 83000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_GET_STATE            83000000 > RMI_SUCCESS 3
SMC_RMI_PDEV_STOP                 82000000 > RMI_ERROR_DEVICE
SMC_RMI_VDEV_UNLOCK               81000000 82000000 83000000 > RMI_SUCCESS
SMC_RMI_VDEV_COMMUNICATE          81000000 82000000 83000000 85000000 > RMI_SUCCESS
SMC_RMI_VDEV_GET_STATE            83000000 > RMI_SUCCESS 1
SMC_RMI_VDEV_DESTROY              81000000 82000000 83000000 > RMI_SUCCESS
"""


def test_the_life_of_a_vdev(tmp_path: Path):
    """Rows in the order of DEN0137 1.1's VDEV machine; state numbers as in its RmiVdevState."""
    log = tmp_path / "rmm.log"
    log.write_text(VDEV)
    capture = open_capture([str(log)])
    assert [(q.kind, q.object, q.outcome) for q in capture.sequences if q.object.startswith("vdev")] == [
        (kind, "vdev:0x83000000", "ok")
        for kind in ("attach", "lock", "measurements", "interface report", "start", "unlock", "detach")
    ]
    changes = [(s.frm, s.to) for s in capture.states if s.object == "vdev:0x83000000"]
    assert changes == [
        (None, "NEW"), ("NEW", "UNLOCKED"), ("UNLOCKED", "LOCKED"), ("LOCKED", "STARTED"), ("STARTED", "UNLOCKED"),
        ("UNLOCKED", "destroyed"),
    ]  # fmt: skip
    stop = next(q for q in capture.sequences if q.kind == "disconnect")
    assert "vdev:0x83000000 of it has not been destroyed" in stop.why
