"""What all tests stand on: the recorded payloads, the replay of the publishers, and that CI skips no recorded test."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.replay import Replay

REPOSITORY = Path(__file__).resolve().parents[1]
_skipped_recorded: list[str] = []


@pytest.fixture(scope="session")
def upstream() -> Path:
    """The folder of recorded payloads. Where it is absent, tests that need it skip; in CI they fail."""
    folder = Path(os.environ.get("METALS_TEST_UPSTREAM") or REPOSITORY.parent / "shared" / "upstream").resolve()
    if not (folder / "manifest.json").is_file():
        reason = f"no recorded payloads in {folder} (METALS_TEST_UPSTREAM names another folder)"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def manifest(upstream: Path) -> list[dict[str, Any]]:
    """One dict per recorded payload: file, publisher, url, retrieved_at, fidelity, licence, sha256 and more."""
    entries: list[dict[str, Any]] = json.loads((upstream / "manifest.json").read_text(encoding="utf-8"))
    return entries


@pytest.fixture
def replay(upstream: Path) -> Iterator[Replay]:
    """The publishers on a loopback port of their own (`replay.base_url`), fed with the recorded payloads."""
    with Replay(upstream) as running:
        yield running


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "recorded" in report.keywords and not hasattr(report, "wasxfail"):
        _skipped_recorded.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # A green run that read no recorded payload has shown nothing.
    if os.environ.get("CI") and _skipped_recorded and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("CI") and _skipped_recorded:
        terminalreporter.section("recorded tests skipped in CI: the run fails")
        for nodeid in _skipped_recorded:
            terminalreporter.line(nodeid)
