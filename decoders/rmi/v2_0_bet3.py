"""RMI of DEN0137 2.0-bet3, as what differs from 2.0-bet1: shorter calls, stream information, GPT queries.

From Linux mainline include/linux/arm-smccc-rmi.h, the 2.0-bet3 text of nineteen commands and TF-RMM HEAD 9a7f8ef4
(2.0-bet2): structures of devices are those of bet2, which have the same layout.
"""

from __future__ import annotations

from ..abi import bit, bits, remarks
from . import v2_0_bet1
from ._words import rmi

CHANGED = rmi("""
0xC4000163 RMI_RTT_DEV_VALIDATE             finish a device mapping validation the Realm asked for
    rd rec_ptr base top -> out_top +plain
0xC4000164 RMI_PSCI_COMPLETE                finish a PSCI call of a REC that needs the host
    calling_rec_ptr status
0xC40001E1 RMI_GRANULE_TRACKING_GET         read how a region is tracked
    base top -> category[1:0] state:RmiTrackingRegionState[2:0] out_top
""")

ADDED = rmi("""
0xC4000170 RMI_ATTEST_PLAT_TOKEN_REFRESH    drop the cached platform token so that a new one is made
0xC40001D6 RMI_VSMMU_EVENT_HANDLE           let a virtual SMMU handle a pending event
    rd vsmmu_ptr pdev_ptr vdev_ptr -> flags:RmiVsmmuEventFlags msi_addr msi_data fipa syndrome
0xC400020F RMI_RMM_DEACTIVATE               deactivate the RMM
    -> +memory
0xC4000210 RMI_PDEV_STREAM_INFO             read state and counters of a stream
    pdev_1_ptr pdev_2_ptr stream_hnd -> stream_state[7:0] stream_type[7:0] refresh_count purge_count
0xC4000211 RMI_GPT_INFO                     read the state of GPT regions
    base top -> out_top par_state +plain
""")

REMOVED = (
    "RMI_VDEV_COMPLETE",
    "RMI_VSMMU_EVENT_NOTIFY",
)

ENUMS: dict[str, dict[int, str | None]] = {
    "RmiOpMemState": {2: "RMI_OP_MEM_CONDITIONAL"},
    "RmiMemCategory": {3: "RMI_MEM_CATEGORY_NONE"},
    "RmiTrackingRegionState": {4: "RMI_TRACKING_INTERMEDIATE"},
    "RmiRecExitReason": {8: "RMI_EXIT_VDEV_VALIDATE_MAPPING", 9: None},
    "RmiGptParState": {
        0: "RMI_GPT_PAR_RESERVED",
        1: "RMI_GPT_PAR_PLAT",
        2: "RMI_GPT_PAR_HOST_NOT_CREATED",
        3: "RMI_GPT_PAR_HOST_CREATED",
    },
}

BITFIELDS = {
    "RmiFeatureRegister0": (
        *v2_0_bet1.BITFIELDS["RmiFeatureRegister0"],
        bit("L0GPT_BLOCK_DELEGATE", 32),
        bits("S2OASZ", 40, 33),
    ),
    "RmiFeatureRegister2": (
        bit("DA", 0, "", "device assignment"),
        bit("DA_COH", 1),
        bit("VSMMU", 2),
        bit("ATS", 3),
        bits("PDEV_MAX_VDEVS_ORDER", 7, 4),
        bit("VDEV_KROU", 8, "", "key refresh on unlock"),
        bit("NON_TEE_STREAM", 9),
        bits("REALM_MAX_VDEVS_ORDER", 14, 10),
    ),
    "RmiAddrRangeDesc4KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 11, 2),
        bits("addr", 51, 12, "Address"),
        bits("state", 63, 62, "RmiOpMemState"),
    ),
    "RmiAddrRangeDesc16KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 13, 2),
        bits("addr", 51, 14, "Address"),
        bits("state", 63, 62, "RmiOpMemState"),
    ),
    "RmiAddrRangeDesc64KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 15, 2),
        bits("addr", 51, 16, "Address"),
        bits("state", 63, 62, "RmiOpMemState"),
    ),
    "RmiOpMemDonateReq": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 15, 2),
        bit("contig", 16, "RmiOpMemContig"),
        bits("state", 18, 17, "RmiOpMemState"),
    ),
}

STRUCTS = """
RmiRealmParams
    0x828 8      max_num_vdevs        UInt64
RmiPdevParams
    - max_vdevs_order
    0x008 8      hb_base              Bits64             host bridge base
    0x010 8      pdev_id              Bits64
    0x018 8      routing_id           Bits64             PCI segment
    0x020 8      id_index             UInt64             certificate slot
    0x028 4      rid_base             Bits32
    0x030 4      rid_top              Bits32
    0x038 1      hash_algo            RmiHashAlgorithm
"""

NOTES = remarks("""
RMI_RTT_DEV_VALIDATE
    pdev_ptr and vdev_ptr dropped (bet2)
RMI_PSCI_COMPLETE
    target REC argument dropped; TF-RMM HEAD still takes three arguments
RMI_FEATURES
    indexes 0 to 4 exist
RMI_ATTEST_PLAT_TOKEN_REFRESH
    was in bet0, not in the Linux bet1 list, is in bet3
RMI_PDEV_ABORT
    NEW or HAS_KEY: to ERROR. Stream operation that can be reverted: operation STREAM_ABORTED; that cannot: state ERROR,
        operation STREAM_COMPLETE. comm state always IDLE
RMI_PDEV_COMMUNICATE
    a comm error outside STOP: state ERROR and comm state IDLE (bet1: comm state ERROR); a comm error in a stream
        operation: operation STREAM_COMPLETE
RMI_PDEV_CREATE
    no max_vdevs_order; the RID span bounds the number of VDEVs
RMI_PDEV_STOP
    NEW and HAS_KEY are no longer stoppable directly: abort first (which moves to ERROR), then stop
RMI_VDEV_ABORT
    NEW: to ERROR; KEY_REFRESH and KEY_PURGE: to LOCKED; else ERROR if the operation cannot be reverted
RMI_VDEV_CREATE
    first operation is VDEV_OP_INIT
RMI_VDEV_DESTROY
    TF-RMM HEAD refuses a VDEV in ERROR (RMI_ERROR_DEVICE)
RMI_VDEV_UNLOCK
    moves to KEY_REFRESH at once when the stream keys must be refreshed
RMI_VSMMU_EVENT_HANDLE
    renamed from VSMMU_EVENT_NOTIFY; psmmu_ptr dropped
RMI_GRANULE_TRACKING_GET
    a range since bet2
RMI_GRANULE_RANGE_UNDELEGATE
    TF-RMM HEAD does exactly one granule per call: out_top = base + 4096
RMI_PDEV_STREAM_COMPLETE
    after an abort or error while connecting the stream becomes DISCONNECTED and the handle dies; an aborted disconnect
        on both PDEVs returns to CONNECTED; counters go up only after success on both
RMI_OP_MEM_DONATE
    Linux passes a flags word in x4 as well; the bet3 text has three arguments
RMI_GPT_INFO
    Linux runs it through its stateful-operation loop
""")

PACKING = {
    **v2_0_bet1.PACKING,
    # the text gives the level and the address of the region; the places of the two were not to be had
    "RMI_ERROR_TRACKING": (bits("data", 63, 8, "", "level and address of the tracking region"),),
}

PROFILE = v2_0_bet1.PROFILE.derive(
    "2.0-bet3",
    commands=CHANGED + ADDED,
    removed=REMOVED,
    notes=NOTES,
    enums=ENUMS,
    bitfields=BITFIELDS,
    struct_table=STRUCTS,
    packing=PACKING,
    other_fids={},
)
