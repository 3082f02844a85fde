"""Words at the bottom about how far something is that goes on behind the screen, and that it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

if TYPE_CHECKING:
    from .panes import PaneScreen

_TELL_S = 0.2
"""Time between two words about how far something is."""


class Stopped(Exception):
    """The user does not want it any more."""


def telling(screen: PaneScreen, words: Callable[[int], str]) -> Callable[[int], bool]:
    """For the thread of a worker: a function that is asked with how many are done whether to stop, and says how far that is, in
    ``words``, now and then."""
    worker, told = get_current_worker(), monotonic()

    def say(said: str) -> None:
        if not worker.is_cancelled:
            screen.say(said)

    def stopped(done: int) -> bool:
        nonlocal told
        if not worker.is_cancelled and monotonic() > told + _TELL_S:
            told = monotonic()
            screen.app.call_from_thread(say, words(done))
        return worker.is_cancelled

    return stopped
