"""A headless Chromium of the system's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _lacking(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; a browser test is never skipped in CI", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright. Where either is missing the tests skip and say so; in CI they fail."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _lacking("playwright is not installed")
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        _lacking("no Chromium on the path (on Debian: apt-get install chromium)")
    with sync_playwright() as driver:
        # The sandbox refuses to run as root.
        launched = driver.chromium.launch(executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield launched
        launched.close()
