"""The real models over the recordings: a build that keeps models equals a full build."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from pipelines import transform, warehouse
from pipelines.settings import Settings
from pipelines.transform import history


def _home(folder: Path, file: Path, now: datetime) -> Settings:
    (folder / "build").mkdir(parents=True)
    shutil.copyfile(file, folder / "build" / "build.duckdb")
    return Settings(warehouse_dir=folder, now=now)


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, pl.DataFrame]:
    names = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where schema_name in ('staging', 'intermediate', 'main') and database_name = ? order by 1",
        [database],
    ).fetchall()
    return {name: warehouse.query(connection, f"from {database}.{name} order by all") for (name,) in names}


def test_kept_models_are_those_of_a_build_of_everything(built_file: Path, tmp_path: Path) -> None:
    with warehouse.writer(_home(tmp_path / "first", built_file, datetime(2026, 1, 1, tzinfo=UTC))) as connection:
        [(as_of,)] = connection.execute("select max(as_of) from raw.build where succeeded").fetchall()
    now = datetime.combine(as_of, time(22, 30), tzinfo=UTC)
    home = _home(tmp_path / "kept", built_file, now)
    results = transform.build(home)
    assert {r.status for r in results} == {"kept"}, "nothing is new on the day of the build"
    assert {r.resource_type for r in results} == {"model", "seed", "test"}

    # The next day, and one producer price index revised.
    home = home.model_copy(update={"now": now + timedelta(days=1)})
    with warehouse.writer(home) as connection:
        connection.execute(
            """
            insert into raw.observation by name
            select * replace (value + 0.1 as value, ? as known_at)
            from raw.observation where series_id = 'cn_ppi_yoy_pct' and period = date '2026-03-01'
            """,
            [home.clock()],
        )
    partial = transform.build(home)
    kept = {r.name for r in partial if r.status == "kept" and r.resource_type == "model"}
    built = {r.name for r in partial if r.status == "success" and r.resource_type == "model"}
    assert {"base_observations__intervals", "driver_china_cycle", "claim_evidence", "data_freshness"} <= built
    assert {"stg_sec_edgar__facts", "int_filing_periods__by_tag", "metals", "sources"} <= kept
    models = [n["name"] for n in transform.manifest(home)["nodes"].values() if n["resource_type"] == "model"]
    steps = history.compiled(home, models)
    with warehouse.writer(home) as connection:
        ours = _tables(connection, "build")
        with history.models_of(connection, steps, home.as_of_date()):
            whole = _tables(connection, "past")
    assert ours.keys() == whole.keys()
    for name, table in whole.items():
        assert_frame_equal(ours[name], table, check_exact=False, rel_tol=1e-12, abs_tol=0)
