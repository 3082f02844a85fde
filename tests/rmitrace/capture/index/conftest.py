"""The folder that tests of the index keep theirs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture.index import identity, keeper


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no file too small or too new for an index."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RMITRACE_CACHE_LIMIT", raising=False)
    monkeypatch.setattr(keeper, "SMALLEST", 0)
    monkeypatch.setattr(keeper, "_WORTH_LOOKING", 0)
    monkeypatch.setattr(identity, "_SETTLED_NS", -(10**18))
    return tmp_path / "cache" / "rmitrace"
