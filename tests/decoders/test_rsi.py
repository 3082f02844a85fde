"""Every fact about RSI in tests/data/abi/rsi.yaml is in the tables of the sets it names, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from decoders import rsi

from . import facts

SETS = {"1.0-rel0": "1.0", "1.1-alp17": "1.1", "2.0-bet1": "2.0", "2.0-bet3": "2.0"}
FACT = facts.load("rsi")


def registers(rows: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
    return [(int(r["reg"][1:]), r["name"], r["type"]) for r in rows if r["reg"] != "x0"]


def in_set(name: str, number: str) -> str | None:
    """The plain name of ``RsiVdevInfo_1.1`` in the sets it is of, None in the others."""
    plain, *sets = name.split("_")
    return plain if not sets or number in sets else None


@pytest.mark.parametrize(("revision", "number"), SETS.items())
def test_commands(revision: str, number: str) -> None:
    profile = rsi.profile(revision)
    assert set(profile.commands) == {c["name"] for c in FACT["commands"] if number in c["in_sets"]}
    for want in FACT["commands"]:
        if number not in want["in_sets"]:
            continue
        command = profile.commands[want["name"]]
        form = want.get("variants", {}).get(revision, want)
        assert (command.fid, command.service, command.summary) == (want["fid"], "RSI", want["summary"])
        assert [(r.reg, r.name, r.type) for r in command.args] == registers(form["inputs"]), want["name"]
        assert [(r.reg, r.name, r.type) for r in command.outputs] == registers(form["outputs"]), want["name"]
        assert all("RSI_SUCCESS" in r.valid_on for r in command.outputs)
        first, last = FACT["fid_range"]
        assert first <= command.fid <= last


def test_every_note_is_kept() -> None:
    kept = {(c.name, n) for r in SETS for c in rsi.profile(r).commands.values() for n in c.notes}
    assert {(c["name"], n) for c in FACT["commands"] for n in c.get("version_notes", ())} <= kept


def test_status_codes() -> None:
    codes = {number: name for name, number in FACT["result_codes"]["codes"].items()}
    for revision in SETS:
        want = dict(codes)
        if revision == "1.0-rel0":  # "RSI_ERROR_DEVICE exists from 1.1 on"
            del want[5]
        assert rsi.profile(revision).statuses == want


@pytest.mark.parametrize(("revision", "number"), SETS.items())
def test_enums_and_bit_fields(revision: str, number: str) -> None:
    profile = rsi.profile(revision)
    enums = {plain: e for n, e in FACT["enums"].items() if (plain := in_set(n, number))}
    for name, values in profile.enums.items():
        if name != "RsiCommandReturnCode":
            assert values.items() <= enums[name].items()
    bitfields = {plain: b for n, b in FACT["bitfields"].items() if (plain := in_set(n, number))}
    for name, fields in profile.bitfields.items():
        rows = {(b["name"], b["lsb"], b["msb"]) for b in bitfields[name] if b["meaning"] != "2.0 only" or number == "2.0"}
        assert {(f.name, f.lsb, f.msb) for f in fields} == rows
    if revision != "1.0-rel0":  # from 1.1 on all of them, but for the ones of a later set
        later = {"RsiVdevReportFormatType"} if number == "1.1" else set()
        assert set(enums) - later == set(profile.enums) - {"RsiCommandReturnCode"}
        assert all(profile.enums[n] == enums[n] for n in set(enums) - later)
        assert set(profile.bitfields) == set(bitfields)


@pytest.mark.parametrize(("revision", "number"), SETS.items())
def test_structures(revision: str, number: str) -> None:
    profile = rsi.profile(revision)
    want = {plain: s for n, s in FACT["structs"].items() if (plain := in_set(n, number))}
    assert set(profile.structs) == set(want)
    for name, rows in want.items():
        struct = profile.structs[name]
        assert struct.size == facts.number(rows["size"])
        assert [(f.name, f.offset, f.total, f.count, f.type) for f in struct.fields] == sorted(
            ((f["name"], facts.number(f["offset"]), facts.number(f["size"]), f.get("count"), f["type"]) for f in rows["fields"]),
            key=lambda r: r[1],
        )


def test_spellings_of_tf_rmm_are_names_of_commands() -> None:
    for revision in SETS:
        profile = rsi.profile(revision)
        assert profile.aliases["RSI_ATTEST_TOKEN_INIT"] == "RSI_ATTESTATION_TOKEN_INIT"
        assert set(profile.aliases.values()) <= {c["name"] for c in FACT["commands"]}


def test_unknown_revision() -> None:
    with pytest.raises(LookupError, match="3\\.0"):
        rsi.profile("3.0")
