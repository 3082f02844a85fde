"""Row names and the function ids behind them: TF-RMM's names in DEN0137's numbers."""

from __future__ import annotations

import pytest
import yaml

from rmitrace.formats.rmm_console_names import arg_counts, fid_of, most_outputs, status_number

from .test_rmm_console import ROOT


@pytest.mark.parametrize("revision", ["rmm-1.0-rel0", "rmm-1.1-alp17", "rmm-2.0-bet1", "rmm-2.0-bet3", "rsi"])
def test_every_command_of_every_revision(revision: str) -> None:
    facts = yaml.safe_load((ROOT / "tests" / "data" / "abi" / f"{revision}.yaml").read_text())
    for c in facts["commands"]:
        assert fid_of(c["name"]) == c["fid"], c["name"]
        assert len(c.get("inputs") or ()) in arg_counts(c["name"]) or any("-" in i["reg"] for i in c["inputs"]), c["name"]


@pytest.mark.parametrize(
    ("name", "fid"),
    [
        ("RSI_ABI_VERSION", 0xC4000190),  # RSI_VERSION up to TF-RMM v0.3.0
        ("RSI_ATTEST_TOKEN_INIT", 0xC4000194),
        ("RSI_ATTEST_TOKEN_CONTINUE", 0xC4000195),
        ("RSI_c4000191", 0xC4000191),  # a gap in the RSI table, as v0.3.0 to v0.5.0 print it
        ("PSCI_84000000", 0x84000000),
        ("SMC_c40001a4", 0xC40001A4),
        ("RMI_PSMMU_EVENT_DISCARD", 0xC40001F0),  # 2.0-bet0
        ("RMI_PDEV_NOTIFY", 0xC400017A),  # 1.1-alp12
        ("RMI_FOO", None),
        ("RSI_<unsupported>", None),
    ],
)
def test_names_of_rows(name: str, fid: int | None) -> None:
    assert fid_of(name) == fid


def test_counts() -> None:
    assert arg_counts("PSCI_84000000") == {7}
    assert most_outputs("SMC_80000000") == 3
    assert arg_counts("RMI_PSCI_COMPLETE") == {2, 3}  # bet3 has no target REC
    assert arg_counts("RMI_FOO") == frozenset()
    assert most_outputs("RMI_VERSION") == 2
    assert most_outputs("RMI_FOO") == 0


def test_statuses() -> None:
    assert [status_number(s) for s in ("RMI_SUCCESS", "RMI_ERROR_RTT", "RMI_ERROR_GRANULE", "RSI_ERROR_DEVICE")] == [0, 4, 16, 5]
    assert status_number("RMI_ERROR_IN_USE") is None  # 5 before 1.0; 5 means something else since
