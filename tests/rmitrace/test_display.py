"""No character that acts on a terminal survives."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from rmitrace.display import safe


def test_escape_sequences_become_pictures():
    assert safe("\x1b]0;title\x07") == "\u241b]0;title\u2407"
    assert safe("a\tb\r\n\x7f\x00") == "a\u2409b\u240d\u240a\u2421\u2400"


def test_c1_bidi_zero_width_and_bytes_that_were_no_text():
    assert safe("\x9b2J") == "\\x9b2J"
    assert safe("\u202egnp.exe") == "\\u{202e}gnp.exe"
    assert safe("a\u200bb\ufeff") == "a\\u{200b}b\\u{feff}"
    assert safe(b"\xff\xfe".decode("utf-8", "surrogateescape")) == "\\xff\\xfe"


def test_other_scripts_are_left_alone():
    assert safe("Gerät 设备 é") == "Gerät 设备 é"


@given(st.text(alphabet=st.characters()))
def test_nothing_that_controls_is_left(text: str):
    for c in safe(text):
        assert unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp")
        assert unicodedata.bidirectional(c) not in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
