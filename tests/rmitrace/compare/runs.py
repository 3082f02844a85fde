"""A recorded run at other addresses: what address space randomisation does between two runs."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
RMM = ROOT / "captures" / "rmm"


def recorded(run: str) -> list[dict[str, Any]]:
    with lzma.open(RMM / f"tf-rmm-{run}.calls.jsonl.xz", "rt") as file:
        return [json.loads(line) for line in file]


def path(run: str) -> str:
    return str(RMM / f"tf-rmm-{run}.calls.jsonl.xz")


def moved(calls: list[dict[str, Any]], delta: int) -> list[dict[str, Any]]:
    """The same calls with every page of the host that is named in them at another address: in registers, and in the structures
    in memory."""
    pages = sorted(int(a, 16) >> 12 for c in calls for a in c["regions"])
    first, last = (pages[len(pages) // 2] + n for n in (-0x10000, 0x10000))  # wrong calls name other places, too

    def at(value: int) -> int:
        return value + delta if first <= (value & 0xFFFFFFFFFFFFF) >> 12 <= last else value

    def word(page: str, region: str) -> str:
        if region.startswith("DevComm") and region != "DevCommData":
            return page  # messages
        data = bytearray(bytes.fromhex(page))
        for i in range(0, len(data) - 5, 8):
            old = int.from_bytes(data[i : i + 8], "little")
            data[i : i + 8] = at(old).to_bytes(8, "little")[: len(data) - i]
        return data.hex()

    out = []
    for c in calls:
        new = dict(c)
        new["in"] = [c["in"][0], *(hex(at(int(v, 16))) for v in c["in"][1:])]
        new["out"] = [c["out"][0], *(hex(at(int(v, 16))) for v in c["out"][1:])]
        for part in ("mem", "mem_in"):
            new[part] = {hex(at(int(a, 16))): word(d, c["regions"].get(a, "")) for a, d in c[part].items()}
        new["regions"] = {hex(at(int(a, 16))): t for a, t in c["regions"].items()}
        out.append(new)
    return out


def written(calls: list[dict[str, Any]], to: Path) -> str:
    to.write_text("".join(json.dumps(c | {"seq": n}) + "\n" for n, c in enumerate(calls)))
    return str(to)
