"""When a figure is due and how old it is, from the catalogue alone: ages are counted from the end of a period.

The table `data_freshness` does the same for published data (dbt_project/macros/calendar.sql computes period ends).
"""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.catalog import Frequency, Series


def next_release(series: Series, newest: date, step_days: int = 1) -> date:
    """Day by which the period after `newest` (its first day) is published: its end plus the publication lag.

    The next daily figure is that of the following weekday; where daily figures are `step_days` days apart (weekly
    reports), that of the day `step_days` later. A day on a weekend is the Monday after.
    """
    following = series.period_end(newest) + timedelta(days=1)
    if series.frequency is Frequency.DAILY:
        following = newest + timedelta(days=step_days)
        while step_days == 1 and following.weekday() >= 5:
            following += timedelta(days=1)
    expected = series.period_end(following) + timedelta(days=series.publication_lag_days)
    return expected + timedelta(days=7 - expected.weekday() if expected.weekday() >= 5 else 0)


def age_days(series: Series | None, newest: date, today: date) -> int:
    """Days since the end of the period that begins on `newest`; for a record without a series, since its date."""
    return (today - (series.period_end(newest) if series else newest)).days


def is_stale(series: Series, newest: date, today: date) -> bool:
    """Whether the newest figure is older than the catalogue allows."""
    return age_days(series, newest, today) > series.staleness_limit_days
