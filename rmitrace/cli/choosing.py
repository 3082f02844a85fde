"""Which calls of a capture the user means: ``--where``, ``--failed``, ``--status``, ``--object``, ``--from`` and ``--to``."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from .common import UserError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..capture import Capture


def add_options(p: argparse.ArgumentParser, until: tuple[str, ...] = ("--to", "--until")) -> None:
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
