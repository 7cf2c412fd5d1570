"""Small soak tests, after `tests/endurance`: kills, a restore from landing, two weeks of days, two machines."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines.settings import Settings
from tests.endurance import machines, verdicts
from tests.endurance.kills import HISTORY, LANDING, PUBLISH, Soak, rebuilt_from_landing
from tests.endurance.publishers import ASKED
from tests.endurance.readers import Readers
from tests.endurance.year import Calendar, Simulation
from tests.pipeline.conftest import REPOSITORY

# One of each stage. `tests/faults/test_processes.py` kills at every point of a publication, `tests/endurance` hundreds.
KILLS = (
    (HISTORY, "history"),
    (PUBLISH, "rename"),
    (LANDING, "landing"),
    (LANDING, "load"),
)


@pytest.fixture(scope="module")
def soak(shipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Soak:
    """A home after a whole run, four kills with readers at work, and another whole run."""
    soak = Soak(tmp_path_factory.mktemp("soak"), shipped, seed=7)
    try:
        soak.run_whole()
        with Readers(soak.published, opening=1) as readers:
            for what, within in KILLS:
                if what == LANDING:
                    soak.tomorrow()
                if what == HISTORY:
                    soak.months += 1
                soak.kill(what, within)
            soak.tomorrow()
            soak.run_whole()
        soak.readers, soak.last_environment = readers, soak.environment()
    finally:
        soak.close()
    return soak


def test_kills_lose_nothing_double_nothing_and_publish_nothing_half(soak: Soak) -> None:
    assert soak.wrong == []
    assert soak.killed.total() + soak.escaped == len(KILLS)
    assert soak.killed.total() >= 3, soak.told()
    assert rebuilt_from_landing(soak) == []


def test_readers_were_answered_all_the_time(soak: Soak) -> None:
    assert soak.readers is not None
    assert soak.readers.wrong == []
    assert soak.readers.times > 50
    assert len(soak.readers.seen) >= 2


def test_a_warehouse_is_restored_from_landing_equal_in_content(soak: Soak) -> None:
    """Build and published file gone: a run that asks nobody makes the same tables again."""
    before = verdicts.contents(soak.published)
    assert len([name for name in before if name.startswith("main.")]) > 40
    assert before["raw.observation"][0] > 50_000
    soak.published.unlink()
    soak.build.unlink()
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "run", "--offline", *(w for s in ASKED for w in ("--only", s))],
        cwd=REPOSITORY,
        env={**os.environ, **soak.last_environment, "METALS_UPSTREAM_BASE_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    after = verdicts.contents(soak.published)
    skipped = {f"raw.{table}" for table in verdicts.ABOUT_THE_RUN - verdicts.HISTORY}
    assert {t: c for t, c in after.items() if t not in skipped} == {t: c for t, c in before.items() if t not in skipped}


def test_two_weeks_day_by_day_leave_what_a_load_at_once_leaves(shipped: Path, tmp_path: Path) -> None:
    """Two days on which the World Bank answers 403, a figure that is gone for a week, first prints that are revised."""
    catalog = catalogs.load(Settings().catalog_dir)
    with Calendar(shipped, catalog) as calendar:
        weeks = Simulation(tmp_path, calendar, catalog, date(2026, 2, 2), date(2026, 2, 17), with_models=False)
        assert len(list(weeks.live())) == 1
        assert weeks.unexplained() == []
        assert weeks.failed_days == {(date(2026, 2, day), "worldbank_pink_sheet") for day in (2, 3)}
        assert weeks.differs_from_at_once() == []
        revised, rows = weeks.vintages()
    assert revised >= 2
    assert rows > 50_000


def test_two_machines_that_share_landing_lose_nothing_and_load_every_line_once(tmp_path: Path, shipped: Path) -> None:
    counts, wrong = machines.soak(tmp_path, [shipped], days=1)
    assert wrong == []
    assert counts["requests that both sent on a day"] > 0
    assert counts["lines"] > counts["payloads"] > 0
