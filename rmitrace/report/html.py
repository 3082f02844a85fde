"""The report as one HTML file: no script, no picture or style from elsewhere, and a policy that forbids them."""

from __future__ import annotations

import base64
import hashlib
from typing import IO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from .drawing import drawing
from .model import CallItem, Report
from .words import counted, events_in_words

_RUN = 4
"""Calls of one command behind each other that are folded into one line."""


def ticks(text: str) -> Markup:
    """What stands in backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def runs(calls: list[CallItem]) -> list[list[CallItem]]:
    """The calls, those that do the same with success behind each other in one list."""
    out: list[list[CallItem]] = []
    for c in calls:
        last = out[-1][-1] if out else None
        if last is not None and _plain(last) and _plain(c) and last.name == c.name and not (c.logs or c.skipped):
            out[-1].append(c)
        else:
            out.append([c])
    return [part for run in out for part in ([run] if len(run) >= _RUN else [[c] for c in run])]


def _plain(c: CallItem) -> bool:
    return not (c.failed or c.main or c.talks)


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
        runs=runs(report.calls),
    ):
        out.write(part)
