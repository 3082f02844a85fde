"""What works in another way from one revision of DEN0137 to the next, which no table of names, offsets and bits shows.

From the texts of the drafts, the headers of Linux (RFC v2 to v4, mainline) and TF-RMM's history. Each stands at the step between
two neighbours of REVISIONS at which it came in; ``sign`` is how a trace shows which of the two is spoken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import REVISIONS


class Change(NamedTuple):
    """Something that a driver, or a firmware, has to do in another way.

    since   the first revision in which it is so
    about   commands, types and fields that it is about, for a choice by name
    title   in a few words
    said    what was and what is now
    do      what the author of a driver has to change; empty where nothing
    sign    how a trace shows it; empty where it does not
    """

    since: str
    about: str
    title: str
    said: str
    do: str = ""
    sign: str = ""


CHANGES = (
    # 1.0-rel0 -> 1.1-alp17
    Change(
        "1.1-alp17",
        "RMI_VERSION RmiInterfaceVersion",
        "the version number does not tell the revision",
        "drafts 1.1-alp14 to alp17 all report 1.1, and a kernel may ask for 1.0 and still use the commands on devices",
        "decide by feature registers, not by the version: DA is bit 42 of register 0",
        "RMI_VERSION with x1 0x10000, then RMI_PDEV_ calls",
    ),
    Change(
        "1.1-alp17",
        "RMI_PDEV_CREATE RMI_PDEV_COMMUNICATE RMI_VDEV_CREATE RmiPdevParams RmiDevCommData RmiFeatureRegister0 DA",
        "devices can be assigned",
        "a PDEV stands for a device, a VDEV for a part of it in a Realm; the host carries the messages between RMM and device "
        "(RMI_PDEV_COMMUNICATE, RMI_VDEV_COMMUNICATE with RmiDevCommData)",
        "call COMMUNICATE, send what exit.flags asks for and hand the answer back, until the object is in the wanted state",
    ),
    Change(
        "1.1-alp17",
        "RMI_REALM_CREATE RmiRealmParams flags flags0 flags1 num_aux_planes aux_vmid aux_rtt_base",
        "planes",
        "a Realm may have auxiliary planes with tables and VMIDs of their own; the field flags is flags0 now, and flags1 is new",
        "leave num_aux_planes 0 for a Realm as it was in 1.0",
    ),
    Change(
        "1.1-alp17",
        "RmiStatusCode RMI_ERROR_NOT_SUPPORTED RMI_ERROR_DEVICE RMI_BUSY RMI_ERROR_GLOBAL",
        "more statuses",
        "5 to 11 are new (5 was RMI_ERROR_IN_USE in drafts before 1.0): RMI_ERROR_DEVICE for a device in another state, "
        "RMI_BUSY to try again",
        "try again on RMI_BUSY; do not take a status above 4 for a broken RMM",
        "a status of 5 or more in x0[7:0]",
    ),
    # 1.1-alp17 -> 2.0-bet1
    Change(
        "2.0-bet1",
        "RMI_INCOMPLETE RMI_OP_CONTINUE RMI_OP_MEM_DONATE RMI_OP_MEM_RECLAIM RMI_OP_CANCEL RmiOpMemDonateReq RmiStatusCode",
        "stateful operations",
        "a command that takes long, needs memory or gives it back answers RMI_INCOMPLETE (13): x1 is the handle of the "
        "operation, x0[9:8] says whether it asks for memory (x2 is the request) or has some to give back, x0[10] whether it can "
        "be cancelled",
        "loop: RMI_OP_MEM_DONATE or RMI_OP_MEM_RECLAIM as asked, else RMI_OP_CONTINUE, until another status comes; the first "
        "command is not called again",
        "status 13; 0xc4000203, 0xc4000208 to 0xc400020a. A 1.x kernel takes 13 for an unknown error and never ends the "
        "operation",
    ),
    Change(
        "2.0-bet1",
        "RMI_PDEV_AUX_COUNT RMI_VDEV_AUX_COUNT RMI_REC_AUX_COUNT RmiPdevParams RmiVdevParams RmiRecParams num_aux aux",
        "no auxiliary granules in the parameters",
        "the AUX_COUNT commands and num_aux, aux[] are gone: the memory of a PDEV, VDEV or REC is donated while it is created",
        "delegate and donate what RMI_PDEV_CREATE, RMI_VDEV_CREATE and RMI_REC_CREATE ask for, take it back when they are "
        "destroyed",
        "0xc4000156, 0xc4000160, 0xc4000167 used: 1.x. RmiPdevParams with addresses from 0x100 on: 1.1",
    ),
    Change(
        "2.0-bet1",
        "RMI_GRANULE_DELEGATE RMI_GRANULE_UNDELEGATE RMI_GRANULE_RANGE_DELEGATE RMI_GRANULE_RANGE_UNDELEGATE",
        "granules are delegated in ranges",
        "base and top instead of one address; out_top says how far the command came",
        "call again from out_top until it is top: a success may have done a part only",
        "0xc4000151, 0xc4000152: 1.x; a 2.0 firmware answers -1. 0xc40001f1, 0xc40001f2: 2.0",
    ),
    Change(
        "2.0-bet1",
        "RMI_DATA_CREATE RMI_DATA_CREATE_UNKNOWN RMI_DATA_DESTROY RMI_RTT_MAP_UNPROTECTED RMI_RTT_UNMAP_UNPROTECTED "
        "RMI_RTT_DATA_MAP RMI_RTT_DATA_UNMAP RMI_RTT_UNPROT_MAP RMI_RTT_UNPROT_UNMAP",
        "memory is mapped in ranges",
        "one command for a range of pages, with out_top (and what was unmapped) as result, in the place of one for a page; "
        "0xc4000153 has another name and the same arguments",
        "walk on from out_top; addresses of unmapped pages come as a range or a list",
    ),
    Change(
        "2.0-bet1",
        "RMI_PDEV_STREAM_CONNECT RMI_PDEV_STREAM_COMPLETE RMI_PDEV_STREAM_DISCONNECT RMI_PDEV_IDE_RESET "
        "RMI_PDEV_IDE_KEY_REFRESH RmiPdevStreamParams RmiPdevParams ncoh_ide_sid ncoh_addr_range RmiPdevFlags",
        "IDE streams are objects",
        "in 1.1 keys are programmed within RMI_PDEV_COMMUNICATE in HAS_KEY, with stream id and address ranges in RmiPdevParams. "
        "In 2.0 a PDEV is READY without IDE; RMI_PDEV_STREAM_CONNECT starts a stream with parameters of its own, both PDEVs "
        "communicate, RMI_PDEV_STREAM_COMPLETE ends it. RMI_PDEV_IDE_RESET is gone: disconnect and connect again",
        "after READY: connect the stream, communicate on both PDEVs while exit.flags has stream_wait on one, then complete",
        "0xc4000204 to 0xc4000207: 2.0; 0xc4000179: 1.1. exit.flags bit 6 (stream_wait): 2.0",
    ),
    Change(
        "2.0-bet1",
        "RMI_PDEV_CREATE RmiPdevCategory RmiPdevFlags category root_id",
        "the root port is a PDEV of its own",
        "category is ROOT_PORT 0, off-chip 1 or on-chip endpoint 2, in bits [2:1]; 1.1 knew the root port as root_id of the "
        "endpoint. Bits 1 and 2 were ncoh_ide and ncoh_addr",
        "create one PDEV for the root port, too; it needs no key",
        "flags 0x7 in RmiPdevParams: 1.1; in 2.0 category 3 does not exist",
    ),
    Change(
        "2.0-bet1",
        "RMI_PDEV_STOP RMI_PDEV_GET_STATE RmiPdevState RMI_PDEV_STOPPED RMI_PDEV_ERROR",
        "states of a PDEV",
        "COMMUNICATING, STOPPING and IDE_RESETTING are gone: the state stays what it was while an operation runs, and STOPPED "
        "is 4 (was 7), ERROR 5 (was 8)",
        "wait for STOPPED, and expect no STOPPING after RMI_PDEV_STOP",
        "RMI_PDEV_GET_STATE gives 6, 7 or 8: 1.1. After RMI_PDEV_STOP it gives 6: 1.1. Kernel and firmware that differ read "
        "each other's numbers wrongly",
    ),
    Change(
        "2.0-bet1",
        "RMI_FEATURES RmiFeatureRegister0 RmiFeatureRegister1 RmiFeatureRegister2 DA HASH_SHA_256 HASH_SHA_512 MAX_RECS_ORDER "
        "MAX_MECID",
        "feature registers",
        "DA is bit 0 of register 2 (was bit 42 of register 0); the hashes are register 1 [5:3] (were bits 32 and 33 of register "
        "0); register 1 held MAX_MECID and holds granule sizes, hashes and MAX_RECS_ORDER now",
        "read registers 0 to 4; a 1.1 kernel finds neither hashes nor DA, and says nothing about it",
        "RMI_FEATURES of index 0 with bit 42: 1.1. Bits 42 and up are zero in 2.0",
    ),
    Change(
        "2.0-bet1",
        "RMI_RMM_ACTIVATE RMI_RMM_CONFIG_SET RMI_RMM_CONFIG_GET RMI_RMM_STATE_GET RMI_ERROR_GLOBAL RmiRmmConfig "
        "RMI_PSMMU_MSI_CONFIG",
        "the RMM has to be activated",
        "until RMI_RMM_ACTIVATE most commands answer RMI_ERROR_GLOBAL (11); granule size and tracking are set before, with "
        "RMI_RMM_CONFIG_SET, whose id 0xc400016e was RMI_PSMMU_MSI_CONFIG",
        "RMI_RMM_CONFIG_SET, then RMI_RMM_ACTIVATE once after boot",
        "status 11 everywhere and no 0xc4000202: never activated",
    ),
    Change(
        "2.0-bet1",
        "RMI_GRANULE_TRACKING_GET RMI_GRANULE_TRACKING_SET RMI_GPT_L1_CREATE RMI_GPT_L1_DESTROY RMI_ERROR_TRACKING RMI_ERROR_GPT",
        "memory is tracked, its tables are donated",
        "regions have to be tracked before granules of them can be delegated, and level 1 of the GPT may have to be created",
        "RMI_GRANULE_TRACKING_SET (and RMI_GPT_L1_CREATE) for a region first; RMI_ERROR_TRACKING and RMI_ERROR_GPT say that it "
        "is missing",
    ),
    Change(
        "2.0-bet1",
        "RMI_REALM_CREATE RmiRealmParams vmid aux_vmid mecid RMI_MEC_SET_SHARED RMI_MEC_SET_PRIVATE mec_policy RmiRealmFlags0",
        "VMIDs and MECIDs are the RMM's",
        "vmid, aux_vmid and mecid are gone from RmiRealmParams; a policy in flags0 [8:7] says whether the MEC is shared",
        "allocate neither; RMI_ERROR_GLOBAL of RMI_REALM_CREATE says that the RMM has none left",
    ),
    Change(
        "2.0-bet1",
        "RMI_REC_ENTER RmiRecEnter RmiRecExit gicv3_hcr gicv3_lrs gicv3_misr gicv3_vmcr",
        "GIC state in system registers",
        "the gicv3_ fields of RmiRecEnter and RmiRecExit are gone: list registers and control pass in the CPU's ICH_ registers",
        "save and restore ICH_*_EL2 around RMI_REC_ENTER, as for other VMs",
        "the words from 0x300 on of RmiRecEnter are zero: 2.0",
    ),
    Change(
        "2.0-bet1",
        "RMI_PSMMU_ACTIVATE RMI_PSMMU_DEACTIVATE RMI_PSMMU_ST_L2_CREATE RMI_VSMMU_MAP RMI_VSMMU_UNMAP RMI_RTT_ARCH_DEV_MAP "
        "RMI_PSMMU_MSI_CONFIG",
        "SMMUs are given to the RMM",
        "RMI_PSMMU_ACTIVATE with RmiPsmmuParams takes over an SMMU, level 2 stream tables are created as needed; a virtual SMMU "
        "is mapped with RMI_RTT_ARCH_DEV_MAP",
        "activate the SMMU of a device, and create its stream table, before RMI_VDEV_CREATE",
    ),
    Change(
        "2.0-bet1",
        "RMI_VDEV_UNLOCK RmiVdevState KEY_REFRESH KEY_PURGE RMI_ERROR_GRANULE",
        "unlocking may need new keys",
        "RMI_VDEV_UNLOCK can leave a VDEV in KEY_REFRESH, and returns the address of a page that is still mapped "
        "(RMI_ERROR_GRANULE)",
        "refresh and purge the keys of its streams before the VDEV is UNLOCKED; unmap what is named",
    ),
    Change(
        "2.0-bet1",
        "RmiResult RMI_ERROR_RTT RMI_ERROR_RTT_AUX RMI_INCOMPLETE",
        "x0 above the status",
        "[15:8] was an index whatever the status; now it is the level of RMI_ERROR_RTT, RTT_AUX, PSMMU_ST and DPT, and other "
        "things for others",
        "read the second part by the status",
    ),
    Change(
        "2.0-bet1",
        "RmiRecExitReason RMI_EXIT_VDEV_MAP RMI_EXIT_VDEV_VALIDATE_MAPPING RMI_EXIT_VSMMU_COMMAND",
        "exits of a REC",
        "9 is VDEV_VALIDATE_MAPPING (was VDEV_MAP), 10 VSMMU_COMMAND (was VDEV_P2P_BINDING)",
        "answer 9 with RMI_RTT_DEV_VALIDATE",
    ),
    # 2.0-bet1 -> 2.0-bet3
    Change(
        "2.0-bet3",
        "RMI_PDEV_CREATE RmiPdevParams hb_base pdev_id routing_id id_index rid_base rid_top hash_algo max_vdevs_order",
        "RmiPdevParams moved by eight bytes",
        "hb_base, the base of the host bridge, is new at 0x8: every field behind it is eight bytes further on (2.0-bet2 has "
        "this layout, too); max_vdevs_order is gone",
        "fill in hb_base",
        "the word at 0x8 is page aligned and looks like a host bridge, 0x38 holds 0 to 2: bet2 or newer",
    ),
    Change(
        "2.0-bet3",
        "RMI_REALM_CREATE RmiRealmParams max_num_vdevs RmiFeatureRegister2 MAX_VDEVS_ORDER PDEV_MAX_VDEVS_ORDER "
        "REALM_MAX_VDEVS_ORDER",
        "a Realm says how many VDEVs it may have",
        "max_num_vdevs at 0x828 of RmiRealmParams; in 1.1 mecid was there, in bet1 nothing",
        "set it: 0 means no VDEV at all",
        "a Realm created with 0 at 0x828, and RMI_VDEV_CREATE refused",
    ),
    Change(
        "2.0-bet3",
        "RMI_PDEV_ABORT RMI_PDEV_STOP RMI_PDEV_COMMUNICATE RmiDevCommState comm_state",
        "after a transaction that failed",
        "the communication of a PDEV is IDLE again and the state ERROR; until bet2 it stays in ERROR (TF-RMM), and "
        "RMI_PDEV_STOP is refused until RMI_PDEV_ABORT. NEW and HAS_KEY are no longer stoppable directly",
        "RMI_PDEV_STOP from ERROR; abort NEW and HAS_KEY first",
        "RMI_PDEV_STOP refused with RMI_ERROR_DEVICE in state ERROR: bet1, bet2",
    ),
    Change(
        "2.0-bet3",
        "RMI_RTT_DEV_VALIDATE RmiRecExitReason RMI_VDEV_COMPLETE RMI_EXIT_VDEV_REQUEST",
        "validating device memory",
        "RMI_RTT_DEV_VALIDATE has four arguments, x3 is base (six before, x3 was the PDEV); exit reason 8 is "
        "VDEV_VALIDATE_MAPPING (was VDEV_REQUEST), 9 is gone, and so is RMI_VDEV_COMPLETE",
        "pass rd, rec, base, top",
        "six arguments: bet1 or older. A firmware of bet2 or newer reads a PDEV address as base: RMI_ERROR_INPUT",
    ),
    Change(
        "2.0-bet3",
        "RMI_PSCI_COMPLETE",
        "PSCI without a target",
        "the RMM finds the target REC itself: x2 is the status",
        "pass the calling REC and the status",
        "x2 small or negative and x3 0: bet3; x2 an address: older",
    ),
    Change(
        "2.0-bet3",
        "RMI_GRANULE_TRACKING_GET RmiTrackingRegionState RmiMemCategory",
        "tracking is read in ranges",
        "base and top, with out_top as third result; a region may be INTERMEDIATE (4) and its category NONE (3)",
        "pass top in x2",
        "x2 0: bet1 or older",
    ),
    Change(
        "2.0-bet3",
        "RmiOpMemDonateReq RmiAddrRangeDesc4KB RmiAddrRangeDesc16KB RmiAddrRangeDesc64KB RmiOpMemState OP_MEM_CONDITIONAL",
        "donated memory may be in either state",
        "state has two bits (was one) in the donate request and in address lists: CONDITIONAL (2) takes granules delegated or "
        "not. TF-RMM still has one bit",
        "mask two bits",
    ),
    Change(
        "2.0-bet3",
        "RmiFeatureRegister0 L0GPT_BLOCK_DELEGATE S2OASZ",
        "bits 32 and up of feature register 0",
        "L0GPT_BLOCK_DELEGATE [32] and S2OASZ [40:33] stand where 1.x had the hashes and GICV3_NUM_LRS",
        sign="bits 32 and 33: hashes in 1.x, these in bet3, zero in bet1",
    ),
)


def between(old: str, new: str) -> Iterator[Change]:
    """The changes on the way between two revisions, whichever of them is the newer."""
    first, last = sorted((REVISIONS.index(old), REVISIONS.index(new)))
    steps = REVISIONS[first + 1 : last + 1]
    return (c for c in CHANGES if c.since in steps)
