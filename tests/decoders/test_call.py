"""Whole calls: registers as TF-RMM consoles and host traces have them, meanings from DEN0137."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import decoders
from decoders.tree import Node

ALL_ONES = (1 << 64) - 1


def call(x: list[int | None], r: list[int | None] | None = None, revision: str = "2.0-bet3") -> Node:
    node = decoders.decode_call(x, r, revision=revision)
    assert [c.name for c in node.children] == ["args", "result", "results"]
    return node


def texts(node: Node, part: str) -> dict[str, str]:
    group = node.child(part)
    assert group is not None
    return {c.name: c.text for c in group.children}


def at(node: Node, path: str) -> Node:
    found = node.find(path)
    assert found is not None, path
    return found


def test_arguments_by_name_and_type() -> None:
    node = call([0xC400015D, 0x88001000, 0x88002000, 0x40000000, 3], [0], "1.0-rel0")
    assert (node.name, node.value, node.text, node.note) == ("RMI_RTT_CREATE", 0xC400015D, "0xc400015d", None)
    assert texts(node, "args") == {"rd": "0x88001000", "rtt": "0x88002000", "ipa": "0x40000000", "level": "3"}
    assert texts(node, "results") == {}
    assert all(n.offset is None for n in node.walk())


def test_a_negative_level_keeps_its_raw_value() -> None:
    level = at(call([0xC400015E, 0, 0, ALL_ONES]), "args.level")
    assert (level.value, level.text) == (ALL_ONES, "-1")


def test_the_sve_hint_does_not_matter() -> None:
    assert call([0xC4010175, 1, 2]).name == "RMI_PDEV_COMMUNICATE"


def test_registers_beyond_the_arguments_are_not_listed() -> None:
    assert list(texts(call([0xC400015B, 0x1000, 7, 8, 9]), "args")) == ["rec_ptr"]


def test_registers_that_are_not_known() -> None:
    node = call([0xC4000176, None], [None, 1])
    assert [(c.name, c.value, c.text) for c in at(node, "args").children] == [
        ("pdev_ptr", None, "?"),
        ("params_ptr", None, "?"),
    ]
    assert (at(node, "result").value, at(node, "result").text, at(node, "result").children) == (None, "?", ())
    assert texts(node, "results") == {}


def test_a_result_register_that_is_not_known() -> None:
    assert texts(call([0xC4000178, 0x1000], [0], "1.1-alp17"), "results") == {"state": "?"}


def test_no_result_was_seen() -> None:
    node = call([0xC4000176, 1, 2], None)
    assert (at(node, "result").text, at(node, "results").children) == ("?", ())


def test_an_unknown_function_id_register() -> None:
    for x in ([], [None], [None, 5]):
        node = call(list(x))
        assert (node.name, node.value, node.text) == ("unknown", None, "?")


def test_index_of_1_x() -> None:
    # TF-RMM: SMC_RMI_RTT_DESTROY rd 200000 3 > RMI_ERROR_RTT 2 0 40000000
    node = call([0xC400015E, 0x7F40B2BD5000, 0x200000, 3], [0x204, 0, 0x40000000], "1.1-alp17")
    result = at(node, "result")
    assert (result.value, result.text, result.note) == (0x204, "RMI_ERROR_RTT (4), index=2", None)
    assert texts(node, "result") == {"status": "RMI_ERROR_RTT (4)", "index": "2"}
    assert at(node, "result.status").value == 4
    assert texts(node, "results") == {"top": "0x40000000"}  # rtt is not valid on an error


def test_level_of_2_0() -> None:
    node = call([0xC400015E, 0x1000, 0x200000, 3], [0x204, 0, 0x40000000])
    assert texts(node, "result") == {"status": "RMI_ERROR_RTT (4)", "level": "2"}


def test_an_operation_that_asks_for_memory() -> None:
    # x0: 13 | DONATE 1 << 8 | can_cancel 1 << 10; x2: count 16 in [15:2], DELEGATED in [18:17]
    node = call([0xC4000176, 0x88001000, 0x88002000], [0x50D, 7, 16 << 2])
    assert at(node, "result").text == "RMI_INCOMPLETE (13), mem=DONATE, can_cancel=CAN_CANCEL"
    assert texts(node, "result") == {
        "status": "RMI_INCOMPLETE (13)",
        "mem": "OP_MEM_REQ_DONATE (1)",
        "can_cancel": "OP_CAN_CANCEL (1)",
    }
    assert texts(node, "results") == {"handle": "0x7", "donate_req": "size=PAGE_L3 | count=16 | state=DELEGATED"}


def test_an_operation_that_gives_memory_back_asks_for_none() -> None:
    assert list(texts(call([0xC4000177, 0x1000], [0x20D, 7, 99]), "results")) == ["handle"]


def test_outputs_of_success_are_not_those_of_incomplete() -> None:
    assert texts(call([0xC40001F1, 0x1000, 0x3000], [0, 0x2000]), "results") == {"out_top": "0x2000"}
    assert texts(call([0xC40001F1, 0x1000, 0x3000], [0x0D, 5]), "results") == {"handle": "0x5"}


def test_version_is_valid_on_an_error_too() -> None:
    node = call([0xC4000150, 0x10000], [1, 0x20000, 0x20000])
    assert texts(node, "args") == {"req": "1.0"}
    assert texts(node, "results") == {"lower": "2.0", "higher": "2.0"}


@pytest.mark.parametrize(
    ("revision", "index", "value", "want"),
    [
        ("1.1-alp17", 0, 1 << 42 | 0x30, "S2SZ=48 | DA | RTT_PLANE=AUX"),
        ("1.1-alp17", 1, 7, "MAX_MECID=7"),
        ("2.0-bet3", 2, 1 | 10 << 4, "DA | PDEV_MAX_VDEVS_ORDER=10"),
        ("2.0-bet3", 9, 0, "0x0"),
        ("1.0-rel0", 1, 0, "0x0"),
        ("1.0-rel0", None, 0x30, "0x30"),
    ],
)
def test_feature_registers(revision: str, index: int | None, value: int, want: str) -> None:
    assert texts(call([0xC4000165, index], [0, value], revision), "results") == {"value": want}


def test_states() -> None:
    assert texts(call([0xC4000178, 0x1000], [0, 4], "1.1-alp17"), "results") == {"state": "PDEV_IDE_RESETTING (4)"}
    assert texts(call([0xC4000178, 0x1000], [0, 4], "2.0-bet3"), "results") == {"state": "PDEV_STOPPED (4)"}
    assert texts(call([0xC4000189, 0x1000], [0, 6], "2.0-bet3"), "results") == {"state": "VDEV_KEY_PURGE (6)"}


def test_bits_beyond_a_narrow_register() -> None:
    state = at(call([0xC4000178, 0x1000], [0, 0x103], "1.1-alp17"), "results.state")
    assert (state.value, state.text, state.severity) == (3, "PDEV_READY (3)", "warning")
    assert state.note == "bits [63:8] should be zero: 0x103"


@pytest.mark.parametrize(
    ("revision", "fid", "x0", "note"),
    [
        ("1.0-rel0", 0xC4000158, 1 << 16 | 1, "bits not defined for RMI_ERROR_INPUT: 0x10000"),
        ("1.1-alp17", 0xC4000158, 0x301, "bits not defined for RMI_ERROR_INPUT: 0x300"),
        ("2.0-bet3", 0xC4000158, 0x101, "bits not defined for RMI_ERROR_INPUT: 0x100"),
        ("2.0-bet3", 0xC4000158, 0x80D, "bits not defined for RMI_INCOMPLETE: 0x800"),
        ("2.0-bet3", 0xC4000158, 0x102, "bits not defined for RMI_ERROR_REALM: 0x100"),
    ],
)
def test_bits_that_the_status_does_not_define(revision: str, fid: int, x0: int, note: str) -> None:
    result = at(call([fid, 0, 0], [x0], revision), "result")
    assert (result.note, result.severity) == (note, "warning")


def test_rec_enter_of_a_realm_that_is_off() -> None:
    result = at(call([0xC400015C, 1, 2], [0x102], "1.0-rel0"), "result")
    assert (result.text, result.note) == ("RMI_ERROR_REALM (2), index=1", None)
    result = at(call([0xC400015C, 1, 2], [0x102], "2.0-bet3"), "result")
    assert (result.text, result.severity) == ("RMI_ERROR_REALM (2), index=1", "note")


def test_status_of_a_newer_revision() -> None:
    status = at(call([0xC4000176, 1, 2], [13], "1.1-alp17"), "result.status")
    assert (status.text, status.severity) == ("RMI_INCOMPLETE (13)", "warning")
    assert status.note == "1.1-alp17 has no status 13; RMI_INCOMPLETE is newer"


def test_unknown_status() -> None:
    status = at(call([0xC4000176, 1, 2], [0xC8]), "result.status")
    assert (status.value, status.text, status.severity) == (0xC8, "unknown (0xc8)", "warning")


@pytest.mark.parametrize("x0", [ALL_ONES, 0xFFFFFFFF])
def test_not_supported(x0: int) -> None:
    node = call([0xC4000176, 1, 2], [x0, 9, 9])
    assert (at(node, "result").value, at(node, "result").text) == (x0, "SMC_NOT_SUPPORTED (-1)")
    assert at(node, "results").children == ()


def test_a_call_of_another_revision_has_its_arguments_and_says_so() -> None:
    node = call([0xC400018E, 0x1000, 0x2000], [6])
    assert (node.name, node.severity) == ("RMI_VDEV_COMPLETE", "warning")
    assert node.note == "not in 2.0-bet3; VDEV_COMPLETE of 2.0-bet1"
    assert texts(node, "args") == {"rec_ptr": "0x1000", "vdev_ptr": "0x2000"}
    assert at(node, "result").text == "RMI_ERROR_DEVICE (6)"


def test_a_call_of_a_draft_is_named() -> None:
    node = call([0xC40001E5, 0x1000, 0, 0], [0, 5], "2.0-bet1")
    assert (node.name, node.note) == ("RMI_CMEM_CREATE", "not in 2.0-bet1; CMEM_CREATE of 2.0-bet0")
    assert (texts(node, "args"), texts(node, "results")) == ({"x1": "0x1000"}, {"x1": "0x5"})


def test_an_id_that_nobody_has() -> None:
    node = call([0xC40002C5, 0x1000, None, 3, 0], [ALL_ONES])
    assert (node.name, node.value, node.text) == ("unknown", 0xC40002C5, "unknown RMI 0xc40002c5")
    assert (node.note, node.severity) == ("no revision of DEN0137 has this RMI function id", "warning")
    assert texts(node, "args") == {"x1": "0x1000", "x2": "?", "x3": "0x3"}
    vendor = call([0x82000001, 5], [7, 8])
    assert (vendor.name, vendor.text, vendor.severity) == ("unknown", "unknown SiP 0x82000001", "note")
    assert texts(vendor, "results") == {"x1": "0x8"}


def test_an_output_address_set() -> None:
    # flags: oaddr_type in [1:0]: 1 SINGLE, the descriptor itself; 2 LIST, its address, with list_count in [15:2]
    single = call([0xC40001F5, 0x1000, 0, 0x1000, 1, 0x88000000 | 1 << 2])
    assert at(single, "args.oaddr").text == "size=PAGE_L3 | count=1 | addr=0x88000000 | state=DELEGATED"
    many = call([0xC40001F5, 0x1000, 0, 0x2000, 2 | 2 << 2, 0x88000000])
    assert texts(many, "args")["flags"] == "oaddr_type=LIST | list_count=2"
    assert (at(many, "args.oaddr").text, at(many, "args.oaddr").children) == ("0x88000000", ())


def test_vdev_abort_with_one_argument() -> None:
    short = call([0xC4000185, 0x1000, 0, 0], [0], "1.1-alp17")
    assert texts(short, "args") == {"vdev_ptr": "0x1000"}
    assert at(short, "args").note
    full = call([0xC4000185, 0x1000, 0x2000, 0x3000], [0], "1.1-alp17")
    assert list(texts(full, "args")) == ["rd", "pdev_ptr", "vdev_ptr"]


def test_psci_complete_before_and_since_bet3() -> None:
    new = call([0xC4000164, 0x1000, ALL_ONES - 1])
    assert texts(new, "args") == {"calling_rec_ptr": "0x1000", "status": "PSCI_INVALID_PARAMETERS (-2)"}
    old = call([0xC4000164, 0x1000, 0x5000, ALL_ONES - 1])
    assert list(texts(old, "args")) == ["calling_rec_ptr", "target_rec_ptr", "status"]
    assert at(old, "args").note


def test_rsi() -> None:
    node = call([0xC4000197, 0x10000, 0x20000, 1, 1], [0, 0x20000, 1], "1.0-rel0")
    assert texts(node, "args") == {"base": "0x10000", "top": "0x20000", "ripas": "RAM (1)", "flags": "destroyed"}
    assert texts(node, "results") == {"new_base": "0x20000", "response": "REJECT (1)"}
    assert texts(node, "result") == {"status": "RSI_SUCCESS (0)"}
    wait = call([0xC4000195, 0x1000, 0, 0x1000], [3, 0x800], "1.0-rel0")
    assert (at(wait, "result").text, texts(wait, "results")) == ("RSI_INCOMPLETE (3)", {"len": "2048"})
    odd = at(call([0xC4000198, 0, 0], [0x100], "1.0-rel0"), "result.status")
    assert (odd.text, odd.severity) == ("unknown (0x100)", "warning")


def test_rsi_counters_in_bet3() -> None:
    assert list(texts(call([0xC400019F, *range(8)], None, "2.0-bet1"), "args"))[-1] == "report_nonce"
    assert list(texts(call([0xC400019F, *range(8)], None, "2.0-bet3"), "args"))[-1] == "report_seq"


def test_psci() -> None:
    node = call([0x84000003, 0x101, 0x80000000, 0], [0xFFFFFFFC])
    assert (node.name, at(node, "result").text, at(node, "result").value) == ("PSCI_CPU_ON", "PSCI_ALREADY_ON (-4)", 0xFFFFFFFC)
    assert list(texts(node, "args")) == ["target_cpu", "entry_point_address", "context_id"]
    version = call([0x84000000], [0x10001])
    assert (at(version, "result").text, at(version, "result").children) == ("1.1", ())


def test_a_function_id_as_argument_is_named() -> None:
    assert texts(call([0x8400000A, 0xC4000175]), "args") == {"psci_func_id": "RMI_PDEV_COMMUNICATE (0xc4000175)"}
    assert texts(call([0x80000001, 0x84000050]), "args") == {"arch_func_id": "TRNG_VERSION (0x84000050)"}


def test_key_material_is_not_in_the_tree() -> None:
    secret = next(c for table in _tables() for c in table if c.secret)
    key = 0x1122334455667788
    node = call([secret.fid, *[key] * 17], [0, *[key] * 17])
    hidden = [n for n in at(node, "args").children if n.value is None]
    assert {n.name for n in hidden} == {a.name for a in secret.args if a.reg in secret.secret}
    assert hidden


def _tables() -> list[tuple[decoders.Command, ...]]:
    from decoders import smccc

    return list(smccc.SERVICES.values())


def test_unknown_revision() -> None:
    for x in ([0xC4000150], [0x84000000], []):
        with pytest.raises(LookupError):
            decoders.decode_call(x, None, revision="3.0")


_register = st.one_of(st.none(), st.integers(0, ALL_ONES), st.integers(-5, 20), st.integers(0, (1 << 80)))
_fid = st.one_of(
    st.integers(0xC4000150, 0xC40002CF),
    st.integers(0x84000000, 0x84000120),
    st.integers(0, ALL_ONES),
    st.none(),
)


@given(
    _fid,
    st.lists(_register, max_size=18),
    st.one_of(st.none(), st.lists(_register, max_size=18)),
    st.sampled_from(decoders.REVISIONS),
)
def test_any_registers(fid: int | None, x: list[int | None], r: list[int | None] | None, revision: str) -> None:
    node = call([fid, *x], r, revision)
    for part in node.walk():
        assert part.value is None or isinstance(part.value, int)
        assert part.severity is None or part.note
    assert at(node, "result").value == (r[0] & ALL_ONES if r and r[0] is not None else None)
