"""Values that people paste between the lines: registers of a call, a status word, hex dumps of parameter pages.

A value is taken only where the text around says what it is, or where the capture is one of an RMM anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import decoders
from decoders import smccc
from decoders.tree import Node

from ..formats.hexlines import Dump, dumps, hex_lines
from ..formats.spdm_log import recognise_dump
from .model import ANSWER, GRAVE, Answer, Report
from .structures import Fit, ranked

_SET = re.compile(r"\bx0\s{0,3}[:=]\s{0,3}(?:0x)?0{0,8}(c400[01][0-9a-f]{3}|C400[01][0-9A-F]{3})\b")
_REGISTER = re.compile(r"\bx(\d{1,2})\s{0,3}[:=]\s{0,3}(?:0x)?([0-9a-fA-F]{1,16})\b")
_RETURNED = re.compile(r"\bUnexpected error in (r[em]\w{2,60}|kvm_re\w{2,60}|map_\w{2,60}): (?:0x)?([0-9a-fA-F]{1,8})\b")
_UNKNOWN = re.compile(r"unknown function_id: ([0-9a-fA-F]{8})\b")
_LIKE = re.compile(
    r"\brmi_(?:pdev|vdev|realm|rec|dev_comm|public_key|psmmu|stream)\w{0,24}|\bRmi[A-Z]\w{3,28}|\b(?:realm|rec|pdev|vdev)_params\b",
    re.I,
)
_DUMP = 16
"""Lines of a register dump around that with x0."""
_LEAST = 24
"""Bytes of a dump that is looked at."""
_ABOVE = 5
"""Lines above a dump that may say what it is."""
_MOST = 8
_FIELDS = 40
_GOOD, _FAIR = 0.8, 0.3
"""Points from which a structure is one though nothing says so, and though something does."""


def register_sets(report: Report) -> Iterator[Answer]:
    """``x0: 00000000c4000176 x1: ...`` of one line, decoded as a call."""
    for line in report.lines_with("x0"):
        text = report.text(line)
        if _SET.search(text) is None:
            continue
        values: dict[int, int] = {}
        for near in (text, *_around(report, line)):
            for m in _REGISTER.finditer(near):
                values.setdefault(int(m[1]), int(m[2], 16))
        x = [values.get(i) for i in range(max(n for n in values if n < 18) + 1)]
        fid = x[0] or 0
        having = _names(fid)
        if not having:
            continue
        revision = [*having][-1]
        tree = decoders.decode_call(x, None, revision=revision)
        args = tree.child("args")
        said = [
            f"{tree.name}({', '.join(f'{n.name}={n.text}' for n in args.children if n.name != 'fid')})" if args else tree.name
        ]
        others = [v for v, name in having.items() if name != tree.name]
        if others:
            said.append(f"by {revision}; in {', '.join(others)} {having[others[-1]]}")
        yield Answer("registers", report.found(line).strip(), tuple(said), (), line + 1, ANSWER)


def _around(report: Report, line: int) -> Iterator[str]:
    """The lines of the same dump: those next to it that hold registers, as ``x2 : 0000000088500000 x1 : ...`` of a kernel."""
    for step in (-1, 1):
        n = line + step
        while abs(n - line) <= _DUMP and (text := report.text(n)) and _REGISTER.search(text) and _SET.search(text) is None:
            yield text
            n += step


def _names(fid: int) -> dict[str, str]:
    """The command of a function id by revision, those that have it."""
    found = ((v, p.by_fid.get(fid)) for v in decoders.REVISIONS for p in (decoders.profile(v), decoders.profile(v, "RSI")))
    return {v: c.name for v, c in found if c is not None}


def returned(report: Report) -> Iterator[Answer]:
    """``Unexpected error in realm_set_ipa_state: 0x304``: x0 of a command, as the kernel prints it."""
    for line in report.lines_with("Unexpected error in "):
        m = _RETURNED.search(report.text(line))
        if m is None:
            continue
        value = int(m[2], 16)
        said = []
        for revision in ("1.1-alp17", "2.0-bet3"):
            profile = decoders.profile(revision)
            name = profile.statuses.get(value & 0xFF, f"no status {value & 0xFF}")
            fields = profile.packing.get(name, profile.packing.get("", ()))
            parts = [f"{f.name} {(value & f.mask) >> f.lsb}" for f in fields]
            said.append(f"x0 {value:#x} in {'1.x' if revision[0] == '1' else '2.0'}: {', '.join([name, *parts])}")
        yield Answer("status", report.found(line).strip(), tuple(said), (), line + 1, GRAVE)


def unknown_ids(report: Report) -> Iterator[Answer]:
    """Function ids that an RMM says it does not know; an RMM that is in no state to answer."""
    told: set[int] = set()
    for line in report.lines_with("unknown function_id"):
        m = _UNKNOWN.search(report.text(line))
        fid = int(m[1], 16) if m is not None else 0
        if m is None or fid in told:
            continue
        told.add(fid)
        having = _names(fid)
        names = set(having.values())
        if names:
            where = ", ".join(having)
            said = [
                f"{fid:#x} is {' or '.join(sorted(names))} ({where}): the host calls it, this RMM does not have it (x0 is -1)"
            ]
            said.append("the kernel is for another revision than the RMM, or the RMM was built without that group of commands")
            if all(n.startswith("RSI_") for n in names):
                said = [
                    f"{fid:#x} is {' or '.join(sorted(names))}, a command for Realms, and came from the host: the RMM has "
                    "no such one there"
                ]
        elif (other := smccc.lookup(fid)) is not None:
            said = [f"{fid:#x} is {other.name}, which EL3 answers: it came to the RMM, which does not have it"]
        else:
            said = [f"{fid:#x} is in no revision of DEN0137: a private command, or another service's"]
        yield Answer(
            "unknown-id",
            report.found(line).strip(),
            tuple(said),
            ("rmitrace abi of FILE: what each side speaks",),
            line + 1,
            GRAVE,
        )
    for line in report.lines_with("RMM is in invalid state")[:1]:
        said = [
            "a command came before RMI_RMM_ACTIVATE, and was answered with RMI_ERROR_GLOBAL (11): a 2.0 firmware has to be "
            "activated once after boot. The kernel is too old for it, or its activation failed"
        ]
        yield Answer(
            "not-active",
            report.found(line).strip(),
            tuple(said),
            ("whether 0xc4000202 was called, and its status",),
            line + 1,
            GRAVE,
        )


def hex_dumps(report: Report) -> Iterator[Answer]:
    """Hex dumps that are no messages, as the structures that they fit."""
    named = report.capture is not None or bool(_LIKE.search(report.raw[: 1 << 20].decode("utf-8", "replace")))
    if not named:
        return
    found = 0
    for dump in dumps(hex_lines(report.raw[: 4 << 20])):
        if len(dump.data) < _LEAST or dump.broken or recognise_dump(dump, True) is not None:
            continue
        line = report.number(dump.start)
        fit = _fit(report, dump, line)
        if fit is None:
            continue
        found += 1
        if found > _MOST:
            return
        best, data, others = fit
        size = decoders.profile(best.revisions[-1], "RSI" if best.name.startswith("Rsi") else "RMI").structs[best.name].size
        tree = decoders.decode_struct(best.name, data.ljust(size, b"\0"), revision=best.revisions[-1])
        said = [
            f"{best.name} as {' and '.join(best.revisions)} {'has' if len(best.revisions) == 1 else 'have'} it:",
            *_fields(tree),
        ]
        for other in others:
            why = f": {'; '.join(other.against)}" if other.against else ""
            said.append(f"less likely {other.name} of {', '.join(other.revisions)}{why}")
        yield Answer("structure", report.found(line).strip(), tuple(said), (), line + 1, ANSWER)


def _fit(report: Report, dump: Dump, line: int) -> tuple[Fit, bytes, list[Fit]] | None:
    """The structure of a dump, its bytes, and the same structure of other revisions."""
    above = " ".join(report.text(n) for n in range(max(line - _ABOVE, 0), line + 1))
    wanted = {_key(w) for w in _LIKE.findall(above)}
    for data in dump.readings():
        fits = ranked(data)
        said = next((f for f in fits if _key(f.name) in wanted and f.points >= _FAIR), None)
        best = said or (fits[0] if fits and fits[0].points >= _GOOD and fits[0].told >= 3 else None)
        if best is not None:
            return best, data, [f for f in fits if f.name == best.name and f is not best][:2]
    return None


def _key(name: str) -> str:
    """'rmi_pdev_params', 'RmiPdevParams' and 'pdev_params' are one."""
    return name.lower().replace("_", "").removeprefix("rmi")


def _fields(tree: Node) -> Iterator[str]:
    """The fields that are set, with their offsets."""
    count = 0
    for n in tree.walk():
        if n.offset is None or n is tree or not n.value or isinstance(n.value, str) or _inside(tree, n):
            continue
        if isinstance(n.value, bytes) and not any(n.value):
            continue
        count += 1
        if count > _FIELDS:
            yield "  ..."
            return
        note = f"  ! {n.note}" if n.note and n.severity != "note" else ""
        yield f"  {n.offset:#06x} {n.name}: {n.text}{note}"


def _inside(tree: Node, node: Node) -> bool:
    """Whether a node is a bit field of a word that is told with its bits."""
    return any(
        node in p.children and p is not tree and (p.offset, p.size) == (node.offset, node.size) for p in tree.walk() if p.children
    )
