"""``rmitrace stats``: calls, errors and latency per command, in the manner of ``strace -c`` with quantiles."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ..display import safe
from . import choosing, common

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..capture import Capture


@dataclass(frozen=True, slots=True)
class Row:
    """One command, or all of them. Times are ns, None where no call has a duration."""

    name: str
    service: str
    fid: int | None
    calls: int
    failed: int
    statuses: dict[str, int]
    timed: int
    total_ns: int | None
    p50_ns: int | None
    p99_ns: int | None
    max_ns: int | None


SORTS: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    "time": lambda r: (-(r.total_ns or 0), -r.calls, r.name),
    "calls": lambda r: (-r.calls, r.name),
    "errors": lambda r: (-r.failed, -r.calls, r.name),
    "p50": lambda r: (-(r.p50_ns or 0), r.name),
    "p99": lambda r: (-(r.p99_ns or 0), r.name),
    "max": lambda r: (-(r.max_ns or 0), r.name),
    "name": lambda r: (r.name,),
}


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "stats",
        help="count calls, errors and latency per command",
        description="Count calls, results and time per command. Times are from entry to exit of the SMC; a call without an exit "
        "counts but has none. Function ids that no table knows have rows of their own.",
        epilog=common.example_text(
            ("rmitrace stats trace.txt", "sorted by total time"),
            ("rmitrace stats --sort errors uart.log", "what fails most"),
            ("rmitrace stats --where \"service = 'RMI'\" trace.txt", "only RMI"),
            ("rmitrace stats --format csv trace.txt > stats.csv", "for a spreadsheet, times in ns"),
            ("rmitrace stats --messages trace.txt", "SPDM messages, and how long the device took to answer"),
        ),
    )
    common.add_capture_options(p)
    choosing.add_options(p)
    p.add_argument(
        "-f",
        "--format",
        choices=("text", "json", "csv"),
        default="text",
        help="text (default), json (one document), or csv; json and csv have times in ns",
    )
    p.add_argument(
        "--messages",
        action="store_true",
        help="count protocol messages; times are from the request to the response",
    )
    p.add_argument("-s", "--sort", choices=tuple(SORTS), default="time", help="order of the rows (default: time, the total)")
    common.add_fail_on(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    capture = common.open_args(args)
    seqs = choosing.select(capture, args)
    if args.messages:
        from . import stats_messages

        stats_messages.write(capture, seqs, args.sort, args.format, sys.stdout)
        return common.exit_status(capture, args.fail_on)
    rows = sorted(collect(capture, seqs), key=SORTS[args.sort])
    total = summary(capture, seqs)
    {"text": _text, "json": _json, "csv": _csv}[args.format](rows, total, sys.stdout)
    return common.exit_status(capture, args.fail_on)


def collect(capture: Capture, seqs: npt.NDArray[np.int64]) -> list[Row]:
    """One row a command; unknown function ids one each. Calls are grouped by name, since one name may have a 32-bit
    and a 64-bit function id."""
    import numpy as np

    if not len(seqs):
        return []
    names = capture.calls.name[seqs]
    order = np.argsort(names, kind="stable")
    starts = np.flatnonzero(np.diff(names[order], prepend=-1))
    return [_row(capture, group, capture.names[capture.calls.name[group[0]]]) for group in np.split(seqs[order], starts[1:])]


def summary(capture: Capture, seqs: npt.NDArray[np.int64]) -> Row:
    """All the calls together."""
    return _row(capture, seqs, "total")


def _row(capture: Capture, group: npt.NDArray[np.int64], name: str) -> Row:
    import numpy as np

    from ..capture.naming import FID_MASK

    calls = capture.calls
    status, counts = np.unique(calls.status[group], return_counts=True)
    said = {capture.statuses[s]: int(n) for s, n in zip(status.tolist(), counts.tolist(), strict=True) if s >= 0}
    dur = np.sort(calls.dur[group])
    dur = dur[np.searchsorted(dur, 0) :]
    fids: list[int] = np.unique(calls.fid[group] & np.uint64(FID_MASK)).tolist() if name != "total" else []
    return Row(
        name=name,
        service=capture.services[calls.service[group[0]]] if name != "total" else "",
        fid=fids[0] or None if len(fids) == 1 else None,
        calls=len(group),
        failed=int(np.count_nonzero(calls.failed[group])),
        statuses=dict(sorted(said.items(), key=lambda p: (-p[1], p[0]))),
        timed=len(dur),
        total_ns=int(dur.sum()) if len(dur) else None,
        p50_ns=_quantile(dur, 50),
        p99_ns=_quantile(dur, 99),
        max_ns=int(dur[-1]) if len(dur) else None,
    )


def _quantile(ordered: npt.NDArray[np.int64], percent: int) -> int | None:
    """Nearest rank: the smallest duration that at least so many per cent of the calls do not exceed."""
    return int(ordered[-(-len(ordered) * percent // 100) - 1]) if len(ordered) else None


def duration(ns: int | None) -> str:
    """A duration for people: three to four digits and a unit."""
    if ns is None:
        return "-"
    for unit, size in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if ns >= size:
            value = ns / size
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{ns}ns"


def _errors(row: Row) -> str:
    return ", ".join(f"{name} {n}" for name, n in row.statuses.items() if n and not name.endswith("SUCCESS"))


def _text(rows: list[Row], total: Row, out: IO[str]) -> None:
    width = max([len(r.name) for r in rows] + [7])
    whole = total.total_ns or 0
    line = f"{{:>6}} {{:>8}} {{:>7}} {{:>7}} {{:>7}} {{:>7}} {{:>7}}  {{:<{width}}}  {{}}".format
    out.write(line("% time", "total", "calls", "errors", "p50", "p99", "max", "command", "results other than success") + "\n")
    for r in [*rows, total]:
        share = f"{100 * r.total_ns / whole:.2f}" if whole and r.total_ns is not None else "-"
        times = [duration(v) for v in (r.p50_ns, r.p99_ns, r.max_ns)]
        errors = _errors(r) if r is not total else ""
        out.write(line(share, duration(r.total_ns), r.calls, r.failed or "", *times, safe(r.name), safe(errors)).rstrip() + "\n")


def _document(r: Row) -> dict[str, Any]:
    return {
        "name": r.name,
        "service": r.service,
        "fid": None if r.fid is None else f"0x{r.fid:x}",
        "calls": r.calls,
        "failed": r.failed,
        "statuses": r.statuses,
        "timed": r.timed,
        "total_ns": r.total_ns,
        "p50_ns": r.p50_ns,
        "p99_ns": r.p99_ns,
        "max_ns": r.max_ns,
    }


def _json(rows: list[Row], total: Row, out: IO[str]) -> None:
    summary = {k: v for k, v in _document(total).items() if k not in ("name", "service", "fid")}
    json.dump({"commands": [_document(r) for r in rows], "total": summary}, out, indent=1)
    out.write("\n")


def _csv(rows: list[Row], total: Row, out: IO[str]) -> None:
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["name", "service", "fid", "calls", "failed", "timed", "total_ns", "p50_ns", "p99_ns", "max_ns", "statuses"])
    for r in rows:
        d = _document(r)
        said = " ".join(f"{safe(k)}={n}" for k, n in r.statuses.items())
        cells = [d[k] for k in ("fid", "calls", "failed", "timed", "total_ns", "p50_ns", "p99_ns", "max_ns")]
        table.writerow([safe(r.name), safe(r.service), *["" if c is None else c for c in cells], said])
