"""The history of verdicts: each month has the verdicts of a run as of that day, and is kept while they are valid."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines import transform, warehouse
from pipelines.errors import MetalsError
from pipelines.settings import Settings
from pipelines.transform import history
from pipelines.transform.reuse import SENTINEL

AS_OF = date(2026, 6, 15)


@pytest.fixture(scope="module")
def home(built_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("past")
    (folder / "build").mkdir()
    shutil.copyfile(built_file, folder / "build" / "build.duckdb")
    return Settings(warehouse_dir=folder, now=datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC))


def rows(home: Settings, query: str) -> list[tuple[object, ...]]:
    with warehouse.writer(home) as connection:
        return connection.execute(query).fetchall()


def test_month_ends_are_those_that_have_passed() -> None:
    assert history.month_ends(date(2026, 3, 1), 2) == [date(2026, 2, 28), date(2026, 1, 31)]
    assert history.month_ends(date(2026, 2, 28), 2) == [date(2026, 2, 28), date(2026, 1, 31)]
    assert history.month_ends(date(2024, 3, 15), 1) == [date(2024, 2, 29)]


def test_a_month_says_what_a_build_as_of_that_day_says_and_is_kept_while_it_holds(home: Settings) -> None:
    assert history.fill(home, 2) == history.Filled(2, 0, {})
    assert history.fill(home, 2) == history.Filled(0, 2, {}), "nothing has changed"
    assert history.fill(home, 3) == history.Filled(1, 2, {})
    days = [d for (d,) in rows(home, "select distinct as_of from raw.claim_history order by 1")]
    assert days == [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]

    then = home.model_copy(update={"as_of": date(2026, 4, 30)})
    then.build_path.parent.mkdir(parents=True)
    shutil.copyfile(home.build_path, then.build_path)
    assert not [r for r in transform.build(then, ["+claim_verdicts", "+ppi_nowcast"]) if r.failed]
    query = "select claim_id, verdict, because from {} order by 1"
    said = rows(home, query.format("(from raw.claim_history where as_of = date '2026-04-30')"))
    assert said == rows(then, query.format("claim_verdicts"))
    assert len(said) == 14
    evidence = "select claim_id, indicator, value, reading, is_stale, finding from {} order by all"
    assert rows(home, evidence.format("(from raw.claim_evidence_history where as_of = date '2026-04-30')")) == rows(
        then, evidence.format("claim_evidence")
    )

    forecast = "select horizon_months, target_month, forecast_pct, forecast_upper_80_pct from {} order by 1"
    kept = rows(home, forecast.format("(from raw.ppi_nowcast_history where as_of = date '2026-04-30')"))
    assert kept == rows(then, forecast.format("ppi_nowcast"))
    assert len(kept) == 6

    # A figure learnt in May changes what was known at the end of May, and nothing before it.
    with warehouse.writer(home) as connection:
        connection.execute(
            """
            insert into raw.observation by name
            select * replace (value + 0.1 as value, timestamp '2026-05-20 12:00:00' as known_at)
            from raw.observation where series_id = 'cn_ppi_yoy_pct' and period = date '2026-03-01'
            """
        )
    assert history.fill(home, 3) == history.Filled(1, 2, {})
    # A month that is not asked for any more stays while it is true, and goes when it is not.
    assert history.fill(home, 1) == history.Filled(0, 1, {})
    assert len(rows(home, "select distinct as_of from raw.claim_history")) == 3
    with warehouse.writer(home) as connection:
        connection.execute(
            "update raw.claim_history set fingerprint = 'of other rules' where as_of < date '2026-05-01'"
        )
    assert history.fill(home, 1) == history.Filled(0, 1, {})
    assert rows(home, "select distinct as_of from raw.claim_history") == [(date(2026, 5, 31),)]
    assert rows(home, "select distinct as_of from raw.claim_evidence_history") == [(date(2026, 5, 31),)]


def test_the_views_show_it_by_its_own_day(home: Settings) -> None:
    history.fill(home, 3)
    transform.build(home, ["claim_verdict_history", "claim_evidence_history", "ppi_nowcast_history"])
    shown = rows(
        home, "select as_of, count(*), count(verdict_month_before) from claim_verdict_history group by 1 order by 1"
    )
    assert shown == [(date(2026, 3, 31), 14, 0), (date(2026, 4, 30), 14, 14), (date(2026, 5, 31), 14, 14)]
    later = rows(home, "select count(*) from claim_evidence_history where known_at > as_of + interval 1 day")
    assert later == [(0,)]
    judged = rows(
        home,
        """
        select
            as_of, target_month, first_published_pct, error_pp,
            first_published_pct - forecast_pct, is_inside_band, first_published_at > as_of
        from ppi_nowcast_history where first_published_pct is not null and forecast_pct is not null order by 1, 2
        """,
    )
    assert [(d, m) for d, m, *_ in judged][:2] == [
        (date(2026, 3, 31), date(2026, 3, 1)),
        (date(2026, 3, 31), date(2026, 4, 1)),
    ]
    assert all(error == left and band is not None and is_later for *_, error, left, band, is_later in judged)
    # The office's own figure goes before its copy of the same day.
    first = """
        select period, arg_min(value, (known_at, series_id = 'cn_ppi_yoy_pct')) from raw.observation
        where series_id in ('cn_ppi_yoy_pct', 'nbs_ppi_yoy_pct') group by period
    """
    published = {period: value for period, value in rows(home, first)}
    assert [value for _, _, value, *_ in judged] == [published[m] for _, m, *_ in judged]


def test_days_computed_at_once_have_the_rows_of_each_day_alone(home: Settings) -> None:
    days = [date(2012, 2, 29), date(2026, 3, 31), date(2026, 4, 30)]
    steps = history.compiled(home)
    compared = 0
    with warehouse.writer(home) as connection, history.models_of_days(connection, steps, days, "together"):
        for day in days:
            with history.models_of(connection, steps, day, "alone"):
                for step in steps:
                    relation = step.relation.removeprefix('"build".')
                    alone = warehouse.query(connection, f"from alone.{relation}")
                    together = warehouse.query(
                        connection,
                        f"select * exclude ({history.DAY}) from together.{relation} where {history.DAY} = ?",
                        [day],
                    )
                    # Sums are added in another order, so the last digits may differ, and words that repeat them.
                    exact = [
                        c for c in alone.columns if not alone[c].dtype.is_float() and c not in ("facts", "finding")
                    ]
                    sums = [c for c in alone.columns if alone[c].dtype.is_float()]
                    alone, together = (frame.sort([*exact, *sums]) for frame in (alone, together))
                    assert together.height == alone.height, (step.name, day)
                    assert together.select(exact).equals(alone.select(exact)), (step.name, day)
                    for column in sums:
                        new, old = together[column], alone[column]
                        near = (new - old).abs() <= history.RELATIVE_TOLERANCE * old.abs().clip(lower_bound=1e-6)
                        assert (near.fill_null(new.is_null() & old.is_null()) | new.eq(old)).all(), (step.name, column)
                        compared += new.len()
    assert compared > 100_000


def test_a_query_with_the_day_inside_a_longer_text_is_refused_for_several_days() -> None:
    hidden = f"select timestamp '{SENTINEL} 00:00:00' as ends_at"
    step = history.Step("hidden", '"build"."main"."hidden"', "table", hidden)
    with (
        warehouse.scratch() as connection,
        pytest.raises(MetalsError, match="the as-of date is not a literal of its own"),
        history.models_of_days(connection, [step], [AS_OF], "past"),
    ):
        pass


def test_a_month_that_cannot_be_computed_is_named_and_the_others_go_on(home: Settings) -> None:
    with warehouse.writer(home) as connection:
        # Producer prices of July, "known" in April: May and June are missing between, and no lag could be counted.
        connection.execute(
            """
            insert into raw.observation by name
            select * replace (date '2026-07-01' as period, timestamp '2026-04-20 12:00:00' as known_at)
            from raw.observation where series_id = 'cn_ppi_yoy_pct' and period = date '2026-03-01' limit 1
            """
        )
    filled = history.fill(home, 3)
    assert list(filled.failed) == [date(2026, 5, 31), date(2026, 4, 30)]
    assert "skips a month" in filled.failed[date(2026, 4, 30)]
    assert rows(home, "select distinct as_of from raw.claim_history") == [(date(2026, 3, 31),)]
