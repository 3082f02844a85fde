"""Threads that kernels run in: as those of concurrent.futures, whose import takes as long as the start of ten of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Job(Generic[T]):
    """Something that a worker does."""

    def __init__(self, work: Callable[..., T], args: tuple[Any, ...]) -> None:
        self._work, self._args = work, args
        self._done = threading.Lock()
        self._done.acquire()
        self._found: list[T] = []
        self._error: BaseException | None = None
        self.wanted = True
        """Where it is not, and not begun yet, it is left out."""

    def run(self) -> None:
        """Do it."""
        try:
            if self.wanted:
                self._found.append(self._work(*self._args))
        except BaseException as e:
            self._error = e
        finally:
            self._done.release()

    def result(self) -> T:
        """What came of it, once it is done, asked once; raises what it raised."""
        self._done.acquire()
        if self._error is not None:
            raise self._error
        return self._found.pop()


class Workers:
    """So many threads, to be used in a ``with`` block, at the end of which all jobs are done."""

    def __init__(self, count: int, name: str) -> None:
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{i}", daemon=True) for i in range(count)]

    def __enter__(self) -> Workers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def begin(self, work: Callable[..., T], *args: Any) -> Job[T]:
        """Let one of them do something."""
        job = Job(work, args)
        self._jobs.put(job)
        return job

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
