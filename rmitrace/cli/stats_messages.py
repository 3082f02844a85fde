"""``rmitrace stats --messages``: how often each protocol message came, what was refused, and how long the device took."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from ..display import safe

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..capture import Capture
    from ..capture.messages.statistics import Row

SORTS: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    "time": lambda r: (r.direction == "response", -r.count, r.name),
    "calls": lambda r: (-r.count, r.name),
    "errors": lambda r: (-r.errors, -r.count, r.name),
    "p50": lambda r: (-(r.p50_ns or 0), r.name),
    "p99": lambda r: (-(r.p99_ns or 0), r.name),
    "max": lambda r: (-(r.max_ns or 0), r.name),
    "name": lambda r: (r.name,),
}


def write(capture: Capture, seqs: npt.NDArray[np.int64], sort: str, form: str, out: IO[str]) -> None:
    """The table. Where calls were chosen (``seqs``), only their messages count."""
    from ..capture.messages.statistics import rows

    conversations = capture.conversations
    chosen = conversations.all
    if len(seqs) < len(capture.calls):
        wanted = set(seqs.tolist())
        chosen = [m for m in chosen if m.place.call in wanted]
    found = sorted(rows(conversations, chosen), key=SORTS[sort])
    if form == "json":
        json.dump({"messages": [asdict(r) for r in found]}, out, indent=1)
        out.write("\n")
    elif form == "csv":
        table = csv.writer(out, lineterminator="\n")
        names = ("name", "direction", "count", "errors", "unanswered", "timed", "p50_ns", "p99_ns", "max_ns")
        table.writerow(names)
        for r in found:
            cells = [getattr(r, n) for n in names]
            table.writerow([safe(c) if isinstance(c, str) else "" if c is None else c for c in cells])
    else:
        _text(found, out)


def _text(found: list[Row], out: IO[str]) -> None:
    from .stats import duration

    line = "{:>8} {:>7} {:>10} {:>7} {:>7} {:>7}  {}".format
    out.write(line("messages", "errors", "unanswered", "p50", "p99", "max", "message") + "\n")
    for r in found:
        times = [duration(v) for v in (r.p50_ns, r.p99_ns, r.max_ns)]
        arrow = "->" if r.direction == "request" else "<-"
        out.write(line(r.count, r.errors or "", r.unanswered or "", *times, f"{arrow} {safe(r.name)}") + "\n")
