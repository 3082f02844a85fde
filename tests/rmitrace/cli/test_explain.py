"""explain: values, registers, bytes; pasted reports are in tests/rmitrace/answers."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

import decoders
from rmitrace import cli


def explain(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert cli.run(["explain", *words]) == status
    out, err = capsys.readouterr()
    if status:
        assert out == ""
        assert err.count("\n") == 1
        return err
    return out


def test_function_ids(capsys: pytest.CaptureFixture[str]) -> None:
    out = explain(capsys, "0xc4000175")
    assert out.splitlines()[1].startswith("RMI_PDEV_COMMUNICATE  0xc4000175")
    assert "PSCI_VERSION" in explain(capsys, "0x84000000")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        # x0: status [7:0]; index [15:8] in 1.x; level [15:8] of RTT, mem [9:8] and can_cancel [10] of INCOMPLETE in 2.0
        ("0x304", ["1.0-rel0, 1.1-alp17: RMI_ERROR_RTT, index 3", "2.0-bet1, 2.0-bet3: RMI_ERROR_RTT, level 3"]),
        ("0x60d", ["1.0-rel0, 1.1-alp17: no status 13", "2.0-bet1, 2.0-bet3: RMI_INCOMPLETE, mem 2, can_cancel 1"]),
        ("5", ["1.0-rel0: no status 5", "RMI_ERROR_NOT_SUPPORTED"]),
        ("0", ["RMI_SUCCESS"]),
        ("0xffffffffffffffff", ["nobody handles the function id"]),
        ("-1", ["nobody handles the function id"]),
    ],
)
def test_status_words(value: str, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for out in (
        explain(capsys, "--as", "status", value.replace("-1", "0xffffffffffffffff")),
        explain(capsys, "status", "=", value),
    ):
        for s in said:
            assert s in out


def test_syndromes(capsys: pytest.CaptureFixture[str]) -> None:
    """0x96000006: EC 0x25, IL, DFSC 6."""
    for words in (("0x96000006",), ("ESR_EL2", "0x96000006"), ("esr=0x96000006",), ("--as", "ESR", "0x96000006")):
        out = explain(capsys, *words)
        assert "data abort from the same exception level: read, translation fault, level 2" in out
        assert "DFSC: translation fault, level 2 (0x6)" in out


def test_feature_registers_by_revision(capsys: pytest.CaptureFixture[str]) -> None:
    """One value for 1.1: S2SZ 40 [7:0], NUM_BPS 5 [19:14], NUM_WPS 3 [25:20], SHA-256 [32], DA [42]."""
    value = 40 | 5 << 14 | 3 << 20 | 1 << 32 | 1 << 42
    out = explain(capsys, "RmiFeatureRegister0", hex(value), "--abi", "1.1-alp17")
    for said in (
        "S2SZ 40 [7:0]",
        "NUM_BPS 5 [19:14]: 6 breakpoints",
        "NUM_WPS 3 [25:20]: 4 watchpoints",
        "HASH_SHA_256 1 [32]",
        "DA 1 [42]",
    ):
        assert said in out
    out = explain(capsys, f"rmm_feat_reg0={value:#x}")
    assert "as 1.1-alp17 has it" in out
    assert "as 1.0-rel0 it would have bits 0x40000000000 are not defined" in out
    assert "HASH_SHA_384 1 [4]" in explain(capsys, "RmiFeatureRegister1", hex(1 | 1 << 4), "--abi", "2.0-bet3")
    assert "no such feature register" in explain(capsys, "RmiFeatureRegister3", "1", "--abi", "1.1-alp17", status=2)


@pytest.mark.parametrize("index", range(5))
def test_every_feature_register_has_all_its_fields(index: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A register with all defined bits set names each of them."""
    for revision in decoders.REVISIONS:
        fields = decoders.profile(revision).bitfields.get(f"RmiFeatureRegister{index}", ())
        if fields:
            out = explain(capsys, f"RmiFeatureRegister{index}", hex(sum(f.mask for f in fields)), "--abi", revision)
            for f in fields:
                assert f"  {f.name} {(1 << f.msb - f.lsb + 1) - 1} [" in out


def test_flags_and_enumerations_by_revision(capsys: pytest.CaptureFixture[str]) -> None:
    """RmiPdevFlags 7: bits 1 and 2 are ncoh_ide and ncoh_addr in 1.1, category 3 in 2.0; RmiPdevState 4 differs, too."""
    out = explain(capsys, "RmiPdevFlags", "0x7")
    assert "1.1-alp17: spdm | ncoh_ide | ncoh_addr" in out
    assert "category: unknown (3)" in out
    out = explain(capsys, "PdevState", "4")
    assert "1.1-alp17: PDEV_IDE_RESETTING (4)" in out
    assert "2.0-bet1, 2.0-bet3: PDEV_STOPPED (4)" in out


def test_register_sets(capsys: pytest.CaptureFixture[str]) -> None:
    for text in (
        "x0=c4000178 x1=88001000 -> x0=0 x1=3",
        "x0: 0xc4000178 x1: 0x88001000 r0=0 r1=0x3",
        "0xc4000178 0x88001000 = 0 3",
    ):
        out = explain(capsys, text)
        assert out.startswith("RMI_PDEV_GET_STATE")
        assert "pdev_ptr: 0x88001000" in out
        assert "state: PDEV_READY (3)" in out
    assert "no function id" in explain(capsys, "x0=4 x1=1", status=2)
    out = explain(capsys, "0x10d", "5", "0", "--command", "RMI_PDEV_CREATE", "--abi", "2.0-bet3")
    assert "RMI_INCOMPLETE" in out


def test_system_registers(capsys: pytest.CaptureFixture[str]) -> None:
    assert "S3_3_C9_C14_0: PMUSERENR_EL0" in explain(capsys, "S3_3_C9_C14_0")
    assert "op0 3, op1 7, CRn 15, CRm 15, op2 7" in explain(capsys, "S3_7_C15_C15_7")


def pasted(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


DUMP = """\
00000000: 02 00 00 00 00 00 00 00 00 00 00 88 00 00 00 00
00000010: 00 10 00 88 00 00 00 00 10 00 00 00 00 00 00 00
"""
"""RmiDevCommEnter: status 2 at 0, request buffer 0x88000000 at 8, response buffer 0x88001000 at 0x10, its length 16 at 0x18."""


def test_a_structure_from_a_dump(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pasted(monkeypatch, DUMP)
    out = explain(capsys, "--as", "devcommenter", "-")
    for said in ("req_addr: 0x88000000", "rsp_addr: 0x88001000", "rsp_len: 16"):
        assert said in out


def test_a_dump_that_nothing_is_said_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("--as", "any", "-"), ("-",)):
        pasted(monkeypatch, DUMP)
        out = explain(capsys, *words)
        assert out.startswith("most likely RmiDevComm")
        assert "req_addr: 0x88000000" in out
    pasted(monkeypatch, "10 84 00 00\n")
    assert "GET_VERSION" in explain(capsys, "-")
    pasted(monkeypatch, DUMP)
    told = json.loads(explain(capsys, "--as", "any", "--format", "json", "-"))
    assert told["fits"][0]["struct"].startswith("RmiDevComm")
    assert told["tree"]["children"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(explain(capsys, "--format", "json", "0x96000006"))
    esr = next(r for r in told["readings"] if r["as"] == "as ESR_ELx")
    assert esr["tree"]["value"] == 0x96000006


@pytest.mark.parametrize(
    "words",
    [
        ("xyzzy",),
        ("--as", "NoSuchThing", "0x1"),
        ("--as", "NoSuchThing", "00 01"),
        ("NoSuchFlags", "0x1"),
        ("0x1ffffffffffffffff",),
        ("ESR_EL2", "0x1ffffffffffffffff"),
        ("--command", "RMI_NOTHING", "0"),
        ("--as", "any", "00 00"),
        ("1", "=", "2", "=", "3"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    explain(capsys, *words, status=2)


def test_nothing_of_a_text_reaches_the_terminal_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "re\x1b[31mport.txt"
    path.write_bytes(b"KVM_CAP_RME(KVM_CAP_ARM_RME_CREATE_RD): \x1b[2JNo such device or address \xe2\x80\xae\n")
    out = explain(capsys, str(path))
    assert "ENXIO" in out
    assert "\x1b" not in out
    assert "\u202e" not in out
