"""RSI of DEN0137 2.0 (bet0 to bet3), as what differs from 1.1: other offsets in the pages, no peer-to-peer binding.

From a 2.0 draft, one page of the 2.0-bet3 text (RSI_VDEV_VALIDATE_MAPPING) and TF-RMM HEAD lib/smc/include/smc-rsi.h.
"""

from __future__ import annotations

from ..abi import bit, flags, remarks
from . import v1_1
from ._words import rsi

ENUMS: dict[str, dict[int, str | None]] = {
    "RsiVdevState": {
        0: "RSI_VDEV_UNLOCKED",
        1: "RSI_VDEV_LOCKED",
        2: "RSI_VDEV_STARTED",
        3: "RSI_VDEV_ERROR",
        4: None,
    },
    "RsiVdevReportFormatType": {0: "RSI_VDEV_REPORT_FORMAT_IMPDEF", 1: "RSI_VDEV_REPORT_FORMAT_TDISP"},
}

BITFIELDS = {
    "RsiVdevFlags": flags("vsmmu"),
    "RsiPlaneEnterFlags": (*v1_1.BITFIELDS["RsiPlaneEnterFlags"], bit("trap_dbg", 5, "RsiTrap")),
}

STRUCTS = """
RsiVdevInfo
    - tdisp_version
    0x030 1      format_type          RsiVdevReportFormatType
    0x038 8      format_version       UInt64
    0x040 1      state                RsiVdevState
    0x080 64     vca_digest           Bits512
    0x0c0 64     cert_digest          Bits512
    0x100 64     pubkey_digest        Bits512
    0x140 64     meas_digest          Bits512
    0x180 64     report_digest        Bits512
    0x1c0 8      vsmmu_addr           Address
    0x1c8 8      vsmmu_vsid           UInt64
RsiPlaneEnter
    0x400 8      elr_el1              Bits64
RsiPlaneExit
    0x008 8      elr_el2              Bits64
    0x010 8      pstate               Bits64
    0x100 8x31   gprs                 Bits64
    0x200 8      esr_el2              Bits64
    0x208 8      far_el2              Bits64
    0x210 8      hpfar_el2            Bits64
    0x500 8      sctlr_el1            Bits64
    0x508 8      vbar_el1             Bits64
    0x510 8      elr_el1              Bits64
    0x600 1      pmu_ovf_status       RsiPmuOverflowStatus
"""

REMOVED_TYPES = ("RsiFeatureRegister0",)

NOTES = remarks("""
RSI_VSMMU_GET_INFO
    1.1-alp14 outputs; the 2.0 draft returns more, not recorded here
RSI_VSMMU_ACTIVATE
    same FID named RSI_ARCH_DEV_ACTIVATE in 2.0 (TF-RMM HEAD)
RSI_VDEV_DMA_ENABLE
    2.0-bet3 speaks of sequence counters instead of nonces
RSI_VDEV_VALIDATE_MAPPING
    wrong VDEV state: RSI_ERROR_INPUT in 1.1-alp14, RSI_ERROR_DEVICE in 2.0-bet3
RSI_PLANE_SYSREG_READ
    TF-RMM returns one value
RSI_PLANE_SYSREG_WRITE
    TF-RMM takes one value
""")

BET1 = v1_1.PROFILE.derive(
    "2.0-bet1",
    removed=("RSI_VDEV_P2P_BIND",),
    notes=NOTES,
    enums=ENUMS,
    bitfields=BITFIELDS,
    struct_table=STRUCTS,
    removed_types=REMOVED_TYPES,
    aliases={"RSI_ARCH_DEV_ACTIVATE": "RSI_VSMMU_ACTIVATE"},
)

CHANGED_IN_BET3 = rsi("""
0xC400019F RSI_VDEV_VALIDATE_MAPPING        ask for validation of device memory
    vdev_id ipa_base ipa_top pa_base flags:RsiDevMemFlags lock_seq meas_seq report_seq -> new_ipa_base response
""")

PROFILE = BET1.derive("2.0-bet3", commands=CHANGED_IN_BET3, notes=NOTES)
