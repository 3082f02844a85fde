"""Captures that try to act on whoever looks at them: a canary in every field that a text of theirs can have."""

from __future__ import annotations

import json
import lzma
import random
import re
from html.parser import HTMLParser
from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "captures"

CANARIES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<a href='javascript:alert(1)'>x</a>",
    "</style></title></pre></code></textarea>",
    "<!--",
    "]]>",
    "{{7*7}}{%x%}",
    "[x](javascript:alert(1))",
    "![x](http://canary.invalid/x.png)",
    "http://canary.invalid/",
    "www.canary.invalid",
    "<http://canary.invalid>",
    "@canary",
    "#1234",
    "`x` ``y`` ```z~~~",
    "|a|b|",
    "**x**__y__",
    "&lt;b&gt;&#60;",
    "[red]x[/bad]",
    "\x1b[2J\x1b[31m",
    "\x1b]0;canary\x07",
    "\x1b]8;;http://canary.invalid\x1b\\x\x1b]8;;\x1b\\",
    "\x1b]52;c;Y2FuYXJ5\x07",
    "\x9b31m\x90x\x9c",
    "\u202egnp.exe\u2066",
    "\u200b\u2028\ufeff",
    "\x00\x08\x7f",
    "%s%n",
)
"""Markup, links, mentions, terminal escapes, bidi and zero-width controls, NUL."""
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Characters that act on a terminal or reorder a line; line feed and tab are the writers' own."""

NAME = "a\x1b[31m\u202e<img src=x onerror=alert(1)>`@canary` [x](javascript:x)\x9b.txt"
"""A file name; it may hold anything but a slash and NUL."""


def _words(data: bytes, seed: str, share: float) -> bytes:
    """Canaries in the place of words, and between them, at so many of the words."""
    rng = random.Random(seed)

    def put(m: re.Match[bytes]) -> bytes:
        if rng.random() > share:
            return m[0]
        canary = rng.choice(CANARIES).encode("utf-8", "surrogatepass")
        return canary if rng.random() < 0.4 else m[0] + b" " + canary

    return re.sub(rb"[A-Za-z_]{3,}", put, data)


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return lzma.LZMADecompressor().decompress(data) if path.suffix == ".xz" else data


def poisoned(path: Path, most: int = 40_000) -> bytes:
    """A text capture with canaries in it: few, so that it is still read; in each line of another kind."""
    return _words(unpacked(path)[:most], path.name, 0.03)


def trace() -> bytes:
    """An ftrace in which everything that is free text is a canary: task, function, module, marker."""
    lines = ["# tracer: nop", "#"]
    for i, c in enumerate(CANARIES):
        comm = c.replace(" ", "").replace("/", "")[:15] or "x"
        at = 100 + i
        pid = 300 + i
        call = f"a0=0xc4000178 a1=0x{0x88001000 + (i << 12):x} a2=0x0 a3=0x0"
        head = f"{comm:>16}-{pid}    [000] d.... "
        lines += [
            f"{head} {at}.000000: smc_enter: (f{c}+0x0/0x30 [m{c}]) {call}",
            f"{head} {at}.000010: smc_exit: (g{c}+0x0/0x30 <- f{c}) a0=0x{i % 4:x} a1=0x3 a2=0x0 a3=0x0",
            f"{head} {at}.000020: tracing_mark_write: error: {c}",
        ]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def console() -> bytes:
    """An RMM's log: a connect that fails, and canaries in the lines between the rows."""
    lines = []
    for i, c in enumerate(CANARIES):
        lines += [
            f"SMC_RMI_PDEV_COMMUNICATE          {0x88001000 + (i << 12):x} 88002000 > RMI_SUCCESS",
            f"error: {c}",
            f"[ERROR]\t{c}: failed",
            f"SMC_RMI_PDEV_GET_STATE            {0x88001000 + (i << 12):x} > RMI_SUCCESS 5",
            f"SMC_RMI_PDEV_STOP                 {0x88001000 + (i << 12):x} > RMI_ERROR_DEVICE",
            f"ASSERT: {c}:77",
        ]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def uart() -> bytes:
    """A UART whose line about the session that failed, which findings quote, is canaries and bytes that are not UTF-8."""
    said = "".join(
        ("[x](javascript:alert(1))", "<script>alert(1)</script>", "\x1b[2J\u202e\x9b", "`@canary`", "&lt;b&gt;", "]]>")
    )
    data = (CAPTURES / "mixed" / "rme-uart0.log").read_bytes()
    line = b"Creating secure session failed with status 0x80040001"
    assert line in data
    return data.replace(line, line + b" " + said.encode() + b"\xff\xc3\xed\xa0\x80")


def emulator_run() -> bytes:
    """Calls with memory, as JSON, with canaries in every string that is no number."""
    out = []
    rows = unpacked(CAPTURES / "rmm" / "tf-rmm-head-corrupt5.calls.jsonl.xz").splitlines()
    for i, line in enumerate(rows):
        row = json.loads(line)
        row["log"] = f"{row.get('log', '')}error: {CANARIES[i % len(CANARIES)]}\n"
        row[CANARIES[(i + 3) % len(CANARIES)]] = CANARIES[(i + 5) % len(CANARIES)]
        out.append(json.dumps(row, ensure_ascii=i % 2 == 0))
    return ("\n".join(out) + "\n").encode("utf-8", "surrogatepass")


def conversation() -> bytes:
    """Packets whose certificates are in the name of canaries of the same length, so that they still parse."""
    data = (CAPTURES / "spdm" / "doe_v12_measall.pcap").read_bytes()
    for name, canary in (
        (b"DMTF libspdm ECP384 CA", b"<script>alert(1)\x1b[2J\x9b"),
        (b"DMTF libspdm ECP384 responder cert", b"<img src=x onerror=alert(1)>\x1b]0;x\x07"),
        (b"ACME:WIDGET:12345678900", b"[x](javascript:alert(1)"),
    ):
        assert len(name) == len(canary) or name in data
        data = data.replace(name, canary.ljust(len(name), b"`")[: len(name)])
    return data


class Tags(HTMLParser):
    """The tags and attributes of a page, as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_comment(self, data: str) -> None:
        self.tags.append((f"<!--{data}-->", {}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


HTML_TAGS = frozenset((
    "html", "head", "meta", "title", "style", "body", "a", "div", "header", "p", "h1", "h2", "h3", "ul", "ol",
    "li", "nav", "dl", "dt", "dd", "main", "section", "article", "details", "summary", "table", "caption", "thead",
    "tbody", "tr", "th", "td", "code", "pre", "span", "b", "strong", "footer", "svg", "desc", "g", "path", "rect",
    "circle", "text",
))  # fmt: skip
"""What a report is made of."""


def check_html(page: str) -> None:
    """Nothing in a page is alive but what the report itself puts there."""
    assert not ACTS.search(page)
    found = Tags(page)
    for tag, attrs in found.tags:
        assert tag in HTML_TAGS, tag
        for name, value in attrs.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "style", "srcset", "action", "formaction", "background", "poster"), (tag, name)
            if name in ("href", "xlink:href"):
                assert value is not None
                assert value.startswith("#"), value


def check_markdown(text: str) -> None:
    """No tag, link, picture, address or mention in what is left of it outside code."""
    from markdown_it import MarkdownIt

    assert not ACTS.search(text)
    md = MarkdownIt("gfm-like", {"linkify": True, "html": True})
    prose = []
    for token in md.parse(text):
        assert token.type not in ("html_block", "table_open"), token.content
        for child in token.children or ():
            assert child.type not in ("html_inline", "link_open", "image"), child
            if child.type == "text":
                prose.append(child.content)
    assert not re.search(r"@\w|#\d|canary|alert", " ".join(prose))
