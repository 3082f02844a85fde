"""Commands on devices, kinds of sequences, their steps and states as small numbers, and the rules that are tables.

The state machines are those of DEN0137 1.1-alp17 and 2.0 (PDEV: 'NEW' .. 'ERROR').
"""

from __future__ import annotations

from typing import Any

# -- what a command does; those on granules come first
(DELEGATE, DELEGATE_RANGE, UNDELEGATE, PDEV_AUX_COUNT, VDEV_AUX_COUNT, PDEV_CREATE, PDEV_COMMUNICATE, PDEV_GET_STATE,
 PDEV_SET_PUBKEY, PDEV_STOP, PDEV_DESTROY, PDEV_ABORT, PDEV_IDE, PDEV_OTHER, STREAM_CONNECT, STREAM_COMPLETE, STREAM_INFO,
 STREAM_OTHER, VDEV_COMMUNICATE, VDEV_GET_STATE, VDEV_COMMAND, VDEV_ABORT, VDEV_DESTROY, VDEV_CREATE, VDEV_OTHER,
 VDEV_PASSING) = range(26)  # fmt: skip
ACTS = {
    "RMI_GRANULE_DELEGATE": DELEGATE,
    "RMI_GRANULE_RANGE_DELEGATE": DELEGATE_RANGE,
    "RMI_GRANULE_UNDELEGATE": UNDELEGATE,
    "RMI_GRANULE_RANGE_UNDELEGATE": UNDELEGATE,
    "RMI_PDEV_AUX_COUNT": PDEV_AUX_COUNT,
    "RMI_VDEV_AUX_COUNT": VDEV_AUX_COUNT,
    "RMI_PDEV_CREATE": PDEV_CREATE,
    "RMI_PDEV_COMMUNICATE": PDEV_COMMUNICATE,
    "RMI_PDEV_GET_STATE": PDEV_GET_STATE,
    "RMI_PDEV_SET_PUBKEY": PDEV_SET_PUBKEY,
    "RMI_PDEV_STOP": PDEV_STOP,
    "RMI_PDEV_DESTROY": PDEV_DESTROY,
    "RMI_PDEV_ABORT": PDEV_ABORT,
    "RMI_PDEV_IDE_KEY_REFRESH": PDEV_IDE,
    "RMI_PDEV_IDE_RESET": PDEV_IDE,
    "RMI_PDEV_STREAM_CONNECT": STREAM_CONNECT,
    "RMI_PDEV_STREAM_COMPLETE": STREAM_COMPLETE,
    "RMI_PDEV_STREAM_INFO": STREAM_INFO,
    "RMI_VDEV_COMMUNICATE": VDEV_COMMUNICATE,
    "RMI_VDEV_GET_STATE": VDEV_GET_STATE,
    "RMI_VDEV_CREATE": VDEV_CREATE,
    "RMI_VDEV_LOCK": VDEV_COMMAND,
    "RMI_VDEV_START": VDEV_COMMAND,
    "RMI_VDEV_UNLOCK": VDEV_COMMAND,
    "RMI_VDEV_GET_MEASUREMENTS": VDEV_COMMAND,
    "RMI_VDEV_GET_INTERFACE_REPORT": VDEV_COMMAND,
    "RMI_VDEV_ABORT": VDEV_ABORT,
    "RMI_VDEV_DESTROY": VDEV_DESTROY,
    "RMI_VDEV_COMPLETE": VDEV_PASSING,
    "RMI_VDEV_MAP": VDEV_PASSING,
    "RMI_VDEV_UNMAP": VDEV_PASSING,
    "RMI_VDEV_VALIDATE_MAPPING": VDEV_PASSING,
}
"""Of the others PDEV_OTHER, STREAM_OTHER and VDEV_OTHER, by how they begin."""

# -- sequences and steps: a word is a number for both
WORDS = ("connect", "communicate", "disconnect", "key refresh", "ide reset", "abort", "stream complete", "attach", "lock",
         "start", "unlock", "detach", "measurements", "interface report", "delegate", "create", "set key", "negotiate", "session",
         "stop", "destroy", "undelegate", "stream", "stream connect")  # fmt: skip
(CONNECT, COMMUNICATE, DISCONNECT, KEY_REFRESH, IDE_RESET, ABORT, COMPLETE, ATTACH, LOCK, START, UNLOCK, DETACH, MEASUREMENTS,
 REPORT, DELEGATED, CREATE, SET_KEY, NEGOTIATE, SESSION, STOP, DESTROY, UNDELEGATED, STREAM,
 CONNECT_STREAM) = range(len(WORDS))  # fmt: skip
KIND_OF = {
    "RMI_PDEV_IDE_KEY_REFRESH": "key refresh",
    "RMI_PDEV_IDE_RESET": "ide reset",
    "RMI_VDEV_CREATE": "attach",
    "RMI_VDEV_LOCK": "lock",
    "RMI_VDEV_START": "start",
    "RMI_VDEV_UNLOCK": "unlock",
    "RMI_VDEV_DESTROY": "detach",
    "RMI_VDEV_GET_MEASUREMENTS": "measurements",
    "RMI_VDEV_GET_INTERFACE_REPORT": "interface report",
    "RMI_VDEV_ABORT": "abort",
}
"""The kind of the sequence that a command opens, and of its step."""

# -- states, of PDEVs and VDEVs
STATES = ("NEW", "NEEDS_KEY", "HAS_KEY", "READY", "COMMUNICATING", "IDE_RESETTING", "STOPPING", "STOPPED", "ERROR", "UNLOCKED",
          "LOCKED", "STARTED", "destroyed")  # fmt: skip
(NEW, NEEDS_KEY, HAS_KEY, READY, COMMUNICATING, IDE_RESETTING, STOPPING, STOPPED, ERROR, UNLOCKED, LOCKED, STARTED,
 DESTROYED) = range(len(STATES))  # fmt: skip
UNKNOWN = -1

# -- what is known of how a call ended
FAILED = 1
"""It failed for good: not with a status that asks to try again."""
RETRY = 2
"""The last status asks to try again."""
HAS_STATUS = 4
DONE = 8
"""Not so where a stateful operation was started and its end is not in the capture."""
DEVICE_ERROR = 16
"""The last status is RMI_ERROR_DEVICE."""
NAMED = 32
"""Of a stream connect: x1 is the endpoint that its parameters name."""
HANDLE = 64
"""Of a stream connect: x2 is the handle that it gave, without the stream's type."""

# -- what is said of a failure: see failures
(REFUSED, REFUSED_STREAM, WRONG_STREAM, BAD_STATE, WENT_ON, NOT_ABORTED, NOT_GIVEN_BACK, GAVE_UP, NOT_COMPLETE) = range(9)


def comm_step(state: Any, otherwise: Any) -> Any:
    """The step that RMI_PDEV_COMMUNICATE works on, by the state it starts in."""
    if state == NEW:
        return NEGOTIATE
    if state == HAS_KEY:
        return SESSION
    if state == COMMUNICATING:
        return KEY_REFRESH
    if state == IDE_RESETTING:
        return IDE_RESET
    if state == STOPPING:
        return STOP
    return otherwise


def target(kind: Any) -> Any:
    """The state of the VDEV that ends a sequence of a kind, UNKNOWN where none does."""
    if kind in (ATTACH, UNLOCK):
        return UNLOCKED
    if kind == LOCK:
        return LOCKED
    if kind == START:
        return STARTED
    return UNKNOWN


STEPS = (comm_step, target)
