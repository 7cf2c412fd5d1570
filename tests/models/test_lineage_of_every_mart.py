"""Every published figure leads back to payloads and, where it was read from filings, to accession numbers.

The list of tables comes from the parsed project: a new table that `lineage` does not speak of fails here. Tables whose
publishers were never recorded are followed in tests/pipeline/test_every_publisher.py, over the replay.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import Settings
from pipelines.transform import history
from tests.lineage import FROM_FILINGS, Traced, followed, marts

# No recording feeds them; the replay does.
NEVER_RECORDED = {
    "capex_universe",  # of a backfill; tests/models/test_backfilled_universe.py
    "claim_scores",  # of past verdicts, which are computed after the models
    "divergence_capacity_clearance",
    "divergence_capacity_clearance_sector",
    "divergence_trade_tightness",
    "import_margin",
    "tariff_releases",
}


@pytest.fixture(scope="module")
def traced(built_file: Path) -> dict[str, Traced]:
    with duckdb.connect(str(built_file), read_only=True) as connection:
        return followed(connection)


@pytest.mark.parametrize("mart", [m.name for m in marts() if m.name not in NEVER_RECORDED])
def test_every_row_with_a_figure_leads_to_payloads_that_are_there(traced: dict[str, Traced], mart: str) -> None:
    found = traced[mart]
    assert not found.rows_that_lead_nowhere, f"{len(found.rows_that_lead_nowhere)} of {found.rows} rows"
    assert found.payloads
    assert not found.unknown
    assert bool(found.accessions) >= (mart in FROM_FILINGS)
    told = "\n".join(found.told)
    for payload_id in found.payloads:
        assert payload_id.partition(":")[2] or payload_id in told
    for accession in found.accessions:
        assert accession in told


def test_tables_without_a_recording_are_empty_and_no_others(traced: dict[str, Traced]) -> None:
    assert {m.name for m in marts()} - set(traced) == NEVER_RECORDED


def test_what_a_past_verdict_rested_on_is_in_the_build_of_that_day(built_file: Path) -> None:
    """The tables of past verdicts have no lineage of their own: the models of the day have."""
    steps = history.compiled(Settings(warehouse_dir=built_file.parents[1]), ["claim_verdicts", "lineage"])
    with duckdb.connect() as connection:
        connection.execute(f"attach '{built_file}' as build (read_only)")
        with history.models_of(connection, steps, date(2026, 5, 31)):
            rows = connection.execute("""
                select distinct l.input_id, p.retrieved_at
                from past.main.lineage as l
                left join build.raw.payload as p on l.payload_id = p.payload_id
                where l.table_name = 'claim_evidence' and l.row_key = 'C4|ppi_yoy_pct'
            """).fetchall()
    assert "china_ppi_yoy_pct" in {input_id for input_id, _ in rows}
    assert all(retrieved_at is not None for _, retrieved_at in rows)
