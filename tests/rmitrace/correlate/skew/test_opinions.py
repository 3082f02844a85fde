"""What kernel and firmware speak: every host's recording beside the console of every other firmware."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.correlate.skew import opinions, skews

ROOT = Path(__file__).parents[4]
RMM = ROOT / "captures" / "rmm"
HOSTS = {v: RMM / f"tf-rmm-{v}-nominal.calls.jsonl.xz" for v in ("head", "mid", "alp16", "rel0", "eac5")}
LOGS = {
    "head": ROOT / "tests" / "data" / "messages" / "tf-rmm-head-nominal.log.xz",
    "mid": RMM / "tf-rmm-mid-nominal.log.xz",
    "alp16": RMM / "tf-rmm-alp16-blockbuffered.log.xz",
    "rel0": RMM / "tf-rmm-rel0-nominal.log.xz",
    "eac5": RMM / "tf-rmm-eac5-nominal.log.xz",
    "pre1": RMM / "tf-rmm-pre1.log.xz",
}
# what the firmware versions are by their source: commands on Realms and granules; commands on devices
SPOKEN = {
    "head": ("2.0-bet2", "2.0"),
    "mid": ("2.0-bet0", "1.1"),
    "alp16": ("1.1", "1.1"),
    "rel0": ("1.0", None),
    "eac5": ("1.0", None),
    "pre1": ("before", None),
}
CROSSED = [(h, f) for h in HOSTS for f in LOGS]


def expected(host: str, firmware: str) -> set[str]:
    """Groups in which the two are not the same; a host without commands on devices has none to differ in."""
    (core, device), (other, devices) = SPOKEN[host], SPOKEN[firmware]
    return {g for g, differs in (("core", core != other), ("device", device is not None and device != devices)) if differs}


@pytest.mark.parametrize(("host", "firmware"), CROSSED)
def test_the_skew_between_a_host_and_another_firmware_is_named(host: str, firmware: str):
    found = skews(open_capture([str(HOSTS[host]), str(LOGS[firmware])]))
    assert {s.group for s in found} == expected(host, firmware)
    for s in found:
        assert s.kernel.evidence
        assert s.firmware.evidence
        assert s.kernel.sources == (0,)
        assert s.firmware.sources == (1,)


def stripped(firmware: str, tmp_path: Path) -> str:
    """A console without banner, version and feature rows."""
    with lzma.open(LOGS[firmware], "rt", errors="replace") as file:
        kept = [r for r in file if not any(w in r for w in ("Booting", "Interface v", "ABI", "_VERSION", "_FEATURES"))]
    path = tmp_path / "uart.log"
    path.write_text("".join(kept))
    return str(path)


@pytest.mark.parametrize(("host", "firmware"), [(h, f) for h, f in CROSSED if (h in ("head", "mid")) != (f in ("head", "mid"))])
def test_it_is_told_when_nobody_printed_a_version(host: str, firmware: str, tmp_path: Path):
    calls = tmp_path / "calls.jsonl"
    with lzma.open(HOSTS[host], "rt") as file:
        lines = [json.loads(line) for line in file]
    calls.write_text("".join(json.dumps(c) + "\n" for c in lines if int(c["fid"], 16) & 0xFFFF not in (0x150, 0x165)))
    found = skews(open_capture([str(calls), stripped(firmware, tmp_path)]))
    core = next(s for s in found if s.group == "core")
    assert {r[:2] for r in core.kernel.fits} <= ({"2."} if host in ("head", "mid") else {"1.", "be"})
    assert {r[:2] for r in core.firmware.fits} <= ({"2."} if firmware in ("head", "mid") else {"1.", "be"})


@pytest.mark.parametrize("run", ["head-nominal", "head-errors", "mid-nominal", "alp16-nominal", "rel0-nominal", "eac5-nominal"])
def test_a_run_has_no_skew_with_itself(run: str):
    paths = [str(RMM / f"tf-rmm-{run}.calls.jsonl.xz")]
    assert skews(open_capture(paths)) == []


def test_a_firmware_that_takes_fewer_arguments_than_its_own_test_passes(tmp_path: Path):
    """TF-RMM of July 2026 takes four arguments of RMI_RTT_DEV_VALIDATE, its error test still passes six."""
    paths = [str(RMM / "tf-rmm-head-errors.calls.jsonl.xz"), str(RMM / "tf-rmm-head-errors.log.xz")]
    (skew,) = skews(open_capture(paths))
    assert skew.group == "RMI_RTT_DEV_VALIDATE"
    assert skew.kernel.fits == ("1.1-alp17", "2.0-bet1")
    assert skew.firmware.fits == ("2.0-bet3",)


def calls(tmp_path: Path, *rows: tuple[list[int], list[int]]) -> str:
    path = tmp_path / "calls.jsonl"
    path.write_text(
        "".join(json.dumps({"fid": hex(x[0]), "in": [hex(v) for v in x], "out": [hex(v) for v in r]}) + "\n" for x, r in rows)
    )
    return str(path)


UNKNOWN = 2**64 - 1


def test_one_host_trace_tells_both_sides(tmp_path: Path):
    """A 1.x kernel on a 2.0 firmware: DIFF of the drafts: 0xC4000151 is unknown there, RMI_VERSION says 2.0."""
    path = calls(
        tmp_path,
        ([0xC4000150, 0x10000], [1, 0x20000, 0x20000]),
        ([0xC4000151, 0x88000000], [UNKNOWN]),
        ([0xC4000151, 0x88001000], [UNKNOWN]),
        ([0xC4000167, 0x88000000], [UNKNOWN]),
    )
    (skew,) = skews(open_capture([path]))
    assert skew.group == "core"
    assert set(skew.kernel.fits) == {"1.0-rel0", "1.1-alp17"}
    assert set(skew.firmware.fits) == {"2.0-bet1", "2.0-bet3"}


def test_devices_of_1_1_on_a_firmware_of_2_0(tmp_path: Path):
    """State 4 that a PDEV can be destroyed in is STOPPED of 2.0; a kernel of 1.1 asks for auxiliary granules first."""
    path = calls(
        tmp_path,
        ([0xC4000156, 7], [UNKNOWN]),
        ([0xC4000176, 0x88000000, 0x88001000], [0x10D, 0, 0x50]),
        ([0xC4000178, 0x88000000], [0, 4]),
        ([0xC4000177, 0x88000000], [0x20D, 0, 0]),
    )
    skew = next(s for s in skews(open_capture([path])) if s.group == "device")
    assert skew.kernel.fits == ("1.1-alp17",)
    assert set(skew.firmware.fits) == {"2.0-bet1", "2.0-bet3"}


def test_a_forced_revision_is_not_argued_with(tmp_path: Path):
    from rmitrace.capture import OpenOptions

    paths = [str(HOSTS["alp16"]), str(LOGS["head"])]
    assert skews(open_capture(paths, OpenOptions(abi="2.0-bet3"))) == []


def test_where_nothing_tells_there_is_no_opinion(tmp_path: Path):
    assert opinions(open_capture([calls(tmp_path, ([0xC4000178, 0x88000000], [0, 3]))])) == []


def test_a_host_beside_another_firmware_is_decoded_in_its_own_revision():
    capture = open_capture([str(HOSTS["alp16"]), str(LOGS["head"])])
    assert capture.revision.at(0).device == "1.1-alp17"
    assert capture.revision.at(1).device.startswith("2.0")
    shown = {(capture.call(i).source, r.text) for i in range(len(capture)) for r in capture.call(i).results if r.name == "state"}
    assert (0, "PDEV_STOPPED (7)") in shown
    assert (1, "PDEV_STOPPED (4)") in shown


def bet1_host(tmp_path: Path) -> str:
    """The recorded host as one of 2.0-bet1: RMI_GRANULE_TRACKING_GET with an address alone, and RmiPdevParams without
    hb_base (8 bytes at 0x8)."""
    rows = []
    with lzma.open(HOSTS["head"], "rt") as file:
        for row in map(json.loads, file):
            command = int(row["fid"], 16) & 0xFFFF
            if command == 0x1E1:
                row["in"][2] = "0x0"
            if command == 0x176:
                page = bytes.fromhex(row["mem_in"][row["in"][2]])
                row["mem_in"][row["in"][2]] = (page[:8] + page[16:]).hex()
            rows.append(json.dumps(row))
    path = tmp_path / "host.calls.jsonl"
    path.write_text("\n".join(rows))
    return str(path)


def test_drafts_of_2_that_differ_in_layouts(tmp_path: Path):
    """A kernel of 2.0-bet1 (RFC v4) beside a firmware of bet2: the number is 2.0 on both sides."""
    found = {s.group: s for s in skews(open_capture([bet1_host(tmp_path), str(LOGS["head"])]))}
    assert {"core", "device"} <= found.keys()
    for s in (found["core"], found["device"]):
        assert (s.kernel.fits, s.firmware.fits) == (("2.0-bet1",), ("2.0-bet3",))
    assert any("RmiPdevParams has rid_base and rid_top at 0x20" in e.text for e in found["device"].kernel.evidence)


def as_ftrace(host: str, tmp_path: Path) -> str:
    """The calls of a recorded host as its kernel's tracer shows them: registers, no memory."""
    lines = ["# tracer: nop\n"]
    with lzma.open(HOSTS[host], "rt") as file:
        for row in map(json.loads, file):
            ts = row["t"] % 1_000_000
            for at, name, regs in (
                (ts, "smc_enter: (x+0x0/0x80)", row["in"]),
                (ts + 1e-6, "smc_exit: (y+0x0/0x80 <- x)", row["out"][:4]),
            ):
                lines.append(
                    f"  kvm-100   [000] d....  {at:.6f}: {name} " + " ".join(f"a{i}={v}" for i, v in enumerate(regs)) + "\n"
                )
    path = tmp_path / "host.trace.txt"
    path.write_text("".join(lines))
    return str(path)


@pytest.mark.parametrize("host", HOSTS)
def test_registers_alone_tell_it_too(host: str, tmp_path: Path):
    """Every host as a trace without memory, beside the console of every firmware."""
    trace = as_ftrace(host, tmp_path)
    for firmware, log in LOGS.items():
        found = skews(open_capture([trace, str(log)]))
        assert {s.group for s in found} == expected(host, firmware), firmware
        assert all(s.kernel.evidence and s.firmware.evidence for s in found)


def test_a_range_of_routing_ids_tells_the_layout_of_its_page():
    own = [o for o in opinions(open_capture([str(HOSTS["head"])])) if (o.side, o.group) == ("kernel", "device")]
    assert [o.fits for o in own] == [("2.0-bet3",)]
    assert any("behind hb_base" in e.text for o in own for e in o.evidence)
