"""The daily job over real HTTP with every publisher switched on: four default sources fail and their fallbacks are
used; a day later all respond. Then the resulting warehouse: readers, as-of builds, blocked publication, lineage.

Some responses of the replay are made of another publisher's figures (the Board's and most of the Treasury's are FRED's,
the prices of China's statistics office are eastmoney's): there, a difference of zero tests the path from payload to
table, not the agreement of two publishers.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from pytest_httpserver import HTTPServer

from pipelines import catalog as catalogs
from pipelines import transform
from pipelines.landing import Landing, Retrieval
from pipelines.settings import Settings
from tests.brief_page import differences, read
from tests.lineage import FROM_FILINGS, followed, marts
from tests.models.test_discrete_quarters import assert_golden_quarters
from tests.pipeline.conftest import Home
from tests.replay import Replay

FIRST, SECOND = "2026-08-21T22:30:00+00:00", "2026-08-22T22:30:00+00:00"
FAILING = {  # source: the host of its figures
    "federal_reserve": "www.federalreserve.gov",
    "fiscal_data": "api.fiscaldata.treasury.gov",
    "nbs": "data.stats.gov.cn",
    "worldbank_pink_sheet": "thedocs.worldbank.org",
}
DEFAULT_SOURCE = {
    "us_fed_funds_pct": "federal_reserve",
    "us_deficit_usd": "fiscal_data",
    "china_ppi_yoy_pct": "nbs",
    "copper_usd_per_tonne": "worldbank_pink_sheet",
}
# Indicator, period: the fallback's figure, its series and source. Of the IMF's workbook the figures are made up.
FALLBACK = {
    ("us_fed_funds_pct", date(2026, 7, 1)): (3.63, "fred_fedfunds_pct", "fred"),
    # FRED prints -257450.34319191 millions: there a deficit is negative.
    ("us_deficit_usd", date(2024, 10, 1)): (257450343191.91, "fred_mtsds133fms_usd_millions", "fred"),
    ("china_ppi_yoy_pct", date(2026, 7, 1)): (3.5, "cn_ppi_yoy_pct", "eastmoney"),
    ("china_ppi_yoy_pct", date(2009, 1, 1)): (-3.4, "cn_ppi_yoy_pct", "eastmoney"),
    ("copper_usd_per_tonne", date(2025, 6, 1)): (9861.156689, "imf_copper_usd_per_tonne", "imf_pcps"),
}
# The same periods a day later, as the defaults publish them.
DEFAULT = {
    ("us_fed_funds_pct", date(2026, 7, 1)): (3.63, "frb_fed_funds_pct", "federal_reserve"),
    ("us_deficit_usd", date(2024, 10, 1)): (257450036967.21, "tsy_deficit_usd", "fiscal_data"),
    ("china_ppi_yoy_pct", date(2026, 7, 1)): (3.5, "nbs_ppi_yoy_pct", "nbs"),
    ("china_ppi_yoy_pct", date(2009, 1, 1)): (-3.3, "nbs_ppi_yoy_pct", "nbs"),  # of the index 96.7
    ("copper_usd_per_tonne", date(2025, 6, 1)): (9835.07, "wb_copper_usd_per_tonne", "worldbank_pink_sheet"),
}
CENSUS = "api.census.gov/data/timeseries/intltrade/imports/hs"
WITHOUT_ROWS = {"sec_financial_statements"}  # switched off: METALS_SEC_BULK_HISTORY is not set

# The user's key of the Census Bureau in these runs. Looked for in everything that they leave behind.
OWN_KEY = "fedcba9876543210fedcba9876543210fedcba98"

METALS = ("copper", "gold", "silver", "platinum", "palladium")
NET_NON_COMMERCIAL = {  # long minus short, contracts, worked out by hand from the recorded weekly files
    date(2026, 4, 7): (40227, 156305, 23417, 18038, -1393),
    date(2026, 6, 9): (74450, 173837, 22214, 15012, -2964),
    date(2026, 6, 23): (71620, 181339, 23751, 15095, -3256),
    date(2026, 7, 7): (64272, 194246, 28015, 13872, -4658),
    date(2026, 8, 4): (77123, 197634, 22280, 14761, -4335),
}
NEVER_CAPTURED = (date(2026, 6, 16), date(2026, 6, 30))

# A process that asks the published file until told to stop; prints how often, each answer it saw, and each error.
READER = """
import json, pathlib, sys, time, duckdb
mode, path, stop = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
question = "select (select max(month) from driver_china_cycle)::varchar, (select count(*) from raw.observation)"
answers, errors, times = [], [], 0
held = duckdb.connect(path, read_only=True) if mode == "held" else None
while not stop.exists():
    try:
        connection = held or duckdb.connect(path, read_only=True)
        answer = list(connection.execute(question).fetchall()[0])
        if answer not in answers:
            answers.append(answer)
        if held is None:
            connection.close()
        times += 1
    except duckdb.Error as error:
        errors.append(str(error))
    time.sleep(0.2)
print(json.dumps({"times": times, "answers": answers, "errors": errors}))
"""


def _reader(mode: str, path: Path, stop: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", READER, mode, str(path), str(stop)], stdout=subprocess.PIPE, text=True
    )


@dataclass(frozen=True)
class Published:
    """The home of both runs, a copy of the file that the first published, what the replay was asked then, what each run
    printed, what two readers saw during the second, and what the webhook was sent.
    """

    home: Home
    first: Path
    requests: dict[str, int]
    said: tuple[str, str]
    seen: dict[str, Any]
    sent: list[Any]

    @property
    def second(self) -> Path:
        return self.home.published


@pytest.fixture(scope="module")
def own_replay(shipped: Path) -> Iterator[Replay]:
    """A replay that no other file's tests see: faults are set in it."""
    with Replay(shipped, FIRST) as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        server.expect_request("/hook", method="POST").respond_with_data("ok")
        yield server


@pytest.fixture(scope="module")
def runs(
    shipped: Path,
    own_replay: Replay,
    hook: HTTPServer,
    new_home: Callable[..., Home],
    tmp_path_factory: pytest.TempPathFactory,
) -> Published:
    """Two runs a day apart, nothing bundled. In the first, four default publishers answer 503 to everything.

    While the second run is on, one reader holds the file it opened before, and another opens it anew all the time.
    """
    home = new_home(
        METALS_UPSTREAM_BASE_URL=own_replay.base_url,
        METALS_BUNDLED_DIR=str(tmp_path_factory.mktemp("no_bundle")),
        METALS_PACING="false",
        METALS_PERSONAL_USE="true",
        METALS_CENSUS_KEY=OWN_KEY,
        ALERT_WEBHOOK_URL=hook.url_for("/hook"),
    )
    _land_earlier_weeks(home, shipped)
    own_replay.documents = [_document(date(2026, 7, 30))]
    for host in FAILING.values():
        own_replay.fault(host, "503")
    own_replay.fault(f"{CENSUS}?I_COMMODITY=7404", "500_html")
    first = home.metals("run", METALS_NOW=FIRST)
    assert first.returncode == 0, first.stdout + first.stderr
    requests = {source: len(own_replay.requests_to(host)) for source, host in FAILING.items()}
    kept = home.folder / "first.duckdb"
    shutil.copy(home.published, kept)

    own_replay.mend()
    own_replay.now = SECOND
    stop = home.folder / "stop"
    readers = {mode: _reader(mode, home.published, stop) for mode in ("held", "opened")}
    second = home.metals("run", METALS_NOW=SECOND)
    stop.touch()
    seen = {mode: json.loads(process.communicate(timeout=60)[0]) for mode, process in readers.items()}
    assert second.returncode == 0, second.stdout + second.stderr
    sent = [request.get_json() for request, _ in hook.log]
    return Published(home, kept, requests, (first.stdout + first.stderr, second.stdout + second.stderr), seen, sent)


def _land_earlier_weeks(home: Home, shipped: Path) -> None:
    """As if this home had fetched the CFTC's weekly file on the Saturdays after the earlier recorded as-of days.

    Each file replaces the one before, so nothing but an earlier fetch can bring those weeks.
    """
    landing = Landing(home.folder / "warehouse" / "landing")
    for day in list(NET_NON_COMMERCIAL)[:-1]:
        fetched = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=4)
        payload_id = landing.put((shipped / "cftc" / day.isoformat() / "deafut.txt").read_bytes())
        landing.append(Retrieval("cftc_legacy", "deafut", fetched, "fresh", payload_id, status=200))


def _document(published: date) -> dict[str, Any]:
    """A Federal Register document in the recorded shape. It is invented: none about metals was recorded."""
    number = f"{published.year}-99999"
    return {
        "document_number": number,
        "title": "Adjusting Imports of Copper",
        "abstract": "Section 232 duties on semi-finished copper products.",
        "type": "Notice",
        "subtype": None,
        "publication_date": published.isoformat(),
        "agencies": [{"name": "Commerce Department", "slug": "commerce-department"}],
        "html_url": f"https://www.federalregister.gov/documents/{published:%Y/%m/%d}/{number}/copper",
    }


def _resolved(
    runs: Published, path: Path, wanted: dict[tuple[str, date], Any]
) -> dict[tuple[str, date], tuple[Any, ...]]:
    """(indicator, period): (value in the indicator's unit, series, source, whether it is a fallback's)."""
    rows = runs.home.rows(
        "select indicator_id, period, value, series_id, source_id, is_fallback "
        "from intermediate.int_indicators__resolved",
        path,
    )
    return {(i, p): tuple(rest) for i, p, *rest in rows if (i, p) in wanted}  # type: ignore[misc]


def test_only_the_four_that_answer_503_failed(runs: Published) -> None:
    outcomes: dict[object, set[object]] = {}
    for source, outcome in runs.home.rows("select distinct source_id, outcome from raw.retrieval", runs.first):
        outcomes.setdefault(source, set()).add(outcome)
    outcomes.pop("census_trade")  # one product of it answers 500, see below
    others = runs.home.rows(
        f"select source_id, request_key, error from raw.retrieval where outcome = 'failed' "
        f"and source_id not in {(*FAILING, 'census_trade')}",
        runs.first,
    )
    assert others == []
    assert {source for source, found in outcomes.items() if "failed" in found} == set(FAILING)
    assert all(outcomes[source] == {"failed"} for source in FAILING)
    assert not any("refused" in found for found in outcomes.values())
    errors = runs.home.rows(
        "select error from raw.retrieval where outcome = 'failed' and source_id <> 'census_trade'", runs.first
    )
    assert all("answered 503" in str(error) for (error,) in errors)
    # The first 503 of each is asked again three times before it counts.
    asked = dict(runs.home.rows("select source_id, count(*) from raw.retrieval group by 1", runs.first))
    assert runs.requests == {source: 3 + int(str(asked[source])) for source in FAILING}


def test_what_the_second_publication_changed_was_sent_in_one_message(runs: Published) -> None:
    verdicts = "select claim_id, verdict from claim_verdicts order by 1"
    before, after = (runs.home.rows(verdicts, path) for path in (runs.first, runs.second))
    flips = [
        {"claim_id": claim, "verdict_before": was, "verdict_after": now}
        for (claim, was), (_, now) in zip(before, after, strict=True)
        if was != now
    ]
    [message] = runs.sent
    assert message["verdict_flips"] == flips
    assert flips, "a figure of the publishers that answer again turns a verdict"
    assert message["text"].count(" -> ") >= len(flips)
    assert runs.home.rows("from audit.verdict_flips order by 1", runs.second) == [tuple(f.values()) for f in flips]


def test_fallbacks_stand_in_with_their_own_figures_and_are_marked(runs: Published) -> None:
    found = _resolved(runs, runs.first, FALLBACK)
    assert found == {
        key: (pytest.approx(value, rel=1e-12), series, source, True)
        for key, (value, series, source) in FALLBACK.items()
    }
    marked = runs.home.rows(
        f"select indicator_id, bool_and(is_fallback) from intermediate.int_indicators__resolved "
        f"where indicator_id in {tuple(DEFAULT_SOURCE)} group by 1",
        runs.first,
    )
    assert dict(marked) == dict.fromkeys(DEFAULT_SOURCE, True)
    # Nothing of the failing publishers came in by another way.
    ids = tuple(FAILING)
    assert runs.home.rows(f"select count(*) from raw.payload where source_id in {ids}", runs.first) == [(0,)]


def test_drivers_use_the_fallbacks_figures(runs: Published) -> None:
    rows = runs.home.rows
    assert rows("select fed_funds_pct from driver_monetary where month = date '2026-07-01'", runs.first) == [(3.63,)]
    assert rows("select ppi_yoy_pct from driver_china_cycle where month = date '2026-07-01'", runs.first) == [(3.5,)]


def test_the_defaults_take_over_when_they_answer_again(runs: Published) -> None:
    found = _resolved(runs, runs.second, DEFAULT)
    assert found == {
        key: (pytest.approx(value, rel=1e-12), series, source, False)
        for key, (value, series, source) in DEFAULT.items()
    }
    # A fallback is left only where the default has no such period, and there it is marked.
    sources = runs.home.rows(
        f"select distinct indicator_id, source_id, is_fallback from intermediate.int_indicators__resolved "
        f"where indicator_id in {tuple(DEFAULT_SOURCE)}",
        runs.second,
    )
    assert set(sources) == {(i, source, False) for i, source in DEFAULT_SOURCE.items()} | {
        ("us_deficit_usd", "fred", True)  # Treasury's table reaches back to October 2014
    }
    assert runs.home.rows(
        "select max(period) filter (is_fallback), min(period) filter (not is_fallback) "
        "from intermediate.int_indicators__resolved where indicator_id = 'us_deficit_usd'",
        runs.second,
    ) == [(date(2014, 9, 1), date(2014, 10, 1))]


def test_a_day_later_those_are_asked_again_whose_cadence_is_shorter(runs: Published) -> None:
    asked = {
        source
        for (source,) in runs.home.rows(
            f"select distinct source_id from raw.retrieval where checked_at = timestamp '{SECOND[:19]}'", runs.second
        )
    }
    tracked = catalogs.load(Settings().catalog_dir)
    weekly = {source.id for source in tracked.sources.values() if source.cadence_hours > 24}
    assert {"ember", "omb"} <= weekly
    assert asked == set(tracked.sources) - weekly - WITHOUT_ROWS


@pytest.mark.parametrize(
    ("indicator", "default", "fallback", "gap"),
    [
        # indicator; largest gap as default and fallback print it, where both sides were recorded
        ("us_fed_funds_pct", "frb_fed_funds_pct", "fred_fedfunds_pct", None),
        ("us_treasury_10y_pct", "frb_treasury_10y_pct", "fred_dgs10_pct", None),
        (
            "us_deficit_usd",
            "tsy_deficit_usd",
            "fred_mtsds133fms_usd_millions",
            (date(2024, 10, 1), 257450036967.21, 257450343191.91),  # as restated by 306,224.70 dollars
        ),
        ("china_ppi_yoy_pct", "nbs_ppi_yoy_pct", "cn_ppi_yoy_pct", (date(2009, 1, 1), -3.3, -3.4)),
        (
            "copper_usd_per_tonne",
            "wb_copper_usd_per_tonne",
            "imf_copper_usd_per_tonne",
            (date(2022, 4, 1), 10161.38, 10191.822343),
        ),
    ],
)
def test_where_both_publishers_answer_they_are_compared_and_the_largest_gap_is_shown(
    runs: Published, indicator: str, default: str, fallback: str, gap: tuple[date, float, float] | None
) -> None:
    columns = (
        "default_series_id, fallback_series_id, periods_compared, periods_outside_tolerance, is_within_tolerance, "
        "tolerance_pct, tolerance_absolute, largest_gap, largest_gap_period, largest_gap_default_value, "
        "largest_gap_fallback_value"
    )
    found = runs.home.rows(f"select {columns} from reconciliation where indicator_id = '{indicator}'", runs.second)
    [(*pair, periods, outside, within, pct, absolute, largest, period, of_default, of_fallback)] = found
    declared = catalogs.load(Settings().catalog_dir).indicators[indicator]

    assert pair == [default, fallback]
    assert int(str(periods)) > 100
    assert (outside, within) == (0, True)
    assert (pct, absolute) == (declared.tolerance_pct, declared.tolerance_absolute)
    if gap is None:
        assert largest == 0
    elif indicator == "china_ppi_yoy_pct":
        # Six months of 2006 to 2009 share this gap; 0.1 is not a binary fraction, so which is first is no finding.
        assert largest == pytest.approx(abs(gap[1] - gap[2]))
    else:
        assert (period, of_default, of_fallback) == (
            gap[0], pytest.approx(gap[1], rel=1e-12), pytest.approx(gap[2], rel=1e-12)
        )  # fmt: skip
        assert largest == pytest.approx(abs(gap[1] - gap[2]), rel=1e-6)


def test_the_first_file_compares_nothing_with_a_publisher_that_failed(runs: Published) -> None:
    compared = {i for (i,) in runs.home.rows("select indicator_id from reconciliation", runs.first)}
    assert compared, "BLS and FRED both answered"
    assert not compared & set(DEFAULT_SOURCE)


def test_the_audit_names_the_pairs_that_differ_and_publishes_all_the_same(runs: Published) -> None:
    [(passed, blocking, said, examples)] = runs.home.rows(
        "select passed, is_blocking, said, examples from audit.finding where check_name = 'publishers_agree'",
        runs.second,
    )
    pairs = runs.home.rows(
        "select indicator_id, periods_compared, periods_outside_tolerance from reconciliation order by 1", runs.second
    )
    assert len(pairs) >= 20
    assert said == f"{len(pairs)} pairs of publishers compared over {sum(int(str(n)) for _, n, _ in pairs)} periods"
    # Made up on both sides, and far apart. Every other pair agrees within its tolerance.
    differing = {indicator: outside for indicator, _, outside in pairs if outside}
    assert differing == {"us_fiscal_year_deficit_pct_gdp": 5}
    assert (passed, blocking) == (False, False)
    named = runs.home.rows(
        "select indicator_id, largest_gap = abs(largest_gap_default_value - largest_gap_fallback_value) "
        "from reconciliation where not is_within_tolerance",
        runs.second,
    )
    assert named == [("us_fiscal_year_deficit_pct_gdp", True)]
    assert {str(example).partition(":")[0] for example in examples} == set(differing)  # type: ignore[attr-defined]


def test_every_publisher_brings_rows(runs: Published) -> None:
    rows = runs.home.rows
    tables = ("observation", "filing_fact", "filing", "policy_document")
    counts = {t: int(str(rows(f"select count(*) from raw.{t}", runs.second)[0][0])) for t in tables}
    publishers = {p for (p,) in rows("select distinct source_id from raw.coverage where rows > 0", runs.second)}
    series = {s for (s,) in rows("select distinct series_id from raw.observation", runs.second)}
    tracked = catalogs.load(Settings().catalog_dir)
    print(
        f"{len(publishers)} of {len(tracked.sources)} publishers, {len(series)} of {len(tracked.series)} series, "
        f"{sum(counts.values()):,} rows {counts}; without rows: {sorted(set(tracked.series) - series)}"
    )
    assert set(tracked.sources) - publishers == WITHOUT_ROWS
    assert len(publishers) >= 30
    assert len(series) >= 306
    assert series <= set(tracked.series)
    assert counts["observation"] >= 115_000
    assert counts["filing_fact"] >= 2_000
    assert counts["filing"] >= 280
    assert counts["policy_document"] >= 1


def test_each_metal_has_one_daily_quotation_with_the_volatility_of_its_own_series(runs: Published) -> None:
    rows = runs.home.rows
    shown = rows(
        "select metal_id, quotation, bool_or(is_fallback) from metal_prices where frequency = 'daily' "
        "and quotation in ('official_cash', 'auction') group by all"
    )
    base = ("aluminium", "copper", "lead", "nickel", "tin", "zinc")
    assert set(shown) == {
        *((metal, "official_cash", False) for metal in base),
        *((metal, "auction", False) for metal in ("gold", "palladium", "platinum", "silver")),
    }
    assert rows("select count(*) - count(distinct (metal_id, frequency, period)) from metal_prices") == [(0,)]

    # No auction on Christmas Eve: the future stands in, and the next auction is compared with the last auction.
    figures = rows(
        "select period, arg_max(value, known_at) from raw.observation where series_id = 'lbma_gold_usd_per_troy_ounce' "
        "group by period order by period"
    )
    days = {day: place for place, (day, _) in enumerate(figures)}
    returns = np.diff(np.log([price for _, price in figures]))
    compared = rows(
        "select period, return_1d_log, realised_volatility_20d_annualised_pct, realised_volatility_60d_annualised_pct "
        "from metal_prices where series_id = 'lbma_gold_usd_per_troy_ounce' order by period"
    )
    assert len(compared) == len(figures) > 400
    for day, *of_day in compared[60:]:
        place = days[day]
        expected = [returns[place - 1]]
        expected += [100 * np.sqrt(252) * np.std(returns[place - n : place], ddof=1) for n in (20, 60)]
        assert of_day == pytest.approx(expected, rel=1e-9)


def test_a_users_key_reaches_the_publisher_and_nothing_that_the_runs_leave_behind(
    runs: Published, own_replay: Replay
) -> None:
    asked = own_replay.requests_to(CENSUS)
    assert len(asked) >= 6
    assert all(seen.query["key"] == [OWN_KEY] for seen in asked)
    failed = runs.home.rows(
        "select request_key, outcome from raw.retrieval where source_id = 'census_trade' order by 1", runs.first
    )
    assert dict(failed)["imports/7404"] == "failed"
    files = [path for path in runs.home.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files), "Dagster's storage is looked at"
    assert any("journal" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert OWN_KEY.encode() not in content, path
    assert OWN_KEY not in "".join(runs.said)
    # Tables are compressed: they are read, not searched as bytes.
    for path in (runs.first, runs.second):
        for table in ("payload", "retrieval", "quarantine", "coverage"):
            rows = runs.home.rows(f"select * from raw.{table} where source_id = 'census_trade'", path)
            assert OWN_KEY not in str(rows)
            assert rows or table == "quarantine"
    doctor = runs.home.metals("doctor", METALS_NOW=SECOND)
    assert "METALS_CENSUS_KEY is set" in doctor.stdout
    assert OWN_KEY not in doctor.stdout + doctor.stderr


def test_us_imports_come_from_comtrade_and_census_stands_in(runs: Published) -> None:
    """The figures are invented, and alike on purpose: this shows the way to the tables, not that two offices agree."""
    rows = runs.home.rows(
        "select indicator_id, fallback_series_id, is_within_tolerance, periods_compared from reconciliation "
        "where indicator_id like 'us_imports_%' order by 1",
        runs.second,
    )
    assert [indicator for indicator, *_ in rows] == [
        f"us_imports_{product}_usd"
        for product in (
            "copper_ores", "copper_scrap", "lithium_carbonate", "refined_copper", "silver", "unwrought_aluminium"
        )
    ]  # fmt: skip
    assert {(within, periods) for *_, within, periods in rows} == {(True, 30)}  # January 2024 to June 2026
    resolved = runs.home.rows(
        "select min(period), max(period), min(source_id) from intermediate.int_indicators__resolved "
        "where indicator_id = 'us_imports_refined_copper_usd' group by is_fallback order by is_fallback",
        runs.second,
    )
    assert resolved == [
        (date(2024, 1, 1), date(2026, 6, 1), "comtrade"),
        (date(2013, 1, 1), date(2023, 12, 1), "census_trade"),
    ]


def test_the_releases_of_the_tariff_schedule_are_listed_with_their_first_days(runs: Published) -> None:
    rows = runs.home.rows
    found = dict(rows("select release_id, release_start_date from tariff_releases", runs.second))
    assert len(found) == 23
    assert found["2025HTSRev16"] == date(2025, 12, 3)  # made up: a release every three weeks
    # Days of law are in the proclamations, not in the list of releases.
    legal = dict(
        rows("select metal_id, max(effective_on) from policy_events where instrument = 'section_232' and "
             "year(effective_on) = 2025 and rate_pct = 50 group by 1", runs.second)
    )  # fmt: skip
    assert legal["aluminium"] == date(2025, 6, 4)
    assert legal["copper"] == date(2025, 8, 1)
    assert rows("select release_id from tariff_releases where is_current", runs.second) == [("2026HTSRev5",)]
    assert rows("select distinct known_at_basis, cast(known_at as date) from tariff_releases", runs.second) == [
        ("observed", date(2026, 8, 21))
    ]
    traced = rows(
        "select l.table_name, p.source_id from lineage as l inner join raw.payload as p using (payload_id) "
        "where l.row_key = '2026HTSRev5'",
        runs.second,
    )
    assert traced == [("tariff_releases", "usitc_hts")]


def test_net_non_commercial_positions_of_the_five_metals(runs: Published) -> None:
    found = runs.home.rows(
        "select as_of_date, metal_id, trader_group, net_contracts from intermediate.int_positions__net "
        "where source_id = 'cftc_legacy'",
        runs.second,
    )
    assert sorted(found) == sorted(
        (day, metal, "noncommercial", net)
        for day, nets in NET_NON_COMMERCIAL.items()
        for metal, net in zip(METALS, nets, strict=True)
    )


def test_the_two_weeks_that_were_never_captured_are_gaps(runs: Published) -> None:
    gaps = runs.home.rows(
        "select source_id, metal_id, expected_as_of_date, is_in_the_other_report from intermediate.int_positions__gaps",
        runs.second,
    )
    assert {source for source, *_ in gaps} == {"cftc_legacy"}  # the open-data interface has every week
    june = {(m, d, other) for _, m, d, other in gaps if date(2026, 6, 9) <= d <= date(2026, 7, 7)}  # type: ignore[operator]
    assert june == {(metal, day, True) for metal in METALS for day in NEVER_CAPTURED}


def test_figures_for_own_use_are_in_the_warehouse_and_not_in_the_brief(runs: Published) -> None:
    path = runs.home.folder / "warehouse" / "brief" / "index.html"
    page = read(path.read_text(encoding="utf-8"))
    own = runs.home.rows(
        "select l.row_key from lineage as l inner join raw.payload as p using (payload_id) inner join sources as s "
        "using (source_id) where l.table_name = 'claim_evidence' and s.licence_class = 'personal_use'",
        runs.second,
    )
    assert own, "evidence rests on the exchanges' figures"
    # The page shows what this query of its own answers (held against each other below).
    shown = {f"{claim}|{indicator}" for claim, indicator, *_ in runs.home.rows(page.queries["evidence"], runs.second)}
    assert len(shown) > 40
    assert not shown & {key for (key,) in own}
    assert "METALS_BRIEF_PERSONAL_USE=true shows them" in page.text
    assert "premium" not in str(page.charts["duties"]["data"])
    assert differences(page, runs.second)[1] == []


def test_every_figure_of_every_table_leads_to_payloads_and_filings(runs: Published) -> None:
    """Every published table has rows here, so that none escapes; tests/models follows the recorded ones too."""
    with duckdb.connect(str(runs.second), read_only=True) as connection:
        found = followed(connection)
    assert set(found) == {mart.name for mart in marts()} - {"capex_universe"}  # of a backfill, not of a run
    for mart, traced in found.items():
        assert not traced.rows_that_lead_nowhere, (mart, traced.rows_that_lead_nowhere[:5])
        assert traced.payloads, mart
        assert not traced.unknown, mart
        assert bool(traced.accessions) >= (mart in FROM_FILINGS), mart
    told = runs.home.metals("explain", "divergence_capex_payoff", str(found["divergence_capex_payoff"].example))
    assert told.returncode == 0, told.stderr
    shown = told.stdout.replace("\n", "")
    assert all(accession in shown for accession in found["divergence_capex_payoff"].accessions)


def test_discrete_quarters_are_those_of_the_filings(runs: Published) -> None:
    home = runs.home
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert_golden_quarters(connection)


def test_china_ppi_turned_positive_in_march_and_the_verdict_says_so(
    runs: Published,
) -> None:
    home = runs.home
    assert home.rows("select distinct ppi_sign_since from driver_china_cycle where month = date '2026-07-01'") == [
        (date(2026, 3, 1),)
    ]
    [(verdict, lines, because)] = home.rows("select verdict, lines, because from claim_verdicts where claim_id = 'C4'")
    # An early turn is not the opposite of a late one: the month is neither, and the claim needs both lines.
    assert (verdict, lines) == ("undetermined", "direction: supported (1 for); month: undetermined (1 undecided)")
    assert "direction held" in str(because)
    assert "Mar 2026" in str(because)
    assert "7 months earlier" in str(because)


def test_the_money_gap_leads_by_six_to_nine_months(runs: Published) -> None:
    home = runs.home
    table = dict(home.rows("select lag_months, correlation from lead_lag_money_ppi where sample = 'full'"))
    assert table[0] == pytest.approx(0.293, abs=5e-4)
    assert max(table, key=lambda lag: table[lag]) in range(6, 10)  # type: ignore[arg-type, return-value]
    assert max(table.values()) == pytest.approx(0.656, abs=5e-4)  # type: ignore[type-var]
    samples = home.rows(
        "select count(distinct sample), bool_and(correlation between correlation_lower_95 and correlation_upper_95) "
        "from lead_lag_money_ppi"
    )
    assert samples == [(5, True)]  # all, three sub-periods, and the months before M1 was redefined


def test_a_reader_sees_one_state_and_never_an_error_while_the_job_runs(
    runs: Published,
) -> None:
    seen = runs.seen
    for mode in ("held", "opened"):
        assert seen[mode]["errors"] == [], mode
        assert seen[mode]["times"] > 20, mode
    assert len(seen["held"]["answers"]) == 1, "an open file stays the one that was opened"
    assert len(seen["opened"]["answers"]) <= 2, "whole builds only: the one before, and the one after"


def test_the_summary_names_every_publisher_and_claim(runs: Published) -> None:
    for words in ("fred", "worldbank_pink_sheet", "sec_edgar", "federal_register", "eastmoney", "C1", "C6", "fresh"):
        assert words in runs.said[1], words
    assert "metals claims C6" in runs.said[1]


def test_explain_leads_to_payload_and_accession(runs: Published) -> None:
    home = runs.home
    payloads = home.rows(
        "select distinct payload_id from lineage where table_name = 'driver_ai_capex' and row_key = 'MSFT|2024|3'"
    )
    told = home.call("explain", "driver_ai_capex", "MSFT 2024 3")
    assert told.returncode == 0, told.stderr
    assert payloads
    assert all(str(payload) in told.stdout for (payload,) in payloads)
    assert "0000950170-25-061046" in told.stdout  # the 10-Q of a year later restates it


def test_every_table_and_column_carries_its_description(runs: Published) -> None:
    home = runs.home
    bare_tables = home.rows(
        "select schema_name || '.' || table_name from duckdb_tables() where not internal and comment is null"
    )
    bare_columns = home.rows(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where not internal and comment is null and schema_name in ('main', 'raw', 'audit', 'seeds')"
    )
    assert bare_tables == []
    assert bare_columns == []
    with duckdb.connect(str(home.published), read_only=True) as connection:
        written = set(
            connection.execute("select schema_name, table_name, column_name from duckdb_columns()").fetchall()
        )
    described = {
        (node["schema"], node["alias"], column)
        for node in transform.manifest(Settings())["nodes"].values()
        if node["resource_type"] in ("model", "seed")
        for column in node["columns"]
    }
    assert described - written == set(), "a description of a column that does not exist"


def test_as_of_the_end_of_2025_nothing_later_is_used(runs: Published) -> None:
    """By the command, which materialises the day's partition of `warehouse/as_of` as the UI does."""
    home = runs.home
    before = home.published.read_bytes()
    run = home.metals("run", "--as-of", "2025-12-31", METALS_NOW=SECOND)
    assert run.returncode == 0, run.stdout + run.stderr
    path = home.folder / "warehouse" / "as_of" / "metals_2025-12-31.duckdb"
    assert home.published.read_bytes() == before, "the daily file is left alone"
    assert not (home.folder / "warehouse" / "build" / "as_of_2025-12-31").exists(), "no build is left behind"
    code = (
        "from dagster import AssetKey, DagsterInstance\n"
        "with DagsterInstance.get() as instance:\n"
        "    print(sorted(instance.get_materialized_partitions(AssetKey(['warehouse', 'as_of']))))\n"
        "    [record] = instance.fetch_materializations(AssetKey(['warehouse', 'published']), limit=1).records\n"
        "    print(record.asset_materialization.metadata['as_of'].value)\n"
        "    for run in instance.get_runs():\n"
        "        print(run.job_name, run.remote_job_origin.repository_origin.get_label(), sep=':')\n"
    )
    asked = home.python(code)
    partitions, day, *origins = asked.stdout.split()
    assert (partitions, day) == ("['2025-12-31']", SECOND[:10]), "the daily assets' history has no past day"
    label = "__repository__@metals-drivers"
    assert set(origins) == {f"daily:{label}", f"as_of_days:{label}"}, "as the UI's own runs"

    page = home.folder / "warehouse" / "brief" / "as_of_2025-12-31.html"
    assert "2025-12-31" in page.read_text(encoding="utf-8")
    assert home.rows("select count(*) from raw.filing_fact where filed > date '2025-12-31'", path) == [(0,)]
    assert home.rows("select max(filed) <= date '2025-12-31' from raw.filing_fact", path) == [(True,)]
    assert home.rows("select max(month) from driver_china_cycle where ppi_yoy_pct is not null", path) == [
        (date(2025, 11, 1),)
    ]
    assert home.rows("select count(*) from raw.observation where series_id = 'fred_cpiaucsl_index'", path) == [(0,)]
    for schema, table in home.rows(
        "select schema_name, table_name from duckdb_columns() where column_name = 'known_at' and not internal", path
    ):
        later = home.rows(f'select count(*) from "{schema}"."{table}" where known_at >= timestamp \'2026-01-01\'', path)
        assert later == [(0,)], (schema, table)
    [(verdict,)] = home.rows("select verdict from claim_verdicts where claim_id = 'C4'", path)
    assert verdict == "undetermined"  # prices still fell, and the stated date lay ahead


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as-of", "2026-08-23"), "to today, not 2026-08-23"),
        (("--as-of", "1999-12-31"), "takes a day from 2000-01-01"),
        (("--as-of", "2025-12-31", "--only", "fred"), "use one of them"),
    ],
)
def test_a_day_that_cannot_be_built_is_a_wrong_call(runs: Published, arguments: tuple[str, ...], said: str) -> None:
    run = runs.home.call("run", *arguments, METALS_NOW=SECOND)
    assert run.returncode == 2
    assert said in run.stderr


def test_a_failed_check_publishes_nothing_and_says_why(runs: Published) -> None:
    home = runs.home
    before = home.published.read_bytes()
    build = home.folder / "warehouse" / "build" / "build.duckdb"
    with duckdb.connect(str(build)) as connection:
        connection.execute("insert into raw.observation select * from raw.observation limit 1")
    try:
        run = home.metals("run", "--offline", METALS_NOW=SECOND)
        assert run.returncode == 1
        assert home.published.read_bytes() == before
        assert "the last published file is unchanged" in run.stderr
        assert "unique" in run.stderr
    finally:
        with duckdb.connect(str(build)) as connection:
            connection.execute("create or replace table raw.observation as select distinct * from raw.observation")


def test_a_second_run_of_a_day_asks_nobody_adds_nothing_and_publishes_even_if_the_page_fails(
    runs: Published, own_replay: Replay
) -> None:
    home = runs.home
    contents = (
        "select count(*) from raw.observation union all select count(*) from raw.filing_fact",
        "select claim_id, verdict, because from claim_verdicts order by 1",
    )
    before = [home.rows(query) for query in contents]
    published_at = home.published.stat().st_mtime
    page = home.folder / "warehouse" / "brief"
    shutil.rmtree(page)
    page.touch()  # a file where the page's folder should be: the brief cannot be written
    asked = own_replay.counts.copy()
    run = home.metals("run", "-v", METALS_NOW="2026-08-22T23:30:00+00:00", METALS_UPSTREAM_BASE_URL=own_replay.base_url)
    assert run.returncode == 0, run.stdout + run.stderr
    # Only the pages that lead to a file are read again: they are not landed, so their last reading is unknown.
    again = {host for host, _ in own_replay.counts - asked}
    pages = {"www.worldbank.org", "www.whitehouse.gov", "www.sciencebase.gov", "english.customs.gov.cn"}
    assert again <= pages
    assert "not due" in run.stdout
    assert "write_brief" in run.stderr
    assert "brief     none yet" in run.stdout
    assert home.published.stat().st_mtime > published_at, "a page that fails takes no publication back"
    assert [home.rows(query) for query in contents] == before


def _object_files(home: Home) -> list[Path]:
    return sorted((home.folder / "warehouse" / "landing" / "objects").rglob("*.gz"))


def test_landing_holds_each_payload_under_its_own_hash(runs: Published) -> None:
    home = runs.home
    landed = {p.name.removesuffix(".gz") for p in _object_files(home)}
    known = {str(p) for (p,) in home.rows("select payload_id from raw.payload")}
    assert known <= landed
    assert len(known) >= 23
