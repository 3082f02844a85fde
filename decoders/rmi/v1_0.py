"""RMI of DEN0137 1.0-rel0, the first released revision: realms only, no devices, no planes.

From the specification text; structures agree with TF-RMM at its tag rmm-spec-v1.0-rel0.
"""

from __future__ import annotations

from dataclasses import replace

from ..abi import BitField, Profile, bit, bits, flags, remarks, structs
from ._words import rmi

COMMANDS = rmi("""
0xC4000150 RMI_VERSION                      agree on an interface version
    req -> lower@SUCCESS|ERROR_INPUT higher@SUCCESS|ERROR_INPUT
0xC4000151 RMI_GRANULE_DELEGATE             move one granule from Non-secure to Realm PAS
    addr
0xC4000152 RMI_GRANULE_UNDELEGATE           give one delegated granule back to Non-secure PAS (content is wiped)
    addr
0xC4000153 RMI_DATA_CREATE                  add a measured data page to a Realm that is not active yet
    rd data ipa src flags:RmiDataFlags
0xC4000154 RMI_DATA_CREATE_UNKNOWN          add a wiped data page
    rd data ipa
0xC4000155 RMI_DATA_DESTROY                 take a data page away
    rd ipa -> data top@SUCCESS|ERROR_RTT
0xC4000157 RMI_REALM_ACTIVATE               make a Realm runnable
    rd
0xC4000158 RMI_REALM_CREATE                 create a Realm
    rd params_ptr
0xC4000159 RMI_REALM_DESTROY                destroy an empty Realm
    rd
0xC400015A RMI_REC_CREATE                   create a REC
    rd rec params_ptr
0xC400015B RMI_REC_DESTROY                  destroy a REC
    rec_ptr
0xC400015C RMI_REC_ENTER                    run a REC until its next exit
    rec run_ptr
0xC400015D RMI_RTT_CREATE                   add a translation table
    rd rtt ipa level
0xC400015E RMI_RTT_DESTROY                  remove a translation table
    rd ipa level -> rtt top@SUCCESS|ERROR_RTT
0xC400015F RMI_RTT_MAP_UNPROTECTED          map host memory at an Unprotected IPA
    rd ipa level desc
0xC4000161 RMI_RTT_READ_ENTRY               read a translation table entry
    rd ipa level -> walk_level state:RmiRttEntryState[7:0] desc ripas[7:0]
0xC4000162 RMI_RTT_UNMAP_UNPROTECTED        unmap host memory from an Unprotected IPA
    rd ipa level -> top@SUCCESS|ERROR_RTT
0xC4000164 RMI_PSCI_COMPLETE                finish a PSCI call of a REC that needs the host
    calling_rec target_rec status
0xC4000165 RMI_FEATURES                     read one feature register
    index -> value
0xC4000166 RMI_RTT_FOLD                     replace a uniform table by a block entry
    rd ipa level -> rtt
0xC4000167 RMI_REC_AUX_COUNT                how many auxiliary granules a REC needs
    rd -> aux_count
0xC4000168 RMI_RTT_INIT_RIPAS               set RIPAS to RAM before activation
    rd base top -> out_top
0xC4000169 RMI_RTT_SET_RIPAS                finish a RIPAS change the Realm asked for
    rd rec_ptr base top -> out_top
""")

ENUMS = {
    "RmiRipas": {0: "RMI_EMPTY", 1: "RMI_RAM", 2: "RMI_DESTROYED"},
    "RmiDataMeasureContent": {0: "RMI_NO_MEASURE_CONTENT", 1: "RMI_MEASURE_CONTENT"},
    "RmiEmulatedMmio": {0: "RMI_NOT_EMULATED_MMIO", 1: "RMI_EMULATED_MMIO"},
    "RmiInjectSea": {0: "RMI_NO_INJECT_SEA", 1: "RMI_INJECT_SEA"},
    "RmiTrap": {0: "RMI_NO_TRAP", 1: "RMI_TRAP"},
    "RmiResponse": {0: "RMI_ACCEPT", 1: "RMI_REJECT"},
    "RmiRecRunnable": {0: "RMI_NOT_RUNNABLE", 1: "RMI_RUNNABLE"},
    "RmiPmuOverflowStatus": {0: "RMI_PMU_OVERFLOW_NOT_ACTIVE", 1: "RMI_PMU_OVERFLOW_ACTIVE"},
    "RmiFeature": {0: "RMI_FEATURE_FALSE", 1: "RMI_FEATURE_TRUE"},
    "PsciReturnCode": {
        0: "PSCI_SUCCESS",
        -1: "PSCI_NOT_SUPPORTED",
        -2: "PSCI_INVALID_PARAMETERS",
        -3: "PSCI_DENIED",
        -4: "PSCI_ALREADY_ON",
        -5: "PSCI_ON_PENDING",
        -6: "PSCI_INTERNAL_FAILURE",
        -7: "PSCI_NOT_PRESENT",
        -8: "PSCI_DISABLED",
        -9: "PSCI_INVALID_ADDRESS",
    },
    "RmiStatusCode": {0: "RMI_SUCCESS", 1: "RMI_ERROR_INPUT", 2: "RMI_ERROR_REALM", 3: "RMI_ERROR_REC", 4: "RMI_ERROR_RTT"},
    "RmiRecExitReason": {
        0: "RMI_EXIT_SYNC",
        1: "RMI_EXIT_IRQ",
        2: "RMI_EXIT_FIQ",
        3: "RMI_EXIT_PSCI",
        4: "RMI_EXIT_RIPAS_CHANGE",
        5: "RMI_EXIT_HOST_CALL",
        6: "RMI_EXIT_SERROR",
    },
    "RmiRttEntryState": {0: "RMI_UNASSIGNED", 1: "RMI_ASSIGNED", 2: "RMI_TABLE"},
    "RmiHashAlgorithm": {0: "RMI_HASH_SHA_256", 1: "RMI_HASH_SHA_512"},
}

BITFIELDS = {
    "RmiInterfaceVersion": (bits("minor", 15, 0, "", "minor version"), bits("major", 30, 16, "", "major version")),
    "RmiDataFlags": (bit("measure", 0, "RmiDataMeasureContent", "measure the content"),),
    "RmiRealmFlags": flags("lpa2", "sve", "pmu"),
    "RmiRecCreateFlags": (bit("runnable", 0, "RmiRecRunnable"),),
    "RmiRecMpidr": (
        bits("aff0", 3, 0, "", "affinity level 0"),
        bits("aff1", 15, 8, "", "affinity level 1"),
        bits("aff2", 23, 16, "", "affinity level 2"),
        bits("aff3", 31, 24, "", "affinity level 3"),
    ),
    "RmiRecEnterFlags": (
        bit("emul_mmio", 0, "RmiEmulatedMmio", "host emulated the access"),
        bit("inject_sea", 1, "RmiInjectSea", "inject a synchronous external abort"),
        bit("trap_wfi", 2, "RmiTrap"),
        bit("trap_wfe", 3, "RmiTrap"),
        bit("ripas_response", 4, "RmiResponse", "0 accept, 1 reject"),
    ),
    "RmiFeatureRegister0": (
        bits("S2SZ", 7, 0, "", "maximum IPA width"),
        bit("LPA2", 8),
        bit("SVE_EN", 9),
        bits("SVE_VL", 13, 10, "", "vector length / 128 - 1"),
        bits("NUM_BPS", 19, 14, "", "minus one"),
        bits("NUM_WPS", 25, 20, "", "minus one"),
        bit("PMU_EN", 26),
        bits("PMU_NUM_CTRS", 31, 27),
        bit("HASH_SHA_256", 32),
        bit("HASH_SHA_512", 33),
        bits("GICV3_NUM_LRS", 37, 34, "", "minus one"),
        bits("MAX_RECS_ORDER", 41, 38, "", "maximum RECs is 2^n - 1"),
    ),
}

STRUCTS = structs("""
RmiRealmParams 0x1000
    0x000 8      flags                RmiRealmFlags
    0x008 1      s2sz                 UInt8              IPA width
    0x010 1      sve_vl               UInt8
    0x018 1      num_bps              UInt8              minus one
    0x020 1      num_wps              UInt8              minus one
    0x028 1      pmu_num_ctrs         UInt8
    0x030 1      hash_algo            RmiHashAlgorithm
    0x400 64     rpv                  Bits512            Realm Personalization Value
    0x800 2      vmid                 Bits16
    0x808 8      rtt_base             Address
    0x810 8      rtt_level_start      Int64
    0x818 4      rtt_num_start        UInt32
RmiRecParams 0x1000
    0x000 8      flags                RmiRecCreateFlags
    0x100 8      mpidr                RmiRecMpidr
    0x200 8      pc                   Bits64
    0x300 8x8    gprs                 Bits64
    0x800 8      num_aux              UInt64
    0x808 8x16   aux                  Address            [num_aux]
RmiRecEnter 0x800
    0x000 8      flags                RmiRecEnterFlags
    0x200 8x31   gprs                 Bits64
    0x300 8      gicv3_hcr            Bits64
    0x308 8x16   gicv3_lrs            Bits64
RmiRecExit 0x800
    0x000 1      exit_reason          RmiRecExitReason
    0x100 8      esr                  Bits64
    0x108 8      far                  Bits64
    0x110 8      hpfar                Bits64
    0x200 8x31   gprs                 Bits64
    0x300 8      gicv3_hcr            Bits64
    0x308 8x16   gicv3_lrs            Bits64
    0x388 8      gicv3_misr           Bits64
    0x390 8      gicv3_vmcr           Bits64
    0x400 8      cntp_ctl             Bits64
    0x408 8      cntp_cval            Bits64
    0x410 8      cntv_ctl             Bits64
    0x418 8      cntv_cval            Bits64
    0x500 8      ripas_base           Bits64
    0x508 8      ripas_top            Bits64
    0x510 1      ripas_value          RmiRipas
    0x600 2      imm                  Bits16             host call immediate
    0x700 1      pmu_ovf_status       RmiPmuOverflowStatus
RmiRecRun 0x1000
    0x000 2048   enter                RmiRecEnter
    0x800 2048   exit                 RmiRecExit
""")

NOTES = remarks("""
RMI_VERSION
    RMI_ERROR_INPUT (no compatible version) still returns lower and higher
RMI_DATA_DESTROY
    on (RMI_ERROR_RTT, level) x1 is not valid but x2 (top) tells how far nothing is mapped; on any other error top is 0
RMI_REC_ENTER
    RMI_ERROR_REALM index 0: Realm is NEW; index 1: Realm is SYSTEM_OFF
RMI_RTT_DESTROY
    top is also valid on RMI_ERROR_RTT
RMI_RTT_UNMAP_UNPROTECTED
    top is also valid on RMI_ERROR_RTT
RMI_FEATURES
    only index 0 exists; any other index returns zero with RMI_SUCCESS
""")

INDEX = (bits("index", 15, 8),)
_LEVEL = (bits("index", 15, 8, "", "RTT level at which the walk ended"),)
PACKING: dict[str, tuple[BitField, ...]] = {
    "": INDEX,
    "RMI_ERROR_RTT": _LEVEL,
    "RMI_ERROR_REALM": (bits("index", 15, 8, "", "RMI_REC_ENTER: 0 Realm NEW, 1 Realm SYSTEM_OFF"),),
}
"""x0 besides the status in [7:0] (RmiCommandReturnCode): an index for every status, zero where it says nothing."""

PROFILE = Profile(
    "1.0-rel0",
    "RMI_",
    {c.name: replace(c, notes=NOTES.get(c.name, ())) for c in COMMANDS},
    ENUMS,
    BITFIELDS,
    STRUCTS,
    PACKING,
)
