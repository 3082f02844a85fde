"""The reference in docs/ is what the tables say."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_reference_is_up_to_date() -> None:
    spec = spec_from_file_location("generate_abi", DOCS / "generate_abi.py")
    assert spec is not None
    assert spec.loader is not None
    generator = module_from_spec(spec)
    spec.loader.exec_module(generator)
    wanted = generator.pages()
    stale = [name for name, text in wanted.items() if (DOCS / name).read_text() != text]
    assert not stale, "run: python docs/generate_abi.py"
    assert {f"abi/{p.name}" for p in (DOCS / "abi").iterdir()} == set(wanted) - {"abi.md"}
