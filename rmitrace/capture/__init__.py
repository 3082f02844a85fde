"""From the files of a capture to records, calls and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import CaptureError, Unrecognised

if TYPE_CHECKING:
    from .call import Call
    from .marks import Mark
    from .model import Calls, Capture
    from .opening import OpenOptions, open_capture, reopen_capture
    from .revision import Revision

__all__ = [
    "Call",
    "Calls",
    "Capture",
    "CaptureError",
    "Mark",
    "OpenOptions",
    "Revision",
    "Unrecognised",
    "open_capture",
    "reopen_capture",
]

_HOME = {
    "Call": "call",
    "Calls": "model",
    "Capture": "model",
    "Mark": "marks",
    "OpenOptions": "opening",
    "Revision": "revision",
    "open_capture": "opening",
    "reopen_capture": "opening",
}


def __getattr__(name: str) -> Any:
    # on first use: the formats import this package's records, and these import the formats
    if name in _HOME:
        from importlib import import_module

        from .freeing import keeping_all

        with keeping_all():
            return getattr(import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
