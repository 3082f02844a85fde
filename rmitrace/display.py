"""The one place where text from a capture becomes text for a screen, a page or a file."""

from __future__ import annotations

import re

# C0, DEL, C1, line and paragraph separators, zero-width and bidi controls, tags, lone surrogates, BOM, soft hyphen
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, kept by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


def safe(text: str) -> str:
    """The text with every character that could act on a terminal or reorder a line made a visible picture.

    Nothing is dropped: C0 and DEL become their Unicode control pictures, the rest ``\\x9b`` or ``\\u{202e}``.
    """
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_picture, text)


def count(n: int, word: str) -> str:
    """'1 call', '1,234 calls'."""
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"
