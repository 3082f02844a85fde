"""What is found out about a capture once it is asked for: where its messages stand, what kernel and firmware speak, what its
objects went through and how that is laid out, the tasks of its calls, findings. Kept in a file of its own beside the index, and
taken out of it part by part."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ...correlate.skew.opinions import Opinion
from ...diagnose.reasons import Reasons, given
from ...lifecycle.table import OUTCOMES, PREFIXES, SequenceTable, StateTable
from ...lifecycle.whys import Whys
from ..tasks import Tasks
from ..texts import Texts
from . import contents, laid_out
from .container import Container, Damaged

if TYPE_CHECKING:
    from ..model import Capture

FOLLOWED, CHECKED, OPINIONS, REASONS = "followed", "checked", "opinions", "reasons"
OBJECTS, ARRANGED, TOLD, TASKS = "objects", "arranged", "told", "tasks"
PARTS = (FOLLOWED, CHECKED, OPINIONS, REASONS, OBJECTS, ARRANGED, TOLD, TASKS)
_WHY = ("sequence.why", "step.why")
_TOLD = ("told.call", "told.condition")
_PROGRAMS = ("TSHARK",)
"""Findings that another program has a part in: it may be another one the next time."""
_OF_SEQUENCES = ("kind", "prefix", "address", "source", "outcome", "first", "last", "start", "first_step")
_OF_STEPS = ("step_name", "step_outcome", "step_first", "step_last", "step_count")
_OF_STATES = ("prefix", "address", "call", "frm", "to", "inferred")


def known(capture: Capture) -> dict[str, Any]:
    """Which parts are known of a capture, and where its messages stand; empty where nothing is."""
    talk = [s.talk for s in capture.sources]
    out: dict[str, Any] = {"talk": talk} if any(t is not None for t in talk) else {}
    if capture.silent:
        out["silent"] = True
    out |= {part: True for part in capture.parts if _holds(capture, part)}
    if CHECKED in out and _explained(capture):
        out[REASONS] = True
    if FOLLOWED not in out:  # it is made of the sequences
        out.pop(ARRANGED, None)
    return out


def _explained(capture: Capture) -> bool:
    """Whether it is known of every finding why the call failed that it is about."""
    return capture.reasons is not None or all(seq in capture.diagnosed for seq in _to_explain(capture))


def _to_explain(capture: Capture) -> list[int]:
    """The calls that failed of which findings tell why."""
    calls = {f.calls[0] for f in capture.findings if f.calls and f.severity != "note"}
    seqs = np.array(sorted(c for c in calls if 0 <= c < len(capture)), dtype=np.int64)
    return seqs[capture.calls.failed[seqs]].tolist()  # type: ignore[no-any-return]


def _holds(capture: Capture, part: str) -> bool:
    """Whether a part will be the same the next time."""
    return _plain(capture, part) and not (part == CHECKED and any(f.rule in _PROGRAMS for f in capture.findings))


def _plain(capture: Capture, part: str) -> bool:
    """Whether a part does not depend on secrets of sessions: with them more is told, and they may be others the next time."""
    return part in (OPINIONS, OBJECTS, TASKS) or (capture.options.keys is None and not capture.options.show_secrets)


def give(capture: Capture) -> tuple[dict[str, Any], dict[str, Any]]:
    """What to write: the table's part and the columns. Where sequences are known so are how they are shown, and the tasks
    of the calls, from here on."""
    arrangement = capture.arrangement if FOLLOWED in known(capture) else None
    if arrangement is not None:
        capture.tasks.settle()
    meta = known(capture)
    columns: dict[str, Any] = {}
    if OPINIONS in meta:
        meta[OPINIONS] = [asdict(o) for o in capture.opinions or ()]
    if CHECKED in meta:
        text = json.dumps([contents.finding_row(f) for f in capture.findings], separators=(",", ":")).encode("ascii")
        columns[CHECKED] = np.frombuffer(text, dtype=np.uint8)
    if REASONS in meta:
        r = capture.reasons or given(capture, [d for q in _to_explain(capture) if (d := capture.diagnosed[q]) is not None])
        columns |= _of_texts(REASONS, r)
    if TOLD in meta and capture.told is not None:
        for name, lines in zip(_TOLD, capture.told, strict=True):
            columns |= _of_texts(name, lines)
    if FOLLOWED in meta:
        q, s = capture.sequences, capture.states
        meta[FOLLOWED] = {
            "kinds": q.kinds,
            "names": q.names,
            "states": s.names,
            "sequences": len(q),
            "steps": len(q.step_name),
            "members": len(q.member),
            "changes": len(s),
        }
        columns |= {f"sequence.{n}": getattr(q, n) for n in (*_OF_SEQUENCES, *_OF_STEPS, "member", "member_step")}
        columns |= {f"state.{n}": getattr(s, n) for n in _OF_STATES}
        for name, whys in zip(_WHY, (q.why, q.step_why), strict=True):
            columns |= _of_texts(name, Texts.given({k: v.encode("utf-8", "surrogatepass") for k, v in whys.items()}))
    if OBJECTS in meta:
        columns |= laid_out.give_objects(capture.objects())
    if TASKS in meta:
        meta[TASKS] = {"names": capture.tasks.names}
        columns["task.of"] = capture.tasks.numbers
    if arrangement is not None:
        meta[ARRANGED], of_list = laid_out.give(arrangement)
        columns |= of_list
    return meta, columns


def take_small(capture: Capture, meta: Any) -> None:
    """Give a capture what is short. Raises Damaged (or what JSON of another shape raises)."""
    told = contents.a(dict, meta)
    if "talk" in told:
        ranges = contents.a(list, told["talk"])
        found = [None if t is None else _range(t, len(s.data)) for t, s in zip(ranges, capture.sources, strict=True)]
        for s, talk in zip(capture.sources, found, strict=True):
            s.talk = talk
    capture.silent = contents.a(bool, told.get("silent", False))


def _range(value: Any, end: int) -> tuple[int, int]:
    start, stop = contents.a(list, value)
    if not 0 <= contents.a(int, start) <= contents.a(int, stop) <= end:
        raise Damaged("a range that cannot be")
    return start, stop


def take(found: Container, capture: Capture, part: str) -> None:
    """Give a capture a part that is in an index. Raises Damaged (or what JSON of another shape raises)."""
    told = contents.a(dict, found.meta).get(part)
    if not told or not _plain(capture, part):
        return
    if part == OPINIONS:
        capture.opinions = [_opinion(contents.a(dict, o), len(capture.sources)) for o in contents.a(list, told)]
    elif part == CHECKED:
        rows = json.loads(bytes(found.column(CHECKED, np.uint8)))
        capture.learn(checked=contents.findings(rows, len(capture.sources), len(capture)))
    elif part == REASONS:
        capture.reasons = Reasons(*_columns_of_texts(found, REASONS))
    elif part == TOLD:
        calls, conditions = (_texts(found, name) for name in _TOLD)
        capture.told = calls, conditions
    elif part == OBJECTS:
        capture.learn(objects=laid_out.take_objects(found, capture))
    elif part == TASKS:
        names = [None if n is None else contents.a(str, n) for n in contents.a(list, contents.a(dict, told)["names"])]
        numbers = found.values("task.of", np.int32, len(capture), 0, len(names))
        capture.learn(tasks=Tasks.known(capture, names, numbers))
    elif part == ARRANGED:
        if capture.worked_out(FOLLOWED):
            capture.learn(arranged=laid_out.take(found, capture, contents.a(dict, told)))
    else:
        capture.learn(followed=_tables(found, capture, contents.a(dict, told)))


def _columns_of_texts(found: Container, name: str) -> tuple[Any, Any, Any]:
    seq, end = (found.column(f"{name}.{n}", np.int64) for n in ("seq", "end"))
    return seq, end, found.column(name, np.uint8)


def _texts(found: Container, name: str) -> Texts:
    return Texts(*_columns_of_texts(found, name))


def _of_texts(name: str, texts: Texts) -> dict[str, Any]:
    return {f"{name}.seq": texts.seq, f"{name}.end": texts.end, name: texts.text}


def _whys(texts: Texts, end: int) -> Whys:
    """Why sequences, or steps, of which there are so many, failed."""
    if len(texts.seq) and not (int(texts.seq[0]) >= 0 and int(texts.seq[-1]) < end):
        raise Damaged("a reason of no sequence")

    def say(at: int) -> str:
        return texts.bytes_at(at).decode("utf-8", "surrogatepass")

    return Whys(texts.seq, np.arange(len(texts.seq)), say)


def _opinion(told: dict[str, Any], sources: int) -> Opinion:
    shown = tuple(contents.a(int, s) for s in contents.a(list, told["sources"]))
    if not all(0 <= s < sources for s in shown):
        raise Damaged("a source that is not there")
    fits = tuple(contents.texts(told["fits"]))
    return Opinion(
        contents.a(str, told["side"]), shown, contents.a(str, told["group"]), fits, contents.evidence(told["evidence"])
    )


def _tables(found: Container, capture: Capture, told: dict[str, Any]) -> tuple[SequenceTable, StateTable]:
    kinds, names, states = (contents.texts(told[k]) for k in ("kinds", "names", "states"))
    n, steps, members, changes = (contents.a(int, told[k]) for k in ("sequences", "steps", "members", "changes"))
    calls, sources = len(capture), len(capture.sources)
    q, s = SequenceTable(kinds, names), StateTable(states)
    ends = {"start": members + 1, "first_step": steps + 1, "first": calls, "last": calls, "source": sources, "kind": len(kinds),
            "prefix": len(PREFIXES), "outcome": len(OUTCOMES), "step_name": len(names), "step_outcome": len(OUTCOMES),
            "step_first": calls, "step_last": calls, "step_count": members + 1}  # fmt: skip
    for name in (*_OF_SEQUENCES, *_OF_STEPS):
        count = steps if name in _OF_STEPS else n + (name in ("start", "first_step"))
        limits = (0, ends[name]) if name in ends else ()
        setattr(q, name, found.values(f"sequence.{name}", getattr(q, name).dtype, count, *limits))
    q.member = found.values("sequence.member", np.int64, members, 0, calls)
    q.member_step = found.values("sequence.member_step", np.int32, members, -1, steps)
    for column, end in ((q.start, members), (q.first_step, steps)):
        if int(column[0]) or int(column[-1]) != end or bool((np.diff(column) < 0).any()):
            raise Damaged("sequences whose calls or steps overlap")
    if bool((np.diff(q.first) < 0).any()):
        raise Damaged("sequences in another order")
    q.why, q.step_why = (_whys(_texts(found, name), end) for name, end in zip(_WHY, (n, steps), strict=True))
    limits_of = {
        "prefix": (0, len(PREFIXES)),
        "call": (0, calls),
        "frm": (-1, len(states)),
        "to": (0, len(states)),
        "inferred": (0, 2),
    }
    for name in _OF_STATES:
        setattr(s, name, found.values(f"state.{name}", getattr(s, name).dtype, changes, *limits_of.get(name, ())))
    if bool((np.diff(s.call) < 0).any()):
        raise Damaged("states in another order")
    q.ts, q.dur, s.ts = capture.calls.ts, capture.calls.dur, capture.calls.ts
    return q, s
