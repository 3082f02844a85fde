"""The folder of the index files: where it is, and what goes when it is full."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rmitrace.capture.index import container, folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("RMITRACE_CACHE_LIMIT", raising=False)
    made = folder.prepare()
    assert made == str(tmp_path / "rmitrace")
    return tmp_path / "rmitrace"


def index(cache: Path, name: str, used: int) -> Path:
    path = cache / f"{name}.index"
    container.write(str(path), name, None, {"c": np.zeros(1000, dtype=np.uint8)})
    os.utime(path, (used, used))
    return path


def test_a_relative_place_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """XDG Base Directory Specification: all paths must be absolute, others are to be ignored."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "cache", "./cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert folder.path() == str(tmp_path / ".cache" / "rmitrace")


def test_the_folder_is_private(cache: Path) -> None:
    assert cache.stat().st_mode & 0o777 == 0o700
    cache.chmod(0o770)
    assert folder.prepare() is None


def test_a_folder_that_cannot_be_made_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert folder.prepare() is None
    assert folder.entries() == []
    assert not folder.has_room(1)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("512M", 512 << 20),
        ("20G", 20 << 30),
        ("3GiB", 3 << 30),
        ("1kb", 1024),
        ("", folder.LIMIT),
        ("much", folder.LIMIT),
        ("-1", folder.LIMIT),
    ],
)
def test_limit(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("RMITRACE_CACHE_LIMIT", text)
    assert folder.limit() == size


def test_what_was_not_used_for_longest_goes_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c, d = (index(cache, n, t) for n, t in (("a", 100), ("b", 300), ("c", 200), ("d", 50)))
    size = a.stat().st_size
    assert [e.path for e in folder.entries()] == [str(p) for p in (b, c, a, d)]
    monkeypatch.setenv("RMITRACE_CACHE_LIMIT", str(2 * size + 1))
    folder.evict(str(d))  # just written
    assert sorted(p.name for p in cache.iterdir()) == ["b.index", "d.index"]


def test_reading_counts_as_use(cache: Path) -> None:
    a, b = index(cache, "a", 100), index(cache, "b", 200)
    folder.used(str(a))
    assert [e.path for e in folder.entries()] == [str(a), str(b)]


def test_what_was_never_finished_goes_when_it_is_old(cache: Path) -> None:
    old, new = cache / ".writing-old", cache / ".writing-new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (1, 1))
    folder.evict("")
    assert sorted(p.name for p in cache.iterdir()) == [".writing-new"]


def test_clear_removes_indexes_and_nothing_else(cache: Path) -> None:
    size = sum(index(cache, n, 1).stat().st_size for n in "ab")
    (cache / "notes.txt").write_text("mine")
    (cache / ".writing-x").write_text("")
    assert folder.clear() == (2, size)
    assert [p.name for p in cache.iterdir()] == ["notes.txt"]


def test_no_room_where_the_disk_is_full(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.has_room(1 << 10)
    monkeypatch.setenv("RMITRACE_CACHE_LIMIT", "1K")
    assert not folder.has_room(1025)
    monkeypatch.delenv("RMITRACE_CACHE_LIMIT")
    free = folder.shutil.disk_usage(cache).free
    assert folder.has_room(free // 4) is (free // 4 <= folder.LIMIT)
    monkeypatch.setenv("RMITRACE_CACHE_LIMIT", "999T")
    assert not folder.has_room(free)


def test_an_entry_that_is_no_index_has_no_key(cache: Path) -> None:
    (cache / "x.index").write_text("not one")
    assert [e.key() for e in folder.entries()] == [None]
