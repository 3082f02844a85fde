"""What can go wrong before there is anything to show."""

from __future__ import annotations

from typing import Any


class CaptureError(Exception):
    """The user's mistake or input nobody can read; the message is one line, unescaped."""


class Unrecognised(CaptureError):
    """No format knows it. ``data``: the bytes."""

    def __init__(self, message: str, data: Any = b"") -> None:
        super().__init__(message)
        self.data = data
