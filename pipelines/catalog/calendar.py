"""When periods end and when the next figure is due, from the catalogue alone."""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.catalog import Frequency, Series


def next_release(series: Series, newest: date, step_days: int = 1) -> date:
    """Day on which the period after `newest` (its first day) is out: its end plus the publication lag.

    A daily figure is next of the following weekday; where figures of single days come `step_days` days apart (weekly
    reports), of so many days later.
    """
    following = series.period_end(newest) + timedelta(days=1)
    if series.frequency is Frequency.DAILY:
        following = newest + timedelta(days=step_days)
        while step_days == 1 and following.weekday() >= 5:
            following += timedelta(days=1)
    return series.period_end(following) + timedelta(days=series.publication_lag_days)
