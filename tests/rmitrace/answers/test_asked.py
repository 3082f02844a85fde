"""Reports with their dirt: the question that each is really asking is answered by what is printed.

The texts are like public ones (mails on kvmarm and qemu-devel, issues of TF-RMM, Islet, tee-io-validator, QEMU): the tools'
own wording, the same dirt, other values. What has to be said is what the maintainers answered there, or what the sources named
in the modules say of the line.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import decoders
from rmitrace import cli
from rmitrace.answers.steps import STEPS, WARNED

ROOT = Path(__file__).parents[3]
ASKED = ROOT / "tests" / "data" / "asked"

SAID: dict[str, tuple[str, ...]] = {
    # "this is a warning rather than a crash; KVM holds the mmu lock while it tears tables down; harmless"
    "stall-in-a-mail": (
        "line 7: > > [ 8112.400001] rcu: INFO",
        "a warning, not a crash",
        "mmu_lock",
        "harmless",
        "all 3 rows succeeded",
        "lines were left out at line 6",
        "TF-RMM up to v0.5.0",
    ),
    # the RMM crashed at the first entry; a register that EL3 did not enable; the dump is what has to be sent
    "crash-in-ci": (
        "the RMM took an exception in its own code on CPU 1",
        "the SMC does not return",
        "the text names SCTLR2 (SCR_EL3.SCTLR2En)",
        "without ESR_EL2 and ELR_EL2 nobody can tell",
        "RMI_REALM_ACTIVATE(rd=0x1004aa10000) = RMI_SUCCESS",
        "it happened when the Realm was first entered",
        "next: the whole dump",
    ),
    # 0x96000068: EC 0x25 (0x96000068 >> 26), WnR bit 6 set, DFSC 0x28: a write to a page of another PAS
    "crash-with-registers": (
        "on CPU 2",
        "data abort from the same exception level: write, granule protection fault, not on a table walk",
        "FAR_EL2 0x88401000",
        "another PAS",
        "addr2line -f -e rmm.elf 0x4010a1b4",
        "RMI_PDEV_CREATE(pdev_ptr=0x88400000, params_ptr=0x88500000) = RMI_ERROR_INPUT",
    ),
    # "unhandled accesses are expected: RAZ/WI"; names by DDI 0487: MDSCR_EL1, PMUSERENR_EL0, DBGBCR3_EL1, DBGBVR3_EL1
    "unhandled-registers": (
        "no problem",
        "RAZ/WI",
        "S2_0_C0_C2_2 MDSCR_EL1",
        "S3_3_C9_C14_0 PMUSERENR_EL0",
        "S2_0_C0_C3_5 DBGBCR3_EL1, S2_0_C0_C3_4 DBGBVR3_EL1",
        "not why a Realm fails or hangs",
    ),
    "unhandled-registers-quoted": (
        "no problem",
        "MDSCR_EL1",
        "RMI_REC_CREATE(rd=0x8a1000000, rec=0x8a3000000, params_ptr=0x8a4000000) = RMI_SUCCESS",
        "RSI_IPA_STATE_GET(base=0x2000000, top=0x2001000) = RSI_SUCCESS {out_top=0x2001000",
    ),
    # 0x34408a30: bits 28 and 29 set, 32 and 33 not; by the old layout S2SZ 0x30, SVE_VL 2, 3 breakpoints, 2 watchpoints
    "older-hash-bits": (
        "as 1.0-eac5 has it",
        "HASH_SHA_256 1 [28]",
        "HASH_SHA_512 1 [29]",
        "IPAs of up to 48 bits",
        "in bits 28 and 29, where 1.0-eac5 has them; a kernel for 1.0-rel0 or 1.1 looks at bits 32 and 33",
        "EINVAL (Invalid argument): KVM refuses the value itself, without asking the RMM",
        "RMI_FEATURES",
    ),
    "walks-on-a-shared-uart": (
        "no failure: a host walks a Realm's tables with RMI_DATA_DESTROY",
        "the walk ended at level 3, nothing is mapped up to 0x99600000",
        "no command in this text failed with another status",
        "writes of the Realm to SCTLR_EL1, TTBR0_EL1 are trapped and printed until its MMU and caches are on",
        "PSCI_MIGRATE_INFO_TYPE asks whether something is there",
    ),
    "assertion-in-notes": (
        "the RMM's own check in runtime/rmi/rtt.c:1113 does not hold (g_data != NULL)",
        "the SMC does not return and the CPU is lost to the host",
        "the granule of a data page (state DATA)",
        "RSI_MAP_PEER_ATTACH, RSI_MAP_PEER_DETACH are in no revision of DEN0137",
        "RMI_DATA_DESTROY(rd=?, ipa=?) = RMI_ERROR_RTT",
        "arguments that were cut to '...' hide which page it is",
    ),
    "boot-without-status": (
        "the host asks for 1.0, the RMM has 1.0",
        "the kernel (KVM) found RMI 1.0",
        "RSI_IPA_STATE_SET leaves the Realm, for the host has to answer it",
        "The rows after it show that it did",
        "TRNG_VERSION asks whether something is there",
        "TF-RMM v0.8.0 or newer",
    ),
    "banner-without-encryption": (
        "this CPU or model has no FEAT_MEC",
        "No error",
        "TF-RMM v0.8.0 (release), tf-rmm-v0.8.0, built Jan 14 2026 10:00:00",
        "RMI 1.1, RSI 1.1, RMM-EL3 interface 0.6, boot manifest 0.5",
        "the host asks for 1.0, the RMM has 1.0 to 1.1",
        "a release build prints no rows",
    ),
    "stuck-after-the-rmm": (
        "the RMM started without an error",
        "The RMM has no part in what hangs after that",
        "TF-RMM v0.5.0 (debug), 4e2e764",
        "RMI 1.0, RSI 1.0",
    ),
    "two-layers": (
        "RMM: x0=0x0 x1=0x0 x2=0x2 x3=0x8a21c000 x4=0xaa55",
        "caller: x0=0x0 x1=0x0 x2=0x2 x3=0x8a21c000 x4=0xbb55",
        "x4 is another: 0xaa55 left the RMM, 0xbb55 arrived",
        "RMI_RTT_READ_ENTRY has 4 results besides x0; x0 is not counted among the values of a row",
    ),
    # gran_state: DEN0137 failure condition of RMI_GRANULE_DELEGATE and UNDELEGATE
    "acs-verdict": (
        "it failed at the check 'gran_state', a failure condition of RMI_GRANULE_DELEGATE: RMI_ERROR_INPUT",
        "RMI_RTT_READ_ENTRY, RMI_RTT_CREATE and RMI_DATA_CREATE",
        "An RMM that returns RMI_ERROR_RTT there",
        "Error Code=3 is the suite's own number, not an RmiStatusCode",
        "the status itself is not in this text",
    ),
    # arch/arm64/kvm/rme.c realm_create_rd(): -ENXIO of rmi_granule_delegate() and rmi_realm_create()
    "create-rd-errno": (
        "ENXIO (No such device or address)",
        "RMI_GRANULE_DELEGATE of the page for the RD",
        "RMI_REALM_CREATE",
        "2.0: RMI_GRANULE_RANGE_DELEGATE",
        "next: the RMM's console at INFO level",
        "RmiRealmParams",
    ),
    "configure-errno": (
        "configure the Realm (hash algorithm, personalisation value, SVE",
        "KVM refuses the value itself, without asking the RMM",
        "RmiFeatureRegister0",
    ),
    "no-realms-in-kvm": (
        "different numbers for the capability",
        "243 or 244",
        "RMI_VERSION, RMI_FEATURES",
        "include/uapi/linux/kvm.h of the running kernel and in the headers of the VMM",
    ),
    # drivers/virt/coco/arm-cca-host/rmi-da.c: -1 where the wanted state is not reached
    "connect-errno": (
        "connect a device: SPDM session, IDE keys",
        "EPERM (Operation not permitted): the device did not get into the state that was waited for",
        "RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE was refused",
        "the RMM's lines about SPDM",
    ),
    "version-refused": (
        "the kernel speaks 1.0, the RMM 2.0. The RMM is newer than the kernel",
        "rmitrace abi diff 1.0-rel0 2.0-bet3",
    ),
    "device-taken-down": (
        "DMA on in the Realm: RSI_VDEV_DMA_ENABLE RSI_SUCCESS, line 2",
        "VDEV unlocked: RMI_VDEV_UNLOCK RMI_SUCCESS, line 3",
        "VDEV destroyed: RMI_VDEV_DESTROY RMI_ERROR_DEVICE, line 4",
        "PSMMU deactivated: RMI_PSMMU_DEACTIVATE RMI_SUCCESS, line 5",
        "stream table destroyed. Successes of some commands are not logged",
        "EBUSY (Device or resource busy): another object still holds it",
        "no answer of the RMM",
    ),
    # 05: object K_SET_STOP of IDE_KM, stream 2, answered with no payload; 0x80010006 LIBSPDM_STATUS_INVALID_MSG_SIZE
    "stop-not-acknowledged": (
        "IDE_KM K_SET_STOP in 0x0002ffff: stream 0x2",
        "was answered with an empty VENDOR_DEFINED_RESPONSE, K_GOSTOP_ACK was due",
        "libspdm's status: INVALID_MSG_SIZE",
    ),
    # 1.1 layout: flags 3, pdev_id 0x100 at 8, ecam_addr at 0x18, root_id 8 at 0x20; 0x304: status 4, level 3
    "values-in-prose": (
        "x0 0x304 in 2.0: RMI_ERROR_RTT, level 3",
        "RmiPdevParams as 1.1-alp17 has it",
        "flags: spdm | ncoh_ide",
        "0x0018 ecam_addr: 0x40000000",
        "0x0020 root_id: 0x8",
        "less likely RmiPdevParams of 2.0-bet3",
        "RMI_PDEV_CREATE(pdev_ptr=0x88400000, params_ptr=0x88500000)",
    ),
    # 0xc4000152 is GRANULE_UNDELEGATE up to 1.1 only
    "unknown-id": (
        "0xc4000152 is RMI_GRANULE_UNDELEGATE (1.0-rel0, 1.1-alp17): the host calls it, this RMM does not have it",
        "a 2.0 firmware has to be activated once after boot",
    ),
    # 0x62300001: EC 0x18, op0 3, all others 0, Direction 1: MRS x0, MIDR_EL1
    "el3-crash": (
        "TF-A (BL31, EL3) took an exception",
        "no dump of the RMM",
        "ESR_EL3 0x62300001: trapped MSR, MRS or system instruction: MRS x0, MIDR_EL1",
    ),
    # DEN0137 RMI_RTT_READ_ENTRY: no RMI_ERROR_RTT; that was the error behind the failing suite
    "read-entry-of-islet": (
        "RMI_RTT_READ_ENTRY(rd=0x88c00000, ipa=0x80000000, level=3) = RMI_ERROR_RTT index 1",
        "no revision of DEN0137 has RMI_ERROR_RTT for RMI_RTT_READ_ENTRY",
        "it succeeds and gives the level",
        "in this text: RMI_RTT_READ_ENTRY(rd=0x88c00000, ipa=0x80000000, level=3) = RMI_ERROR_RTT index 1",
    ),
    "assertion-of-glibc": ("the RMM's own check in /build/tf-rmm/app/common/app.c:502 does not hold (flag == SVC_YIELD)",),
    # pt_regs of a kernel: x0 last; 0xc4000187 is RMI_VDEV_CREATE(rd, pdev_ptr, vdev_ptr, params_ptr)
    "registers-of-a-kernel": (
        "RMI_VDEV_CREATE(rd=0x88100000, pdev_ptr=0x88200000, vdev_ptr=0x88300000, params_ptr=0x88400000)",
    ),
    "no-such-option": (
        "this VMM was built without CCA", "asked neither KVM nor the RMM for anything", "kvmtool of the cca branch"),
    "crash-in-prose": (
        "the RMM took an exception in its own code on CPU 0",
        "without ESR_EL2 and ELR_EL2 nobody can tell",
        "it happened while the RMM started, or the rows were left out",
        "TF-A's version",
    ),
    "stall-without-rows": ("a warning, not a crash", "mmu_lock"),
    # FSC 0b000111; HPFAR_EL2 [43:4] is IPA [51:12]: 0x802000 >> 4 << 12
    "fetch-abort": (
        "FSC 0x7: translation fault, level 3",
        "HPFAR 0x802000: IPA 0x80200000",
        "RIPAS EMPTY, or no page",
        "where its vector is not mapped either, it aborts for ever",
    ),
    "accepted": ("Only RSI_VDEV_DMA_ENABLE > RSI_SUCCESS in the RMM's log, or private DMA that works, proves it",),
}  # fmt: skip


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_a_status_that_a_command_does_not_have_is_no_probing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check", str(ASKED / "read-entry-of-islet.txt")]) == 0
    assert "walks over tables" not in capsys.readouterr().out


def test_every_text_has_its_answers() -> None:
    assert {p.stem for p in ASKED.glob("*.txt")} == {*SAID, "nothing-of-cca", "others-connect"}


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("command", ["explain", "decode"])
def test_the_question_is_answered(name: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([command, str(ASKED / f"{name}.txt")]) in (0, 3)
    out = plain(capsys.readouterr().out)
    for said in SAID[name]:
        assert plain(said) in out, said


def test_the_tsm_of_another_vendor(capsys: pytest.CaptureFixture[str]) -> None:
    """PCI/TSM's files are the same for all: what an AMD host says of them is no answer of an RMM."""
    cli.run(["explain", str(ASKED / "others-connect.txt")])
    assert "RMI_" not in capsys.readouterr().out


def test_a_connect_that_worked_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["explain", str(ASKED / "accepted.txt")])
    assert "connect a device" not in capsys.readouterr().out


def test_every_command_that_is_named_is_one() -> None:
    """Commands in the tables of steps and warnings are those of some revision."""
    known = {c for r in decoders.REVISIONS for s in ("RMI", "RSI") for c in decoders.profile(r, s).commands}
    named = [c for step in STEPS for c in step.commands]
    texts = " ".join([*WARNED.values(), *(m for step in STEPS for m in step.means.values())])
    named += re.findall(r"\bR[MS]I_[A-Z]+_[A-Z_0-9]+[A-Z0-9]", texts)
    statuses = {s for r in decoders.REVISIONS for p in ("RMI", "RSI") for s in decoders.profile(r, p).statuses.values()}
    assert {n for n in named if n not in known and n not in statuses} == set()


def test_what_only_looks_alike_stays_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Wi-Fi's pdev, an exception of edk2, a SEAMCALL of TDX, a stall of a host without Realms."""
    for command in ("explain", "decode"):
        assert cli.run([command, str(ASKED / "nothing-of-cca.txt")]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("explain", "decode"):
        for name in ("create-rd-errno", "crash-with-registers"):
            assert cli.run([command, "--format", "json", str(ASKED / f"{name}.txt")]) == 0
            objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
            told = [o for o in objects if o["type"] == "answer"]
            first = told[0]
            assert first["topic"] == ("errno" if name == "create-rd-errno" else "crash")
            assert first["line"] == 3
            assert any("ENXIO" in s or "data abort" in s for s in first["said"])
            if name == "crash-with-registers":
                assert objects[-1]["type"] == "summary"
