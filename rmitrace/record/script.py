"""The recorder as one shell script, put together from its parts: what ``rmitrace record --script`` prints."""

from __future__ import annotations

from functools import cache
from importlib import resources

import decoders

from .. import __version__

_WIDTH = 110


def escaped(data: bytes) -> str:
    """Bytes as arguments of printf, in shell: one command a line. printf's format is the only form in which POSIX gives
    every byte (octal); a digit behind an octal number is written as a number too, so that it is not taken for a part."""
    lines: list[str] = []
    line = ""
    number = False
    for byte in data:
        char = chr(byte)
        plain = 0x20 <= byte < 0x7F and char not in "'\\%" and not (number and char in "01234567")
        if len(line) + 4 > _WIDTH:
            lines.append(line)
            line = ""
        if not line and char == "-":  # not an option
            plain = False
        text = char if plain else f"\\{byte:o}"
        line += text
        number = not plain and len(text) < 4
    return "\n".join(f"printf '{x}'" for x in [*lines, line] if x)


@cache
def rmi_functions() -> tuple[str, ...]:
    """Names that Linux' host code gives to functions around one RMI command: ``rmi_pdev_create``, in every revision."""
    names = {c.name.lower() for revision in decoders.REVISIONS for c in decoders.commands(revision) if c.name.startswith("RMI_")}
    return tuple(sorted(names))


def script() -> str:
    """The script, complete."""
    here = resources.files(__package__)
    text = (here / "target.sh").read_text(encoding="ascii")
    tap = (here / "smctap").read_bytes()
    for name, value in (("VERSION", __version__), ("SMCTAP", escaped(tap)), ("RMI_FUNCTIONS", " ".join(rmi_functions()))):
        text = text.replace(f"@{name}@", value)
    return text
