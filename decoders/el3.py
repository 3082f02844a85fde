"""Calls of the RMM to the EL3 monitor: RMM-EL3 (TF-A docs/components/rmm-el3-comms-spec.rst, interface 2.0) and FIRME.

They are made in Realm world, so a host never sees them: they stand in firmware logs and model traces.
"""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
    0: "E_RMM_OK",
    -1: "E_RMM_UNK",
    -2: "E_RMM_BAD_ADDR",
    -3: "E_RMM_BAD_PAS",
    -4: "E_RMM_NOMEM",
    -5: "E_RMM_INVAL",
    -6: "E_RMM_AGAIN",
    -7: "E_RMM_FAULT",
    -8: "E_RMM_IN_PROGRESS",
    -9: "E_RMM_NOTSUP",
    -10: "E_RMM_BUSY",
    -11: "E_RMM_DENIED",
}
BOOT_CODES = {
    0: "E_RMM_BOOT_SUCCESS",
    -1: "E_RMM_BOOT_UNKNOWN",
    -2: "E_RMM_BOOT_VERSION_NOT_VALID",
    -3: "E_RMM_BOOT_CPUS_OUT_OF_RANGE",
    -4: "E_RMM_BOOT_CPU_ID_OUT_OF_RANGE",
    -5: "E_RMM_BOOT_INVALID_SHARED_BUFFER",
    -6: "E_RMM_BOOT_MANIFEST_VERSION_NOT_SUPPORTED",
    -7: "E_RMM_BOOT_MANIFEST_DATA_ERROR",
    -8: "E_RMM_BOOT_NO_MEM",
}
RMM_EL3 = Service("RMM-EL3", "RMM to EL3 monitor interface (rmm-el3-comms-spec)", CODES)

_GRANULE = arg(1, "base_pa", "Address", "PA of the granule")
_BUF = arg(1, "buf_pa", "Address", "PA in the shared buffer")
_SIZE = arg(2, "buf_size", "UInt64", "bytes")
_ECAM = arg(1, "ecam_address", "Address", "ECAM base")
_RP = arg(2, "rp_id", "PciRoutingId", "root port routing id")
_STREAM = arg(3, "stream_info", "IdeStreamInfo", "[7:0] stream id, [10:8] substream, [11] direction, [12] key set")
_KEY_REGISTERS = range(4, 10)

COMMANDS: tuple[ServiceCommand, ...] = (
    *RMM_EL3.leave(
        "RMM_RMI_REQ_COMPLETE",
        0xC400018F,
        "return from an RMI call to the Normal world",
        [arg(1, "err_code", "Bits64", "result for the host, further registers are the outputs")],
    ),
    *RMM_EL3.call("RMM_GTSI_DELEGATE", 0xC40001B0, "granule from Non-secure to Realm PAS", [_GRANULE]),
    *RMM_EL3.call("RMM_GTSI_UNDELEGATE", 0xC40001B1, "granule from Realm to Non-secure PAS", [_GRANULE]),
    *RMM_EL3.call(
        "RMM_ATTEST_GET_REALM_KEY",
        0xC40001B2,
        "fetch the Realm attestation key",
        [_BUF, _SIZE, arg(3, "ecc_curve", "UInt64", "0 is P-384")],
        [arg(1, "key_size", "UInt64", "bytes")],
    ),
    *RMM_EL3.call(
        "RMM_ATTEST_GET_PLAT_TOKEN",
        0xC40001B3,
        "fetch (a piece of) the platform token",
        [_BUF, _SIZE, arg(3, "c_size", "UInt64", "challenge bytes, 0 for following pieces")],
        [arg(1, "token_hunk_size", "UInt64", "bytes in this piece"), arg(2, "remaining_size", "UInt64", "bytes still to come")],
    ),
    *RMM_EL3.call(
        "RMM_EL3_FEATURES",
        0xC40001B4,
        "read an EL3 feature register",
        [arg(1, "feat_reg_idx", "UInt64", "only 0")],
        [arg(1, "feat_reg", "Bits64", "bit 0: token signing in EL3")],
    ),
    *RMM_EL3.call(
        "RMM_EL3_TOKEN_SIGN",
        0xC40001B5,
        "token signing in EL3",
        [
            arg(1, "opcode", "TokenSignOpcode", "1 push request, 2 pull response, 3 get public key"),
            arg(2, "buf_pa", "Address", "PA in the shared buffer"),
            arg(3, "buf_size", "UInt64", "bytes"),
            arg(4, "ecc_curve", "UInt64", "opcode 3 only"),
        ],
        [arg(1, "retval1", "UInt64", "length of the public key for opcode 3")],
    ),
    *RMM_EL3.call(
        "RMM_MEC_REFRESH",
        0xC40001B6,
        "new key or tweak for a MEC",
        [arg(1, "mecid_reason", "MecRefresh", "[47:32] mecid, [0] 0 creation 1 destruction")],
    ),
    *RMM_EL3.call(
        "RMM_IDE_KEY_PROG",
        0xC40001B7,
        "program an IDE key into a root port",
        [
            _ECAM,
            _RP,
            _STREAM,
            arg(4, "key_qw0", "Bits64", "key[63:0]"),
            arg(5, "key_qw1", "Bits64", "key[127:64]"),
            arg(6, "key_qw2", "Bits64", "key[191:128]"),
            arg(7, "key_qw3", "Bits64", "key[255:192]"),
            arg(8, "iv_qw0", "Bits64", "IV[63:0]"),
            arg(9, "iv_qw1", "Bits64", "IV[95:64]"),
            arg(10, "request_id", "Bits64", "non-blocking only"),
            arg(11, "cookie", "Bits64", "non-blocking only"),
        ],
        secret=_KEY_REGISTERS,
    ),
    *(
        row
        for name, fid, summary in (
            ("RMM_IDE_KEY_SET_GO", 0xC40001B8, "start using a key set at the root port"),
            ("RMM_IDE_KEY_SET_STOP", 0xC40001B9, "stop a key set at the root port"),
        )
        for row in RMM_EL3.call(
            name,
            fid,
            summary,
            [
                _ECAM,
                _RP,
                _STREAM,
                arg(4, "request_id", "Bits64", "non-blocking only"),
                arg(5, "cookie", "Bits64", "non-blocking only"),
            ],
        )
    ),
    *RMM_EL3.call(
        "RMM_IDE_KM_PULL_RESPONSE",
        0xC40001BA,
        "fetch the result of a non-blocking IDE call",
        [_ECAM, _RP],
        [
            arg(1, "prev_result", "RmmEl3Code", "result of that call"),
            arg(2, "request_id", "Bits64", "passed through"),
            arg(3, "cookie", "Bits64", "passed through"),
        ],
    ),
    *RMM_EL3.call(
        "RMM_RESERVE_MEMORY",
        0xC40001BB,
        "reserve memory for the RMM during boot",
        [
            arg(1, "size", "UInt64", "bytes"),
            arg(2, "args", "ReserveMemoryArgs", "[63:56] alignment as power of two, [31:1] flags, [0] close to this CPU"),
        ],
        [arg(1, "address", "Address", "PA")],
    ),
    *RMM_EL3.leave(
        "RMM_BOOT_COMPLETE",
        0xC40001CF,
        "the RMM finished booting on this CPU",
        [arg(1, "error", "RmmBootCode", "boot code"), arg(2, "activation_token", "Bits64", "token of this CPU")],
    ),
)

ALIASES = {
    "SMC_RMM_REQ_COMPLETE": "RMM_RMI_REQ_COMPLETE",
    "SMC_RMM_GET_REALM_ATTEST_KEY": "RMM_ATTEST_GET_REALM_KEY",
    "SMC_RMM_GET_PLAT_TOKEN": "RMM_ATTEST_GET_PLAT_TOKEN",
    "RMM_MECID_KEY_UPDATE": "RMM_MEC_REFRESH",
    "SMC_RMM_RP_IDE_KEY_PROG": "RMM_IDE_KEY_PROG",
    "SMC_RMM_RP_IDE_KEY_SET_GO": "RMM_IDE_KEY_SET_GO",
    "SMC_RMM_RP_IDE_KEY_SET_STOP": "RMM_IDE_KEY_SET_STOP",
    "SMC_RMM_RP_IDE_KM_POLL": "RMM_IDE_KM_PULL_RESPONSE",
}

FIRME_CODES = {
    0: "FIRME_SUCCESS",
    -1: "FIRME_NOT_SUPPORTED",
    -2: "FIRME_INVALID_PARAMETERS",
    -3: "FIRME_ABORTED",
    -4: "FIRME_INCOMPLETE",
    -5: "FIRME_DENIED",
    -6: "FIRME_BUSY",
    -7: "FIRME_OP_CONFLICT",
    -8: "FIRME_EXISTS",
    -9: "FIRME_NO_ENTRY",
    -10: "FIRME_NO_MEMORY",
    -11: "FIRME_BAD_DATA",
}
FIRME = Service("FIRME", "Firmware interface that replaces parts of RMM-EL3 (TF-RMM include/firme.h)", FIRME_CODES)

_KEYSET = (_ECAM, arg(2, "reserved", "Bits64", "zero"), arg(3, "key_set_id", "FirmeKeysetId"))

FIRME_COMMANDS: tuple[ServiceCommand, ...] = (
    *FIRME.value("FIRME_SERVICE_VERSION", 0xC4000400, "version of a service", x0="Version16"),
    *FIRME.call("FIRME_SERVICE_FEATURES", 0xC4000401, "feature register of a service"),
    *FIRME.call(
        "FIRME_GM_GPI_SET",
        0xC4000402,
        "change the PAS of granules",
        [
            arg(1, "base_pa", "Address", "PA of the first granule"),
            arg(2, "granules", "UInt64", "number of granules"),
            arg(3, "gpi", "FirmeGpi", "0x9 Non-secure, 0xb Realm"),
        ],
    ),
    *FIRME.call(
        "FIRME_IDE_KEYSET_PROG",
        0xC4000403,
        "program an IDE key into a root port",
        [*_KEYSET, *(arg(n, f"key_qw{n - 4}", "Bits64") for n in range(4, 8)), arg(8, "iv_qw0", "Bits64", "zero")],
        secret=_KEY_REGISTERS,
    ),
    *FIRME.call("FIRME_IDE_KEYSET_GO", 0xC4000404, "start using a key set at the root port", _KEYSET),
    *FIRME.call("FIRME_IDE_KEYSET_STOP", 0xC4000405, "stop a key set at the root port", _KEYSET),
    *FIRME.call("FIRME_IDE_KEYSET_POLL", 0xC4000406, "fetch the result of a key set operation"),
    *FIRME.call(
        "FIRME_MEC_REFRESH",
        0xC4000407,
        "new key or tweak for a MEC",
        [arg(1, "mecid_reason", "MecRefresh", "[47:32] mecid, [0] 0 creation 1 destruction")],
    ),
    *FIRME.call("FIRME_ATTEST_PAT_GET", 0xC4000408, "fetch the platform attestation token"),
    *FIRME.call("FIRME_ATTEST_RAK_GET", 0xC4000409, "fetch the Realm attestation key"),
    *FIRME.call("FIRME_ATTEST_RAT_SIGN", 0xC400040A, "sign the Realm attestation token"),
    *FIRME.call("FIRME_ATTEST_PAT_EXT_CLAIMS_STAGE", 0xC400040B, "stage further claims for the platform token"),
    *FIRME.call("FIRME_ATTEST_PAT_EXT_CLAIMS_CLEAR", 0xC400040C, "drop the staged claims"),
    *FIRME.call("FIRME_ATTEST_PAT_EXT_CLAIMS_FINALISE", 0xC400040D, "no more claims"),
    *FIRME.call("FIRME_GM_L1_GPT_CREATE", 0xC400040E, "create a level 1 granule protection table"),
    *FIRME.call("FIRME_GM_L1_GPT_DESTROY", 0xC400040F, "destroy a level 1 granule protection table"),
    *FIRME.call("FIRME_IDEV_OP_START", 0xC4000410, "start a device operation"),
    *FIRME.call("FIRME_IDEV_OP_CONTINUE", 0xC4000411, "continue a device operation"),
    *FIRME.call("FIRME_GM_GPI_OP_CONTINUE", 0xC4000412, "continue a PAS change"),
)
