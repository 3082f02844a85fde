"""RMI of DEN0137 2.0-bet1, as what differs from 1.1-alp17: ranges instead of granules, stateful operations that ask for
memory, PDEV streams, activation of the RMM.

From the Linux RFC v4 header and driver, TF-RMM 95f53f77 and a 2.0 draft between bet0 and bet1.
"""

from __future__ import annotations

from ..abi import BitField, bit, bits, flags, remarks
from . import v1_1_alp17
from ._words import rmi

CHANGED = rmi("""
0xC400016F RMI_PSMMU_IRQ_NOTIFY             tell the RMM that an SMMU interrupt fired
    psmmu_ptr irqs -> flags:RmiPsmmuIrqResult event_num stream_id fetch_addr input_addr syndrome
0xC400017E RMI_RTT_AUX_DESTROY              remove a table of an auxiliary tree
    rd ipa level index -> rtt top@SUCCESS|ERROR_RTT_AUX +plain
0xC400018A RMI_VDEV_UNLOCK                  start TDISP stop (back to unlocked)
    rd pdev_ptr vdev_ptr -> addr@ERROR_GRANULE
""")

ADDED = rmi("""
0xC4000153 RMI_RTT_DATA_MAP_INIT            map one page with initial content
    rd data ipa src flags:RmiDataFlags -> +plain
0xC4000163 RMI_RTT_DEV_VALIDATE             finish a device mapping validation the Realm asked for
    rd rec_ptr pdev_ptr vdev_ptr base top -> out_top +plain
0xC400016E RMI_RMM_CONFIG_SET               set granule size and tracking region size
    cfg_ptr
0xC400017A RMI_PDEV_STREAM_KEY_REFRESH      start a key refresh of a stream
    pdev_1_ptr pdev_2_ptr stream_hnd
0xC40001D6 RMI_VSMMU_EVENT_NOTIFY           pass an SMMU event to a virtual SMMU
    psmmu_ptr rd vsmmu_ptr pdev_ptr vdev_ptr -> flags:RmiVsmmuEventFlags msi_addr msi_data fipa syndrome
0xC40001D7 RMI_PSMMU_ACTIVATE               let the RMM use an SMMU
    psmmu_ptr params_ptr -> +memory
0xC40001D8 RMI_PSMMU_DEACTIVATE             stop using an SMMU
    psmmu_ptr -> +memory
0xC40001DB RMI_PSMMU_ST_L2_CREATE           create a level 2 stream table
    psmmu_ptr sid -> +memory
0xC40001DC RMI_PSMMU_ST_L2_DESTROY          destroy a level 2 stream table
    psmmu_ptr sid -> +memory
0xC40001DD RMI_DPT_L0_CREATE                create the level 0 device permission table
    -> +memory
0xC40001DE RMI_DPT_L0_DESTROY               destroy the level 0 device permission table
    -> +memory
0xC40001DF RMI_DPT_L1_CREATE                create a level 1 device permission table
    addr -> +memory
0xC40001E0 RMI_DPT_L1_DESTROY               destroy a level 1 device permission table
    addr -> +memory
0xC40001E1 RMI_GRANULE_TRACKING_GET         read how a region is tracked
    addr -> category[1:0] state:RmiTrackingRegionState[2:0]
0xC40001E3 RMI_GRANULE_TRACKING_SET         change how a region is tracked
    addr category state:RmiTrackingRegionState -> +memory
0xC40001EC RMI_RMM_CONFIG_GET               read the configuration
    cfg_ptr
0xC40001EE RMI_RMM_STATE_GET                read the RMM state
    -> state:RmiRmmState[7:0]
0xC40001F0 RMI_PSMMU_EVENT_CONSUME          drop the SMMU events reported last
    psmmu_ptr irqs
0xC40001F1 RMI_GRANULE_RANGE_DELEGATE       delegate a range
    base top -> out_top +plain
0xC40001F2 RMI_GRANULE_RANGE_UNDELEGATE     undelegate a range
    base top -> out_top +plain
0xC40001F3 RMI_GPT_L1_CREATE                create a level 1 GPT
    addr -> +memory
0xC40001F4 RMI_GPT_L1_DESTROY               destroy a level 1 GPT
    addr -> +memory
0xC40001F5 RMI_RTT_DATA_MAP                 map a range of Protected IPA to conventional memory
    rd base top flags:RmiRttProtMapFlags oaddr -> out_top +plain
0xC40001F6 RMI_RTT_DATA_UNMAP               unmap conventional memory from a range
    rd base top flags:RmiRttUnmapFlags oaddr -> out_top out_range out_count +plain
0xC40001F7 RMI_RTT_DEV_MAP                  map a range to device memory of a VDEV
    rd vdev_ptr base top flags:RmiRttProtMapFlags oaddr -> out_top +plain
0xC40001F8 RMI_RTT_DEV_UNMAP                unmap device memory from a range
    rd base top flags:RmiRttUnmapFlags oaddr -> out_top out_range out_count +plain
0xC40001F9 RMI_RTT_ARCH_DEV_MAP             map an architected device (virtual SMMU)
    rd dev_ptr base top -> out_top +plain
0xC40001FA RMI_RTT_ARCH_DEV_UNMAP           unmap an architected device
    rd dev_ptr base top -> out_top +plain
0xC40001FB RMI_RTT_UNPROT_MAP               map host memory in Unprotected IPA space
    rd base top flags:RmiRttUnprotMapFlags oaddr -> out_top +plain
0xC40001FC RMI_RTT_UNPROT_UNMAP             unmap host memory from Unprotected IPA space
    rd base top flags:RmiRttUnmapFlags oaddr -> out_top out_range out_count +plain
0xC40001FD RMI_RTT_AUX_PROT_MAP             copy Protected mappings of a range to an auxiliary tree
    rd base top flags:RmiRttAuxMapFlags -> out_top +plain
0xC40001FE RMI_RTT_AUX_PROT_UNMAP           remove Protected mappings of a range from an auxiliary tree
    rd base top flags:RmiRttAuxUnmapFlags -> out_top +plain
0xC40001FF RMI_RTT_AUX_UNPROT_MAP           copy Unprotected mappings of a range to an auxiliary tree
    rd base top flags:RmiRttAuxMapFlags -> out_top +plain
0xC4000200 RMI_RTT_AUX_UNPROT_UNMAP         remove Unprotected mappings of a range from an auxiliary tree
    rd base top flags:RmiRttAuxUnmapFlags -> out_top +plain
0xC4000201 RMI_REALM_TERMINATE              move a Realm into its final, not runnable state
    rd -> +memory
0xC4000202 RMI_RMM_ACTIVATE                 activate the RMM
    -> +memory
0xC4000203 RMI_OP_CONTINUE                  go on with a stateful operation
    handle flags:RmiContinueFlags -> reserved@INCOMPLETE donate_req@INCOMPLETE
0xC4000204 RMI_PDEV_STREAM_CONNECT          start to connect a stream of one or two PDEVs
    params_ptr -> stream_hnd
0xC4000205 RMI_PDEV_STREAM_DISCONNECT       start to disconnect a stream
    pdev_1_ptr pdev_2_ptr stream_hnd
0xC4000206 RMI_PDEV_STREAM_COMPLETE         finish a stream operation after both PDEVs are done
    pdev_1_ptr pdev_2_ptr stream_hnd
0xC4000207 RMI_PDEV_STREAM_KEY_PURGE        start purging inactive keys of a stream
    pdev_1_ptr pdev_2_ptr stream_hnd
0xC4000208 RMI_OP_MEM_DONATE                donate memory to a stateful operation
    handle list_addr list_count -> donated_count@INCOMPLETE donate_req@INCOMPLETE
0xC4000209 RMI_OP_MEM_RECLAIM               take memory back from a stateful operation
    handle list_addr list_count -> reclaim_count@INCOMPLETE
0xC400020A RMI_OP_CANCEL                    cancel a stateful operation
    handle
0xC400020B RMI_VSMMU_FEATURES               read virtual SMMU features
    features_ptr
0xC400020C RMI_VSMMU_CMD_GET                fetch a command of a virtual SMMU
    vsmmu_ptr rd -> flags:RmiVsmmuCmdFlags vsid msi_addr msi_data
0xC400020D RMI_VSMMU_CMD_COMPLETE           finish a command of a virtual SMMU
    rd vsmmu_ptr pdev_ptr vdev_ptr
0xC400020E RMI_PSMMU_INFO                   read properties of an SMMU
    psmmu_ptr info_ptr
""")

REMOVED = (
    "RMI_GRANULE_DELEGATE",
    "RMI_GRANULE_UNDELEGATE",
    "RMI_DATA_CREATE",
    "RMI_DATA_CREATE_UNKNOWN",
    "RMI_DATA_DESTROY",
    "RMI_PDEV_AUX_COUNT",
    "RMI_RTT_MAP_UNPROTECTED",
    "RMI_VDEV_AUX_COUNT",
    "RMI_RTT_UNMAP_UNPROTECTED",
    "RMI_VDEV_VALIDATE_MAPPING",
    "RMI_REC_AUX_COUNT",
    "RMI_VSMMU_MAP",
    "RMI_VSMMU_UNMAP",
    "RMI_PSMMU_MSI_CONFIG",
    "RMI_PDEV_P2P_CONNECT",
    "RMI_VDEV_MAP",
    "RMI_VDEV_UNMAP",
    "RMI_PDEV_IDE_RESET",
    "RMI_PDEV_IDE_KEY_REFRESH",
    "RMI_RTT_AUX_MAP_PROTECTED",
    "RMI_RTT_AUX_MAP_UNPROTECTED",
    "RMI_PDEV_P2P_DISCONNECT",
    "RMI_RTT_AUX_UNMAP_PROTECTED",
    "RMI_RTT_AUX_UNMAP_UNPROTECTED",
    "RMI_MEC_SET_SHARED",
    "RMI_MEC_SET_PRIVATE",
    "RMI_VDEV_P2P_BIND",
    "RMI_VDEV_P2P_UNBIND",
)

NOW_STATEFUL = {
    "RMI_REALM_CREATE": "memory",
    "RMI_REALM_DESTROY": "memory",
    "RMI_REC_CREATE": "memory",
    "RMI_REC_DESTROY": "memory",
    "RMI_RTT_CREATE": "plain",
    "RMI_RTT_DESTROY": "plain",
    "RMI_RTT_FOLD": "plain",
    "RMI_RTT_INIT_RIPAS": "plain",
    "RMI_RTT_SET_RIPAS": "plain",
    "RMI_VSMMU_CREATE": "memory",
    "RMI_VSMMU_DESTROY": "memory",
    "RMI_PDEV_CREATE": "memory",
    "RMI_PDEV_DESTROY": "memory",
    "RMI_RTT_AUX_CREATE": "plain",
    "RMI_RTT_AUX_FOLD": "plain",
    "RMI_VDEV_CREATE": "memory",
    "RMI_VDEV_DESTROY": "memory",
    "RMI_RTT_SET_S2AP": "plain",
}

ENUMS: dict[str, dict[int, str | None]] = {
    "RmiStatusCode": {
        12: "RMI_ERROR_TRACKING",
        13: "RMI_INCOMPLETE",
        14: "RMI_BLOCKED",
        15: "RMI_ERROR_GPT",
        16: "RMI_ERROR_GRANULE",
    },
    "RmiRttEntryState": {
        0: "RMI_RTTE_VOID",
        1: "RMI_RTTE_DATA",
        2: "RMI_RTTE_TABLE",
        3: "RMI_RTTE_NARCH_DEV",
        4: "RMI_RTTE_AUX_DESTROYED",
        5: "RMI_RTTE_ARCH_DEV",
    },
    "RmiPdevState": {4: "RMI_PDEV_STOPPED", 5: "RMI_PDEV_ERROR", 6: None, 7: None, 8: None},
    "RmiVdevState": {5: "RMI_VDEV_KEY_REFRESH", 6: "RMI_VDEV_KEY_PURGE"},
    "RmiPdevCategory": {0: "RMI_PDEV_ROOT_PORT", 1: "RMI_PDEV_ENDPOINT_ACCEL_OFF_CHIP", 2: "RMI_PDEV_ENDPOINT_ACCEL_ON_CHIP"},
    "RmiPdevStreamType": {
        0: "RMI_PDEV_STREAM_NON_TEE",
        1: "RMI_PDEV_STREAM_NCOH",
        2: "RMI_PDEV_STREAM_COH",
        3: "RMI_PDEV_STREAM_NCOH_SYS",
        4: "RMI_PDEV_STREAM_COH_SYS",
    },
    "RmiOpMemReq": {0: "RMI_OP_MEM_REQ_NONE", 1: "RMI_OP_MEM_REQ_DONATE", 2: "RMI_OP_MEM_REQ_RECLAIM"},
    "RmiOpCanCancel": {0: "RMI_OP_CANNOT_CANCEL", 1: "RMI_OP_CAN_CANCEL"},
    "RmiOpMemContig": {0: "RMI_OP_MEM_NON_CONTIG", 1: "RMI_OP_MEM_CONTIG"},
    "RmiOpMemState": {0: "RMI_OP_MEM_DELEGATED", 1: "RMI_OP_MEM_UNDELEGATED"},
    "RmiContinue": {0: "RMI_CONTINUE_KEEP_GOING", 1: "RMI_CONTINUE_STOP"},
    "RmiAddrBlockSize": {0: "RMI_PAGE_L3", 1: "RMI_BLOCK_L2", 2: "RMI_BLOCK_L1", 3: "RMI_BLOCK_L0"},
    "RmiAddrType": {0: "RMI_ADDR_TYPE_NONE", 1: "RMI_ADDR_TYPE_SINGLE", 2: "RMI_ADDR_TYPE_LIST"},
    "RmiMemCategory": {0: "RMI_MEM_CATEGORY_CONVENTIONAL", 1: "RMI_MEM_CATEGORY_DEV_NCOH", 2: "RMI_MEM_CATEGORY_DEV_COH"},
    "RmiTrackingRegionState": {
        0: "RMI_TRACKING_RESERVED",
        1: "RMI_TRACKING_NONE",
        2: "RMI_TRACKING_FINE",
        3: "RMI_TRACKING_COARSE",
    },
    "RmiGranuleSize": {0: "RMI_GRANULE_SIZE_4KB", 1: "RMI_GRANULE_SIZE_16KB", 2: "RMI_GRANULE_SIZE_64KB"},
    "RmiMecPolicy": {0: "RMI_MEC_POLICY_SHARED", 1: "RMI_MEC_POLICY_PRIVATE"},
    "RmiRttS2APBase": {0: "NO_ACCESS", 1: "RO", 2: "WO", 3: "RW", 4: "RW_puX"},
    "RmiRmmState": {0: "RMM_STATE_INIT", 1: "RMM_STATE_INTERMEDIATE", 2: "RMM_STATE_ACTIVE"},
    "RmiPsmmuIrqConfig": {0: "DISABLED", 1: "WIRED", 2: "MSI"},
    "RmiRecExitReason": {9: "RMI_EXIT_VDEV_VALIDATE_MAPPING", 10: "RMI_EXIT_VSMMU_COMMAND"},
}

BITFIELDS = {
    "RmiRealmFlags0": (*v1_1_alp17.BITFIELDS["RmiRealmFlags0"], bits("mec_policy", 8, 7, "RmiMecPolicy")),
    "RmiFeatureRegister0": (
        bits("S2SZ", 7, 0, "", "maximum IPA width"),
        bit("LPA2", 8),
        bit("SVE", 9),
        bits("SVE_VL", 13, 10, "", "vector length / 128 - 1"),
        bits("NUM_BPS", 19, 14, "", "minus one"),
        bits("NUM_WPS", 25, 20, "", "minus one"),
        bit("PMU", 26),
        bits("PMU_NUM_CTRS", 31, 27),
    ),
    "RmiFeatureRegister1": (
        bit("RMI_GRAN_SZ_4KB", 0),
        bit("RMI_GRAN_SZ_16KB", 1),
        bit("RMI_GRAN_SZ_64KB", 2),
        bit("HASH_SHA_256", 3),
        bit("HASH_SHA_384", 4),
        bit("HASH_SHA_512", 5),
        bits("MAX_RECS_ORDER", 9, 6),
        bits("L0GPTSZ", 13, 10),
        bits("PPS", 16, 14),
    ),
    "RmiFeatureRegister2": (
        bit("DA", 0, "", "device assignment"),
        bit("DA_COH", 1),
        bit("VSMMU", 2),
        bit("ATS", 3),
        bits("MAX_VDEVS_ORDER", 7, 4),
        bit("VDEV_KROU", 8, "", "key refresh on unlock"),
        bit("NON_TEE_STREAM", 9),
    ),
    "RmiFeatureRegister3": (
        bits("MAX_NUM_AUX_PLANES", 3, 0),
        bits("RTT_PLANE", 5, 4, "RmiRttPlaneFeature"),
        bit("RTT_S2AP_INDIRECT", 6),
    ),
    "RmiFeatureRegister4": (bits("MEC_COUNT", 63, 0),),
    "RmiPdevFlags": (bit("spdm", 0, "", "SPDM is used"), bits("category", 2, 1, "RmiPdevCategory")),
    "RmiPdevStreamFlags": (),
    "RmiVdevFlags": flags("vsmmu"),
    "RmiVdevMeasureFlags": (bit("raw", 0, "RmiVdevMeasureRaw"),),
    "RmiDevCommExitFlags": (
        *v1_1_alp17.BITFIELDS["RmiDevCommExitFlags"],
        bit("stream_wait", 6, "", "wait for progress of the other PDEV of the stream"),
    ),
    "RmiAddrRangeDesc4KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 11, 2),
        bits("addr", 51, 12, "Address"),
        bit("state", 63, "RmiOpMemState"),
    ),
    "RmiAddrRangeDesc16KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 13, 2),
        bits("addr", 51, 14, "Address"),
        bit("state", 63, "RmiOpMemState"),
    ),
    "RmiAddrRangeDesc64KB": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 15, 2),
        bits("addr", 51, 16, "Address"),
        bit("state", 63, "RmiOpMemState"),
    ),
    "RmiOpMemDonateReq": (
        bits("size", 1, 0, "RmiAddrBlockSize"),
        bits("count", 15, 2),
        bit("contig", 16, "RmiOpMemContig"),
        bit("state", 17, "RmiOpMemState"),
    ),
    "RmiContinueFlags": (bit("beyond", 0, "RmiContinue"),),
    "RmiRttProtMapFlags": (bits("oaddr_type", 1, 0, "RmiAddrType"), bits("list_count", 15, 2)),
    "RmiRttUnmapFlags": (
        bits("oaddr_type", 1, 0, "RmiAddrType"),
        bits("list_count", 15, 2, "", "TF-RMM HEAD; the draft lists only oaddr_type"),
    ),
    "RmiRttUnprotMapFlags": (
        bits("oaddr_type", 1, 0, "RmiAddrType"),
        bits("list_count", 15, 2),
        bits("memattr", 18, 16),
        bits("s2ap", 22, 19, "", "direct: bit 0 write, bit 1 read"),
    ),
    "RmiRttAuxMapFlags": (bits("tree_index", 1, 0), bit("block", 2), bit("invalid_pri", 3)),
    "RmiRttAuxUnmapFlags": (bits("tree_index", 1, 0),),
    "RmiPsmmuFlags": flags("msi", "ats", "pri"),
    "RmiPsmmuIrqSet": flags("gerror", "eventq", "priq", "cmdq"),
    "RmiPsmmuIrqResult": flags("pending", "vsmmu_event", "smmu_event", "empty"),
    "RmiVsmmuCmdFlags": flags("pending", "cmd_complete", "irq"),
    "RmiVsmmuEventFlags": flags("irq", "abort"),
}

STRUCTS = """
RmiRecParams
    - num_aux
    - aux
RmiRecEnter
    - gicv3_hcr
    - gicv3_lrs
RmiRecExit
    - rtt_level
    - gicv3_hcr
    - gicv3_lrs
    - gicv3_misr
    - gicv3_vmcr
    0x710 8      vsmmu                Address            valid on a VSMMU exit
RmiAddrRange 0x10
    0x000 8      base                 Address            inclusive
    0x008 8      top                  Address            exclusive
RmiPdevStreamParams 0x1000
    0x000 8      flags                RmiPdevStreamFlags
    0x008 1      stream_type          RmiPdevStreamType
    0x010 8      pdev_1               Address
    0x018 8      pdev_2               Address            zero for SYS types
    0x020 8      ide_sid              UInt64
    0x028 8      num_addr_range       UInt64             at most 16
    0x100 16x16  addr_range           RmiAddrRange       [num_addr_range]
RmiVdevParams 0x1000
    0x000 8      flags                RmiVdevFlags
    0x008 8      vdev_id              Bits64
    0x010 8      tdi_id               Bits64
    0x020 8      vsmmu_addr           Address
    0x028 8      vsid                 Bits64
    0x030 8      num_addr_range       UInt64             at most 8
    0x200 16x8   addr_range           RmiAddrRange       [num_addr_range]
RmiVdevMeasureParams
    - indices
    0x100 32     nonce                Bits256
RmiRmmConfig 0x1000
    0x000 8      tracking_region_size UInt64
    0x008 8      rmi_granule_size     UInt64
RmiPsmmuParams 0x1000
    0x000 8      flags                RmiPsmmuFlags
    0x008 8      gerr_addr            Address
    0x010 8      gerr_data            Bits64
    0x018 8      eventq_addr          Address
    0x020 8      eventq_data          Bits64
    0x028 8      priq_addr            Address
    0x030 8      priq_data            Bits64
RmiPsmmuInfo 0x100
    0x000 8      flags                RmiPsmmuInfoFlags  irq_cfg in bits [1:0] (Linux); the other flags are not confirmed
    0x008 4      gerror_intr_num      UInt32
    0x010 4      eventq_intr_num      UInt32
    0x018 4      priq_intr_num        UInt32
    0x020 4      cmdq_sync_intr_num   UInt32
RmiVsmmuFeatures 0x100
    0x000 8      aidr                 Bits64
    0x008 8x7    idr                  Bits64
RmiRealmParams
    - vmid
    - mecid
    - aux_vmid
RmiPdevParams 0x1000
    0x000 8      flags                RmiPdevFlags
    0x008 8      pdev_id              Bits64
    0x010 8      routing_id           Bits64             PCI segment
    0x018 8      id_index             UInt64             certificate slot
    0x020 4      rid_base             Bits32
    0x028 4      rid_top              Bits32
    0x030 1      hash_algo            RmiHashAlgorithm
    0x038 8      max_vdevs_order      UInt64
"""

REMOVED_TYPES = (
    "RmiPdevIde",
    "RmiPdevCoherent",
    "RmiPdevTrust",
    "RmiVdevMeasureSigned",
    "RmiVdevMeasureCacheType",
    "RmiProgress",
    "RmiSmmuIrq",
    "RmiSmmuAction",
    "RmiUnprotectedS2AP",
    "RmiAddressRange",
)

NOTES = remarks("""
RMI_REC_CREATE
    no auxiliary granules in the parameters: they are donated
RMI_RTT_DEV_VALIDATE
    six arguments in bet0/bet1; four (rd, rec_ptr, base, top) from bet2 on
RMI_PSCI_COMPLETE
    target_rec_ptr is dropped in bet3
RMI_FEATURES
    indexes 0 to 4 exist
RMI_PDEV_COMMUNICATE
    TF-RMM at bet1: called with comm state IDLE it answers RMI_ERROR_DEVICE and also forgets an operation that waits for
        PDEV_STREAM_COMPLETE (which then answers RMI_ERROR_DEVICE)
    TF-RMM at bet1: a failed transaction still answers RMI_SUCCESS with exit.flags 0; only the state (ERROR) tells
    TF-RMM at bet1 has no busy check between PDEV and VDEV of one device
RMI_PDEV_CREATE
    TF-RMM at bet1: ROOT_PORT needs no donated memory (direct RMI_SUCCESS); OFF_CHIP needs SPDM; ON_CHIP is
        RMI_ERROR_NOT_SUPPORTED; max_vdevs_order above 4 or routing_id above 0xFFFF is RMI_ERROR_INPUT; pdev_id holds
        the BDF in bits 27:0 and the ECAM base in bits 63:28
    Linux RFC v4 passes max_vdevs_order 10, which TF-RMM at bet1 refuses with RMI_ERROR_INPUT
RMI_PDEV_STOP
    in TF-RMM at bet1 a comm error while stopping leaves the PDEV in ERROR; the draft text says STOPPED
RMI_VDEV_DESTROY
    TF-RMM at bet1 and HEAD refuses a VDEV in ERROR (RMI_ERROR_DEVICE); its alp16 version and the spec texts accept it
RMI_VDEV_UNLOCK
    x1 tells which granule is still mapped when the status is RMI_ERROR_GRANULE
    TF-RMM at bet1 never enters KEY_REFRESH or KEY_PURGE (feature VDEV_KROU is 0): unlock leads straight to UNLOCKED
    TF-RMM at bet1: another Realm is RMI_ERROR_DEVICE
RMI_VSMMU_EVENT_NOTIFY
    arguments from the 2.0 draft between bet0 and bet1
RMI_GRANULE_TRACKING_GET
    one address in bet0/bet1; a range with a third output from bet2 on
RMI_GRANULE_RANGE_DELEGATE
    TF-RMM (bet1 and HEAD) does exactly one granule per call: out_top = base + 4096
RMI_GRANULE_RANGE_UNDELEGATE
    TF-RMM (bet1 and HEAD) does exactly one granule per call: out_top = base + 4096
RMI_PDEV_STREAM_CONNECT
    TF-RMM at bet1 supports only stream type NCOH, others RMI_ERROR_NOT_SUPPORTED; the handle it returns is pdev_1 plus
        the stream type
    TF-RMM at bet1: both PDEVs count the stream from here on; after a failed connect neither STREAM_COMPLETE (wants
        READY) nor STREAM_DISCONNECT (wants CONNECTED) nor STOP (wants no stream) succeeds: a dead end until reset
RMI_PDEV_STREAM_KEY_PURGE
    TF-RMM at bet1 always answers RMI_ERROR_NOT_SUPPORTED
RMI_OP_MEM_DONATE
    never takes more than wanted; TF-RMM does not cross a granule of the list
RMI_OP_MEM_RECLAIM
    always RMI_INCOMPLETE unless an argument is wrong; go on with RMI_OP_CONTINUE when mem is NONE
""")

_LEVEL = (bits("level", 15, 8, "", "level at which the walk ended"),)
PACKING: dict[str, tuple[BitField, ...]] = {
    "RMI_INCOMPLETE": (
        bits("mem", 9, 8, "RmiOpMemReq", "what the operation wants next"),
        bit("can_cancel", 10, "RmiOpCanCancel"),
    ),
    "RMI_ERROR_RTT": _LEVEL,
    "RMI_ERROR_RTT_AUX": _LEVEL,
    "RMI_ERROR_PSMMU_ST": _LEVEL,
    "RMI_ERROR_DPT": _LEVEL,
}
"""x0 besides the status in [7:0] (RmiResult): data by status, zero for all others."""

OTHER_FIDS = {
    0xC400015F: ("RMI_RTT_MAP_UNPROTECTED", "1.1-alp17"),
    0xC4000162: ("RMI_RTT_UNMAP_UNPROTECTED", "1.1-alp17"),
    0xC400016C: ("RMI_VSMMU_MAP", "1.1-alp17"),
    0xC400016D: ("RMI_VSMMU_UNMAP", "1.1-alp17"),
    0xC4000180: ("RMI_RTT_AUX_MAP_PROTECTED", "1.1-alp17"),
    0xC4000181: ("RMI_RTT_AUX_MAP_UNPROTECTED", "1.1-alp17"),
    0xC4000183: ("RMI_RTT_AUX_UNMAP_PROTECTED", "1.1-alp17"),
    0xC4000184: ("RMI_RTT_AUX_UNMAP_UNPROTECTED", "1.1-alp17"),
    0xC4000170: ("RMI_ATTEST_PLAT_TOKEN_REFRESH", "2.0-bet0"),
    0xC40001D4: ("RMI_VDEV_P2P_BIND", "2.0-bet0"),
    0xC40001D5: ("RMI_VDEV_P2P_UNBIND", "2.0-bet0"),
    0xC40001E4: ("RMI_CMEM_ADD_PDEV", "2.0-bet0"),
    0xC40001E5: ("RMI_CMEM_CREATE", "2.0-bet0"),
    0xC40001E6: ("RMI_CMEM_DESTROY", "2.0-bet0"),
    0xC40001E7: ("RMI_CMEM_POPULATE", "2.0-bet0"),
    0xC40001E8: ("RMI_CMEM_REMOVE_PDEV", "2.0-bet0"),
    0xC40001E9: ("RMI_CMEM_START", "2.0-bet0"),
    0xC40001EA: ("RMI_CMEM_STOP", "2.0-bet0"),
    0xC40001EB: ("RMI_CMEM_UNPOPULATE", "2.0-bet0"),
    0xC40001ED: ("RMI_PDEV_MEC_UPDATE", "2.0-bet0"),
    0xC40001EE: ("RMI_VSMMU_EVENT_COMPLETE", "2.0-bet0"),
    0xC40001F0: ("RMI_PSMMU_EVENT_DISCARD", "2.0-bet0"),
    0xC400020B: ("RMI_PDEV_SET_PROT", "2.0-bet0"),
}
"""What a 2.0-bet1 firmware or a kernel one draft older may still use: 1.1 calls that TF-RMM 95f53f77 keeps, and calls
of bet0 that are gone, renamed or back in bet3."""

PROFILE = v1_1_alp17.PROFILE.derive(
    "2.0-bet1",
    commands=CHANGED + ADDED,
    removed=REMOVED,
    now_stateful=NOW_STATEFUL,
    notes=NOTES,
    enums=ENUMS,
    bitfields=BITFIELDS,
    struct_table=STRUCTS,
    removed_types=REMOVED_TYPES,
    packing=PACKING,
    other_fids=OTHER_FIDS,
)
