"""Findings that are known and wanted no more: a TOML file with a rule and a reason for each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..capture.records import Finding
from . import RULES

if TYPE_CHECKING:
    from ..capture.model import Capture

_KEYS = ("rule", "reason", "object", "command", "source")
_MAX_SIZE = 1 << 20


@dataclass(slots=True)
class Suppression:
    """One entry; what is given has to fit, ``rule``, ``object``, ``command`` and ``source`` (a file's name) as shell globs.

    where  file and number of the entry, for messages; used: how many findings it suppressed
    """

    rule: str
    reason: str
    object: str = "*"
    command: str = "*"
    source: str = "*"
    where: str = ""
    used: int = 0

    def fits(self, capture: Capture, f: Finding) -> bool:
        """Whether a finding is meant."""
        if not fnmatchcase(f.rule, self.rule.upper()) or not fnmatchcase(f.object or "", self.object):
            return False
        if self.source != "*" and not (f.source >= 0 and fnmatchcase(capture.sources[f.source].name, self.source)):
            return False
        if self.command == "*":
            return True
        names = {capture.name_text(c) for c in f.calls[:16] if 0 <= c < len(capture.calls)}
        wanted = self.command.upper()
        return any(fnmatchcase(n, wanted) or fnmatchcase(n.removeprefix("RMI_"), wanted) for n in names)


@dataclass(slots=True)
class Sifted:
    """Findings after suppression: those that stay, those that do not with the entry that says why, entries of no use."""

    shown: list[Finding]
    suppressed: list[tuple[Finding, Suppression]] = field(default_factory=list)
    unused: list[Suppression] = field(default_factory=list)


def read(path: str) -> list[Suppression]:
    """The entries of a file: tables ``[[suppress]]``. Raises ValueError with one line that says what is wrong."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except OSError as e:
        raise ValueError(f"{path}: {e.strerror or e}") from e
    if len(data) > _MAX_SIZE:
        raise ValueError(f"{path}: more than {_MAX_SIZE >> 20} MiB")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: {e}") from e
    entries = document.get("suppress")
    if not isinstance(entries, list) or document.keys() != {"suppress"}:
        raise ValueError(f"{path}: want tables [[suppress]] with rule and reason, and nothing else")
    return [_entry(e, f"{path}, entry {i}") for i, e in enumerate(entries, 1)]


def _entry(entry: Any, where: str) -> Suppression:
    if not isinstance(entry, dict) or not all(isinstance(v, str) for v in entry.values()):
        raise ValueError(f"{where}: want keys with strings")
    unknown = sorted(entry.keys() - set(_KEYS))
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; there are {', '.join(_KEYS)}")
    for key in ("rule", "reason"):
        if not entry.get(key, "").strip():
            raise ValueError(f"{where}: {key} is missing")
    if not any(fnmatchcase(r, entry["rule"].upper()) for r in RULES):
        raise ValueError(f"{where}: no rule {entry['rule']} (see rmitrace check --list)")
    return Suppression(**entry, where=where)


def sift(capture: Capture, findings: list[Finding], entries: list[Suppression]) -> Sifted:
    """Take out the findings that an entry suppresses."""
    out = Sifted([])
    for f in findings:
        entry = next((e for e in entries if e.fits(capture, f)), None)
        if entry is None:
            out.shown.append(f)
        else:
            entry.used += 1
            out.suppressed.append((f, entry))
    out.unused = [e for e in entries if not e.used]
    return out
