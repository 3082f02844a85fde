"""Secured messages of SPDM sessions (DSP0277), over DOE, TCP and MCTP (DSP0276): header, cipher text, MAC, and what is
inside where the secrets are known.

Secrets come in through ``use_secrets(session, ...)``: the text of a key log (see decoders.keylog), what ``parse_keylog``
makes of it, or a mapping such as ``{'dhe_secret': ['<hex>'], 'psk': ['<hex>']}``. Messages have to be decoded in the
order of the wire.
"""

from __future__ import annotations

from itertools import islice
from typing import Literal

from construct import Int16ul, Int32ul

from .key_schedule import TAG_SIZE
from .keylog import Secrets, parse_keylog, secrets_of
from .pldm import decode_pldm
from .spdm import decode_spdm, read_message
from .spdm._fields import Layout, node, number, raw
from .spdm._reader import Cut, Reader
from .spdm._vendor import shifted
from .spdm.session import SecureSession, Session
from .tree import Node
from .unseal import Opened, Refused, Sealed, SessionKeys

__all__ = ["Binding", "Opened", "Secrets", "decode_secured", "inner", "open_secured", "parse_keylog", "use_secrets"]

Binding = Literal["DOE", "TCP", "MCTP"]
"""What carries the message: MCTP sends 2 bytes of sequence number and a message type inside, the others neither."""
MCTP_PLDM, MCTP_SPDM = 1, 5
MAX_UNOPENED = 1024
"""Sessions whose beginning was not seen that are remembered at a time."""
_NO_SESSION = Session()
"""For the fields of the record itself, which depend on no session."""
_MCTP_TYPES = {0: "Control", 1: "PLDM", 2: "NC-SI", 3: "Ethernet", 4: "NVMe-MI", 5: "SPDM", 6: "Secured SPDM"}


def _session_id(name: str, value: int, offset: int, size: int) -> Node:
    halves = (
        node("ReqSessionID", value & 0xFFFF, f"{value & 0xFFFF:#06x}", offset, 2),
        node("RspSessionID", value >> 16, f"{value >> 16:#06x}", offset + 2, 2),
    )
    return node(name, value, f"{value:#010x}", offset, size, halves)


_HEADER = Layout(("SessionID", Int32ul, _session_id), ("Length", Int16ul, number))
_MCTP_HEADER = Layout(("SessionID", Int32ul, _session_id), ("SequenceNumber", Int16ul, number), ("Length", Int16ul, number))


def decode_secured(data: bytes, *, session: Session | None = None, binding: Binding = "DOE") -> Node:
    """A secured message, from the session id on, with DOE's padding behind it. Never raises.

    The node's name is 'SecuredMessage'. Decrypted, it has 'PlainText' where the cipher text stands, byte for byte: the
    message inside is a child of it (see ``inner``). What keeps it from being decrypted is a note on 'CipherText', an
    error where secrets were given and do not fit.
    """
    return open_secured(data, session=session, binding=binding)[0]


def open_secured(
    data: bytes, *, session: Session | None = None, binding: Binding = "DOE", base: int = 0
) -> tuple[Node, Opened | None]:
    """The same with the plain text, direction and sequence number; None where it was not decrypted.

    The tree shows no IDE keys, but the plain text has them. ``base`` is where ``data`` begins in the buffer in which offsets
    count.
    """
    data = bytes(data)
    r = Reader(data, 0, len(data), _NO_SESSION, base=base)
    opened: Opened | None = None
    text = ""
    try:
        if len(data) >= 4:
            text = f"session {int.from_bytes(data[:4], 'little'):#010x}"
        low: int | None = None
        if binding == "MCTP":
            session_id, low, length = r.fields(_MCTP_HEADER)
        else:
            session_id, length = r.fields(_HEADER)
        if length < TAG_SIZE:
            r.noted(f"no room for a MAC of {TAG_SIZE} bytes", "error")
            r.bytes("CipherText", length)
        elif length > r.left:
            r.short("CipherText", length)
        else:
            sealed = Sealed(data[: r.pos], data[r.pos : r.pos + length], low)
            opened, said = _body(r, sealed, session_id, session, binding)
            text += said
        _padding(r, binding)
    except Cut:
        pass
    return node("SecuredMessage", None, text, base, len(data), tuple(r.nodes), r.note, r.severity), opened


def inner(secured: Node) -> Node | None:
    """The message inside a decrypted secured message (its name is 'VENDOR_DEFINED_REQUEST' or such); None where it is
    not decrypted, or is no SPDM message."""
    plain = secured.child("PlainText")
    return next((c for c in plain.children if c.child("SPDMVersion") is not None), None) if plain is not None else None


def use_secrets(session: Session, given: object) -> Secrets:
    """Set ``session.keys`` to the secrets that a key log, its text or a mapping has.

    Best before the first message: certificate chains and the negotiation of an earlier connection that the key log has
    are then known to the decoder of clear messages too.
    """
    secrets = secrets_of(given)
    session.keys = secrets
    for (side, slot), chain in secrets.chains.items():
        session.chains.setdefault((side, slot), chain)
    session.given_chains.update(secrets.chains)
    session.public_keys.update(secrets.public_keys)
    if secrets.vca and session.channel.request is None and not session.history:
        for message in secrets.vca:
            decode_spdm(message, session=session)
        session.preset_vca = b"".join(secrets.vca)
    return secrets


def _body(r: Reader, sealed: Sealed, session_id: int, session: Session | None, binding: Binding) -> tuple[Opened | None, str]:
    start, size = r.pos, len(sealed.sealed) - TAG_SIZE
    at = r.base + start
    secure = session.sessions.get(session_id) if session is not None else None
    result = _open(session, secure, session_id, sealed)
    r.pos = start + size
    if isinstance(result, Refused):
        clear = secure is not None and bool(secure.mac_only)
        if clear:
            r.append(_plain(sealed.sealed[:-TAG_SIZE], at, True, session, session_id, binding))
            r.noted(f"not authenticated: {result.reason}", result.severity)
        else:
            r.append(raw("CipherText", sealed.sealed[:-TAG_SIZE], at))
            r.noted(f"not decrypted: {result.reason}", result.severity)
        said = f": {r.nodes[-1].text}" if clear else ""
        r.bytes("MAC", TAG_SIZE)
        return None, said
    plain = _plain(result.plain, at, result.mac_only, session, session_id, binding)
    r.append(plain)
    r.bytes("MAC", TAG_SIZE, f"{sealed.sealed[-TAG_SIZE:].hex()} (verified)")
    if result.skipped:
        r.say(f"{result.skipped} earlier {result.direction} messages of this session are not in the capture", "warning")
    if result.repeated:
        r.say(f"{result.direction} {result.sequence} of this session was there before")
    update = f", key update {result.generation}" if result.generation else ""
    return result, f", {result.direction} {result.sequence} ({result.phase} key{update}): {plain.text}"


def _open(session: Session | None, secure: SecureSession | None, session_id: int, sealed: Sealed) -> Opened | Refused:
    if session is None or session.keys is None:
        return Refused("no secrets given", "note")
    secrets = session.keys if isinstance(session.keys, Secrets) else use_secrets(session, session.keys)
    if secure is None:
        if len(secrets.unopened) >= MAX_UNOPENED and session_id not in secrets.unopened:
            secrets.unopened.clear()
        unknown: SessionKeys = secrets.unopened.setdefault(session_id, SessionKeys(session_id, None, secrets))
        return unknown.open(sealed)
    if not isinstance(secure.keys, SessionKeys):
        secure.keys = SessionKeys(session_id, secure, secrets)
    keys: SessionKeys = secure.keys
    result = keys.open(sealed)
    return result if isinstance(result, Opened) or keys.lines else _earlier(session, secure, sealed) or result


def _earlier(session: Session, secure: SecureSession, sealed: Sealed) -> Opened | None:
    """The message opened by the session that had this id before: the exchange that seemed to replace it was a repeated
    record, or led to nothing."""
    same = (s for s in reversed(session.history) if s.session_id == secure.session_id and s is not secure)
    for old in islice(same, 2):
        if isinstance(old.keys, SessionKeys) and old.keys.lines:
            opened = old.keys.open(sealed)
            if isinstance(opened, Opened):
                old.phase = "application" if opened.phase == "data" else "handshake"
                session.sessions[secure.session_id] = old
                return opened
    return None


def _plain(plain: bytes, at: int, mac_only: bool, session: Session | None, session_id: int, binding: Binding) -> Node:
    """The plain text as a node. Its bytes stand where those of the cipher text do."""
    r = Reader(plain, 0, len(plain), _NO_SESSION, base=at)
    text = ""
    try:
        length = len(plain) if mac_only else r.uint("ApplicationDataLength", 2)
        if length > r.left:
            r.short("ApplicationData", length)
        end = r.pos + length
        kind = MCTP_SPDM
        if binding == "MCTP":
            kind = r.uint("MessageType", 1, _mctp_type)
            end = max(end, r.pos)
        if kind & 0x7F == MCTP_SPDM:
            text = _message(r, end, session, session_id)
        elif kind & 0x7F == MCTP_PLDM:
            made = shifted(decode_pldm(r.data[r.pos : end]), r.base + r.pos)
            r.append(made)
            r.pos = end
            text = f"PLDM: {made.text}"
        else:
            r.bytes("ApplicationData", end - r.pos)
            text = _MCTP_TYPES.get(kind & 0x7F, f"MCTP type {kind & 0x7F:#x}")
        if r.left:
            r.rest("Random")
    except Cut:
        pass
    return node("PlainText", None, text, at, len(plain), tuple(r.nodes))


def _message(r: Reader, end: int, session: Session | None, session_id: int) -> str:
    context = session if session is not None else Session()
    with context.within(session_id):
        made, after = read_message(r.data, r.pos, end, context, base=r.base, pad=0)
    r.append(made)
    r.pos = after
    if after < end:
        r.bytes("trailing", end - after)
        r.noted(f"{end - after} bytes behind the end of {made.name}", "warning")
    return f"{made.name}{': ' if made.text else ''}{made.text}"


def _mctp_type(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{_MCTP_TYPES.get(value & 0x7F, 'unknown')} ({value:#x})", offset, size)


def _padding(r: Reader, binding: Binding) -> None:
    """Zeros up to a dword behind a message in a DOE object; anything else there has a note."""
    if not r.left:
        return
    rest = r.data[r.pos :]
    padding = binding == "DOE" and len(rest) <= 3 and not any(rest)
    r.rest("Padding" if padding else "trailing", None if any(rest) else f"zero ({len(rest)} bytes)")
    if not padding:
        r.noted(f"{len(rest)} bytes behind the end of the secured message", "warning")
