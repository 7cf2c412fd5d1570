"""The system's headless Chromium without network: every request of a page is blocked and recorded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from tests.models.conftest import built_file  # noqa: F401 - a fixture

PAPER = {"light": "rgb(253, 252, 249)", "dark": "rgb(20, 23, 28)"}
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 180
# The publishers of prices alone: landed and loaded from what ships, in seconds.
LOAD_PRICES = """
from dagster import DagsterInstance
from pipelines.definitions import defs

with DagsterInstance.get() as instance:
    run = defs().resolve_job_def("prices_only").execute_in_process(instance=instance)
    assert run.success
"""


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
            args=[
                "--host-resolver-rules=MAP rebound.example.org 127.0.0.1",  # a name that an attacker points here
                *(["--no-sandbox"] if os.geteuid() == 0 else []),  # the sandbox refuses to run as root
            ],
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


@pytest.fixture(scope="session")
def ui_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the UI: Dagster's state in `dagster`, the warehouse in `warehouse`."""
    return tmp_path_factory.mktemp("ui")


@pytest.fixture(scope="session")
def ui(ui_home: Path) -> Iterator[str]:
    """Address of a UI with its own home, whose publishers of prices have been loaded."""
    folder = ui_home
    (folder / "dagster").mkdir()
    shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", folder / "dagster" / "dagster.yaml")
    environment = os.environ | {
        "DAGSTER_HOME": str(folder / "dagster"),
        "METALS_WAREHOUSE_DIR": str(folder / "warehouse"),
        "METALS_OFFLINE": "true",
        "METALS_NOW": "2026-08-21T22:30:00+00:00",
        "PYTHONWARNINGS": "ignore",
    }
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD_PRICES],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "ui", "--port", str(port)],
            cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not _answers(address):
                assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
                assert time.monotonic() < deadline, (folder / "log").read_text(encoding="utf-8")
                time.sleep(0.5)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/server_info", timeout=5) as response:  # noqa: S310 - loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
