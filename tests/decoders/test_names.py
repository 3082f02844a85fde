"""Look-ups by id and name, and what a status says: numbers from DEN0137, DEN0028 and DEN0022."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import decoders
from decoders import names

ALL_ONES = (1 << 64) - 1


@pytest.mark.parametrize(
    ("fid", "revision", "name", "service"),
    [
        (0xC4000175, "1.1-alp17", "RMI_PDEV_COMMUNICATE", "RMI"),
        (0xC4010175, "1.1-alp17", "RMI_PDEV_COMMUNICATE", "RMI"),  # SVE hint
        (0xFFFFFFFFC4000175, "1.1-alp17", "RMI_PDEV_COMMUNICATE", "RMI"),  # only w0 counts
        (0xC4000153, "1.1-alp17", "RMI_DATA_CREATE", "RMI"),
        (0xC4000153, "2.0-bet3", "RMI_RTT_DATA_MAP_INIT", "RMI"),
        (0xC400016E, "1.1-alp17", "RMI_PSMMU_MSI_CONFIG", "RMI"),
        (0xC400016E, "2.0-bet1", "RMI_RMM_CONFIG_SET", "RMI"),
        (0xC40001D6, "2.0-bet1", "RMI_VSMMU_EVENT_NOTIFY", "RMI"),
        (0xC40001D6, "2.0-bet3", "RMI_VSMMU_EVENT_HANDLE", "RMI"),
        (0xC4000151, "2.0-bet3", "RMI_GRANULE_DELEGATE", "RMI"),  # a 1.x kernel on 2.0 firmware
        (0xC4000203, "1.0-rel0", "RMI_OP_CONTINUE", "RMI"),
        (0xC40001E5, "2.0-bet1", "RMI_CMEM_CREATE", "RMI"),  # bet0 only
        (0xC40002CF, "2.0-bet3", None, "RMI"),  # last of the range
        (0xC400018F, "2.0-bet3", "RMM_RMI_REQ_COMPLETE", "RMM-EL3"),  # in the RMI block, but from the RMM to EL3
        (0xC4000190, "2.0-bet3", "RSI_VERSION", "RSI"),
        (0xC40001A9, "2.0-bet3", None, "RSI"),
        (0xC40001CF, "2.0-bet3", "RMM_BOOT_COMPLETE", "RMM-EL3"),
        (0x84000003, "2.0-bet3", "PSCI_CPU_ON", "PSCI"),
        (0xC4000003, "2.0-bet3", "PSCI_CPU_ON", "PSCI"),
        (0x80000000, "2.0-bet3", "SMCCC_VERSION", "ARCH"),
        (0x82001234, "2.0-bet3", None, "SiP"),
        (0xC3001234, "2.0-bet3", None, "OEM"),
        (0xF2000000, "2.0-bet3", None, "Trusted OS"),
        (0x84000150, "2.0-bet3", None, "STD"),  # RMI calls are SMC64
    ],
)
def test_name_of(fid: int, revision: str, name: str | None, service: str) -> None:
    assert decoders.name_of(fid, revision) == (name, service)
    if name is not None:
        command = decoders.command(fid, revision)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    ("text", "revision", "fid"),
    [
        ("RMI_PDEV_CREATE", "1.1-alp17", 0xC4000176),
        ("PDEV_CREATE", "2.0-bet3", 0xC4000176),
        ("pdev_create", "2.0-bet3", 0xC4000176),
        ("SMC_RMI_PDEV_CREATE", "2.0-bet3", 0xC4000176),
        ("SMC_RMM_REC_CREATE", "1.0-rel0", 0xC400015A),  # until 2024
        ("SMC_RMM_VERSION", "1.0-rel0", 0xC4000150),
        ("RMM_ACTIVATE", "2.0-bet1", 0xC4000202),
        ("SMC_RMI_RMM_ACTIVATE", "2.0-bet1", 0xC4000202),
        ("RMI_GRANULE_DELEGATE", "2.0-bet3", 0xC4000151),
        ("VDEV_COMPLETE", "2.0-bet3", 0xC400018E),
        ("VERSION", "2.0-bet3", 0xC4000150),  # RMI before RSI
        ("RSI_VERSION", "2.0-bet3", 0xC4000190),
        ("SMC_RSI_ATTEST_TOKEN_CONTINUE", "1.0-rel0", 0xC4000195),
        ("HOST_CALL", "1.0-rel0", 0xC4000199),
        ("RSI_ARCH_DEV_ACTIVATE", "2.0-bet3", 0xC400019B),
        ("PSCI_CPU_ON", "1.0-rel0", 0xC4000003),
        ("CMEM_START", "2.0-bet1", 0xC40001E9),
    ],
)
def test_command_by_name(text: str, revision: str, fid: int) -> None:
    command = decoders.command(text, revision)
    assert command is not None
    assert command.fid == fid


def test_command_of_nothing() -> None:
    assert decoders.command("NOT_A_COMMAND", "2.0-bet3") is None
    assert decoders.command(0xC40002C0, "2.0-bet3") is None


def test_registers_are_those_of_the_revision() -> None:
    old, new = decoders.command("PSCI_COMPLETE", "2.0-bet1"), decoders.command("PSCI_COMPLETE", "2.0-bet3")
    assert old is not None
    assert new is not None
    assert [len(old.args), len(new.args)] == [3, 2]


def test_the_nearest_revision_is_asked_first() -> None:
    # VSMMU_MAP is 1.1's; 0x170 exists in bet3 only; 0x18E in alp17 and bet1
    assert [names.found_in(fid, "2.0-bet3")[1] for fid in (0xC400016C, 0xC4000170, 0xC400018E)] == [
        "1.1-alp17",
        "2.0-bet3",
        "2.0-bet1",
    ]
    assert names.found_in(0xC4000170, "1.1-alp17")[1] == "2.0-bet3"
    assert names.found_in(0xC40001E4, "1.1-alp17")[1] == "2.0-bet0"
    assert names.found_in(0xC40002C0, "1.1-alp17") == (None, "")


@pytest.mark.parametrize(
    ("fid", "x0", "revision", "want"),
    [
        (0xC4000176, 0, "1.1-alp17", ("RMI_SUCCESS", None, False)),
        (0xC400015E, 0x204, "1.0-rel0", ("RMI_ERROR_RTT", 2, True)),  # 4 | level 2 << 8
        (0xC400015E, 0x004, "1.0-rel0", ("RMI_ERROR_RTT", 0, True)),
        (0xC400015E, 0x304, "2.0-bet3", ("RMI_ERROR_RTT", 3, True)),
        (0xC4000180, 0x107, "1.1-alp17", ("RMI_ERROR_RTT_AUX", 1, True)),
        (0xC400015C, 0x102, "1.0-rel0", ("RMI_ERROR_REALM", 1, True)),  # REC_ENTER: SYSTEM_OFF
        (0xC4000158, 0x002, "1.0-rel0", ("RMI_ERROR_REALM", None, True)),
        (0xC4000176, 0x10D, "2.0-bet1", ("RMI_INCOMPLETE", None, False)),
        (0xC4000176, 13, "1.1-alp17", ("RMI_INCOMPLETE", None, False)),  # 2.0 firmware under a 1.1 kernel
        (0xC4000176, 10, "1.1-alp17", ("RMI_BUSY", None, True)),
        (0xC4000176, 200, "2.0-bet3", (None, None, True)),
        (0xC4000176, ALL_ONES, "2.0-bet3", ("SMC_NOT_SUPPORTED", None, True)),
        (0xC4000176, 0xFFFFFFFF, "2.0-bet3", ("SMC_NOT_SUPPORTED", None, True)),
        (0xC40002C0, ALL_ONES, "2.0-bet3", ("SMC_NOT_SUPPORTED", None, True)),
        (0xC4000197, 0, "1.0-rel0", ("RSI_SUCCESS", None, False)),
        (0xC4000195, 3, "1.0-rel0", ("RSI_INCOMPLETE", None, False)),
        (0xC4000197, 1, "1.0-rel0", ("RSI_ERROR_INPUT", None, True)),
        (0xC4000197, 0x101, "1.0-rel0", (None, None, True)),  # the whole register is the code
        (0x84000003, 0xFFFFFFFC, "1.0-rel0", ("PSCI_ALREADY_ON", None, True)),
        (0xC4000003, ALL_ONES - 3, "1.0-rel0", ("PSCI_ALREADY_ON", None, True)),
        (0x84000000, 0x10001, "1.0-rel0", (None, None, False)),  # PSCI 1.1
        (0xC400018F, 0, "1.1-alp17", (None, None, False)),  # no RMI call
        (0x82000001, 7, "1.0-rel0", (None, None, False)),
        (0x82000001, ALL_ONES, "1.0-rel0", ("SMC_NOT_SUPPORTED", None, True)),
    ],
)
def test_status_of(fid: int, x0: int, revision: str, want: tuple[str | None, int | None, bool]) -> None:
    assert decoders.status_of(fid, x0, revision) == want


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("RMI_SUCCESS", 0),
        ("RMI_ERROR_RTT", 4),
        ("RMI_ERROR_GRANULE", 16),
        ("RMI_INCOMPLETE", 13),
        ("RSI_INCOMPLETE", 3),
        ("RSI_ERROR_DEVICE", 5),
        ("PSCI_DENIED", -3),
        ("SMC_NOT_SUPPORTED", -1),
        ("RMI_NO_SUCH", None),
    ],
)
def test_status_number(name: str, number: int | None) -> None:
    assert decoders.status_number(name) == number


def test_commands_and_structs_of_a_revision() -> None:
    assert [c.service for c in decoders.commands("1.0-rel0")] == ["RMI"] * 23 + ["RSI"] * 10
    assert "RmiPdevParams" not in decoders.structs("1.0-rel0")
    assert {"RmiPdevParams", "RsiVdevInfo", "DevCommReqBuf"} <= set(decoders.structs("1.1-alp17"))
    assert "RmiAddrList" in decoders.structs("2.0-bet1")
    assert "RmiAddrList" not in decoders.structs("1.1-alp17")


@pytest.mark.parametrize("ask", [decoders.commands, decoders.structs, decoders.profile])
def test_unknown_revision(ask: object) -> None:
    with pytest.raises(LookupError, match="no revision"):
        ask("1.1")  # type: ignore[operator]


def test_unknown_revision_of_a_call() -> None:
    for lookup in (lambda: decoders.name_of(0, "x"), lambda: decoders.command("RMI_VERSION", "x")):
        with pytest.raises(LookupError):
            lookup()


@given(st.integers(0, ALL_ONES), st.integers(0, ALL_ONES), st.sampled_from(decoders.REVISIONS))
def test_anything_has_a_service_and_a_verdict(fid: int, x0: int, revision: str) -> None:
    name, service = decoders.name_of(fid, revision)
    assert service
    command = decoders.command(fid, revision)
    assert (command.name if command else None) == name
    decoders.status_of(fid, x0, revision)


@given(st.integers(0xC4000150, 0xC40002CF), st.integers(0, ALL_ONES), st.sampled_from(decoders.REVISIONS))
def test_the_rmi_range_is_rmi(fid: int, x0: int, revision: str) -> None:
    service = "RSI" if 0xC4000190 <= fid <= 0xC40001AF else "RMI"
    if 0xC40001B0 <= fid <= 0xC40001CF or fid == 0xC400018F:
        service = "RMM-EL3"
    assert decoders.name_of(fid, revision)[1] == service
    assert decoders.name_of(fid | 1 << 16, revision) == decoders.name_of(fid, revision)
