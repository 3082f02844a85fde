"""Copy and export, as a part of the main screen."""

from __future__ import annotations

import json
import os
from typing import Any

from ..display import safe
from .panes import PaneScreen
from .rows import Row, RowKind
from .view import View


class Sharing(PaneScreen):
    """The keys that take something out."""

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
            with open(path, "x", encoding="ascii") as out:
                json.dump(exported(self.model, row), out, indent=1)
                out.write("\n")
        except FileExistsError:
            return f"{path} is there already"
        except (OSError, ValueError) as e:
            return f"{path}: {getattr(e, 'strerror', None) or e}"
        self.say(f"written: {path}")
        return None


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


def exported(view: View, row: Row) -> dict[str, Any]:
    """A call, or a sequence with its calls, in the form of ``decode --format json``."""
    from ..export import jsonl  # brings the message decoders, which the first screen does without

    if row.kind is RowKind.CALL:
        return jsonl.call_object(view.capture, row.ref)
    s = view.sequences[row.sequence]
    return {**jsonl.sequence_object(s), "calls": [jsonl.call_object(view.capture, c) for c in s.calls.tolist()]}
