"""Shared fixtures: the shipped upstream, the recorded payloads, and their replay; no skips in CI."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock

from pipelines import text
from tests import shipped_upstream
from tests.recordings import folders
from tests.replay import Replay

# Files and folders whose tests take a minute or more: they start first, the many quick ones fill the gaps at the end.
_LONGEST_FIRST = (
    "tests/pipeline/test_daily_run.py",
    "tests/pipeline/test_bundled_run.py",
    "tests/pipeline/test_endurance.py",
    "tests/faults/test_processes.py",
    "tests/models",
    "tests/browser",
    "tests/pipeline",
    "tests/faults",
)
_skipped_recorded: list[str] = []
# The developer's own entries and settings are not what is tested.
os.environ["METALS_OVERLAY_DIR"] = "tests/no_overlay"
os.environ["METALS_SETTINGS_FILE"] = "tests/no_settings.env"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three for two cores: a fifth of the time, a test waits for a server, a time-out or another process.

    With `-n logical`, as `make check` has it, one for each core: those tests seldom wait, and a worker that starts
    imports for ten seconds.
    """
    cores = os.cpu_count() or 1
    return max(2, cores if config.option.numprocesses == "logical" else 3 * cores // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(path)), len(_LONGEST_FIRST))

    items.sort(key=rank)


def once_for_all_workers(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` of this test session, with what `make` has written into it, whichever worker was first."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The upstream that ships with the tests, in the form of the recordings; written once for all workers."""
    return once_for_all_workers(tmp_path_factory, "shipped_upstream", shipped_upstream.write)


@pytest.fixture(scope="session")
def recordings() -> list[Path]:
    """The folders of recorded payloads. Where there is none, tests that need them skip; in CI they fail."""
    found = folders()
    if not found:
        _not_here("no recorded payloads (METALS_TEST_UPSTREAM names their folders)")
    return found


@pytest.fixture(scope="session")
def cases(recordings: list[Path]) -> Path:
    """The folder of inputs that once came out wrong, beside the recorded payloads; as `recordings` without it."""
    folder = recordings[0].parent / "cases"
    if not folder.is_dir():
        _not_here(f"no {folder}")
    return folder


def _not_here(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def upstream(recordings: list[Path]) -> Path:
    """The first folder of recorded payloads."""
    return recordings[0]


@pytest.fixture(scope="session")
def payloads(shipped: Path) -> Path:
    """The first folder of recorded payloads, or where there is none the upstream that ships.

    For what holds of both: the bundled figures are the same in each.
    """
    return next(iter(folders()), shipped)


@pytest.fixture(scope="session")
def every_payload(shipped: Path) -> list[Path]:
    """The folders of recorded payloads, or where there is none the upstream that ships."""
    return folders() or [shipped]


@pytest.fixture(scope="session")
def manifest(upstream: Path) -> list[dict[str, Any]]:
    """One dict per payload of the first folder: file, publisher, url, retrieved_at, fidelity, licence and more."""
    entries: list[dict[str, Any]] = json.loads((upstream / "manifest.json").read_text(encoding="utf-8"))
    return entries


@pytest.fixture(autouse=True)
def no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets stay hidden while a process lives; the made-up ones of one test are words in another."""
    monkeypatch.setattr(text, "_secrets", set())


@pytest.fixture
def replay(shipped: Path) -> Iterator[Replay]:
    """The publishers on a loopback port of their own (`replay.base_url`), fed with the upstream that ships."""
    with Replay(shipped) as running:
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
