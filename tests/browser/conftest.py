"""The system's headless Chromium without network: every request of a page is blocked and recorded."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.models.conftest import built_file  # noqa: F401 - a fixture

PAPER = {"light": "rgb(253, 252, 249)", "dark": "rgb(20, 23, 28)"}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium. Where there is none the tests skip and say how to get it; in CI they fail."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        reason = "no Chromium on the path (on Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],  # the sandbox refuses to run as root
        )
        yield launched
        launched.close()


@dataclass
class Seen:
    """A page in the browser, with what it said on the console and what it asked the network for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def all_drawn(self) -> None:
        """Wait until every chart is drawn."""
        self.page.locator(".plot:not([data-drawn])").first.wait_for(state="detached", timeout=120_000)

    def papers(self) -> list[str]:
        """The background of each chart."""
        found: list[str] = self.page.locator(".plot").evaluate_all(
            "plots => plots.map(p => getComputedStyle(p.querySelector('svg.main-svg')).backgroundColor)"
        )
        return found

    def dress(self, scheme: Literal["light", "dark"]) -> None:
        """Turn the screen light or dark and wait until every chart has followed."""
        self.page.emulate_media(color_scheme=scheme)
        until = time.monotonic() + 120
        while set(self.papers()) != {PAPER[scheme]} and time.monotonic() < until:
            time.sleep(0.1)
        assert set(self.papers()) == {PAPER[scheme]}


@pytest.fixture(scope="session")
def look(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """Opens a file from disk: width and height in CSS pixels, `scheme` light or dark."""
    contexts: list[BrowserContext] = []

    def opened(path: Path, width: int = 1280, height: int = 900, scheme: str = "light") -> Seen:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            offline=True,
        )
        contexts.append(context)
        seen = Seen(context.new_page())

        def refuse(route: Route) -> None:
            if route.request.url.startswith(("file://", "data:")) and route.request.is_navigation_request():
                route.continue_()
            else:
                seen.asked.append(route.request.url)
                route.abort()

        context.route("**/*", refuse)
        seen.page.on("console", lambda message: seen.said.append(f"{message.type}: {message.text}"))
        seen.page.on("pageerror", lambda error: seen.said.append(f"error: {error}"))
        seen.page.goto(path.as_uri())
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def browser_without_scripts(browser: Browser) -> Iterator[Callable[[Path], str]]:
    """The text of a file in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False, offline=True)

    def text(path: Path) -> str:
        page = context.new_page()
        page.goto(path.as_uri())
        return page.inner_text("body")

    yield text
    context.close()
