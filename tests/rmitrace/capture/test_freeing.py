"""Memory goes back to the system where the C library can give it back, and nothing happens where it cannot."""

from __future__ import annotations

import ctypes
import gc
import weakref

import pytest

from rmitrace.capture.freeing import give_back


class Loop:
    """Refers to itself."""

    def __init__(self) -> None:
        self.me = self


def test_what_refers_to_itself_goes_without_a_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())  # one that has no malloc_trim
    gc.disable()
    try:
        gone = weakref.ref(Loop())
        assert gone() is not None
        give_back()
        assert gone() is None
    finally:
        gc.enable()
