"""The words the RSI tables are written in: what a register name means."""

from __future__ import annotations

from ..abi import RmmCommand, Vocabulary

REGISTERS = Vocabulary(
    "RSI_",
    {
        "addr": ("Address", "IPA of the buffer"),
        "addr:RsiSysregAddress": ("RsiSysregAddress", "encoding of the system register"),
        "base": ("Address", "start of the IPA range"),
        **{f"challenge_{i}": ("Bits64", f"bytes {8 * i} to {8 * i + 7} of the challenge") for i in range(8)},
        "cookie": ("Bits64", "cookie of the previous call"),
        "flags": ("", "flags of the call"),
        "higher": ("RsiInterfaceVersion", "highest implemented version"),
        "index": ("UInt64", "index of the register or measurement"),
        "ipa_base": ("Address", "start of the IPA range"),
        "ipa_top": ("Address", "end of the IPA range"),
        "len": ("UInt64", "bytes written"),
        "lock_nonce": ("UInt64", "nonce of the last lock"),
        "lock_nonce_1": ("Bits64", "nonce of the last lock, first device"),
        "lock_nonce_2": ("Bits64", "nonce of the last lock, second device"),
        "lock_seq": ("UInt64", "lock sequence counter"),
        "lower": ("RsiInterfaceVersion", "lower implemented version"),
        "meas_nonce": ("UInt64", "nonce of the last measurement"),
        "meas_nonce_1": ("Bits64", "nonce of the last measurement, first device"),
        "meas_nonce_2": ("Bits64", "nonce of the last measurement, second device"),
        "meas_seq": ("UInt64", "measurement sequence counter"),
        "new_base": ("Address", "where to go on"),
        "new_cookie": ("Bits64", "cookie for the next call"),
        "new_ipa_base": ("Address", "where to go on"),
        "non_ats_plane": ("UInt64", "plane whose permissions non-ATS traffic uses"),
        "offset": ("UInt64", "offset in the granule, bytes"),
        "out_top": ("Address", "end of the part with one RIPAS"),
        "pa_base": ("Address", "start of the PA range"),
        "perm_index": ("UInt64", "permission overlay index"),
        "plane_idx": ("UInt64", "plane"),
        "plane_index": ("UInt64", "plane"),
        "report_nonce": ("UInt64", "nonce of the last interface report"),
        "report_nonce_1": ("Bits64", "nonce of the last interface report, first device"),
        "report_nonce_2": ("Bits64", "nonce of the last interface report, second device"),
        "report_seq": ("UInt64", "report sequence counter"),
        "req": ("RsiInterfaceVersion", "version asked for"),
        "response": ("RsiResponse", "0 host accepted, 1 host refused"),
        "ripas": ("RsiRipas", "RIPAS of the range"),
        "run_ptr": ("Address", "IPA of the plane run page"),
        "size": ("UInt64", "size in bytes"),
        "top": ("Address", "end of the IPA range"),
        "value": ("Bits64", "value"),
        **{f"value_{i}": ("Bits64", f"bytes {8 * i} to {8 * i + 7} of the value") for i in range(8)},
        "value_high": ("Bits64", "bits [127:64]"),
        "value_low": ("Bits64", "bits [63:0]"),
        "vdev_id": ("Bits64", "virtual device id"),
        "vdev_id_1": ("Bits64", "virtual device id of the first device"),
        "vdev_id_2": ("Bits64", "virtual device id of the second device"),
    },
)


def rsi(table: str) -> tuple[RmmCommand, ...]:
    """RSI commands from a table, see ``Vocabulary.commands``."""
    return REGISTERS.commands(table, "RSI")
