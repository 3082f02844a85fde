"""Secrets of SPDM sessions, from a key log file.

One secret a line, hex digits in either case, ``#`` begins a comment. SESSION is a session id (``0xffffffff``) or ``*``:

    DHE SESSION SECRET              shared secret of KEY_EXCHANGE: X coordinate (ECDH), the shared number (FFDHE)
    KEM SESSION SECRET              the same from a KEM (SPDM 1.4)
    PSK SESSION SECRET              pre-shared key of PSK_EXCHANGE
    HANDSHAKE SESSION SECRET        handshake secret, where the secret that it was made of is not known
    MASTER SESSION SECRET           master secret
    TRAFFIC SESSION request|response handshake|data SECRET    the secret of one direction
    KEY SESSION request|response KEY IV                       an AEAD key and its IV, of a session at any point
    CHAIN responder|requester SLOT BYTES    a certificate chain that never was on the wire (length, root hash, certificates)
    PUBKEY responder|requester BYTES        a provisioned public key, slot 0xff (DER SubjectPublicKeyInfo)
    VCA MESSAGE MESSAGE ...         GET_VERSION to ALGORITHMS of the earlier connection whose negotiated state goes on

Several lines for one session are tried in turn: a session id may come again with another secret. A JSON object with
``dhe_secret``, ``kem_secret`` and ``psk`` (lists of hex, as emulators' run files have them) and ``chains`` (a list of what
stands behind CHAIN) is read too, and JSON lines
with ``op`` 'handshake_key' and 'data_key' that a requester writes while it derives keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .key_schedule import DIRECTIONS, Direction
from .spdm.session import Side

MAX_SECRETS = 4096
MAX_SECRET = 4096
"""Bytes of one secret (the largest in use has 512); chains and messages may have MAX_BLOB."""
MAX_BLOB = 1 << 20
SIDES: tuple[Side, Side] = ("responder", "requester")
SHARED = ("DHE", "KEM", "PSK", "HANDSHAKE", "MASTER")


class Secret(NamedTuple):
    """A secret for one session.

    kind        'DHE', 'KEM', 'PSK', 'HANDSHAKE', 'MASTER', 'TRAFFIC', 'KEY'
    session_id  None for any session
    direction   of TRAFFIC and KEY, else None
    phase       'handshake' or 'data' of TRAFFIC, else ''
    iv          of KEY, else empty
    """

    kind: str
    session_id: int | None
    value: bytes
    direction: Direction | None = None
    phase: str = ""
    iv: bytes = b""


@dataclass(slots=True)
class Secrets:
    """Everything that a key log says; ``problems`` has a line for each line of it that was not understood."""

    secrets: list[Secret] = field(default_factory=list)
    chains: dict[tuple[Side, int], bytes] = field(default_factory=dict)
    public_keys: dict[Side, bytes] = field(default_factory=dict)
    vca: list[bytes] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unopened: dict[int, Any] = field(default_factory=dict)
    """For whoever decrypts: state of the sessions whose beginning was not seen, by session id."""
    trials: int = 8000
    """Failed ways of making keys that are left before nothing more is tried (about 0.5 ms each)."""

    def of(self, session_id: int, *kinds: str) -> Iterator[Secret]:
        """The secrets of those kinds for a session: those with its id first, then those for any session."""
        fitting = [s for s in self.secrets if s.kind in kinds]
        yield from (s for s in fitting if s.session_id == session_id)
        yield from (s for s in fitting if s.session_id is None)

    def __bool__(self) -> bool:
        return bool(self.secrets)


def parse_keylog(text: str) -> Secrets:
    """The secrets of a key log (see the module's text for its forms). Never raises; see ``Secrets.problems``."""
    found = Secrets()
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith("{"):
        for number, value in enumerate(_json_values(stripped, found), 1):
            _from_json(value, found, number)
        return found
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(found.secrets) >= MAX_SECRETS:
            found.problems.append(f"line {number}: more than {MAX_SECRETS} secrets; the rest is not read")
            break
        try:
            _line(words, found)
        except ValueError as error:
            found.problems.append(f"line {number}: {error}")
    return found


def secrets_of(given: object) -> Secrets:
    """Secrets from what a caller has: Secrets, the text of a key log, or a mapping as in the JSON form."""
    if isinstance(given, Secrets):
        return given
    if isinstance(given, str):
        return parse_keylog(given)
    found = Secrets()
    if isinstance(given, dict):
        _from_json(given, found, 1)
    elif given is not None:
        found.problems.append(f"no secrets in a {type(given).__name__}")
    return found


def _line(words: list[str], found: Secrets) -> None:
    kind, rest = words[0].upper(), words[1:]
    if kind == "VCA":
        found.vca = [_hex(w, MAX_BLOB) for w in rest]
    elif kind == "CHAIN":
        _expect(rest, 3, "CHAIN responder|requester SLOT BYTES")
        found.chains[_side(rest[0]), _number(rest[1])] = _hex(rest[2], MAX_BLOB)
    elif kind == "PUBKEY":
        _expect(rest, 2, "PUBKEY responder|requester BYTES")
        found.public_keys[_side(rest[0])] = _hex(rest[1], MAX_BLOB)
    elif kind in SHARED:
        _expect(rest, 2, f"{kind} SESSION SECRET")
        found.secrets.append(Secret(kind, _session(rest[0]), _hex(rest[1])))
    elif kind == "TRAFFIC":
        _expect(rest, 4, "TRAFFIC SESSION request|response handshake|data SECRET")
        if rest[2] not in ("handshake", "data"):
            raise ValueError(f"expected handshake or data, found {rest[2]!r}")
        found.secrets.append(Secret(kind, _session(rest[0]), _hex(rest[3]), _direction(rest[1]), rest[2]))
    elif kind == "KEY":
        _expect(rest, 4, "KEY SESSION request|response KEY IV")
        iv = _hex(rest[3])
        if len(iv) != 12:
            raise ValueError(f"an IV has 12 bytes, found {len(iv)}")
        found.secrets.append(Secret(kind, _session(rest[0]), _hex(rest[2]), _direction(rest[1]), "", iv))
    else:
        raise ValueError(f"no secret of kind {words[0][:40]!r}")


def _expect(words: list[str], count: int, form: str) -> None:
    if len(words) != count:
        raise ValueError(f"expected {form}")


def _hex(word: str, limit: int = MAX_SECRET) -> bytes:
    word = word.removeprefix("0x").removeprefix("0X")
    if not word or len(word) > 2 * limit:
        raise ValueError(f"expected 1 to {limit} bytes in hex, found {len(word) // 2}")
    try:
        return bytes.fromhex(word)
    except ValueError:
        raise ValueError(f"not hex digits: {word[:40]!r}") from None


def _number(word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise ValueError(f"not a number: {word[:40]!r}") from None


def _session(word: str) -> int | None:
    return None if word == "*" else _number(word) & 0xFFFFFFFF


def _direction(word: str) -> Direction:
    for d in DIRECTIONS:
        if word == d:
            return d
    raise ValueError(f"expected request or response, found {word[:40]!r}")


def _side(word: str) -> Side:
    for side in SIDES:
        if word == side:
            return side
    raise ValueError(f"expected responder or requester, found {word[:40]!r}")


def _json_values(text: str, found: Secrets) -> Iterator[Any]:
    decoder, pos = json.JSONDecoder(), 0
    while pos < len(text) and len(found.secrets) < MAX_SECRETS:
        try:
            value, pos = decoder.raw_decode(text, pos)
        except (ValueError, RecursionError) as error:
            found.problems.append(f"character {pos}: {str(error)[:200]}")
            return
        yield value
        while pos < len(text) and text[pos] in " \t\r\n,":
            pos += 1


def _from_json(value: Any, found: Secrets, number: int) -> None:
    if not isinstance(value, dict):
        found.problems.append(f"value {number}: expected an object")
        return

    def add(kind: str, word: object, direction: Direction | None = None, phase: str = "") -> None:
        if not isinstance(word, str):
            return
        try:
            secret = Secret(kind, None, _hex(word), direction, phase)
        except ValueError as error:
            found.problems.append(f"value {number}: {kind}: {error}")
            return
        if any(secret.value) and secret not in found.secrets:  # a key not yet derived is written as zeros
            found.secrets.append(secret)

    chains = value.get("chains")
    for text in chains if isinstance(chains, list) else ():
        try:
            _line(["CHAIN", *str(text).split()], found)
        except ValueError as error:
            found.problems.append(f"value {number}: CHAIN: {error}")
    for kind, name in (("DHE", "dhe_secret"), ("KEM", "kem_secret"), ("PSK", "psk")):
        words = value.get(name)
        for word in words[:MAX_SECRETS] if isinstance(words, list) else [words]:
            add(kind, word)
    if value.get("op") in ("handshake_key", "data_key"):
        add("HANDSHAKE", value.get("handshake_secret"))
        add("MASTER", value.get("master_secret"))
        for direction in DIRECTIONS:
            add("TRAFFIC", value.get(f"{direction}_handshake_secret"), direction, "handshake")
            add("TRAFFIC", value.get(f"{direction}_data_secret"), direction, "data")
