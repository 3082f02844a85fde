"""``rmitrace check``: what went wrong in a capture, by rule, with the reasons; for people, scripts and CI."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

from ..display import safe
from . import common

if TYPE_CHECKING:
    from ..capture import Capture
    from ..checks.suppress import Sifted, Suppression

_RANK = {"note": 1, "warning": 2, "error": 3}


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "check",
        help="say what went wrong, by rule, with the reasons",
        description="Hold a capture against the rules of docs/checks.md: each finding says what was seen, which calls show it, "
        "why it is wrong, what to look at next and where that stands. For a call that failed, the conditions of its status are "
        "listed: + holds, - is struck by the trace, ? is left open.",
        epilog=common.example_text(
            ("rmitrace check trace.txt uart.log", "what went wrong in a run"),
            ("rmitrace check --call 56 trace.txt", "why one call failed, condition by condition"),
            ("rmitrace check --rule 'COMM-*' --rule 'KEY-*' trace.txt", "some rules only"),
            ("rmitrace check --fail-on error --format junit trace.txt > report.xml", "in CI"),
            ("rmitrace check --suppress known.toml trace.txt", "without what is known"),
            ("rmitrace check --explain SEQUENCE-FAILED", "what a rule means"),
        ),
    )
    common.add_capture_options(p, optional=True)
    what = p.add_argument_group("what is shown")
    what.add_argument("--rule", action="append", default=[], metavar="GLOB", help="only rules with such an id; may be repeated")
    what.add_argument(
        "--severity", choices=tuple(_RANK), default="note", help="only findings at least this severe (default: note, all)"
    )
    what.add_argument("--call", type=int, metavar="SEQ", help="one call: why it failed, and what was found about it")
    what.add_argument(
        "--suppress",
        action="append",
        default=[],
        metavar="FILE",
        help="TOML file of findings that are known, each with a reason (see docs/guide.md); may be repeated",
    )
    what.add_argument("--show-suppressed", action="store_true", help="show those too, with their reasons")
    what.add_argument(
        "-f",
        "--format",
        choices=("text", "json", "sarif", "junit"),
        default="text",
        help="text (default); json: one object a line; sarif: SARIF 2.1.0; junit: JUnit XML",
    )
    common.add_fail_on(p)
    about = p.add_argument_group("about the rules (without a capture)")
    about.add_argument("--list", action="store_true", help="list the rules")
    about.add_argument("--explain", metavar="RULE", help="explain a rule, or all that a glob names")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check the capture onto stdout."""
    from .. import checks

    if args.list or args.explain is not None:
        return _about(args.rule if args.list else [args.explain], args.list, sys.stdout)
    if not args.capture:
        raise common.UserError("no capture given (--list and --explain RULE need none)")
    chosen = _chosen(args.rule)
    entries = _suppressions(args.suppress)
    capture = common.open_args(args)
    if args.call is not None:
        return _one_call(capture, args.call, args.format)
    findings = capture.findings if not args.rule else checks.chosen(capture, chosen)
    found = _sifted(capture, [f for f in findings if _RANK.get(f.severity, 3) >= _RANK[args.severity]], entries)
    _write(capture, found, args, chosen)
    if args.fail_on is not None and any(_RANK.get(f.severity, 0) >= _RANK[args.fail_on] for f in found.shown):
        return 1
    return 3 if capture.damaged else 0


def _chosen(patterns: list[str]) -> set[str]:
    from .. import checks

    for pattern in patterns:
        if not checks.matching([pattern]):
            raise common.UserError(f"no rule {pattern} (see rmitrace check --list)")
    return checks.matching(patterns) if patterns else set(checks.RULES)


def _suppressions(paths: list[str]) -> list[Suppression]:
    from ..checks.suppress import read

    try:
        return [e for p in paths for e in read(p)]
    except ValueError as e:
        raise common.UserError(f"--suppress {e}") from e


def _sifted(capture: Capture, findings: list[Any], entries: list[Suppression]) -> Sifted:
    from ..checks.suppress import sift

    return sift(capture, findings, entries)


def _write(capture: Capture, found: Sifted, args: argparse.Namespace, chosen: set[str]) -> None:
    out = sys.stdout
    if args.format == "text":
        from ..export import findings

        findings.write(capture, found, out, common.text_width(out), suppressed=args.show_suppressed)
    elif args.format == "junit":
        from ..export import junit

        junit.write(capture, found, out, args.fail_on, chosen)
    else:
        import_module(f"rmitrace.export.{ {'json': 'findings_jsonl', 'sarif': 'sarif'}[args.format] }").write(capture, found, out)


def _one_call(capture: Capture, seq: int, form: str) -> int:
    if not 0 <= seq < len(capture.calls):
        raise common.UserError(f"--call {seq}: calls go from 0 to {len(capture.calls) - 1}")
    if form == "json":
        from ..export import jsonl_calls

        json.dump(jsonl_calls.call_object(capture, seq), sys.stdout)
        sys.stdout.write("\n")
    elif form == "text":
        from ..export import findings

        findings.write_call(capture, seq, sys.stdout, common.text_width(sys.stdout))
    else:
        raise common.UserError(f"--call is shown as text or json, not as {form}")
    return 0


def _about(patterns: list[str], short: bool, out: IO[str]) -> int:
    """The list of the rules, or what some of them mean."""
    from .. import checks

    ids = _chosen(patterns)
    rules = [r for r in checks.RULES.values() if r.id in ids]
    width = max(len(r.id) for r in rules)
    for i, r in enumerate(rules):
        if short:
            out.write(f"{r.id:<{width}}  {r.severity:<7}  {safe(r.title)}\n")
            continue
        out.write("\n" if i else "")
        out.write(f"{r.id} ({r.severity}): {r.title}\n")
        for name, text in (("why", r.why), ("next", r.next), ("source", r.spec), ("told from", checks.NEEDS[r.needs])):
            out.write(f"  {name}: {text}\n")
    return 0
