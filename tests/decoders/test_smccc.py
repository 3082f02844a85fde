"""Function ids by hand-decoded bits, and every function of the ABI facts against the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from decoders import smccc
from decoders.spec import Command

ABI = Path(__file__).parents[1] / "data" / "abi"
FACTS: dict[str, Any] = yaml.safe_load((ABI / "smccc.yaml").read_text())
EL3: dict[str, Any] = yaml.safe_load((ABI / "el3.yaml").read_text())

GROUPS = {
    "arch": "ARCH",
    "psci": "PSCI",
    "sdei": "SDEI",
    "trng": "TRNG",
    "ffa": "FF-A",
    "errata": "ERRATA",
    "pci": "PCI",
    "drtm": "DRTM",
    "standard_queries": "STD",
    "vendor_el3": "VENDOR-EL3",
}


def functions() -> Iterator[tuple[str, dict[str, Any], int]]:
    """(service, function, fid) for each id of each function of smccc.yaml."""
    for group, body in FACTS.items():
        if not isinstance(body, dict):
            continue
        for f in body.get("functions", ()):
            service = GROUPS.get(group) or ("HYP" if f["name"].startswith("HV_") else "VENDOR-HYP")
            for key in ("fid", "fid32", "fid64"):
                if key in f:
                    yield service, f, f[key]


@pytest.mark.parametrize(("service", "fact", "fid"), [pytest.param(*f, id=f"{f[1]['name']}-{f[2]:x}") for f in functions()])
def test_functions_of_the_facts(service: str, fact: dict[str, Any], fid: int) -> None:
    command = smccc.lookup(fid)
    assert command is not None
    assert (command.name, command.fid, command.service) == (fact["name"], fid, service)
    for given in fact.get("inputs", ()):
        assert (int(given["reg"][1:]), given["name"]) in {(a.reg, a.name) for a in command.args}
    if fact.get("inputs"):
        assert len(command.args) == len(fact["inputs"]) or fact["name"].endswith(("MEM_SHARE", "MEM_UNSHARE"))
    named = smccc.by_name(fact["name"])
    assert named is not None
    assert named.fid == max(v for k, v in fact.items() if k.startswith("fid"))
    assert smccc.service_of(fid) == service
    assert smccc.lookup(fid | 1 << 16) is command


def test_facts_are_all_there_are_in_the_strict_tables() -> None:
    """TF-A and Linux know more queries and hypervisor calls than the facts; these services are complete."""
    known = {(f["name"], fid) for _, f, fid in functions()}
    for table in ("ARCH", "PSCI", "SDEI", "TRNG", "FF-A", "ERRATA", "DRTM", "PCI"):
        assert {(c.name, c.fid) for c in smccc.SERVICES[table]} <= known


@pytest.mark.parametrize(
    ("group", "name", "prefix"),
    [
        ("psci", "PSCI_CPU_ON", "PSCI_"),
        ("arch", "SMCCC_ARCH_FEATURE_AVAILABILITY", "SMCCC_RET_"),
        ("sdei", "SDEI_EVENT_REGISTER", "SDEI_"),
        ("trng", "TRNG_RND64", "TRNG_"),
        ("errata", "EM_CPU_ERRATUM_FEATURES", ""),
        ("pci", "PCI_READ", "PCI_"),
    ],
)
def test_codes_of_the_services(group: str, name: str, prefix: str) -> None:
    command = smccc.by_name(name)
    assert command is not None
    facts = {v: prefix + re.sub(r" \(.*", "", k) for k, v in FACTS[group]["codes"].items()}
    assert command.codes == facts


def test_ffa_error_codes() -> None:
    for name, number in FACTS["ffa"]["codes"].items():
        assert smccc.decode_value("FfaErrorCode", number & 0xFFFFFFFF) == f"FFA_{name} ({number})"


def test_ffa_arguments_of_the_notes() -> None:
    def args(name: str) -> list[tuple[int, str]]:
        command = smccc.by_name(name)
        assert command is not None
        return [(a.reg, a.type) for a in command.args]

    assert args("FFA_VERSION") == [(1, "Version16")]
    assert args("FFA_RXTX_MAP")[:2] == [(1, "Address"), (2, "Address")]
    assert [r for r, _ in args("FFA_MSG_SEND_DIRECT_REQ")] == [1, 2, 3, 4, 5, 6, 7]
    assert args("FFA_MEM_SHARE")[2] == (3, "Address")
    assert [r for r, _ in args("FFA_MEM_RECLAIM")] == [1, 2, 3]


def test_ffa_replies_name_their_registers() -> None:
    def outputs(name: str, reply: str) -> dict[int, str]:
        return {r.reg: r.name for r in of(name).outputs if reply in r.valid_on}

    assert outputs("FFA_ID_GET", "FFA_ERROR") == {2: "error_code"}
    assert outputs("FFA_ID_GET", "FFA_SUCCESS") == {2: "w2", 3: "w3"}
    assert outputs("FFA_MSG_SEND_DIRECT_REQ", "FFA_MSG_SEND_DIRECT_RESP")[1] == "endpoints"
    assert outputs("FFA_MEM_SHARE", "FFA_MEM_FRAG_RX") == {1: "handle_lo", 2: "handle_hi", 3: "fragment_offset"}
    replies = {smccc.status_of(of("FFA_ID_GET"), f.fid)[0] for f in smccc.SERVICES["FF-A"]}
    assert {reply for c in smccc.SERVICES["FF-A"] for r in c.outputs for reply in r.valid_on} <= replies


@pytest.mark.parametrize("fact", EL3["commands"], ids=lambda f: str(f["name"]))
def test_rmm_el3_commands(fact: dict[str, Any]) -> None:
    command = smccc.lookup(fact["fid"])
    assert command is not None
    assert (command.name, command.service) == (fact["name"], "RMM-EL3")
    assert [(a.reg, a.name) for a in command.args] == [(int(i["reg"][1:]), i["name"]) for i in fact["inputs"]]
    assert [(a.reg, a.name) for a in command.outputs] == [
        (int(o["reg"][1:]), o["name"]) for o in fact["outputs"] if o["reg"] != "x0"
    ]
    for alias in fact.get("aliases", ()):
        assert smccc.by_name(alias) is command
    for error in fact.get("errors", ()):
        assert error in command.codes.values()
    if fact["name"] != "RMM_RMI_REQ_COMPLETE":
        first, last = EL3["fid_range"]
        assert first <= command.fid <= last


def test_rmm_el3_codes() -> None:
    assert {v: k for k, v in EL3["result_codes"]["codes"].items()} == smccc.el3.CODES
    assert {v: k for k, v in EL3["result_codes"]["boot_codes"].items()} == smccc.el3.BOOT_CODES
    assert {v: k for k, v in EL3["firme"]["result_codes"].items()} == smccc.el3.FIRME_CODES


def test_firme_commands() -> None:
    facts = EL3["firme"]["commands"]
    assert {c.fid: c.name for c in smccc.SERVICES["FIRME"]} == facts
    assert {smccc.service_of(fid) for fid in facts} == {"FIRME"}


def test_key_registers_are_secret() -> None:
    for name in ("RMM_IDE_KEY_PROG", "FIRME_IDE_KEYSET_PROG"):
        command = smccc.by_name(name)
        assert command is not None
        assert command.secret == {4, 5, 6, 7, 8, 9}
    assert [c.name for t in smccc.SERVICES.values() for c in t if c.secret] == ["RMM_IDE_KEY_PROG", "FIRME_IDE_KEYSET_PROG"]


@pytest.mark.parametrize("row", FACTS["standard_service_ranges"], ids=lambda r: str(r["service"]))
def test_standard_service_ranges(row: dict[str, Any]) -> None:
    names = {
        "MM (management mode)": "MM",
        "FF-A (numbers used up to 0x97)": "FF-A",
        "errata management": "ERRATA",
        "DRTM (TF-A uses SMC64 0x110-0x119)": "DRTM",
        "PCI configuration": "PCI",
        "RMI, first part": "RMI",
        "RMI, second part": "RMI",
        "standard service general queries": "STD",
    }
    service = names.get(row["service"], row["service"])
    for first, last in ((row["first"], row["last"]), (row.get("smc64_first"), row.get("smc64_last"))):
        for fid in (first, last):
            if fid is not None and fid != 0xC400018F:  # RMI_REQ_COMPLETE of the RMM lies in the RMI block
                assert smccc.service_of(fid) == service
                assert smccc.service_of(fid | 1 << 16) == service


@pytest.mark.parametrize(
    ("fid", "service"),
    [
        (0xC400018F, "RMM-EL3"),
        (0x84000150, "STD"),  # RMI is SMC64 only
        (0xC40000F0, "STD"),  # errata management is SMC32 only
        (0xC4020150, "STD"),  # a reserved bit is set
        (0x80001234, "ARCH"),
        (0x81000000, "CPU"),
        (0x82000001, "SiP"),
        (0xC2001234, "SiP"),
        (0x83000001, "OEM"),
        (0x85000000, "HYP"),
        (0x86000005, "VENDOR-HYP"),
        (0x87000001, "VENDOR-EL3"),
        (0x88000000, "reserved"),
        (0xB0000000, "Trusted App"),
        (0xB1000000, "Trusted App"),
        (0xB2000004, "Trusted OS"),
        (0xBF00FF01, "Trusted OS"),
        (0x32000004, "Trusted OS"),  # yielding call to OP-TEE
        (0x72000004, "Trusted OS"),
        (0x02000000, "Trusted OS"),
        (0x1FFFFFFF, "Trusted OS"),
        (0x00000000, "legacy"),
        (0x0100FFFF, "legacy"),
    ],
)
def test_owner_decides_for_unknown_ids(fid: int, service: str) -> None:
    assert smccc.service_of(fid) == service


def test_layout_by_hand() -> None:
    # 0xc4010175 = 1 1 000100 00000001 0000000101110101b: fast, SMC64, owner 4, hint, function 0x175
    assert smccc.describe(0xC4010175) == smccc.FunctionId(0xC4010175, True, True, 4, "standard secure service", 0x175, True)
    # 0x84000003 = 1 0 000100 00000000 0000000000000011b
    assert smccc.describe(0x84000003) == smccc.FunctionId(0x84000003, True, False, 4, "standard secure service", 3, False)
    # 0x32000004 = 0 0 110010 ...: yielding, owner 50; bit 16 is no hint there
    f = smccc.describe(0x32010004)
    assert (f.fast, f.owner, f.owner_name, f.sve_hint) == (False, 50, "trusted OS", False)
    assert smccc.base_fid(0xC4010175) == 0xC4000175
    assert smccc.base_fid(0x32010004) == 0x32010004
    for number, name in FACTS["owners"].items():
        low, _, high = str(number).partition("-")
        for owner in range(int(low), int(high or low) + 1):
            assert smccc.describe(0x80000000 | owner << 24).owner_name == name


def test_decode_fid_tree() -> None:
    node = smccc.decode_fid(0xC4010003)
    assert node.text == "PSCI_CPU_ON (0xc4010003)"
    got = {c.name: c.value for c in node.children}
    assert got == {"fast": 1, "smc64": 1, "owner": 4, "reserved": 0, "sve_hint": 1, "function": 3}
    assert all(c.offset is None and c.size == 0 for c in node.walk())
    odd = smccc.decode_fid(0xC4040003).child("reserved")
    assert odd is not None
    assert odd.severity == "warning"
    assert odd.value == 2
    assert smccc.decode_fid(0xFFFFFFFF_84000000).severity == "note"
    assert smccc.decode_fid(0xC2001234).text == "unknown SiP function (0xc2001234)"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("CPU_ON", "PSCI_CPU_ON"),
        ("psci_cpu_on", "PSCI_CPU_ON"),
        ("ARM_SMCCC_ARCH_FEATURES_FUNC_ID", "SMCCC_ARCH_FEATURES"),
        ("ARM_SMCCC_ARCH_WORKAROUND_1", "SMCCC_ARCH_WORKAROUND_1"),
        ("ARM_SMCCC_VENDOR_HYP_KVM_PTP_FUNC_ID", "VENDOR_HYP_KVM_PTP"),
        ("ARM_SMCCC_TRNG_RND64", "TRNG_RND64"),
    ],
)
def test_other_spellings(spelling: str, name: str) -> None:
    command = smccc.by_name(spelling)
    assert command is not None
    assert command.name == name


def test_unknown_names_and_ids() -> None:
    assert smccc.by_name("VERSION") is None  # RMI's, not PSCI's
    assert smccc.by_name("NO_SUCH_CALL") is None
    assert smccc.lookup(0xC4000150) is None
    assert smccc.lookup(0xC4000000) is None  # PSCI_VERSION is SMC32 only
    assert smccc.fids_of("PSCI_CPU_ON") == (0x84000003, 0xC4000003)
    assert smccc.fids_of("NO_SUCH_CALL") == ()


def of(name: str) -> Command:
    command = smccc.by_name(name)
    assert command is not None
    return command


@pytest.mark.parametrize(
    ("name", "x0", "text", "status"),
    [
        ("PSCI_VERSION", 0x00010003, "1.3", (None, False)),
        ("PSCI_CPU_ON", 0, "PSCI_SUCCESS (0)", ("PSCI_SUCCESS", False)),
        ("PSCI_CPU_ON", 0xFFFFFFFFFFFFFFFC, "PSCI_ALREADY_ON (-4)", ("PSCI_ALREADY_ON", True)),
        ("PSCI_CPU_ON", 0xFFFFFFFC, "PSCI_ALREADY_ON (-4)", ("PSCI_ALREADY_ON", True)),
        ("PSCI_FEATURES", 0xFFFFFFFF, "PSCI_NOT_SUPPORTED (-1)", ("PSCI_NOT_SUPPORTED", True)),
        ("PSCI_FEATURES", 0, "0x0", (None, False)),
        ("PSCI_AFFINITY_INFO", 1, "OFF (1)", ("OFF", False)),
        ("PSCI_CPU_OFF", 0xFFFFFFFFFFFFFFFD, "PSCI_DENIED (-3)", ("PSCI_DENIED", True)),
        ("PSCI_CPU_ON", 0xFFFFFFFFFFFFFF9C, "unknown (-100)", (None, True)),
        ("SMCCC_VERSION", 0x10005, "1.5", (None, False)),
        ("SMCCC_ARCH_FEATURES", 0xFFFFFFFFFFFFFFFE, "SMCCC_RET_NOT_REQUIRED (-2)", ("SMCCC_RET_NOT_REQUIRED", True)),
        ("EM_CPU_ERRATUM_FEATURES", 3, "EM_HIGHER_EL_MITIGATION (3)", ("EM_HIGHER_EL_MITIGATION", False)),
        # a UUID word with its top bit set is no error
        ("VENDOR_HYP_CALL_UID", 0xB66FB428, "0xb66fb428 (KVM)", (None, False)),
        ("FFA_ID_GET", 0x84000061, "FFA_SUCCESS (0x84000061)", ("FFA_SUCCESS", False)),
        ("FFA_ID_GET", 0x84000060, "FFA_ERROR (0x84000060)", ("FFA_ERROR", True)),
        ("FFA_VERSION", 0xFFFFFFFF, "FFA_NOT_SUPPORTED (-1)", ("FFA_NOT_SUPPORTED", True)),
        ("FFA_VERSION", 0x10002, "1.2", (None, False)),
        ("RMM_GTSI_DELEGATE", 0xFFFFFFFFFFFFFFFD, "E_RMM_BAD_PAS (-3)", ("E_RMM_BAD_PAS", True)),
    ],
)
def test_results(name: str, x0: int, text: str, status: tuple[str | None, bool]) -> None:
    assert smccc.result_text(of(name), x0) == text
    assert smccc.status_of(of(name), x0) == status


def test_what_x0_means() -> None:
    assert {n: of(n).returns for n in ("PSCI_VERSION", "PSCI_CPU_ON", "PSCI_CPU_OFF", "PSCI_SYSTEM_OFF")} == {
        "PSCI_VERSION": "value",
        "PSCI_CPU_ON": "code",
        "PSCI_CPU_OFF": "none",
        "PSCI_SYSTEM_OFF": "none",
    }


@pytest.mark.parametrize(
    ("type", "value", "text"),
    [
        ("Version16", 0x00020000, "2.0"),
        ("Version16", 0x7FFF0001, "32767.1"),
        ("Mpidr", 0x0000000100020304, "0x100020304 (1.2.3.4)"),
        ("Mpidr", 0x81000100, "0x81000100 (0.0.1.0)"),  # bits [31:24] are not an affinity
        ("FunctionId", 0xC4000001, "PSCI_CPU_SUSPEND (0xc4000001)"),
        ("FunctionId", 0xC4000150, "RMI (0xc4000150)"),
        ("PsciReturnCode", 0xFFFFFFF7, "PSCI_INVALID_ADDRESS (-9)"),
        ("Int64", 0xFFFFFFFFFFFFFFFE, "-2"),
        ("UInt64", 192, "192"),
        ("Address", 0x88000000, "0x88000000"),
        ("Bits64", 0x123, "0x123"),
        ("no such type", 0x123, "0x123"),
        # segment 1, bus 2, device 3, function 4: 1<<16 | 2<<8 | 3<<3 | 4
        ("PciFunctionId", 0x1021C, "0x1021c (0001:02:03.4)"),
        ("PciBusRange", 0xFF00, "00-ff"),
        # stream 5, substream 2, direction 1, key set 1: 5 | 2<<8 | 1<<11 | 1<<12
        ("IdeStreamInfo", 0x1A05, "0x1a05 (stream_id=0x5 substream=CPL direction=1 key_set=1)"),
        ("MecRefresh", 0x7_0000_0001, "0x700000001 (mecid=0x7 reason=0x1)"),
        # SDEI 1.1: 1<<48 | 1<<32
        ("SdeiVersion", 0x0001000100000000, "1.1"),
        ("SdeiEventStatus", 0x3, "0x3 (registered | enabled)"),
        ("FfaFeature", 0x84000066, "FFA_RXTX_MAP (0x84000066)"),
        ("FfaFeature", 0x1, "feature 0x1"),
        ("RmmBootCode", 0xFFFFFFFFFFFFFFFB, "E_RMM_BOOT_INVALID_SHARED_BUFFER (-5)"),
    ],
)
def test_values(type: str, value: int, text: str) -> None:
    assert smccc.decode_value(type, value) == text


def test_bit_fields_of_el3_facts() -> None:
    def fields(name: str) -> dict[str, tuple[int, int]]:
        return {f["name"]: (f["lsb"], f["msb"]) for f in EL3["bitfields"][name]}

    for type, fact in (
        ("MecRefresh", "mec_refresh_x1"),
        ("FirmeKeysetId", "firme_keyset_id"),
        ("ReserveMemoryArgs", "reserve_memory_args"),
    ):
        for name, (lsb, msb) in fields(fact).items():
            ones = (1 << msb + 1) - (1 << lsb)
            text = smccc.decode_value(type, ones)
            assert f"{name}={(1 << msb - lsb + 1) - 1:#x}" in text
            assert text.count("=0x0") == len(fields(fact)) - 1


def test_every_type_of_the_tables_is_known() -> None:
    special = {"FunctionId", "FfaFeature", "DrtmFeature", "HypUid", "Bits64"}
    for table in smccc.SERVICES.values():
        for command in table:
            for reg in (*command.args, *command.outputs):
                assert reg.type in smccc.TEXT or reg.type in special, (command.name, reg)
            assert command.x0 in smccc.TEXT or command.x0 in special, command.name
            for value in (0, 1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
                assert smccc.result_text(command, value)
                for reg in command.args:
                    assert smccc.decode_value(reg.type, value)


def test_ids_are_unique() -> None:
    rows = [c.fid for table in smccc.SERVICES.values() for c in table]
    assert len(rows) == len(set(rows))
