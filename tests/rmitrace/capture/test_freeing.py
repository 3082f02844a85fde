"""Memory goes back to the system where the C library can give it back, and nothing happens where it cannot."""

from __future__ import annotations

import ctypes
import gc
import resource
import weakref

import pytest

from rmitrace.capture.freeing import give_back, need


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


def test_memory_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    need(1 << 20, "a page")
    with pytest.raises(MemoryError, match=r"^a page may need 1,048,576 MiB"):
        need(1 << 40, "a page")
    monkeypatch.setattr("rmitrace.capture.freeing._available", lambda: None)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, before[1]))
    try:
        with pytest.raises(MemoryError):
            need(65 << 20, "a page")
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
