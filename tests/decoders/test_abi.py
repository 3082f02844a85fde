"""The short forms the tables are written in: a row that is not well written is an error, not another meaning."""

from __future__ import annotations

import pytest

from decoders.abi import BitField, Profile, Vocabulary, bit, bits, failures, flags, remarks, stateful, structs

WORDS = Vocabulary(
    "RMI_", {"rd": ("Address", "realm"), "flags": ("", "flags"), "flags:RmiDataFlags": ("RmiDataFlags", "measure")}
)


def profile() -> Profile:
    old, gone = WORDS.commands("0xC4000150 RMI_OLD does a thing\n    rd -> top@SUCCESS|ERROR_RTT\n0xC4000151 RMI_GONE x", "RMI")
    return Profile(
        "1.0",
        "RMI_",
        {old.name: old, gone.name: gone},
        {"RmiA": {0: "RMI_ZERO", 1: "RMI_ONE"}, "RmiGone": {0: "RMI_X"}, "RmiStatusCode": {0: "RMI_SUCCESS"}},
        {"RmiF": flags("a", "b")},
        structs("RmiS 0x20\n    0x000 8 a Bits64\n    0x010 4x2 b Bits32 [a] two words"),
        {},
    )


def test_a_command_row() -> None:
    (command,) = WORDS.commands(
        "0xC4000175 RMI_X  what it does\n    rd value_0..2 flags:RmiDataFlags[7:0] -> top@SUCCESS|ERROR_RTT state +memory", "RMI"
    )
    assert (command.fid, command.name, command.summary, command.stateful) == (0xC4000175, "RMI_X", "what it does", "memory")
    assert [(r.reg, r.name, r.type, r.bits) for r in command.args] == [
        (1, "rd", "Address", None),
        (2, "value_0", "", None),
        (3, "value_1", "", None),
        (4, "value_2", "", None),
        (5, "flags", "RmiDataFlags", (0, 7)),
    ]
    assert command.args[4].desc == "measure"
    assert [(r.reg, r.name, r.valid_on) for r in command.outputs] == [
        (1, "top", ("RMI_SUCCESS", "RMI_ERROR_RTT")),
        (2, "state", ("RMI_SUCCESS",)),
        (1, "handle", ("RMI_INCOMPLETE",)),
        (2, "donate_req", ("RMI_INCOMPLETE",)),
    ]


def test_a_plain_operation_has_no_donation() -> None:
    old = profile().commands["RMI_OLD"]
    assert [r.name for r in stateful(old, "plain").outputs] == ["top", "handle"]


@pytest.mark.parametrize("row", ["rd,top", "rd@", "rd:[7:0]", "rd[7]"])
def test_a_bad_register_is_an_error(row: str) -> None:
    with pytest.raises(ValueError, match="not a register"):
        WORDS.registers(row)


def test_bits_are_written_as_the_spec_does() -> None:
    assert bits("category", 8, 7) == BitField("category", 7, 8)
    assert bits("category", 8, 7).mask == 0x180
    assert bit("spdm", 0).mask == 1
    assert [f.lsb for f in flags("a", "b", "c")] == [0, 1, 2]


def test_a_structure_and_its_change() -> None:
    old = profile().structs
    assert [(f.name, f.offset, f.size, f.count, f.counted_by, f.total, f.desc) for f in old["RmiS"].fields] == [
        ("a", 0, 8, None, None, 8, ""),
        ("b", 16, 4, 2, "a", 8, "two words"),
    ]
    new = structs("RmiS\n    - a\n    0x018 1 c UInt8  last", old)["RmiS"]
    assert (new.size, [f.name for f in new.fields]) == (0x20, ["b", "c"])
    assert [f.name for f in old["RmiS"].fields] == ["a", "b"]


@pytest.mark.parametrize("line", ["8 a Bits64", "0x0 a Bits64", "0x0 8 a", "0x0 8x a Bits64"])
def test_a_bad_field_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="not a field"):
        structs("RmiS 0x10\n    " + line)


def test_a_structure_without_size_must_exist() -> None:
    with pytest.raises(KeyError):
        structs("RmiNew\n    0x0 8 a Bits64")


def test_failure_conditions() -> None:
    table = "RMI_X a\n    one  ERROR_INPUT when it\n        goes on\n    two  ERROR_RTT/b other\nRMI_Y"
    rows = failures(table, {"a": "text A", "b": "text B"})
    assert rows["RMI_Y"] == ()
    assert rows["RMI_X"] == (
        ("one", "RMI_ERROR_INPUT", "when it goes on", "text A"),
        ("two", "RMI_ERROR_RTT", "other", "text B"),
    )


def test_remarks() -> None:
    assert remarks("RMI_X\n    first\n    second that\n        goes on") == {"RMI_X": ("first", "second that goes on")}


def test_derive_states_what_changed() -> None:
    old = profile()
    (new,) = WORDS.commands("0xC4000152 RMI_NEW x\n    rd", "RMI")
    derived = old.derive(
        "2.0",
        commands=(new,),
        removed=("RMI_GONE",),
        now_stateful={"RMI_OLD": "plain"},
        notes={"RMI_OLD": ("remark",)},
        enums={"RmiA": {1: None, 2: "RMI_TWO"}, "RmiB": {0: "RMI_B"}},
        bitfields={"RmiF": flags("a"), "RmiG": ()},
        struct_table="RmiT 0x8\n    0x0 8 t Address",
        removed_types=("RmiGone",),
        other_fids={1: ("RMI_D", "draft")},
    )
    assert list(derived.commands) == ["RMI_OLD", "RMI_NEW"]
    assert derived.commands["RMI_OLD"].stateful == "plain"
    assert derived.commands["RMI_OLD"].notes == ("remark",)
    assert derived.enums["RmiA"] == {0: "RMI_ZERO", 2: "RMI_TWO"}
    assert set(derived.enums) == {"RmiA", "RmiB", "RmiStatusCode"}
    assert [f.name for f in derived.bitfields["RmiF"]] == ["a"]
    assert set(derived.structs) == {"RmiS", "RmiT"}
    assert set(derived.by_fid) == {0xC4000150, 0xC4000152}
    assert derived.other_fids == {1: ("RMI_D", "draft")}
    assert old.enums["RmiA"] == {0: "RMI_ZERO", 1: "RMI_ONE"}
    assert old.commands["RMI_OLD"].stateful is None
    assert {"RmiA", "RmiF", "RmiS"} <= set(derived.names())


def test_notes_do_not_carry_over() -> None:
    first = profile().derive("2.0", notes={"RMI_OLD": ("of 2.0",)})
    assert first.derive("3.0").commands["RMI_OLD"].notes == ()
