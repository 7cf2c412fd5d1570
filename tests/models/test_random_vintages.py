"""Random sequences of vintages: on every day the warehouse holds what the newest payload by then said."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import warehouse
from pipelines.errors import BadPayload
from tests.unit.test_ingest import as_of, load, observations, rows

# Every vintage begins with the same month: what lies before the first month of a window is back-filled history.
VINTAGES = st.lists(
    st.dictionaries(st.integers(2, 6), st.integers(-30, 30), max_size=5).flatmap(
        lambda rest: st.integers(-30, 30).map(lambda value: {1: value} | rest)
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(VINTAGES, st.sampled_from(["price", "index"]))
def test_any_sequence_of_vintages_gives_on_every_day_what_the_newest_payload_by_then_said(
    vintages: list[dict[int, int]], name: str
) -> None:
    """Months of 2025 and tenths; vintages come 20 days apart, the first when some of the months are not due yet."""
    days = [date(2025, 4, 1) + timedelta(days=20 * n) for n in range(len(vintages))]
    seen = [
        {month: tenths / 10 for month, tenths in vintage.items() if date(2025, month + 1, 1) <= day}
        for day, vintage in zip(days, vintages, strict=True)
    ]
    with warehouse.scratch() as raw:
        for day, figures in zip(days, seen, strict=True):
            content = observations(*((name, f"2025-{month:02}", value, 1) for month, value in figures.items()))
            with contextlib.suppress(BadPayload):  # of one that ends earlier than another before it
                load(raw, content, day.isoformat())
        expected: dict[int, float] = {}
        for day, figures in zip(days, seen, strict=True):
            if max(figures) >= max(expected, default=0):
                expected |= figures  # a month that a vintage no longer holds keeps its last figure
                assert as_of(raw, day) == expected
            # An older file says nothing: what fell due before the next good one counts as known from when it was due.
            assert expected.items() <= as_of(raw, day).items()
            # Until the next retrieval nothing changes but for first figures that fell due.
            assert expected.items() <= as_of(raw, day + timedelta(days=19)).items()
        once = rows(raw, "select count(*), count(distinct (series_id, period, known_at)) from raw.observation")
        assert once[0][0] == once[0][1]
