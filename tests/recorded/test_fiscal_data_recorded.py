"""The recorded excerpts of Fiscal Data, and the replay's table 1 whose deficits are recorded FRED figures."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import fiscal_data, fred
from tests.recordings import Recordings
from tests.replay_routes import fiscal_data as replayed

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def test_a_page_that_is_cut_short_is_refused(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "excerpts" / "fiscaldata_debt_to_penny.excerpt.json").read_bytes()
    with pytest.raises(BadPayload, match="page 1 has 2 rows, and 8306 of 8306 belong on it"):
        fiscal_data.parse(body, "debt_to_penny", catalog)


def test_the_debt_is_read_to_the_cent(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "excerpts" / "fiscaldata_debt_to_penny.excerpt.json").read_bytes()
    parsed = fiscal_data.parse(body.replace(b'"total-count":8306', b'"total-count":2'), "debt_to_penny", catalog)
    assert parsed.observations.select("series_id", "period", "value", "decimals").rows() == [
        ("tsy_debt_total_usd", date(2026, 5, 11), 38946800561409.14, 2),
        ("tsy_debt_total_usd", date(2026, 5, 12), 38968295059805.35, 2),
    ]


def test_net_interest_of_july_2026(upstream: Path, catalog: Catalog) -> None:
    """Recorded rows in the documented envelope; of four lines one is net interest, and a header has only nulls."""
    rows = json.loads((upstream / "excerpts" / "fiscaldata_mts_table_9_data_rows.excerpt.json").read_bytes())
    parsed = fiscal_data.parse(replayed.envelope(rows), "mts_table_9/Net Interest", catalog)
    assert len(rows) == 4
    assert parsed.observations.select("series_id", "period", "value").rows() == [
        ("tsy_net_interest_fytd_usd", date(2026, 7, 1), 931356018861.05),
        ("tsy_net_interest_usd", date(2026, 7, 1), 104158824874.17),
    ]
    assert parsed.rejects.is_empty()


@pytest.mark.parametrize("clock", [date(2024, 12, 20), None], ids=["as of December 2024", "everything"])
def test_every_request_is_answered_by_the_replay_and_read(shipped: Path, catalog: Catalog, clock: date | None) -> None:
    for request in fiscal_data.plan(catalog, date(2026, 11, 22)):
        (answer,) = [
            found
            for host, path, found in replayed.routes()
            if re.fullmatch(f"https://{re.escape(host)}{path}", request.url)
        ]
        status, content_type, body = answer(
            {name: [value] for name, value in request.params}, b"", clock, Recordings(shipped)
        )
        assert (status, content_type) == (200, "application/json")
        if json.loads(body)["meta"]["total-count"] == 0:
            with pytest.raises(BadPayload, match="total-count is '0'"):
                fiscal_data.parse(body, request.key, catalog)
        else:
            parsed = fiscal_data.parse(body, request.key, catalog)
            assert parsed.rejects.is_empty()
            for series_id, value in parsed.observations.select("series_id", "value").iter_rows():
                low, high = catalog.series[series_id].plausible
                assert low <= value <= high, series_id


def test_the_deficit_is_freds_balance_with_the_other_sign_and_in_dollars(shipped: Path, catalog: Catalog) -> None:
    answer = replayed.routes()[0][2]
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
