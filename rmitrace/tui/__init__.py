"""The viewers, ``rmitrace view`` and ``rmitrace diff --view``. The only part of the package that imports Textual.

That is imported with the first of the names below: the processes that work for a viewer (see apart) do without it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import TimelineApp, run, run_following

__all__ = ["TimelineApp", "run", "run_following"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import app

    return getattr(app, name)
