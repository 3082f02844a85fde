from __future__ import annotations

import numpy as np
import pytest

from rmitrace.lifecycle.whys import Whys, between, moved


def test_a_text_is_made_when_it_is_asked_for() -> None:
    asked: list[int] = []

    def say(which: int) -> str:
        asked.append(which)
        return f"<{which}>"

    whys = Whys(np.array([7, 2, 5]), np.array([70, 20, 50]), say)
    assert (len(whys), list(whys), 5 in whys, 6 in whys, asked) == (3, [2, 5, 7], True, False, [])
    assert (whys[5], whys.get(6, "none"), asked) == ("<50>", "none", [50])
    with pytest.raises(KeyError):
        whys[6]
    assert dict(whys) == {2: "<20>", 5: "<50>", 7: "<70>"}
    assert list(whys.items()) == [(2, "<20>"), (5, "<50>"), (7, "<70>")]
    assert ((5, "<50>") in whys.items(), (5, "<70>") in whys.items(), len(whys.items())) == (True, False, 3)


def test_some_are_put_together_with_other_numbers() -> None:
    one, two = {0: "a", 2: "b"}, Whys(np.array([1]), np.array([9]), str)
    assert dict(moved([(one, np.array([5, 6, 1])), ({}, np.arange(3)), (two, np.array([0, 4]))])) == {1: "b", 4: "9", 5: "a"}
    assert dict(moved([])) == {}


def test_those_of_a_range() -> None:
    whys = Whys(np.array([7, 2, 5]), np.array([70, 20, 50]), str)
    assert between(whys, 2, 7) == {2: "20", 5: "50"}
    assert between(whys, 6, 7) == between(whys, 8, 90) == {}
    assert between({1: "a", 3: "b"}, 1, 4)[3] == "b"
