"""The findings of a report, and what it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import checks, diagnose
from ..answers import of_capture
from ..answers.model import ANSWER, GRAVE
from ..capture.records import Finding
from ..checks.skew import REVISION_SKEW
from . import calls, choose
from .model import Item, Shown, Told, Verdict
from .picture import telling
from .redact import Redactor

if TYPE_CHECKING:
    from ..answers import Answer
    from ..capture.marks import Mark
    from ..capture.model import Capture
    from ..lifecycle.model import Sequence


MAX_ANSWERS = 20
_LONG = 600
"""Characters of an answer that a report begins with."""


def answers(capture: Capture) -> list[tuple[int, Answer]]:
    """What the pasted texts of a capture mean, line by line, the gravest first; each with its source."""
    return sorted(of_capture(capture), key=lambda a: a[1].weight)


def told(capture: Capture, found: list[tuple[int, Answer]], redactor: Redactor) -> list[Told]:
    """Those that are shown."""
    out = []
    for s, a in found[:MAX_ANSWERS]:
        where = f"{capture.sources[s].name}, line {a.line}" if a.line is not None else capture.sources[s].name
        lines = (tuple(redactor.text(line) for line in part) for part in (a.said, a.next))
        out.append(Told(redactor.text(a.about), redactor.text(where), *lines))
    return out


def verdict(
    capture: Capture,
    first: Finding | None,
    main: int | None,
    q: Sequence | None,
    redactor: Redactor,
    there: set[int],
    asked: list[tuple[int, Answer]],
) -> Verdict:
    """What a report begins with: ``first``, the finding, and the call that it is about; where there is no error, what
    was ``asked`` by a text."""
    none = Shown("")
    empty = not len(capture.calls) and not capture.conversations.all
    grave = first is not None and first.severity == "error"
    if asked and not grave and (asked[0][1].weight == GRAVE or (empty and asked[0][1].weight == ANSWER)):
        a = asked[0][1]
        said = "; ".join(line for line in a.said if not line.startswith(" "))[:_LONG]
        return Verdict(False, redactor.text(a.about), None, redactor.text(said), none, (), redactor.text("; ".join(a.next)), none)
    if empty and not grave:
        text = "no call and no message was recognised in what was read"
        return Verdict(False, Shown("Nothing to tell from"), None, Shown(text), none, (), none, none)
    if first is None:
        n = sum(f.severity == "note" for f in capture.findings)
        told = "no rule found an error or a warning in "
        if len(capture.calls):
            told += _count(len(capture.calls), "call")
        else:
            told += _count(len(capture.conversations.all), "message")
        told += f"; {_count(n, 'note')} below" if n else ""
        return Verdict(True, Shown("Nothing wrong found"), None, Shown(told), none, (), none, none)
    rule = checks.RULES.get(first.rule)
    what = rule.title if rule is not None else first.rule
    title = what[:1].upper() + what[1:]
    across = first.rule == REVISION_SKEW.id
    if main is not None and not across:
        about = capture.object_of(main)
        name = capture.name_text(main)
        title = (what if what.startswith(name) else f"{name}: {what}") + (f" ({about})" if about else "")
    within = ""
    if q is not None and q.outcome != "ok":
        step = next((s for s in q.steps if s.outcome == "failed"), None)
        within = f"{q.kind} of {q.object}, {q.outcome}" + (f" at step {step.name}" if step is not None else "")
    return Verdict(
        False,
        redactor.text(title),
        calls.reference(capture, main, redactor, main in there) if main is not None else None,
        redactor.text(first.message),
        redactor.text(_cause(capture, main)),
        tuple(redactor.text(f"{capture.sources[m.source].name}: {m.text.strip()[:300]}") for m in _said(capture, main)),
        redactor.text(rule.next if rule is not None else ""),
        redactor.text(within),
        across,
    )


def _cause(capture: Capture, main: int | None) -> str:
    d = diagnose.why(capture, main) if main is not None and capture.calls.failed[main] else None
    if d is None or not d.verdicts:
        return ""
    struck = sum(v.holds is False for v in d.verdicts)
    counts = f"{_count(len(d.verdicts), 'condition')} of {d.status}: {len(d.held)} held, {struck} struck, {len(d.open)} possible"
    if d.cause is None:
        return counts
    c = d.cause
    return f"{c.condition.when}" + (f" ({c.text})" if c.text else "") + f"; {counts}"


def _said(capture: Capture, main: int | None) -> list[Mark]:
    """The lines of logs that tell of an error, right in front of the main call or in front of the two behind it."""
    if main is None:
        return []
    before = int(capture.calls.source[main])
    return sorted(telling(capture, main, main + 2), key=lambda m: (m.before_call != main, m.source != before))[:3]


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def item(capture: Capture, f: Finding, redactor: Redactor, there: set[int], told: set[int | str]) -> Item:
    """``told``: the calls whose conditions an earlier finding has listed, and the rules whose texts it has given."""
    rule = checks.RULES.get(f.rule)
    known = [c for c in f.calls if 0 <= c < len(capture.calls)]
    where = f"{capture.sources[f.source].name}, byte {f.offset}" if f.source >= 0 and f.offset >= 0 else ""
    explained = f.severity != "note" and bool(known) and bool(capture.calls.failed[known[0]]) and known[0] not in told
    told.update(known[:1] if explained else ())
    again = f.rule in told
    told.add(f.rule)
    return Item(
        redactor.text(f.rule),
        f.severity if f.severity in choose.RANK else "note",
        redactor.text(f.message),
        redactor.text(f.object or ""),
        redactor.text(where),
        tuple(calls.reference(capture, c, redactor, c in there) for c in known[:4]),
        max(0, len(known) - 4),
        calls.why(capture, known[0], redactor) if explained else None,
        Shown(rule.title if rule is not None else ""),
        Shown("" if rule is None or again else rule.why),
        Shown("" if rule is None or again else rule.next),
        Shown("") if again else redactor.text(f.spec or (rule.spec if rule is not None else "")),
    )
