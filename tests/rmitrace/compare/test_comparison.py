"""Two runs compared: equal ones at other addresses, and what went another way in those that failed."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture import open_capture
from rmitrace.compare import Comparison, compare_captures, objects_in, roles
from rmitrace.compare.comparison import interleaved

from .runs import ROOT, moved, path, recorded, written


def between(a: str, b: str) -> Comparison:
    return compare_captures(open_capture([a]), open_capture([b]))


@pytest.mark.parametrize("run", ["head-nominal", "head-errors", "alp16-nominal", "mid-nominal", "rel0-nominal"])
def test_a_run_at_other_addresses_is_the_same(run: str, tmp_path: Path):
    found = between(path(run), written(moved(recorded(run), 0x1234000), tmp_path / "b.jsonl"))
    assert found.same, [found.rows[k] for k in found.differing[:3]]
    assert len(found.rows) == len(recorded(run))


@pytest.mark.parametrize(
    ("a", "b"), [("head-nominal", "head-corrupt5"), ("head-errors", "head-nominal"), ("mid-nominal", "alp16-nominal")]
)
def test_it_is_the_same_a_few_calls_at_a_time(a: str, b: str, monkeypatch: pytest.MonkeyPatch):
    whole = between(path(a), path(b))
    for module in ("normal", "align", "pointers", "comparison"):
        monkeypatch.setattr(f"rmitrace.compare.{module}.AT_ONCE", 7)
    monkeypatch.setattr("rmitrace.compare.objects._AT_ONCE", 3)
    monkeypatch.setattr("rmitrace.correlate.anchors._AT_ONCE", 5)
    monkeypatch.setattr("rmitrace.compare.rows._KEPT", 1)
    few = between(path(a), path(b))
    assert list(few.rows) == list(whole.rows)
    assert (few.differing, few.counted, few.first) == (whole.differing, whole.counted, whole.first)
    assert (few.called, few.sequences, few.times) == (whole.called, whole.sequences, whole.times)


@pytest.mark.parametrize("version", ["head", "rel0"])
def test_the_consoles_of_two_runs_of_one_test_are_the_same(version: str):
    """Another run of the same firmware: other addresses, and another challenge for the attestation token."""
    first = {
        "head": ROOT / "tests" / "data" / "messages" / "tf-rmm-head-nominal.log.xz",
        "rel0": ROOT / "captures" / "rmm" / "tf-rmm-rel0-nominal.log.xz",
    }[version]
    found = between(str(first), str(ROOT / "tests" / "data" / "compare" / f"tf-rmm-{version}-console.log.xz"))
    assert found.same
    assert roles(found.a).keys().isdisjoint(roles(found.b))
    assert sorted(roles(found.a).values()) == sorted(roles(found.b).values())


def test_a_corrupted_answer_is_found_where_the_runs_part():
    """The device's answer to the fifth exchange has one bit flipped: the RMM gives up and asks for nothing more."""
    found = between(path("head-nominal"), path("head-corrupt5"))
    first = found.rows[found.first]
    good, bad = recorded("head-nominal"), recorded("head-corrupt5")
    # by hand: up to the call before this one both recordings have the same commands and statuses
    kind = [[(int(c["fid"], 16), int(c["out"][0], 16)) for c in run[: first.a + 1]] for run in (good, bad)]
    assert kind[0] == kind[1]
    assert (first.a, first.b) == (91, 91)
    assert {(d.what, d.name, d.a, d.b) for d in first.differences} == {
        ("memory", "RmiDevCommData.exit.flags.req_send", "1", "0"),
        ("memory", "RmiDevCommData.exit.req_len", "154", "0"),
        ("message", "request", "KEY_EXCHANGE", "none"),
    }
    after = found.rows[found.first + 1]
    assert [(d.what, d.a, d.b) for d in after.differences] == [("state", "PDEV_HAS_KEY (2)", "PDEV_ERROR (5)")]
    assert found.sequences[0].name == "connect pdev B"
    assert (found.sequences[0].a, found.sequences[0].b) == ("ok", "failed at session")


def test_a_device_that_does_not_answer():
    found = between(path("head-nominal"), path("head-doefail6"))
    assert [(d.what, d.name, d.a, d.b) for d in found.rows[found.first].differences] == [
        ("message", "response", "KEY_EXCHANGE_RSP", "none")
    ]


def test_a_run_with_wrong_calls_has_those_more(tmp_path: Path):
    """The errors scenario is the nominal one with wrong calls put between."""
    found = between(path("alp16-nominal"), path("alp16-errors"))
    assert len(found.a) == len(recorded("alp16-nominal"))
    assert found.counted["only in B"] - found.counted["only in A"] == len(found.b) - len(found.a)
    assert found.counted["only in A"] < 10
    assert found.rows[found.first].a == -1
    assert found.b.capture.calls.failed[found.rows[found.first].b]


def changed(calls, tmp_path: Path, edit) -> Comparison:
    new = [dict(c, **{"in": list(c["in"]), "out": list(c["out"])}) for c in calls]
    edit(new)
    return between(path("head-nominal"), written(new, tmp_path / "b.jsonl"))


def index_of(calls, low: int, nth: int = 0) -> int:
    return [i for i, c in enumerate(calls) if int(c["fid"], 16) & 0xFFFF == low][nth]


def test_a_status_that_differs_is_the_first(tmp_path: Path):
    calls = recorded("head-nominal")
    at = index_of(calls, 0x17B)  # PDEV_SET_PUBKEY

    def edit(new):
        new[at]["out"][0] = "0x1"

    found = changed(calls, tmp_path, edit)
    assert found.rows[found.first].b == at
    assert [(d.what, d.a, d.b) for d in found.rows[found.first].differences] == [("status", "RMI_SUCCESS", "RMI_ERROR_INPUT")]


def test_one_question_more_does_not_matter_first(tmp_path: Path):
    calls = recorded("head-nominal")
    early, late = index_of(calls, 0x178), index_of(calls, 0x17C)  # a GET_STATE, PDEV_STOP

    def edit(new):
        new[late]["out"][0] = "0x6"
        new.insert(early, dict(new[early]))

    found = changed(calls, tmp_path, edit)
    assert found.counted["only in B"] == 1
    assert found.rows[found.first].b == late + 1


def test_two_calls_in_another_order(tmp_path: Path):
    calls = recorded("head-nominal")
    at = index_of(calls, 0x158)  # REALM_CREATE, before it a delegation

    def edit(new):
        times = [c["t"] for c in new]
        new.insert(at - 1, new.pop(at))
        for c, t in zip(new, times, strict=True):
            c["t"] = t

    found = changed(calls, tmp_path, edit)
    assert (found.counted["only in A"], found.counted["only in B"]) == (1, 1)


def test_a_pointer_to_another_page_than_before(tmp_path: Path):
    calls = recorded("head-nominal")
    at = index_of(calls, 0x175, 5)
    page = calls[at]["in"][2]
    other = hex(int(page, 16) + 0x7000)

    def edit(new):
        new[at]["in"][2] = other

    found = changed(calls, tmp_path, edit)
    row = found.rows[found.first]
    assert row.b == at
    assert [(d.what, d.name, d.a, d.b[: len(other)]) for d in row.differences if d.what == "parameter"] == [
        ("parameter", "data_ptr", page, other)
    ]


def test_a_field_of_a_parameter_page(tmp_path: Path):
    calls = recorded("head-nominal")
    at = index_of(calls, 0x176, 1)
    page = calls[at]["in"][2]

    def edit(new):
        data = bytearray(bytes.fromhex(new[at]["mem_in"][page]).ljust(64, b"\0"))
        assert data[0x38] in (0, 1)  # hash_algo of 2.0-bet3
        data[0x38] ^= 1
        new[at]["mem_in"] = {page: data.hex()}

    found = changed(calls, tmp_path, edit)
    (difference,) = found.rows[found.first].differences
    assert (difference.what, difference.name) == ("memory", "RmiPdevParams.hash_algo")


def test_what_is_ignored_does_not_count():
    a, b = (open_capture([path(run)]) for run in ("head-nominal", "head-doefail6"))
    some = compare_captures(a, b, frozenset(("message", "time")))
    assert all(d.what != "message" for k in some.differing for d in some.rows[k].differences if d.what not in some.ignored)
    everything = frozenset(("order", "status", "parameter", "output", "state", "memory", "message", "sequence", "time"))
    assert compare_captures(a, b, everything).same


def test_a_host_and_a_console_are_compared_in_what_both_show():
    found = between(path("rel0-nominal"), str(ROOT / "captures" / "rmm" / "tf-rmm-rel0-nominal.log.xz"))
    assert found.same
    assert len(found.a) == len(found.b) == 7
    assert found.left_out == (len(recorded("rel0-nominal")) - 7, 12)  # 12 calls of the Realm


def test_objects_are_called_by_the_order_in_which_they_are_made():
    found = between(path("head-nominal"), path("head-nominal"))
    called = roles(found.a)
    made = [c["in"][1] for c in recorded("head-nominal") if int(c["fid"], 16) & 0xFFFF == 0x176]
    assert [called[f"pdev:{a}"] for a in made] == ["pdev A", "pdev B"]


@settings(deadline=None)
@given(st.data())
def test_rows_hold_every_call_once_in_order(data):
    n, m = data.draw(st.integers(0, 8)), data.draw(st.integers(0, 8))
    k = data.draw(st.integers(0, min(n, m)))
    i = np.array(sorted(data.draw(st.permutations(range(n)))[:k]), dtype=np.int64)
    j = np.array(sorted(data.draw(st.permutations(range(m)))[:k]), dtype=np.int64)
    left, right, places = interleaved(n, m, i, j)
    assert [x for x in left.tolist() if x >= 0] == list(range(n))
    assert [x for x in right.tolist() if x >= 0] == list(range(m))
    assert [(int(left[p]), int(right[p])) for p in places] == list(zip(i.tolist(), j.tolist(), strict=True))
    assert not ((left < 0) & (right < 0)).any()


@pytest.mark.parametrize("seed", range(8))
def test_calls_taken_out_are_what_differs(seed: int, tmp_path: Path):
    """Whichever calls of one run are taken out, also those that make an object: the others keep what they are called."""
    calls = recorded("rel0-nominal") if seed % 2 else recorded("alp16-nominal")
    run = "rel0-nominal" if seed % 2 else "alp16-nominal"
    gone = set(random.Random(seed).sample(range(len(calls)), 3))
    found = between(path(run), written([c for k, c in enumerate(calls) if k not in gone], tmp_path / "b.jsonl"))
    alone = [row for row in found.rows if row.b < 0]
    assert sorted(calls[row.a]["fid"] for row in alone) == sorted(calls[k]["fid"] for k in gone)
    assert not [row for row in found.rows if row.a < 0]
    assert not [d for row in found.rows for d in row.differences if d.what in ("status", "parameter", "output", "state")]


def test_pages_are_called_by_what_they_are_for():
    """The auxiliary granules as the parameters of the REC list them (RmiRecParams of 1.1: num_aux at 0x800, aux from 0x808)."""
    calls = recorded("alp16-nominal")
    create = calls[index_of(calls, 0x15A)]
    params = bytes.fromhex(create["mem_in"][create["in"][3]])
    third = int.from_bytes(params[0x808 + 3 * 8 : 0x810 + 3 * 8], "little")
    found = between(path("alp16-nominal"), path("alp16-nominal"))
    assert found.called[0][hex(third)] == "aux 3 of rec A"
    delegated = next(k for k, c in enumerate(calls) if int(c["fid"], 16) == 0xC4000151 and int(c["in"][1], 16) == third)
    call = found.a.capture.call(delegated)
    assert objects_in(found.a, call, found.called[0]) == [("addr", hex(third), "aux 3 of rec A")]
