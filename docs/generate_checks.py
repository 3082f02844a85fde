"""Write docs/checks.md from the rules in rmitrace/checks/: ``python docs/generate_checks.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rmitrace import checks
from rmitrace.checks import catalogue
from rmitrace.checks.rule import NEEDS, Rule

PAGE = Path(__file__).parent / "checks.md"
HEAD = """\
# Checks

Made from the rules in `rmitrace/checks/` by `docs/generate_checks.py`; not edited by hand.

`rmitrace check CAPTURE...` prints the findings of these rules, `rmitrace decode` has them at its end and in its JSON.
The severity is the gravest that a rule's findings have: most rules also say things that are only worth a note.
"""


_CATALOGUE = """\
120 ways in which a device's life can go wrong, from the failure conditions and state machines of DEN0137 and from what
TF-RMM and the kernel do, with the rule that finds each.
"""


def described(rules: Iterable[Rule]) -> Iterator[str]:
    """The rules, each with its reasons."""
    for r in rules:
        yield f"### {r.id}"
        yield ""
        yield f"**{r.severity}**: {r.title}. Told from {NEEDS[r.needs]}."
        yield ""
        yield f"- Why: {r.why}."
        yield f"- Next: {r.next}."
        yield f"- Source: {r.spec}."
        yield ""


def page() -> str:
    """The whole document."""
    lines = [HEAD, "## Rules", ""]
    lines += ["| rule | severity | what is seen |", "|---|---|---|"]
    lines += [f"| [`{r.id}`](#{r.id.lower()}) | {r.severity} | {r.title} |" for r in checks.RULES.values()]
    lines += ["", "## What a trace can show", "", _CATALOGUE]
    for letter, subject in catalogue.SUBJECTS.items():
        lines += [f"### {subject}", "", "| | what is seen | rule |", "|---|---|---|"]
        lines += [
            f"| {e.id} | {e.text} | {', '.join(f'[`{r}`](#{r.lower()})' for r in e.rules) or 'none can'} |"
            for e in catalogue.entries()
            if e.id.startswith(letter)
        ]
        lines.append("")
    lines += ["## Reasons", "", *described(checks.RULES.values())]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.name}: {len(checks.RULES)} rules\n")


if __name__ == "__main__":
    main()
