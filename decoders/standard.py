"""The small standard secure services: Management Mode (DEN0060A), errata management (DEN0100), dynamic root of
trust (DEN0113), PCI configuration space (DEN0115), and the general queries of every owner (DEN0028)."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

MM_CODES = {0: "MM_SUCCESS", -1: "MM_NOT_SUPPORTED", -2: "MM_INVALID_PARAMETER", -3: "MM_DENIED", -5: "MM_NO_MEMORY"}
MM = Service("MM", "Management Mode (DEN0060A; TF-A include/services/spm_mm_svc.h)", MM_CODES)

MM_COMMANDS: tuple[ServiceCommand, ...] = (
    *MM.value("MM_VERSION", 0x84000040, "version of Management Mode", x0="Version16"),
    *MM.call(
        "MM_COMMUNICATE",
        (0x84000041, 0xC4000041),
        "pass a message to Management Mode",
        [
            arg(1, "cookie", "Bits64", "zero"),
            arg(2, "comm_buffer_address", "Address"),
            arg(3, "comm_size_address", "Address", "0: the size is in the message"),
        ],
    ),
)

EM_CODES = {
    3: "EM_HIGHER_EL_MITIGATION",
    2: "EM_NOT_AFFECTED",
    1: "EM_AFFECTED",
    0: "EM_SUCCESS",
    -1: "EM_NOT_SUPPORTED",
    -2: "EM_INVALID_PARAMETERS",
    -3: "EM_UNKNOWN_ERRATUM",
}
ERRATA = Service("ERRATA", "Errata management firmware interface (DEN0100)", EM_CODES)

ERRATA_COMMANDS: tuple[ServiceCommand, ...] = (
    *ERRATA.value("EM_VERSION", 0x840000F0, "version of the interface", x0="Version16"),
    *ERRATA.call("EM_FEATURES", 0x840000F1, "is a function implemented", [arg(1, "em_func_id", "FunctionId", "function id")]),
    *ERRATA.call(
        "EM_CPU_ERRATUM_FEATURES",
        0x840000F2,
        "is the CPU affected",
        [arg(1, "cpu_erratum_id", "UInt64", "number"), arg(2, "forward_flag", "Bits64", "flag")],
    ),
)

# TF-A services/std_svc/drtm/drtm_main.h
DRTM_CODES = {
    0: "DRTM_SUCCESS",
    -1: "DRTM_NOT_SUPPORTED",
    -2: "DRTM_INVALID_PARAMETERS",
    -3: "DRTM_DENIED",
    -4: "DRTM_NOT_FOUND",
    -5: "DRTM_INTERNAL_ERROR",
    -6: "DRTM_MEM_PROTECT_INVALID",
}
DRTM = Service("DRTM", "Dynamic root of trust for measurement (DEN0113)", DRTM_CODES)

DRTM_COMMANDS: tuple[ServiceCommand, ...] = (
    *DRTM.value("DRTM_VERSION", 0xC4000110, "version of the interface", x0="Version16"),
    *DRTM.call(
        "DRTM_FEATURES",
        0xC4000111,
        "is a function or feature implemented",
        [arg(1, "feature", "DrtmFeature", "bit 63 set: feature number in [7:0], else a function id")],
        [arg(1, "value", "Bits64", "of the feature")],
    ),
    *DRTM.call("DRTM_UNPROTECT_MEMORY", 0xC4000113, "end the DMA protection of the launch"),
    *DRTM.leave(
        "DRTM_DYNAMIC_LAUNCH", 0xC4000114, "measure and start the DLME", [arg(1, "args", "Address", "launch parameters")]
    ),
    *DRTM.call("DRTM_CLOSE_LOCALITY", 0xC4000115, "close a TPM locality", [arg(1, "locality", "UInt64")]),
    *DRTM.call("DRTM_GET_ERROR", 0xC4000116, "error kept from the launch", outputs=[arg(1, "error_code", "Bits64")]),
    *DRTM.call("DRTM_SET_ERROR", 0xC4000117, "keep an error and reset", [arg(1, "error_code", "Bits64")]),
    *DRTM.call("DRTM_SET_TCB_HASH", 0xC4000118, "record hashes of the TCB", [arg(1, "table", "Address", "of hashes")]),
    *DRTM.call("DRTM_LOCK_TCB_HASHES", 0xC4000119, "no more hashes"),
)

PCI_CODES = {0: "PCI_SUCCESS", -1: "PCI_NOT_SUPPORTED", -2: "PCI_INVALID_PARAMETERS", -3: "PCI_NOT_IMPLEMENTED"}
PCI = Service("PCI", "PCI configuration space access (DEN0115)", PCI_CODES)

_WHERE = (
    arg(1, "function_id", "PciFunctionId", "segment, bus, device, function"),
    arg(2, "register_offset", "Bits64", "offset"),
    arg(3, "access_size", "UInt64", "1, 2 or 4"),
)

PCI_COMMANDS: tuple[ServiceCommand, ...] = (
    *PCI.value("PCI_VERSION", 0x84000130, "version of the interface", x0="Version16"),
    *PCI.call("PCI_FEATURES", 0x84000131, "is a function implemented", [arg(1, "pci_func_id", "FunctionId", "function id")]),
    *PCI.call("PCI_READ", 0x84000132, "read configuration space", _WHERE, [arg(1, "data")]),
    *PCI.call("PCI_WRITE", 0x84000133, "write configuration space", [*_WHERE, arg(4, "data", "Bits64", "value")]),
    *PCI.call(
        "PCI_GET_SEG_INFO",
        0x84000134,
        "bus range of a segment",
        [arg(1, "segment_id", "UInt64", "segment")],
        [arg(1, "bus_range", "PciBusRange", "[7:0] first, [15:8] last bus"), arg(2, "next_segment", "UInt64")],
    ),
)

_QUERY_CODES = {-1: "SMCCC_RET_NOT_SUPPORTED"}


def queries(service: str, prefix: str, base: int, *, count: bool = True) -> tuple[ServiceCommand, ...]:
    """The general service queries of an owner: call count, UID (w0..w3), revision, at 0xFF00, 0xFF01 and 0xFF03 of it."""
    s = Service(service, service, _QUERY_CODES)
    words = [arg(n, f"uid_w{n}", "Bits32") for n in (1, 2, 3)]
    minor = [arg(1, "minor", "UInt64")]
    return (
        *(s.value(f"{prefix}_CALL_COUNT", base | 0xFF00, "number of calls") if count else ()),
        *s.value(f"{prefix}_UID", base | 0xFF01, "UUID of the implementation, in w0..w3", outputs=words, x0="Bits32"),
        *s.value(f"{prefix}_VERSION", base | 0xFF03, "revision: major in w0, minor in w1", outputs=minor),
    )


QUERY_COMMANDS: tuple[ServiceCommand, ...] = (
    *queries("STD", "STD_SVC", 0x84000000),
    *queries("SiP", "SIP_SVC", 0x82000000),
    *queries("OEM", "OEM_SVC", 0x83000000),
    *queries("VENDOR-EL3", "VEN_EL3_SVC", 0x87000000, count=False),
    *queries("Trusted OS", "TOS", 0xBF000000),
)
