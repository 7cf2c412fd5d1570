"""The recorded data set of 2010q2: counts, figures read out of num.txt by hand, agreement with companyfacts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import Parsed, sec_edgar, sec_financial_statements

pytestmark = pytest.mark.recorded

# cik: facts, after figures of segments, subsidiaries and own tags are left out
ROWS = {789019: 227, 1018724: 197, 1288776: 142, 831259: 144, 1001838: 151}
CAPEX = "PaymentsToAcquirePropertyPlantAndEquipment"
FIGURES = [
    (1001838, CAPEX, date(2010, 1, 1), 75_363_000.0),
    (1001838, CAPEX, date(2009, 1, 1), 63_456_000.0),
    (1001838, "OperatingIncomeLoss", date(2010, 1, 1), 608_771_000.0),
    (1001838, "RevenueMineralSales", date(2010, 1, 1), 1_219_405_000.0),
    (831259, "OperatingIncomeLoss", date(2010, 1, 1), 2_048_000_000.0),
    (831259, "NetCashProvidedByUsedInOperatingActivities", date(2009, 1, 1), -258_000_000.0),
    (789019, CAPEX, date(2009, 7, 1), 1_219_000_000.0),  # nine months
    (789019, CAPEX, date(2010, 1, 1), 408_000_000.0),  # three months
    (1018724, CAPEX, date(2009, 4, 1), 458_000_000.0),  # twelve months to March: no fiscal year
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def parsed(upstream: Path, catalog: Catalog) -> Parsed:
    body = (upstream / "sec" / "financial_statement_data_sets" / "2010q2.zip").read_bytes()
    return sec_financial_statements.parse(body, "2010q2", catalog)


def test_the_catalogued_companies_are_read_and_nothing_is_rejected(parsed: Parsed) -> None:
    assert dict(parsed.filing_facts["cik"].value_counts().iter_rows()) == ROWS
    assert parsed.rejects.is_empty()


def test_figures_read_by_hand(parsed: Parsed) -> None:
    facts = {
        (cik, tag, start): value
        for cik, tag, start, end, value in parsed.filing_facts.select(
            "cik", "tag", "period_start", "period_end", "value"
        ).iter_rows()
        if end in (date(2010, 3, 31), date(2009, 3, 31))
    }
    for cik, tag, start, value in FIGURES:
        assert facts[cik, tag, start] == value


def test_each_filing_is_known_from_its_day(parsed: Parsed) -> None:
    filings = parsed.filing_facts.select("cik", "accession", "form", "filed").unique().sort("cik")
    assert filings.filter(pl.col("cik").is_in([831259, 1001838])).rows() == [
        (831259, "0000831259-10-000029", "10-Q", date(2010, 5, 7)),
        (1001838, "0001104659-10-024965", "10-Q", date(2010, 5, 4)),
    ]


def test_it_says_the_same_as_companyfacts(upstream: Path, catalog: Catalog, parsed: Parsed) -> None:
    """Amazon is the one filer whose recorded companyfacts reach back to 2010."""
    body = (upstream / "sec" / "companyfacts" / "CIK0001018724.json").read_bytes()
    facts = sec_edgar.parse(body, "companyfacts/CIK0001018724", catalog).filing_facts
    keys = ["cik", "taxonomy", "tag", "unit", "period_start", "period_end", "accession"]
    both = parsed.filing_facts.join(facts, on=keys, how="inner", nulls_equal=True, suffix="_facts")
    assert both.height == 8
    assert both.filter(pl.col("value") != pl.col("value_facts")).is_empty()
