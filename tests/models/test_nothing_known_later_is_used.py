"""No look-ahead: as of any day, a build from everything equals a build from only what was known by that day.

A property over random days that compares every published table and view as a whole. One build selects by `as_of`; the
other has all later rows removed from its raw tables, so that a model which reads beyond the cut makes them differ. This
does not detect a statistic over everything known by the day. So a second property checks that later months do not
change the scores of earlier ones. Both are shown to fail with a planted look-ahead.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from pipelines import transform
from pipelines.settings import Settings
from pipelines.transform import history

# Between the first recorded vintage and the last one: before it hardly anything is known, after it everything is.
FIRST, LAST = date(2015, 1, 1), date(2026, 8, 21)
DATED = {
    "observation": "known_at",
    "filing_fact": "known_at",
    "filing": "known_at",
    "policy_document": "known_at",
    "tariff_release": "known_at",
    "bulk_filing_fact": "known_at",
    "bulk_filer": "retrieved_at",
    "catalog_correction": "known_on",
    "catalog_record_correction": "known_on",
    "catalog_release": "released_on",
    "known_at_change": "changed_at",
    "claim_history": "as_of",
    "claim_evidence_history": "as_of",
    "ppi_nowcast_history": "as_of",
    "retrieval": "checked_at",
    "live_check": "checked_at",
    "coverage": "retrieved_at",
    "quarantine": "quarantined_at",
}
UNDATED = {
    "payload": "where bytes came from: a figure known by its publication lag keeps the payload it came in",
    "build": "the log of this warehouse's builds, which no model reads",
    "bundle": "which bundle was loaded, which no model reads",
    "model_state": "which models stand as they were built, which no model reads",
} | {
    f"catalog_{part}": "entries of the project or the user, true on any day"
    for part in ("source", "series", "indicator", "company", "company_tag", "metal", "claim", "claim_indicator")
}
# Mart, subject, order, a value and its score against the past up to it. Their publishers hardly revise what they print.
SCORES = (
    (
        "metal_prices",
        "metal_id || frequency",
        "period",
        "ln(price_real_usd_per_tonne)",
        "real_price_zscore_expanding",
    ),
    ("metal_ratios", "''", "month", "gold_silver_ounces_per_ounce", "gold_silver_zscore_expanding"),
    ("metal_ratios", "''", "month", "copper_gold_ounces_per_tonne", "copper_gold_zscore_expanding"),
    ("divergence_money_ppi", "''", "month", "gap_pp", "gap_zscore"),
    ("divergence_money_ppi", "''", "month", "ppi_yoy_pct", "ppi_zscore"),
)


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
    only_then, taken_out = without_later_rows(built_file, tmp_path / str(day), day)
    assert taken_out["observation"] > 0, "nothing was learnt later: the day proves nothing"

    from_everything = published(built_file, steps, marts, day)
    from_that_day = published(only_then, steps, marts, day)

    different = [mart for mart in marts if not from_everything[mart].equals(from_that_day[mart])]
    assert not different, f"as of {day}: {different}"
    assert from_everything["metal_prices"].height > 1000
    only_then.unlink()


def without_later_rows(built_file: Path, folder: Path, day: date) -> tuple[Path, dict[str, int]]:
    """A copy that only ever saw what was known by the end of `day`, and how many rows that took out, by table."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "build.duckdb"  # the name of the file is the name of the database in the models
    shutil.copyfile(built_file, copy)
    with duckdb.connect(str(copy)) as connection:
        taken_out = {
            table: int(
                connection.execute(
                    f"delete from raw.{table} where {column} >= ?", [day + timedelta(days=1)]
                ).fetchall()[0][0]
            )
            for table, column in DATED.items()
        }
    return copy, taken_out


def test_every_raw_table_is_cut_or_has_a_reason(built_file: Path) -> None:
    with duckdb.connect(str(built_file), read_only=True) as connection:
        tables = {
            t
            for (t,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'raw'"
            ).fetchall()
        }
        knowing = {
            t
            for (t,) in connection.execute(
                "select table_name from information_schema.columns "
                "where table_schema = 'raw' and column_name = 'known_at'"
            ).fetchall()
        }
    assert set(DATED) | set(UNDATED) == tables
    assert not set(DATED) & set(UNDATED)
    assert knowing <= set(DATED)


def test_every_published_table_is_compared(built_file: Path, marts: list[str]) -> None:
    with duckdb.connect(str(built_file), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main' order by 1"
        ).fetchall()
    assert [t for (t,) in tables] == marts


def test_a_model_that_reads_past_the_cut_is_seen(built_file: Path, steps: list[history.Step], tmp_path: Path) -> None:
    """A canary: the one place where figures are cut by the day, without its cut."""
    day = date(2025, 12, 31)
    cut = history.SENTINEL.isoformat()
    step = next(s for s in steps if s.name == "base_observations__intervals")
    assert cut in step.code
    # The day's own text stands for an end of all days.
    uncut = dataclasses.replace(step, code=step.code.replace(cut, "9000-01-01"))
    planted = [uncut if s is step else s for s in steps]
    needed = _behind(planted, "metal_prices", built_file)
    only_then, _ = without_later_rows(built_file, tmp_path / "canary", day)
    assert not published(built_file, needed, ["metal_prices"], day)["metal_prices"].equals(
        published(only_then, needed, ["metal_prices"], day)["metal_prices"]
    )


def _behind(steps: list[history.Step], target: str, built_file: Path) -> list[history.Step]:
    """Of the steps, those that `target` is built from."""
    names = {s.name for s in history.compiled(Settings(warehouse_dir=built_file.parents[1]), [target])}
    return [s for s in steps if s.name in names]


def changed_by_later_months(built_file: Path, steps: list[history.Step]) -> list[tuple[str, str, str, str]]:
    """Mart, score, subject, month of scores that differ on two days although their figures and all before are the same.

    A score against the past alone cannot differ there.
    """
    names = sorted({mart for mart, *_ in SCORES})
    early, late = (published(built_file, steps, names, day) for day in (date(2026, 4, 30), date(2026, 8, 21)))
    found = []
    for mart, subject, order, value, score in SCORES:
        query = f"select {subject} as subject, {order} as at, {value} as value, {score} as score from frame"
        frames = []
        for frame in (early[mart], late[mart]):
            assert frame.height > 100
            frames.append(duckdb.sql(query).pl().sort("subject", "at"))
        both = frames[0].join(frames[1], on=["subject", "at"], how="inner", maintain_order="left")
        same = pl.col("value").eq_missing(pl.col("value_right")).cast(pl.Int8).cum_min().over("subject") == 1
        unrevised = both.filter(same)
        assert unrevised["score"].is_not_null().sum() > 100, f"too little to compare in {mart}.{score}"
        moved = unrevised.filter((pl.col("score") - pl.col("score_right")).abs() > 1e-9)
        found += [(mart, score, str(s), str(at)) for s, at in moved.select("subject", "at").iter_rows()]
    return found


def test_later_months_leave_the_scores_of_the_past_as_they_were(built_file: Path) -> None:
    settings = Settings(warehouse_dir=built_file.parents[1])
    scored = history.compiled(settings, sorted({mart for mart, *_ in SCORES}))
    assert not changed_by_later_months(built_file, scored)


def test_a_score_against_the_whole_sample_is_seen(built_file: Path) -> None:
    """A canary: the scores of one table, against all months in place of those up to each."""
    settings = Settings(warehouse_dir=built_file.parents[1])
    frame, whole = "unbounded preceding and current row", "unbounded preceding and unbounded following"
    scored = [
        dataclasses.replace(s, code=s.code.replace(frame, whole)) if s.name == "metal_ratios" else s
        for s in history.compiled(settings, sorted({mart for mart, *_ in SCORES}))
    ]
    assert {mart for mart, *_ in changed_by_later_months(built_file, scored)} == {"metal_ratios"}


def test_the_comparison_would_see_a_later_figure(built_file: Path, steps: list[history.Step], marts: list[str]) -> None:
    """A canary: the same tables for two days a month apart are not equal."""
    early = published(built_file, steps, marts, date(2026, 4, 30))
    late = published(built_file, steps, marts, date(2026, 5, 31))
    assert not early["metal_prices"].equals(late["metal_prices"])
    assert json.dumps(early["claim_verdicts"].to_dicts(), default=str) != json.dumps(
        late["claim_verdicts"].to_dicts(), default=str
    )
