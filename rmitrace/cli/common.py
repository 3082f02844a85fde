"""What the sub-commands share: the options that open a capture, the opening, and exit statuses."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..capture import Capture, OpenOptions


INTERRUPTED = 130
"""Exit status of what Ctrl-C ended, as of a shell."""


class UserError(Exception):
    """The user's mistake; the message is one line, unescaped."""


def example_text(*examples: tuple[str, str]) -> str:
    """The examples at the end of a help text, one line each."""
    width = max(len(e) for e, _ in examples)
    return "examples:\n" + "\n".join(f"  {e:<{width}}  # {what}" for e, what in examples)


def add_capture_options(p: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """CAPTURE... and the options that say how it is read."""
    p.add_argument(
        "capture",
        nargs="*" if optional else "+",
        metavar="CAPTURE",
        help="files of one run, read as one capture; - is standard input; .gz, .xz and .zst are unpacked",
    )
    add_reading_options(p)


def add_reading_options(p: argparse.ArgumentParser) -> None:
    """The options that say how captures are read."""
    how = p.add_argument_group("how to read")
    how.add_argument(
        "--abi",
        metavar="REV",
        help="decode as this DEN0137 revision (see `rmitrace abi list`) instead of the one found from evidence",
    )
    how.add_argument(
        "--source-format", metavar="NAME", help="read as this format (see `rmitrace formats`) instead of the one recognised"
    )
    how.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="EVENT:enter|exit:FIELD=xN,...",
        help="which fields of an own trace event are registers (see docs/event-mapping.md); may be repeated",
    )
    how.add_argument(
        "--no-cache",
        action="store_true",
        help="read big captures anew, and keep no index of them for the next time (see `rmitrace cache`)",
    )
    secrets = p.add_argument_group("secrets of SPDM sessions (see docs/messages.md)")
    secrets.add_argument(
        "--keys",
        metavar="FILE",
        action="append",
        default=[],
        help="key log, or the JSON file of an emulator's run; may be repeated",
    )
    secrets.add_argument(
        "--dhe-secret",
        metavar="HEX",
        action="append",
        default=[],
        help="shared secret of a KEY_EXCHANGE; repeated in the order of the sessions",
    )
    secrets.add_argument(
        "--kem-secret", metavar="HEX", action="append", default=[], help="the same of a KEM (SPDM 1.4); likewise"
    )
    secrets.add_argument("--psk", metavar="HEX", action="append", default=[], help="pre-shared key of a PSK_EXCHANGE; likewise")
    secrets.add_argument("--show-secrets", action="store_true", help="show IDE keys and IVs, which are hidden otherwise")


def add_follow(p: argparse.ArgumentParser) -> None:
    """``--follow``."""
    p.add_argument(
        "-f",
        "--follow",
        action="store_true",
        help="go on with what is written to the files from now on (also trace_pipe, FIFOs and standard input), until Ctrl-C or "
        "until all writers have closed the pipe",
    )


def add_fail_on(p: argparse.ArgumentParser) -> None:
    """``--fail-on``."""
    p.add_argument("--fail-on", choices=("error", "warning", "note"), help="exit with 1 where a finding is at least this severe")


def revision(name: str | None) -> str | None:
    """The revision a user means: its full name or a part that fits only one (``bet3``, ``1.1``)."""
    if name is None:
        return None
    import decoders

    if name in decoders.REVISIONS:
        return name
    fits = [r for r in decoders.REVISIONS if r.startswith(name) or r.endswith("-" + name)]
    if len(fits) == 1:
        return fits[0]
    known = ", ".join(fits or decoders.REVISIONS)
    raise UserError(f"revision {name} is {'one of' if fits else 'not known; there are'} {known}")


def open_options(args: argparse.Namespace) -> OpenOptions:
    """How the user wants the capture read."""
    from ..capture import OpenOptions

    return OpenOptions(
        abi=revision(args.abi),
        source_format=args.source_format,
        maps=tuple(args.map),
        progress=_progress(),
        keys=key_log(args),
        show_secrets=args.show_secrets,
        cache=not args.no_cache,
        note=_note,
    )


def _note(text: str) -> None:
    """Say something on stderr that is no error."""
    from ..display import safe

    print(f"rmitrace: {safe(text)}", file=sys.stderr)


MAX_KEYS = 16 << 20
"""Bytes of a key log."""


def key_log(args: argparse.Namespace) -> str | None:
    """The secrets that the user gave, as the text of one key log; None where there are none. Raises UserError."""
    parts = []
    for path in args.keys:
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_KEYS + 1)
        except OSError as e:
            raise UserError(f"--keys {path}: {e.strerror or e}") from e
        if len(data) > MAX_KEYS:
            raise UserError(f"--keys {path}: more than {MAX_KEYS >> 20} MiB")
        parts.append(data.decode("utf-8", "replace").strip())
    given = {"dhe_secret": args.dhe_secret, "kem_secret": args.kem_secret, "psk": args.psk}
    for name, words in given.items():
        for word in words:
            digits = word.removeprefix("0x")
            if not digits or len(digits) % 2 or not all(c in "0123456789abcdefABCDEF" for c in digits):
                raise UserError(f"--{name.replace('_', '-')} {word}: want the bytes as an even number of hex digits")
    if any(p.startswith("{") for p in parts):
        parts.append(json.dumps({k: v for k, v in given.items() if v}))
    else:
        parts += [f"{name.partition('_')[0].upper()} * {w}" for name, words in given.items() for w in words]
    return "\n".join(parts) or None


def open_args(args: argparse.Namespace) -> Capture:
    """The capture the user named. Raises UserError, CaptureError."""
    return open_paths(args.capture, args)


def open_paths(paths: list[str], args: argparse.Namespace) -> Capture:
    """Files of one run as one capture, read as the user wants. Raises UserError, CaptureError."""
    from ..capture import open_capture
    from ..formats import kernel_workers

    check_paths(paths)
    kernel_workers.on_wait = _compiling if sys.stderr.isatty() else None
    stop = Stop()
    with stop.listening(signal.SIGINT):
        capture = open_capture(paths, dataclasses.replace(open_options(args), stop=lambda: stop.asked))
    _OPENED.append(capture)
    _progress_end()
    if stop.asked:
        if capture.complete:
            raise KeyboardInterrupt  # it was read, and then stopped while it was paired
        read = ", ".join(f.message for f in capture.reading if f.rule == "INTERRUPTED")
        print(f"rmitrace: {read}; what follows is about that part", file=sys.stderr)
    return capture


class Stop:
    """Whether the user wants an end. The first Ctrl-C, or SIGTERM, asks for one; the second Ctrl-C is one."""

    def __init__(self) -> None:
        self.asked = False

    def _ask(self, number: int, frame: Any) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True

    @contextlib.contextmanager
    def listening(self, *signals: signal.Signals) -> Iterator[None]:
        """Take these signals, inside; in a thread of its own, where none come, nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = [signal.signal(s, self._ask) for s in signals]
        try:
            yield
        finally:
            for s, handler in zip(signals, before, strict=True):
                signal.signal(s, handler)


_OPENED: list[Capture] = []


def keep_learned() -> None:
    """Keep what was found out about big captures for the next time."""
    while _OPENED:
        capture = _OPENED.pop()
        if capture.keeper is not None:
            capture.keeper.learn(capture)


def check_paths(paths: list[str]) -> None:
    """Raise UserError where standard input is asked for twice, or is a terminal."""
    if paths.count("-") > 1:
        raise UserError("standard input (-) can be read only once")
    if "-" in paths and sys.stdin is not None and sys.stdin.isatty():
        raise UserError("standard input (-) is a terminal: pipe a capture into it")


_SHOWN = False


def _progress() -> Callable[[int, int], None] | None:
    """A progress line on stderr, from the first second on; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    began = last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        global _SHOWN
        now = time.monotonic()
        if now - began > 1 and now - last > 0.2:
            last = now
            _SHOWN = True
            share = f" {100 * done // total} %" if total > 0 else ""
            sys.stderr.write(f"\rreading {done >> 20} MiB{share} ({done / (now - began) / 1e6:.0f} MB/s)\x1b[K")
            sys.stderr.flush()

    return show


def _compiling() -> None:
    """Say what takes some seconds when a version meets its first big capture."""
    global _SHOWN
    _SHOWN = True
    sys.stderr.write("\rcompiling the readers of big captures, once for this version of rmitrace\x1b[K")
    sys.stderr.flush()


def _progress_end() -> None:
    if _SHOWN:
        sys.stderr.write("\r\x1b[K")


def exit_status(capture: Capture, fail_on: str | None) -> int:
    """1 where a finding is at least as severe as ``fail_on``, 3 where the input was damaged, else 0."""
    rank = {"note": 1, "warning": 2, "error": 3}
    if fail_on is not None and any(rank.get(f.severity, 0) >= rank[fail_on] for f in capture.findings):
        return 1
    return 3 if capture.damaged else 0


def text_width(out: IO[str]) -> int | None:
    """Columns to wrap to: the terminal's, or None where there is none."""
    return min(shutil.get_terminal_size().columns, 140) if out.isatty() else None
