"""The repository as a newcomer finds it: layout, packaging, import contracts, and documents that are true."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import rmitrace
from rmitrace import cli

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("captures/**/*.md")])


def tracked() -> list[Path]:
    """The files of the repository; without git, what stands in its folders."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0 and done.stdout:
        return [p for n in done.stdout.decode().split("\0") if n and (p := ROOT / n).is_file()]
    folders = ("decoders", "rmitrace", "captures", "tests", "benchmarks", "docs")
    return [p for f in folders for p in (ROOT / f).rglob("*") if p.is_file() and "__pycache__" not in p.parts]


def test_import_contracts() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_every_code_folder_is_a_package() -> None:
    """What setuptools finds (folders with __init__.py) is all the code there is."""
    assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == ["rmitrace*", "decoders*"]
    for top in ("rmitrace", "decoders"):
        for module in (ROOT / top).rglob("*.py"):
            assert (module.parent / "__init__.py").is_file(), module


def test_data_files_are_packaged() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    for top in ("rmitrace", "decoders"):
        wanted = {p.relative_to(ROOT / top) for p in tracked() if p.is_relative_to(ROOT / top) and p.suffix != ".py"}
        packed = {p.relative_to(ROOT / top) for pattern in patterns[top] for p in (ROOT / top).glob(pattern)}
        assert wanted <= packed


def test_metadata() -> None:
    project = PROJECT["project"]
    assert project["license"] == "Apache-2.0"
    assert (ROOT / project["license-files"][0]).read_text().lstrip().startswith("Apache License")
    assert (ROOT / project["readme"]).is_file()
    module, _, attribute = project["scripts"]["rmitrace"].partition(":")
    assert callable(getattr(import_module(module), attribute))
    assert re.fullmatch(r"\d+\.\d+\.\d+", rmitrace.__version__)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest is not None
    assert newest.group(1) == rmitrace.__version__


def test_dependencies_are_bounded_and_explained() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for requirement in PROJECT["project"]["dependencies"]:
        assert re.search(r"==|<", requirement), requirement
        assert re.search(r"#\s*\S", next(line for line in lines if f'"{requirement}"' in line)), requirement


def test_ci_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test", "bench", "clean"} <= targets


def test_demo_shows_a_shipped_capture() -> None:
    demo = re.search(r"^DEMO := (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert demo is not None
    assert all((ROOT / path).is_file() for path in demo.group(1).split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), link
        if anchor and path.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}, link


def commands(document: Path) -> list[list[str]]:
    """The rmitrace command lines of a document's code blocks, up to a pipe or redirection."""
    found = []
    for block in re.findall(r"^```(?:console|sh)\n(.*?)^```", document.read_text(), re.M | re.S):
        for line in block.splitlines():
            if match := re.search(r"(?:^|\$ |\| )rmitrace (.+)", line):
                words = shlex.split(match.group(1), comments=True)
                ends = [i for i, w in enumerate(words) if re.match(r"[|;&<>]|\d?>", w)]
                found.append(words[: ends[0]] if ends else words)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_documented_commands_exist(document: Path) -> None:
    for words in commands(document):
        args = cli.parser().parse_args(words)  # an unknown option ends the test
        for path in getattr(args, "capture", ()):
            assert not path.startswith("captures/") or (ROOT / path).is_file(), path


def test_documents_show_commands() -> None:
    assert len(commands(ROOT / "README.md")) >= 5


# Classes of one character, so that this file does not hold what it looks for.
ELSEWHERE = re.compile(rb"/wor[k]/|/roo[t]/|/hom[e]/[a-z]|/tm[p]/[a-z]+/|\.pyen[v]|pyp[i]\.org")


def test_no_paths_of_anyones_machine() -> None:
    """Nothing in the tree depends on, or tells of, where it was made."""
    assert [str(p.relative_to(ROOT)) for p in tracked() if ELSEWHERE.search(p.read_bytes())] == []
