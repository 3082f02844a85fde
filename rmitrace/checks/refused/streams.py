"""Rules of refused commands: IDE streams and stateful operations of 2.0."""

from __future__ import annotations

from ..rule import Rule

STREAM_PDEV = Rule(
    "STREAM-PDEV", "error", "a stream operation on PDEVs that cannot take part",
    "both have to be READY, of the right category, without another operation, and without such a stream",
    "the state and operation of each PDEV that is named", "DEN0137 2.0 PDEV_STREAM_CONNECT",
)  # fmt: skip
STREAM_TYPE = Rule(
    "STREAM-TYPE", "error", "a stream or PDEV category that the firmware does not have",
    "TF-RMM has NCOH streams of off-chip endpoints and root ports",
    "stream_type and category in the parameter pages", "TF-RMM pdev.c",
)  # fmt: skip
STREAM_EARLY = Rule(
    "STREAM-EARLY", "error", "RMI_PDEV_STREAM_COMPLETE before both ends are through",
    "each PDEV of the stream has to be communicated until its exit has no flags",
    "the last exit of each of the two", "DEN0137 2.0 PDEV_STREAM_COMPLETE complete",
)  # fmt: skip
STREAM_HANDLE = Rule(
    "STREAM-HANDLE", "error", "a stream handle that is not of these PDEVs, or no longer",
    "a handle belongs to the PDEVs it was made for, until the disconnect is complete",
    "RMI_PDEV_STREAM_CONNECT: the handle it gave", "DEN0137 2.0 stream_valid",
)  # fmt: skip
STREAM_WRONG_STATE = Rule(
    "STREAM-WRONG-STATE", "error", "a stream command that the stream's state does not allow",
    "disconnect and key operations need CONNECTED, complete needs an operation; SYS streams have no keys",
    "the stream command before it", "DEN0137 2.0 stream_state",
)  # fmt: skip
STREAM_VDEVS = Rule(
    "STREAM-VDEVS", "error", "a stream is disconnected while the endpoint has VDEVs",
    "the VDEVs would lose their protection",
    "the unbind of the VDEVs", "TF-RMM pdev.c; DEN0137 2.0 draft",
)  # fmt: skip
STREAM_STUCK = Rule(
    "STREAM-STUCK", "error", "a stream operation failed and nothing gets its PDEVs out of it",
    "TF-RMM of bet1 and bet2 refuses COMPLETE, DISCONNECT and STOP then: only a reset helps; by the bet3 text "
    "RMI_PDEV_STREAM_COMPLETE cleans up",
    "the transaction that failed", "TF-RMM pdev.c",
)  # fmt: skip
KEY_PURGE_UNSUPPORTED = Rule(
    "KEY-PURGE-UNSUPPORTED", "error", "RMI_PDEV_STREAM_KEY_PURGE against a firmware that lacks it",
    "TF-RMM answers RMI_ERROR_NOT_SUPPORTED always",
    "whether VDEV_KROU is in RMI_FEATURES at all", "TF-RMM pdev.c",
)  # fmt: skip
OP_WRONG_CALL = Rule(
    "OP-WRONG-CALL", "error", "another RMI_OP_* call than the operation waits for",
    "x0 bits [9:8] of RMI_INCOMPLETE say which one is next; the operation stays as it is",
    "the RMI_INCOMPLETE before it", "DEN0137 2.0 stateful RMI operations; TF-RMM sro.c",
)  # fmt: skip
OP_HANDLE = Rule(
    "OP-HANDLE", "error", "an RMI_OP_* call with a handle that is not open",
    "the handle was never given, or its operation has its final status",
    "x1 of RMI_INCOMPLETE", "DEN0137 2.0 stateful RMI operations; TF-RMM sro.c",
)  # fmt: skip
OP_DONATE_LIST = Rule(
    "OP-DONATE-LIST", "error", "donated memory that is not what was asked for",
    "more granules than wanted, not delegated, not aligned, or not contiguous",
    "the donate request in x2, and the list", "DEN0137 2.0 OP_MEM_DONATE",
)  # fmt: skip
OP_CANCEL = Rule(
    "OP-CANCEL", "error", "RMI_OP_CANCEL of an operation that cannot be cancelled",
    "x0 bit 10 of RMI_INCOMPLETE says whether it can",
    "the RMI_INCOMPLETE before it", "DEN0137 2.0 OP_CANCEL can_cancel; TF-RMM sro.c",
)  # fmt: skip
