"""Every rule: a run that fires it, and one that does not."""

from __future__ import annotations

import pytest

from rmitrace import checks
from tests.rmitrace.checks.cases import communicate, course, devices, memory, streams, vdevs
from tests.rmitrace.checks.cases.run import Case

FAMILIES = (communicate, memory, devices, vdevs, streams, course)
CASES: dict[str, Case] = {rule: case for family in FAMILIES for rule, case in family.CASES.items()}


@pytest.mark.parametrize("rule", CASES)
def test_fires(rule: str, tmp_path) -> None:
    assert rule in CASES[rule].fires().rules(tmp_path)


@pytest.mark.parametrize("rule", CASES)
def test_is_silent(rule: str, tmp_path) -> None:
    assert rule not in CASES[rule].silent().rules(tmp_path)


def test_no_rule_has_two_cases() -> None:
    assert len(CASES) == sum(len(family.CASES) for family in FAMILIES)
    assert set(CASES) <= checks.RULES.keys()
