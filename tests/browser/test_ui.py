"""The Dagster UI as a user opens it: `metals ui`, in headless Chromium on the loopback address."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conventions.test_asset_graph import PUBLISHER_GROUPS

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 180
LOOK_TIMEOUT_MS = 90_000
# The publishers of prices alone: landed and loaded from what ships, in seconds.
LOAD_PRICES = """
from dagster import DagsterInstance
from pipelines.definitions import defs

with DagsterInstance.get() as instance:
    run = defs.resolve_job_def("prices_only").execute_in_process(instance=instance)
    assert run.success
"""


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a UI with its own home, whose publishers of prices have been loaded."""
    folder = tmp_path_factory.mktemp("ui")
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


@pytest.fixture
def page(browser: Any, ui: str) -> Iterator[Any]:
    """A page of the UI; whatever the browser complains of fails the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, base_url=ui)
    opened = context.new_page()
    opened.set_default_timeout(LOOK_TIMEOUT_MS)
    complaints: list[str] = []
    opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: complaints.append(str(e)))
    yield opened
    context.close()
    assert complaints == []


def test_the_asset_graph_shows_every_group(page: Any) -> None:
    page.goto("/asset-groups")
    for group in [*sorted(PUBLISHER_GROUPS), "staging", "drivers", "divergences", "thesis", "published"]:
        page.get_by_text(group, exact=True).first.wait_for()


def test_an_assets_page_shows_its_metadata_owner_terms_and_picture(page: Any) -> None:
    page.goto("/assets/raw/worldbank_pink_sheet")
    page.get_by_text("9,444").first.wait_for()  # rows that ship; 12 series, 11 of them since January 1960
    for text in ("last_period", "2026-05-01", "CC BY 4.0", "world-bank", "DuckDB", "prices_only"):
        page.get_by_text(text, exact=True).first.wait_for()
    page.get_by_role("link", name="https://www.worldbank.org/en/research/commodity-markets").first.wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    drawn = page.locator("img[alt^='Aluminium, monthly average, usd_per_tonne']")
    drawn.wait_for()
    assert drawn.evaluate("image => image.complete && image.naturalWidth") == 320


def test_a_failed_check_says_what_failed(page: Any) -> None:
    page.goto("/assets/raw/worldbank_pink_sheet?view=checks&checkDetail=fresh")
    # May 2026 ended 82 days before the run's day; the catalogue's limit is 50.
    page.get_by_text("wb_aluminium_usd_per_tonne: 82 days, limit 50").first.wait_for()
