"""Reading that is stopped leaves what was read."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.formats import registry

ROOT = Path(__file__).parents[3]
TRACE = ROOT / "captures/ftrace/pdev-connect.trace.txt"


def test_a_stopped_reading_gives_the_calls_up_to_there(tmp_path: Path) -> None:
    lines = TRACE.read_bytes().splitlines(keepends=True)
    calls = [x for x in lines if b" smc_" in x]
    path = tmp_path / "trace.txt"
    path.write_bytes(b"".join(lines[:12]) + b"".join(calls) * 150)  # progress is told every 8192 lines
    whole = open_capture([str(path)])
    seen: list[int] = []
    capture = open_capture([str(path)], OpenOptions(progress=lambda done, total: seen.append(done), stop=lambda: len(seen) > 0))
    assert not capture.complete
    (found,) = [f for f in capture.reading if f.rule == "INTERRUPTED"]
    assert 0 < found.offset <= seen[0] < path.stat().st_size
    assert f"{found.offset} of {path.stat().st_size}" in found.message
    assert 0 < len(capture) < len(whole)
    ends = [whole.call(s).exit_offset or 0 for s in range(len(whole))]
    assert sum(e < found.offset for e in ends) == sum(capture.calls.paired == 0)
    assert found.offset == path.read_bytes().rfind(b"\n", 0, seen[0]) + 1


def test_a_source_behind_the_stop_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    format = registry.by_name("calls-jsonl")
    read = type(format).read

    def told(self: object, data: object, start: int, end: int, options: object) -> object:
        if options.progress is not None:  # type: ignore[attr-defined]
            options.progress(end)  # type: ignore[attr-defined]
        return read(self, data, start, end, options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(format), "read", told)
    path = str(ROOT / "captures/rmm/tf-rmm-head-errors.calls.jsonl.xz")
    capture = open_capture([path, path], OpenOptions(stop=lambda: True))
    assert [f.source for f in capture.reading if f.rule == "INTERRUPTED"] == [0, 1]
