from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from rmitrace.report.markdown import fenced, span

TRICKS = ("a`b", "``", "`", " ` ", "```\n# x", "~~~", "x\\", "\\`", "a ``` b ```` c", "<b>", "](x)", "")


@pytest.mark.parametrize("text", TRICKS)
def test_nothing_leaves_a_code_span(text: str) -> None:
    inline = MarkdownIt("commonmark").parse(f"before {span(text)} after")[1].children or []
    assert [t.type for t in inline] == ["text", "code_inline", "text"]
    assert inline[1].content.strip() == (text.replace("\n", " ").strip() or "-")


@pytest.mark.parametrize("text", TRICKS)
def test_nothing_leaves_a_block(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse("\n".join(fenced([text, "last"])) + "\n\nbehind\n")
    assert [t.type for t in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.endswith("last\n")
