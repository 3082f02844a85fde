"""Rules of refused commands: PDEVs."""

from __future__ import annotations

from ..rule import Rule

AUX_LIST = Rule(
    "AUX-LIST", "error", "the list of auxiliary granules is wrong",
    "each has to be aligned, DELEGATED, and there once",
    "the loop that delegates and lists them", "DEN0137 1.1 aux_align, aux_alias, aux_state",
)  # fmt: skip
AUX_COUNT = Rule(
    "AUX-COUNT", "error", "num_aux is not what the AUX_COUNT command said",
    "the RMM wants exactly as many auxiliary granules as it asked for",
    "the AUX_COUNT call: its flags, and its result", "DEN0137 1.1 num_aux",
)  # fmt: skip
PDEV_FLAGS = Rule(
    "PDEV-FLAGS", "error", "PDEV flags that the firmware does not support",
    "TF-RMM of 1.1-alp16 takes spdm and ncoh_ide set and the rest clear; 2.0 takes spdm and a category",
    "the flags word against the revision that the firmware speaks", "DEN0137 flags_supp; TF-RMM pdev.c",
)  # fmt: skip
PDEV_STREAM_ID = Rule(
    "PDEV-STREAM-ID", "error", "an IDE stream id that the firmware does not take",
    "PCIe has 0 to 255; TF-RMM of 1.1-alp16 takes up to 31, while Linux draws from all",
    "how the host chooses the stream id", "DEN0137 ncoh_ide_sid_bound; TF-RMM pdev.c",
)  # fmt: skip
PDEV_PARAMS = Rule(
    "PDEV-PARAMS", "error", "parameters of a device that contradict each other or are out of range",
    "a device is named by ids that lie in its own range, and its address ranges are aligned, not empty and do not overlap",
    "the fields that are named", "DEN0137 RmiPdevParamsIsValid",
)  # fmt: skip
PDEV_LIMITS = Rule(
    "PDEV-LIMITS", "error", "more VDEVs or a larger id than the firmware has room for",
    "TF-RMM of bet1 takes max_vdevs_order up to 4 and a 16 bit segment; RFC v4 of the kernel passes 10",
    "RMI_FEATURES index 2 against the parameters", "DEN0137 max_vdevs; TF-RMM pdev.c",
)  # fmt: skip
KEY_WRONG_STATE = Rule(
    "KEY-WRONG-STATE", "error", "RMI_PDEV_SET_PUBKEY when the PDEV is not in NEEDS_KEY",
    "the key is set once, after the certificate was read",
    "whether the connect sequence is run twice, or its first transaction has not ended", "DEN0137 PDEV_SET_PUBKEY pdev_state",
)  # fmt: skip
KEY_LENGTH = Rule(
    "KEY-LENGTH", "error", "a public key whose length does not fit its algorithm",
    "TF-RMM wants 384 bytes for RSA-3072, 65 for P-256, 97 for P-384; 385 is a modulus with its leading zero",
    "how the host takes the key out of the certificate", "DEN0137 key_invalid; TF-RMM pdev.c",
)  # fmt: skip
KEY_TOO_LONG = Rule(
    "KEY-TOO-LONG", "error", "key_len or metadata_len above 1024",
    "the page has room for 1024 bytes of each",
    "the length: a whole certificate in place of its key", "DEN0137 key_len_oflow",
)  # fmt: skip
COMM_NOTHING_OPEN = Rule(
    "COMM-NOTHING-OPEN", "error", "RMI_PDEV_COMMUNICATE with no transaction to go on with",
    "the last transaction is over, or has failed; TF-RMM of 1.1-alp16 moves the PDEV to ERROR for it, bet1 drops a finished "
    "stream operation",
    "the loop's end: flags 0 in the exit, and ERROR read back", "DEN0137 PDEV_COMMUNICATE comm_state; TF-RMM pdev.c",
)  # fmt: skip
COMM_NEEDS_KEY = Rule(
    "COMM-NEEDS-KEY", "error", "RMI_PDEV_COMMUNICATE while the PDEV waits for its key",
    "RMI_PDEV_SET_PUBKEY comes first; TF-RMM of 1.1-alp16 moves the PDEV to ERROR for it",
    "why the host did not set the key", "DEN0137 PDEV_COMMUNICATE comm_state; TF-RMM pdev.c",
)  # fmt: skip
COMM_BUSY = Rule(
    "COMM-BUSY", "error", "RMI_BUSY from a communicate call",
    "another transaction of the same device is open: PDEV and VDEV, or two VDEVs, are interleaved",
    "the transaction that is open, and the lock that should keep them apart", "DEN0137 1.1-alp17 and 2.0: one active transaction",
)  # fmt: skip
STOP_WITH_VDEVS = Rule(
    "STOP-WITH-VDEVS", "error", "RMI_PDEV_STOP while the PDEV has a VDEV",
    "every VDEV has to be destroyed first",
    "the unbind of the VDEV: missing, or its RMI_VDEV_DESTROY failed", "DEN0137 PDEV_STOP num_vdevs",
)  # fmt: skip
STOP_WRONG_STATE = Rule(
    "STOP-WRONG-STATE", "error", "RMI_PDEV_STOP in a state that does not allow it",
    "1.1 refuses COMMUNICATING, STOPPING and STOPPED; 2.0-bet3 refuses NEW and HAS_KEY, RMI_PDEV_ABORT comes first there",
    "what the PDEV was doing; whether the disconnect runs twice", "DEN0137 PDEV_STOP pdev_state",
)  # fmt: skip
STOP_UNFINISHED = Rule(
    "STOP-UNFINISHED", "error", "RMI_PDEV_STOP in the middle of a transaction",
    "the transaction has to end first, or be aborted",
    "the last RMI_PDEV_COMMUNICATE: flags in its exit, and why the host went on", "DEN0137 PDEV_STOP comm_state",
)  # fmt: skip
STOP_STREAM_LIVE = Rule(
    "STOP-STREAM-LIVE", "error", "RMI_PDEV_STOP while the PDEV takes part in a stream",
    "a stream is disconnected and completed before either end of it stops; a root port serves several endpoints",
    "the disconnect of the stream and its completion, and the host's count of users", "DEN0137 PDEV_STOP pdev_stream_live",
)  # fmt: skip
STOP_AFTER_FAILURE = Rule(
    "STOP-AFTER-FAILURE", "error", "RMI_PDEV_STOP after a transaction that failed",
    "before 2.0-bet3 the communication stays in ERROR until RMI_PDEV_ABORT: a stop without it is refused",
    "the failed transaction, and whether the host's error path calls RMI_PDEV_ABORT", "TF-RMM; DEN0137 PDEV_STOP comm_state",
)  # fmt: skip
DESTROY_NOT_STOPPED = Rule(
    "DESTROY-NOT-STOPPED", "error", "RMI_PDEV_DESTROY before the PDEV is STOPPED",
    "RMI_PDEV_STOP and its transaction come first",
    "the stop: refused, or not communicated to its end", "DEN0137 PDEV_DESTROY pdev_state",
)  # fmt: skip
ABORT_NOTHING = Rule(
    "ABORT-NOTHING", "note", "RMI_PDEV_ABORT or RMI_VDEV_ABORT with nothing to abort",
    "harmless: the RMM refuses it and nothing changes; the kernel's error path does it on every error, so it is the second "
    "failure and not the first",
    "the failure before it", "DEN0137 PDEV_ABORT",
)  # fmt: skip
