"""The recorded excerpts of Fiscal Data."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import fiscal_data
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
