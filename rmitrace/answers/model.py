"""A pasted text with its lines freed of quotes, tags and stamps, and what is said about it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..formats.rmm_console_lines import Line, clean, unwrap

if TYPE_CHECKING:
    from ..capture.model import Call, Capture

MAX_LINE = 4096
"""Characters of a line that are looked at."""
MAX_LINES = 20_000
"""Lines with a word that is looked for, of one kind."""
_HEAD = 1 << 20
_CCA = re.compile(rb"\b(?:[Rr]ealms?\b|RMM\b|RME\b|RM[IM]_|CCA\b|rme-guest|arm[-_]cca)|SMC_R[MS][IM]_")
_OTHERS = re.compile(rb"\b(?:SEV(?:-SNP|-TIO)?|SNP|ccp|TDX|tdx|SEAMCALL)\b")
GRAVE, ANSWER, ASIDE = 0, 1, 2
"""Weights: what went wrong; what a line means; what else is worth knowing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one place of a text means.

    topic   'crash', 'errno', 'feature-register', ...
    about   the line as found, or a title where it is about several
    said    what it means, a line each
    next    what to look at or to capture next, a line each
    line    number of the line, from 1; None where it is about the whole text
    weight  GRAVE, ANSWER or ASIDE
    """

    topic: str
    about: str
    said: tuple[str, ...]
    next: tuple[str, ...] = ()
    line: int | None = None
    weight: int = ANSWER


@dataclass
class Report:
    """A text, and the capture that it was read as (None where it holds no calls and no marks). Lines count from 0 here."""

    raw: bytes
    capture: Capture | None = None
    source: int = 0
    _cleaned: dict[int, tuple[str, str, bool]] = field(default_factory=dict)

    @cached_property
    def starts(self) -> list[int]:
        """Byte offset of each line."""
        out, at = [0], self.raw.find(b"\n")
        while at >= 0:
            out.append(at + 1)
            at = self.raw.find(b"\n", at + 1)
        return out

    def __len__(self) -> int:
        return len(self.starts)

    def number(self, offset: int) -> int:
        """The line at a byte offset, from 0."""
        return bisect_right(self.starts, offset) - 1

    def size(self, line: int) -> int:
        """Bytes of a line."""
        return (self.starts[line + 1] if line + 1 < len(self.starts) else len(self.raw)) - self.starts[line]

    def found(self, line: int) -> str:
        """A line as it stands in the text."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.raw)
        return self.raw[self.starts[line] : min(end, self.starts[line] + MAX_LINE)].decode("utf-8", "replace").rstrip("\r\n")

    def text(self, line: int) -> str:
        """A line without quotes, colours and escapes; empty beyond the end."""
        return self._clean(line)[0] if 0 <= line < len(self) else ""

    def bare(self, line: int) -> str:
        """A line without tags and stamps, too. Of prose that may be too much: 'ioctl failed: ' looks like a tag."""
        return self._clean(line)[1] if 0 <= line < len(self) else ""

    def _clean(self, line: int) -> tuple[str, str, bool]:
        if line not in self._cleaned:
            end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self.raw)
            full, soft = clean(self.raw[self.starts[line] : min(end, self.starts[line] + MAX_LINE)])
            parts = unwrap(Line(0, len(full), full))
            text, bare = (b.decode("utf-8", "replace").strip() for b in (full[parts.bare :], parts.text))
            self._cleaned[line] = text, bare, soft
        return self._cleaned[line]

    def joined(self, line: int) -> str:
        """A line and the one below, as a mailer may have wrapped them."""
        here, _, soft = self._clean(line)
        return f"{here}{'' if soft else ' '}{self.bare(line + 1)}".strip()

    def lines_with(self, *words: str) -> list[int]:
        """The lines that hold one of some words, in order. Plain searches."""
        out: set[int] = set()
        for word in words:
            needle, at = word.encode(), -1
            while (at := self.raw.find(needle, at + 1)) >= 0 and len(out) < MAX_LINES:
                line = self.number(at)
                out.add(line)
                at = self.starts[line + 1] - 1 if line + 1 < len(self.starts) else len(self.raw)
        return sorted(out)

    @cached_property
    def of_cca(self) -> bool:
        """Whether the text is about Realms or an RMM at all: it has calls, or says so."""
        return bool(self.calls[0]) or _CCA.search(self.raw[:_HEAD]) is not None

    @cached_property
    def of_others(self) -> bool:
        """Whether it is about another vendor's confidential VMs."""
        return not self.calls[0] and _OTHERS.search(self.raw[:_HEAD]) is not None and b"RMI_" not in self.raw[:_HEAD]

    @cached_property
    def calls(self) -> tuple[list[int], list[int]]:
        """The calls of the text: (row of the capture, line) in order."""
        if self.capture is None or not len(self.capture.calls):
            return [], []
        own = self.capture.of_source(self.source)
        offsets = self.capture.sources[self.source].records.offset[own.first]
        rows = [int(r) for r in own.rows]
        return rows, [self.number(int(o)) for o in offsets]

    def last_calls(self, line: int, most: int = 3) -> list[Call]:
        """The calls before a line, the latest last."""
        rows, lines = self.calls
        end = bisect_right(lines, line)
        return [self.capture.call(r) for r in rows[max(end - most, 0) : end]] if self.capture is not None else []

    @cached_property
    def texts(self) -> tuple[list[str], list[str]]:
        """Name and status of each of the calls."""
        if self.capture is None:
            return [], []
        rows = np.array(self.calls[0], dtype=np.int64)
        statuses = [*self.capture.statuses, ""]  # -1: none known
        names = [self.capture.names[i] for i in self.capture.column("name", rows).tolist()]
        return names, [statuses[i] for i in self.capture.column("status", rows).tolist()]

    def chosen(self, names: Container[str] | None = None, statuses: Container[str] | None = None) -> list[tuple[int, int]]:
        """The calls of some names and statuses: (row of the capture, line) in order."""
        rows = zip(*self.calls, *self.texts, strict=True)
        return [(r, at) for r, at, n, s in rows if (names is None or n in names) and (statuses is None or s in statuses)]

    @cached_property
    def names(self) -> set[str]:
        """The commands in the text: 'RMI_REALM_CREATE'."""
        return set(self.texts[0])


def listed(words: Iterable[str]) -> str:
    """'a, b and c'."""
    all_of = list(words)
    return all_of[0] if len(all_of) == 1 else f"{', '.join(all_of[:-1])} and {all_of[-1]}" if all_of else ""
