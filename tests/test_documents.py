"""The documents tell what the program does today."""

from __future__ import annotations

import contextlib
import io
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def load(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if "```console\n" in d.read_text()], ids=lambda p: p.name)
def test_shown_output_is_what_is_printed(document: Path) -> None:
    text = document.read_text()
    assert load(ROOT / "docs" / "examples.py").rendered(text) == text, "run python docs/examples.py and read the change"


def test_python_examples() -> None:
    """What a comment behind print() says is what is printed."""
    found = 0
    for document in DOCUMENTS:
        for block in re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block, str(document), "exec"), {})
            assert out.getvalue().splitlines() == re.findall(r"^print\(.*\) +# (.*)$", block, re.M)
            found += 1
    assert found


def test_every_column_is_described() -> None:
    from rmitrace import query

    text = (ROOT / "docs" / "query.md").read_text()
    rows = "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    described = set(re.findall(r"`(\w+)`", rows))
    for name in query.COLUMNS:
        assert name in described or re.fullmatch(r"[xr]\d+", name), name


def test_every_format_is_described() -> None:
    from rmitrace.formats import registry

    text = (ROOT / "docs" / "formats.md").read_text()
    for f in registry.formats():
        assert f"| `{f.name}` |" in text
        assert re.search(rf"^## .*\b{f.name}\b", text, re.M)


def test_checks_are_described_as_they_are() -> None:
    page = load(ROOT / "docs" / "generate_checks.py").page()
    assert (ROOT / "docs" / "checks.md").read_text() == page, "run python docs/generate_checks.py"
