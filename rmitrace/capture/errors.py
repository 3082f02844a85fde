"""What can go wrong before there is anything to show."""

from __future__ import annotations


class CaptureError(Exception):
    """The user's mistake or input nobody can read; the message is one line, unescaped."""
