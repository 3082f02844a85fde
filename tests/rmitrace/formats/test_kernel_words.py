"""Names found by their bytes, and words found anywhere in a line."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rmitrace.formats.kernel_steps import SLACK
from rmitrace.formats.kernel_words import SLOTS, Words, automaton, find_word, hit_from, slot_of, token_end


def find(words: Words, text: bytes) -> int:
    with np.errstate(over="ignore"):
        return int(find_word(b" " + text + b" " * SLACK, 1, 1 + len(text), *words.arrays()))


def test_names_have_numbers() -> None:
    words = Words(200)
    names = [b"e" * n for n in range(1, 100)] + [b"abcdefgh%d" % n for n in range(100)]
    assert [words.add(n) for n in names] == list(range(199))
    assert [words.add(n) for n in names] == list(range(199))
    assert [find(words, n) for n in names] == list(range(199))
    assert find(words, b"abcdefgh100") == -1
    assert find(Words(1), b"a") == -1


def test_a_full_table_takes_no_more() -> None:
    words = Words(2)
    assert [words.add(n) for n in (b"a", b"b", b"c")] == [0, 1, -1]
    assert find(words, b"c") == -1


def test_names_with_one_slot() -> None:
    """A name that differs in the middle alone always has the slot of the other."""
    a, b = b"enter_aaaaxxxxxxxx" + b"y" * 8, b"enter_aaabxxxxxxxx" + b"y" * 8
    a, b = a[:8] + b"1" + a[9:], a[:8] + b"2" + a[9:]
    ends = [int.from_bytes(n[part], "little") for n in (a, b) for part in (slice(8), slice(-8, None))]
    with np.errstate(over="ignore"):
        slots = [int(slot_of(np.uint64(ends[i]), np.uint64(ends[i + 1]), len(a))) for i in (0, 2)]
    assert slots[0] == slots[1] < SLOTS
    words = Words(4)
    assert [words.add(n) for n in (a, b, a, b)] == [0, 1, 0, 1]
    assert [find(words, n) for n in (a, b)] == [0, 1]


@pytest.mark.parametrize("end", [b" ", b"\n", b"\t", b"\0"])
def test_token_end(end: bytes) -> None:
    with np.errstate(over="ignore"):
        for size in range(70):
            assert token_end(b"x\xff" * 35 + end * SLACK, 70 - size, 64) == (70 if size <= 64 else -1)


@pytest.mark.parametrize("seed", range(20))
def test_any_of_some_words_is_found_where_it_ends(seed: int) -> None:
    rng = random.Random(seed)
    words = [bytes(rng.choice(b"abc") for _ in range(rng.randint(1, 5))) for _ in range(rng.randint(1, 6))]
    table = automaton(words)
    for _ in range(50):
        line = bytes(rng.choice(b"abcd") for _ in range(rng.randint(0, 20)))
        ends = [line.find(w) + len(w) - 1 for w in words if w in line]
        assert hit_from(line + b"\n", 0, table) == min(ends, default=len(line))


@pytest.mark.parametrize("seed", range(20))
def test_a_weak_word_counts_with_one_of_the_context(seed: int) -> None:
    rng = random.Random(seed)
    strong, weak, context = ([bytes(rng.choice(b"abc") for _ in range(rng.randint(1, 4))) for _ in range(2)] for _ in range(3))
    table = automaton(strong, weak, context)
    for _ in range(100):
        line = bytes(rng.choice(b"abcd") for _ in range(rng.randint(0, 12)))
        first = []
        for some in (strong, weak, context):
            ends = [i for i in range(1, len(line) + 1) if line[:i].endswith(tuple(some))]
            first.append(min(ends, default=99))
        at = min(first[0], max(first[1:]))
        assert hit_from(line + b"\n", 0, table) == (at - 1 if at <= len(line) else len(line))
