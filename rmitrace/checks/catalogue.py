"""120 things that can go wrong with devices and that a trace may show, and the rule that finds each of them.

By subject: A version and availability, B granules, C parameters of RMI_PDEV_CREATE, D the communicate loop, E the key, F stop,
abort and destroy, G VDEVs, H operations and streams of 2.0. Where no rule can find one, it is said why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SUBJECTS = {
    "A": "Version and availability",
    "B": "Granules",
    "C": "Parameters of RMI_PDEV_CREATE",
    "D": "Communicate",
    "E": "Key",
    "F": "Stop, abort, destroy",
    "G": "VDEV",
    "H": "Operations and streams of 2.0",
}

_TABLE = """
A1  VERSION-REFUSED                     a call after RMI_VERSION was refused, before one that was not
A2  VERSION-PROVES-NOTHING              RMI_VERSION asks for 1.0 and commands on devices follow
A3  DA-MISSING                          a command on a device though RMI_FEATURES shows no DA
A4  FID-UNKNOWN                         x0 is -1
A5  FID-OTHER-REVISION                  a function id of another revision
A6  RMM-NOT-ACTIVE RMM-ALREADY-ACTIVE   RMI_ERROR_GLOBAL
A7  RESULT-BITS                         x0 has bits that the status does not define
A8  OP-NEVER-CONTINUED                  RMI_INCOMPLETE and no RMI_OP_* call (a host of 1.x)
B1  CREATE-NOT-DELEGATED                an object is made of a page that was never delegated
B2  AUX-LIST                            auxiliary granules that are not delegated, not aligned, or there twice
B3  AUX-COUNT                           num_aux differs from the last AUX_COUNT
B4  AUX-FLAGS                           AUX_COUNT with other flags than the create call, or two answers for one flags value
B5  AUX-COUNT-RANGE                     AUX_COUNT above 32
B6  UNDELEGATE-LIVE                     undelegate of a page in which an object lives
B7  DELEGATE-TWICE                      delegate of a page that is delegated
B8  PAGE-DELEGATED                      a parameter page, data page or buffer was delegated
B9  GRANULE-NOT-RETURNED                a device is destroyed and its granules are not undelegated
B10 RANGE-NOT-FINISHED                  a range is done in part and nothing goes on from out_top
B11 RANGE-NO-PROGRESS                   out_top is base, or above top
B12 LEAKED-PAGE-USED                    undelegate fails and the page is used again
C1  PDEV-FLAGS                          flags that TF-RMM of 1.1-alp16 does not take
C2  PDEV-STREAM-ID                      stream id above 31
C3  PDEV-RID-RANGE PDEV-PARAMS          rid_base not below rid_top, or the device outside
C4  PDEV-ID-TWICE                       the device or its routing ids belong to another living PDEV
C5  PDEV-ADDR-RANGE PDEV-PARAMS         address ranges that are not aligned, empty, overlapping, or too many
C6  PDEV-PARAMS RESERVED-FIELDS         a hash algorithm that the revision lacks
C7  PDEV-LIMITS PDEV-PARAMS             max_vdevs_order above 4, routing_id above 16 bits
C8  PARAMS-OTHER-LAYOUT                 a page with the layout of another revision
C9  PDEV-NEVER-COMMUNICATED             a PDEV is made and never communicated with
C10 AUX-COUNT-NO-SPDM                   AUX_COUNT with the spdm flag clear has no answer
D1  COMM-FIRST-STATUS                   the first status of a transaction is not NONE
D2  COMM-REQUEST-LOST                   req_send is answered with status NONE
D3  COMM-RSP-LEN                        RESPONSE with rsp_len 0 or above 4096
D4  COMM-RSP-UNASKED                    RESPONSE though nothing was sent or waited for
D5  COMM-FLAGS                          req_send and rsp_wait together, or multi without req_send
D6  COMM-REQUEST-BAD                    req_send with a length or protocol that is none
D7  COMM-CACHE-RANGE                    bytes to cache beyond the buffer, or none
D8  COMM-CACHE-OBJECT                   bytes cached for an object that is not of this transaction
D9  COMM-AFTER-END COMM-NOTHING-OPEN    a further call after flags 0
D10 COMM-LEFT-OPEN COMM-ABANDONED       the host stops in the middle of a transaction
D11 COMM-FAILED                         flags 0 and then ERROR
D12 COMM-NOT-REACHED                    the state after a transaction is not the one of the table
D13 STATE-UNEXPLAINED                   a change of state that no command explains
D14 COMM-NO-CERTIFICATE                 NEEDS_KEY and no certificate was cached
D15 COMM-CACHE-NOT-DER COMM-CACHE-HOLES cached certificates are no DER that fits the bytes
D16 -                                   response bytes cached after the buffer was used again: the append is a copy inside of the
    host, which no SMC and no message shows; its result is COMM-CACHE-HOLES or COMM-CACHE-NOT-DER
D17 COMM-LATE                           a response after rsp_timeout
D18 COMM-EARLY                          a request before req_delay is over
D19 COMM-PROTOCOL                       a secured message in NEW, or a clear one inside of the session
D20 DOE-TYPE                            a DOE type that does not fit the protocol
D21 COMM-LIVELOCK                       the same request more than a few times
D22 COMM-ENDLESS                        more than 100 calls in one transaction
D23 COMM-BUSY                           RMI_BUSY from a communicate call
D24 COMM-INTERLEAVED                    PDEV and VDEV interleaved, and no RMI_BUSY
D25 COMM-ERROR-IGNORED                  status ERROR and the device is as before
D26 SPDM-ERROR COMM-FAILED              an SPDM ERROR followed by state ERROR
D27 COMM-PAGES-ALIAS                    request, response and shared page are not three pages
D28 COMM-CACHE-STALE                    response bytes to cache though none were handed in
E1  KEY-WRONG-STATE                     SET_PUBKEY when the PDEV is not in NEEDS_KEY
E2  KEY-LENGTH                          a key length that does not fit the algorithm
E3  PUBKEY-MISMATCH                     a key that is not that of the last certificate
E4  COMM-NEEDS-KEY                      COMMUNICATE in NEEDS_KEY
E5  KEY-NOT-USED                        SET_PUBKEY and no COMMUNICATE
E6  KEY-TOO-LONG                        key_len or metadata_len above 1024
F1  STOP-WITH-VDEVS                     STOP while a VDEV exists
F2  STOP-WRONG-STATE                    STOP in COMMUNICATING, STOPPING or STOPPED (1.1)
F3  STOP-UNFINISHED STOP-STREAM-LIVE    STOP with an open transaction or a live stream (2.0)
F4  STOP-WRONG-STATE                    STOP in NEW or HAS_KEY (2.0-bet3)
F5  DESTROY-NOT-STOPPED                 DESTROY before STOPPED
F6  STOP-NOT-COMMUNICATED               STOP and no COMMUNICATE
F7  DISCONNECT-NO-DESTROY               a disconnect without DESTROY
F8  ABORT-NOTHING                       ABORT with nothing to abort (1.1)
F9  ABORT-NOTHING                       ABORT with no transaction (2.0)
F10 STOP-AFTER-FAILURE                  STOP after a failed transaction, without ABORT
F11 USE-AFTER-DESTROY NOT-AN-OBJECT     a call on what was destroyed, or never made
F12 CREATE-TWICE                        a second create on the same page
F13 COMM-AFTER-ABORT                    RESPONSE after an abort in NEW or HAS_KEY (1.1)
F14 -                                   a device is removed or reset in configuration space while the PDEV is READY: that
    needs the host's writes to configuration space beside its SMCs on one clock; QEMU's trace has the one and not the other
F15 STOP-NO-TEARDOWN                    only one request while a PDEV that was READY stops (1.1)
G1  VDEV-PDEV-NOT-READY                 VDEV_CREATE while the PDEV is not READY
G2  VDEV-NO-DA                          VDEV_CREATE for a Realm without device assignment
G3  VDEV-IDS                            vdev_id or tdi_id in use or out of range
G4  VDEV-WRONG-STATE                    LOCK, START or a report in a state that does not allow it
G5  VDEV-BUSY                           a second operation before the first was communicated to its end
G6  VDEV-MAPPED                         UNLOCK or DESTROY with mapped pages (1.1)
G7  VDEV-MAPPED                         RMI_ERROR_GRANULE of UNLOCK (2.0)
G8  VDEV-DESTROY-STATE                  DESTROY in LOCKED, STARTED, or ERROR
G9  VDEV-UNLOCK-HANGS                   COMMUNICATE after an unlock from LOCKED never returns (1.1)
G10 VDEV-ABORT-FORM                     VDEV_ABORT with one or three arguments (1.1)
G11 VDEV-OWNER                          another Realm or PDEV than at the creation
G12 VDEV-REQUEST-IGNORED                exit VDEV_REQUEST and the REC is entered again
G13 REC-REQUEST                         a validate call with another range than the exit named
G14 REALM-HAS-VDEV                      a Realm is destroyed that has a VDEV
G15 VDEV-COMM-STRAY                     VDEV_COMMUNICATE without an operation
H1  OP-NEVER-CONTINUED                  RMI_INCOMPLETE and no RMI_OP_* call
H2  OP-WRONG-CALL                       another RMI_OP_* call than was asked for
H3  OP-HANDLE                           a handle that was not given, or is finished
H4  OP-DONATE-LIST                      donated memory that is not what was asked for
H5  OP-RECLAIM-LOST                     reclaimed granules that are not undelegated
H6  OP-CANCEL                           OP_CANCEL of what cannot be cancelled
H7  RMI-BLOCKED                         RMI_BLOCKED
H8  RMI-BUSY-STORM                      RMI_BUSY for seconds
H9  STREAM-PDEV                         STREAM_CONNECT with PDEVs that cannot take part
H10 STREAM-TYPE PDEV-PARAMS             a stream type that the firmware lacks, more than 16 ranges
H11 STREAM-DEADLOCK                     both PDEVs report stream_wait alone
H12 STREAM-PEER-FORGOTTEN               stream_wait again and again, and the other PDEV is not communicated
H13 STREAM-EARLY                        STREAM_COMPLETE before both PDEVs are through
H14 STREAM-NOT-COMPLETED                both PDEVs are through and no STREAM_COMPLETE
H15 STREAM-HANDLE                       a handle with other PDEVs, or after the disconnect
H16 STREAM-VDEVS                        STREAM_DISCONNECT with VDEVs
H17 STREAM-STUCK                        a stream operation on a PDEV in ERROR
H18 VDEV-NO-STREAM                      VDEV_CREATE before the stream is connected
H19 KEY-REFRESH-ORDER                   KEY_PURGE before KEY_REFRESH, or neither
H20 KEY-PURGE-UNSUPPORTED               KEY_PURGE against TF-RMM
H21 STREAM-WRONG-STATE                  key operations on a stream that has no keys
H22 STREAM-COUNT                        a counter of STREAM_INFO does not rise (2.0-bet3)
H23 STOP-STREAM-LIVE                    a root port is stopped while another endpoint's stream uses it
H24 OP-DONATED-FREED                    a command fails after a donation, and nothing is reclaimed
H25 EL3-IDE-KEY                         IDE key calls of the RMM to EL3 fail
H26 IDE-ONE-SIDE                        keys at the endpoint and at the root port differ in number
"""


class Entry(NamedTuple):
    """One of the 120. ``rules``: ids, empty where no rule can find it and ``text`` ends with the reason."""

    id: str
    rules: tuple[str, ...]
    text: str


def entries() -> Iterator[Entry]:
    """The table."""
    lines: list[str] = []
    for line in _TABLE.strip().splitlines():
        if line.startswith(" "):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    for line in lines:
        ident, *words = line.split()
        rules = []
        while words and (words[0] == "-" or (words[0].isupper() and "-" in words[0])):
            rules.append(words.pop(0))
        yield Entry(ident, tuple(r for r in rules if r != "-"), " ".join(words))
