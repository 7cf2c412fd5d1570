"""The Board's, BLS's and the Treasury's modules on the replay, whose figures are those of the FRED files that ship.

The shapes are the documented ones.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import BadPayload
from pipelines.sources import bls, federal_reserve, fiscal_data, fred
from tests.recordings import Recordings
from tests.replay_routes import bls as bls_routes
from tests.replay_routes import federal_reserve as federal_reserve_routes
from tests.replay_routes import fiscal_data as fiscal_data_routes
from tests.unit.catalogued import catalogue_of


def figures(observations: pl.DataFrame, series_id: str) -> dict[date, float]:
    return dict(observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_the_replayed_archives_of_the_board_give_the_figures_of_the_shipped_fred_files(shipped: Path) -> None:
    catalog = catalogue_of("federal_reserve")
    found: dict[str, dict[date, float]] = {}
    missing: dict[str, int] = {}
    for request in federal_reserve.plan(catalog, date(2026, 8, 20)):
        (answer,) = [
            answer
            for host, path, answer in federal_reserve_routes.routes()
            if re.fullmatch(re.escape(f"https://{host}") + path, request.url)
        ]
        status, _, body = answer({}, b"", date(2026, 8, 20), Recordings(shipped))
        assert status == 200
        assert body.startswith(request.expect.starts_with)
        parsed = federal_reserve.parse(body, request.key, catalog)
        assert parsed.rejects.is_empty()
        missing |= parsed.missing
        for series_id in parsed.observations["series_id"].unique():
            found[series_id] = figures(parsed.observations, series_id)

    # Read by hand in fred/2026-08-06/DGS10.csv and INDPRO.csv, 2026-08-09/FEDFUNDS.csv,
    # 2026-07-30/DTWEXBGS.csv and 2026-07-29/M2SL.csv.
    assert found["frb_treasury_10y_pct"][date(1962, 1, 2)] == 4.06
    assert found["frb_fed_funds_pct"][date(2026, 7, 1)] == 3.63
    assert found["frb_industrial_production_index_2017_100"][date(2026, 6, 1)] == 102.6395
    assert found["frb_broad_dollar_index"][date(2026, 7, 24)] == 120.7105
    assert found["frb_m2_usd_billions"][date(2024, 10, 1)] == 21336.7
    assert missing["frb_treasury_2y_pct"] == 1


def test_the_replayed_decades_of_bls_give_the_figures_of_the_shipped_fred_files(shipped: Path) -> None:
    catalog = catalogue_of("bls")
    requests = bls.plan(catalog, date(2026, 8, 20))
    ((_, _, reply),) = bls_routes.routes()
    found: dict[str, dict[date, float]] = {}
    missing: dict[str, int] = {}
    for request in requests:
        status, _, body = reply({}, request.body or b"", date(2026, 8, 20), Recordings(shipped))
        assert status == 200
        parsed = bls.parse(body, request.key, catalog)
        assert parsed.rejects.is_empty()
        missing |= parsed.missing
        for series_id in parsed.observations["series_id"].unique():
            found.setdefault(series_id, {}).update(figures(parsed.observations, series_id))

    # Read by hand in fred/2026-08-16/CPIAUCSL.csv, 2026-08-06/PPIACO.csv and OPHNFB.csv.
    assert found["bls_cpi_sa_index"][date(2026, 7, 1)] == 332.813
    assert found["bls_ppi_all_commodities_index"][date(1913, 1, 1)] == 12.1
    assert found["bls_productivity_index_2017_100"][date(2026, 1, 1)] == 119.437
    assert len(found["bls_ppi_all_commodities_index"]) == 1362
    assert missing == {"bls_cpi_sa_index": 1}


@pytest.mark.parametrize("clock", [date(2024, 12, 20), None], ids=["as of December 2024", "everything"])
def test_every_request_is_answered_by_the_replay_and_read(shipped: Path, clock: date | None) -> None:
    catalog = catalogue_of("fiscal_data", "fred")
    for request in fiscal_data.plan(catalog, date(2026, 11, 22)):
        (answer,) = [
            found
            for host, path, found in fiscal_data_routes.routes()
            if re.fullmatch(f"https://{re.escape(host)}{path}", request.url)
        ]
        status, _, body = answer({name: [value] for name, value in request.params}, b"", clock, Recordings(shipped))
        assert status == 200
        if json.loads(body)["meta"]["total-count"] == 0:
            with pytest.raises(BadPayload, match="total-count is '0'"):
                fiscal_data.parse(body, request.key, catalog)
        else:
            parsed = fiscal_data.parse(body, request.key, catalog)
            assert parsed.rejects.is_empty()
            for series_id, value in parsed.observations.select("series_id", "value").iter_rows():
                low, high = catalog.series[series_id].plausible
                assert low <= value <= high, series_id


def test_the_deficit_is_freds_balance_with_the_other_sign_and_in_dollars(shipped: Path) -> None:
    catalog = catalogue_of("fiscal_data", "fred")
    answer = fiscal_data_routes.routes()[0][2]
    (request,) = [r for r in fiscal_data.plan(catalog, date(2026, 11, 22)) if r.key == "mts_table_1"]
    body = answer({name: [value] for name, value in request.params}, b"", None, Recordings(shipped))[2]
    deficits = dict(
        fiscal_data.parse(body, request.key, catalog)
        .observations.filter(series_id="tsy_deficit_usd")
        .select("period", "value")
        .iter_rows()
    )
    balances = dict(
        fred.parse((shipped / "fred/2024-12-15/MTSDS133FMS.csv").read_bytes(), "fredgraph/MTSDS133FMS", catalog)
        .observations.select("period", "value")
        .iter_rows()
    )
    # October 2024 as restated in the report of March 2026, read by hand; FRED had -257,450.34319191 in December 2024.
    assert deficits[date(2024, 10, 1)] == 257450036967.21
    assert deficits[date(2024, 10, 1)] == pytest.approx(-1e6 * balances[date(2024, 10, 1)], rel=2e-6)
    assert deficits[date(2022, 4, 1)] < 0  # a surplus
    # Reports begin with March 2015, and that year's fiscal months with October 2014.
    assert min(deficits) == date(2014, 10, 1)
    assert all(value == pytest.approx(-1e6 * balances[day], rel=2e-6) for day, value in deficits.items())
