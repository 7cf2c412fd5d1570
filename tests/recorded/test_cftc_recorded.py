"""Weekly files of 2026: positions read by hand in the recorded ones, and the weeks that were never captured."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import polars as pl
import pytest

from pipelines import catalog as catalogs
from pipelines import ingest, sources, warehouse
from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import cftc, cftc_legacy

METALS = ("copper", "gold", "silver", "platinum", "palladium")
MARKETS = {  # as-of day: markets in the file; long, short and open interest of the five metals, read from the files
    date(2026, 4, 7): (347, (72637, 205368, 32810, 27259, 6655), (32410, 49063, 9393, 9221, 8048)),
    date(2026, 6, 9): (356, (108035, 207984, 32487, 24826, 7516), (33585, 34147, 10273, 9814, 10480)),
    date(2026, 6, 23): (361, (104205, 217028, 35139, 23376, 7535), (32585, 35689, 11388, 8281, 10791)),
    date(2026, 7, 7): (352, (96440, 233713, 39446, 22825, 6345), (32168, 39467, 11431, 8953, 11003)),
    date(2026, 8, 4): (359, (114304, 227013, 36454, 23151, 6697), (37181, 29379, 14174, 8390, 11032)),
}
NET = {  # worked out by hand from the above
    date(2026, 4, 7): (40227, 156305, 23417, 18038, -1393),
    date(2026, 6, 9): (74450, 173837, 22214, 15012, -2964),
    date(2026, 6, 23): (71620, 181339, 23751, 15095, -3256),
    date(2026, 7, 7): (64272, 194246, 28015, 13872, -4658),
    date(2026, 8, 4): (77123, 197634, 22280, 14761, -4335),
}
OPEN_INTEREST_AUGUST = (289395, 371551, 111999, 55848, 18574)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return catalogs.load(Settings().catalog_dir)


def _body(payloads: Path, day: date) -> bytes:
    return (payloads / "cftc" / day.isoformat() / "deafut.txt").read_bytes()


@pytest.mark.parametrize("day", MARKETS)
def test_each_file_gives_three_figures_of_each_metal(payloads: Path, catalog: Catalog, day: date) -> None:
    parsed = cftc_legacy.parse(_body(payloads, day), "deafut", catalog)
    found = dict(parsed.observations.select("series_id", "value").iter_rows())
    _, longs, shorts = MARKETS[day]

    assert parsed.rejects.is_empty()
    assert not parsed.missing
    assert set(parsed.observations["period"]) == {day}
    assert len(found) == 15
    assert tuple(found[f"cftc_legacy_{metal}_noncommercial_long_contracts"] for metal in METALS) == longs
    assert tuple(found[f"cftc_legacy_{metal}_noncommercial_short_contracts"] for metal in METALS) == shorts
    for series_id, value in found.items():
        low, high = catalog.series[series_id].plausible
        assert low <= value <= high


def test_open_interest_is_the_column_before_the_positions(payloads: Path, catalog: Catalog) -> None:
    parsed = cftc_legacy.parse(_body(payloads, date(2026, 8, 4)), "deafut", catalog)
    found = dict(parsed.observations.select("series_id", "value").iter_rows())
    assert tuple(found[f"cftc_legacy_{m}_open_interest_contracts"] for m in METALS) == OPEN_INTEREST_AUGUST


@pytest.mark.recorded
def test_the_files_have_129_columns_names_with_commas_and_names_that_change(upstream: Path) -> None:
    names: dict[str, set[str]] = {}
    for day, (markets, *_) in MARKETS.items():
        text = _body(upstream, day).decode()
        lines = list(csv.reader(text.splitlines()))
        assert len(lines) == markets
        assert {len(line) for line in lines} == {129}
        assert any(len(line.split(",")) > 129 for line in text.splitlines())
        for line in lines:
            names.setdefault(line[3], set()).add(line[0])
    assert names["064EXE"] == {"PJM PSEG DAP - NODAL EXCHANGE", "PJM.PSEG_month_on_dap - NODAL EXCHANGE"}
    assert names["088691"] == {"GOLD - COMMODITY EXCHANGE INC."}
    assert names["088695"] == {"MICRO GOLD - COMMODITY EXCHANGE INC."}  # a name that holds the other's


@pytest.mark.recorded
def test_the_recorded_row_of_another_report_is_refused(upstream: Path, catalog: Catalog) -> None:
    """It is of the combined legacy report: every value is a text there too, but the fields are others."""
    body = (upstream / "cftc" / "socrata_sample_1row.json").read_bytes()
    [row] = json.loads(body)
    assert {type(value) for value in row.values()} == {str}
    assert row[cftc.AS_OF] == "2024-08-20T00:00:00.000"
    only_open_interest = cftc.parse(
        body.replace(b'"cftc_contract_market_code":"239747"', b'"cftc_contract_market_code":"085692"'),
        "disaggregated/085692",
        catalog,
    )
    assert only_open_interest.observations.select("period", "value").rows() == [(date(2024, 8, 20), 19404.0)]
    assert only_open_interest.rejects["reason"].to_list() == [
        "no row has the field m_money_positions_long_all",
        "no row has the field m_money_positions_short_all",
        "no row has the field m_money_positions_spread",
    ]
    with pytest.raises(BadPayload, match="none of the catalogued fields"):
        cftc.parse(b'[{"cftc_contract_market_code":"085692"}]', "disaggregated/085692", catalog)


# The models over the warehouse that the recorded files make


@pytest.fixture(scope="module")
def models(payloads: Path, catalog: Catalog) -> Iterator[duckdb.DuckDBPyConnection]:
    """The files, loaded as if each had been fetched on the Saturday after, and the models of positions."""
    with warehouse.scratch() as raw:
        warehouse.write_catalog(raw, catalog)
        for day in MARKETS:
            body = _body(payloads, day)
            fetched = datetime(day.year, day.month, day.day + 4)  # noqa: DTZ001 - the warehouse stores UTC without zone
            payload = ingest.Payload(hashlib.sha256(body).hexdigest(), "deafut", fetched, body)
            ingest.load_payload(
                raw, payload, catalog.sources["cftc_legacy"], sources.module("cftc_legacy"), catalog, ingest.Report()
            )
        for path in (
            "staging/observations/base_observations__intervals",
            "staging/observations/base_observations__as_of",
            "staging/cftc/stg_cftc__positions",
            "staging/cftc/stg_cftc_legacy__positions",
            "intermediate/positions/int_positions__net",
            "intermediate/positions/int_positions__gaps",
        ):
            raw.execute(f"create table {path.rpartition('/')[2]} as {_sql(path)}")
        yield raw


def _sql(model: str, as_of: str = "2026-11-22") -> str:
    """A model of the dbt project as dbt would compile it, with the project's own macros."""
    project = Settings().dbt_project_dir
    macros = "".join((project / "macros" / f"{name}.sql").read_text() for name in ("as_of", "calendar", "positions"))
    template = jinja2.Environment(autoescape=False).from_string(  # noqa: S701 - SQL, not a page
        macros + (project / "models" / f"{model}.sql").read_text()
    )
    context: dict[str, Any] = {
        "ref": lambda name: name,
        "source": lambda schema, name: f"{schema}.{name}",
        "config": lambda **_: "",
        "var": lambda name, default=None: as_of,
        "run_started_at": datetime(2026, 11, 22),  # noqa: DTZ001
    }
    return template.render(context)


def test_net_non_commercial_positions_of_the_five_metals(models: duckdb.DuckDBPyConnection) -> None:
    found = warehouse.query(models, "select as_of_date, metal_id, net_contracts from int_positions__net", None)
    assert {(day, metal): net for day, metal, net in found.iter_rows()} == {
        (day, metal): net for day, nets in NET.items() for metal, net in zip(METALS, nets, strict=True)
    }


def test_the_two_weeks_never_captured_in_june_are_gaps_of_every_metal(models: duckdb.DuckDBPyConnection) -> None:
    gaps = warehouse.query(models, "select * from int_positions__gaps order by metal_id, expected_as_of_date", None)
    june = gaps.filter(pl.col("expected_as_of_date").is_between(date(2026, 6, 9), date(2026, 7, 7)))
    assert june.select("metal_id", "expected_as_of_date", "previous_as_of_date", "next_as_of_date").rows() == [
        row
        for metal in sorted(METALS)
        for row in (
            (metal, date(2026, 6, 16), date(2026, 6, 9), date(2026, 6, 23)),
            (metal, date(2026, 6, 30), date(2026, 6, 23), date(2026, 7, 7)),
        )
    ]
    # Five of the weekly files were recorded: the weeks of the others are gaps here as well.
    assert gaps.filter(metal_id="gold")["expected_as_of_date"].to_list() == [
        date(2026, month, day)
        for month, day in (
            (4, 14), (4, 21), (4, 28), (5, 5), (5, 12), (5, 19), (5, 26), (6, 2),
            (6, 16), (6, 30), (7, 14), (7, 21), (7, 28),
        )
    ]  # fmt: skip
    assert not gaps["is_in_the_other_report"].any()


def test_a_file_fetched_on_saturday_was_not_known_before(models: duckdb.DuckDBPyConnection) -> None:
    """Published on Friday. The longest normal lag (Monday) is later than this fetch, so the fetch counts."""
    known = warehouse.query(models, "select distinct known_at, known_at_basis from stg_cftc_legacy__positions", None)
    assert set(known["known_at_basis"]) == {"observed"}
    assert {moment.date() for moment in known["known_at"]} == {
        date(2026, 4, 11), date(2026, 6, 13), date(2026, 6, 27), date(2026, 7, 11), date(2026, 8, 8)
    }  # fmt: skip
