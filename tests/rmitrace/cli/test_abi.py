"""abi against the facts in tests/data/abi, and what DEN0137's revisions are known to differ in."""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from rmitrace.__main__ import main

FACTS = Path(__file__).parent.parent.parent / "data" / "abi"
REVISIONS = ("1.0-rel0", "1.1-alp17", "2.0-bet1", "2.0-bet3")


@cache
def facts(revision: str) -> dict:
    return yaml.load((FACTS / f"rmm-{revision}.yaml").read_text(), Loader=yaml.CSafeLoader)


def abi(capsys, *argv: str) -> str:
    assert main(["abi", *argv]) == 0
    return capsys.readouterr().out


def test_list(capsys):
    rows = [line.split() for line in abi(capsys, "list").splitlines()[1:]]
    assert [(r[0], int(r[1])) for r in rows] == [(r, len(facts(r)["commands"])) for r in REVISIONS]


@pytest.mark.parametrize("revision", ["1.0-rel0", "2.0-bet3"])
def test_list_of_a_revision(revision, capsys):
    out = abi(capsys, "list", "--abi", revision)
    known = facts(revision)
    for c in known["commands"]:
        assert f"  0x{c['fid']:x}  {c['name']} " in out
    for kind in ("enums", "bitfields", "structs"):
        for name in known[kind]:
            assert f"\n  {name}\n" in out


@pytest.mark.parametrize("revision", REVISIONS)
def test_show_every_command(revision, capsys):
    """Registers in order, and every failure condition."""
    for c in facts(revision)["commands"]:
        out = abi(capsys, "show", c["name"], "--abi", revision)
        words = [line.split() for line in out.splitlines()]
        assert words[0][:2] == [c["name"], f"0x{c['fid']:x}"]
        registers = [w[-3:] if w[0] in ("in", "out") else w for w in words if w and w[0][0] == "x" and w[0][1:].isdigit()]
        named = [w[1] for w in registers]
        assert named == [r["name"] for r in (*c["inputs"], *c["outputs"]) if r["reg"] != "x0"], c["name"]
        for f in c.get("failures", ()):
            assert any(w[:2] == [f["status"], f["id"]] for w in words), (c["name"], f["id"])


@pytest.mark.parametrize(
    "spelling", ["RMI_PDEV_CREATE", "PDEV_CREATE", "pdev_create", "SMC_RMI_PDEV_CREATE", "0xc4000176", "0xC4000176", "3288334710"]
)
def test_spellings(spelling, capsys):
    assert abi(capsys, "show", spelling).startswith("RMI_PDEV_CREATE  0xc4000176  RMI 2.0-bet3\n")


def test_show_structure(capsys):
    """Offsets of RmiDevCommExit, and of RmiPdevParams where they moved between 2.0-bet1 and 2.0-bet3."""
    out = abi(capsys, "show", "DevCommExit")
    rows = {w[2]: w[0] for w in map(str.split, out.splitlines()) if w[0].startswith("0x")}
    assert (rows["flags"], rows["protocol"], rows["req_len"], rows["rsp_timeout"]) == ("0x0", "0x30", "0x40", "0x48")
    for revision, offset in (("1.1-alp17", "0x8"), ("2.0-bet1", "0x8"), ("2.0-bet3", "0x10")):
        rows = {
            w[2]: w[0]
            for w in map(str.split, abi(capsys, "show", "RmiPdevParams", "--abi", revision).splitlines())
            if w[0][:2] == "0x"
        }
        assert rows["pdev_id"] == offset


def test_show_enum_value_and_status(capsys):
    assert "  7  RMI_PDEV_STOPPED" in abi(capsys, "show", "RmiPdevState", "--abi", "1.1-alp17")
    assert abi(capsys, "show", "PDEV_STOPPED").startswith("RMI_PDEV_STOPPED  4  RmiPdevState of RMI 2.0-bet3\n")
    out = abi(capsys, "show", "RMI_ERROR_RTT", "--abi", "1.0")
    assert out.startswith("RMI_ERROR_RTT  4  RmiStatusCode of RMI 1.0-rel0\n")
    assert "RMI_RTT_CREATE " in out


def test_show_bits(capsys):
    rows = [line.split()[:2] for line in abi(capsys, "show", "RmiFeatureRegister0", "--abi", "alp17").splitlines()]
    assert ["42", "DA"] in rows
    assert ["37:34", "GICV3_NUM_LRS"] in rows


def test_show_other_services(capsys):
    out = abi(capsys, "show", "0x84000002")
    assert out.startswith("PSCI_CPU_OFF  0x84000002  PSCI\n")
    out = abi(capsys, "show", "PSCI_CPU_ON")
    assert "-4  PSCI_ALREADY_ON" in out


def test_show_says_where_else(capsys):
    out = abi(capsys, "show", "VDEV_UNLOCK")  # 2.0 gained a result
    assert "differs in 1.1-alp17" in out
    assert "1.0-rel0" not in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["PDEV_COMUNICATE"], "did you mean RMI_PDEV_COMMUNICATE"),
        (["VDEV_MAP", "--abi", "2.0-bet3"], "no VDEV_MAP in 2.0-bet3; it is in 1.1-alp17"),
        (["0xc40001e4"], "2.0-bet0 (RMI_CMEM_ADD_PDEV"),
        (["xyzzy"], "abi list"),
        (["0xffffffffffffffffff"], "no 0xffff"),
    ],
)
def test_unknown_names(argv, said, capsys):
    assert main(["abi", "show", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def section(text: str, title: str) -> list[str]:
    """The lines of one section of a diff."""
    for block in text.split("\n\n"):
        head, *lines = block.strip("\n").splitlines()
        if head.endswith(": " + title):
            return lines
    return []


def test_diff_function_ids(capsys):
    """Function ids that mean something else: held against the tables of facts."""
    for a, b in (("1.1-alp17", "2.0-bet1"), ("2.0-bet1", "2.0-bet3"), ("1.0-rel0", "2.0-bet3")):
        old = {c["fid"]: c["name"] for c in facts(a)["commands"]}
        new = {c["fid"]: c["name"] for c in facts(b)["commands"]}
        out = abi(capsys, "diff", a, b)
        reused = {f"0x{f:x}" for f in old.keys() & new.keys() if old[f] != new[f]}
        assert {
            line.split()[0] for line in section(out, "function ids with another meaning") if line.startswith("  0x")
        } == reused


def test_diff_commands(capsys):
    out = abi(capsys, "diff", "1.1-alp17", "2.0-bet1")
    added = "\n".join(section(out, "commands added"))
    assert "RMI_PDEV_STREAM_CONNECT" in added
    assert "RMI_PDEV_AUX_COUNT" in "\n".join(section(out, "commands gone"))
    renamed = "\n".join(section(out, "other name, same work"))
    assert "RMI_GRANULE_DELEGATE (addr)\n    -> RMI_GRANULE_RANGE_DELEGATE (base, top) -> out_top" in renamed
    assert "RMI_GRANULE_RANGE_DELEGATE" not in added
    registers = section(abi(capsys, "diff", "2.0-bet1", "2.0-bet3"), "same command, other registers")
    at = registers.index("  RMI_PSCI_COMPLETE")
    assert registers[at + 1 : at + 3] == ["    (calling_rec_ptr, target_rec_ptr, status)", "    (calling_rec_ptr, status)"]
    assert "  RMI_PDEV_CREATE" in section(out, "may now answer RMI_INCOMPLETE")


def test_diff_types(capsys):
    out = abi(capsys, "diff", "2.0-bet1", "2.0-bet3", "RmiPdevParams")
    moved = {w[0]: (w[1], w[-2:][0]) for w in map(str.split, section(out, "structures"))}
    assert moved["RmiPdevParams.pdev_id"][0] == "0x8"
    assert "0x10 (8 bytes)" in out
    out = abi(capsys, "diff", "1.1-alp17", "2.0-bet1", "PdevState")
    assert "4  RMI_PDEV_IDE_RESETTING -> RMI_PDEV_STOPPED (was 7)" in out
    out = abi(capsys, "diff", "1.0-rel0", "1.1-alp17")
    assert "5  - -> RMI_ERROR_NOT_SUPPORTED" in "\n".join(section(out, "status codes and what x0 carries"))
    bits = section(abi(capsys, "diff", "1.1-alp17", "2.0-bet1", "RmiFeatureRegister0"), "bit fields")
    assert any(line.split() == ["RmiFeatureRegister0.DA", "[42]", "->", "-"] for line in bits)


def test_diff_of_the_same(capsys):
    assert abi(capsys, "diff", "bet1", "2.0-bet1") == "nothing differs between 2.0-bet1 and 2.0-bet1\n"


PAIRS = [*permutations(REVISIONS, 2)]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_diff_of_every_pair_against_the_facts(a, b, capsys):
    """Commands, offsets, bits and values that the YAML facts of two revisions do not share, no more and no less."""
    old, new = facts(a), facts(b)
    told = json.loads(abi(capsys, "diff", a, b, "--format", "json"))
    rmi = told["rmi"]
    before, after = ({c["name"]: c for c in f["commands"]} for f in (old, new))
    assert {c["name"] for c in rmi["added"]} == after.keys() - before.keys()
    assert {c["name"] for c in rmi["gone"]} == before.keys() - after.keys()
    assert {c["name"]: int(c["fid"], 16) for c in rmi["added"]} == {n: after[n]["fid"] for n in after.keys() - before.keys()}
    moved = {n for n in before.keys() & after.keys() if before[n]["fid"] != after[n]["fid"]}
    assert {c["name"] for c in rmi["fids"]} == moved
    by_fid = {c["fid"]: c["name"] for c in old["commands"]}
    reused = {c["fid"] for c in new["commands"] if by_fid.get(c["fid"], c["name"]) != c["name"]}
    assert {int(c["fid"], 16) for c in rmi["reused"]} == reused

    def offsets(f):
        return {(s, x["name"]): x["offset"] for s, body in f["structs"].items() for x in body["fields"]}

    x, y = offsets(old), offsets(new)
    by_facts = {k for k in x.keys() | y.keys() if x.get(k) != y.get(k)}
    got = {(r["structure"], r["field"]): r for r in rmi["structures"]}
    assert by_facts - ignorable(by_facts) <= got.keys()
    for key in by_facts & got.keys():
        assert (got[key]["old"] or {}).get("offset") == x.get(key)
        assert (got[key]["new"] or {}).get("offset") == y.get(key)

    def values(f):
        return {(t, int(v)): n for t, body in f["enums"].items() for v, n in plain(body).items()}

    x, y = values(old), values(new)
    got = {(r["type"], r["value"]): (r["old"], r["new"]) for r in rmi["values"]}
    assert got == {k: (x.get(k), y.get(k)) for k in x.keys() | y.keys() if x.get(k) != y.get(k)}


def ignorable(keys):
    """Padding that the facts name and the tables leave out."""
    return {k for k in keys if k[1].startswith(("reserved", "padding"))}


def plain(body):
    return {v: n for v, n in body.items() if isinstance(v, int) or str(v).lstrip("-").isdigit()}


@pytest.mark.parametrize(
    ("a", "b", "name", "said"),
    [
        ("1.1-alp17", "2.0-bet1", "GRANULE_DELEGATE", "call again from out_top until it is top"),
        ("1.1-alp17", "2.0-bet1", "AUX_COUNT", "the AUX_COUNT commands and num_aux, aux[] are gone"),
        ("1.1-alp17", "2.0-bet1", "IDE_RESET", "RMI_PDEV_STREAM_CONNECT starts a stream"),
        ("1.1-alp17", "2.0-bet1", "HASH_SHA_256", "DA is bit 0 of register 2 (was bit 42 of register 0)"),
        ("1.1-alp17", "2.0-bet3", "PSCI_COMPLETE", "x2 is the status"),
        ("2.0-bet1", "2.0-bet3", "max_num_vdevs", "0 means no VDEV at all"),
        ("2.0-bet3", "2.0-bet1", "hb_base", "every field behind it is eight bytes further on"),
        ("1.0-rel0", "1.1-alp17", "VERSION", "drafts 1.1-alp14 to alp17 all report 1.1"),
    ],
)
def test_diff_says_what_works_in_another_way(a, b, name, said, capsys):
    out = " ".join(abi(capsys, "diff", a, b, name).split())
    assert said in out
    assert "driver: " in out


def test_diff_tells_only_what_lies_between(capsys):
    def titles(*argv):
        return {c["title"] for c in json.loads(abi(capsys, "diff", *argv, "--format", "json"))["behaviours"]}

    early, late = titles("1.1-alp17", "2.0-bet1"), titles("2.0-bet1", "2.0-bet3")
    assert early
    assert late
    assert not early & late
    assert titles("1.1-alp17", "2.0-bet3") == titles("2.0-bet3", "1.1-alp17") == early | late
    assert titles("2.0-bet1", "2.0-bet1") == set()


def test_diff_of_states_and_statuses(capsys):
    """RMI_PDEV_STOP from READY: STOPPING in 1.1, no other state in 2.0, where COMMUNICATE can answer RMI_BUSY."""
    out = abi(capsys, "diff", "1.1-alp17", "2.0-bet1", "PDEV_")
    states = section(out, "states")
    assert any("RMI_PDEV_STOP -> STOPPING" in line and line.lstrip().startswith("-") for line in states)
    assert any("RMI_PDEV_STOP -> unchanged (operation STOP)" in line and line.lstrip().startswith("+") for line in states)
    statuses = section(out, "same command, other statuses")
    at = statuses.index("  RMI_PDEV_COMMUNICATE")
    assert statuses[at + 1].startswith("    + RMI_BUSY: ")
