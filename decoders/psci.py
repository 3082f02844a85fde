"""Power State Coordination Interface: DEN0022 PSCI 0.2 to 1.3."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
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
}
PSCI = Service("PSCI", "Power State Coordination Interface (DEN0022)", CODES)

_TARGET = arg(1, "target_cpu", "Mpidr", "MPIDR affinity")
_STATE = arg(2, "power_state", "Bits64", "state")
_CONTEXT = "value for x0 of the core that starts"

COMMANDS: tuple[ServiceCommand, ...] = (
    *PSCI.value("PSCI_VERSION", 0x84000000, "version of PSCI", x0="Version16"),
    *PSCI.call(
        "PSCI_CPU_SUSPEND",
        (0x84000001, 0xC4000001),
        "suspend this core or a higher node",
        [
            arg(1, "power_state", "Bits64", "state"),
            arg(2, "entry_point_address", "Address", "resume address for power-down"),
            arg(3, "context_id", "Bits64", "value for x0 at resume"),
        ],
    ),
    *PSCI.leave("PSCI_CPU_OFF", 0x84000002, "switch this core off"),
    *PSCI.call(
        "PSCI_CPU_ON",
        (0x84000003, 0xC4000003),
        "switch a core on",
        [_TARGET, arg(2, "entry_point_address", "Address", "start address"), arg(3, "context_id", "Bits64", _CONTEXT)],
    ),
    *PSCI.state(
        "PSCI_AFFINITY_INFO",
        (0x84000004, 0xC4000004),
        "power state of an affinity instance",
        [
            arg(1, "target_affinity", "Mpidr", "MPIDR affinity"),
            arg(2, "lowest_affinity_level", "UInt64", "0 for a core"),
        ],
        {0: "ON", 1: "OFF", 2: "ON_PENDING"},
    ),
    *PSCI.call("PSCI_MIGRATE", (0x84000005, 0xC4000005), "move a uniprocessor trusted OS", [_TARGET]),
    *PSCI.state(
        "PSCI_MIGRATE_INFO_TYPE",
        0x84000006,
        "what kind of trusted OS",
        [],
        {0: "TOS_UP_MIGRATE", 1: "TOS_UP_NO_MIGRATE", 2: "TOS_MP"},
    ),
    *PSCI.value("PSCI_MIGRATE_INFO_UP_CPU", (0x84000007, 0xC4000007), "core of the trusted OS", x0="Mpidr"),
    *PSCI.leave("PSCI_SYSTEM_OFF", 0x84000008, "switch the system off"),
    *PSCI.leave("PSCI_SYSTEM_RESET", 0x84000009, "reset the system"),
    *PSCI.value(
        "PSCI_FEATURES",
        0x8400000A,
        "is a function implemented",
        [arg(1, "psci_func_id", "FunctionId", "function id (PSCI or SMCCC_VERSION)")],
        x0="Bits64",
    ),
    *PSCI.leave("PSCI_CPU_FREEZE", 0x8400000B, "low power state until CPU_ON"),
    *PSCI.call(
        "PSCI_CPU_DEFAULT_SUSPEND",
        (0x8400000C, 0xC400000C),
        "suspend with a platform default",
        [arg(1, "entry_point_address", "Address", "resume address"), arg(2, "context_id", "Bits64", "value for x0 at resume")],
    ),
    *PSCI.state(
        "PSCI_NODE_HW_STATE",
        (0x8400000D, 0xC400000D),
        "hardware state of a node",
        [_TARGET, arg(2, "power_level", "UInt64", "level of the node")],
        {0: "HW_ON", 1: "HW_OFF", 2: "HW_STANDBY"},
    ),
    *PSCI.leave(
        "PSCI_SYSTEM_SUSPEND",
        (0x8400000E, 0xC400000E),
        "suspend to RAM",
        [arg(1, "entry_point_address", "Address", "resume address"), arg(2, "context_id", "Bits64", "value for x0 at resume")],
    ),
    *PSCI.call(
        "PSCI_SET_SUSPEND_MODE",
        0x8400000F,
        "who coordinates power states",
        [arg(1, "mode", "SuspendMode", "0 platform, 1 OS")],
    ),
    *PSCI.value("PSCI_STAT_RESIDENCY", (0x84000010, 0xC4000010), "microseconds spent in a state", [_TARGET, _STATE], x0="UInt64"),
    *PSCI.value("PSCI_STAT_COUNT", (0x84000011, 0xC4000011), "how often a state was used", [_TARGET, _STATE], x0="UInt64"),
    *PSCI.leave(
        "PSCI_SYSTEM_RESET2",
        (0x84000012, 0xC4000012),
        "reset with a type",
        [arg(1, "reset_type", "Bits64", "bit 31 vendor, 0 is warm reset"), arg(2, "cookie", "Bits64", "extra value")],
    ),
    *PSCI.value(
        "PSCI_MEM_PROTECT",
        0x84000013,
        "overwrite memory at reset; x0 is the state before",
        [arg(1, "enable", "UInt64", "0 or not")],
    ),
    *PSCI.call(
        "PSCI_MEM_PROTECT_CHECK_RANGE",
        (0x84000014, 0xC4000014),
        "is a range covered",
        [arg(1, "base", "Address", "start"), arg(2, "length", "UInt64", "bytes")],
    ),
    *PSCI.leave(
        "PSCI_SYSTEM_OFF2",
        (0x84000015, 0xC4000015),
        "hibernate",
        [arg(1, "type", "Bits64", "1 (or 0) HIBERNATE_OFF"), arg(2, "cookie", "Bits64", "zero")],
    ),
)
