"""The front door: ``python -m rmitrace`` and the ``rmitrace`` script."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status. ``--version`` imports nothing beyond the package itself."""
    args = sys.argv[1:] if argv is None else argv
    if args in (["--version"], ["-V"]):
        from . import __version__

        print(f"rmitrace {__version__}")
        return 0
    from .cli import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
