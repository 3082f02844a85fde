"""What a report tells of the revisions, the files and the tool."""

from __future__ import annotations

import hashlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from .. import __version__
from ..correlate.skew import bites, opinions, skews
from ..correlate.skew.words import group_text, said
from ..export.text import seconds
from .model import FileItem, Report, Shown, Speaker
from .redact import Redactor

if TYPE_CHECKING:
    from ..capture.model import Capture
    from ..capture.source import Source

_EVIDENCE = 8
_BITES = 30
_LIBRARIES = ("construct", "numpy", "polars", "cryptography")


def speak(capture: Capture, report: Report, redactor: Redactor) -> None:
    """What each side speaks, and where they do not agree."""
    if not len(capture.calls):
        return
    names = [s.name for s in capture.sources]
    known = opinions(capture)
    for o in known:
        where = f" ({' and '.join(names[s] for s in o.sources)})" if len({k.sources for k in known}) > 1 else ""
        evidence = [redactor.text(e.text) for e in o.evidence[:_EVIDENCE]]
        if len(o.evidence) > _EVIDENCE:
            evidence.append(Shown(f"and {len(o.evidence) - _EVIDENCE} more signs"))
        group = redactor.text(group_text(o.group))
        report.speakers.append(Speaker(redactor.text(o.side + where), group, redactor.text(o.text), tuple(evidence)))
    if not report.speakers:
        evidence = [redactor.text(e) for e in capture.revision.evidence[:_EVIDENCE]]
        report.speakers.append(Speaker(Shown("both"), Shown("all"), report.abi, tuple(evidence)))
    for s in skews(capture):
        found: list[Shown] = []
        for b in bites(capture, s):
            if len(found) == _BITES:
                found.append(Shown("and more: see rmitrace abi of"))
                break
            found.append(redactor.text(b.text + ("" if b.count == 1 else f" ({b.count} calls)")))
        report.skews.append((redactor.text(said(capture, s)), tuple(found)))


def file(s: Source, redactor: Redactor) -> FileItem:
    """A file of the capture with its hash, as it lies there now."""
    size, digest = len(s.data), ""
    try:
        if s.path == "-" or not os.path.isfile(s.path):
            digest = hashlib.sha256(s.data).hexdigest()
        else:
            with open(s.path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size = file.tell()
    except OSError:
        digest = ""
    times = s.span_ns
    span = f"{seconds(times[0])} to {seconds(times[1])} s" if times is not None else "no times"
    return FileItem(
        redactor.text(s.name if redactor.hides("paths") else s.path),
        redactor.text(s.format),
        len(s.records),
        size,
        len(s.data) if len(s.data) != size else None,
        digest,
        Shown(span),
    )


def environment(capture: Capture, redactor: Redactor) -> list[tuple[str, Shown]]:
    """The tool, what it runs on, and how it was called; clock and kernel as a trace tells them."""
    libraries = []
    for name in _LIBRARIES:
        try:
            libraries.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    out = [
        ("rmitrace", Shown(__version__)),
        ("Python", redactor.text(f"{platform.python_version()}, {platform.system()} {platform.machine()}")),
        ("libraries", redactor.text(", ".join(libraries))),
    ]
    options = [f"--map {m}" for m in capture.options.maps]
    options += ["--abi"] if capture.revision.forced else []
    options += ["secrets of sessions were given"] if capture.options.keys else []
    options += ["--show-secrets"] if capture.options.show_secrets else []
    if options:
        out.append(("options", redactor.text(", ".join(options))))
    for s in capture.sources:
        for fact in ("clock", "kernel", "machine"):
            if isinstance(s.records.facts.get(fact), str):
                out.append((f"{fact} of the trace", redactor.text(f"{s.records.facts[fact]} ({s.name})")))
    return out
