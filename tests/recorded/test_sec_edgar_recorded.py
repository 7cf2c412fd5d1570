"""Recorded companyfacts: row counts, figures read out of the payloads by hand, and the two answers that are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import sec_edgar

pytestmark = pytest.mark.recorded

ROWS = {789019: 589, 1018724: 1403, 1326801: 487, 1341439: 1027, 1652044: 524}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.mark.parametrize("cik", ROWS)
def test_every_row_of_a_recorded_response_becomes_a_fact(upstream: Path, catalog: Catalog, cik: int) -> None:
    body = (upstream / "sec" / "companyfacts" / f"CIK{cik:010d}.json").read_bytes()
    parsed = sec_edgar.parse(body, f"companyfacts/CIK{cik:010d}", catalog)
    # `accn` stands once in every fact and nowhere else in a response.
    assert parsed.filing_facts.height == body.count(b'"accn"') == ROWS[cik]
    assert parsed.rejects.is_empty()
    assert parsed.missing == {}
    assert parsed.filing_facts["cik"].unique().to_list() == [cik]


def test_the_whole_alphabet_response_is_kept_whole(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "sec" / "companyfacts_full" / "CIK0001652044.json").read_bytes()
    parsed = sec_edgar.parse(body, "companyfacts/CIK0001652044", catalog)
    facts = parsed.filing_facts
    assert facts.height == 20_324
    assert parsed.rejects.is_empty()
    assert dict(facts.group_by("taxonomy").agg(pl.col("tag").n_unique()).iter_rows()) == {
        "dei": 1,
        "us-gaap": 523,
        "ecd": 7,
        "ffd": 6,
    }
    assert dict(facts["form"].value_counts().iter_rows()) == {
        "10-Q": 13_207,
        "10-K": 6_398,
        "8-K": 637,
        "DEF 14A": 40,
        "424B5": 30,
        "424B2": 12,
    }
    assert facts["fiscal_year"].null_count() == 82
    year = facts.filter(tag="PaymentsToAcquirePropertyPlantAndEquipment", period_end=date(2025, 12, 31))
    assert year.select("period_start", "value", "accession", "form", "filed").rows() == [
        (date(2025, 1, 1), 91_447_000_000.0, "0001652044-26-000018", "10-K", date(2026, 2, 5))
    ]
    per_share = facts.filter(tag="EarningsPerShareBasic", unit="USD/shares", accession="0001652044-26-000048")
    assert per_share.filter(period_start=date(2026, 1, 1))["value"].to_list() == [5.17]


def test_a_near_empty_answer_says_where_to_look(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "sec" / "errors" / "CIK0002115436_near_empty.json").read_bytes()
    with pytest.raises(BadPayload, match="EXXON MOBIL CORP holds no financial statements, only ffd"):
        sec_edgar.parse(body, "companyfacts/CIK0002115436", catalog)


def test_an_unknown_cik_is_refused(upstream: Path, catalog: Catalog) -> None:
    body = (upstream / "sec" / "errors" / "unknown_cik_404.xml").read_bytes()
    with pytest.raises(BadPayload, match="no companyfacts under this CIK"):
        sec_edgar.parse(body, "companyfacts/CIK0000000001", catalog)


def test_every_hyperscaler_in_force_is_recorded(upstream: Path, catalog: Catalog) -> None:
    hyperscalers = Catalog([], [], [c for c in catalog.companies.values() if c.role == "hyperscaler"], [])
    asked = {r.key for r in sec_edgar.plan(hyperscalers, date(2026, 11, 22)) if r.key.startswith("companyfacts/")}
    assert asked == {f"companyfacts/{file.stem}" for file in (upstream / "sec" / "companyfacts").glob("*.json")}


# CIK: periodic reports in the recorded list, its newest one (form, filed, period, accession, time of acceptance)
FILINGS = {
    789019: (25, ("10-Q", date(2026, 1, 28), date(2025, 12, 31), "0001193125-26-027207", "2026-01-28T21:07:34.000Z")),
    1018724: (36, ("10-Q", date(2022, 10, 28), date(2022, 9, 30), "0001018724-22-000023", "2022-10-27T18:23:57.000Z")),
    1326801: (17, ("10-Q", date(2022, 10, 27), date(2022, 9, 30), "0001326801-22-000108", "2022-10-26T20:26:36.000Z")),
}


@pytest.mark.parametrize("cik", FILINGS)
def test_the_periodic_reports_of_a_recorded_list(upstream: Path, catalog: Catalog, cik: int) -> None:
    body = (upstream / "sec" / "submissions" / f"CIK{cik:010d}.json").read_bytes()
    parsed = sec_edgar.parse(body, f"submissions/CIK{cik:010d}", catalog)
    count, newest = FILINGS[cik]
    assert parsed.filings.height == count
    assert parsed.rejects.is_empty()
    assert (
        parsed.filings.select("form", "filing_date", "report_date", "accession", "acceptance_datetime").row(0) == newest
    )


def test_the_time_of_acceptance_is_no_utc_in_older_pulls(upstream: Path, catalog: Catalog) -> None:
    """A filing accepted after 17:30 Eastern bears the next day's date; 18:23 "Z" is 14:23 Eastern and would not."""
    body = (upstream / "sec" / "submissions" / "CIK0001018724.json").read_bytes()
    filing = sec_edgar.parse(body, "submissions/CIK0001018724", catalog).filings.row(0, named=True)
    assert filing["acceptance_datetime"] == "2022-10-27T18:23:57.000Z"
    assert filing["filing_date"] == date(2022, 10, 28)
