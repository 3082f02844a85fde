from __future__ import annotations

import base64
import hashlib
import io
import re
from pathlib import Path

import pytest

from rmitrace.capture import open_capture
from rmitrace.report import Redactor, write
from rmitrace.report.html import ticks
from tests.rmitrace.hostile import Tags, check_html

CAPTURES = Path(__file__).parents[3] / "captures"


@pytest.fixture(scope="module")
def page() -> str:
    out = io.StringIO()
    capture = open_capture([str(CAPTURES / "ftrace" / "pdev-connect.trace.txt"), str(CAPTURES / "mixed" / "rme-uart0.log")])
    write(capture, out, "html", Redactor())
    return out.getvalue()


def test_words_in_backticks_are_code_and_everything_is_escaped() -> None:
    assert ticks("`a<b` of <c>") == "<code>a&lt;b</code> of &lt;c&gt;"
    assert ticks("one ` only <") == "one ` only &lt;"


def test_the_policy_allows_this_style_and_nothing_else(page: str) -> None:
    (style,) = re.findall("<style>(.*)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall('Content-Security-Policy" content="([^"]*)"', page)
    assert policy.replace("&#39;", "'") == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style
    assert "@import" not in style


def test_links_lead_to_what_is_there_and_names_are_unique(page: str) -> None:
    check_html(page)
    tags = Tags(page).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    links = {str(a["href"])[1:] for tag, a in tags if tag == "a"}
    assert links <= set(ids)
    labels = {i for _, a in tags for i in str(a.get("aria-labelledby") or "").split()}
    assert labels <= set(ids)


def test_structure_for_those_who_do_not_see_it(page: str) -> None:
    tags = Tags(page).tags
    names = [tag for tag, _ in tags]
    assert names.count("h1") == names.count("main") == names.count("header") == names.count("footer") == 1
    assert all("scope" in a for tag, a in tags if tag == "th")
    assert names.count("table") == names.count("caption")
    assert dict(tags)["svg"]["role"] == "img"
    assert ("html", {"lang": "en"}) in tags


def test_calls_that_do_the_same_are_folded(page: str) -> None:
    """The 20 delegations between PDEV_CREATE and OP_MEM_DONATE are one line; each is still there."""
    folded = re.findall(r'<details class="run">\n<summary>.*', page)
    assert len(folded) == 1
    assert "11-30" in folded[0]
    assert "20 times <code>RMI_GRANULE_RANGE_DELEGATE</code>" in folded[0]
    assert all(f'id="call-{seq}"' in page for seq in range(11, 31))
