"""Where a skew bites: against what the drafts' tables of differences say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.correlate.skew import Bite, bites, skews

from .test_opinions import HOSTS, LOGS


def between(host: str, firmware: str) -> dict[tuple[str, str], Bite]:
    capture = open_capture([str(HOSTS[host]), str(LOGS[firmware])])
    return {(b.kind, b.what): b for s in skews(capture) for b in bites(capture, s)}


@pytest.fixture(scope="module")
def old_kernel() -> dict[tuple[str, str], Bite]:
    """A kernel of 1.1 beside the firmware of 2.0-bet2."""
    return between("alp16", "head")


@pytest.mark.parametrize(
    "command", ["RMI_GRANULE_DELEGATE", "RMI_DATA_DESTROY", "RMI_REC_AUX_COUNT", "RMI_PDEV_AUX_COUNT", "RMI_PDEV_IDE_RESET"]
)
def test_commands_that_are_gone(old_kernel, command: str):
    assert "does not exist in 2.0" in old_kernel["command", command].text


def test_a_command_is_counted_by_its_calls(old_kernel):
    # 26 calls with function id 0xC4000151 in the recording
    with_delegate = sum(int(c["fid"], 16) & 0xFFFF == 0x151 for c in _recorded("alp16"))
    assert old_kernel["command", "RMI_GRANULE_DELEGATE"].count == with_delegate > 20


def _recorded(host: str) -> list[dict]:
    import lzma

    with lzma.open(HOSTS[host], "rt") as file:
        return [json.loads(line) for line in file]


def test_one_function_id_for_two_commands(old_kernel):
    text = old_kernel["command", "RMI_PDEV_IDE_KEY_REFRESH"].text
    assert text.startswith("0xc400017a is RMI_PDEV_IDE_KEY_REFRESH(pdev_ptr, coh)")
    assert "RMI_PDEV_STREAM_KEY_REFRESH(" in text


def test_fields_that_moved_with_what_was_written(old_kernel):
    """The firmware is bet2, which has the layout of bet3."""
    text = old_kernel["structure", "RmiPdevParams"].text
    for moved in ("pdev_id 0x8 -> 0x10", "rid_base 0x30 -> 0x28", "rid_top 0x38 -> 0x30", "hash_algo 0x40 -> 0x38"):
        assert moved in text
    create = next(c for c in _recorded("alp16") if int(c["fid"], 16) & 0xFFFF == 0x176)
    page = bytes.fromhex(create["mem_in"][create["in"][2]]).ljust(4096, b"\0")
    word = {at: int.from_bytes(page[at : at + 8], "little") for at in (0x8, 0x10, 0x28, 0x30, 0x38, 0x40)}
    said = [
        f"written as 0x{word[a]:x}, where the firmware looks it reads 0x{word[b]:x}"
        for a, b in ((0x8, 0x10), (0x30, 0x28), (0x38, 0x30), (0x40, 0x38))
    ]
    assert sum(s in text for s in said) == 1


def test_flags_of_1_1_that_are_a_category_in_2_0(old_kernel):
    text = old_kernel["flags", "RmiPdevParams.flags"].text
    assert "category [8:7] -> [2:1]" in text
    assert "ncoh_ide [1] -> -" in text
    assert "stream_wait - -> [6]" in old_kernel["flags", "RmiDevCommData.exit.flags"].text


def test_a_status_that_the_kernel_has_not(old_kernel):
    assert "status 13 is RMI_INCOMPLETE, which 1.1-alp17 has not" in old_kernel["status", "RMI_INCOMPLETE"].text


def test_a_state_with_another_name(old_kernel):
    text = old_kernel["state", "RmiPdevState 4"].text
    assert "RMI_PDEV_STOPPED of 2.0" in text
    assert "RMI_PDEV_IDE_RESETTING of 1.1-alp17" in text


def test_the_other_way_round():
    found = between("head", "alp16")
    assert ("command", "RMI_PDEV_STREAM_CONNECT") in found
    assert "RMI_PDEV_STOPPING of 1.1-alp17, for the kernel no state" in found["state", "RmiPdevState 6"].text


def test_drafts_that_differ_in_one_command():
    """GRANULE_TRACKING_GET (addr) of bet0 and bet1, (base, top) since bet2."""
    found = between("head", "mid")
    assert "x1 base is read as addr, x2 top is not read" in found["registers", "RMI_GRANULE_TRACKING_GET"].text


def test_arguments_that_are_read_as_others():
    rmm = HOSTS["head"].parent
    capture = open_capture([str(rmm / "tf-rmm-head-errors.calls.jsonl.xz"), str(rmm / "tf-rmm-head-errors.log.xz")])
    (skew,) = skews(capture)
    (bite,) = bites(capture, skew)
    assert bite.kind == "registers"
    assert "x3 pdev_ptr is read as base, x4 vdev_ptr is read as top" in bite.text
    assert bite.text.endswith("answered with RMI_ERROR_INPUT")


def test_features_that_say_something_else(tmp_path: Path):
    """Register 0 bit 42 is DA in 1.1 and nothing in 2.0; bits 32, 33 are hashes in 1.x."""
    rows = (
        ([0xC4000150, 0x10000], [1, 0x20000, 0x20000]),
        ([0xC4000165, 0], [0, 3 << 32 | 0x30]),
        ([0xC4000151, 0x88000000], [2**64 - 1]),
    )
    path = tmp_path / "calls.jsonl"
    path.write_text(
        "".join(json.dumps({"fid": hex(x[0]), "in": [hex(v) for v in x], "out": [hex(v) for v in r]}) + "\n" for x, r in rows)
    )
    capture = open_capture([str(path)])
    found = {(b.kind, b.what): b.text for s in skews(capture) for b in bites(capture, s)}
    assert "HASH_SHA_256 [32] -> -" in found["features", "RmiFeatureRegister0"]
    assert "answered with SMC_NOT_SUPPORTED" in found["command", "RMI_GRANULE_DELEGATE"]
