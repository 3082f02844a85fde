"""Where compiled code is kept, when it is worth its price, and pieces of a source in order."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from rmitrace.formats import kernels


def add(a: Any, b: Any) -> Any:
    return a + step(b)


def step(b: Any) -> Any:
    return b * 2


STEPS = (step,)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rmitrace" / "kernels"


def anew(function: Any = add) -> Any:
    return kernels.compiled.__wrapped__(function, STEPS)


def test_kept_in_the_cache_folder(cache: Path) -> None:
    assert anew()(1, 2) == 5
    assert {p.name.partition("-")[0] + p.suffix for p in cache.glob("*/*")} - {"add.so"} == {"add.code"}


def test_code_that_is_there_is_repaid_sooner(cache: Path) -> None:
    small, big = kernels.LOAD_FROM, kernels.COMPILE_FROM
    assert [kernels.repaid(n, add, STEPS) for n in (small - 1, small, big - 1, big)] == [False, False, False, True]
    anew()(1, 2)
    assert [kernels.repaid(n, add, STEPS) for n in (small - 1, small, big - 1, big)] == [False, True, True, True]


def test_another_version_of_a_step_is_another_code(cache: Path, tmp_path: Path) -> None:
    anew()(1, 2)
    (tmp_path / "other.py").write_text("def step(b):\n    return b\n")
    files = (str(tmp_path / "other.py"),)
    before = kernels._digest.__wrapped__(files)
    (tmp_path / "other.py").write_text("def step(b):\n    return b * 3\n")
    assert kernels._digest.__wrapped__(files) != before


def test_only_the_newest_versions_are_kept(cache: Path) -> None:
    for i in range(40):
        (cache / f"old{i}").mkdir(parents=True)
    anew()(1, 2)
    assert len(list(cache.iterdir())) == kernels._KEPT


def test_without_a_place_for_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compiled for this run alone."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert not kernels.repaid(kernels.LOAD_FROM, add, STEPS)
    assert anew()(1, 2) == 5


def test_code_where_others_may_write_is_not_run(cache: Path) -> None:
    anew()(1, 2)
    (place,) = cache.iterdir()
    place.chmod(0o777)
    before = sorted(place.rglob("*"))
    assert not kernels.repaid(kernels.LOAD_FROM, add, STEPS)
    assert anew()(1, 2) == 5
    assert sorted(place.rglob("*")) == before
    assert cache.stat().st_mode & 0o777 == 0o700


def test_lines_of_any_length() -> None:
    long = kernels._WINDOW * 3
    data = b"a\n" + b"b" * long + b"\nc"
    end = len(data)
    assert [kernels.line_end(data, at, end) for at in (0, 1, 2, 5, long + 2, long + 3)] == [2, 2, *[long + 3] * 3, end]
    assert [kernels.line_start(data, 0, at) for at in (0, 1, 2, 3, long + 2, long + 3, end)] == [
        0,
        0,
        2,
        2,
        2,
        long + 3,
        long + 3,
    ]
    assert kernels.line_start(data, 100, long) == 100


@pytest.mark.parametrize("size", [1, 3, 10, 1000])
def test_pieces_are_whole_lines(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "PIECE", size)
    data = b"".join(b"x" * (i % 13) + b"\n" for i in range(60)) + b"rest"
    parts = list(kernels.pieces(data, 2, len(data)))
    assert b"".join(data[a:b] for a, b in parts) == data[2:]
    assert all(data[b - 1 : b] == b"\n" for _, b in parts[:-1])
    assert all(b - a <= size + 12 for a, b in parts)


@pytest.mark.parametrize("threads", [1, 4])
def test_results_come_in_order(threads: int) -> None:
    first = threading.Event()

    def scan(a: int, b: int) -> int:
        if threads > 1 and a == 0:
            assert first.wait(10)  # the second piece is done before the first
        elif a == 1:
            first.set()
        return a * b

    parts = [(i, i + 1) for i in range(50)]
    assert list(kernels.in_order(scan, iter(parts), threads)) == [(a, b, a * b) for a, b in parts]


def test_who_stops_asking_waits_for_no_more_than_is_under_way() -> None:
    done: list[int] = []

    def scan(a: int, b: int) -> None:
        done.append(a)

    results = kernels.in_order(scan, ((i, i + 1) for i in range(1000)), 2)
    next(results)
    results.close()
    assert len(done) < 10


def test_an_error_in_a_piece_is_raised() -> None:
    def scan(a: int, b: int) -> int:
        return 1 // (3 - a)

    with pytest.raises(ZeroDivisionError):
        list(kernels.in_order(scan, ((i, i + 1) for i in range(1000)), 2))


@pytest.mark.parametrize("cores", [1, 2])
def test_work_that_is_done_behind(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "cores", lambda: cores)
    done: list[int] = []
    seen: list[int] = []
    release = threading.Event()

    def work(n: int) -> None:
        assert n or cores == 1 or release.wait(10)  # the first returns only after the caller went on
        done.append(n)

    with kernels.behind(work) as begin:
        begin(0)
        release.set()
        for n in range(1, 5):
            begin(n)
            seen.append(done[n - 1])  # one before is done
    assert done == [0, 1, 2, 3, 4]
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("cores", [1, 2])
def test_an_error_behind_is_raised(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "cores", lambda: cores)
    with pytest.raises(ZeroDivisionError), kernels.behind(lambda n: print(1 // n)) as begin:
        begin(0)
