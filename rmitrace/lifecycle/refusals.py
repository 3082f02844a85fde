"""Why the RMM refuses a command in the state that the trace shows, in half a sentence behind the status.

Conditions of DEN0137 (failure lists of 1.1-alp14 and 2.0-bet3) and, where said, of TF-RMM. Nothing is said where the
trace leaves it open.
"""

from __future__ import annotations


def why_refused(command: str, status: str, state: str | None, failed_transaction: bool, revision: str) -> str:
    """': the reason', or an empty string. ``state``: of the PDEV or VDEV, without its prefix; ``failed_transaction``: a
    transaction of it failed and nothing has cleared that since; ``revision``: of the device commands."""
    reason = _reason(command.removeprefix("RMI_"), status, state, failed_transaction, revision.startswith("2."))
    return f": {reason}" if reason else ""


def _reason(command: str, status: str, state: str | None, failed: bool, two: bool) -> str:
    if status == "SMC_NOT_SUPPORTED":
        return "the function id is unknown to this firmware, or it is TF-RMM without device assignment"
    if status == "RMI_ERROR_GLOBAL":
        return "the RMM is not active (RMI_RMM_ACTIVATE has not succeeded)"
    if status == "RMI_ERROR_DEVICE":
        if command == "PDEV_STOP" and failed and two:
            return (
                "its communication is still in the failed transaction; "
                "before 2.0-bet3 RMI_PDEV_ABORT has to come first, and a PDEV_STOP without it is refused"
            )
        if command == "PDEV_STOP" and state in ("COMMUNICATING", "STOPPING", "STOPPED"):
            return f"not possible in PDEV_{state}"
        if command == "PDEV_COMMUNICATE" and failed:
            return "the transaction has failed and cannot go on"
        if command == "PDEV_COMMUNICATE" and state in ("NEEDS_KEY", "STOPPED"):
            return f"nothing to communicate in PDEV_{state}"
        if command == "PDEV_DESTROY" and state not in (None, "STOPPED"):
            return f"only possible in PDEV_STOPPED, the PDEV is in PDEV_{state}"
        if command == "PDEV_SET_PUBKEY" and state not in (None, "NEEDS_KEY"):
            return f"only possible in PDEV_NEEDS_KEY, the PDEV is in PDEV_{state}"
        if command == "PDEV_ABORT" and state in ("NEEDS_KEY", "READY", "STOPPING", "STOPPED", "ERROR") and not failed:
            return f"there is no transaction to abort in PDEV_{state}"
        if command == "VDEV_DESTROY" and state in ("LOCKED", "STARTED"):
            return f"not possible in VDEV_{state}: RMI_VDEV_UNLOCK has to come first"
        if command == "VDEV_DESTROY" and state == "ERROR" and two:
            return "TF-RMM refuses it in VDEV_ERROR: the way out is RMI_VDEV_UNLOCK"
        if command == "VDEV_LOCK" and state not in (None, "UNLOCKED"):
            return f"only possible in VDEV_UNLOCKED, the VDEV is in VDEV_{state}"
        if command == "VDEV_START" and state not in (None, "LOCKED"):
            return f"only possible in VDEV_LOCKED, the VDEV is in VDEV_{state}"
        if command.startswith("PDEV_STREAM_") and failed:
            return "a PDEV of the stream is in PDEV_ERROR"
    if status == "RMI_ERROR_INPUT" and "UNDELEGATE" in command and state is not None and state != "destroyed":
        return f"the granule is still a PDEV (in PDEV_{state}) and not DELEGATED"
    return ""
