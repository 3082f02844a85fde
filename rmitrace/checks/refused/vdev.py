"""Rules of refused commands: VDEVs."""

from __future__ import annotations

from ..rule import Rule

VDEV_PDEV_NOT_READY = Rule(
    "VDEV-PDEV-NOT-READY", "error", "RMI_VDEV_CREATE while the PDEV is not READY",
    "a VDEV talks in the session of its PDEV",
    "the connect of the PDEV", "DEN0137 VDEV_CREATE pdev_state",
)  # fmt: skip
VDEV_NO_DA = Rule(
    "VDEV-NO-DA", "error", "RMI_VDEV_CREATE for a Realm without device assignment",
    "the Realm's flags say at its creation whether it may have devices",
    "the da flag of RMI_REALM_CREATE; the VMM's options", "DEN0137 VDEV_CREATE da_en",
)  # fmt: skip
VDEV_IDS = Rule(
    "VDEV-IDS", "error", "vdev_id or tdi_id is in use, or outside of the PDEV's range",
    "each names one interface; tdi_id is a routing id of the device",
    "the ids of the other VDEVs, and rid_base and rid_top of the PDEV", "DEN0137 VDEV_CREATE vdev_id_free, tdi_id_bound",
)  # fmt: skip
VDEV_WRONG_STATE = Rule(
    "VDEV-WRONG-STATE", "error", "a command that the VDEV's state does not allow",
    "lock from UNLOCKED, start from LOCKED, report and measurements in LOCKED or STARTED, unlock from these or ERROR",
    "the command before it: did its transaction end, and in which state", "DEN0137 VDEV state machine",
)  # fmt: skip
VDEV_DESTROY_STATE = Rule(
    "VDEV-DESTROY-STATE", "error", "RMI_VDEV_DESTROY in a state that does not allow it",
    "LOCKED and STARTED are unlocked first; TF-RMM of 2.0 refuses ERROR too, RMI_VDEV_UNLOCK is the way out",
    "the unlock before it", "DEN0137 VDEV_DESTROY vdev_state; TF-RMM vdev.c",
)  # fmt: skip
VDEV_BUSY = Rule(
    "VDEV-BUSY", "error", "a VDEV operation before the one before it was communicated to its end",
    "a VDEV has one operation at a time",
    "the communicate loop of the operation before", "DEN0137 VDEV comm_state",
)  # fmt: skip
VDEV_COMM_STRAY = Rule(
    "VDEV-COMM-STRAY", "error", "RMI_VDEV_COMMUNICATE without an operation",
    "there is nothing to go on with; a debug build of TF-RMM stops at an assertion",
    "the operation that should have been started, or the end of the loop", "DEN0137 VDEV_COMMUNICATE comm_state; TF-RMM vdev.c",
)  # fmt: skip
VDEV_MAPPED = Rule(
    "VDEV-MAPPED", "error", "a VDEV is unlocked or destroyed while its memory is mapped",
    "the Realm would keep access to a device that is no longer its own",
    "the unmap calls; 2.0 gives the first page that is still mapped in x1", "DEN0137 VDEV_UNLOCK num_map, gran_mapped",
)  # fmt: skip
VDEV_OWNER = Rule(
    "VDEV-OWNER", "error", "a VDEV call with another Realm or PDEV than at its creation",
    "a VDEV belongs to one Realm and one PDEV for its life",
    "RMI_VDEV_CREATE of that address", "DEN0137 vdev_realm, vdev_pdev",
)  # fmt: skip
VDEV_NO_STREAM = Rule(
    "VDEV-NO-STREAM", "error", "RMI_VDEV_CREATE before the stream is connected",
    "in 2.0 an endpoint needs its IDE stream first",
    "RMI_PDEV_STREAM_CONNECT and RMI_PDEV_STREAM_COMPLETE", "DEN0137 2.0 VDEV_CREATE pdev_streams; TF-RMM vdev.c",
)  # fmt: skip
