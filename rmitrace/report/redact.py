"""What is private in a report, and the names that stand in its place.

Everything of a capture that a report shows goes through ``Redactor.text`` or ``raw``. The same value gets the same name
wherever it stands (``pdev_ptr#1``), so that what belongs together can still be seen.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable
from functools import cache

import decoders

from ..display import safe
from .model import Hidden, Shown

KINDS = {
    "addresses": "addresses of memory, of objects and of code",
    "keys": "keys, IVs, session secrets and other key material",
    "nonces": "nonces and random data of messages",
    "measurements": "measurements and their digests",
    "serials": "serial numbers, and the certificates that hold them",
    "hosts": "host names, mail, IP and MAC addresses",
    "paths": "folders of files",
    "tasks": "names and numbers of tasks",
}
"""What can be redacted."""
DEFAULT = frozenset(("keys", "nonces", "measurements", "serials", "hosts", "paths"))
"""What is, unless something else is asked for: a report is made to be shown to others."""
_ROLE = {"keys": "key", "nonces": "nonce", "measurements": "measurement", "serials": "serial", "hosts": "host",
          "paths": "path", "tasks": "task", "addresses": "addr"}  # fmt: skip
_PAGE = 0xFFF
_SMALL = 0x10000
"""Numbers below it are sizes, offsets and indices, not addresses."""
_NEAR = 0x10000
"""Bytes behind an address with a name that are called after it: what lies beside each other is seen."""
_ONES = frozenset((2**64 - 1, 2**32 - 1))

_NUMBER = re.compile(r"(?<![0-9A-Za-z_.#])(?:0[xX])?[0-9a-fA-F]{5,16}(?:(?![0-9A-Za-z_])|(?=SMC_))")
"""A number in hexadecimal; on a shared UART the next row of an RMM may follow without a blank."""
_OTHER = re.compile(
    r"\b(?:status|code|ret|rc|errno|esr\w{0,6}|spsr\w{0,6}|flags|fid|session|version|features?)\s?[=:]?\s{0,2}$", re.I
)
"""Words in front of a number that is no address, whatever it looks like."""
_BYTE = r"(?:0x)?[0-9a-fA-F]{2}"
_RUN = re.compile(rf"(?<![0-9A-Za-z]){_BYTE}(?:[ :,]{{0,2}}{_BYTE}){{15,}}")
"""Sixteen bytes or more in hexadecimal: as long as a key, a nonce or a digest is."""
_SHORT_RUN = re.compile(rf"(?<![0-9A-Za-z]){_BYTE}(?:[ :,]{{0,2}}{_BYTE}){{7,}}")
_WORDS = (
    ("nonces", re.compile(r"nonce|random", re.I)),
    ("measurements", re.compile(r"measurement|digest", re.I)),
    ("keys", re.compile(r"key|secret|psk|salt|passw|token|\biv\b", re.I)),
)
"""Words in front of bytes that say what these are."""
_KEY_WORD = re.compile(
    r"\b((?:\w{1,24}_)?(?:key|iv|ifv)(?:_?(?:dw|word|lo|hi)?_?\d{0,3}|\[\d{1,3}\]))(\s{0,4}[:=]\s{0,4})((?:0x)?[0-9a-f]{8,16})\b",
    re.I,
)
"""A key in words of registers: 'Key_DW0: 0x5b67c310', as tee-io-validator prints them."""
_BEFORE = 48
"""Characters in front of them that are looked at."""
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}")
_SYSLOG = re.compile(
    r"((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-3]?\d \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.+:0-9-]{0,20}Z?) ([A-Za-z0-9][\w.-]{0,62})(?= )"
)
_IP = re.compile(r"(?<![\w.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w.])")
_MAC = re.compile(r"(?<![\w:])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![\w:])")
_PATH = re.compile(
    r"(?<![\w/.])/(?:home|root|Users|work|workspace|builds?|mnt|media|tmp|var|srv|data|opt|usr/src|nix|scratch|projects?)"
    r"/[^\s'\"<>|:,;()\[\]{}]{1,400}"
)
_SERIAL = re.compile(r"\b(serial(?:[ _-]?(?:number|num|no\.?))?|S/N)(\s{0,4}[:=#]\s{0,4})([\w:-]{4,64})", re.I)


def kinds_of(words: Iterable[str]) -> frozenset[str]:
    """The kinds that the words of --redact ask for: those of DEFAULT and the named ones; 'all'; 'none'; 'no-KIND' leaves one
    out. Raises ValueError."""
    chosen = set(DEFAULT)
    for word in (w for part in words for w in part.split(",") if w):
        if word == "all":
            chosen = set(KINDS)
        elif word == "none":
            chosen = set()
        elif word in KINDS:
            chosen.add(word)
        elif word.startswith("no-") and word[3:] in KINDS:
            chosen.discard(word[3:])
        else:
            raise ValueError(f"{word}: want all, none, or of {', '.join(KINDS)} (no-KIND leaves one as it is)")
    return frozenset(chosen)


class Redactor:
    """Replaces what is private, counts it, and makes the rest safe to show."""

    def __init__(self, kinds: frozenset[str] = DEFAULT) -> None:
        self.kinds = kinds
        self._names: dict[tuple[str, object], str] = {}
        self._numbers: Counter[str] = Counter()
        """How many names a role has."""
        self._places: Counter[tuple[str, str]] = Counter()
        """How often each name stands in the report, by kind and name."""
        self._sorted: list[int] = []
        """The addresses that have names."""
        self._plain: set[int] = set()
        self._secret: dict[int, tuple[str, str]] = {}
        self._bytes: dict[str, tuple[str, str]] = {}
        self._tasks: list[str] = []

    def hides(self, kind: str) -> bool:
        """Whether a kind of thing is redacted."""
        return kind in self.kinds

    # what is known beforehand

    def address(self, value: int, role: str, *, own: bool = True) -> None:
        """Give an address a name after what it is. ``own``: also where it is shortly behind another one."""
        if value >= _SMALL and value not in _ONES and (own or self._near(value) is None):
            self._name("addresses", value, role)

    def number(self, value: int) -> None:
        """A number that may look like an address and is none: flags, features, identifiers."""
        self._plain.add(value)

    def secret(self, value: int) -> None:
        """A register with key material."""
        if value >= 1 << 16:
            self._secret[value] = ("keys", self._name("keys", value))

    def task(self, name: str | None) -> None:
        """The name of a task."""
        if name and name not in self._tasks:
            self._tasks = sorted((*self._tasks, name), key=len, reverse=True)

    def known(self, data: bytes, kind: str) -> str:
        """Bytes that are private: their name. Texts that hold them are redacted, too."""
        name = self._name(kind, data)
        if len(data) >= 8:
            self._bytes[data.hex()] = (kind, name)
        return name

    def hidden_bytes(self, data: bytes, kind: str, what: str = "") -> Shown:
        """What stands in the place of some bytes: 'nonce#1 (32 bytes)'."""
        return Shown(f"{self._seen(kind, data)} ({what or f'{len(data)} bytes'})")

    def count(self, kind: str, name: str) -> None:
        """Something that is hidden already, by those who decoded it."""
        self._places[kind, name] += 1

    def is_address(self, value: int) -> bool:
        """Whether a number is replaced as an address."""
        return "addresses" in self.kinds and self._as_address(value, True) is not None

    # texts

    def text(self, text: str, strict: bool = False) -> Shown:
        """A text as it may be shown. ``strict``: without bytes in hexadecimal, whatever they are."""
        if "tasks" in self.kinds:
            for task in self._tasks:
                if task in text:
                    text = text.replace(task, self._seen("tasks", task))
        if "paths" in self.kinds:
            text = _PATH.sub(self._path, text)
        if "hosts" in self.kinds:
            text = _SYSLOG.sub(lambda m: f"{m[1]} {self._seen('hosts', m[2])}", text)
            for pattern in (_MAIL, _IP, _MAC):
                text = pattern.sub(lambda m: self._seen("hosts", m[0]), text)
        if "serials" in self.kinds:
            text = _SERIAL.sub(self._serial, text)
        if "keys" in self.kinds:
            text = _KEY_WORD.sub(lambda m: f"{m[1]}{m[2]}{self._seen('keys', m[3].lower())}", text)
        if self.kinds & _OF_BYTES:
            text = (_SHORT_RUN if strict else _RUN).sub(lambda m: self._run(m, strict), text)
        if "addresses" in self.kinds or (self._secret and "keys" in self.kinds):
            text = _NUMBER.sub(self._number, text)
        return Shown(safe(text))

    def raw(self, text: str) -> Shown:
        """A raw record as it may be shown: bytes in hexadecimal are left out; they are shown decoded, or not at all."""
        if self.kinds & (_OF_BYTES | {"addresses"}):
            text = _RUN.sub(_size, text)
        return self.text(text)

    def hidden(self) -> list[Hidden]:
        """What was redacted, for the list at the end."""
        out = []
        for kind in KINDS:
            names = [name for (k, name) in self._places if k == kind]
            if names:
                places = sum(n for (k, _), n in self._places.items() if k == kind)
                out.append(Hidden(kind, KINDS[kind], len(names), places, tuple(names)))
        return out

    # names

    def _name(self, kind: str, value: object, role: str = "") -> str:
        known = self._names.get((kind, value))
        if known is None:
            role = role or _ROLE[kind]
            self._numbers[role] += 1
            known = self._names[kind, value] = f"{role}#{self._numbers[role]}"
            if kind == "addresses" and isinstance(value, int):
                insort(self._sorted, value)
        return known

    def _seen(self, kind: str, value: object) -> str:
        name = self._name(kind, value)
        self._places[kind, name] += 1
        return name

    # parts of a text

    def _path(self, m: re.Match[str]) -> str:
        folder, _, name = m[0].rpartition("/")
        return f"{self._seen('paths', folder)}/{name}"

    def _serial(self, m: re.Match[str]) -> str:
        return f"{m[1]}{m[2]}{self._seen('serials', m[3])}" if any(c.isdigit() for c in m[3]) else m[0]

    def _run(self, m: re.Match[str], strict: bool) -> str:
        digits = _digits(m[0])
        for known, (of, name) in self._bytes.items():
            if of in self.kinds and known in digits:
                self._places[of, name] += 1
                return name if known == digits else f"<{len(digits) // 2} bytes with {name}>"
        before = m.string[max(0, m.start() - _BEFORE) : m.start()]
        kind = next((k for k, word in _WORDS if k in self.kinds and word.search(before)), None)
        if kind is None:
            return f"<{len(digits) // 2} bytes>" if strict else m[0]
        return self._seen(kind, digits)

    def _number(self, m: re.Match[str]) -> str:
        text = m[0]
        prefixed = text[:2] in ("0x", "0X")
        value = int(text, 16)
        secret = self._secret.get(value) if "keys" in self.kinds else None
        if secret is not None:
            self._places[secret] += 1
            return secret[1]
        if "addresses" not in self.kinds:
            return text
        sure = prefixed or (len(text) > 5 and not text.isdecimal() and not text.isalpha())
        sure = sure and _OTHER.search(m.string, max(0, m.start() - 24), m.start()) is None
        found = self._as_address(value, sure)
        if found is None:
            return text
        page, offset = found
        return self._seen("addresses", page) + (f"+0x{offset:x}" if offset else "")

    def _as_address(self, value: int, sure: bool) -> tuple[int, int] | None:
        """The address that has a name, and the bytes behind it; None for what is no address. ``sure``: it is written like
        one."""
        if value < _SMALL or value in _ONES:
            return None
        if ("addresses", value) in self._names:
            return value, 0
        if value in self._plain or value in _function_ids():
            return None
        near = self._near(value)
        if near is not None:
            return near, value - near
        return (value & ~_PAGE, value & _PAGE) if sure else None

    def _near(self, value: int) -> int | None:
        """The address with a name that is at or shortly before another one."""
        at = bisect_right(self._sorted, value) - 1
        return self._sorted[at] if at >= 0 and value - self._sorted[at] < _NEAR else None


_OF_BYTES = frozenset(("keys", "nonces", "measurements", "serials"))


def _digits(text: str) -> str:
    return re.sub("0x|[^0-9a-fA-F]", "", text).lower()


def _size(m: re.Match[str]) -> str:
    words = re.split("[ :,]+", m[0])
    if all(len(w.removeprefix("0x")) == 16 for w in words):  # registers
        return m[0]
    return f"<{len(_digits(m[0])) // 2} bytes>"


@cache
def _function_ids() -> frozenset[int]:
    """The function ids of every revision: numbers that are no addresses."""
    return frozenset(fid for r in decoders.REVISIONS for fid in decoders.profile(r).by_fid)
