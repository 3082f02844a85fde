"""Threads for jobs: all are done at the end, errors are raised where the result is asked for, what is not wanted is left out."""

from __future__ import annotations

import threading

import pytest

from rmitrace.formats.kernel_workers import Workers


def test_jobs_are_done_by_several_at_the_same_time() -> None:
    meet = threading.Barrier(3)
    with Workers(3, "test") as workers:
        jobs = [workers.begin(lambda n: (meet.wait(10), n * n)[1], n) for n in range(3)]
        assert [job.result() for job in jobs] == [0, 1, 4]


def test_an_error_is_raised_for_who_asks_and_the_others_are_done() -> None:
    done: list[int] = []
    with Workers(1, "test") as workers:
        wrong = workers.begin(lambda: 1 // 0)
        for n in range(3):
            workers.begin(done.append, n)
        with pytest.raises(ZeroDivisionError):
            wrong.result()
    assert done == [0, 1, 2]


def test_what_is_no_longer_wanted_is_not_begun() -> None:
    done: list[int] = []
    go = threading.Event()
    with Workers(1, "test") as workers:
        workers.begin(go.wait, 10)
        later = [workers.begin(done.append, n) for n in range(3)]
        later[1].wanted = False
        go.set()
    assert done == [0, 2]
