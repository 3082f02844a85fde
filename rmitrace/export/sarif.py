"""SARIF 2.1.0 (OASIS): findings for code scanning viewers and CI. A place is a file and the byte offset of a record in it."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import IO, Any
from urllib.parse import quote

from .. import __version__, checks
from ..capture.model import Capture
from ..capture.records import Finding
from ..checks.rule import Rule
from ..checks.suppress import Sifted, Suppression
from ..display import safe

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_RELATED = 20
"""Further calls of a finding that are given as places."""


def write(capture: Capture, found: Sifted, out: IO[str]) -> None:
    """One run with the rules that were found and one result a finding, suppressed ones marked as such."""
    json.dump(document(capture, found), out, indent=1)
    out.write("\n")


def document(capture: Capture, found: Sifted) -> dict[str, Any]:
    """The log as an object."""
    all_findings = [(f, None) for f in found.shown] + list(found.suppressed)
    ids = list(dict.fromkeys(f.rule for f, _ in all_findings))
    run = {
        "tool": {
            "driver": {
                "name": "rmitrace",
                "version": __version__,
                "rules": [_rule(i, checks.RULES.get(i)) for i in ids],
            }
        },
        "artifacts": [{"location": {"uri": uri(s.path)}, "length": len(s.data)} for s in capture.sources],
        "results": [_result(capture, f, entry, ids.index(f.rule)) for f, entry in all_findings],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": [_unused(e) for e in found.unused]}],
        "properties": {"abi": capture.revision.name, "byteOffsets": "in the unpacked file"},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def uri(path: str) -> str:
    """A path as a URI reference; standard input by its name."""
    if path == "-":
        return "stdin"
    pure = PurePath(path)
    return (
        "file://" + quote(pure.as_posix(), errors="surrogateescape")
        if pure.is_absolute()
        else quote(pure.as_posix(), errors="surrogateescape")
    )


def _text(text: str) -> str:
    """A message: viewers make a link of '[x](place)' (3.11.6), which nothing of a capture may be."""
    return safe(text).replace("](", "\\](")


def _rule(id: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": safe(id)}
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.why}."},
        "help": {"text": f"Look at: {rule.next}. Source: {rule.spec}."},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"source": rule.spec, "needs": rule.needs},
    }


def _result(capture: Capture, f: Finding, entry: Suppression | None, index: int) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": safe(f.rule),
        "ruleIndex": index,
        "level": f.severity if f.severity in ("error", "warning", "note") else "none",
        "message": {"text": _text(f.message)},
        "suppressions": [] if entry is None else [{"kind": "external", "justification": _text(entry.reason)}],
        "properties": {"calls": list(f.calls)},
    }
    calls = [c for c in f.calls if 0 <= c < len(capture.calls)]
    if f.source >= 0 and f.offset >= 0:
        out["locations"] = [_location(capture, f.source, f.offset, None, f.object)]
    elif calls:
        out["locations"] = [_call(capture, calls[0], f.object)]
    if len(calls) > 1:
        out["relatedLocations"] = [_call(capture, c) for c in calls[1 : 1 + _RELATED]]
    return out


def _call(capture: Capture, seq: int, object: str | None = None) -> dict[str, Any]:
    c = capture.calls
    source = int(c.source[seq])
    record = int(c.enter[seq]) if c.enter[seq] >= 0 else int(c.exit[seq])
    records = capture.sources[source].records
    place = _location(capture, source, int(records.offset[record]), int(records.length[record]), object)
    place["message"] = {"text": _text(f"call {seq}: {capture.name_text(seq)} = {capture.status_text(seq) or '?'}")}
    return place


def _location(capture: Capture, source: int, offset: int, length: int | None, object: str | None) -> dict[str, Any]:
    region = {"byteOffset": offset, **({"byteLength": length} if length is not None else {})}
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": uri(capture.sources[source].path), "index": source}, "region": region}
    }
    if object:
        place["logicalLocations"] = [{"fullyQualifiedName": safe(object), "kind": "object"}]
    return place


def _unused(entry: Suppression) -> dict[str, Any]:
    return {"level": "warning", "message": {"text": _text(f"unused suppression of {entry.rule}: {entry.where}")}}
