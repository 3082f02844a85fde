"""The report in a real browser: what axe-core says of it, that it asks for nothing, and what a hostile capture can do there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from rmitrace.__main__ import main
from tests.rmitrace import hostile
from tests.rmitrace.hostile import CAPTURES, NAME

CONNECT = [str(CAPTURES / "ftrace" / "pdev-connect.trace.txt"), str(CAPTURES / "mixed" / "rme-uart0.log")]
CORRUPT = [str(CAPTURES / "rmm" / "tf-rmm-head-corrupt5.calls.jsonl.xz")]
GOOD = [str(CAPTURES / "rmm" / "tf-rmm-mid-nominal.calls.jsonl.xz")]
PACKETS = [str(CAPTURES / "spdm" / "err_v12_busy_measurements.pcap")]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
"""Without a sandbox, because CI is root; without the browser's own traffic."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium as `make tools` installs it."""
    found = next((p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None)
    if found is None:
        assert not os.environ.get("CI"), "CI needs chromium (make tools)"
        pytest.skip("chromium is not installed")
    with sync_playwright() as p:
        opened = p.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


def written(tmp_path: Path, *arguments: str) -> Path:
    out = tmp_path / "report.html"
    assert main(["report", *arguments, "-o", str(out)]) in (0, 3)
    return out


def loaded(browser: Browser, path: Path, *, script: bool = True, width: int = 1280, dark: bool = False) -> tuple[Page, list[str]]:
    """The page, and everything that it asked for, said or opened."""
    context = browser.new_context(
        java_script_enabled=script, viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    context.set_default_timeout(180_000)  # machines that test are busy
    seen: list[str] = []
    page.on("request", lambda r: seen.append(f"request {r.url}"))
    page.on("console", lambda m: seen.append(f"console {m.text}"))
    page.on("pageerror", lambda e: seen.append(f"error {e}"))
    page.on("dialog", lambda d: (seen.append(f"dialog {d.message}"), d.dismiss()))
    context.on("page", lambda p: seen.append("page") if p != page else None)
    page.goto(path.as_uri())
    page.wait_for_load_state("networkidle")
    return page, [s for s in seen if s != f"request {path.as_uri()}"]


@pytest.mark.parametrize(
    ("capture", "dark"),
    [(CONNECT, False), (CONNECT, True), (CORRUPT, True), (GOOD, False), (PACKETS, True)],
    ids=["connect-light", "connect-dark", "corrupt-dark", "good-light", "packets-dark"],
)
def test_axe_has_nothing_to_say(browser: Browser, tmp_path: Path, capture: list[str], dark: bool) -> None:
    page, said = loaded(browser, written(tmp_path, *capture), dark=dark)
    assert said == []
    page.evaluate("document.querySelectorAll('details').forEach((d, i) => { if (i % 25 == 0) d.open = true })")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found] == []
    page.context.close()


@pytest.mark.parametrize("width", [400, 1280])
def test_without_script_and_network_and_on_a_phone(browser: Browser, tmp_path: Path, width: int) -> None:
    page, said = loaded(browser, written(tmp_path, *CONNECT), script=False, width=width)
    assert said == []
    assert page.locator("h1").inner_text().startswith("RMI_PDEV_COMMUNICATE")
    assert page.locator("svg").is_visible()
    first = page.locator(".verdict").bounding_box()
    assert first is not None
    assert first["y"] < 250
    page.locator("body").click()
    page.keyboard.press("Tab")
    assert page.locator(".skip").is_visible()
    page.locator("#calls ~ details summary").first.click()
    assert page.locator("#calls ~ details[open] .tree").first.is_visible()
    body = page.locator("body").bounding_box()
    assert body is not None
    assert body["width"] <= width
    assert page.locator("#call-53 pre").first.is_visible()  # the call that failed is open
    page.context.close()


def test_prints(browser: Browser, tmp_path: Path) -> None:
    page, _ = loaded(browser, written(tmp_path, *CONNECT), script=False)
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    page.context.close()


@pytest.mark.parametrize(
    ("name", "redact"),
    [("trace", "none"), ("console", "all"), ("uart", "none"), ("emulator_run", "none"), ("conversation", "all")],
)
def test_a_hostile_capture_does_nothing(browser: Browser, tmp_path: Path, name: str, redact: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(getattr(hostile, name)())
    page, said = loaded(browser, written(tmp_path, "--redact", redact, str(path)))
    assert said == []
    tags = set(page.evaluate("[...new Set([...document.querySelectorAll('*')].map(e => e.localName))]"))
    assert tags <= hostile.HTML_TAGS
    attributes = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name + '=' + a.value))"
    )
    assert not [a for a in attributes if a.startswith(("on", "src=", "style="))]
    assert not [a for a in attributes if a.startswith(("href=", "xlink:href=")) and not a.split("=", 1)[1].startswith("#")]
    page.context.close()
