"""Every fact about RMI in tests/data/abi is in the tables of its revision, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from decoders import rmi
from decoders.abi import Profile, RmmCommand

from . import facts

pytestmark = pytest.mark.parametrize("revision", facts.REVISIONS)


@pytest.fixture
def fact(revision: str) -> dict[str, Any]:
    return facts.rmi(revision)


@pytest.fixture
def profile(revision: str) -> Profile:
    return rmi.profile(revision)


def registers(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """(register, name, type, bits, statuses it is valid on) of each row; x0 is the result and not listed."""
    out = []
    for row in rows:
        if row["reg"] != "x0":
            bits = tuple(int(b) for b in reversed(row["bits"].split(":"))) if "bits" in row else None
            out.append((int(row["reg"][1:]), row["name"], row["type"], bits, tuple(row.get("valid_on", ()))))
    return out


def given(rows: Any) -> list[tuple[Any, ...]]:
    return [(r.reg, r.name, r.type, r.bits, r.valid_on) for r in rows]


def test_commands(fact: dict[str, Any], profile: Profile) -> None:
    assert set(profile.commands) == {c["name"] for c in fact["commands"]}
    assert set(profile.by_fid) == {c["fid"] for c in fact["commands"]}
    for want in fact["commands"]:
        command = profile.commands[want["name"]]
        assert (command.fid, command.service, command.summary) == (want["fid"], "RMI", want["summary"])
        assert given(command.args) == registers(want["inputs"]), want["name"]
        assert given(command.outputs) == registers(want["outputs"]), want["name"]
        assert all(r.desc for r in (*command.args, *command.outputs)), want["name"]
        assert profile.by_fid[want["fid"]] is command


def test_commands_are_in_the_order_of_their_ids(profile: Profile) -> None:
    fids = [c.fid for c in profile.commands.values()]
    assert fids == sorted(fids)


def test_which_commands_may_start_an_operation(fact: dict[str, Any], profile: Profile) -> None:
    def kind(command: dict[str, Any]) -> str | None:
        sro = command.get("sro")
        return None if not sro else "memory" if sro["memory_transfer"] else "plain"

    assert {n: c.stateful for n, c in profile.commands.items()} == {c["name"]: kind(c) for c in fact["commands"]}


def test_notes(fact: dict[str, Any], profile: Profile) -> None:
    for want in fact["commands"]:
        notes = profile.commands[want["name"]].notes
        assert [" ".join(n.split()) for n in notes] == [" ".join(n.split()) for n in want["version_notes"]], want["name"]


def test_failures(fact: dict[str, Any], profile: Profile) -> None:
    for want in fact["commands"]:
        rows = profile.failures(want["name"])
        assert [(f.id, f.status, f.when) for f in rows] == [
            (f["id"], f["status"], f["when"]) for f in want.get("failures", ())
        ], want["name"]
        assert all(f.source for f in rows)
        assert {f.status for f in rows} <= set(profile.statuses.values()), want["name"]
        from_firmware = "TF-RMM" in str(want.get("failures_source", ""))
        assert all(("TF-RMM" in f.source) == from_firmware for f in rows) or "carried" in want["failures_source"]


def test_failures_of_an_unknown_command(profile: Profile) -> None:
    with pytest.raises(LookupError, match="RMI_NOT_THERE"):
        profile.failures("RMI_NOT_THERE")


def test_status_codes(fact: dict[str, Any], profile: Profile) -> None:
    assert {name: number for number, name in profile.statuses.items()} == fact["result_codes"]["codes"]


def test_packing_of_the_result(fact: dict[str, Any], profile: Profile) -> None:
    codes = fact["result_codes"]
    if "data_by_status" not in codes:  # 1.x: one index, whatever the status
        index = next((p["lsb"], p["msb"]) for p in codes["packing"] if p["name"] == "index")
        assert {(f.name, f.lsb, f.msb) for fields in profile.packing.values() for f in fields} == {("index", *index)}
        assert {s for s in profile.packing if s} == set(codes["index_meaning"]) - {"others"}
        return
    for statuses, fields in codes["data_by_status"].items():
        for status in statuses.split(", "):
            if isinstance(fields, list):
                assert [(f.name, f.lsb, f.msb) for f in profile.packing[status]] == [
                    (f["name"], f["lsb"], f["msb"]) for f in fields
                ]
    assert profile.packing.get("RMI_SUCCESS") is None


def test_enums(fact: dict[str, Any], profile: Profile) -> None:
    assert {n: dict(e) for n, e in profile.enums.items()} == fact["enums"]


def test_bit_fields(fact: dict[str, Any], profile: Profile) -> None:
    assert set(profile.bitfields) == set(fact["bitfields"])
    for name, want in fact["bitfields"].items():
        fields = profile.bitfields[name]
        assert [(f.name, f.lsb, f.msb) for f in fields] == [(f["name"], f["lsb"], f["msb"]) for f in want], name
        for field, row in zip(fields, want, strict=True):
            if row["meaning"] in fact["enums"]:
                assert field.type == row["meaning"]
            assert field.type in {"", "Address", *fact["enums"]}


def test_structures(fact: dict[str, Any], profile: Profile) -> None:
    assert set(profile.structs) == set(fact["structs"])
    for name, want in fact["structs"].items():
        struct = profile.structs[name]
        assert struct.size == facts.number(want["size"])
        rows = [
            (f["name"], facts.number(f["offset"]), facts.number(f["size"]), f.get("count"), f["type"]) for f in want["fields"]
        ]
        assert [(f.name, f.offset, f.total, f.count, f.type) for f in struct.fields] == sorted(rows, key=lambda r: r[1]), name
        ends = [f.offset + f.total for f in struct.fields]
        assert all(end <= f.offset for end, f in zip(ends, struct.fields[1:], strict=False)), name
        assert ends[-1] <= struct.size
        assert {f.counted_by for f in struct.fields} - {None} <= {f.name for f in struct.fields}


def test_function_ids_of_other_drafts(fact: dict[str, Any], profile: Profile) -> None:
    want = {
        fid: "RMI_" + name.split(" ")[0]
        for key in ("legacy_fids_in_tf_rmm", "bet0_only_fids", "unconfirmed_fids")
        for fid, name in fact.get(key, {}).items()
    }
    assert {fid: name for fid, (name, _) in profile.other_fids.items()} == want


def test_function_ids_lie_in_the_ranges(fact: dict[str, Any], profile: Profile) -> None:
    assert all(any(first <= fid <= last for first, last in fact["fid_ranges"]["rmi"]) for fid in profile.by_fid)


def test_state_machines(fact: dict[str, Any], profile: Profile) -> None:
    assert set(profile.machines) == set(fact["state_machines"])
    for name, want in fact["state_machines"].items():
        machine = profile.machines[name]
        assert machine.states == tuple(want["states"])
        assert dict(machine.numbers) == (want["states"] if isinstance(want["states"], dict) else {})
        assert machine.operations == tuple(want.get("operations", ()))
        assert machine.comm_states == tuple(want.get("comm_states", ()))
        assert [(t.start, t.command, t.end, t.when, t.op, t.comm) for t in machine.transitions] == [
            (t["from"], t["command"], t["to"], t.get("when", ""), t.get("op", ""), t.get("comm", "")) for t in want["transitions"]
        ]


def test_state_numbers_agree_with_the_enums(profile: Profile) -> None:
    for name, machine in profile.machines.items():
        states = profile.enums.get(f"Rmi{name.title()}State")
        if machine.numbers and states:
            assert {f"RMI_{name}_{s}": n for s, n in machine.numbers.items()} == {s: n for n, s in states.items()}


def test_commands_are_rmm_commands(profile: Profile) -> None:
    assert all(isinstance(c, RmmCommand) for c in profile.commands.values())
