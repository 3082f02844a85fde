"""Runs the rmitrace commands shown in the documents and writes what they print below them.

``python docs/examples.py`` rewrites README.md and docs/*.md. In a block marked ``console`` every line ``$ rmitrace ...``
that names a sample capture, asks about the ABI or explains a value is run by bash at the top of the repository. Where the output
shown holds a line ``...``, as many lines as stand before and behind it are kept of the new output too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"rmitrace (abi |explain |.*\bcaptures/)")
_ELISION = "..."


def rendered(text: str) -> str:
    """A document with the output of its commands as it is now."""
    return _BLOCK.sub(lambda m: f"```console\n{_block(m.group(1))}```", text)


def _block(text: str) -> str:
    parts = re.split(r"^(\$ .*)\n", text, flags=re.MULTILINE)
    out = [parts[0]]
    for command, shown in zip(parts[1::2], parts[2::2], strict=True):
        out += [command + "\n", _output(command[2:], shown) if _RUN.match(command[2:]) else shown]
    return "".join(out)


def _output(command: str, shown: str) -> str:
    script = f'rmitrace() {{ "{sys.executable}" -m rmitrace "$@"; }}\n{command}'
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.stderr:
        sys.exit(f"{command}\n{done.stderr}")
    lines = done.stdout.splitlines()
    before = shown.splitlines()
    if _ELISION in before:
        first = before.index(_ELISION)
        last = len(before) - first - 1
        if len(lines) > first + last:
            lines = [*lines[:first], _ELISION, *lines[len(lines) - last :]]
    return "".join(line + "\n" for line in lines)


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(rendered(document.read_text()))
