"""The status page in a real browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from monitoring.page.page_server import serve_page
from tests.monitoring.page.test_page_server import a_view, showing

pytestmark = pytest.mark.browser


PAGES = showing(a_view())
"""What the page shows; a test changes it."""


@pytest.fixture
def browser_page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "no Chromium: apt-get install chromium, or run with --without browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 900})
        yield page
        browser.close()


@pytest.fixture
def address() -> Iterator[str]:
    PAGES.show(a_view())
    server = serve_page(("127.0.0.1", 0), PAGES)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_the_page_shows_the_flow_and_asks_nobody_but_the_monitor(browser_page: Page, address: str) -> None:
    asked: list[str] = []
    errors: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    browser_page.on("pageerror", lambda error: errors.append(str(error)))
    browser_page.goto(address)
    assert browser_page.locator(".flow li").count() == 8
    assert browser_page.locator("svg.chart").count() == 2
    assert browser_page.locator("svg polyline.auc").bounding_box() is not None
    assert all(url.startswith(address) for url in asked), asked
    assert errors == []


def test_the_page_refreshes_itself(browser_page: Page, address: str) -> None:
    browser_page.goto(address)
    assert "can be trusted" in browser_page.locator(".headline").inner_text()
    PAGES.show(a_view(model=None))
    browser_page.wait_for_selector(".headline.ill", timeout=15_000)
    assert "no model has been admitted yet" in browser_page.locator(".headline").inner_text()


def test_the_page_can_be_read_on_a_phone(browser_page: Page, address: str, tmp_path: Path) -> None:
    browser_page.set_viewport_size({"width": 400, "height": 800})
    browser_page.goto(address)
    width = browser_page.evaluate("document.documentElement.scrollWidth")
    assert width <= 400
