"""Which structure bytes are, against recordings whose caller said what it handed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.answers.structures import ranked
from rmitrace.capture import open_capture

RMM = Path(__file__).parents[3] / "captures" / "rmm"
HANDED = {
    "RMI_REALM_CREATE": "RmiRealmParams",
    "RMI_REC_CREATE": "RmiRecParams",
    "RMI_PDEV_CREATE": "RmiPdevParams",
    "RMI_PDEV_SET_PUBKEY": "RmiPublicKeyParams",
    "RMI_PDEV_STREAM_CONNECT": "RmiPdevStreamParams",
    "RMI_PDEV_COMMUNICATE": "RmiDevCommData",
    "RMI_VDEV_COMMUNICATE": "RmiDevCommData",
}


@pytest.mark.parametrize("name", ["tf-rmm-head-nominal", "tf-rmm-alp16-nominal"])
def test_pages_that_were_handed_over(name: str) -> None:
    """The first one of the ranking is the one that the command takes, and in the revision that the firmware speaks."""
    capture = open_capture([str(RMM / f"{name}.calls.jsonl.xz")])
    seen: dict[str, int] = {}
    for seq in range(len(capture)):
        wanted = HANDED.get(capture.name_text(seq))
        if wanted is None or seen.get(wanted, 0) >= 3:
            continue
        for buffer, _ in capture.call(seq).buffers:
            if buffer.struct == wanted and buffer.when == "enter" and sum(b != 0 for b in buffer.data) > 4:
                seen[wanted] = seen.get(wanted, 0) + 1
                best = ranked(buffer.data)[0]
                assert best.name == wanted
    assert {"RmiRealmParams", "RmiRecParams", "RmiPdevParams", "RmiDevCommData"} <= seen.keys()


def test_bytes_that_are_cut_behind_the_last_one() -> None:
    """RmiPdevParams of 1.1: flags 3, pdev_id 0x100, num_aux 2 at 0x48, two auxiliary granules from 0x100 on."""
    page = bytearray(0x110)
    page[0], page[9], page[0x48] = 3, 1, 2
    page[0x100:0x110] = (0x88001000).to_bytes(8, "little") + (0x88002000).to_bytes(8, "little")
    best = ranked(bytes(page))[0]
    assert (best.name, best.revisions) == ("RmiPdevParams", ("1.1-alp17",))
    in_2_0 = ranked(bytes(page), "2.0-bet3")[0]
    assert in_2_0.against or in_2_0.name != "RmiPdevParams"


def test_nothing() -> None:
    assert ranked(b"") == []
    assert ranked(bytes(4096)) == []
    assert ranked(b"\1" * (1 << 20)) == []
