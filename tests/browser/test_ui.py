"""The Dagster UI as a user opens it: `metals ui`, in headless Chromium on the loopback address."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conventions.test_asset_graph import PUBLISHER_GROUPS

LOOK_TIMEOUT_MS = 90_000
REPOSITORY = Path(__file__).resolve().parents[2]
SMALL_FILES_BYTES = 12_000_000  # smaller than the build, larger than Dagster's records
REEXECUTE = """
    mutation($of: ReexecutionParams) { launchRunReexecution(reexecutionParams: $of) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    } }
"""
TERMINATE = """
    mutation($run: String!) { terminateRun(runId: $run, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename } }
"""


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
    page.get_by_text("9,456").first.wait_for()  # rows that ship; 12 series, 11 of them since January 1960
    for text in ("last_period", "2026-06-01", "CC BY 4.0", "world-bank", "DuckDB", "prices_only"):
        page.get_by_text(text, exact=True).first.wait_for()
    page.get_by_role("link", name="https://www.worldbank.org/en/research/commodity-markets").first.wait_for()
    page.get_by_text("[Show Markdown]").first.click()
    drawn = page.locator("img[alt^='Aluminium, monthly average, usd_per_tonne']")
    drawn.wait_for()
    assert drawn.evaluate("image => image.complete && image.naturalWidth") == 320


def test_a_failed_check_says_what_failed(page: Any) -> None:
    page.goto("/assets/raw/worldbank_pink_sheet?view=checks&checkDetail=fresh")
    # June 2026 ended 52 days before the run's day; the catalogue's limit is 50.
    page.get_by_text("wb_aluminium_usd_per_tonne: 52 days, limit 50").first.wait_for()


def test_a_run_of_the_command_that_fails_is_listed_under_its_job_and_can_be_executed_again(
    page: Any, ui: str, ui_home: Path
) -> None:
    environment = os.environ | {
        "DAGSTER_HOME": str(ui_home / "dagster"),
        "METALS_WAREHOUSE_DIR": str(ui_home / "of_the_command"),
        "METALS_NOW": "2026-08-21T22:30:00+00:00",
    }
    failed = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--offline"],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILES_BYTES, SMALL_FILES_BYTES)),
    )  # fmt: skip
    assert failed.returncode == 1
    assert "File too large" in failed.stderr

    page.goto("/locations/metals-drivers/jobs/daily/runs")
    page.get_by_text("Failure", exact=True).first.wait_for()
    link = page.locator("a[href^='/runs/']").first
    run_id = link.get_attribute("href").removeprefix("/runs/").partition("?")[0]
    launched = _asked(ui, REEXECUTE, {"of": {"parentRunId": run_id, "strategy": "FROM_FAILURE"}})[
        "launchRunReexecution"
    ]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    ended = _asked(ui, TERMINATE, {"run": launched["run"]["runId"]})
    assert ended["terminateRun"]["__typename"] == "TerminateRunSuccess"


def _asked(ui: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{ui}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LOOK_TIMEOUT_MS / 1000) as answer:  # noqa: S310
        data: dict[str, Any] = json.load(answer)["data"]
    return data
