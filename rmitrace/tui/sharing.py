"""Copy and export, as a part of the main screen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO

from textual.worker import Worker, get_current_worker

from ..display import safe
from .panes import PaneScreen
from .rows import Row, RowKind
from .telling import Stopped, telling
from .view import View

_FEW = 20
"""Calls that are exported at once."""
_WHY = "exporting: finding out why the call failed, Esc stops"


class Sharing(PaneScreen):
    """The keys that take something out."""

    _exporting: Worker[None] | None = None

    def action_copy(self) -> None:
        """Copy the selected row's line to the clipboard (OSC 52), made safe."""
        row = self.list.row
        if row is None:
            return
        text = safe(line_of(self.model, row))
        self.app.copy_to_clipboard(text)
        self.say(f"copied: {text}")

    def action_export(self) -> None:
        """Ask for a file and write the selected call or sequence to it."""
        row = self.list.row
        if row is None or row.kind is RowKind.LINE:
            self.say("only calls and sequences can be exported", "warning")
            return
        what = f"call {row.ref}" if row.kind is RowKind.CALL else "the sequence with its calls"
        self.ask(
            "export to",
            f"{what} as JSON; a file that is there is not overwritten",
            file_name(self.model, row),
            lambda path: self._write(row, path),
        )

    def _write(self, row: Row, path: str) -> str | None:
        path = os.path.expanduser(path.strip())
        if not path:
            return "a file name is wanted"
        try:
            out = open(path, "x", encoding="ascii")  # noqa: SIM115 - written and closed behind the screen
        except FileExistsError:
            return f"{path} is there already"
        except (OSError, ValueError) as e:
            return f"{path}: {getattr(e, 'strerror', None) or e}"
        model = self.model
        calls = 1 if row.kind is RowKind.CALL else len(model.sequences.calls(row.sequence))
        if calls <= _FEW and not (row.kind is RowKind.CALL and model.waits_for_why(row.ref)):
            self._written(path, *write(model, row, out))
            return None
        self.say("exporting: Esc stops")

        def work() -> None:
            worker = get_current_worker()
            stopped = telling(self, lambda done: f"exporting: {done:,} of {calls:,} calls, Esc stops" if done else _WHY)
            found = write(model, row, out, stopped)
            if not worker.is_cancelled:
                self.app.call_from_thread(self._written, path, *found)

        if row.kind is RowKind.CALL:
            self.say(_WHY)
        self._exporting = self.run_worker(work, thread=True, exclusive=True, group="export", exit_on_error=False)
        return None

    def _written(self, path: str, done: bool, problem: str) -> None:
        self._exporting = None  # the thread lives on for a moment
        if done:
            self.say(f"written: {path}")
        else:
            self.say(f"{path}: {problem}", "error")

    def stop_export(self) -> bool:
        """Stop an export under way; whether there was one."""
        if self._exporting is None or not self._exporting.is_running:
            return False
        self._exporting.cancel()
        self.say("stopped", "warning")
        return True


def line_of(view: View, row: Row) -> str:
    """A row as one line of text."""
    if row.kind is RowKind.CALL:
        return view.capture.call(row.ref).line
    if row.kind is RowKind.LINE:
        return view.lines[row.ref].text
    s = view.sequences[row.sequence]
    return s.title + (f": {s.why}" if s.why else "") if row.kind is RowKind.SEQUENCE else s.steps[row.step].name


def file_name(view: View, row: Row) -> str:
    """A name for the export of a row."""
    if row.kind is RowKind.CALL:
        return f"call-{row.ref}.json"
    s = view.sequences[row.sequence]
    return f"{s.kind}-{s.first}.json".replace(" ", "-").replace("/", "-")


def write(view: View, row: Row, out: IO[str], stopped: Callable[[int], bool] = lambda done: False) -> tuple[bool, str]:
    """Write a call, or a sequence with its calls, in the form of ``decode --format json``: whether that was done, and what was
    in the way. What is not done is taken away. ``stopped`` is asked before each call, with how many are written, whether to
    give up."""
    try:
        with out:
            for part in _parts(view, row, stopped):
                out.write(part)
            out.write("\n")
        return True, ""
    except Stopped:
        problem = "stopped"
    except (OSError, ValueError) as e:
        problem = str(getattr(e, "strerror", None) or e)
    with suppress(OSError):
        os.unlink(out.name)
    return False, problem


def _parts(view: View, row: Row, stopped: Callable[[int], bool]) -> Iterator[str]:
    from ..export import jsonl, jsonl_calls  # brings the message decoders, which the first screen does without

    def call(seq: int, done: int) -> str:
        if stopped(done):
            raise Stopped
        if view.waits_for_why(seq):  # in a process of its own: what it needs is more than all that is shown
            view.capture.diagnosed[seq] = view.why(seq)
        if stopped(done):
            raise Stopped
        return json.dumps(jsonl_calls.call_object(view.capture, seq), indent=1)

    if row.kind is RowKind.CALL:
        yield call(row.ref, 0)
        return
    s = view.sequences[row.sequence]
    head = {k: v for k, v in jsonl.sequence_object(s).items() if k != "calls"}
    yield json.dumps(head, indent=1).removesuffix("\n}") + ',\n "calls": ['
    for done, seq in enumerate(s.calls.tolist()):
        yield f"{',' if done else ''}\n  " + call(seq, done).replace("\n", "\n  ")
    yield "\n ]\n}"
