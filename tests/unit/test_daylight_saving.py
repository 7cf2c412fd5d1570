"""The days on which clocks change in New York and Berlin: nothing runs twice or not at all, and no age is off."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dagster import ScheduleDefinition, asset, materialize
from dagster._utils.schedules import schedule_execution_time_iterator

from pipelines import catalog, warehouse
from pipelines.audit import checks
from pipelines.catalog import Catalog
from pipelines.catalog.calendar import age_days
from pipelines.landing import land
from pipelines.orchestration.automation import daily_schedule, live_schedule
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings
from tests.replay import Replay
from tests.unit.test_landing import HOST, Module, source

NEW_YORK = ZoneInfo("America/New_York")
# The Sundays of change in New York and Berlin, and the Monday of the week before the first and after the last.
SPRING = (date(2026, 3, 2), date(2026, 4, 6))  # 8 and 29 March
AUTUMN = (date(2026, 10, 19), date(2026, 11, 9))  # 25 October and 1 November


@pytest.fixture(params=["Europe/Berlin", "America/New_York"], autouse=True)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def ticks(schedule: ScheduleDefinition, first: date, last: date) -> list[datetime]:
    """When a schedule is due between two days, in UTC."""
    begin = datetime.combine(first, datetime.min.time(), UTC)
    found = schedule_execution_time_iterator(
        begin.timestamp(), str(schedule.cron_schedule), schedule.execution_timezone, ascending=True
    )
    until = datetime.combine(last, datetime.min.time(), UTC)
    return list(itertools.takewhile(lambda tick: tick < until, (tick.astimezone(UTC) for tick in found)))


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days)]


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
def test_each_weekday_has_one_run_at_half_past_six_and_each_sunday_one_live_check(span: tuple[date, date]) -> None:
    daily = ticks(daily_schedule, *span)
    assert [tick.date() for tick in daily] == [day for day in days(*span) if day.weekday() < 5]  # of its own UTC day
    assert {tick.astimezone(NEW_YORK).strftime("%H:%M") for tick in daily} == {"18:30"}
    assert {tick.strftime("%H:%M") for tick in daily} == {"22:30", "23:30"}
    live = ticks(live_schedule, *span)
    assert [tick.date() for tick in live] == [day for day in days(*span) if day.weekday() == 6]
    assert {tick.astimezone(NEW_YORK).strftime("%H:%M") for tick in live} == {"12:00"}


@pytest.mark.parametrize("span", [SPRING, AUTUMN])
def test_every_run_asks_once_and_none_takes_the_clock_for_set_back(tmp_path: Path, span: tuple[date, date]) -> None:
    with Replay([]) as replay:
        replay.serve(f"{HOST}/data.csv", b"date,value\n2026-01-01,1.5\n2026-02-01,2.5\n", "text/csv")
        outcomes = []
        for tick in ticks(daily_schedule, *span):
            for moment in (tick, tick + timedelta(minutes=50)):  # run again by hand
                settings = Settings(warehouse_dir=tmp_path, upstream_base_url=replay.base_url, now=moment, pacing=False)
                found = land([source()], lambda _: Module(), Catalog([], [], [], []), settings)["tiny"]
                outcomes.append([retrieval.outcome for retrieval in found])
    assert outcomes == [["fresh"], ["not_due"], *[["unchanged"], ["not_due"]] * (len(outcomes) // 2 - 1)]


def test_the_hour_that_comes_twice_is_two_hours_and_the_one_that_is_left_out_none() -> None:
    def clock(text: str) -> datetime:
        return Settings(now=datetime.fromisoformat(text)).clock()

    assert clock("2026-10-25T02:30+01:00") - clock("2026-10-25T02:30+02:00") == timedelta(hours=1)
    assert clock("2026-03-29T03:00+02:00") - clock("2026-03-29T01:59+01:00") == timedelta(minutes=1)
    before = datetime.now(UTC).replace(tzinfo=None)
    assert before <= Settings().clock() <= datetime.now(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("day", "closes"),
    [("2026-03-06", "21:00"), ("2026-03-09", "20:00"), ("2026-10-30", "20:00"), ("2026-11-02", "21:00")],
)
def test_a_session_ends_by_the_clock_of_its_own_place(day: str, closes: str) -> None:
    whole = catalog.load(Settings().catalog_dir)
    daily = next(s for s in whole.series.values() if s.frequency is catalog.Frequency.DAILY)
    exchange = source(day_ends="16:00 America/New_York")
    end = datetime.fromisoformat(f"{day}T{closes}")
    assert not exchange.has_ended(daily, date.fromisoformat(day), end - timedelta(seconds=1))
    assert exchange.has_ended(daily, date.fromisoformat(day), end)


def test_ages_are_whole_days_over_every_change() -> None:
    whole = catalog.load(Settings().catalog_dir)
    daily = next(s for s in whole.series.values() if s.frequency is catalog.Frequency.DAILY)
    for first, last in (SPRING, AUTUMN):
        ages = [age_days(daily, first, tick.date()) for tick in ticks(daily_schedule, first, last)]
        assert ages == [(day - first).days for day in days(first, last) if day.weekday() < 5]


def test_a_run_that_passes_midnight_is_audited_as_of_the_day_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In winter, half past six in New York is half past eleven in UTC."""
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    evening = datetime(2026, 11, 2, 23, 59)  # noqa: DTZ001 - UTC, as the warehouse stores it
    clock, seen = [evening], dict[str, Any]()
    monkeypatch.setattr(Settings, "clock", lambda self: clock[0])

    @asset
    def build(metals: MetalsRun) -> None:
        settings = metals.settings.stay_on_this_day()
        seen["build"] = settings.as_of_date()
        clock[0] += timedelta(minutes=2)

    @asset(deps=[build])
    def audit(metals: MetalsRun) -> None:
        seen["time"], seen["audit"] = metals.settings.clock(), metals.settings.as_of_date()
        with warehouse.scratch() as connection:
            connection.execute(
                "insert into raw.build by name select ? as as_of, ? as finished_at, true as succeeded, '' as selection",
                [seen["build"], evening],
            )
            seen["finding"] = checks.build_is_complete(connection, metals.settings)

    assert materialize([build, audit], resources={"metals": MetalsRun()}).success
    assert seen["time"].date() == date(2026, 11, 3)
    assert seen["audit"] == date(2026, 11, 2)
    assert seen["finding"].passed, seen["finding"].said
