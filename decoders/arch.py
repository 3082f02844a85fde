"""Arm Architecture calls (owner 0): DEN0028 SMC Calling Convention 1.0 to 1.6."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
    0: "SMCCC_RET_SUCCESS",
    -1: "SMCCC_RET_NOT_SUPPORTED",
    -2: "SMCCC_RET_NOT_REQUIRED",
    -3: "SMCCC_RET_INVALID_PARAMETER",
}
ARCH = Service("ARCH", "Arm Architecture calls (DEN0028)", CODES)

COMMANDS: tuple[ServiceCommand, ...] = (
    *ARCH.value("SMCCC_VERSION", 0x80000000, "version of the calling convention", x0="Version16"),
    *ARCH.value(
        "SMCCC_ARCH_FEATURES",
        0x80000001,
        "is an architecture function implemented",
        [arg(1, "arch_func_id", "FunctionId", "function id")],
        x0="Int64",
    ),
    *ARCH.value(
        "SMCCC_ARCH_SOC_ID",
        (0x80000002, 0xC0000002),
        "SoC id",
        [arg(1, "soc_id_type", "SocIdType", "0 version, 1 revision, 2 name")],
        x0="Bits64",
    ),
    *ARCH.call(
        "SMCCC_ARCH_FEATURE_AVAILABILITY",
        (0x80000003, 0xC0000003),
        "features behind a register that EL3 enabled",
        [arg(1, "bitmask_selector", "Bits64", "op0<<19|op1<<16|CRn<<12|CRm<<8|op2<<5 of the register")],
        [arg(1, "bitmask", "Bits64", "bits of the register that are enabled")],
    ),
    *ARCH.value("SMCCC_ARCH_WORKAROUND_4", 0x80000004, "CVE-2024-7881 workaround", x0="Ignored"),
    *ARCH.value("SMCCC_ARCH_WORKAROUND_3", 0x80003FFF, "Spectre-BHB workaround", x0="Ignored"),
    *ARCH.value(
        "SMCCC_ARCH_WORKAROUND_2",
        0x80007FFF,
        "Spectre v4 (SSBD) workaround",
        [arg(1, "enable", "UInt64", "0 off, 1 on")],
        x0="Ignored",
    ),
    *ARCH.value("SMCCC_ARCH_WORKAROUND_1", 0x80008000, "Spectre v2 workaround", x0="Ignored"),
)
