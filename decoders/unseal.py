"""Decrypting the messages of SPDM secure sessions: which secret, which direction, which key generation, which number.

Nothing on the wire says any of these, and a tag of 128 bits proves each: so what is most likely is tried first, and
what the capture left out (lost messages, repeated ones, a KEY_UPDATE whose outcome was not seen) is tried after it, in
bounds. DSP0277 1.0 to 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from .key_schedule import AEAD_KEY_SIZES, DIRECTIONS, TAG_SIZE, Direction, Line, Suite
from .keylog import Secret, Secrets
from .spdm.algorithms import BASE_HASH, Algorithms
from .spdm.session import SecureSession
from .tree import Severity

MAX_TRIALS = 256
"""Ways of making a session's keys (secret, hash, AEAD) that are tried for one message."""
FEW = 8
"""Ways that are few enough to look for missing messages with each of them."""
WINDOW = 64
"""Messages in a row that may be missing from the capture in one direction."""
REPEATS = 8
"""How far back a message that was seen already is recognised."""
GIVE_UP = 16
"""Messages of a session that fail one after the other before only the most likely keys are tried."""
HASH_NAMES = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "sm3")


class Opened(NamedTuple):
    """A decrypted message.

    plain       encrypted session: 2 bytes of application data length, application data, random; MAC-only: the data
    direction   by the key that fitted
    sequence    number of the message, from 0 for each key
    phase       'handshake' or 'data': which key; 'given' for a key from the key log itself
    generation  how many KEY_UPDATEs the key went through
    mac_only    authenticated, not encrypted
    skipped     messages of this direction that are missing before this one
    repeated    a message with this number was there before
    """

    plain: bytes
    direction: Direction
    sequence: int
    phase: str
    generation: int
    mac_only: bool
    skipped: int = 0
    repeated: bool = False


class Refused(NamedTuple):
    """Why a message was not decrypted, and how grave that is."""

    reason: str
    severity: Severity


class Sealed(NamedTuple):
    """A message as it came.

    associated  session id to length, which the tag covers
    sealed      cipher text and tag
    low         low 16 bits of the sequence number where the binding sends them (MCTP), else None
    """

    associated: bytes
    sealed: bytes
    low: int | None = None

    def parts(self, mac_only: bool) -> tuple[bytes, bytes]:
        """Associated data and what the AEAD opens."""
        if not mac_only:
            return self.associated, self.sealed
        return self.associated + self.sealed[:-TAG_SIZE], self.sealed[-TAG_SIZE:]


@dataclass(slots=True)
class SessionKeys:
    """The keys of one secure session as far as its messages were read.

    secure is None for a session whose beginning is not in the capture: then only keys from the key log open it.
    """

    session_id: int
    secure: SecureSession | None
    secrets: Secrets
    lines: dict[tuple[str, Direction], Line] = field(default_factory=dict)
    secret: Secret | None = None
    suite: Suite | None = None
    mac_only: bool | None = None
    big_endian: bool | None = None
    last: Direction | None = None
    failures: int = 0
    advanced: bool = False
    trouble: str = ""

    def open(self, message: Sealed) -> Opened | Refused:
        """The message decrypted, or why it is not. Never raises."""
        if not self.secrets:
            return Refused("no secrets given", "note")
        opened = self._known(message, self.failures < GIVE_UP) if self.lines else None
        if opened is None and self.failures < GIVE_UP and (self.secret is None or self.secret.kind in ("TRAFFIC", "KEY")):
            opened = self._find(message)
        if opened is None:
            self.failures += 1
            return self._why()
        self.failures = 0
        self.last = opened.direction
        return opened

    def _why(self) -> Refused:
        secure, given = self.secure, f"{self.session_id:#010x}"
        missing = ", ".join(secure.missing) if secure is not None else ""
        if self.trouble:
            return Refused(self.trouble, "warning")
        if self.lines and not (missing and self.advanced):
            return Refused(
                "does not decrypt with the keys of its session: damaged, or too many messages before it are missing", "error"
            )
        if secure is None:
            fits = any(self.secrets.of(self.session_id, "KEY"))
            why = "no key given for it fits" if fits else "no KEY is given for it"
            return Refused(f"the beginning of session {given} is not in this capture, and {why}", "error" if fits else "note")
        kinds = ("PSK",) if secure.psk else ("DHE", "KEM")
        count = sum(1 for _ in self.secrets.of(self.session_id, *kinds))
        if not count and not any(self.secrets.of(self.session_id, "HANDSHAKE", "MASTER", "TRAFFIC", "KEY")):
            return Refused(f"no {' or '.join(kinds)} secret for session {given}", "note")
        if missing:
            return Refused(f"keys cannot be derived without {missing}", "warning")
        if not self.secrets.trials:
            return Refused("gave up: too many secrets were tried and did not fit", "warning")
        tried = f"{count} {' or '.join(kinds)} tried"
        return Refused(f"wrong secret: none of those given decrypts session {given} ({tried})", "error")

    # a session whose keys are known

    def _known(self, message: Sealed, deep: bool) -> Opened | None:
        """The message opened with the keys as they are or after one key update; ``deep``: with messages missing too."""
        self._advance()
        expected = DIRECTIONS[0] if self.last in (None, "response") else DIRECTIONS[1]
        likely = self._phases()[0]
        opened = self._on(likely, expected, self.lines.get((likely, expected)), message, exact=True)
        if opened is not None:
            return opened
        other = DIRECTIONS[1] if expected == DIRECTIONS[0] else DIRECTIONS[0]
        places = [(phase, direction) for phase in self._phases() for direction in (expected, other)]
        for phase, direction in places[1:]:
            opened = self._on(phase, direction, self.lines.get((phase, direction)), message, exact=True)
            if opened is not None:
                return opened
        updated = [(p, d, self.lines[p, d].updated()) for p, d in places if (p, d) in self.lines]
        for phase, direction, line in updated:
            opened = self._on(phase, direction, line, message, exact=True)
            if opened is not None:
                return opened
        if not deep:
            return None
        for phase, direction, line in [*((p, d, self.lines.get((p, d))) for p, d in places), *updated]:
            opened = self._on(phase, direction, line, message, exact=False)
            if opened is not None:
                return opened
        return None

    def _phases(self) -> tuple[str, ...]:
        if self.secure is not None and self.secure.phase == "handshake":
            return ("handshake", "given", "data")
        return ("data", "given", "handshake")

    def _on(self, phase: str, direction: Direction, line: Line | None, message: Sealed, exact: bool) -> Opened | None:
        """The message opened with one key, which is then the key of that direction."""
        if line is None or self.mac_only is None:
            return None
        associated, sealed = message.parts(self.mac_only)
        for number in _numbers(line.sequence, message.low, exact):
            for order in self._orders(number):
                plain = line.open(number, associated, sealed, order)
                if plain is None:
                    continue
                if number:
                    self.big_endian = order
                skipped, repeated = max(number - line.sequence, 0), number < line.sequence
                line.sequence = max(line.sequence, number + 1)
                self.lines[phase, direction] = line
                clear = sealed_data(message) if self.mac_only else plain
                return Opened(clear, direction, number, phase, line.generation, self.mac_only, skipped, repeated)
        return None

    def _orders(self, number: int) -> tuple[bool, ...]:
        if self.big_endian is not None:
            return (self.big_endian,)
        return (False,) if number == 0 else (False, True)

    def _advance(self) -> None:
        """Make the application keys once the handshake is over."""
        if self.advanced or self.secure is None or self.secure.phase == "handshake":
            return
        self.advanced = True
        if ("data", "request") not in self.lines and self.suite is not None and self.secret is not None:
            self.lines.update(self._lines(self.secret, self.suite, ("data",)))

    # a session whose keys are not known yet

    def _find(self, message: Sealed) -> Opened | None:
        """Try every secret that may be this session's, until one decrypts the message."""
        ways = list(islice(self.candidates(), min(MAX_TRIALS, self.secrets.trials)))
        for deep in (False, True) if len(ways) <= FEW else (False,):
            for secret, suite in ways:
                try:
                    opened = self._with(secret, suite, message, deep)
                except (LookupError, ValueError) as error:  # an AEAD or a hash that is not available here
                    self.trouble = str(error.args[0]) if error.args else "an algorithm is not available"
                    continue
                if opened is not None:
                    return opened
        self.secrets.trials -= len(ways)
        return None

    def _with(self, secret: Secret, suite: Suite, message: Sealed, deep: bool) -> Opened | None:
        early = self.secure is not None and self.secure.phase == "handshake"
        lines = self._lines(secret, suite, ("handshake",) if early else ("data",))
        for mac_only in self._kinds() if lines else ():
            trial = SessionKeys(self.session_id, self.secure, self.secrets, dict(lines), secret, suite, mac_only)
            opened = trial._known(message, deep)
            if opened is not None:
                self.lines.update(trial.lines)
                self.secret, self.suite, self.mac_only, self.trouble = secret, suite, mac_only, ""
                self.big_endian = trial.big_endian
                return opened
        return None

    def _kinds(self) -> tuple[bool, ...]:
        known = self.secure.mac_only if self.secure is not None else None
        return (False, True) if known is None else (known,)

    def candidates(self) -> Iterator[tuple[Secret, Suite]]:
        """Secrets that may be the session's with what it may have negotiated, the most likely first."""
        secure = self.secure
        if secure is not None:
            kinds = ("PSK",) if secure.psk else ("DHE", "KEM")
            hash_size = len(secure.response) - secure.signed if secure.psk else 0  # its verify data
            shared = list(self.secrets.of(self.session_id, *kinds, "HANDSHAKE", "MASTER"))
            at = min(secure.number_of_kind, len(shared))  # secrets for any session are in the order of use
            for secret in (*shared[at:], *shared[:at], *self.secrets.of(self.session_id, "TRAFFIC")):
                for suite in _suites(secure.algorithms, secure.version, hash_size):
                    yield secret, suite
        for secret in self.secrets.of(self.session_id, "KEY"):
            for aead, size in AEAD_KEY_SIZES.items():
                if size == len(secret.value) and (secure is None or secure.algorithms.aead_name in (None, aead)):
                    yield secret, Suite(0x12, "sha256", aead)

    def _complete(self, secure: SecureSession) -> None:
        """Put what the capture lacks of the transcript, and the key log has, into the session."""
        if not secure.vca:
            secure.vca = b"".join(self.secrets.vca)
        if secure.chain is None:
            secure.chain = self.secrets.chains.get(("responder", secure.slot))
        if secure.req_chain is None and secure.req_slot is not None:
            secure.req_chain = self.secrets.chains.get(("requester", secure.req_slot))

    def _lines(self, secret: Secret, suite: Suite, phases: tuple[str, ...]) -> dict[tuple[str, Direction], Line]:
        """The lines that a secret makes, as far as the transcript goes."""
        if secret.kind == "KEY":
            assert secret.direction is not None
            return {("given", secret.direction): Line(suite, b"", secret.value, secret.iv)}
        if secret.kind == "TRAFFIC":
            traffic = (s for s in self.secrets.of(self.session_id, "TRAFFIC") if s == secret)
            return {(s.phase, s.direction): Line.of(suite, s.value) for s in traffic if s.direction is not None}
        secure = self.secure
        if secure is None:
            return {}
        self._complete(secure)
        handshake = secret.value
        if secret.kind in ("DHE", "KEM", "PSK"):
            handshake = suite.handshake_secret(secret.value, secure.psk)
        made: dict[tuple[str, Direction], Line] = {}
        for phase in phases:
            if phase == "handshake" and secret.kind == "MASTER":
                continue
            transcript = secure.th1(suite.digest) if phase == "handshake" else secure.th2(suite.digest)
            if transcript is None:
                continue
            base = handshake if phase == "handshake" or secret.kind == "MASTER" else suite.master_secret(handshake)
            th = suite.digest(transcript)
            for direction in DIRECTIONS:
                made[phase, direction] = Line.of(suite, suite.traffic_secret(base, direction, phase, th))
        return made


def sealed_data(message: Sealed) -> bytes:
    """What stands before the tag."""
    return message.sealed[:-TAG_SIZE]


def _numbers(current: int, low: int | None, exact: bool) -> Iterator[int]:
    """Sequence numbers that a message may have, most likely first."""
    if low is not None:
        base = current & ~0xFFFF | low
        if exact:
            yield base if base >= current else base + 0x10000
        elif base < current:
            yield base
        return
    if exact:
        yield current
        return
    yield from range(current + 1, current + 1 + WINDOW)
    yield from range(current - 1, max(current - 1 - REPEATS, -1), -1)


def _suites(algorithms: Algorithms, version: int, hash_size: int) -> Iterator[Suite]:
    """What the session may have negotiated: one suite, or all that fit where the negotiation was not seen."""
    names = (
        [algorithms.hash_name]
        if algorithms.hash_name
        else [n for n, a in zip(HASH_NAMES, BASE_HASH, strict=True) if hash_size in (0, a.size)]
    )
    aeads = [algorithms.aead_name] if algorithms.aead_name else list(AEAD_KEY_SIZES)
    for name in names:
        for aead in aeads:
            if name:
                yield Suite(version, name, aead)
