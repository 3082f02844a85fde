"""Writes captures/README.md from the descriptions beside the captures: ``python captures/index.py``."""

from __future__ import annotations

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent

HEAD = """# The menagerie

Sample captures of every format and of several ABI revisions, good runs, failing ones and damaged files. Each has a `.toml`
beside it that says how it was made, which revision it speaks, what a reader sees in it and how many calls it holds. All of
them are read, cut and mutated by `tests/test_captures.py`. They may be used under the Apache License 2.0.

This table is written by `python captures/index.py`.
"""


def table() -> str:
    """The whole README."""
    out = [HEAD]
    for family in sorted(p for p in FOLDER.iterdir() if p.is_dir()):
        rows = [_row(d) for d in sorted(family.glob("*.toml"))]
        if rows:
            out += [f"## {family.name}", "", "| file | what | format | revision | calls |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join(out)


def _row(description: Path) -> str:
    d = tomllib.loads(description.read_text())
    name = f"{description.parent.name}/{description.name.removesuffix('.toml')}"
    calls = d.get("expect", {}).get("calls", "")
    return f"| `{name}` | {d['title']} | {d['format']} | {d['revision']} | {calls} |"


if __name__ == "__main__":
    (FOLDER / "README.md").write_text(table())
