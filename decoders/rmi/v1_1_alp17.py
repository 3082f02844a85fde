"""RMI of DEN0137 1.1-alp17, as what differs from 1.0-rel0: devices (PDEV, VDEV), SMMUs, planes, memory encryption contexts.

Device commands and structures are those of the Architecture Compliance Suite (5d83304), the Linux RFC v2/v3 driver and
TF-RMM 2c7dc5d0 (1.1-alp16); other commands and the failure conditions are those of the 1.1-alp14 text.
"""

from __future__ import annotations

from ..abi import bit, bits, remarks
from . import v1_0
from ._words import rmi

CHANGED = rmi("""
0xC400015A RMI_REC_CREATE                   create a REC
    rd rec_ptr params_ptr
0xC400015C RMI_REC_ENTER                    run a REC until its next exit
    rec_ptr run_ptr
0xC4000164 RMI_PSCI_COMPLETE                finish a PSCI call of a REC that needs the host
    calling_rec_ptr target_rec_ptr status
""")

ADDED = rmi("""
0xC4000156 RMI_PDEV_AUX_COUNT               how many auxiliary granules a PDEV needs
    flags:RmiPdevFlags -> aux_count
0xC4000160 RMI_VDEV_AUX_COUNT               how many auxiliary granules a VDEV needs
    pdev_flags vdev_flags -> aux_count
0xC4000163 RMI_VDEV_VALIDATE_MAPPING        finish a mapping validation the Realm asked for
    rd rec_ptr pdev_ptr vdev_ptr base top -> out_top
0xC400016A RMI_VSMMU_CREATE                 create a virtual SMMU
    rd vsmmu_ptr params_ptr
0xC400016B RMI_VSMMU_DESTROY                destroy a virtual SMMU
    rd vsmmu_ptr
0xC400016C RMI_VSMMU_MAP                    map the register frame of a virtual SMMU
    rd vsmmu_ptr ipa level
0xC400016D RMI_VSMMU_UNMAP                  unmap the register frame of a virtual SMMU
    rd ipa vsmmu_ptr -> top
0xC400016E RMI_PSMMU_MSI_CONFIG             program the MSIs of the Realm side of an SMMU
    psmmu gerr_addr gerr_data eventq_addr eventq_data priq_addr priq_data
0xC400016F RMI_PSMMU_IRQ_NOTIFY             tell the RMM that an SMMU interrupt fired
    psmmu irq[1:0] -> action[0:0] rd vsmmu msi_addr msi_data
0xC4000171 RMI_PDEV_P2P_CONNECT             make a peer-to-peer stream of two PDEVs
    stream_ptr pdev_1_ptr pdev_2_ptr ide_sid
0xC4000172 RMI_VDEV_MAP                     map device memory into a Realm
    rd vdev_ptr ipa level addr
0xC4000173 RMI_VDEV_UNMAP                   unmap device memory from a Realm
    rd ipa level -> pa top@SUCCESS|ERROR_RTT
0xC4000174 RMI_PDEV_ABORT                   give up the device transaction
    pdev_ptr
0xC4000175 RMI_PDEV_COMMUNICATE             make one step of the device transaction
    pdev_ptr data_ptr
0xC4000176 RMI_PDEV_CREATE                  create a physical device object
    pdev_ptr params_ptr
0xC4000177 RMI_PDEV_DESTROY                 destroy a stopped physical device object
    pdev_ptr
0xC4000178 RMI_PDEV_GET_STATE               read the lifecycle state
    pdev_ptr -> state:RmiPdevState[7:0]
0xC4000179 RMI_PDEV_IDE_RESET               start a reset of the IDE link
    pdev_ptr
0xC400017A RMI_PDEV_IDE_KEY_REFRESH         start a key refresh of an IDE stream
    pdev_ptr coh[0:0]
0xC400017B RMI_PDEV_SET_PUBKEY              hand over the public key of the device certificate
    pdev_ptr params_ptr
0xC400017C RMI_PDEV_STOP                    start to tear down the secure session
    pdev_ptr
0xC400017D RMI_RTT_AUX_CREATE               add a table to an auxiliary RTT tree
    rd rtt ipa level index
0xC400017E RMI_RTT_AUX_DESTROY              remove a table of an auxiliary tree
    rd ipa level index -> rtt top@SUCCESS|ERROR_RTT
0xC400017F RMI_RTT_AUX_FOLD                 fold a table of an auxiliary tree
    rd ipa level index -> rtt
0xC4000180 RMI_RTT_AUX_MAP_PROTECTED        copy a Protected mapping to an auxiliary tree
    rd ipa index -> state:RmiRttEntryState[7:0]@ERROR_RTT|ERROR_RTT_AUX ripas[7:0]@ERROR_RTT|ERROR_RTT_AUX
0xC4000181 RMI_RTT_AUX_MAP_UNPROTECTED      copy an Unprotected mapping to an auxiliary tree
    rd ipa index
0xC4000182 RMI_PDEV_P2P_DISCONNECT          remove a peer-to-peer stream
    stream_ptr pdev_1_ptr pdev_2_ptr
0xC4000183 RMI_RTT_AUX_UNMAP_PROTECTED      remove a Protected mapping from an auxiliary tree
    rd ipa index -> top@SUCCESS|ERROR_RTT_AUX
0xC4000184 RMI_RTT_AUX_UNMAP_UNPROTECTED    remove an Unprotected mapping from an auxiliary tree
    rd ipa index -> top@SUCCESS|ERROR_RTT_AUX
0xC4000185 RMI_VDEV_ABORT                   give up the device transaction of a VDEV
    rd pdev_ptr vdev_ptr
0xC4000186 RMI_VDEV_COMMUNICATE             make one step of the device transaction of a VDEV
    rd pdev_ptr vdev_ptr data_ptr
0xC4000187 RMI_VDEV_CREATE                  create a virtual device object (a TDI given to a Realm)
    rd pdev_ptr vdev_ptr params_ptr
0xC4000188 RMI_VDEV_DESTROY                 destroy a virtual device object
    rd pdev_ptr vdev_ptr
0xC4000189 RMI_VDEV_GET_STATE               read the lifecycle state
    vdev_ptr -> state:RmiVdevState[7:0]
0xC400018A RMI_VDEV_UNLOCK                  start TDISP stop (back to unlocked)
    rd pdev_ptr vdev_ptr
0xC400018B RMI_RTT_SET_S2AP                 finish a stage 2 permission change the Realm asked for
    rd rec_ptr base top -> out_top rtt_tree@ERROR_RTT
0xC400018C RMI_MEC_SET_SHARED               make a MEC shareable
    mecid
0xC400018D RMI_MEC_SET_PRIVATE              make a MEC private
    mecid
0xC400018E RMI_VDEV_COMPLETE                tell the Realm that the VDEV request was served
    rec_ptr vdev_ptr
0xC40001D0 RMI_VDEV_GET_INTERFACE_REPORT    start fetching the TDI interface report
    rd pdev_ptr vdev_ptr
0xC40001D1 RMI_VDEV_GET_MEASUREMENTS        start fetching device measurements
    rd pdev_ptr vdev_ptr params_ptr
0xC40001D2 RMI_VDEV_LOCK                    start TDISP lock
    rd pdev_ptr vdev_ptr
0xC40001D3 RMI_VDEV_START                   start TDISP start
    rd pdev_ptr vdev_ptr
0xC40001D4 RMI_VDEV_P2P_BIND                bind two VDEVs for peer-to-peer
    stream_ptr rd rec_ptr pdev_1_ptr pdev_2_ptr vdev_1_ptr vdev_2_ptr
0xC40001D5 RMI_VDEV_P2P_UNBIND              unbind two VDEVs
    stream_ptr rd rec_ptr pdev_1_ptr pdev_2_ptr vdev_1_ptr vdev_2_ptr
""")

ENUMS: dict[str, dict[int, str | None]] = {
    "RmiRipas": {3: "RMI_DEV"},
    "RmiDevCommStatus": {0: "RMI_DEV_COMM_NONE", 1: "RMI_DEV_COMM_RESPONSE", 2: "RMI_DEV_COMM_ERROR"},
    "RmiDevCommProtocol": {0: "RMI_PROTOCOL_SPDM", 1: "RMI_PROTOCOL_SECURE_SPDM"},
    "RmiDevCommObject": {0: "RMI_DEV_VCA", 1: "RMI_DEV_CERTIFICATE", 2: "RMI_DEV_MEASUREMENTS", 3: "RMI_DEV_INTERFACE_REPORT"},
    "RmiSignatureAlgorithm": {0: "RMI_SIG_RSASSA_3072", 1: "RMI_SIG_ECDSA_P256", 2: "RMI_SIG_ECDSA_P384"},
    "RmiPdevSpdm": {0: "RMI_SPDM_FALSE", 1: "RMI_SPDM_TRUE"},
    "RmiBoolean": {0: "RMI_FALSE", 1: "RMI_TRUE"},
    "RmiStatusCode": {
        5: "RMI_ERROR_NOT_SUPPORTED",
        6: "RMI_ERROR_DEVICE",
        7: "RMI_ERROR_RTT_AUX",
        8: "RMI_ERROR_PSMMU_ST",
        9: "RMI_ERROR_DPT",
        10: "RMI_BUSY",
        11: "RMI_ERROR_GLOBAL",
    },
    "RmiRecExitReason": {
        7: "RMI_EXIT_S2AP_CHANGE",
        8: "RMI_EXIT_VDEV_REQUEST",
        9: "RMI_EXIT_VDEV_MAP",
        10: "RMI_EXIT_VDEV_P2P_BINDING",
    },
    "RmiRttEntryState": {3: "RMI_ASSIGNED_DEV", 4: "RMI_AUX_DESTROYED", 5: "RMI_ASSIGNED_VSMMU"},
    "RmiHashAlgorithm": {2: "RMI_HASH_SHA_384"},
    "RmiPdevState": {
        0: "RMI_PDEV_NEW",
        1: "RMI_PDEV_NEEDS_KEY",
        2: "RMI_PDEV_HAS_KEY",
        3: "RMI_PDEV_READY",
        4: "RMI_PDEV_IDE_RESETTING",
        5: "RMI_PDEV_COMMUNICATING",
        6: "RMI_PDEV_STOPPING",
        7: "RMI_PDEV_STOPPED",
        8: "RMI_PDEV_ERROR",
    },
    "RmiVdevState": {0: "RMI_VDEV_NEW", 1: "RMI_VDEV_UNLOCKED", 2: "RMI_VDEV_LOCKED", 3: "RMI_VDEV_STARTED", 4: "RMI_VDEV_ERROR"},
    "RmiPdevIde": {0: "RMI_IDE_FALSE", 1: "RMI_IDE_TRUE"},
    "RmiPdevCoherent": {0: "RMI_NCOH", 1: "RMI_COH"},
    "RmiPdevTrust": {0: "RMI_TRUST_SEL", 1: "RMI_TRUST_COMP"},
    "RmiPdevCategory": {0: "RMI_PDEV_SMEM", 1: "RMI_PDEV_CMEM_CXL"},
    "RmiVdevMeasureSigned": {0: "RMI_VDEV_MEASURE_NOT_SIGNED", 1: "RMI_VDEV_MEASURE_SIGNED"},
    "RmiVdevMeasureRaw": {0: "RMI_VDEV_MEASURE_NOT_RAW", 1: "RMI_VDEV_MEASURE_RAW"},
    "RmiVdevMeasureCacheType": {0: "RMI_VDEV_CACHE_BLOCKS", 1: "RMI_VDEV_CACHE_EXCHANGE"},
    "RmiProgress": {0: "RMI_PROGRESS_COMPLETE", 1: "RMI_PROGRESS_INCOMPLETE"},
    "RmiRttPlaneFeature": {0: "RMI_RTT_PLANE_AUX", 1: "RMI_RTT_PLANE_AUX_SINGLE", 2: "RMI_RTT_PLANE_SINGLE"},
    "RmiRttS2APEncoding": {0: "RMI_S2AP_DIRECT", 1: "RMI_S2AP_INDIRECT"},
    "RmiSmmuIrq": {0: "RMI_SMMU_IRQ_GERROR", 1: "RMI_SMMU_IRQ_EVENTQ", 2: "RMI_SMMU_IRQ_PRIQ"},
    "RmiSmmuAction": {0: "RMI_SMMU_ACTION_NONE", 1: "RMI_SMMU_ACTION_VIRQ"},
    "RmiLfaPolicy": {0: "RMI_LFA_DISALLOW", 1: "RMI_LFA_ALLOW"},
    "RmiUnprotectedS2AP": {0: "NO_ACCESS", 1: "RO", 2: "WO", 3: "RW"},
}

BITFIELDS = {
    "RmiRealmFlags0": (
        bit("lpa2", 0),
        bit("sve", 1),
        bit("pmu", 2),
        bit("da", 3, "", "device assignment"),
        bits("lfa_policy", 6, 5, "RmiLfaPolicy"),
    ),
    "RmiRealmFlags1": (bit("rtt_tree_per_plane", 0), bit("rtt_s2ap_encoding", 1, "RmiRttS2APEncoding"), bit("ats", 2)),
    "RmiRecEnterFlags": (
        *v1_0.BITFIELDS["RmiRecEnterFlags"],
        bit("s2ap_response", 5, "RmiResponse", "0 accept, 1 reject"),
        bit("dev_mem_response", 6, "RmiResponse", "0 accept, 1 reject"),
        bit("force_p0", 7),
    ),
    "RmiFeatureRegister0": (
        *v1_0.BITFIELDS["RmiFeatureRegister0"],
        bit("DA", 42, "", "device assignment"),
        bits("RTT_PLANE", 44, 43, "RmiRttPlaneFeature"),
        bits("MAX_NUM_AUX_PLANES", 48, 45),
        bit("RTT_S2AP_INDIRECT", 49),
    ),
    "RmiFeatureRegister1": (bits("MAX_MECID", 63, 0),),
    "RmiPdevFlags": (
        bit("spdm", 0, "", "SPDM is used"),
        bit("ncoh_ide", 1, "", "non-coherent link protected by IDE"),
        bit("ncoh_addr", 2, "", "RMM checks non-coherent address ranges"),
        bit("coh_ide", 3, "", "coherent link protected by IDE"),
        bit("coh_addr", 4, "", "RMM checks coherent address ranges"),
        bit("p2p", 5, "", "may join a P2P stream"),
        bit("trust", 6, "RmiPdevTrust"),
        bits("category", 8, 7, "RmiPdevCategory"),
    ),
    "RmiVdevFlags": (bit("vsmmu", 0, "", "VDEV uses a virtual SMMU (TF-RMM alp16 wants zero)"),),
    "RmiVdevMeasureFlags": (
        bit("signed", 0, "RmiVdevMeasureSigned"),
        bit("raw", 1, "RmiVdevMeasureRaw"),
        bit("cache_type", 2, "RmiVdevMeasureCacheType", "from ACS only"),
    ),
    "RmiDevCommExitFlags": (
        bit("req_cache", 0, "", "append bytes of the request buffer to the object"),
        bit("rsp_cache", 1, "", "append bytes of the response buffer to the object"),
        bit("req_send", 2, "", "send the request to the device"),
        bit("rsp_wait", 3, "", "wait for the response (nothing new to send)"),
        bit("rsp_reset", 4, "", "restart the response timer"),
        bit("multi", 5, "", "more requests of this transaction follow"),
    ),
}

STRUCTS = """
RmiRealmParams
    - flags
    0x000 8      flags0               RmiRealmFlags0
    0x038 8      num_aux_planes       UInt64
    0x440 8      ats_plane            UInt64
    0x820 8      flags1               RmiRealmFlags1
    0x828 8      mecid                Bits64
    0xf00 2x3    aux_vmid             Bits16
    0xf80 8x3    aux_rtt_base         Address
RmiRecExit
    0x118 8      rtt_tree             UInt64
    0x120 8      rtt_level            Int64
    0x520 8      s2ap_base            Bits64
    0x528 8      s2ap_top             Bits64
    0x530 8      vdev_id_1            Bits64
    0x538 8      vdev_id_2            Bits64
    0x540 8      dev_mem_base         Bits64
    0x548 8      dev_mem_top          Bits64
    0x550 8      dev_mem_pa           Address
    0x608 8      plane                UInt64
RmiAddressRange 0x10
    0x000 8      base                 Address            inclusive
    0x008 8      top                  Address            exclusive
RmiPdevParams 0x1000
    0x000 8      flags                RmiPdevFlags
    0x008 8      pdev_id              Bits64
    0x010 1      segment_id           Bits8
    0x018 8      ecam_addr            Address
    0x020 2      root_id              Bits16             routing id of the root port
    0x028 8      cert_id              UInt64             SPDM certificate slot
    0x030 2      rid_base             Bits16             inclusive
    0x038 2      rid_top              Bits16             exclusive
    0x040 1      hash_algo            RmiHashAlgorithm
    0x048 8      num_aux              UInt64
    0x050 8      ncoh_ide_sid         UInt64             named ide_sid in TF-RMM
    0x058 8      ncoh_num_addr_range  UInt64             at most 16
    0x060 8      coh_num_addr_range   UInt64             at most 4
    0x100 8x32   aux                  Address            [num_aux]
    0x200 16x16  ncoh_addr_range      RmiAddressRange    [ncoh_num_addr_range]
    0x300 16x4   coh_addr_range       RmiAddressRange    [coh_num_addr_range]
RmiPublicKeyParams 0x1000
    0x000 1x1024 key                  Bits8              [key_len]
    0x400 1x1024 metadata             Bits8              [metadata_len]
    0x800 8      key_len              UInt64
    0x808 8      metadata_len         UInt64
    0x810 1      algo                 RmiSignatureAlgorithm
RmiDevCommEnter 0x100
    0x000 1      status               RmiDevCommStatus   what the host brings: nothing, a response, or an error
    0x008 8      req_addr             Address            PA of the request buffer (one granule, Non-secure)
    0x010 8      rsp_addr             Address            PA of the response buffer (one granule, Non-secure)
    0x018 8      rsp_len              UInt64             bytes of response, at most one granule
RmiDevCommExit 0x100
    0x000 8      flags                RmiDevCommExitFlags
    0x008 8      req_cache_offset     UInt64             where in the request buffer the bytes to cache start
    0x010 8      req_cache_len        UInt64
    0x018 8      rsp_cache_offset     UInt64
    0x020 8      rsp_cache_len        UInt64
    0x028 1      cache_obj_id         RmiDevCommObject   object the cached bytes are appended to
    0x030 1      protocol             RmiDevCommProtocol which DOE data object to use
    0x038 8      req_delay            UInt64             microseconds to wait before sending
    0x040 8      req_len              UInt64             bytes of request
    0x048 8      rsp_timeout          UInt64             microseconds, counted from the last exit with rsp_reset
RmiDevCommData 0x1000
    0x000 256    enter                RmiDevCommEnter
    0x800 256    exit                 RmiDevCommExit
RmiVdevParams 0x1000
    0x000 8      flags                RmiVdevFlags
    0x008 8      vdev_id              Bits64
    0x010 8      tdi_id               Bits64
    0x018 8      num_aux              UInt64
    0x020 8      vsmmu_addr           Address            1.1-alp14; reserved space in TF-RMM, ACS and Linux structs
    0x028 8      vsid                 Bits64             1.1-alp14
    0x100 8x32   aux                  Address            [num_aux]
RmiVdevMeasureParams 0x1000
    0x000 8      flags                RmiVdevMeasureFlags
    0x100 32     indices              Bits256
    0x200 32     nonce                Bits256
RmiVsmmuParams 0x1000
    0x000 8      flags                RmiVsmmuFlags
    0x008 8      reg_base             Address
    0x010 8      reg_top              Address
    0x018 8      aidr                 Bits64
    0x020 8x7    idr                  Bits64
"""

REMOVED_TYPES = ("RmiRealmFlags",)

NOTES = remarks("""
RMI_VERSION
    TF-RMM alp16 implements 1.0 and 1.1 at once (a request for 1.0 succeeds); the Linux RFC v2/v3 driver asks for 1.0;
        Linux RFC for alp14 asked for 1.1
RMI_GRANULE_DELEGATE
    also for PDEV, VDEV and auxiliary granules and for device memory
RMI_DATA_DESTROY
    on (RMI_ERROR_RTT, level) x1 is not valid but x2 (top) tells how far nothing is mapped; on any other error top is 0
RMI_REC_ENTER
    RMI_ERROR_REALM index 0: Realm is NEW; index 1: Realm is SYSTEM_OFF
RMI_RTT_DESTROY
    top is also valid on RMI_ERROR_RTT
RMI_RTT_UNMAP_UNPROTECTED
    top is also valid on RMI_ERROR_RTT
RMI_FEATURES
    indexes 0 and 1 exist
RMI_PSMMU_MSI_CONFIG
    FID and arguments from 1.1-alp14; FID still named so in TF-RMM at alp16; becomes RMI_RMM_CONFIG_SET in 2.0
RMI_PSMMU_IRQ_NOTIFY
    arguments from 1.1-alp14
RMI_PDEV_P2P_CONNECT
    read in 1.1-alp14; TF-RMM at alp16 lists this FID as unused, so it may be gone in alp17
RMI_VDEV_UNMAP
    the checks of the dropped argument vdev_ptr are left out of the failure list
    1.1-alp14 had (rd, vdev_ptr, ipa, level); TF-RMM 2c7dc5d0 dropped vdev_ptr; ACS uses three arguments
RMI_PDEV_ABORT
    legal only in NEW, HAS_KEY, COMMUNICATING; in COMMUNICATING it ends the operation, otherwise the transaction starts
        over (PENDING)
RMI_PDEV_COMMUNICATE
    RMI_BUSY can be returned in alp17 (Linux handles it); not in TF-RMM alp16
    TF-RMM alp16: status RESPONSE with rsp_len 0 is RMI_ERROR_INPUT; comm PENDING with status other than NONE is
        RMI_ERROR_DEVICE
    TF-RMM alp16: called while the comm state is IDLE it answers RMI_ERROR_DEVICE and also moves a PDEV in NEEDS_KEY,
        READY or STOPPED to ERROR; with comm state ERROR it answers RMI_ERROR_DEVICE and moves STOPPING to STOPPED
    TF-RMM alp16: a failed transaction still answers RMI_SUCCESS with exit.flags 0; only the state (ERROR) tells
RMI_PDEV_CREATE
    flags_supp is RMI_ERROR_INPUT in the 1.1-alp14 text; TF-RMM alp16 returns RMI_ERROR_NOT_SUPPORTED for unsupported
        flag combinations
    TF-RMM alp16 accepts only spdm=1 ncoh_ide=1 coh_ide=0 coh_addr=0 p2p=0 trust=SEL category=SMEM
    TF-RMM alp16: ncoh_ide_sid above 31 is RMI_ERROR_INPUT although Linux may pass 0..255
    hash_algo must be 0 or 1
RMI_PDEV_IDE_RESET
    TF-RMM alp16 also refuses a PDEV with VDEVs (RMI_ERROR_DEVICE)
RMI_PDEV_SET_PUBKEY
    TF-RMM: key_len must be 65 (P256), 97 (P384) or 384 (RSA 3072)
RMI_PDEV_STOP
    spec and TF-RMM refuse COMMUNICATING, STOPPING, STOPPED and PDEVs with VDEVs
RMI_RTT_AUX_MAP_PROTECTED
    TF-RMM alp16 returns four outputs (tree index, level, state, ripas) where the 1.1-alp14 text has two
RMI_RTT_AUX_MAP_UNPROTECTED
    TF-RMM alp16 returns three outputs (tree index, level, state)
RMI_PDEV_P2P_DISCONNECT
    read in 1.1-alp14; TF-RMM at alp16 lists this FID as unused, so it may be gone in alp17
RMI_RTT_AUX_UNMAP_PROTECTED
    TF-RMM alp16 returns top and level
RMI_RTT_AUX_UNMAP_UNPROTECTED
    TF-RMM alp16 returns top and level
RMI_VDEV_ABORT
    alp17 as the ACS comment gives it: (rd, pdev_ptr, vdev_ptr); 1.1-alp14 text, TF-RMM 2c7dc5d0, the ACS code itself
        and Linux RFC v3 all pass only (vdev_ptr) in x1: a tool must accept both
RMI_VDEV_COMMUNICATE
    1.1-alp14 had (pdev_ptr, vdev_ptr, data_ptr) without rd
    TF-RMM alp16 does not check that the PDEV is free (no RMI_BUSY); called without an operation it runs into an
        assertion (debug build)
RMI_VDEV_CREATE
    TF-RMM alp16: num_aux and flags must be 0; no stream table entry for tdi_id is RMI_ERROR_DEVICE
RMI_VDEV_DESTROY
    TF-RMM alp16: another Realm or PDEV is RMI_ERROR_INPUT (alp14 text and ACS: RMI_ERROR_DEVICE)
RMI_VDEV_UNLOCK
    1.1-alp14 had (rd, vdev_ptr)
    TF-RMM alp16: the VDEV_COMMUNICATE after an unlock from LOCKED or ERROR hits an assertion (debug build): only
        STARTED is expected there
    TF-RMM alp16: another Realm or PDEV is RMI_ERROR_DEVICE
RMI_VDEV_GET_INTERFACE_REPORT
    1.1-alp14 had (rd, vdev_ptr)
RMI_VDEV_GET_MEASUREMENTS
    1.1-alp14 had (rd, vdev_ptr, params_ptr)
    TF-RMM alp16 does not check the VDEV state, only that the PDEV is idle
RMI_VDEV_LOCK
    1.1-alp14 had (rd, vdev_ptr)
RMI_VDEV_START
    1.1-alp14 had (rd, vdev_ptr)
RMI_VDEV_P2P_BIND
    arguments from 1.1-alp14; the 2.0 draft reorders them
RMI_VDEV_P2P_UNBIND
    arguments from 1.1-alp14; the 2.0 draft reorders them
""")

_DRAFT = "2.0-bet0"
UNCONFIRMED_FIDS = {
    0xC40001D6: ("RMI_VSMMU_EVENT_NOTIFY", _DRAFT),
    0xC40001D7: ("RMI_PSMMU_ACTIVATE", _DRAFT),
    0xC40001D8: ("RMI_PSMMU_DEACTIVATE", _DRAFT),
    0xC40001DB: ("RMI_PSMMU_ST_L2_CREATE", _DRAFT),
    0xC40001DC: ("RMI_PSMMU_ST_L2_DESTROY", _DRAFT),
    0xC40001DD: ("RMI_DPT_L0_CREATE", _DRAFT),
    0xC40001DE: ("RMI_DPT_L0_DESTROY", _DRAFT),
    0xC40001DF: ("RMI_DPT_L1_CREATE", _DRAFT),
    0xC40001E0: ("RMI_DPT_L1_DESTROY", _DRAFT),
    0xC40001E1: ("RMI_GRANULE_TRACKING_GET", _DRAFT),
}
"""Calls of 2.0-bet0 that 1.1-alp17 may already have (it has their status codes), though no source for it lists them."""

PROFILE = v1_0.PROFILE.derive(
    "1.1-alp17",
    commands=CHANGED + ADDED,
    notes=NOTES,
    enums=ENUMS,
    bitfields=BITFIELDS,
    struct_table=STRUCTS,
    removed_types=REMOVED_TYPES,
    packing={**v1_0.PACKING, "RMI_ERROR_RTT_AUX": (bits("index", 15, 8, "", "level in the auxiliary tree"),)},
    other_fids=UNCONFIRMED_FIDS,
)
