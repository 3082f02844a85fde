"""The viewers, ``rmitrace view`` and ``rmitrace diff --view``. The only part of the package that imports Textual."""

from .app import TimelineApp, run, run_following

__all__ = ["TimelineApp", "run", "run_following"]
