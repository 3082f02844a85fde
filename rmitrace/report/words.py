"""The picture in words, for those who do not see it; and small sentences that both forms share."""

from __future__ import annotations

from .model import Event, Picture


def counted(counts: dict[str, int]) -> str:
    """'8 errors, 1 warning, 3 notes'."""
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items() if n) or "no findings"


def numbers(e: Event) -> str:
    """'call 12', 'calls 12 to 20'."""
    return f"call {e.seqs[0]}" if e.seqs[0] == e.seqs[1] else f"calls {e.seqs[0]} to {e.seqs[1]}"


def events_in_words(p: Picture) -> list[tuple[str, bool]]:
    """A sentence for each column of the picture, and whether it is the call that the report is about or one that failed."""
    out = []
    step = -1
    spans = {s.first: s for s in p.steps}
    for column, e in enumerate(p.events):
        if e.gap:
            out.append((f"{e.gap} calls are left out here.", False))
            continue
        said = ""
        if column in spans and column != step:
            s = spans[column]
            said = f"Step {s.name}" + (f" ({s.outcome})" if s.outcome != "ok" else "") + ": "
        times = f" {e.count} times" if e.count > 1 else ""
        said += f"{numbers(e)}, {e.name}{times}"
        said += f" returns {e.status}" if e.status else ""
        said += f"; the state is now {e.state}" if e.state else ""
        for request, name in e.talks:
            said += f"; to the device {name}" if request else f"; from the device {name}"
        if e.logs:
            said += f"; before it the log says: {' / '.join(e.logs)}"
        said += "; this is the call that the report is about" if e.main else ""
        out.append((said + ".", e.main or e.failed))
    return out
