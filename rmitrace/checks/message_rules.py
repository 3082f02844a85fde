"""The rules of the checks on protocol messages: SPDM, certificates, IDE_KM, TDISP."""

from __future__ import annotations

from .rule import Rule


def _rule(id: str, severity: str, title: str, why: str, next: str, spec: str) -> Rule:
    return Rule(id, severity, title, why, next, spec, "messages")


EXCHANGES = (
    _rule(
        "SPDM-ERROR",
        "error",
        "a request was answered with ERROR",
        "the other side refused it, and the code says why; Busy and ResponseNotReady are no refusals",
        "the request, and what was negotiated before it",
        "DSP0274 ERROR",
    ),
    _rule(
        "SPDM-ANSWER",
        "warning",
        "the response belongs to another request",
        "requester and responder are out of step, or a message is missing from the capture",
        "the messages before it; whether a response was handed in twice",
        "DSP0274 request and response codes",
    ),
    _rule(
        "SPDM-UNANSWERED",
        "warning",
        "a request without its response",
        "the device did not answer, the transport failed, or the capture lost it",
        "the DOE mailbox: its status register, and the host's messages about time-outs",
        "DSP0274 timing",
    ),
    _rule(
        "SPDM-NO-REQUEST",
        "warning",
        "a response without its request",
        "its request is not in the capture, or a stale response was read",
        "what was sent right before it",
        "DSP0274",
    ),
    _rule(
        "SPDM-STOPPED",
        "warning",
        "nothing follows a response that has something odd",
        "a requester ends a connection without a word when it does not accept a response",
        "the requester's log; the field that is named, in `rmitrace messages --tree`",
        "DSP0274",
    ),
)
DAMAGE = (
    _rule(
        "SPDM-DAMAGED",
        "error",
        "a message is shorter or longer than its fields say",
        "it was cut, changed on its way, or built wrongly",
        "`rmitrace messages --tree`: the field at which it stops to fit",
        "DSP0274",
    ),
    _rule(
        "SPDM-NOT-DECRYPTED",
        "error",
        "the secrets given do not open a session's messages",
        "they are another session's, or the messages were changed",
        "which run the key log is of; the order of the sessions",
        "DSP0277 secured messages",
    ),
)
NEGOTIATION = (
    _rule(
        "SPDM-DOWNGRADE",
        "warning",
        "a lower SPDM version than possible",
        "a version below what both can, or below the one before, may be forced by somebody in between",
        "VERSION, and what the requester is built for",
        "DSP0274 GET_VERSION",
    ),
    _rule(
        "SPDM-VERSION",
        "note",
        "nothing follows VERSION",
        "there is no version in common, or the connection was stopped there",
        "the versions that the device lists",
        "DSP0274 GET_VERSION",
    ),
    _rule(
        "SPDM-ALGORITHM",
        "error",
        "an algorithm that was not offered, or none, was chosen",
        "requester and responder cannot go on with it",
        "NEGOTIATE_ALGORITHMS and ALGORITHMS side by side",
        "DSP0274 ALGORITHMS",
    ),
)
CHANGES = (
    _rule(
        "MESSAGE-CHANGED",
        "error",
        "a message is not the same in two sources of a capture",
        "it was changed between the two places where it was recorded: the RMM was not given what the device sent, or the other "
        "way round",
        "what handles it in between: the host's copy to and from the shared buffers, the DOE driver",
        "DEN0137 RmiDevCommData",
    ),
)
PROOFS = (
    _rule(
        "SPDM-SIGNATURE",
        "error",
        "a signature does not verify",
        "what it covers was changed on its way, another key signed, or messages are missing from the capture; the other side "
        "has to stop here. As a note: signatures that cannot be verified, and why",
        "which message was changed, in a capture at the other end; whether records were lost before it",
        "DSP0274 signature generation and verification",
    ),
    _rule(
        "SPDM-VERIFY-DATA",
        "error",
        "verify data is not what the secret of its session makes",
        "requester and responder do not have the same messages behind them, or not the same secret",
        "the handshake at both ends; whether the secret is that of this session",
        "DSP0274 FINISH",
    ),
    _rule(
        "SPDM-SUMMARY-HASH",
        "warning",
        "a measurement summary hash is not that of the measurement blocks",
        "the measurements changed in between, or the device sums up something else than it reports",
        "the measurement blocks, and when they were read",
        "DSP0274 CHALLENGE_AUTH",
    ),
)
CHAINS = (
    _rule(
        "CERT-CHAIN",
        "error",
        "a certificate chain does not hold",
        "a signature, a date or a purpose in it does not fit: a verifier refuses it",
        "`rmitrace messages --tree` of the chain; the device's provisioning",
        "DSP0274 certificates and certificate chains",
    ),
    _rule(
        "SPDM-DIGEST",
        "error",
        "a certificate chain and DIGESTS do not belong together",
        "a portion was lost, came twice, or was changed; a warning where DIGESTS came later: the chain may have been replaced",
        "the CERTIFICATE messages: offsets and lengths",
        "DSP0274 DIGESTS",
    ),
)
PUBLIC_KEYS = (
    _rule(
        "PUBKEY-MISMATCH",
        "error",
        "the key given to the RMM is not that of the device's last certificate",
        "signatures of the device are checked with it: the session fails later, in HAS_KEY, not here",
        "how the host takes the key out of the cached chain: which certificate, leading zero bytes",
        "DEN0137 RmiPublicKeyParams",
    ),
)
ACKNOWLEDGEMENTS = (
    _rule(
        "IDE-ACK",
        "error",
        "IDE_KM was answered with something else than its acknowledgement",
        "the key is not in place, or it cannot be told whether it is",
        "the device's IDE_KM implementation",
        "PCIe r6 6.33.3 IDE_KM",
    ),
)
KEYS = (
    _rule(
        "IDE-KEY-REFUSED",
        "error",
        "one end of the link refused a key",
        "the stream cannot become secure",
        "the status; whether stream id, sub-stream and port are those of the stream's registers",
        "PCIe r6 6.33.3 IDE_KM",
    ),
    _rule(
        "IDE-KEY-MISMATCH",
        "error",
        "the ends of the link have different keys",
        "each packet of the stream fails its integrity check",
        "the order of the key's bytes, and which direction is which at each end",
        "PCIe r6 6.33.3 IDE_KM",
    ),
    _rule(
        "IDE-ORDER",
        "warning",
        "a key is started before it was programmed, or stopped before it was started",
        "a device may take an old key, or none",
        "the IDE_KM messages in order",
        "PCIe r6 6.33.3 IDE_KM",
    ),
)
INTERFACES = (
    _rule(
        "TDISP-ERROR",
        "error",
        "the device refused a TDISP request",
        "the interface stays in its state, or goes to ERROR",
        "the error code; the state of the interface before it",
        "PCIe r6 11.3 TDISP",
    ),
    _rule(
        "TDISP-ANSWER",
        "warning",
        "a TDISP request was answered with another message",
        "requester and device are out of step",
        "the messages before it",
        "PCIe r6 11.3 TDISP",
    ),
    _rule(
        "TDISP-ORDER",
        "warning",
        "a TDISP request in a state that does not allow it",
        "the device has to refuse it",
        "which request has to come first",
        "PCIe r6 11.3 TDISP",
    ),
    _rule(
        "TDISP-NONCE",
        "error",
        "START_INTERFACE_REQUEST with another nonce than LOCK_INTERFACE_RESPONSE gave",
        "the device has to refuse it: the lock that is meant is another one",
        "whether the interface was locked again in between",
        "PCIe r6 11.3 TDISP",
    ),
    _rule(
        "TDISP-STATE",
        "error",
        "the interface is in another state than the messages before left it in",
        "something happened to it that no message shows: a reset, a change of its configuration, an error",
        "writes to the function's configuration space; AER and the IDE status",
        "PCIe r6 11.3 TDISP",
    ),
)
