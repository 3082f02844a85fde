"""What rmitrace makes of a capture, by its command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def decoded(path: Path, *options: str) -> list[dict[str, Any]]:
    """What ``rmitrace decode --format json`` prints."""
    argv = [sys.executable, "-m", "rmitrace", "decode", "--format", "json", *options, str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def calls(path: Path) -> list[dict[str, Any]]:
    """Its calls."""
    return [o for o in decoded(path) if o["type"] == "call"]


def findings(path: Path) -> dict[str, str]:
    """The text of its findings by their rule."""
    return {o["rule"]: o["message"] for o in decoded(path) if o["type"] == "finding"}
