"""The brief on small given tables: what it says, what it leaves out, what it escapes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import resource
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines import brief, catalog, warehouse
from pipelines.authoring.dictionary import marts
from pipelines.brief import charts, formats, html, parts, sections
from pipelines.catalog.calendar import next_release
from pipelines.settings import Settings
from tests.brief_page import Page, differences, number_in, read

NOW = datetime.fromisoformat("2026-08-21T22:30")
HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every table the brief reads, as the contracts declare them, one build and no row."""
    path = tmp_path_factory.mktemp("brief") / "empty.duckdb"
    warehouse.create(path)
    with duckdb.connect(str(path)) as connection:
        for _, model in marts(Settings().dbt_project_dir):
            columns = ", ".join(f'"{c["name"]}" {c["data_type"]}' for c in model["columns"])
            connection.execute(f"create table {model['name']} ({columns})")
        connection.execute(
            "create schema audit;"
            "create table audit.build_diff (table_name varchar, rows_before bigint, rows_after bigint);"
            "create table audit.verdict_flips (claim_id varchar, verdict_before varchar, verdict_after varchar);"
            "create table audit.divergence_changes "
            "(divergence_id varchar, subject varchar, state_before varchar, state_after varchar);"
            "create schema seeds; create table seeds.drivers (driver_id varchar, title varchar);"
            "insert into seeds.drivers values "
            "('us_dollar_change', 'Broad US dollar index'), ('china_money_gap', 'China''s M1 growth minus M2 growth');"
            "create table audit.finding "
            "(check_name varchar, passed boolean, is_blocking boolean, said varchar, examples varchar[]);"
            "insert into raw.build (build_id, as_of, started_at, finished_at, succeeded, selection) "
            "values ('b', '2026-08-21', '2026-08-21 22:00', '2026-08-21 22:10', true, '');"
        )
    return path


@pytest.fixture
def given(empty: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of it with the rows that a script inserts."""

    def make(script: str = "") -> Path:
        path = tmp_path / "given.duckdb"
        path.write_bytes(empty.read_bytes())
        with duckdb.connect(str(path)) as connection:
            connection.execute(script or "select 1")
        return path

    return make


def page_of(path: Path, *, personal_use: bool = False) -> Page:
    with duckdb.connect(str(path), read_only=True) as connection:
        return read(brief.page(connection, personal_use=personal_use, made_at=NOW))


def source(source_id: str, title: str, licence_class: str = "public_domain") -> str:
    return (
        "insert into sources (source_id, title, publisher, homepage, licence, licence_class, credit) values "
        f"('{source_id}', '{title}', 'P', 'https://example.org/{source_id}', 'L of {source_id}', '{licence_class}', "
        f"'Credit {source_id}');"
    )


@pytest.mark.parametrize(
    ("value", "column", "unit", "text"),
    [
        (477_041_000_000.0, "capex_ttm_usd", None, "$477\u202fbn"),
        (46_900_000_000.0, "capex_usd", None, "$46.9\u202fbn"),
        (1_204_000_000_000.0, "capex_ttm_usd", None, "$1.2\u202ftn"),
        (330_259.15, "implied_tonnes_per_year", None, "330\u202fkt a year"),
        (27_400_000.0, "world_use_tonnes", None, "27.4\u202fMt"),
        (640.0, "world_use_tonnes", None, "640\u202ft"),
        (13_543.19, "price_native", "usd_per_tonne", "$13,543\u202f/\u202ft"),
        (78.01, "price_native", "usd_per_troy_ounce", "$78.01\u202f/\u202foz"),
        (-3.7, "gap_pp", None, "−3.7\u202fpp"),
        (3.5, "ppi_yoy_pct", None, "+3.5\u202f%"),
        (50.0, "refined_rate_pct", None, "50\u202f%"),
        (7.5, "refined_rate_pct", None, "7.5\u202f%"),
        (-0.04, "ppi_yoy_pct", None, "0.0\u202f%"),  # no sign on what is rounded to nothing
        (1234567, "rows_after", None, "1,234,567"),
        (2024, "world_use_year", None, "2024"),
        (1.5, "value", "furlongs_per_fortnight", "1.50\u202ffurlongs per fortnight"),
        (date(2026, 4, 1), "calendar_quarter", None, "2026Q2"),
        (date(2026, 4, 1), "period", "quarterly", "2026Q2"),
        (date(2025, 1, 1), "period", "annual", "2025"),
        (date(2024, 10, 1), "period", "us_fiscal_year", "FY2025"),
        (date(2026, 5, 1), "period", None, "May 2026"),
        (date(2026, 5, 1), "effective_on", None, "1 May 2026"),
        (date(2026, 8, 4), "last_period", None, "4 Aug 2026"),
        (datetime.fromisoformat("2026-08-04T12:30"), "known_at", None, "4 Aug 2026"),
        (True, "is_stale", None, "yes"),
        ("-7.5 points (band -62.6 to 2), not -1", "finding", None, "−7.5 points (band −62.6 to 2), not −1"),
        ("the 12-month list of 2025-11-07, 1960-1970", "finding", None, "the 12-month list of 2025-11-07, 1960-1970"),
        (None, "capex_usd", None, "missing"),
    ],
)
def test_figures_are_written_with_their_units(value: object, column: str, unit: str | None, text: str) -> None:
    assert formats.written(value, column, unit) == text


def test_the_reader_of_these_tests_reads_what_the_page_writes() -> None:
    assert number_in("$46.9\u202fbn") == (46.9e9, 0.05e9)
    assert number_in("−3.7\u202fpp") == (-3.7, 0.05)
    assert number_in("330\u202fkt a year") == (330e3, 0.5e3)
    assert number_in("missing") is None


def test_units_of_columns_are_the_longest_that_fit() -> None:
    assert formats.unit_of("price_usd_per_tonne") == "usd_per_tonne"
    assert formats.unit_of("like_for_like_yoy_pct") == "yoy_pct"
    assert formats.unit_of("companies_expected") is None


def test_colours_stand_out_from_their_background() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for dress in (0, 1):
        paper = luminance(charts.PALETTE["paper"][dress])
        for role in ("ink", "muted", *charts.LINES):
            other = luminance(charts.PALETTE[role][dress])
            contrast = (max(paper, other) + 0.05) / (min(paper, other) + 0.05)
            assert contrast >= 4.5, (role, dress, contrast)


def test_an_empty_warehouse_says_what_is_missing_and_draws_nothing(given: Callable[[str], Path]) -> None:
    script = source("ember", "Ember") + source("yahoo", "Yahoo", "personal_use") + source("eastmoney", "Eastmoney")
    script += (
        "insert into raw.retrieval (source_id, checked_at, outcome) values ('eastmoney', '2026-08-20 10:00', 'failed');"
    )
    page = page_of(given(script))
    assert page.charts == {}
    assert "Ember: never fetched" in page.text
    assert "Eastmoney: failed when last fetched on 20 Aug 2026" in page.text
    assert "Yahoo: licensed for personal use only; METALS_PERSONAL_USE=true switches them on" in page.text
    assert "No price is available." in page.text
    assert "No figure for coal's share of electricity is available." in page.text


def test_the_publishers_named_as_inputs_are_in_the_catalogue() -> None:
    tracked = catalog.load(Settings().catalog_dir)
    assert {source_id for ids in parts.INPUTS.values() for source_id in ids} <= set(tracked.sources)


CHANGES = (
    source("eastmoney", "Eastmoney")
    + """
    insert into raw.build (build_id, as_of, started_at, finished_at, succeeded, selection) values
        ('a', '2026-08-20', '2026-08-20 22:00', '2026-08-20 22:10', true, ''),
        ('x', '2026-08-21', '2026-08-21 12:00', null, false, '');
    insert into audit.build_diff values ('metal_prices', 100, 110);
    insert into audit.verdict_flips values ('C4', 'mixed', 'supported');
    insert into claim_verdicts (claim_id, title, statement, verdict, because, as_of)
        values ('C4', 'China''s PPI turns', 'Prices turn.', 'supported', 'They turned.', '2026-08-21');
    insert into claim_evidence (claim_id, indicator, role, unit, reading, is_stale, finding, reason, as_of)
        values
            ('C4', 'a', 'decisive', 'pct', 'neutral', false, 'the month passed', 'Bar.', '2026-08-21'),
            ('C4', 'i', 'decisive', 'pct', 'supports', false, 'prices turned', 'Bar.', '2026-08-21');
    insert into audit.divergence_changes values ('d', 'copper', 'closed', 'opening');
    insert into metals (metal_id, name, symbol, family) values ('copper', 'Copper', 'Cu', 'base');
    insert into divergences (
        divergence_id, subject, title, left_label, right_label, state, days_in_state, state_since, period, known_at,
        is_stale
    )
    values
        ('d', 'copper', 'A gap', 'l', 'r', 'opening', 21, '2026-08-01', '2026-08-01', '2026-08-21 10:00', false);
    insert into raw.coverage (source_id, series_id, retrieved_at, rows_added, rows_changed, rows_vanished, last_period)
    values
        ('eastmoney', 's', '2026-08-21 22:01', 1, 3, 0, '2026-07-01'),
        ('eastmoney', 't', '2026-08-21 22:01', 0, 2, 0, '2026-07-01'),
        ('eastmoney', 's', '2026-08-19 22:01', 999, 999, 0, '2026-06-01');
    """
)


def test_what_changed_is_counted_since_the_last_complete_build(given: Callable[[str], Path]) -> None:
    page = page_of(given(CHANGES))
    said = " ".join(page.text.split())
    assert (
        "Since 20 Aug 2026: China's PPI turns (C4) from mixed to supported; 1 divergence changed state; "
        "1 figures new, 5 revised." in said
    )
    rows = {(f.query, f.column, f.stored) for f in page.figures}
    assert ("verdict_flips", "verdict_before", "mixed") in rows
    assert ("verdict_flips", "why", "prices turned") in rows
    assert ("divergence_changes", "subject", "Copper") in rows
    assert ("divergence_changes", "state_before", "closed") in rows
    assert ("table_changes", "rows_more", "10") in rows


def test_the_first_publication_says_so(given: Callable[[str], Path]) -> None:
    assert "This is the first publication" in page_of(given("")).text


def test_each_figure_is_a_cell_of_the_query_it_leads_to(given: Callable[[str], Path]) -> None:
    path = given(CHANGES)
    page = page_of(path)
    assert page.text == page_of(path).text, "equal figures give an equal page"
    compared, wrong = differences(page, path)
    assert wrong == []
    assert compared == len(page.figures) > 40
    assert {f.query for f in page.figures} <= set(page.queries)
    assert {f"sql-{name}" for name in page.queries} <= set(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_a_figure_that_is_not_the_warehouses_is_found(given: Callable[[str], Path]) -> None:
    path = given(CHANGES)
    page = page_of(path)
    cell = next(f for f in page.figures if f.query == "changed" and f.column == "figures_revised")
    assert cell.text == "5"
    cell.text = "6"
    assert [w for w in differences(page, path)[1] if "shows '6' for 5" in w]


def test_hostile_text_stays_text(given: Callable[[str], Path]) -> None:
    text = HOSTILE.replace("'", "''")
    script = source("ember", text) + (
        f"insert into claim_verdicts (claim_id, statement, verdict, because, as_of) "
        f"values ('C4', '{text}', '{text}', '{text}', '2026-08-21');"
        "insert into driver_trade_policy (metal_id, month, refined_rate_pct) values ('copper', '2026-08-01', 0);"
        "insert into policy_events (event_id, metal_id, instrument, measure, products, effective_on, source_url, "
        f"federal_register_citation, as_of) values ('e', 'copper', 'i', 'm', '{text}', '2026-01-01', "
        "'javascript:alert(1)', 'cited', '2026-08-21');"
    )
    with duckdb.connect(str(given(script)), read_only=True) as connection:
        html = brief.page(connection, personal_use=False, made_at=NOW)
    page = read(html)
    assert page.text.count(HOSTILE) >= 4
    assert "<img" not in html
    assert len(page.scripts) == 1, "our own and none else"
    assert "javascript:alert(1)" not in page.links
    assert "cited" in page.text


def test_the_policy_forbids_all_but_the_pages_own_script(given: Callable[[str], Path]) -> None:
    page = page_of(given(""))
    [script] = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = dict(rule.partition(" ")[::2] for rule in page.policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert f"'sha256-{digest}'" in rules["script-src"]
    assert not re.search(r"unsafe|http|\*", rules["script-src"])
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}


OWN_USE = (
    source("worldbank_pink_sheet", "World Bank", "attribution")
    + source("yahoo", "Yahoo chart interface", "personal_use")
    + """
    insert into raw.payload (payload_id, source_id, retrieved_at, origin) values
        ('w', 'worldbank_pink_sheet', '2026-08-01 10:00', 'fetched'), ('y', 'yahoo', '2026-08-20 10:00', 'fetched');
    insert into metals (metal_id, name, symbol, family) values
        ('copper', 'Copper', 'Cu', 'base'), ('silver', 'Silver', 'Ag', 'precious');
    insert into metal_prices (metal_id, frequency, period, price_native, native_unit, price_usd_per_tonne, series_id)
    values
        ('copper', 'monthly', '2026-07-01', 9876.5, 'usd_per_tonne', 9876.5, 'wb'),
        ('silver', 'monthly', '2026-07-01', 43.21, 'usd_per_troy_ounce', 1389000, 'yh');
    insert into driver_trade_policy (metal_id, month, refined_rate_pct, highest_rate_pct) values
        ('copper', '2026-07-01', 0, 50), ('silver', '2026-07-01', 0, 0);
    insert into divergence_trade_tightness (metal_id, month, premium_pct) values ('copper', '2026-07-01', 12.34);
    insert into claim_verdicts (
        claim_id, statement, verdict, because, as_of, decisive_indicators, decisive_missing_or_stale
    )
    values
        ('D3', 'Trade is tight.', 'supported', 'The premium is 12.34 per cent.', '2026-08-21', 1, 0),
        ('C2', 'Spending grows.', 'supported', 'It grew.', '2026-08-21', 1, 0);
    insert into claim_evidence (claim_id, indicator, role, value, unit, reading, is_stale, finding, as_of) values
        ('D3', 'premium', 'decisive', 12.34, 'pct', 'supports', false, 'a premium of 12.34 %', '2026-08-21'),
        ('C2', 'growth', 'decisive', 5.5, 'pct', 'supports', false, 'growth of 5.5 %', '2026-08-21');
    insert into lineage (table_name, row_key, payload_id) values
        ('metal_prices', 'copper|monthly|2026-07-01', 'w'), ('metal_prices', 'silver|monthly|2026-07-01', 'y'),
        ('divergence_trade_tightness', 'copper|2026-07-01', 'y'),
        ('claim_evidence', 'D3|premium', 'y'), ('claim_verdicts', 'D3', 'y');
    """
)


def test_figures_for_own_use_are_left_out_unless_the_user_says_otherwise(given: Callable[[str], Path]) -> None:
    path = given(OWN_USE)
    without, with_them = page_of(path), page_of(path, personal_use=True)
    for figure in ("43.21", "12.34", "Source: Yahoo chart interface"):
        assert figure not in without.text, figure
        assert figure in with_them.text, figure
    for figure in ("$9,876", "growth of 5.5 %"):
        assert figure in without.text
        assert figure in with_them.text
    assert not [f for f in without.figures if f.stored in ("43.21", "12.34")]
    assert (
        "Left out: 4 rows that derive from data licensed for personal use only (Yahoo chart interface)" in without.text
    )
    assert "METALS_BRIEF_PERSONAL_USE=true shows them" in without.text
    assert "do not share it" in with_them.text
    assert "Its evidence is licensed for personal use only and is not shown." in without.text
    assert "premium" not in str(without.charts["duties"]["data"])
    assert "premium" in str(with_them.charts["duties"]["data"])
    for page in (without, with_them):
        assert differences(page, path)[1] == []


def test_a_headline_is_the_newest_price_that_may_be_shown(given: Callable[[str], Path]) -> None:
    """August's closes are for own use: without them July's mean of copper stands, and gold has no figure."""
    path = given(
        OWN_USE
        + """
        insert into metal_quotations_usd (metal_id, series_id, frequency, period, price_usd, unit, source_rank)
        values
            ('copper', 'yh', 'daily', '2026-08-21', 9921, 'usd_per_tonne', 1),
            ('copper', 'wb', 'monthly', '2026-07-01', 9876.5, 'usd_per_tonne', 2),
            ('gold', 'yh_gold', 'daily', '2026-08-20', 4321.5, 'usd_per_troy_ounce', 1);
        insert into lineage (table_name, row_key, payload_id) values
            ('metal_quotations_usd', 'copper|yh|2026-08-21', 'y'),
            ('metal_quotations_usd', 'copper|wb|2026-07-01', 'w'),
            ('metal_quotations_usd', 'gold|yh_gold|2026-08-20', 'y');
        """
    )
    headlines = {
        own_use: [f.text for f in page_of(path, personal_use=own_use).figures if f.query == "headlines"]
        for own_use in (False, True)
    }
    assert {"$9,921\u202f/\u202ft", "21 Aug 2026", "$4,321.50\u202f/\u202foz", "20 Aug 2026"} <= set(headlines[True])
    assert {"$9,876\u202f/\u202ft", "Jul 2026"} <= set(headlines[False])
    assert not {"21 Aug 2026", "$4,321.50\u202f/\u202foz"} & set(headlines[False])


def test_periods_and_units_of_a_table_are_those_of_its_rows(given: Callable[[str], Path]) -> None:
    page = page_of(
        given(
            """
            insert into divergences (
                divergence_id, subject, title, left_label, left_value, right_label, right_value, state, period,
                period_label
            ) values
                ('d', 'copper', 'COMEX', 'US, per tonne', 9000, 'abroad', 8900, 'open', '2026-07-01', 'Jul 2026'),
                ('d', 'silver', 'COMEX', 'US, per troy ounce', 50, 'abroad', 49, 'open', '2026-07-01', 'Jul 2026'),
                ('c', 'GOOGL', 'capex', 'spent', 37, 'earned', 49, 'opening', '2026-04-01', '2026Q2');
            insert into driver_composites (metal_id, month, composite, contribution_monetary) values
                ('copper', '2026-07-01', 0.5, 0.5);
            insert into metals (metal_id, name, symbol, family) values ('copper', 'Copper', 'Cu', 'base');
            insert into driver_scores
                (metal_id, driver_id, driver_group, month, zscore, contribution, value_period, gap_reason)
            values
                ('copper', 'us_dollar_change', 'monetary', '2026-07-01', 0.5, 0.5, '2026-06-01', null),
                ('copper', 'china_money_gap', 'china', '2026-07-01', null, null, '2026-01-01',
                 'fewer than 24 figures: no z-score');
            """
        )
    )
    assert {f.text for f in page.figures if f.column == "period_label"} == {"Jul 2026", "2026Q2"}
    assert "emerging_asia" not in page.prose
    assert page.text.count("US, per tonne") == page.text.count("US, per troy ounce") > 0
    assert "Without a score: China (fewer than 24 figures: no z-score)." in page.text
    assert "Not scored: Fiscal, AI, Trade, Geopolitics and Positioning." in page.text


def test_nothing_for_own_use_in_the_warehouse_leaves_the_queries_short(given: Callable[[str], Path]) -> None:
    page = page_of(given(source("yahoo", "Yahoo", "personal_use")))
    assert "No figure in this warehouse is licensed for personal use only." in page.text
    # What a release bears on is read from the lineage; nothing is left out by it.
    assert [name for name, sql in page.queries.items() if "lineage" in sql] == ["releases"]


def test_coal_is_drawn_where_there_is_coal(given: Callable[[str], Path]) -> None:
    path = given(
        source("ember", "Ember")
        + "insert into divergence_coal_transition (subject, name, year, coal_share_pct) values "
        "('CN', 'China', 2024, 58.2), ('CN', 'China', 2025, 55.9), ('IN', 'India', 2025, 74.0);"
    )
    page = page_of(path)
    assert "Of all electricity in 2025 coal generated 55.9\u202f% in China and 74.0\u202f% in India." in (page.text)
    traces = {t["name"]: (t["x"], t["y"]) for t in page.charts["coal-share"]["data"]}
    assert traces == {"China": ([2025, 2024], [55.9, 58.2]), "India": ([2025], [74.0])}
    assert differences(page, path)[1] == []


def test_the_lead_moves_money_ahead(given: Callable[[str], Path]) -> None:
    path = given(
        "insert into divergence_money_ppi (month, gap_pp, ppi_yoy_pct, m1_definition) values "
        "('2024-12-01', -8.7, -2.3, 'before_2025'), ('2025-01-01', -6.6, -2.2, 'from_2025'), "
        "('2025-02-01', null, -2.1, 'from_2025');"
        "insert into lead_lag_money_ppi (sample, lag_months, correlation, correlation_lower_95, correlation_upper_95, "
        "is_max, last_month) values ('full', 0, 0.29, 0.04, 0.56, false, '2026-07-01'), "
        "('full', 8, 0.66, 0.52, 0.82, true, '2026-07-01');"
    )
    page = page_of(path)
    prices, after, before = page.charts["money-ppi"]["data"]
    assert (prices["x"], prices["y"]) == (["2025-02-01", "2025-01-01", "2024-12-01"], [-2.1, -2.2, -2.3])
    assert (after["x"], after["y"]) == (["2025-10-01", "2025-09-01"], [None, -6.6])  # eight months on, its own unit
    assert (before["x"], before["y"]) == (["2025-08-01"], [-8.7])
    [mark] = page.charts["money-ppi"]["layout"]["annotations"]
    assert (mark["x"], mark["text"]) == ("2025-09-01", "M1 redefined, Jan 2025 (shifted)")
    assert "producer prices changed by −2.1\u202f% in Feb 2025 and M1 less M2 growth stood at −6.6" in page.text
    assert differences(page, path)[1] == []
    assert (
        "money fits prices best with a lead of 8\u202fmonths (correlation +0.66, 95 % band +0.52 to +0.82)" in page.text
    )


def test_a_nowcast_is_told_with_its_error_beside_that_of_no_change(given: Callable[[str], Path]) -> None:
    money = (
        "insert into divergence_money_ppi (month, gap_pp, ppi_yoy_pct, m1_definition) values "
        "('2026-07-01', -2.0, 3.8, 'from_2025');"
    )
    row = (
        "insert into ppi_nowcast (horizon_months, origin_month, target_month, no_change_pct, forecast_pct, "
        "forecast_lower_80_pct, forecast_upper_80_pct, forecasts, rmse_pp, rmse_no_change_pp, rmse_own_past_pp, "
        "beats_no_change, bands, gap_month, known_at) values "
        "({}, '2026-07-01', '{}', 3.8, {}, {}, 5.0, 153, 3.19, 3.58, 3.3, {}, 100, '2026-07-01', '2026-08-15');"
    )
    near = row.format(1, "2026-08-01", 3.9, 3.1, "true")
    page = page_of(given(money + near + row.format(6, "2027-01-01", 2.5, -1.0, "false")))
    assert (
        "From figures to Jul 2026, with the gap of six months before, producer prices of Jan 2027 were "
        "forecast at +2.5\u202f% on the year (80 % band of past errors: "
        "\u22121.0\u202f% to +5.0\u202f%); 153 such forecasts erred by 3.19\u202fpoints, no change by "
        "3.58\u202fpoints: not shown to be better than no change." in page.text
    )
    # Without a band of the farthest month the next one is told; without any, none.
    assert (
        "Aug 2026 were forecast" in page_of(given(money + near + row.format(6, "2027-01-01", 2.5, "null", "null"))).text
    )
    assert "no change by 3.58\u202fpoints, a gain beyond chance." in page_of(given(money + near)).text
    assert "were forecast" not in page_of(given(money)).text


def test_a_page_is_written_whole_beside_others(given: Callable[[str], Path], tmp_path: Path) -> None:
    path = given()
    settings = Settings(warehouse_dir=tmp_path / "home", now=NOW)
    settings.published_path.parent.mkdir(parents=True)
    settings.published_path.write_bytes(path.read_bytes())
    written = brief.write(settings)
    assert written.path == tmp_path / "home" / "brief" / "index.html"
    assert read(written.path.read_text(encoding="utf-8")).text.count("Metals brief") == 2  # title and heading
    assert sorted(p.name for p in written.path.parent.iterdir()) == ["brief.json", "index.html"]
    assert "Coal in emerging Asia" in written.sections_without_data
    page = written.path.rename(tmp_path / "elsewhere.html")
    written.path.symlink_to(page)
    left = written.path.with_name(".index.html.1.part")
    left.write_text("<html>", encoding="utf-8")  # by a killed process
    before = page.read_bytes()
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, hard))  # writing breaks off, as on a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            brief.write(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert page.read_bytes() == before
    brief.write(settings.model_copy(update={"now": NOW + timedelta(hours=1)}))
    assert written.path.is_symlink()
    assert page.read_bytes() != before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []
    past = settings.model_copy(update={"as_of": date(2025, 12, 31)})
    assert past.brief_path.name == "as_of_2025-12-31.html"


BUNDLED = (
    source("wb", "World Bank")
    + """
    insert into data_freshness (series_id, source_id, frequency, first_period, last_period, last_period_end, rows)
    values ('wb_copper', 'wb', 'monthly', '2026-01-01', '2026-06-01', '2026-06-30', 6);
    insert into claim_evidence
        (claim_id, indicator, role, unit, reading, is_stale, finding, reason, as_of, age_days, due_days)
    values
        ('C4', 'i', 'decisive', 'pct', 'supports', false, 'f', 'r', '2026-08-21', 52, 40),
        ('C5', 'i', 'decisive', 'pct', 'supports', false, 'f', 'r', '2026-08-21', 52, 70),
        ('C6', 'i', 'decisive', 'pct', 'supports', true, 'f', 'r', '2026-08-21', 900, 40);
    """
)


def asked(at: str, outcome: str) -> str:
    return f"insert into raw.retrieval (source_id, checked_at, outcome) values ('wb', '{at}', '{outcome}');"


@pytest.mark.parametrize(
    ("script", "begins"),
    [
        ("", "No publisher was reached: this page"),
        (asked("2026-08-21 22:01", "failed"), "No publisher was reached: this page"),
        (asked("2026-08-10 22:01", "fresh"), None),  # no build before: this build's own
        (asked("2026-08-21 22:01", "unchanged"), None),
        (asked("2026-08-21 22:01", "blocked"), None),  # it answered
    ],
)
def test_a_page_of_a_run_that_reached_nobody_begins_with_that(
    given: Callable[[str], Path], script: str, begins: str | None
) -> None:
    path = given(BUNDLED + script)
    page = page_of(path)
    said = " ".join(page.text.split())
    if begins is None:
        assert "No publisher was reached" not in said
        return
    # The stale figure counts for nothing; of the others one was fresh until 9 August.
    assert (
        f"{begins} stands on figures to 30 Jun 2026. 1 of 2 claims rest on figures for which a newer one is already "
        "due; the oldest: C4 (since 9 Aug 2026)." in said
    )
    assert said.index(begins) < said.index("What moved")
    assert differences(page, path)[1] == []


def test_a_quiet_weekend_is_no_fault_and_a_quiet_week_is(given: Callable[[str], Path]) -> None:
    before = (
        "insert into raw.build (build_id, as_of, started_at, finished_at, succeeded, selection) values "
        "('a', '2026-08-20', '2026-08-20 12:00', '2026-08-20 12:10', true, '');"
    )
    weekend = page_of(given(BUNDLED + before + asked("2026-08-19 22:01", "fresh")))
    assert "No publisher was reached" not in weekend.text
    week = page_of(given(BUNDLED + before + asked("2026-08-14 22:01", "fresh")))
    assert "No publisher was reached since 14 Aug 2026: this page stands" in " ".join(week.text.split())


SERIES = (
    # series, frequency, newest period, rows since its first, lag: released in the ten days from 21 August or not
    ("monthly", "2026-06-01", "2026-05-01", 2, 25),
    ("quarterly", "2026-01-01", "2025-10-01", 2, 60),
    ("annual", "2024-01-01", "2023-01-01", 2, 240),
    ("us_fiscal_year", "2024-10-01", "2023-10-01", 2, 330),
    ("weekly", "2026-08-10", "2026-08-03", 2, 4),
    ("daily", "2026-08-18", "2026-08-04", 3, 3),  # a week apart
)


def test_releases_are_those_of_the_catalogues_calendar(given: Callable[[str], Path]) -> None:
    tracked = catalog.load(Settings().catalog_dir)
    any_series = next(iter(tracked.series.values()))
    script, wanted = source("wb", "World Bank"), set()
    today = date(2026, 8, 21)
    for frequency, last, first, rows, lag in SERIES:
        one = any_series.model_copy(update={"frequency": catalog.Frequency(frequency), "publication_lag_days": lag})
        due = next_release(one, date.fromisoformat(last), step_days=7 if frequency == "daily" else 1)
        if today < due <= today + timedelta(days=10):
            wanted.add((str(due), frequency))
        script += (
            f"insert into series (series_id, source_id, title, frequency, publication_lag_days) values "
            f"('{frequency}', 'wb', '{frequency} title', '{frequency}', {lag});"
            "insert into data_freshness (series_id, source_id, frequency, first_period, last_period, rows) values "
            f"('{frequency}', 'wb', '{frequency}', '{first}', '{last}', {rows});"
        )
    script += (  # a real daily series is no date to wait for
        "insert into claim_verdicts (claim_id, title) values ('C4', 'Prices turn');"
        "insert into series (series_id, source_id, title, frequency, publication_lag_days) values "
        "('close', 'wb', 'close', 'daily', 1);"
        "insert into data_freshness (series_id, source_id, frequency, first_period, last_period, rows) values "
        "('close', 'wb', 'daily', '2026-08-03', '2026-08-20', 14);"
        "insert into raw.catalog_indicator (indicator_id, series_id) values ('prices', 'monthly');"
        "insert into lineage (table_name, row_key, input_id, payload_id) values "
        "('claim_evidence', 'C4|i', 'prices', 'p'), ('claim_evidence', 'C0|i', 'prices', 'p'), "
        "('driver_scores', 'copper|us_dollar_change|2026-07-01', 'weekly', 'p');"
    )
    path = given(script)
    page = page_of(path)
    rows = page.rows("releases")
    assert len(wanted) >= 4
    assert {(r["released_on"], r["titles"].removesuffix(" title")) for r in rows} >= wanted
    assert not [r for r in rows if "close" in r["titles"]]
    bears = {r["titles"]: (r.get("claim_titles"), r.get("drivers")) for r in rows}
    assert bears["monthly title"] == ("C0; Prices turn (C4)", None)
    assert bears["weekly title"] == (None, "Broad US dollar index")
    assert differences(page, path)[1] == []
    script += (
        "insert into raw.catalog_release (series_id, period, released_on) values "
        "('monthly', '2026-07-01', '2026-08-24');"
    )
    rows = page_of(given(script)).rows("releases")
    assert [r["released_on"] for r in rows if r["titles"] == "monthly title"] == ["2026-08-24"], "the day on record"


HISTORY = """
    insert into claim_verdicts (
        claim_id, statement, verdict, as_of, last_verdict, last_verdict_on, decisive_indicators, decisive_supporting,
        decisive_contradicting, decisive_missing_or_stale, decisive_ageing
    ) values
        ('C1', 'Left open.', 'undetermined', '2026-08-21', 'mixed', '2026-07-31', 1, 0, 0, 0, 0),
        ('S1', 'Decided.', 'supported', '2026-08-21', 'supported', '2026-08-21', 1, 1, 0, 0, 0);
    insert into claim_verdict_history (as_of, claim_id, verdict, verdict_month_before, has_flipped) values
        ('2025-07-31', 'C1', 'supported', 'mixed', true), ('2026-06-30', 'C1', 'mixed', 'mixed', false),
        ('2026-07-31', 'C1', 'undetermined', 'mixed', true), ('2026-06-30', 'S1', 'no_data', null, false),
        ('2026-07-31', 'S1', 'undetermined', 'no_data', true);
    insert into claim_evidence_history (as_of, claim_id, indicator, role, reading, is_stale, finding) values
        ('2026-06-30', 'C1', 'a', 'decisive', 'supports', false, 'it rose'),
        ('2026-07-31', 'C1', 'a', 'decisive', 'neutral', false, 'it stood still'),
        ('2026-06-30', 'C1', 'b', 'decisive', 'contradicts', false, 'it held'),
        ('2026-07-31', 'C1', 'b', 'decisive', 'contradicts', false, 'it held');
    insert into claim_evidence (claim_id, indicator, role, unit, reading, is_stale, finding, reason, as_of) values
        ('C1', 'a', 'decisive', 'pct', 'neutral', false, 'it stood still', 'r', '2026-08-21'),
        ('S1', 'a', 'decisive', 'pct', 'neutral', false, 'one says nothing', 'r', '2026-08-21'),
        ('S1', 'b', 'decisive', 'pct', 'supports', false, 'one speaks for it', 'r', '2026-08-21');
"""


def test_the_board_has_a_years_verdicts_the_last_one_and_a_sentence(given: Callable[[str], Path]) -> None:
    path = given(HISTORY)
    page = page_of(path)
    said = " ".join(page.text.split())
    assert "last mixed on 31 Jul 2026" in said
    assert "last supported" not in said, "today's is the last"
    assert said.index("Decided.") < said.rindex("Left open."), "decided ones first"
    assert "one speaks for it." in said.rpartition("Left open.")[0]
    months = [(f.row, f.stored) for f in page.figures if f.query == "verdict_months" and f.column == "verdict"]
    assert [verdict for _, verdict in sorted(months)] == [
        "mixed", "undetermined", "undetermined", "no_data", "undetermined", "supported",
    ]  # fmt: skip
    [flip] = page.rows("flips_by_month")  # a year ago is too long ago, and from nothing to undetermined is no news
    assert (flip["claim_id"], flip["verdict_before"], flip["verdict_after"]) == ("C1", "mixed", "undetermined")
    assert flip["why"] == "it stood still", "the figure whose reading turned"
    assert differences(page, path)[1] == []


AGED = """
    insert into audit.verdict_flips values ('C1', 'supported', 'undetermined');
    insert into claim_verdicts (claim_id, statement, verdict, as_of) values
        ('C1', 'Left open.', 'undetermined', '2026-08-21');
    insert into claim_evidence (claim_id, indicator, role, unit, reading, is_stale, finding, reason, as_of) values
        ('C1', 'a', 'decisive', 'pct', 'supports', false, 'it rose', 'r', '2026-08-21'),
        ('C1', 'b', 'decisive', 'pct', 'supports', true, 'it held long ago', 'r', '2026-08-21');
    insert into claim_verdict_history (as_of, claim_id, verdict, verdict_month_before, has_flipped) values
        ('2026-06-30', 'C1', 'supported', 'supported', false), ('2026-07-31', 'C1', 'undetermined', 'supported', true);
    insert into claim_evidence_history (as_of, claim_id, indicator, role, reading, is_stale, finding) values
        ('2026-06-30', 'C1', 'a', 'decisive', 'neutral', false, 'it rose a little'),
        ('2026-07-31', 'C1', 'a', 'decisive', 'supports', false, 'it rose'),
        ('2026-06-30', 'C1', 'b', 'decisive', 'supports', false, 'it held long ago'),
        ('2026-07-31', 'C1', 'b', 'decisive', 'supports', true, 'it held long ago');
"""


def test_a_verdict_that_age_left_open_is_explained_by_the_old_figure(given: Callable[[str], Path]) -> None:
    page = page_of(given(AGED))
    for query in ("verdict_flips", "flips_by_month"):
        [flip] = page.rows(query)
        assert flip["why"] == "it held long ago", query
    assert "it held long ago." in " ".join(page.text.split()).rpartition("Evidence: ")[0]


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (
            ("no composite for the month", "its price does not lag its drivers"),
            "In Jul 2026 no metal was lifted by its drivers while its price lagged clearly behind.",
        ),
        (("no composite for the month",) * 2, "No metal can be ranked: no composite for the month."),
    ],
)
def test_no_metal_is_said_to_lag_or_not_where_none_was_compared(
    reasons: tuple[str, str], said: str, given: Callable[[str], Path]
) -> None:
    page = page_of(
        given(
            "insert into metals (metal_id, name, symbol, family) values "
            "('copper', 'Copper', 'Cu', 'base'), ('zinc', 'Zinc', 'Zn', 'base');"
            "insert into opportunities (metal_id, month, gap_reason) values "
            f"('copper', '2026-07-01', '{reasons[0]}'), ('zinc', '2026-07-01', '{reasons[1]}');"
        )
    )
    assert said in " ".join(page.text.split())
    assert page.text.count("No metal can be ranked") == said.startswith("No")


def test_the_reasons_that_compare_are_those_of_the_model() -> None:
    model = Settings().dbt_project_dir / "models/marts/thesis/opportunities.sql"
    assert [r for r in sections.JUDGED if f"'{r}'" not in model.read_text(encoding="utf-8")] == []


def test_a_sparkline_is_drawn_between_its_lowest_and_highest() -> None:
    assert charts.path([1.0, 3.0, 2.0]) == "0.00,24.00 50.00,0.00 100.00,12.00"
    assert charts.path([5.0]) == "0.00,0.00"


def test_a_sparkline_that_is_not_the_warehouses_is_found(given: Callable[[str], Path]) -> None:
    path = given(
        "insert into driver_monetary (month, real_10y_yield_pct) values "
        "('2026-05-01', 1.5), ('2026-06-01', 2.5), ('2026-07-01', 2.0);"
    )
    page = page_of(path)
    [(query, column, rows, points)] = page.sparklines
    assert points == "0.00,24.00 50.00,0.00 100.00,12.00", "oldest first"
    texts = {f.column: f.text for f in page.figures if f.query == "headlines"}
    assert texts["value"] == "2.0\u202f%"
    assert (texts["change"], texts["period"], texts["age_days"]) == ("−0.5\u202fpp", "Jul 2026", "21")
    assert differences(page, path)[1] == []
    page.sparklines = [(query, column, rows, points.replace("12.00", "11.00"))]
    assert [w for w in differences(page, path)[1] if "sparkline" in w]


def test_what_is_for_personal_use_is_shown_to_its_user_alone(given: Callable[[str], Path]) -> None:
    path = given(
        OWN_USE
        + """
        update divergence_trade_tightness set comex_stock_tonnes = 512345, us_share_of_stock_pct = 61.7;
        insert into import_margin (metal_id, trading_day, import_margin_usd_per_tonne, import_margin_pct)
            values ('copper', '2026-08-20', -87.5, -0.9);
        insert into lineage (table_name, row_key, payload_id) values ('import_margin', 'copper|2026-08-20', 'y');
        """
    )
    without, with_them = page_of(path), page_of(path, personal_use=True)
    for query in ("stocks", "import_margin"):
        assert without.rows(query) == []
        assert len(with_them.rows(query)) == 1
    assert "Exchange stocks" not in without.prose
    assert {"512\u202fkt", "61.7\u202f%"} <= {f.text for f in with_them.figures if f.query == "stocks"}
    assert differences(with_them, path)[1] == []


def test_what_is_computed_of_drivers_stands_without_a_composite(given: Callable[[str], Path]) -> None:
    path = given(
        """
        insert into metals (metal_id, name, symbol, family) values ('copper', 'Copper', 'Cu', 'base');
        insert into driver_positioning
            (metal_id, report_date, net_managed_money_contracts, net_managed_money_percentile_expanding)
        values ('copper', '2026-08-11', 60000, 80.4), ('copper', '2026-08-18', 68242, 92.4);
        insert into series (series_id, source_id, metal_id) values ('l', 'cftc', 'copper');
        insert into data_freshness (series_id, source_id, frequency, staleness_limit_days) values
            ('l', 'cftc', 'daily', 2), ('tpu_monthly_index', 'tpu', 'monthly', 120);
        insert into driver_fiscal (month, deficit_12m_pct_gdp, deficit_12m_change_pp, fiscal_impulse_12m_pp)
        values ('2026-07-01', 6.1, -0.3, -0.5), ('2026-08-01', null, null, null);
        insert into metal_attribution (metal_id, family, month, first_month, months_used, r_squared_adjusted,
            share_macro, share_china, macroeconomy_is_complete, known_at)
        values ('copper', 'base', '2026-06-01', '2021-08-01', 59, 0.461, 0.457, 0.054, true, '2026-08-01');
        insert into risk_regimes
            (metal_id, regime, sample, timing, regime_is_on, mean_abs_return_inside_pct, regime_month)
        values ('average_of_four', 'trade_policy', 'full', 'same_month', true, 4.2, '2026-05-01');
        insert into metal_ratios (month, gold_silver_ounces_per_ounce, copper_gold_ounces_per_tonne) values
            ('2026-06-01', 63.4, 3.2), ('2025-06-01', 93.1, 2.9);
        insert into metal_prices (metal_id, frequency, period, price_native, native_unit)
        values ('copper', 'monthly', '2026-06-01', 9000, 'usd_per_tonne');
        """
    )
    page = page_of(path)
    said = " ".join(page.text.split())
    assert "No metal has a composite of its drivers." in said
    assert "deficit of twelve months to Jul 2026 was 6.1 % of GDP, a change of −0.3 pp on the year" in said
    assert "the macroeconomy and China explained 46.1 % (Copper)" in said
    [position] = page.rows("positioning")
    assert (position["report_date"], position["net_percentile"]) == ("2026-08-18", "92.4")
    assert (position["age_days"], position["is_stale"]) == ("3", "True")
    [regime] = page.rows("regimes")
    assert (regime["regime"], regime["age_days"], regime["is_stale"]) == ("trade policy", "82", "False")
    ratios = {r["ratio"]: (r["value"], r["value_year_before"]) for r in page.rows("ratios")}
    assert ratios == {"Gold to silver": ("63.4", "93.1"), "Copper to gold": ("3.2", "2.9")}
    assert differences(page, path)[1] == []


def test_a_claim_is_named_wherever_its_code_stands(given: Callable[[str], Path]) -> None:
    page = page_of(given(CHANGES + HISTORY.replace("'C1'", "'C4'").partition(";")[2]))
    said = re.sub(r"\s+", " ", page.prose)
    assert len(page.rows("verdict_flips")) == len(page.rows("flips_by_month")) == 1
    before = [said[: found.start()] for found in re.finditer("C4", said)]
    named = [part.rstrip(" (").endswith("China's PPI turns") for part in before]
    assert named == [True] * 5, "the view, both lists of flips, the board and its table of evidence"


def test_an_old_figure_is_not_told_as_todays(given: Callable[[str], Path]) -> None:
    page = page_of(given(AGED))
    assert "too old to count: it held long ago." in page.text
    path = given(
        "insert into metals (metal_id, name, symbol, family) values ('copper', 'Copper', 'Cu', 'base');"
        "insert into metal_prices (metal_id, frequency, period, price_native, native_unit, return_12m_pct, "
        "realised_volatility_12m_annualised_pct, realised_volatility_12m_percentile) values "
        "('copper', 'monthly', '2025-06-01', 9000, 'usd_per_tonne', 12.0, 20.0, 80.0);"
        "insert into divergences (divergence_id, subject, title, left_label, right_label, state, gap_zscore, "
        "period, period_label, is_stale) "
        "values ('price_driver', 'copper', 'A gap', 'l', 'r', 'open', 1.5, '2025-06-01', 'Jun 2025', true),"
        "('e', 'India', 'A slope', 'l', 'r', 'opening', -2.4, '2025-01-01', '2025', false);"
        "insert into opportunities (metal_id, month, opportunity_rank, rank_sum, composite_rank, price_gap_rank) "
        "values ('copper', '2025-06-01', 1, 2, 1, 1);"
    )
    said = " ".join(page_of(path).text.split())
    for told in (
        "Copper was the most volatile relative to its own history (20.0 % annualised in the twelve months to Jun 2025",
        "By their newest figures 2 of 2 were open, opening or closing; the widest was India (A slope, gap −2.40 in "
        "2025); of metals, Copper (A gap, gap +1.50 in Jun 2025)",
        "A gap. The composite is scaled against its own past, so it differs from the one under Ranking",
        "Composite of Jun 2025, the newest month with prices.",
        "1 of all stand on figures older than their limit.",
        "Copper came first with a rank sum of 2 in Jun 2025",
    ):
        assert told in said, told


DUTIES = """
    insert into driver_trade_policy (metal_id, month, status_on, checked_to, highest_rate_pct, refined_rate_pct) values
        ('aluminium', '2025-05-01', '2025-05-31', '2025-05-31', 25, 25),
        ('aluminium', '2025-06-01', '2025-06-30', '2025-06-30', 50, 50),
        ('aluminium', '2025-07-01', '2025-07-31', '2025-07-31', 50, 50),
        ('aluminium', '2025-08-01', '2025-08-31', '2025-08-20', 50, 10),
        ('copper', '2025-05-01', '2025-05-31', '2025-05-31', null, 0),
        ('copper', '2025-06-01', '2025-06-30', '2025-06-30', null, 0),
        ('copper', '2025-07-01', '2025-07-31', '2025-07-31', null, 0),
        ('copper', '2025-08-01', '2025-08-31', '2025-08-20', 50, 0);
    insert into policy_events (event_id, metal_id, rate_pct, effective_on, ends_on) values
        ('old', 'aluminium', 25, '2025-03-12', '2025-06-04'), ('new', 'aluminium', 50, '2025-06-04', '2025-08-13'),
        ('foil', 'aluminium', 25, '2025-07-10', '2026-01-01'), ('wire', 'copper', 50, '2025-08-01', null);
"""


def test_a_duty_is_drawn_from_its_legal_day_and_stands_with_the_day_to_which_measures_were_checked(
    given: Callable[[str], Path],
) -> None:
    path = given(DUTIES)
    page = page_of(path)
    assert differences(page, path)[1] == []
    drawn = {trace["name"]: trace for trace in page.charts["duties"]["data"]}
    for line, day, duty in (
        ("Copper goods, highest", "2025-07-31", None),
        ("Copper goods, highest", "2025-08-01", 50),
        ("Refined copper", "2025-08-31", 0),
        ("Unwrought aluminium", "2025-06-03", 25),  # the month's status is that of its last day
        ("Unwrought aluminium", "2025-06-04", 50),
        ("Unwrought aluminium", "2025-08-12", 50),
        ("Unwrought aluminium", "2025-08-13", 10),  # one that ended on its legal day
    ):
        trace = drawn[line]
        assert trace["line"]["shape"] == "hv", "level up to the next point, then the step"
        assert trace["x"] == sorted(trace["x"])
        assert [y for x, y in zip(trace["x"], trace["y"], strict=True) if x <= day][-1] == duty, (line, day)

    said = page.text
    assert "General US duties (measures last checked to 20 Aug 2025): 0\u202f% on refined copper (50\u202f% on" in said
    assert "Measures were last checked to 20 Aug 2025: a later one is not in these figures." in said
    marked = {r["month"]: r["checked_only_to"] for r in page.rows("duties")}
    assert marked == {"2025-05-01": "", "2025-06-01": "", "2025-07-01": "", "2025-08-01": "2025-08-20"}


def test_the_whole_of_a_claim_in_parts_is_counted_over_all_of_them(given: Callable[[str], Path]) -> None:
    path = given(
        HISTORY
        + "update claim_verdicts set verdict = 'mixed', lines = 'a: undetermined (1 for); b: undetermined (1 against)',"
        "decisive_indicators = 4, decisive_supporting = 1, decisive_contradicting = 1, decisive_missing_or_stale = 1,"
        "decisive_ageing = 0, decidable_until = as_of;"
    )
    said = page_of(path).text
    assert (
        "b: undetermined (1 against). The whole is mixed: 1 for, 1 against, 1 undecided and 1 missing or too old."
        in said
    )
    assert "1 missing or too old and the evidence counts until today." in said


def test_a_quarter_is_marked_by_the_companies_in_its_bar(given: Callable[[str], Path]) -> None:
    path = given(
        """
        insert into companies (company_id, name, role) values
            ('A', 'A', 'hyperscaler'), ('B', 'B', 'hyperscaler');
        insert into driver_ai_capex (company_id, calendar_quarter, fiscal_year, fiscal_quarter, capex_usd) values
            ('A', '2026-04-01', 2026, 2, 3e9), ('B', '2026-04-01', 2026, 2, null),
            ('A', '2026-01-01', 2026, 1, 3e9), ('B', '2026-01-01', 2026, 1, 1e9),
            ('A', '2023-07-01', 2023, 3, 1e9), ('A', '2023-04-01', 2023, 2, 1e9);
        insert into driver_ai_capex_aggregate (calendar_quarter, companies_reporting, companies_expected, capex_usd,
            capex_ttm_usd, capex_ttm_companies, capex_ttm_carried) values
            ('2026-04-01', 1, 2, 3e9, 14e9, 2, 'B to 2026-03-31'), ('2026-01-01', 2, 2, 4e9, 12e9, 2, null),
            ('2023-07-01', 1, 2, 1e9, null, 0, null), ('2023-04-01', 1, 2, 1e9, 4e9, 1, null);
        """
    )
    page = page_of(path)
    marks = {a["x"]: a["text"] for a in page.charts["capex"]["layout"]["annotations"]}
    assert marks == {"2026Q2": "1/2", "2023Q3": "1/2"}, "2023Q2 has no bar"
    assert "Hyperscaler capex, 4 quarters, 1 of 2, B carried" in page.text
    assert differences(page, path)[1] == []


METALS = (
    source("imf", "IMF prices")
    + source("yahoo", "Yahoo", "personal_use")
    + """
    insert into metals (metal_id, name, symbol, family) values
        ('copper', 'Copper', 'Cu', 'base'), ('zinc', 'Zinc', 'Zn', 'base'), ('gold', 'Gold', 'Au', 'precious'),
        ('silver', 'Silver', 'Ag', 'precious'), ('palladium', 'Palladium', 'Pd', 'platinum_group'),
        ('cobalt', 'Cobalt', 'Co', 'battery'), ('coal', 'Thermal coal', 'C', 'energy');
    insert into series (series_id, source_id, title, frequency, unit, metal_id) values
        ('p', 'imf', 'Palladium', 'monthly', 'usd_per_troy_ounce', 'palladium'),
        ('o', 'imf', 'Output of cobalt', 'annual', 'tonnes', 'cobalt');
    insert into metal_prices (metal_id, frequency, period, price_native, native_unit) values
        ('copper', 'monthly', '2026-07-01', 9000, 'usd_per_tonne'),
        ('zinc', 'monthly', '2026-07-01', 3000, 'usd_per_tonne'),
        ('gold', 'monthly', '2026-07-01', 4000, 'usd_per_troy_ounce'),
        ('silver', 'monthly', '2026-07-01', 60, 'usd_per_troy_ounce');
    insert into raw.payload (payload_id, source_id, retrieved_at, origin)
        values ('y', 'yahoo', '2026-08-20', 'fetched');
    insert into lineage (table_name, row_key, payload_id) values ('metal_prices', 'silver|monthly|2026-07-01', 'y');
    insert into driver_composites (metal_id, month, composite, contribution_monetary, gap_reason) values
        ('copper', '2026-07-01', 0.1, 0.1, null), ('zinc', '2026-07-01', 0.1, 0.1, null),
        ('gold', '2026-07-01', -0.2, -0.2, null), ('palladium', '2026-07-01', null, 0.3, 'only 1 driver has a score');
    """
)


def test_a_metal_that_is_not_in_a_table_is_named_with_the_reason(given: Callable[[str], Path]) -> None:
    path = given(METALS)
    said = page_of(path).text
    assert (
        "Without a monthly price: Silver (licensed for personal use only); Palladium (no figure is held of IMF "
        "prices); Cobalt (no monthly series of it is in the catalogue)." in said
    )
    assert (
        "Without a composite: Cobalt and Silver (no driver is scored); Palladium (only 1 driver has a score)." in said
    )
    assert said.count("Without a") == 2, "of the metals that the tables are about"
    assert "Silver (licensed" not in page_of(path, personal_use=True).text
    assert "Without a" not in page_of(given("")).text


def test_metals_with_one_composite_are_one_finding(given: Callable[[str], Path]) -> None:
    said = page_of(given(METALS)).text
    assert "share one composite, so each group is one finding: Copper and Zinc. " in said, "gold has one of its own"
    # At 0.1 the sign says little. Copper and gold stand at the ends here and are not named twice.
    assert "deviations: highest for copper, zinc (one composite, near zero at +0.10, mainly monetary +0.10), " in said
    assert "lowest for gold (−0.20, mainly monetary −0.20)." in said


def test_every_negative_number_has_the_same_sign(given: Callable[[str], Path]) -> None:
    path = given(
        HISTORY
        + """
        update claim_evidence
        set finding = 'it moved by -5.2 % (-62.6 to 25.0)', reason = 'a peak is (-1)', value = -5.2;
        insert into metals (metal_id, name, symbol, family) values ('copper', 'Copper', 'Cu', 'base');
        insert into opportunities (metal_id, month, gap_reason) values ('copper', '2026-07-01', 'a gap of -0.4');
        """
    )
    with duckdb.connect(str(path), read_only=True) as connection:
        html = brief.page(connection, personal_use=False, made_at=NOW)
    page = read(html)
    assert "it moved by −5.2\N{SPACE}% (−62.6 to 25.0)" in page.prose
    assert re.findall(r"(?<![\w-])-\d", page.prose) == []
    [packed] = re.findall(r'id="plotly">([^<]+)<', html)
    library = gzip.decompress(base64.b64decode(packed)).decode()
    assert re.findall('minus:"(.)"', library) == ["−"], "the chart library's hover labels"


def test_hover_labels_of_charts_have_a_true_minus_sign() -> None:
    packed, _ = html._library()
    script = gzip.decompress(base64.b64decode(packed)).decode()
    assert f'minus:"{formats.MINUS}"' in script
    assert 'minus:"-"' not in script
