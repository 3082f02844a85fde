"""The registry: every finding that can be made has its rule, and every rule says what a reader wants to know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rmitrace import checks
from rmitrace.capture import open_capture

ROOT = Path(__file__).parents[3]
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")


def ids_in(module: Path) -> set[str]:
    """The first arguments of the calls that make findings."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in ("Finding", "at", "note") and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return {i for i in found if _ID.fullmatch(i) or i == "TSHARK"}


def test_every_finding_has_a_rule() -> None:
    made = {i: m.name for m in (ROOT / "rmitrace").rglob("*.py") for i in ids_in(m)}
    assert len(made) > 45
    assert {i: m for i, m in made.items() if i not in checks.RULES} == {}


def test_no_rule_is_there_twice() -> None:
    ids = [r.id for r in (*checks.reading.RULES, *(r for c in checks.CHECKS for r in c.rules))]
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("rule", checks.RULES.values(), ids=lambda r: r.id)
def test_a_rule_says_what_a_reader_wants_to_know(rule: checks.Rule) -> None:
    assert rule.severity in ("error", "warning", "note")
    assert rule.needs in checks.NEEDS
    for text in (rule.title, rule.why, rule.next, rule.spec):
        assert text.strip() == text
        assert text
        assert not text.endswith((".", ","))
    assert rule.title not in (rule.why, rule.next)


def test_findings_stand_in_the_order_of_their_calls() -> None:
    found = checks.run(open_capture([str(ROOT / "captures/ftrace/pdev-connect.trace.txt")]))
    places = [f.calls[0] for f in found if f.calls]
    assert len(places) > 3
    assert places == sorted(places)


def test_rules_are_chosen_by_pattern() -> None:
    assert checks.matching(["sequence-*"]) == {"SEQUENCE-FAILED"}
    assert {"IDE-ACK", "IDE-ORDER"} < checks.matching(["IDE-*"])
    assert checks.matching(["NOTHING"]) == set()


def test_the_catalogue_is_whole() -> None:
    """8 + 12 + 10 + 28 + 6 + 15 + 15 + 26 things, each with rules that exist, or a reason why there is none."""
    entries = list(checks.catalogue.entries())
    counts = {letter: sum(e.id[0] == letter for e in entries) for letter in checks.catalogue.SUBJECTS}
    assert counts == {"A": 8, "B": 12, "C": 10, "D": 28, "E": 6, "F": 15, "G": 15, "H": 26}
    assert [e.id for e in entries] == [f"{letter}{i}" for letter, n in counts.items() for i in range(1, n + 1)]
    for e in entries:
        assert set(e.rules) <= checks.RULES.keys(), e
        assert e.rules or ": " in e.text, e
