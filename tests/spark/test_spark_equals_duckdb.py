"""Filings models and China's cycle on Spark (two executors) and on DuckDB, from the same rows.

Whole sorted tables are compared, not only counts: an engine has been seen to silently read a file twice.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import synthetic_filers
from pipelines import catalog as catalogs
from pipelines import ingest, transform, warehouse
from pipelines.catalog import Catalog
from pipelines.settings import Settings
from pipelines.sources import FILING_FACT, sec_edgar
from tests.spark.session import local_cluster

pytestmark = pytest.mark.spark

NOW = datetime.fromisoformat("2026-11-20T12:00:00")
AS_OF = "2026-11-20"
MODELS = {
    "staging": ("stg_sec_edgar__facts", "stg_sec_edgar__filings", "base_observations__intervals"),
    "intermediate": (
        "int_filing_facts__judged",
        "int_filing_periods__by_tag",
        "int_filing_tags__definitions",
        "int_filing_periods__selected",
        "int_filing_calendar__quarters",
        "int_filing_quarters__candidates",
        "int_filing_quarters__by_basis",
        "int_filing_quarters__discrete",
        "int_filing_quarters__gaps",
        "int_filing_quarters__trailing",
        "int_filing_quarters__trailing_gaps",
        "int_filings__pending",
        "int_indicators__readings",
        "int_indicators__resolved",
    ),
    "main": ("driver_ai_capex", "driver_ai_capex_aggregate", "driver_china_cycle"),
}
CATALOGUE = [f"stg_catalog__{part}" for part in ("companies", "company_tags", "indicators", "series")]
BUILT = [*(name for names in MODELS.values() for name in names), *CATALOGUE, "base_observations__as_of"]
INPUTS = (
    "filing_fact",
    "filing",
    "observation",
    "catalog_company",
    "catalog_company_tag",
    "catalog_series",
    "catalog_indicator",
    "catalog_correction",
    "catalog_record_correction",
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed (pip extra `spark`)")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java")
    with local_cluster(tmp_path_factory.mktemp("spark")) as running:
        yield running


def _frame(table: Any) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _assert_same_table(ours: pl.DataFrame, other: pl.DataFrame) -> None:
    """Equal in columns, rows and values whatever the order; floats to 1e-9 relative, NaN and null told apart."""
    assert other.columns == ours.columns
    exact = [name for name, dtype in ours.schema.items() if not dtype.is_float()]
    floats = [name for name in ours.columns if name not in exact]

    def laid_out(frame: pl.DataFrame) -> pl.DataFrame:
        alike = [
            pl.col(n).cast(pl.Int64) if t.is_integer() else pl.col(n).cast(pl.Datetime("us")) if t.is_temporal() else n
            for n, t in frame.schema.items()
        ]
        return frame.select(alike).sort(*exact, *floats, nulls_last=True)

    assert_frame_equal(laid_out(other), laid_out(ours), rel_tol=1e-9, abs_tol=0)


def test_the_parser_gives_the_same_rows_on_two_executors(session: Any, tmp_path: Path) -> None:
    from pipelines import spark

    bodies = {cik: synthetic_filers.companyfacts(cik, tags=20, years=6) for cik in range(9_000_000_001, 9_000_000_009)}
    for cik, body in bodies.items():
        (tmp_path / f"CIK{cik}.json").write_bytes(body)
    (tmp_path / "CIK0000000041.json").write_bytes(b"<html>")
    broken = synthetic_filers.companyfacts(42, tags=1, years=1).replace(b'"2024-03-31"', b'"2024-02-31"')
    (tmp_path / "CIK0000000042.json").write_bytes(broken)
    bodies[42] = broken

    frame = _frame(spark.facts(session, str(tmp_path)).toArrow())
    nothing = Catalog([], [], [], [])
    parsed = {cik: sec_edgar.parse(body, f"companyfacts/CIK{cik:010d}", nothing) for cik, body in bodies.items()}
    expected = pl.concat([p.filing_facts for p in parsed.values()])
    found = frame.filter(pl.col("reason").is_null())
    assert found.height == expected.height == 8 * 20 * 6 * 8 + 6
    _assert_same_table(expected, found.select(FILING_FACT.keys()))
    reasons = frame.filter(pl.col("reason").is_not_null()).sort("cik", "row")
    assert reasons["cik"].to_list() == [41, 42, 42]
    assert "a page in place of JSON" in reasons["reason"][0]
    assert set(reasons["reason"][1:]) == {"'end' is not a date: 2024-02-31"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The figures that ship with the project, and one report that the SEC lists without having served its facts."""
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("duckdb"), now=NOW, offline=True)
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        ingest.load_bundle(connection, settings.bundled_dir, NOW)
        warehouse.write_catalog(connection, catalogs.load(settings.catalog_dir))
        connection.execute(
            """
            insert into raw.filing by name
            select 789019 as cik, '0000000000-26-000001' as accession, '10-Q' as form, date '2026-10-29' as filing_date,
                date '2026-09-30' as report_date, timestamp '2026-10-29' as known_at
            """
        )
        connection.execute(  # synthetic: one figure put right on a later day
            """
            insert into raw.catalog_correction by name
            select 'synthetic' as correction_id, series_id, period, 'override' as action, value as published,
                value + 1 as corrected, date '2026-11-01' as known_on, 'synthetic' as reason, 'none' as reference
            from raw.observation order by series_id, period limit 1
            """
        )
    results = transform.build(settings, BUILT)
    # A test that looks at a model left out here cannot run.
    assert [(r.name, r.message) for r in results if r.failed and r.resource_type == "model"] == []
    return settings


def test_the_models_give_the_same_tables(session: Any, built: Settings, tmp_path: Path) -> None:
    import json

    from dbt.cli.main import dbtRunner

    from pipelines import spark

    with warehouse.reader(built, built.build_path) as connection:
        for table in INPUTS:
            connection.execute(f"copy raw.{table} to '{tmp_path}/{table}.parquet'")
    spark.register(session, tmp_path)
    project = str(built.dbt_project_dir)
    arguments = ["--quiet", "--log-level-file", "none", "run", "--target", "spark", "--select", *BUILT]
    folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(tmp_path / "target")]
    outcome = dbtRunner().invoke([*arguments, *folders, "--vars", json.dumps({"as_of": AS_OF})])
    assert outcome.exception is None, outcome.exception
    assert [(r.node.name, r.message) for r in outcome.result.results if str(r.status) != "success"] == []

    with warehouse.reader(built, built.build_path) as connection:
        corrected = "select count(*) from staging.base_observations__intervals where known_at_basis = 'corrected'"
        assert warehouse.one(connection, corrected) == (1,)
        for schema, names in MODELS.items():
            for name in names:
                ours = warehouse.query(connection, f"from {schema}.{name}")
                assert ours.height > 0, name
                _assert_same_table(ours, _frame(session.table(f"{schema}.{name}").toArrow()))
