"""Recorded runs of the RMM as two sources: the calls with their registers, and the rows that the RMM printed of them.

Which row belongs to which call is told by the recording itself (``log`` of each call), not by what is tested.
"""

from __future__ import annotations

import json
import lzma
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CAPTURES = Path(__file__).parents[3] / "captures" / "rmm"
RUNS = (
    "head-nominal",
    "head-errors",
    "head-corrupt5",
    "head-doefail6",
    "mid-nominal",
    "alp16-nominal",
    "rel0-nominal",
    "eac5-nominal",
)


@cache
def recorded(run: str) -> tuple[dict, ...]:
    with lzma.open(CAPTURES / f"tf-rmm-{run}.calls.jsonl.xz", "rt") as file:
        return tuple(json.loads(line) for line in file)


def is_row(line: str) -> bool:
    return line.lstrip().startswith(("SMC_RMI_", "SMC_RMM_"))


@dataclass
class Sides:
    """The paths of both sources, and for byte offsets of records in them the number of the call."""

    calls: Path
    log: Path
    call_at: dict[int, int]
    row_at: dict[int, int]

    @property
    def paths(self) -> list[str]:
        return [str(self.calls), str(self.log)]

    @property
    def realm(self) -> int:
        """Rows of the log that are calls of a Realm."""
        return sum(line.startswith(("SMC_RSI_", "PSCI_")) for line in self.log.read_text().splitlines())

    @property
    def shared(self) -> set[int]:
        """The calls that both sources show."""
        return set(self.call_at.values()) & set(self.row_at.values())


def sides(run: str, folder: Path, lose_calls: float = 0.0, lose_rows: float = 0.0, seed: int = 0) -> Sides:
    """Both sources of a run, with a share of the calls and of the rows left out at random."""
    rng = random.Random(f"{run} {seed}")
    calls, log = folder / "calls.jsonl", folder / "uart.log"
    call_at: dict[int, int] = {}
    row_at: dict[int, int] = {}
    made, printed = b"", b""
    for n, call in enumerate(recorded(run)):
        if rng.random() >= lose_calls:
            call_at[len(made)] = n
            made += json.dumps(call).encode() + b"\n"
        for line in call["log"].splitlines(keepends=True):
            if is_row(line):
                if rng.random() < lose_rows:
                    continue
                row_at[len(printed)] = n
            printed += line.encode()
    calls.write_bytes(made)
    log.write_bytes(printed)
    return Sides(calls, log, call_at, row_at)


def pairs(capture, of: Sides) -> list[tuple[int, int]]:
    """The pairs that a capture of both has found: number of the call, number of the call that the row belongs to."""
    found = capture.correlation
    out = []
    for k in range(len(found.of)):
        ours, theirs = capture.call(int(found.of[k])), capture.sights(int(found.of[k]))
        assert len(theirs) == 1
        out.append((of.call_at[ours.offset], of.row_at[theirs[0].offset]))
    return out
