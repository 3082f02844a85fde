"""What is written while a capture grows: each call when it has returned, and at the end what is told of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import IO, Any, Protocol

import numpy as np

from ..capture.follow.live import Live, Part
from ..capture.follow.messages import key_of
from ..capture.model import Capture
from ..capture.records import Finding
from ..display import safe
from . import csv, jsonl, jsonl_calls, text


class Writer(Protocol):
    """Writes the parts of a growing capture, then its end."""

    def part(self, part: Part, chosen: Iterable[int], everything: bool) -> None:
        """What is new: of the calls those chosen, by their numbers in the part. ``everything``: no choice was made."""

    def end(self, capture: Capture, written: list[int], everything: bool) -> None:
        """The rest. ``written``: the numbers of the calls that were written."""


class Text:
    """The form of ``decode``."""

    def __init__(self, live: Live, out: IO[str]) -> None:
        self._live, self._out = live, out
        self._named: set[int] = set()

    def part(self, part: Part, chosen: Iterable[int], everything: bool) -> None:
        """See Writer."""
        out, capture = self._out, part.capture
        several = len(capture.sources) > 1
        for i, s in enumerate(capture.sources):
            if s.format and i not in self._named:
                self._named.add(i)
                out.write(f"# {f'{i}: ' if several else ''}{safe(s.path)}: {s.format}, followed\n")
        for f in part.events:
            out.write(f"# {safe(f.message)}\n")
        if part.revised and len(part.new):
            out.write(text.abi_line(capture.revision) + "\n")
        alone = self._live.talk.alone if everything else []
        for m in (m for m in alone if m.place.call is not None):  # what came behind the calls above
            out.write(text.message_line(m) + "\n")
        lines = text.Lines(capture, out, marks=everything)
        for row in lines.rows.read(chosen):
            lines.row(row, self._live.talk.by_call.get(row.seq, ()))
        lines.end()
        for m in (m for m in alone if m.place.call is None):
            out.write(text.message_line(m) + "\n")

    def end(self, capture: Capture, written: list[int], everything: bool) -> None:
        """See Writer."""
        for m in capture.conversations.decode():
            if key_of(m) not in self._live.talk.told:
                self._out.write(text.message_line(m) + "\n")
        if everything:
            text.write_sequences(capture, self._out)
            text.write_findings(capture, self._out)


class Json:
    """One object a line. The capture object comes again where the revision is another one than was thought, and at the end."""

    def __init__(self, live: Live, out: IO[str]) -> None:
        self._live, self._out = live, out
        self._told: set[Finding] = set()

    def _write(self, item: dict[str, Any]) -> None:
        self._out.write(json.dumps(item, separators=(",", ":")) + "\n")

    def part(self, part: Part, chosen: Iterable[int], everything: bool) -> None:
        """See Writer."""
        capture, reveal = part.capture, part.capture.options.show_secrets
        if part.revised:
            self._write(jsonl.capture_object(capture))
        for f in part.events:
            self._told.add(f)
            self._write(jsonl.finding_object(f))
        for seq in chosen:
            messages = self._live.talk.by_call.get(seq, [])
            self._write(jsonl_calls.call_object(capture, seq, messages))
            for m in messages:
                self._write(jsonl_calls.message_object(m, reveal))
        for m in self._live.talk.alone:
            self._write(jsonl_calls.message_object(m, reveal))

    def end(self, capture: Capture, written: list[int], everything: bool) -> None:
        """See Writer."""
        self._write(jsonl.capture_object(capture))
        for m in capture.conversations.decode():
            if key_of(m) not in self._live.talk.told:
                self._write(jsonl_calls.message_object(m, capture.options.show_secrets, capture.number))
        rows = np.flatnonzero(np.isin(capture.numbers, written)) if capture.numbers is not None else np.array(written)
        for item in jsonl.ending(capture, rows, self._told):
            self._write(item)


class Csv:
    """Rows; there is no end."""

    def __init__(self, live: Live, out: IO[str]) -> None:
        self._out = out
        csv.write_header(out)

    def part(self, part: Part, chosen: Iterable[int], everything: bool) -> None:
        """See Writer."""
        csv.write_rows(part.capture, chosen, self._out)

    def end(self, capture: Capture, written: list[int], everything: bool) -> None:
        """See Writer."""


WRITERS: dict[str, Callable[[Live, IO[str]], Writer]] = {"text": Text, "json": Json, "csv": Csv}
