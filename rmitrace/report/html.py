"""The report as one HTML file: no script, no picture or style from elsewhere, and a policy that forbids them."""

from __future__ import annotations

import base64
import hashlib
from typing import IO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from .drawing import drawing
from .model import Report
from .words import counted, events_in_words


def ticks(text: str) -> Markup:
    """What stands in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def write(report: Report, out: IO[str]) -> None:
    """Write the page."""
    env = Environment(
        loader=PackageLoader("rmitrace.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["ticks"] = ticks
    style = Markup(env.get_template("report.css").render())  # a file of this package, with nothing put in
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = env.get_template("report.html")
    for part in page.generate(
        report=report,
        style=style,
        style_hash=digest,
        drawing=drawing(report.picture) if report.picture is not None else None,
        words=events_in_words(report.picture) if report.picture is not None else [],
        counts=counted(report.counts),
    ):
        out.write(part)
