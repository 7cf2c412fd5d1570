"""No row that the contracts let in fails a model, however absurd it is: all models run over the bounds of all rows.

All rows are made up. What no contract may let in (1e308, 1e-300, the year 9999) is among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import cycle
from typing import Any

import duckdb
import polars as pl
import pytest

from pipelines import catalog as catalogs
from pipelines import columns, contracts, warehouse
from pipelines.catalog import Catalog, Frequency
from pipelines.contracts import schemas
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.transform import dbt, history

TODAY = date(2026, 11, 29)
RETRIEVED = date(2026, 11, 1)
STEP = {Frequency.DAILY: timedelta(days=1), Frequency.WEEKLY: timedelta(days=7)}
MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.ANNUAL: 12, Frequency.US_FISCAL_YEAR: 12}
AMOUNTS = (1e308, 1e18, 5e9, -1e18, 1e-12, 1e-300, 0.0, 1e18)
SENTENCES = (PROJECT_ROOT / "dbt_project" / "seeds" / "claim_rules.csv").read_text(encoding="utf-8")
WORDS = dict(re.findall(r"\{(\w+)(:\w+)?", SENTENCES))  # of all sentences, with their forms
FAR = (date(1850, 1, 1), date(2200, 1, 1), date(9999, 12, 31))


def _periods(frequency: Frequency) -> Iterator[date]:
    """The last thirty, from before the retrieval."""
    for n in range(30):
        if frequency in STEP:
            yield date(2026, 10, 27) - n * STEP[frequency]
        else:
            month = 2026 * 12 + (9 if frequency is Frequency.US_FISCAL_YEAR else 0) - (n + 1) * MONTHS[frequency]
            yield date(month // 12, month % 12 + 1, 1)


def _observations(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for series in catalog.series.values():
        low, high = series.plausible
        for period, value in zip(_periods(series.frequency), cycle((low, high, max(low, 1e-12), 1e308)), strict=False):
            yield {"series_id": series.id, "period": period, "value": value, "decimals": 20} | {
                "plausible_low": low, "plausible_high": high
            }  # fmt: skip


def _facts(catalog: Catalog) -> Iterator[dict[str, Any]]:
    for company in catalog.companies.values():
        amounts = cycle(AMOUNTS)
        tags = sorted({tag for chain in company.concepts.values() for tag in chain})
        for tag in tags:
            for n, (year, quarter) in enumerate((y, q) for y in (2024, 2025) for q in range(4)):
                for start in {date(year, 1, 1), date(year, 3 * quarter + 1, 1), None}:
                    end = date(year + quarter // 3, (3 * quarter + 3) % 12 + 1, 1) - timedelta(days=1)
                    yield {
                        "cik": company.cik, "taxonomy": company.taxonomy, "tag": tag, "unit": "USD",
                        "period_start": start, "period_end": end, "value": next(amounts), "form": "10-Q",
                        "accession": f"9999999999-{year % 100}-{n:06d}", "filed": end + timedelta(days=30),
                    }  # fmt: skip
            yield {
                "cik": company.cik, "taxonomy": company.taxonomy, "tag": tag, "unit": "USD", "period_end": FAR[1],
                "value": 1.0, "form": "8-K", "accession": "9999999999-99-999999", "filed": RETRIEVED,
            }  # fmt: skip


def _rows(table: str, catalog: Catalog) -> list[dict[str, Any]]:
    if table == "observation":
        return list(_observations(catalog))
    if table == "filing_fact":
        return list(_facts(catalog))
    if table == "filing":
        return [
            {"cik": c.cik, "accession": f"9999999999-99-{n:06d}", "form": "10-K", "filing_date": RETRIEVED,
             "report_date": day}
            for c in catalog.companies.values() for n, day in enumerate(FAR)
        ]  # fmt: skip
    if table == "policy_document":
        return [
            {"document_number": f"synthetic {n} {m}", "topic": topic, "title": "synthetic", "type": "Rule",
             "publication_date": RETRIEVED, "signing_date": signed, "effective_on": effective}
            for topic in catalog.topics for n, signed in enumerate(FAR) for m, effective in enumerate(FAR)
        ]  # fmt: skip
    return [
        {"release_id": f"synthetic {day}", "title": None, "status": "current", "release_start_date": day} for day in FAR
    ]


@pytest.mark.filterwarnings("ignore")  # statistics of samples too short to have one warn; their result is null
def test_no_row_that_a_contract_lets_in_fails_a_model(bundled: duckdb.DuckDBPyConnection) -> None:
    settings = Settings()
    catalog = catalogs.load(settings.catalog_dir)
    for table in columns.RAW:
        contract = schemas.BY_TABLE[table]
        types = {name: column.dtype.type for name, column in contract.columns.items()}
        rows = [{"retrieved_on": RETRIEVED, "row": "synthetic"} | row for row in _rows(table, catalog)]
        frame = pl.DataFrame(rows, schema=types)
        verdict = contracts.validate(frame, table)
        assert verdict.bad.height, f"{table}: there is a row that must not get in"
        assert verdict.good.height > verdict.bad.height / 3, f"{table}: and many that do"
        known = [
            pl.lit(datetime.fromisoformat("2026-11-01")).alias("known_at"),
            pl.lit("observed").alias("known_at_basis"),
            pl.lit("synthetic").alias("payload_id"),
        ]
        warehouse.append(bundled, table, verdict.good.select(list(columns.RAW[table])).with_columns(known))

    models = [n for n in dbt.compiled(settings).values() if n["resource_type"] == "model"]
    with history.models_of(bundled, history.compiled(settings, [n["name"] for n in models]), TODAY):
        assert bundled.execute("select count(*) from past.main.claim_verdicts").fetchall() == [(14,)]
        values = bundled.execute("select value from past.main.claim_evidence where value is not null").fetchall()
        assert values
        assert all(math.isfinite(value) for (value,) in values)
        (capex,) = bundled.execute("select max(capex_usd) from past.main.driver_ai_capex_aggregate").fetchall()
        assert capex[0] is not None


@pytest.mark.parametrize("value", [1e300, -1e17])
def test_a_figure_of_too_many_digits_for_a_decimal_is_said_and_fails_no_claim(
    bundled: duckdb.DuckDBPyConnection, value: float
) -> None:
    """A ratio to a figure near zero may be of any size."""
    dates = (":month", ":quarter", ":year")
    given = {word: "'2026-10-01'" if form in dates else repr(value) for word, form in WORDS.items()}
    facts = ", ".join(f"'{word}', {fact}" for word, fact in given.items())
    planted = f"""
        select
            claim_id, indicator, {value!r} as value, {value!r} as value_low, {value!r} as value_high,
            false as is_lower_bound, date '2026-10-01' as period,
            date '2026-10-31' as period_end, 'Oct 2026' as period_label, timestamp '2026-11-01' as known_at,
            'synthetic' as source_table, 'synthetic' as source_key, json_object({facts}) as facts
        from build.seeds.claim_rules where claim_id =
    """
    steps = []
    for step in history.compiled(Settings(), ["int_claims__evidence"]):
        if claim := re.fullmatch("int_claim_(..)__evidence", step.name):
            steps.append(replace(step, code=f"{planted} '{claim[1].upper()}'"))
        elif step.name == "int_claims__evidence":
            steps.append(step)
    with history.models_of(bundled, steps, TODAY):
        said = bundled.execute(
            "select finding from past.intermediate.int_claims__evidence where finding is not null"
        ).fetchall()
    assert said
    digits = f"{value:.0e}".replace("+", "")
    assert any(digits in finding.replace("+", "") or f"{value:.1f}" in finding for (finding,) in said), said[:3]


def test_a_model_that_fails_is_named_with_the_value() -> None:
    step = history.Step("tiny", '"build"."main"."tiny"', "table", "select cast(1e300 as decimal(28, 8)) as value")
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        models = history.models_of(connection, [step], TODAY)
        with pytest.raises(duckdb.ConversionException, match="1e300") as caught:
            models.__enter__()
    assert caught.value.__notes__ == ["in the model tiny"]
