"""``rmitrace decode --follow``: calls are printed when they return, the rest when it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import choosing, common

if TYPE_CHECKING:
    from ..capture import Capture
    from ..capture.follow.live import Live, Part


def run(args: argparse.Namespace) -> int:
    """Decode onto stdout what comes, until it ends or the user ends it."""
    from ..capture.follow.live import Live
    from ..export.following import WRITERS

    check(args)
    common.check_paths(args.capture)
    live = Live(args.capture, common.open_options(args))
    written: list[int] = []
    everything = not choosing.chooses(args)
    writer = WRITERS[args.format](live, sys.stdout)
    choice = _Choice(args)

    def show(part: Part | None) -> None:
        if part is not None:
            chosen = choice.of(part)
            writer.part(part, chosen, everything)
            written.extend(part.capture.number(s) for s in chosen)
            sys.stdout.flush()

    capture = _follow(live, show)
    writer.end(capture, written, everything)
    return common.exit_status(capture, args.fail_on)


def to_the_end(args: argparse.Namespace) -> Capture:
    """All that comes until it ends, or the user ends it, as one capture."""
    from ..capture.follow.live import Live

    return _follow(Live(args.capture, common.open_options(args)), lambda part: None)


def _follow(live: Live, show: Callable[[Part | None], None]) -> Capture:
    """Show the parts as they come; all of it when it ends, or the user ends it."""
    stop = common.Stop()
    with stop.listening(signal.SIGINT, signal.SIGTERM):
        while not live.ended and not stop.asked:
            part = live.step()
            show(part)
            if part is None and not live.wait(also=_stdout()):
                raise BrokenPipeError
        show(live.step(end=True))
        capture = live.finish(stopped=stop.asked)
    live.close()
    return capture


def check(args: argparse.Namespace) -> None:
    """Raise UserError for what cannot be had while a capture grows."""
    if args.capture[0] in ("text", "json", "csv") and not os.path.lexists(args.capture[0]):
        raise common.UserError(f"-f is --follow; the format is chosen with --format {args.capture[0]}")
    if args.why:
        raise common.UserError("--why: what the calls behind a call show is not known while following")
    if args.where:
        from .. import query

        try:
            names = query.parse(args.where)[1]
        except ValueError as e:
            raise common.UserError(f"--where: {e}") from e
        if "sequence" in names:
            raise common.UserError("--where: to which sequence a call belongs is not known while following")


class _Choice:
    """The calls that the user chose, part by part."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._zero: int | None = None

    def of(self, part: Part) -> list[int]:
        """Those of a part, by their numbers in it."""
        import numpy as np

        if self._zero is None:
            self._zero = first_time(part.capture)
        zero = 0 if self._zero is None else self._zero
        chosen = choosing.select(part.capture, self._args, zero)
        return [int(s) for s in chosen[np.isin(chosen, part.new)]]


def first_time(capture: Capture) -> int | None:
    """The time of the first call that has one, ns."""
    from ..capture.records import NO_TIME

    known = capture.calls.ts[capture.calls.ts != NO_TIME]
    return int(known.min()) if len(known) else None


def _stdout() -> int | None:
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError):
        return None
