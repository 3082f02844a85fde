"""Open files as one capture: recognise, read, pair, decide the revision, follow the objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import decoders

from ..formats import eventmap, registry
from ..formats.base import ReadOptions, Unreadable
from .errors import CaptureError, Unrecognised
from .freeing import keeping_all
from .later import LaterColumn
from .model import Calls, Capture
from .naming import Together, wrapped_command
from .packed import Column
from .pairing import pair
from .pairs import ENTER_ONLY, EXIT_ONLY, Pairs
from .records import NO_TIME, Finding, Kind, Records
from .revision import Revision, Signs, texts_of
from .source import Source, open_source

if TYPE_CHECKING:
    from .index import Keeper


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What the user said about how to open.

    abi            one of decoders.REVISIONS, None to decide from the evidence
    source_format  the name of a format, None to recognise it
    maps           extra event and field names, see docs/event-mapping.md
    progress       called with bytes read so far and the total; may raise to stop
    keys           text of a key log with the secrets of SPDM sessions, see decoders.keylog
    show_secrets   IDE keys and IVs are shown, not hidden
    stop           asked now and then; once it says True no more is read, and the capture is of what was
    cache          what reading a big capture finds out is kept in the user's cache folder, and taken from there
    note           called with a sentence, unescaped, where what is kept there is damaged
    """

    abi: str | None = None
    source_format: str | None = None
    maps: tuple[str, ...] = ()
    progress: Callable[[int, int], None] | None = None
    keys: str | None = None
    show_secrets: bool = False
    cache: bool = False
    stop: Callable[[], bool] | None = None
    note: Callable[[str], None] | None = None


def open_capture(paths: list[str], options: OpenOptions | None = None, limit: int | None = None) -> Capture:
    """The files as one capture. ``limit``: only the first so many bytes of each (``complete`` is then False).

    Raises CaptureError where a file cannot be opened or is in no known format.
    """
    options = options or OpenOptions()
    check(paths, options)
    keeper = _keeper(paths, options) if limit is None else None
    known = keeper.load() if keeper is not None else None
    if known is not None:
        return known
    with keeping_all():
        capture = _opened(paths, options, limit)
    if keeper is not None:
        keeper.save(capture)
    return capture


def _opened(paths: list[str], options: OpenOptions, limit: int | None) -> Capture:
    sources = [open_source(p, i, limit) for i, p in enumerate(paths)]
    total = sum(len(s.data) for s in sources)
    before = 0
    for i, s in enumerate(sources):
        path = None if s.path == "-" else s.path
        limiter = _Limiter(options, before, total)
        _read(s, i, ReadOptions(options.maps, limiter.at, path=path), options.source_format, limiter)
        before += len(s.data)
    return build(sources, ReadOptions(options.maps, keys=options.keys, show_secrets=options.show_secrets), options.abi)


def reopen_capture(paths: list[str], options: OpenOptions) -> Capture | None:
    """The files as one capture where an index of them is kept, None where they have to be read. Raises CaptureError."""
    check(paths, options)
    keeper = _keeper(paths, options)
    return None if keeper is None else keeper.load()


def _keeper(paths: list[str], options: OpenOptions) -> Keeper | None:
    if not options.cache:
        return None
    from .index import Keeper

    return Keeper(paths, options)


def check(paths: list[str], options: OpenOptions) -> None:
    """Raise CaptureError where what the user wants cannot be."""
    if not paths:
        raise CaptureError("no capture given")
    if paths.count("-") > 1:
        raise CaptureError("standard input can be read only once")
    if options.abi is not None and options.abi not in decoders.REVISIONS:
        raise CaptureError(f"no ABI revision {options.abi!r}; there are {', '.join(decoders.REVISIONS)}")
    if options.source_format is not None:
        try:
            registry.by_name(options.source_format)
        except LookupError as e:
            raise CaptureError(str(e).strip("'\"")) from None


class _Stopped(Exception):
    """No more of a source is wanted."""


class _Limiter:
    """Passes on how far the reading is, and ends it where no more is wanted. ``done``: bytes read so far."""

    def __init__(self, options: OpenOptions, before: int, total: int) -> None:
        self._options, self._before, self._total = options, before, total
        self.done = 0

    def at(self, done: int) -> None:
        """So many bytes are read. Raises _Stopped."""
        self.done = done
        if self._options.progress is not None:
            self._options.progress(self._before + done, self._total)
        if self._options.stop is not None and self._options.stop():
            raise _Stopped


def _read(source: Source, index: int, options: ReadOptions, wanted: str | None, limiter: _Limiter) -> None:
    if wanted is not None:
        source.reader = registry.by_name(wanted)
    else:
        found = registry.scores(source.data)
        if not found or found[0][0] < registry.ENOUGH:
            tried = ", ".join(f.name for f in registry.formats())
            what = "is empty" if not len(source.data) else f"no SMC traffic recognised; tried {tried}"
            raise Unrecognised(f"{source.path}: {what}", source.data)
        source.reader = found[0][1]
    source.format = source.reader.name
    try:
        source.records = source.reader.read(source.data, 0, len(source.data), options)
    except _Stopped:
        _read_again(source, index, replace(options, progress=None), limiter.done)
    except Unreadable as e:
        raise CaptureError(f"{source.path}: {e}") from None
    except ValueError as e:
        raise CaptureError(f"{source.path}: {e}") from None
    source.records.pack()
    source.data = source.records.facts.pop("data", source.data)
    source.findings += [_with_source(f, index) for f in source.records.findings]


def _read_again(source: Source, index: int, options: ReadOptions, done: int) -> None:
    """The part of a text that was read when no more was wanted. Of what is no text nothing can be had."""
    growth = getattr(source.reader, "growth", None)
    upto = source.data.rfind(b"\n", 0, done) + 1 if growth is not None else 0
    assert source.reader is not None
    if upto:
        source.records = source.reader.read(source.data, 0, upto, options)
    source.whole = False
    text = f"reading was stopped at byte {upto} of {len(source.data)}"
    source.findings.append(Finding("INTERRUPTED", "warning", text, index, upto))


def _with_source(f: Finding, index: int) -> Finding:
    return Finding(f.rule, f.severity, f.message, index, f.offset, f.object, f.calls, f.spec)


def build(sources: list[Source], options: ReadOptions, abi: str | None = None) -> Capture:
    """A capture from sources that have been read."""
    pairs = [_paired(s.records) for s in sources]
    each = [Signs() for _ in sources]
    for signs, s, p in zip(each, sources, pairs, strict=True):
        gather_signs(signs, s, p)
    return complete(assemble(sources, pairs, decide(each, abi), options))


def pair_up(records: Records) -> Pairs:
    """The calls of a source, in arrays."""
    return _paired(records).arrays()


def _paired(records: Records) -> Pairs:
    return pair(records, eventmap.family, lambda n: wrapped_command(n) is not None)


def complete(capture: Capture) -> Capture:
    """Put the calls of several sources on one axis, and say what the reading has to say. Stateful operations are joined when
    it is asked for which command a call works."""
    if len(capture.sources) > 1:
        from ..correlate import arrange

        capture.correlation = arrange(capture)
    capture.calls.pack()
    capture.calls.parent = LaterColumn.of(np.int64, -1, len(capture.calls), partial(_join, capture))
    capture.reading += _findings(capture)
    return capture


def _join(capture: Capture) -> None:
    from ..lifecycle.operations import join_operations

    join_operations(capture)


def gather_signs(signs: Signs, source: Source, pairs: Pairs) -> None:
    """What a source tells of the revision."""
    first, enter, exit_ = pairs.first(source.records), pairs.enter, pairs.exit
    if pairs.inferred.any():
        names, smc = source.records.names, ~pairs.inferred
        around = {wrapped_command(names[i]) for i in np.unique(source.records.name[enter[pairs.inferred]]).tolist()}
        first, enter, exit_ = first.of_some(smc), enter[smc], exit_[smc]
        signs.from_calls(source.records, enter, exit_, first)
        signs.from_fids({c[1] for c in around if c is not None})
    else:
        signs.from_calls(source.records, enter, exit_, first)
    signs.from_texts(texts_of(source))


def decide(each: list[Signs], abi: str | None) -> Revision:
    """The revision that all sources together speak, given the signs in each; those that contradict it have one of their own."""
    if len(each) == 1:
        return each[0].decide(abi)
    together = Signs()
    for signs in each:
        together.merge(signs)
    revision = together.decide(abi)
    own = {} if abi is not None else {i: s.decide() for i, s in enumerate(each) if s.contradict(revision)}
    return replace(revision, by_source={i: r for i, r in own.items() if (r.core, r.device) != (revision.core, revision.device)})


def assemble(sources: list[Source], pairs: list[Pairs], revision: Revision, options: ReadOptions) -> Capture:
    """The calls of all sources as one capture: named, and in the order of time where every one has a time."""
    columns = ("enter", "exit", "paired", "inferred", "ts", "dur", "cpu", "pid")
    parts: dict[str, list[Any]] = {k: [] for k in columns}
    identities = Together(revision)
    for s, (source, p) in enumerate(zip(sources, pairs, strict=True)):
        for name, column in zip(columns, (p.enter, p.exit, p.paired, p.inferred, *p.places(source.records)), strict=True):
            parts[name].append(column)
        identities.add(s, source.records, p)
    named = identities.finish()
    whole = {k: v[0] if len(v) == 1 else np.concatenate(v) for k, v in parts.items()}
    whole |= {name: getattr(named, name) for name in ("fid", "name", "service", "status", "failed")}
    if len(pairs) == 1:
        whole["source"] = Column.filled(np.int16, 0, len(pairs[0]))
        in_time = pairs[0].in_time(sources[0].records)
    else:
        whole["source"] = np.repeat(np.arange(len(pairs), dtype=np.int16), [len(p) for p in pairs])
        ts = whole["ts"]
        in_time = not bool((ts[1:] < ts[:-1]).any() and ts.min() != NO_TIME)
    if not in_time:
        order = np.argsort(whole["ts"], kind="stable")
        whole = {k: v[order] for k, v in whole.items()}
    calls = Calls(**whole, parent=Column.filled(np.int64, -1, sum(map(len, pairs))))
    calls.pack()
    capture = Capture(sources, calls, identities.names, identities.services, identities.statuses, revision, options)
    capture.complete = all(s.whole for s in sources)
    capture.duplicates = sum(p.duplicates for p in pairs)
    return capture


def _findings(capture: Capture) -> list[Finding]:
    """What the reading itself has to say: lost events, what found no partner, what could not be read or named."""
    found = [f for s in capture.sources for f in s.findings]
    for i, s in enumerate(capture.sources):
        rec = s.records
        for r in rec.of_kind(Kind.LOST)[:1000].tolist():
            count, cpu = int(rec.regs[r, 0]), int(rec.cpu[r])
            what = f"{count} events" if count else "events"
            where = f" on CPU {cpu}" if cpu >= 0 else ""
            text = f"the tracer lost {what}{where}; calls open there are left without their other half"
            found.append(Finding("LOST-EVENTS", "warning", text, i, int(rec.offset[r])))
        damaged = rec.of_kind(Kind.DAMAGED)
        for r in damaged[:1000].tolist():
            why = rec.names[rec.name[r]] if rec.name[r] >= 0 else "cannot be read"
            found.append(Finding("DAMAGED-RECORD", "error", f"a record cannot be read: {why}", i, int(rec.offset[r])))
        if len(damaged) > 1000:
            text = f"{len(damaged) - 1000} more records cannot be read"
            found.append(Finding("DAMAGED-RECORD", "error", text, i, int(rec.offset[damaged[1000]])))
    found += _unpaired(capture)
    found += _unknown(capture)
    if not len(capture.calls) and not capture.conversations.all:
        told = any(bool(len(s.records.of_kind(Kind.MARK))) for s in capture.sources)
        found.append(Finding("NO-CALLS", "note" if told else "warning", "no call in this capture"))
    return found


def _first_offset(capture: Capture, seq: int) -> tuple[int, int]:
    c = capture.calls
    src = int(c.source[seq])
    rec = int(c.enter[seq]) if c.enter[seq] >= 0 else int(c.exit[seq])
    return src, int(capture.sources[src].records.offset[rec])


def _unpaired(capture: Capture) -> list[Finding]:
    out = []
    texts = (
        (ENTER_ONLY, "UNPAIRED-ENTER", "{} call{} never returned in the capture (or the exit was not recorded)"),
        (EXIT_ONLY, "UNPAIRED-EXIT", "{} exit{} stand alone: the entry was not recorded"),
    )
    for code, rule, text in texts:
        at = capture.calls.paired.places(code)
        at = at[~capture.calls.inferred[at]]
        if code == ENTER_ONLY:  # what only ever shows the entry (QEMU's arm_psci_call) is not a loss
            with_exit = [bool((s.records.kind == Kind.EXIT).any()) for s in capture.sources] if len(at) else []
            at = at[np.array(with_exit, dtype=bool)[capture.calls.source[at]]]
        if len(at):
            src, offset = _first_offset(capture, int(at[0]))
            said = text.format(len(at), "" if len(at) == 1 else "s")
            out.append(Finding(rule, "note", said, src, offset, calls=tuple(at[:1000].tolist())))
    return out


def _unknown(capture: Capture) -> list[Finding]:
    out = []
    for i, name in enumerate(capture.names):
        if not name.startswith("unknown"):
            continue
        at = capture.calls.name.places(i)
        if len(at):
            src, offset = _first_offset(capture, int(at[0]))
            text = f"{name} ({len(at)} call{'' if len(at) == 1 else 's'}) is in no table"
            out.append(Finding("UNKNOWN-FID", "warning", text, src, offset, calls=tuple(at[:1000].tolist())))
    return out
