"""A warehouse that fetches nothing any more is built at year ends to 2040, and says what has lapsed.

On the figures that ship. Each year takes seconds, so the suite takes some of them; `YEARS` may hold every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from pipelines import transform
from pipelines.settings import Settings
from pipelines.transform import history

YEARS = (2029, 2030, 2033, 2036, 2040)


def broken_constraints(connection: duckdb.DuckDBPyConnection, steps: Sequence[history.Step]) -> list[str]:
    """Columns that dbt would not accept: null where the contract of the model says never."""
    columns = {n["name"]: n["columns"] for n in transform.manifest(Settings())["nodes"].values()}
    found = []
    for step in steps:
        schema, table = step.relation.replace('"', "").split(".")[1:]
        never = [
            name
            for name, column in columns[step.name].items()
            if any(constraint["type"] == "not_null" for constraint in column["constraints"])
        ]
        for name in never:
            query = f'select count(*) from past."{schema}"."{table}" where "{name}" is null'
            if connection.execute(query).fetchall() != [(0,)]:
                found.append(f"{step.name}.{name}")
    return found


@pytest.mark.filterwarnings("ignore")  # statistics of samples too short to have one warn; their result is null
def test_every_model_is_built_at_year_ends_to_2040_and_the_verdicts_say_what_has_lapsed(
    bundled: duckdb.DuckDBPyConnection,
) -> None:
    models = [n["name"] for n in transform.manifest(Settings())["nodes"].values() if n["resource_type"] == "model"]
    steps = history.compiled(Settings(), models)
    python = [step for step in steps if step.kind == "python"]
    kept: dict[str, list[tuple[object, ...]]] = {}
    # The models in Python take most of the time, and read no date: they run in the first and the last year.
    cheap = [replace(s, kind="table", code=f"select * from build.kept.{s.name}") if s in python else s for s in steps]
    bundled.execute("create schema kept")
    for year in YEARS:
        whole = year in (YEARS[0], YEARS[-1])
        with history.models_of(bundled, steps if whole else cheap, date(year, 12, 31)):
            for step in python:
                rows = bundled.sql(f"from past.intermediate.{step.name} order by all").fetchall()
                assert rows == kept.setdefault(step.name, rows), "its rows are the same in every year"
                bundled.execute(f"create table if not exists kept.{step.name} as from past.intermediate.{step.name}")
            assert broken_constraints(bundled, steps) == [], year
            verdicts = bundled.execute("select claim_id, verdict, because from past.main.claim_verdicts").fetchall()
            said = {claim: (verdict, because) for claim, verdict, because in verdicts}
            assert len(said) == 14
            assert {claim for claim, (verdict, _) in said.items() if verdict in ("supported", "contradicted")} == set()
            age = (date(year, 12, 31) - date(2026, 6, 30)).days
            assert f"({age} days old)" in said["C2"][1]
            assert said["C2"][1].startswith("Too old to count: ")


def test_a_parameter_that_has_lapsed_is_told_from_one_that_never_was(bundled: duckdb.DuckDBPyConnection) -> None:
    """Capital expenditure goes on (made up); the parameters of the chain to metal do not."""
    steps = history.compiled(Settings(), ["driver_ai_metal_demand"])
    spending = """
        select
            date '2029-10-01' as calendar_quarter, 9e11 as capex_ttm_usd, 5 as capex_ttm_companies,
            'synthetic' as capex_ttm_members, null::varchar as capex_ttm_carried, 5 as companies_expected,
            1.0 as capex_ttm_coverage_ratio, timestamp '2030-02-01' as known_at
    """
    planted = [replace(s, code=spending) if s.name == "driver_ai_capex_aggregate" else s for s in steps]
    with history.models_of(bundled, planted, date(2030, 12, 31)):
        reasons = bundled.execute(
            "select distinct metal_id, gap_reason, known_at is null from past.main.driver_ai_metal_demand order by all"
        ).fetchall()
    lapsed = "the referenced figure has lapsed, 36 months after it became known: share of capex that is data centres"
    assert reasons == [("aluminium", lapsed, False), ("copper", lapsed, False)]
