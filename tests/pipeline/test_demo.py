"""The days of `make demo`: what its publishers print, what the project makes of it, and how the story is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.landing import Landing, land
from pipelines.settings import Settings
from pipelines.transform import history
from tests import demo

ASKED = ("fred", "eastmoney", "nbs")
EVIDENCE = "int_claim_c5__evidence"
REVISION, FAILURE, RECOVERY, FLIP = (step.day for step in demo.SCRIPT[1:])


@pytest.fixture(scope="module")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.Publishers]:
    with demo.Publishers(tmp_path_factory.mktemp("demo_upstream")) as running:
        yield running


@pytest.fixture(scope="module")
def newest() -> dict[date, date]:
    """By day of the script, the newest month that the build has of US unemployment; filled by `settings`."""
    return {}


@pytest.fixture(scope="module")
def settings(
    publishers: demo.Publishers, newest: dict[date, date], tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A build after the landing and loading of each day of the script, with the seeds."""
    folder = tmp_path_factory.mktemp("demo")
    catalog = catalogs.load(Settings().catalog_dir)
    for step in demo.SCRIPT:
        publishers.to(step.day, step.fault)
        settings = Settings(
            warehouse_dir=folder,
            bundled_dir=folder / "nothing_bundled",
            upstream_base_url=publishers.base_url,
            pacing=False,
            contact="metals-drivers tests tests@example.com",
            now=datetime.fromisoformat(demo.now(step.day)),
        )
        land([catalog.sources[s] for s in ASKED], sources.module, catalog, settings)
        with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
            warehouse.write_catalog(connection, catalog)
            for source in ASKED:
                landing = Landing(settings.landing_dir)
                ingest.load_source(connection, catalog.sources[source], sources.module(source), catalog, landing)
            query = "select max(period) from raw.observation where series_id = 'fred_unrate_pct'"
            [[newest[step.day]]] = connection.execute(query).fetchall()
    seeds = [n["name"] for n in transform.compiled(settings).values() if n["resource_type"] == "seed"]
    assert not any(result.failed for result in transform.build(settings, seeds))
    return settings


def _rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.build_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_revised_figure_is_kept_in_both_vintages(settings: Settings) -> None:
    (first, known), (second, revised) = _rows(
        settings,
        "select value, known_at from raw.observation where series_id = 'fred_indpro_index' "
        "and period = date '2026-06-01' order by known_at",
    )
    assert second == pytest.approx(first * demo.REVISION_FACTOR, abs=1e-6)
    assert (known.date() < REVISION, revised.date()) == (True, REVISION)


def test_the_failure_is_recorded_and_the_days_it_cost_come_with_the_recovery(
    settings: Settings, newest: dict[date, date]
) -> None:
    outcomes: dict[date, set[str]] = {}
    for day, outcome in _rows(
        settings, "select distinct cast(checked_at as date), outcome from raw.retrieval where source_id = 'fred'"
    ):
        outcomes.setdefault(day, set()).add(outcome)
    assert {day for day, found in outcomes.items() if "blocked" in found} == {FAILURE}
    assert "fresh" in outcomes[RECOVERY]
    # FRED printed September's unemployment rate on the Friday before the failure.
    assert (newest[REVISION], newest[FAILURE], newest[RECOVERY]) == (
        date(2026, 6, 1),
        date(2026, 6, 1),
        date(2026, 9, 1),
    )


def test_the_made_up_september_turns_one_decisive_indicator_of_c5_on_its_day(settings: Settings) -> None:
    steps = history.compiled(settings, [EVIDENCE])
    found = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{settings.build_path}' as build (read_only)")
        for day in (FLIP - timedelta(days=1), FLIP):
            with history.models_of(connection, steps, day):
                relation = next(step.relation for step in steps if step.name == EVIDENCE)
                schema = relation.replace('"', "").split(".")[-2]
                [found[day]] = connection.execute(
                    f"select round(value, 2), period from past.{schema}.{EVIDENCE} "
                    "where indicator = 'industrial_output_yoy_3m_mean_pct'"
                ).fetchall()
    # June 5.3, July 4.5 and August 5.2 as printed, then the made-up September: the bars of the rule are 4.5 and 3.6.
    assert list(found.values()) == [
        (pytest.approx((5.3 + 4.5 + 5.2) / 3, abs=0.005), date(2026, 8, 1)),
        (pytest.approx((4.5 + 5.2 + demo.SEPTEMBER_MADE_UP[0]) / 3, abs=0.005), date(2026, 9, 1)),
    ]


def test_the_story_runs_each_day_in_a_home_of_its_own_and_says_that_figures_are_made_up(
    publishers: demo.Publishers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", "warehouse")
    home = demo.Home(tmp_path / "a home with ü").make()
    calls: list[tuple[Any, ...]] = []

    def called(*arguments: str) -> int:
        assert not [name for name in home.environment if name.startswith("METALS_") and name[7:] != "SETTINGS_FILE"]
        with monkeypatch.context() as patch:
            patch.delenv("METALS_WAREHOUSE_DIR")
            patch.delenv("METALS_OVERLAY_DIR", raising=False)
            patch.setenv("METALS_SETTINGS_FILE", home.environment["METALS_SETTINGS_FILE"])
            settings = Settings()
        assert settings.warehouse_dir == home.warehouse
        assert settings.overlay_dir.is_relative_to(home.folder)
        assert settings.upstream_base_url == publishers.base_url
        calls.append((settings.as_of_date(), *arguments))
        return 0

    demo.tell(home, publishers, called)

    expected = [(step.day, *call) for step in demo.SCRIPT for call in (("run",), *step.look)]
    assert calls == expected
    said = capfd.readouterr().out
    assert said.startswith("DEMO ON MADE-UP FIGURES")
    assert max(len(line) for line in said.splitlines() if not line.startswith(("$", "  export"))) <= 80
    for step in demo.SCRIPT:
        assert f"{step.day}: {step.title}" in said

    with pytest.raises(SystemExit, match="metals run ended with 1"):
        demo.tell(home, publishers, lambda *_: 1)


def test_a_new_demo_removes_its_last_home_and_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").touch()
    with pytest.raises(SystemExit, match="holds something else"):
        demo.Home(other).make()
    assert (other / "thesis.txt").exists()

    with demo.Publishers(tmp_path / "upstream") as publishers:
        demo.Home(tmp_path / "home").make().set(publishers, FLIP)
    kept = tmp_path / "home" / "made_up_figures"
    kept.mkdir()
    demo.Home(tmp_path / "home").make()
    assert not kept.exists()
