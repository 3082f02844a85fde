"""The signs by which a revision is told, each from DEN0137's differences, one at a time."""

from __future__ import annotations

import pytest

from rmitrace.capture.pairing import pair
from rmitrace.capture.records import Kind, RecordBuilder
from rmitrace.capture.revision import Signs

BASE = 0xC4000000


def decide(*calls: tuple[list[int], list[int] | None], texts: tuple[str, ...] = (), rows: bool = False, names=()):
    b = RecordBuilder()
    for i, (x, r) in enumerate(calls):
        name = names[i] if names else None
        b.add(Kind.WHOLE_IN if rows else Kind.ENTER, i * 10, 5, pid=1, name=name, regs=x)
        if r is not None:
            b.add(Kind.WHOLE_OUT if rows else Kind.EXIT, i * 10, 5, pid=1, name=name, regs=r)
    records = b.finish()
    p = pair(records, lambda n: "", lambda n: False)
    signs = Signs()
    signs.from_calls(records, p.enter, p.exit)
    signs.from_texts(texts)
    return signs.decide()


def test_version_answer_and_1x_granule_calls_make_1_0():
    r = decide(([BASE + 0x150, 0x10000], [0, 0x10000, 0x10000]), ([BASE + 0x151, 0x1000], [0]))
    assert r.core == "1.0-rel0"
    assert any("1.0 to 1.0" in e for e in r.evidence)


def test_a_firmware_that_answers_1_1_makes_1_1():
    assert decide(([BASE + 0x150, 0x10000], [0, 0x10000, 0x10001])).core == "1.1-alp17"


def test_a_kernel_that_asks_for_1_0_and_uses_1_1_devices():
    r = decide(([BASE + 0x150, 0x10000], [0, 0x10000, 0x10000]), ([BASE + 0x156, 7], [0, 3]), ([BASE + 0x176, 1, 2], [0]))
    assert r.device == "1.1-alp17"


@pytest.mark.parametrize("fid", [0x1F1, 0x1F2, 0x202, 0x208])
def test_20_function_ids(fid: int):
    assert decide(([BASE + fid, 0x1000, 0x2000], [0, 0x2000])).core.startswith("2.0")


def test_a_function_id_that_the_firmware_does_not_know_says_nothing_of_the_firmware():
    assert decide(([BASE + 0x1EE], [2**64 - 1]), ([BASE + 0x151, 1], [0])).core == "1.0-rel0"


def test_incomplete_is_20():
    r = decide(([BASE + 0x176, 1, 2], [0x10D, 0, 0x50]))
    assert r.core.startswith("2.0")
    assert r.device.startswith("2.0")


def test_core_20_and_devices_1_1_are_told_apart():
    r = decide(([BASE + 0x1F1, 0, 0x1000], [0, 0x1000]), ([BASE + 0x156, 7], [0, 3]), ([BASE + 0x178, 1], [0, 7]))
    assert r.core.startswith("2.0")
    assert r.device == "1.1-alp17"
    assert "devices 1.1-alp17" in r.name
    assert r.of("RMI_PDEV_CREATE") == "1.1-alp17"
    assert r.of("RMI_REALM_CREATE") == r.core


def test_tracking_get_tells_bet1_from_bet3():
    args = [BASE + 0x1E1, 0x1000]
    assert decide((args, [0, 0, 1]), rows=True).core == "2.0-bet1"
    assert decide(([*args, 0x2000], [0, 0, 1, 0x2000]), rows=True).core == "2.0-bet3"


def test_states_above_five_are_1_1():
    assert decide(([BASE + 0x178, 1], [0, 6])).device == "1.1-alp17"


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("RMI/RSI ABI v.1.0/1.0 built: May 31 2024", "1.0-rel0"),
        ("RMI ABI revision v1.1", "1.1-alp17"),
        ("RMI ABI revision v2.0", "2.0-bet3"),
        ("kvm [1]: RMI ABI version 2.0", "2.0-bet3"),
    ],
)
def test_banners_and_kernel_lines(text: str, core: str):
    assert decide(texts=(text,)).core == core


def test_row_names_tell_a_function_id_that_changed_its_meaning():
    call = ([BASE + 0x153, 1, 2, 3, 4, 0], [0])
    assert decide(call, rows=True, names=("RMI_DATA_CREATE",)).core == "1.0-rel0"
    assert decide(call, rows=True, names=("RMI_RTT_DATA_MAP_INIT",)).core == "2.0-bet3"


def test_nothing_said_is_said():
    r = decide(([0x84000000], [0x10001]))
    assert r.assumed
    assert "assumed" in r.evidence[-1]
