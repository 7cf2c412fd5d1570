"""A fixture of three publishers over real HTTP, day after day, with what a user sees of each."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from dagster import AssetCheckResult

from pipelines import catalog as catalogs
from pipelines import ingest, sources, warehouse
from pipelines.audit import checks
from pipelines.catalog import Catalog
from pipelines.landing import Landing, Retrieval, land
from pipelines.orchestration.assets import landed, raw
from pipelines.reporting import status
from pipelines.settings import Settings
from tests.replay import Replay

MONDAY = datetime(2026, 8, 17, 22, 30)  # noqa: DTZ001 - UTC without a zone, as the warehouse stores it
SERIES = (
    "fred_fedfunds_pct",
    "cn_ppi_yoy_pct",
    "cn_ppi_index_same_month_last_year_100",
    "imf_copper_usd_per_tonne",
    "imf_gold_usd_per_troy_ounce",
)
PUBLISHERS = ("fred", "eastmoney", "imf_pcps")
FEDFUNDS = "https://fred.stlouisfed.org/graph/fredgraph.csv?id=FEDFUNDS"
PPI = "https://datacenter-web.eastmoney.com/api/data/v1/get?reportName=RPT_ECONOMY_PPI"
COPPER = "https://api.imf.org/external/sdmx/3.0/data/dataflow/IMF.RES/PCPS/+/G001.PCOPP.USD.M"


def said_of(check: AssetCheckResult) -> str:
    """What a check says; its description says the same as Markdown."""
    return str(check.metadata["said"].value)


@dataclass
class Day:
    """What one run brought: journal lines, load reports, and the asset checks as the UI shows them, by publisher."""

    landed: dict[str, list[Retrieval]]
    reports: dict[str, ingest.Report] = field(default_factory=dict)
    answered: dict[str, AssetCheckResult] = field(default_factory=dict)
    contract_held: dict[str, AssetCheckResult] = field(default_factory=dict)
    fresh: dict[str, AssetCheckResult] = field(default_factory=dict)

    def outcomes(self, source: str) -> list[str]:
        return [c.outcome for c in self.landed[source]]

    def said(self, source: str) -> str:
        """Everything that the asset checks of a publisher say."""
        return " | ".join(
            said_of(check) for check in (self.answered[source], self.contract_held[source]) if not check.passed
        )


class Desk:
    """A warehouse of its own under `folder`, fed by the replay."""

    def __init__(self, replay: Replay, folder: Path, catalog: Catalog) -> None:
        self.replay, self.catalog = replay, catalog
        self.now: datetime | None = None
        self._closing = contextlib.ExitStack()
        self._opened: duckdb.DuckDBPyConnection | None = None
        self.settings = Settings(
            warehouse_dir=folder,
            upstream_base_url=replay.base_url,
            contact="A Tester tester@example.org",
            pacing=False,
            connect_timeout_s=1,
            read_timeout_s=1,
            total_timeout_s=2,
        )

    @contextlib.contextmanager
    def _build(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on the build, which is opened once: the many small questions would each open it anew."""
        if self._opened is None:
            self._opened = self._closing.enter_context(warehouse.writer(self.settings))
        with self._opened.cursor() as cursor:
            yield cursor

    def close(self) -> None:
        self._closing.close()

    def run(self, days_later: int = 1) -> Day:
        """Ask, land and load, so many days after the last time (the first time is MONDAY)."""
        self.now = self.now + timedelta(days=days_later) if self.now else MONDAY
        self.settings = settings = self.settings.model_copy(update={"now": self.now})
        asked = list(self.catalog.sources.values())
        done = Day(land(asked, sources.module, self.catalog, settings, ingest.refused_payloads(settings)))
        with self._build() as connection:
            warehouse.write_catalog(connection, self.catalog)
            for source in asked:
                report = ingest.load_source(
                    connection, source, sources.module(source.id), self.catalog, Landing(settings.landing_dir)
                )
                held = raw._held(connection, source)
                done.reports[source.id] = report
                done.answered[source.id] = landed._answered(source, done.landed[source.id])
                done.contract_held[source.id] = raw._contract_held(connection, source, held, report)
                done.fresh[source.id] = raw._fresh(source, self.catalog, held, settings.as_of_date())
        return done

    def check_again(self, source_id: str) -> AssetCheckResult:
        """The check `contract_held` run alone, as from the UI: nothing is asked and nothing is new."""
        with self._build() as connection:
            source = self.catalog.sources[source_id]
            return raw._contract_held(connection, source, raw._held(connection, source), ingest.Report())

    def summary(self, day: Day, source_id: str) -> str:
        """What the summary of a run says of a publisher."""
        with self._build() as connection:
            found = {s["source_id"]: s for s in status.sources(connection)}
        return status.retrieval_outcome(Counter(day.outcomes(source_id)), found[source_id])

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self._build() as connection:
            return connection.execute(sql).fetchall()

    def figures(self, series: str) -> dict[date, float]:
        """The last known figure of each period."""
        found = self.rows(
            f"select period, arg_max(value, known_at) from raw.observation where series_id = '{series}' group by period"
        )
        return {period: value for period, value in found}  # type: ignore[misc]

    def everything(self) -> dict[str, dict[date, float]]:
        return {series: self.figures(series) for series in self.catalog.series}

    def body(self, key: str) -> bytes:
        """The bytes that came first under a request's key."""
        landing = Landing(self.settings.landing_dir)
        found = (c.payload_id for source in self.catalog.sources for c in landing.retrievals(source) if c.key == key)
        payload_id = next(found)
        assert payload_id is not None
        return landing.get(payload_id)

    def quarantined(self) -> list[tuple[object, ...]]:
        """(series, row, reason) of what the last run put into quarantine."""
        return self.rows(
            f"select series_id, row, reason from raw.quarantine where quarantined_at >= '{self.now}' order by all"
        )

    def finding(self, name: str) -> checks.Finding:
        with self._build() as connection:
            return checks.CHECKS[name](connection, self.settings)


@pytest.fixture(scope="session")
def small_catalog() -> Catalog:
    """Three publishers and five of their series, as the catalogue has them."""
    whole = catalogs.load(Settings().catalog_dir)
    return Catalog(
        [whole.sources[name] for name in PUBLISHERS],
        [whole.series[name] for name in SERIES],
        [],
        whole.metals.values(),
        (),
        (),
        [c for c in whole.corrections.values() if c.series in SERIES],
    )


@pytest.fixture(autouse=True)
def _no_waiting_between_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 sleeps between its attempts; how long is tested with landing."""
    monkeypatch.setattr("urllib3.util.retry.time.sleep", lambda seconds: None)


@pytest.fixture(autouse=True)
def _a_clock_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has a time of its own, as with the clock of a machine."""
    clock, ticks = Settings.clock, itertools.count()
    monkeypatch.setattr(Settings, "clock", lambda self: clock(self) + next(ticks) * timedelta(milliseconds=250))


@pytest.fixture(scope="module")
def standing_desk(shipped: Path, tmp_path_factory: pytest.TempPathFactory, small_catalog: Catalog) -> Iterator[Desk]:
    """One desk for the tests of a module, each a few days later than the one before; begun with a good day."""
    with Replay(shipped, MONDAY) as running:
        desk = Desk(running, tmp_path_factory.mktemp("desk"), small_catalog)
        first = desk.run()
        assert all(check.passed for check in (*first.answered.values(), *first.contract_held.values()))
        yield desk
        desk.close()


@pytest.fixture
def desk(replay: Replay, tmp_path: Path, small_catalog: Catalog) -> Iterator[Desk]:
    replay.now = MONDAY
    with contextlib.closing(Desk(replay, tmp_path, small_catalog)) as desk:
        yield desk
