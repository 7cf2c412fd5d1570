"""For any day, building from everything gives what building from a warehouse that only saw that day's knowledge gives.

A property over random days: every published table is compared whole. The build from everything cuts by `as_of`; the
other one has every later row taken out of its raw tables beforehand, so a model that reads past the cut, or a statistic
over the whole sample, makes them differ.
"""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from pipelines import history, transform
from pipelines.settings import Settings

pytestmark = pytest.mark.recorded

# Between the first recorded vintage and the last one: before it hardly anything is known, after it everything is.
FIRST, LAST = date(2015, 1, 1), date(2026, 8, 21)
DATED = {
    "observation": "known_at",
    "filing_fact": "known_at",
    "filing": "known_at",
    "policy_document": "known_at",
    "retrieval": "checked_at",
    "coverage": "retrieved_at",
    "quarantine": "quarantined_at",
}


@pytest.fixture(scope="module")
def marts() -> list[str]:
    nodes = transform.manifest(Settings())["nodes"].values()
    return sorted(n["name"] for n in nodes if n["resource_type"] == "model" and n["schema"] == "main")


@pytest.fixture(scope="module")
def steps(built_file: Path, marts: list[str]) -> list[history.Step]:
    return history.compiled(Settings(warehouse_dir=built_file.parents[1]), marts)


def published(file: Path, steps: list[history.Step], marts: list[str], day: date) -> dict[str, pl.DataFrame]:
    """Every mart as of `day`, its rows in an order of their own."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as build (read_only)")
        with history.models_of(connection, steps, day):
            return {mart: connection.sql(f"select * from past.main.{mart} order by all").pl() for mart in marts}


@pytest.mark.filterwarnings("ignore")  # statistics of samples too short to have one warn; their result is null
@seed(20260108)
@settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(day=st.dates(FIRST, LAST))
@example(day=date(2025, 12, 31))
def test_a_build_as_of_a_day_is_the_build_of_that_day(
    built_file: Path, steps: list[history.Step], marts: list[str], tmp_path: Path, day: date
) -> None:
    only_then = tmp_path / str(day) / "build.duckdb"  # the name of the file is the name of the database in the models
    only_then.parent.mkdir(exist_ok=True)
    shutil.copyfile(built_file, only_then)
    taken_out = {}
    with duckdb.connect(str(only_then)) as connection:
        for table, column in DATED.items():
            taken_out[table] = connection.execute(
                f"delete from raw.{table} where {column} >= ?", [day + timedelta(days=1)]
            ).fetchall()[0][0]
    assert taken_out["observation"] > 0, "nothing was learnt later: the day proves nothing"

    from_everything = published(built_file, steps, marts, day)
    from_that_day = published(only_then, steps, marts, day)

    different = [mart for mart in marts if not from_everything[mart].equals(from_that_day[mart])]
    assert not different, f"as of {day}: {different}"
    assert from_everything["metal_prices"].height > 1000
    only_then.unlink()


def test_the_comparison_would_see_a_later_figure(built_file: Path, steps: list[history.Step], marts: list[str]) -> None:
    """A canary: the same tables for two days a month apart are not equal."""
    early = published(built_file, steps, marts, date(2026, 4, 30))
    late = published(built_file, steps, marts, date(2026, 5, 31))
    assert not early["metal_prices"].equals(late["metal_prices"])
    assert json.dumps(early["claim_verdicts"].to_dicts(), default=str) != json.dumps(
        late["claim_verdicts"].to_dicts(), default=str
    )
