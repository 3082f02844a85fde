"""A report of a capture to attach to a bug: one HTML file that needs nothing else, or Markdown to paste.

    write(capture, out, format, redactor)

capture -> model (everything redacted and made safe: ``Redactor``) -> a page. What is left out because a report has to stay
small is said in it.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from .redact import DEFAULT, KINDS, Redactor, kinds_of

if TYPE_CHECKING:
    from ..capture.model import Capture

__all__ = ["DEFAULT", "FORMATS", "KINDS", "Redactor", "kinds_of", "write"]

FORMATS = ("html", "markdown")


def write(capture: Capture, out: IO[str], format: str, redactor: Redactor) -> None:
    """Write the report in one of FORMATS."""
    from .build import build

    report = build(capture, redactor)
    if format == "markdown":
        from . import markdown

        markdown.write(report, out)
    else:
        from . import html

        html.write(report, out)
