"""``perf script`` run over a file: what perf-data is read with. Apart, as starting programs costs imports of its own."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from .base import Data, Unreadable

MAX_TEXT = 16 << 30
"""Bytes that perf may print; it prints some 200 a sample."""
TIMEOUT, PER_MIB = 30, 1.0
"""Seconds that perf may take: so many, and so many more for each MiB of the file. It reads tens of MiB a second."""
HOW = (
    "install perf (apt-get install linux-perf), or run 'perf script -i FILE --ns > FILE.txt' where it was recorded and open that"
)
_FIELDS = ("comm", "pid", "tid", "cpu", "time", "event", "ip", "iregs", "trace")
_LACKING = re.compile(r"do not have \w+ attribute set\. Cannot print '(\w+)' field")
_CHUNK = 1 << 20


@contextmanager
def as_file(data: Data, start: int, end: int, path: str | None) -> Iterator[str]:
    """The file under a name: its own, or that of a copy where it has none, or was unpacked."""
    if path is not None and start == 0 and os.path.isfile(path) and os.path.getsize(path) == end:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="rmitrace-", suffix=".data") as copy:
        for at in range(start, end, _CHUNK):
            copy.write(data[at : min(at + _CHUNK, end)])
        copy.flush()
        yield copy.name


def printed(path: str, out: IO[bytes]) -> bool:
    """Let perf print the samples into a file; whether it was stopped because that became too long.

    Samples of hardware breakpoints have registers and no values, those of probes the other way round: perf refuses to print
    what is not there, and is asked again without it.
    """
    fields = list(_FIELDS)
    while True:
        code, said, cut = _run(path, ",".join(fields), out)
        lacking = _LACKING.search(said)
        if not code or out.tell() or lacking is None or lacking[1] not in fields:
            break
        fields.remove(lacking[1])
        if lacking[1] == "iregs":
            fields.remove("ip")
    if cut or not code:
        return cut
    if code == _LATE:
        raise Unreadable(f"perf script took longer than {_seconds(path):.0f} s: {HOW}")
    raise Unreadable(f"perf script cannot read this file ({said or f'exit status {code}'}): {HOW}")


_LATE = -1000


def _seconds(path: str) -> float:
    return TIMEOUT + PER_MIB * os.path.getsize(path) / (1 << 20)


def _run(path: str, fields: str, out: IO[bytes]) -> tuple[int, str, bool]:
    """(exit status or _LATE, the line with which perf said why, whether there was too much to print)."""
    command = ["perf", "script", "--force", "--ns", "--show-lost-events", "-F", fields, "-i", path]
    quiet = {**os.environ, "LC_ALL": "C", "DEBUGINFOD_URLS": "", "PAGER": "cat"}
    late = threading.Event()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=quiet) as run,
    ):

        def stop() -> None:
            late.set()
            run.kill()

        timer = threading.Timer(_seconds(path), stop)
        timer.start()
        cut = False
        try:
            assert run.stdout is not None
            while chunk := run.stdout.read(_CHUNK):
                out.write(chunk[: MAX_TEXT - out.tell()])
                cut = out.tell() >= MAX_TEXT
                if cut:
                    break
        finally:
            timer.cancel()
            run.kill()
            out.flush()
        code = run.wait()
        errors.seek(0)
        lines = [s.strip() for s in errors.read(16384).decode("utf-8", "replace").splitlines()]
    why = [s for s in lines if s and not s.startswith(("'trace' not valid", "Warning:", "Error:"))]
    return _LATE if late.is_set() else code, why[0][:200] if why else "", cut
