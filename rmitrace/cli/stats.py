"""``rmitrace stats``: calls, errors and latency per command, in the manner of ``strace -c`` with quantiles."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
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


_AT_ONCE = 1 << 17
"""Calls that are counted together."""
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
    found, total = collect(capture, seqs)
    rows = sorted(found, key=SORTS[args.sort])
    {"text": _text, "json": _json, "csv": _csv}[args.format](rows, total, sys.stdout)
    return common.exit_status(capture, args.fail_on)


def collect(capture: Capture, seqs: npt.NDArray[np.int64]) -> tuple[list[Row], Row]:
    """One row a command, and all of them together; unknown function ids one each. Calls are grouped by name, since one name
    may have a 32-bit and a 64-bit function id."""
    import numpy as np

    from ..capture.distinct import distinct
    from ..capture.naming import FID_MASK

    calls, names, statuses = capture.calls, capture.names, ["", *capture.statuses]
    said = np.zeros((len(names), len(statuses)), dtype=np.int64)
    failed = np.zeros(len(names), dtype=np.int64)
    service: dict[int, int] = {}
    fids: dict[int, set[int]] = {}
    timed: list[tuple[Any, Any]] = []
    for part in _parts(capture, seqs):
        name, fid, dur = calls.name[part], calls.fid[part] & np.uint64(FID_MASK), calls.dur[part]
        said += np.bincount(name * len(statuses) + calls.status[part] + 1, minlength=said.size).reshape(said.shape)
        failed += np.bincount(name[calls.failed[part]], minlength=len(names))
        values, which = distinct(fid)
        for pair in np.flatnonzero(np.bincount(which * len(names) + name)).tolist():
            fids.setdefault(pair % len(names), set()).add(int(values[pair // len(names)]))
        present, first = np.unique(name, return_index=True)
        if not service.keys() >= set(present.tolist()):
            of = calls.service[part][first]
            service = dict(zip(present.tolist(), of.tolist(), strict=True)) | service
        timed.append((name[dur >= 0].astype(np.int16 if len(names) < 1 << 15 else np.int32), dur[dur >= 0]))
    name, dur = (np.concatenate([np.zeros(0, dtype=np.int16 if k == 0 else np.int64), *(t[k] for t in timed)]) for k in (0, 1))
    dur = dur[np.argsort(name, kind="stable")]
    ends = np.cumsum(np.bincount(name, minlength=len(names)))
    rows = []
    for i in sorted(service):
        known = fids[i]
        fid_of = next(iter(known)) or None if len(known) == 1 else None
        times = dur[ends[i - 1] if i else 0 : ends[i]]
        rows.append(_row(names[i], capture.services[service[i]], fid_of, said[i], int(failed[i]), statuses, times))
    return rows, _row("total", "", None, said.sum(axis=0), int(failed.sum()), statuses, dur)


def _parts(capture: Capture, seqs: npt.NDArray[np.int64]) -> Iterator[slice | npt.NDArray[np.int64]]:
    """The chosen calls, some at a time."""
    whole = len(seqs) == len(capture)
    for start in range(0, len(seqs), _AT_ONCE):
        yield slice(start, min(start + _AT_ONCE, len(seqs))) if whole else seqs[start : start + _AT_ONCE]


def _row(
    name: str,
    service: str,
    fid: int | None,
    counts: npt.NDArray[np.int64],
    failed: int,
    statuses: list[str],
    dur: npt.NDArray[np.int64],
) -> Row:
    """``counts``: of each status, first of none; ``dur``: the durations that are known, which are put in another order."""
    said = {s: n for s, n in zip(statuses[1:], counts[1:].tolist(), strict=True) if n}
    ranks = [-(-len(dur) * percent // 100) - 1 for percent in (50, 99, 100)]  # nearest rank
    if len(dur):
        dur.partition(sorted(set(ranks)))
    p50, p99, most = (int(dur[k]) if len(dur) else None for k in ranks)
    return Row(
        name=name,
        service=service,
        fid=fid,
        calls=int(counts.sum()),
        failed=failed,
        statuses=dict(sorted(said.items(), key=lambda p: (-p[1], p[0]))),
        timed=len(dur),
        total_ns=int(dur.sum()) if len(dur) else None,
        p50_ns=p50,
        p99_ns=p99,
        max_ns=most,
    )


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
