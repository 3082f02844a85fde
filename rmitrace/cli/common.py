"""What the sub-commands share: the options that open a capture and those that choose calls from it."""

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
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..capture import Capture, OpenOptions


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


def add_choice_options(p: argparse.ArgumentParser, until: tuple[str, ...] = ("--to", "--until")) -> None:
    """The options that choose calls; ``until``: the names of the one that says where they end."""
    which = p.add_argument_group("which calls (all given conditions must hold)")
    which.add_argument(
        "--where",
        metavar="SQL",
        help="SQL condition over the columns of docs/query.md: \"name LIKE 'RMI_PDEV%%' AND dur_us > 1000\"",
    )
    which.add_argument("--failed", action="store_true", help="only calls that returned an error")
    which.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="NAME",
        help="only calls with this status: RMI_ERROR_RTT or ERROR_RTT; may be repeated",
    )
    which.add_argument("--object", metavar="OBJ", help="only calls about this object: pdev:0x88001000, or the address alone")
    which.add_argument(
        "--from",
        dest="start",
        metavar="SEC",
        help="only calls at or after this second of the capture's clock; +SEC counts from its start",
    )
    which.add_argument(*until, dest="end", metavar="SEC", help="only calls at or before it")


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

    check_paths(paths)
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


def _progress_end() -> None:
    if _SHOWN:
        sys.stderr.write("\r\x1b[K")


def chooses(args: argparse.Namespace) -> bool:
    """Whether the user chose calls at all."""
    return bool(args.failed or args.status or args.start is not None or args.end is not None or args.object or args.where)


def select(capture: Capture, args: argparse.Namespace, zero_ns: int | None = None) -> npt.NDArray[np.int64]:
    """The numbers of the calls the user chose, in order. ``zero_ns``: the time that +SEC counts from, where it is not that
    of the first call of this capture. Raises UserError."""
    import numpy as np

    keep = np.ones(len(capture.calls), dtype=bool)
    if args.failed:
        keep &= capture.calls.failed
    if args.status:
        keep &= _has_status(capture, args.status)
    if args.start is not None or args.end is not None:
        keep &= _in_time(capture, args.start, args.end, zero_ns)
    if args.object:
        kind, colon, address = args.object.rpartition(":")
        try:
            rows = capture.objects().rows(f"{kind}{colon}0x{int(address, 16):x}")  # RMM consoles print addresses without 0x
        except ValueError:
            raise UserError(f"--object {args.object}: want an address, pdev:0x88001000 or 0x88001000") from None
        keep &= _mask(len(keep), rows)
    if args.where:
        from .. import query

        try:
            keep &= _mask(len(keep), query.select(capture, args.where))
        except ValueError as e:
            raise UserError(f"--where: {e}") from e
    return np.flatnonzero(keep).astype(np.int64)


def _mask(n: int, rows: Any) -> Any:
    import numpy as np

    mask = np.zeros(n, dtype=bool)
    mask[rows] = True
    return mask


def _has_status(capture: Capture, wanted: list[str]) -> Any:
    import numpy as np

    import decoders

    names: set[str] = set()
    for word in wanted:
        upper = word.upper()
        spellings = {upper} | {p + upper for p in ("RMI_", "RSI_", "PSCI_", "SMC_")}
        here = spellings & set(capture.statuses)
        if not here and all(decoders.status_number(s) is None for s in spellings):
            raise UserError(f"--status {word}: no such status; in this capture: {', '.join(sorted(capture.statuses)) or 'none'}")
        names |= here
    return np.isin(capture.calls.status, [i for i, s in enumerate(capture.statuses) if s in names])


def seconds(text: str, option: str) -> tuple[bool, int]:
    """A time as the user wrote it: whether it counts from the start of the capture, and ns."""
    relative = text.startswith("+")
    try:
        value = Decimal(text) * 10**9
        if not value.is_finite() or abs(value) >= 1 << 63:
            raise InvalidOperation
        return relative, int(value)
    except InvalidOperation:
        raise UserError(f"{option} {text}: not a number of seconds") from None


def _in_time(capture: Capture, start: str | None, end: str | None, zero_ns: int | None) -> Any:
    import numpy as np

    from ..capture.records import NO_TIME

    ts = capture.calls.ts
    known = ts != NO_TIME
    if zero_ns is None and not known.any():
        raise UserError("--from and --to: this capture has no times; choose calls with --where 'seq BETWEEN 10 AND 20'")
    zero = int(ts[known].min()) if zero_ns is None else zero_ns
    keep = known.copy()
    for text, option, test in ((start, "--from", np.greater_equal), (end, "--to", np.less_equal)):
        if text is not None:
            relative, ns = seconds(text, option)
            keep &= test(ts, ns + zero if relative else ns)
    return keep


def exit_status(capture: Capture, fail_on: str | None) -> int:
    """1 where a finding is at least as severe as ``fail_on``, 3 where the input was damaged, else 0."""
    rank = {"note": 1, "warning": 2, "error": 3}
    if fail_on is not None and any(rank.get(f.severity, 0) >= rank[fail_on] for f in capture.findings):
        return 1
    return 3 if capture.damaged else 0


def text_width(out: IO[str]) -> int | None:
    """Columns to wrap to: the terminal's, or None where there is none."""
    return min(shutil.get_terminal_size().columns, 140) if out.isatty() else None
