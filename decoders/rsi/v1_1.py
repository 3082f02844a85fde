"""RSI of DEN0137 1.1 (1.1-alp14 to alp17), as what differs from 1.0: virtual SMMU, devices, planes.

From the 1.1-alp14 text per command, TF-RMM lib/smc/include/smc-rsi.h at 2c7dc5d0 (1.1-alp16) and the compliance suite.
"""

from __future__ import annotations

from ..abi import bit, flags, remarks
from . import v1_0
from ._words import rsi

ADDED = rsi("""
0xC400019A RSI_VSMMU_GET_INFO               read properties of the virtual SMMU
    addr -> top
0xC400019B RSI_VSMMU_ACTIVATE               start using the virtual SMMU
    base top -> new_base
0xC400019C RSI_VDEV_DMA_ENABLE              allow DMA of a device
    vdev_id flags:RsiVdevDmaFlags non_ats_plane lock_nonce meas_nonce report_nonce
0xC400019D RSI_VDEV_GET_INFO                read device information
    vdev_id addr
0xC400019E RSI_VDEV_P2P_BIND                ask for a peer-to-peer binding
    vdev_id_1 lock_nonce_1 meas_nonce_1 report_nonce_1 vdev_id_2 lock_nonce_2 meas_nonce_2 report_nonce_2
0xC400019F RSI_VDEV_VALIDATE_MAPPING        ask for validation of device memory
    vdev_id ipa_base ipa_top pa_base flags:RsiDevMemFlags lock_nonce meas_nonce report_nonce -> new_ipa_base response
0xC40001A0 RSI_MEM_GET_PERM_VALUE           read a permission overlay value
    plane_index perm_index -> value
0xC40001A1 RSI_MEM_SET_PERM_INDEX           ask for a permission index change
    base top perm_index cookie -> new_base response new_cookie
0xC40001A2 RSI_MEM_SET_PERM_VALUE           set a permission overlay value
    plane_index perm_index value
0xC40001A3 RSI_PLANE_ENTER                  run an auxiliary plane
    plane_idx run_ptr
0xC40001A4 RSI_VDEV_DMA_DISABLE             forbid DMA of a device
    vdev_id
0xC40001AE RSI_PLANE_SYSREG_READ            read a system register of a plane
    plane_idx addr:RsiSysregAddress -> value_low value_high
0xC40001AF RSI_PLANE_SYSREG_WRITE           write a system register of a plane
    plane_idx addr:RsiSysregAddress value_low value_high
""")

ENUMS: dict[str, dict[int, str | None]] = {
    "RsiCommandReturnCode": {5: "RSI_ERROR_DEVICE"},
    "RsiHashAlgorithm": {2: "RSI_HASH_SHA_384"},
    "RsiRipas": {3: "RSI_DEV"},
    "RsiVdevState": {
        0: "RSI_VDEV_NEW",
        1: "RSI_VDEV_UNLOCKED",
        2: "RSI_VDEV_LOCKED",
        3: "RSI_VDEV_STARTED",
        4: "RSI_VDEV_ERROR",
    },
    "RsiPlaneExitReason": {0: "RSI_EXIT_SYNC", 1: "RSI_EXIT_IRQ", 2: "RSI_EXIT_HOST"},
    "RsiGicOwner": {0: "RSI_GIC_OWNER_0", 1: "RSI_GIC_OWNER_N"},
    "RsiTrap": {0: "RSI_NO_TRAP", 1: "RSI_TRAP"},
    "RsiDevMemCoherent": {0: "RSI_DEV_MEM_NON_COHERENT", 1: "RSI_DEV_MEM_COHERENT"},
    "RsiDevMemOrdering": {0: "RSI_DEV_MEM_NOT_LIMITED_ORDER", 1: "RSI_DEV_MEM_LIMITED_ORDER"},
}

BITFIELDS = {
    "RsiFeatureRegister0": flags("DA", "MRO", "ATS"),
    "RsiVdevDmaFlags": flags("ats"),
    # places after the order of the members in the 1.1-alp14 type; TF-RMM before alp16 had share at bit 0 and coh at bit 1
    "RsiDevMemFlags": (bit("coh", 0, "RsiDevMemCoherent"), bit("order", 1, "RsiDevMemOrdering")),
    "RsiVdevFlags": flags("p2p_enabled", "p2p_bound"),
    "RsiPlaneEnterFlags": (
        bit("trap_wfi", 0, "RsiTrap"),
        bit("trap_wfe", 1, "RsiTrap"),
        bit("trap_hc", 2, "RsiTrap"),
        bit("gic_owner", 3, "RsiGicOwner"),
        bit("trap_simd", 4, "RsiTrap"),
    ),
}

STRUCTS = """
RsiRealmConfig
    0x010 8      num_aux_planes       UInt64
    0x018 8      gicv3_vtr            UInt64
    0x020 8      ats_plane            UInt64
RsiVdevInfo 0x200
    0x000 8      flags                RsiVdevFlags
    0x008 8      cert_id              UInt64
    0x010 1      hash_algo            RsiHashAlgorithm
    0x018 8      lock_nonce           UInt64
    0x020 8      meas_nonce           UInt64
    0x028 8      report_nonce         UInt64
    0x030 8      tdisp_version        UInt64
    0x038 1      state                RsiVdevState
    0x040 64     vca_digest           Bits512
    0x080 64     cert_digest          Bits512
    0x0c0 64     pubkey_digest        Bits512
    0x100 64     meas_digest          Bits512
    0x140 64     report_digest        Bits512
RsiPlaneEnter 0x800
    0x000 8      flags                RsiPlaneEnterFlags
    0x008 8      pc                   Bits64
    0x010 8      pstate               Bits64
    0x100 8x31   gprs                 Bits64
    0x200 8      gicv3_hcr            Bits64
    0x208 8x16   gicv3_lrs            Bits64
RsiPlaneExit 0x800
    0x000 1      reason               RsiPlaneExitReason
    0x100 8      elr_el2              Bits64
    0x108 8      esr_el2              Bits64
    0x110 8      far_el2              Bits64
    0x118 8      hpfar_el2            Bits64
    0x120 8      pstate               Bits64
    0x200 8x31   gprs                 Bits64
    0x300 8      gicv3_hcr            Bits64
    0x308 8x16   gicv3_lrs            Bits64
    0x388 8      gicv3_misr           Bits64
    0x390 8      gicv3_vmcr           Bits64
    0x400 8      cntp_ctl             Bits64
    0x408 8      cntp_cval            Bits64
    0x410 8      cntv_ctl             Bits64
    0x418 8      cntv_cval            Bits64
"""

NOTES = remarks("""
RSI_ATTESTATION_TOKEN_INIT
    TF-RMM name ATTEST_TOKEN_INIT
RSI_ATTESTATION_TOKEN_CONTINUE
    TF-RMM name ATTEST_TOKEN_CONTINUE
RSI_HOST_CALL
    buffer must be 256 byte aligned
RSI_VSMMU_GET_INFO
    1.1-alp14 outputs; the 2.0 draft returns more, not recorded here
RSI_VDEV_DMA_ENABLE
    1.1-alp14 has no non_ats_plane; TF-RMM (alp16 and later) and ACS have it
RSI_VDEV_GET_INFO
    buffer must be 512 byte aligned
RSI_VDEV_P2P_BIND
    1.1-alp14 and the draft before 2.0-bet1; unused in TF-RMM
RSI_VDEV_VALIDATE_MAPPING
    wrong VDEV state: RSI_ERROR_INPUT in 1.1-alp14, RSI_ERROR_DEVICE in 2.0-bet3
RSI_VDEV_DMA_DISABLE
    not in 1.1-alp14; in ACS (alp17), TF-RMM alp16, 2.0
RSI_PLANE_SYSREG_READ
    TF-RMM returns one value
    ACS names PLANE_REG_READ
RSI_PLANE_SYSREG_WRITE
    TF-RMM takes one value
""")

ALIASES = {"RSI_PLANE_REG_READ": "RSI_PLANE_SYSREG_READ", "RSI_PLANE_REG_WRITE": "RSI_PLANE_SYSREG_WRITE"}
"""Spellings of the compliance suite."""

PROFILE = v1_0.PROFILE.derive(
    "1.1-alp17",
    commands=ADDED,
    notes=NOTES,
    enums=ENUMS,
    bitfields=BITFIELDS,
    struct_table=STRUCTS,
    aliases=ALIASES,
)
