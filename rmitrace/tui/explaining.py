"""How the application finds out why calls of a long capture failed: in another process, for as long as it is asked."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from ..capture import OpenOptions
from .apart import Explainer
from .inorder import InOrder
from .memory import give_back
from .view import FEW, View

if TYPE_CHECKING:
    from ..diagnose import Diagnosis

_KEPT_S = 60.0
"""Time without a question after which the process, and the memory of what it knows, is given up."""


class Explaining(InOrder):
    """Starts the process that explains with the first question."""

    _explainer: Explainer | None = None
    _explained_at = 0.0
    _no_explainer = False
    _ending = False
    """The user quits."""

    def __init__(self) -> None:
        super().__init__()
        self._asking = Lock()

    def explain_apart(self, view: View, paths: list[str], options: OpenOptions) -> None:
        """Let another process say why calls of a view failed, where it is a long one with an index."""
        if view.capture.keeper is not None and view.calls > FEW:
            view.explain = partial(self._why, view, paths, options)

    def _why(self, view: View, paths: list[str], options: OpenOptions, call: int) -> Diagnosis | None:
        with self._asking:
            if not self._no_explainer:
                try:
                    if self._explainer is None:
                        self._explainer = Explainer(paths, options)
                        with suppress(RuntimeError):  # the application ended meanwhile
                            self.call_from_thread(self.set_timer, _KEPT_S, self._rest)
                    return self._explainer.why(view.calls, call)
                except OSError:
                    self._no_explainer = True
                    self.end_explainer()
                finally:
                    self._explained_at = time.monotonic()
        if self._ending:
            return None
        try:
            return view.capture.why(call)
        finally:
            view.capture.worlds.clear()  # it holds more than all that is shown
            give_back()

    def _rest(self) -> None:
        """End the process where it has not been asked for a while."""
        if self._explainer is None:
            return
        left = self._explained_at + _KEPT_S - time.monotonic()
        if left > 0 or self._asking.locked():
            self.set_timer(max(left, 1.0), self._rest)
        else:
            self.end_explainer()

    def end_explainer(self) -> None:
        """Stop the process, whatever it is doing."""
        explainer, self._explainer = self._explainer, None
        if explainer is not None:
            explainer.end()
