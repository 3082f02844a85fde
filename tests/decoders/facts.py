"""The ABI facts as they were collected from specification texts, headers and firmware; see tests/data/abi."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ABI = Path(__file__).parents[1] / "data" / "abi"
REVISIONS = ("1.0-rel0", "1.1-alp17", "2.0-bet1", "2.0-bet3")


@cache
def load(name: str) -> dict[str, Any]:
    """A file of facts."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    facts: dict[str, Any] = yaml.load((ABI / f"{name}.yaml").read_text(), Loader=loader)
    return facts


def rmi(revision: str) -> dict[str, Any]:
    """The RMI of a revision."""
    return load(f"rmm-{revision}")


def number(value: int | str) -> int:
    """Offsets and sizes are written in hexadecimal, some as text."""
    return value if isinstance(value, int) else int(value, 0)
