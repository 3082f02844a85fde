"""State machines of DEN0137 by revision: what a command does to a granule, a Realm, a PDEV, a VDEV or a stream.

1.1-alp17 is the 1.1-alp14 text checked against what the compliance tests for alp17 expect.
"""

from __future__ import annotations

from ..abi import Machine
from ..abi import Transition as t


def _machine(states: str, *transitions: t, operations: str = "", comm: str = "") -> Machine:
    """A machine from comma-separated names; a state may have its number beside it."""
    numbers = {name: int(number) for name, _, number in (s.partition(" ") for s in _list(states)) if number}
    return Machine(tuple(s.partition(" ")[0] for s in _list(states)), transitions, numbers, _list(operations), _list(comm))


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()


_COMM = "DEV_COMM_IDLE, DEV_COMM_PENDING, DEV_COMM_ACTIVE, DEV_COMM_ERROR"

MACHINES: dict[str, dict[str, Machine]] = {
    "1.0-rel0": {
        "GRANULE": _machine(
            "UNDELEGATED, DELEGATED, RD, REC, REC_AUX, DATA, RTT",
            t("UNDELEGATED", "RMI_GRANULE_DELEGATE", "DELEGATED"),
            t("DELEGATED", "RMI_GRANULE_UNDELEGATE", "UNDELEGATED"),
            t("DELEGATED", "RMI_REALM_CREATE", "RD (rd), RTT (rtt_base..)"),
            t("RD", "RMI_REALM_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_REC_CREATE", "REC (rec), REC_AUX (aux)"),
            t("REC", "RMI_REC_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_DATA_CREATE|RMI_DATA_CREATE_UNKNOWN", "DATA"),
            t("DATA", "RMI_DATA_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_RTT_CREATE", "RTT"),
            t("RTT", "RMI_RTT_DESTROY|RMI_RTT_FOLD", "DELEGATED"),
        ),
        "REALM": _machine(
            "REALM_NEW, REALM_ACTIVE, REALM_SYSTEM_OFF",
            t(None, "RMI_REALM_CREATE", "NEW"),
            t("NEW", "RMI_REALM_ACTIVATE", "ACTIVE"),
            t("ACTIVE", "PSCI_SYSTEM_OFF or PSCI_SYSTEM_RESET of the Realm", "SYSTEM_OFF"),
            t("any", "RMI_REALM_DESTROY", None, when="not live"),
        ),
    },
    "1.1-alp17": {
        "PDEV": _machine(
            "NEW 0, NEEDS_KEY 1, HAS_KEY 2, READY 3, IDE_RESETTING 4, COMMUNICATING 5, STOPPING 6, STOPPED 7, ERROR 8",
            t(None, "RMI_PDEV_CREATE", "NEW", comm="PENDING"),
            t("NEW", "RMI_PDEV_COMMUNICATE", "NEEDS_KEY", when="transaction complete (comm IDLE)", comm="IDLE"),
            t("NEEDS_KEY", "RMI_PDEV_SET_PUBKEY", "HAS_KEY", comm="PENDING"),
            t("HAS_KEY", "RMI_PDEV_COMMUNICATE", "READY", when="transaction complete", comm="IDLE"),
            t("READY", "RMI_PDEV_COMMUNICATE", "READY", when="transaction complete", comm="IDLE"),
            t("READY", "RMI_PDEV_IDE_RESET", "IDE_RESETTING", comm="PENDING"),
            t("IDE_RESETTING", "RMI_PDEV_COMMUNICATE", "READY", when="transaction complete", comm="IDLE"),
            t("READY", "RMI_PDEV_IDE_KEY_REFRESH", "COMMUNICATING", comm="PENDING"),
            t("COMMUNICATING", "RMI_PDEV_COMMUNICATE", "READY", when="transaction complete", comm="IDLE"),
            t("COMMUNICATING", "RMI_PDEV_ABORT", "READY", comm="IDLE"),
            t("NEW|HAS_KEY", "RMI_PDEV_ABORT", "unchanged", comm="PENDING"),
            t("any but COMMUNICATING, STOPPING, STOPPED", "RMI_PDEV_STOP", "STOPPING", when="num_vdevs == 0", comm="PENDING"),
            t("STOPPING", "RMI_PDEV_COMMUNICATE", "STOPPED", when="comm no longer ACTIVE (complete or error)"),
            t("any but STOPPING", "RMI_PDEV_COMMUNICATE", "ERROR", when="comm ERROR", comm="ERROR"),
            t("STOPPED", "RMI_PDEV_DESTROY", None),
            comm=_COMM,
        ),
        "VDEV": _machine(
            "NEW 0, UNLOCKED 1, LOCKED 2, STARTED 3, ERROR 4",
            t(None, "RMI_VDEV_CREATE", "NEW", op="UNLOCK", comm="PENDING"),
            t("NEW", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="op UNLOCK complete", comm="IDLE"),
            t("UNLOCKED", "RMI_VDEV_LOCK", "UNLOCKED", op="LOCK", comm="PENDING"),
            t("UNLOCKED", "RMI_VDEV_COMMUNICATE", "LOCKED", when="op LOCK complete", comm="IDLE"),
            t("LOCKED", "RMI_VDEV_START", "LOCKED", op="START", comm="PENDING"),
            t("LOCKED", "RMI_VDEV_COMMUNICATE", "STARTED", when="op START complete", comm="IDLE"),
            t(
                "LOCKED|STARTED|ERROR",
                "RMI_VDEV_UNLOCK",
                "unchanged",
                when="num_map == 0 and comm IDLE",
                op="UNLOCK",
                comm="PENDING",
            ),
            t("LOCKED|STARTED|ERROR", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="op UNLOCK complete", comm="IDLE"),
            t("LOCKED|STARTED", "RMI_VDEV_GET_INTERFACE_REPORT", "unchanged", op="GET_REPORT", comm="PENDING"),
            t(
                "LOCKED|STARTED (alp14 text); any state in TF-RMM alp16",
                "RMI_VDEV_GET_MEASUREMENTS",
                "unchanged",
                op="GET_MEAS",
                comm="PENDING",
            ),
            t("any", "RMI_VDEV_COMMUNICATE", "ERROR", when="comm ERROR"),
            t("any with comm not IDLE", "RMI_VDEV_ABORT", "ERROR", comm="IDLE"),
            t("NEW|UNLOCKED|ERROR", "RMI_VDEV_DESTROY", None, when="num_map == 0"),
            operations="VDEV_OP_NONE, VDEV_OP_UNLOCK, VDEV_OP_LOCK, VDEV_OP_START, VDEV_OP_GET_MEAS, VDEV_OP_GET_REPORT, "
            "VDEV_OP_P2P_BIND, VDEV_OP_P2P_UNBIND",
        ),
        "GRANULE": _machine(
            "UNDELEGATED, DELEGATED, RD, REC, REC_AUX, DATA, RTT, PDEV, PDEV_AUX, VDEV, VDEV_AUX, VSMMU, P2P_STREAM, DEV_MAPPED",
            t("UNDELEGATED", "RMI_GRANULE_DELEGATE", "DELEGATED"),
            t("DELEGATED", "RMI_GRANULE_UNDELEGATE", "UNDELEGATED"),
            t("DELEGATED", "RMI_REALM_CREATE", "RD (rd), RTT (rtt_base..)"),
            t("RD", "RMI_REALM_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_REC_CREATE", "REC (rec), REC_AUX (aux)"),
            t("REC", "RMI_REC_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_DATA_CREATE|RMI_DATA_CREATE_UNKNOWN", "DATA"),
            t("DATA", "RMI_DATA_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_RTT_CREATE", "RTT"),
            t("RTT", "RMI_RTT_DESTROY|RMI_RTT_FOLD", "DELEGATED"),
            t("DELEGATED", "RMI_PDEV_CREATE", "PDEV (pdev_ptr), PDEV_AUX (aux)"),
            t("PDEV|PDEV_AUX", "RMI_PDEV_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_VDEV_CREATE", "VDEV (vdev_ptr), VDEV_AUX (aux)"),
            t("VDEV|VDEV_AUX", "RMI_VDEV_DESTROY", "DELEGATED"),
            t("DELEGATED", "RMI_VSMMU_CREATE", "VSMMU"),
            t("VSMMU", "RMI_VSMMU_DESTROY", "DELEGATED"),
        ),
    },
    "2.0-bet1": {
        "PDEV": _machine(
            "NEW 0, NEEDS_KEY 1, HAS_KEY 2, READY 3, STOPPED 4, ERROR 5",
            t(None, "RMI_PDEV_CREATE", "NEW", op="NONE", comm="PENDING"),
            t("NEW", "RMI_PDEV_COMMUNICATE", "NEEDS_KEY", when="complete and SPDM in use", comm="IDLE"),
            t("NEW", "RMI_PDEV_COMMUNICATE", "READY", when="complete and no SPDM (root port, on-chip)", comm="IDLE"),
            t("NEEDS_KEY", "RMI_PDEV_SET_PUBKEY", "HAS_KEY", comm="PENDING"),
            t("HAS_KEY", "RMI_PDEV_COMMUNICATE", "READY", when="complete", comm="IDLE"),
            t(
                "READY",
                "RMI_PDEV_STREAM_CONNECT|DISCONNECT|KEY_REFRESH|KEY_PURGE",
                "READY",
                op="the stream operation",
                comm="PENDING (both PDEVs)",
            ),
            t(
                "READY",
                "RMI_PDEV_COMMUNICATE",
                "READY",
                when="stream operation complete on this PDEV",
                op="STREAM_COMPLETE",
                comm="IDLE",
            ),
            t("READY", "RMI_PDEV_STREAM_COMPLETE", "READY", op="NONE"),
            t(
                "NEW|NEEDS_KEY|HAS_KEY|READY|ERROR",
                "RMI_PDEV_STOP",
                "unchanged",
                when="comm IDLE, no VDEVs, no live stream",
                op="STOP",
                comm="PENDING",
            ),
            t("any with op STOP", "RMI_PDEV_COMMUNICATE", "STOPPED", when="complete or error", op="NONE"),
            t("any with op not STOP", "RMI_PDEV_COMMUNICATE", "ERROR", when="error"),
            t("any with comm not IDLE", "RMI_PDEV_ABORT", "unchanged", comm="IDLE"),
            t("STOPPED", "RMI_PDEV_DESTROY", None),
            operations="PDEV_OP_NONE, PDEV_OP_CONNECT, PDEV_OP_DISCONNECT, PDEV_OP_KEY_REFRESH, PDEV_OP_KEY_PURGE, "
            "PDEV_OP_STREAM_COMPLETE, PDEV_OP_STOP",
            comm=_COMM,
        ),
        "PDEV_STREAM": _machine(
            "PDEV_STREAM_DISCONNECTED, PDEV_STREAM_CONNECTING, PDEV_STREAM_CONNECTED, PDEV_STREAM_DISCONNECTING, "
            "PDEV_STREAM_KEY_REFRESHING, PDEV_STREAM_KEY_PURGING",
            t("DISCONNECTED", "RMI_PDEV_STREAM_CONNECT", "CONNECTING"),
            t("CONNECTING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
            t("CONNECTED", "RMI_PDEV_STREAM_DISCONNECT", "DISCONNECTING"),
            t("DISCONNECTING", "RMI_PDEV_STREAM_COMPLETE", "DISCONNECTED"),
            t("CONNECTED", "RMI_PDEV_STREAM_KEY_REFRESH", "KEY_REFRESHING"),
            t("CONNECTED", "RMI_PDEV_STREAM_KEY_PURGE", "KEY_PURGING"),
            t("KEY_REFRESHING|KEY_PURGING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
        ),
        "VDEV": _machine(
            "NEW 0, UNLOCKED 1, LOCKED 2, STARTED 3, ERROR 4, KEY_REFRESH 5, KEY_PURGE 6",
            t(None, "RMI_VDEV_CREATE", "NEW", comm="PENDING"),
            t("NEW", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="complete", comm="IDLE"),
            t("UNLOCKED", "RMI_VDEV_LOCK", "unchanged", op="LOCK", comm="PENDING"),
            t("UNLOCKED", "RMI_VDEV_COMMUNICATE", "LOCKED", when="op LOCK complete"),
            t("LOCKED", "RMI_VDEV_START", "unchanged", op="START", comm="PENDING"),
            t("LOCKED", "RMI_VDEV_COMMUNICATE", "STARTED", when="op START complete"),
            t(
                "LOCKED|STARTED|ERROR",
                "RMI_VDEV_UNLOCK",
                "unchanged, or KEY_REFRESH if the stream keys must be refreshed (VDEV_KROU)",
                when="comm IDLE, nothing mapped",
                op="UNLOCK",
                comm="PENDING",
            ),
            t("LOCKED|STARTED|ERROR", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="op UNLOCK complete, no key refresh needed"),
            t("KEY_REFRESH", "RMI_VDEV_COMMUNICATE", "KEY_PURGE", when="after a stream key refresh"),
            t("KEY_PURGE", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="after a stream key purge"),
            t("any with comm not IDLE", "RMI_VDEV_ABORT", "ERROR", comm="IDLE"),
            t("NEW|UNLOCKED|ERROR", "RMI_VDEV_DESTROY", None),
            operations="VDEV_OP_NONE, VDEV_OP_INIT (bet3) / VDEV_OP_UNLOCK (bet1) after create, VDEV_OP_LOCK, VDEV_OP_START, "
            "VDEV_OP_UNLOCK, VDEV_OP_GET_MEAS, VDEV_OP_GET_REPORT",
        ),
    },
    "2.0-bet3": {
        "PDEV": _machine(
            "NEW 0, NEEDS_KEY 1, HAS_KEY 2, READY 3, STOPPED 4, ERROR 5",
            t(None, "RMI_PDEV_CREATE", "NEW", op="NONE", comm="PENDING"),
            t("NEW", "RMI_PDEV_COMMUNICATE", "NEEDS_KEY", when="complete and SPDM in use", comm="IDLE"),
            t("NEW", "RMI_PDEV_COMMUNICATE", "READY", when="complete and no SPDM (root port, on-chip)", comm="IDLE"),
            t("NEEDS_KEY", "RMI_PDEV_SET_PUBKEY", "HAS_KEY", comm="PENDING"),
            t("HAS_KEY", "RMI_PDEV_COMMUNICATE", "READY", when="complete", comm="IDLE"),
            t(
                "READY",
                "RMI_PDEV_STREAM_CONNECT|DISCONNECT|KEY_REFRESH|KEY_PURGE",
                "READY",
                op="the stream operation",
                comm="PENDING (both PDEVs)",
            ),
            t(
                "READY",
                "RMI_PDEV_COMMUNICATE",
                "READY",
                when="stream operation complete on this PDEV",
                op="STREAM_COMPLETE",
                comm="IDLE",
            ),
            t("READY", "RMI_PDEV_STREAM_COMPLETE", "READY", op="NONE"),
            t("any with op STOP", "RMI_PDEV_COMMUNICATE", "STOPPED", when="complete or error", op="NONE"),
            t("STOPPED", "RMI_PDEV_DESTROY", None),
            t(
                "NEEDS_KEY|READY|ERROR",
                "RMI_PDEV_STOP",
                "unchanged",
                when="comm IDLE, no VDEVs, no live stream",
                op="STOP",
                comm="PENDING",
            ),
            t(
                "any with op not STOP",
                "RMI_PDEV_COMMUNICATE",
                "ERROR",
                when="error",
                op="STREAM_COMPLETE if it was a stream operation",
                comm="IDLE",
            ),
            t("NEW|HAS_KEY with comm not IDLE", "RMI_PDEV_ABORT", "ERROR", comm="IDLE"),
            t("READY with a stream operation that can be reverted", "RMI_PDEV_ABORT", "READY", op="STREAM_ABORTED", comm="IDLE"),
            t(
                "READY with a stream operation that cannot be reverted",
                "RMI_PDEV_ABORT",
                "ERROR",
                op="STREAM_COMPLETE",
                comm="IDLE",
            ),
            operations="PDEV_OP_NONE, PDEV_OP_CONNECT, PDEV_OP_DISCONNECT, PDEV_OP_KEY_REFRESH, PDEV_OP_KEY_PURGE, "
            "PDEV_OP_STREAM_COMPLETE, PDEV_OP_STOP, PDEV_OP_STREAM_ABORTED",
            comm=_COMM,
        ),
        "PDEV_STREAM": _machine(
            "PDEV_STREAM_DISCONNECTED, PDEV_STREAM_CONNECTING, PDEV_STREAM_CONNECTED, PDEV_STREAM_DISCONNECTING, "
            "PDEV_STREAM_KEY_REFRESHING, PDEV_STREAM_KEY_PURGING",
            t("DISCONNECTED", "RMI_PDEV_STREAM_CONNECT", "CONNECTING"),
            t("CONNECTING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
            t("CONNECTED", "RMI_PDEV_STREAM_DISCONNECT", "DISCONNECTING"),
            t("DISCONNECTING", "RMI_PDEV_STREAM_COMPLETE", "DISCONNECTED"),
            t("CONNECTED", "RMI_PDEV_STREAM_KEY_REFRESH", "KEY_REFRESHING"),
            t("CONNECTED", "RMI_PDEV_STREAM_KEY_PURGE", "KEY_PURGING"),
            t("KEY_REFRESHING|KEY_PURGING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED"),
            t(
                "CONNECTING",
                "RMI_PDEV_STREAM_COMPLETE",
                "DISCONNECTED (handle released)",
                when="a PDEV is in ERROR or STREAM_ABORTED",
            ),
            t("DISCONNECTING", "RMI_PDEV_STREAM_COMPLETE", "CONNECTED", when="all PDEVs STREAM_ABORTED"),
        ),
        "VDEV": _machine(
            "NEW 0, UNLOCKED 1, LOCKED 2, STARTED 3, ERROR 4, KEY_REFRESH 5, KEY_PURGE 6",
            t(None, "RMI_VDEV_CREATE", "NEW", comm="PENDING"),
            t("NEW", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="complete", comm="IDLE"),
            t("UNLOCKED", "RMI_VDEV_LOCK", "unchanged", op="LOCK", comm="PENDING"),
            t("UNLOCKED", "RMI_VDEV_COMMUNICATE", "LOCKED", when="op LOCK complete"),
            t("LOCKED", "RMI_VDEV_START", "unchanged", op="START", comm="PENDING"),
            t("LOCKED", "RMI_VDEV_COMMUNICATE", "STARTED", when="op START complete"),
            t(
                "LOCKED|STARTED|ERROR",
                "RMI_VDEV_UNLOCK",
                "unchanged, or KEY_REFRESH if the stream keys must be refreshed (VDEV_KROU)",
                when="comm IDLE, nothing mapped",
                op="UNLOCK",
                comm="PENDING",
            ),
            t("LOCKED|STARTED|ERROR", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="op UNLOCK complete, no key refresh needed"),
            t("KEY_REFRESH", "RMI_VDEV_COMMUNICATE", "KEY_PURGE", when="after a stream key refresh"),
            t("KEY_PURGE", "RMI_VDEV_COMMUNICATE", "UNLOCKED", when="after a stream key purge"),
            t("NEW|UNLOCKED|ERROR", "RMI_VDEV_DESTROY", None),
            t("NEW with comm not IDLE", "RMI_VDEV_ABORT", "ERROR", comm="IDLE"),
            t("KEY_REFRESH|KEY_PURGE", "RMI_VDEV_ABORT", "LOCKED", comm="IDLE"),
            t("other states, operation not revertible", "RMI_VDEV_ABORT", "ERROR", comm="IDLE"),
            operations="VDEV_OP_NONE, VDEV_OP_INIT (bet3) / VDEV_OP_UNLOCK (bet1) after create, VDEV_OP_LOCK, VDEV_OP_START, "
            "VDEV_OP_UNLOCK, VDEV_OP_GET_MEAS, VDEV_OP_GET_REPORT",
        ),
    },
}
