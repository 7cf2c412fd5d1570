"""Figures that do not continue the known ones, with frames made by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from pipelines.ingest import continuity


def months(values: list[float], first: int = 2020, series: str = "price", decimals: int = 2) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "series_id": series,
            "period": [date(first + n // 12, n % 12 + 1, 1) for n in range(len(values))],
            "value": [float(v) for v in values],
            "decimals": decimals,
        },
        schema={"series_id": pl.String, "period": pl.Date, "value": pl.Float64, "decimals": pl.Int16},
    )


def known(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("series_id", "period", "value")


NOTHING = known(months([]))
WAVE = [100.0 + 7 * (n % 11) - 3 * (n % 5) for n in range(36)]


def reasons(incoming: pl.DataFrame, before: pl.DataFrame, never_zero: bool = True) -> pl.DataFrame:
    return continuity.reasons(incoming, known(before), {"price", "other"} if never_zero else set())


def said(incoming: pl.DataFrame, before: pl.DataFrame) -> list[str]:
    return reasons(incoming, before)["reason"].unique().to_list()


def test_the_same_figures_and_ordinary_revisions_go_on() -> None:
    assert said(months(WAVE), months(WAVE)) == []
    revised = [v * (1.03 if n % 3 else 0.99) for n, v in enumerate(WAVE)]
    assert said(months(revised), months(WAVE)) == []
    assert said(months([v * 1.01 for v in WAVE]), months(WAVE)) == [], (
        "one per cent, all alike, is a benchmark revision"
    )


@pytest.mark.parametrize("factor", [1.1023, 0.9072, 31.1035, 2204.62, 0.001, -1.0, 3.0])
def test_a_common_factor_is_another_unit_base_or_sign(factor: float) -> None:
    found = reasons(months([v * factor for v in WAVE], decimals=6), months(WAVE), never_zero=False)
    assert found.height == 36, "every row of the series"
    stated = float(found["reason"][0].split()[3])
    assert stated == pytest.approx(factor, rel=1e-4)
    assert "another unit, base or sign" in found["reason"][0]


def test_seven_figures_do_not_tell_a_factor() -> None:
    assert said(months([v * 3 for v in WAVE[:7]]), months(WAVE[:7])) == []
    assert said(months([v * 3 for v in WAVE[:8]]), months(WAVE[:8])) != []


def test_where_a_figure_has_one_digit_rounding_is_no_factor() -> None:
    rates = [0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.1, 0.2, 0.1, 0.1]
    assert said(months([round(r * 1.4, 1) for r in rates], decimals=1), months(rates, decimals=1)) == []


def test_a_figure_twenty_times_beyond_everything_known_is_held_back() -> None:
    later = months([*WAVE, 20 * max(WAVE), 20 * max(WAVE) + 1])
    found = reasons(later, months(WAVE))
    assert found["period"].to_list() == [date(2023, 2, 1)], "at twenty times it passes"
    assert found["reason"][0] == f"is more than 20 times the largest figure known, {max(WAVE)}"


def test_a_figure_of_less_than_a_twentieth_is_held_back() -> None:
    least = min(WAVE)
    assert said(months([*WAVE, least / 20]), months(WAVE)) == []
    assert said(months([*WAVE, least / 21]), months(WAVE)) == [
        f"is less than 1/20 of the smallest figure known, {least}"
    ]


def test_what_comes_near_zero_may_multiply() -> None:
    assert reasons(months([*WAVE, 1e6, 1e-6]), months(WAVE), never_zero=False).is_empty()


def test_with_few_figures_known_nothing_is_usual() -> None:
    assert said(months([*WAVE[:23], 1e9]), months(WAVE[:23])) != [], (
        "but beside the others in the payload it stands out"
    )
    assert said(months([1.0, 1e9]), months([1.0])) == []


def test_at_a_first_load_one_figure_stands_out_from_the_others_of_the_payload() -> None:
    spiked = months([*WAVE[:30], 21 * max(WAVE), *WAVE[31:]])
    assert reasons(spiked, NOTHING)["period"].to_list() == [date(2022, 7, 1)]
    assert said(months(WAVE), NOTHING) == []


def test_series_do_not_judge_each_other() -> None:
    both = pl.concat([months(WAVE), months([v * 1e6 for v in WAVE], series="other")])
    assert said(both, both) == []


def test_a_series_most_of_whose_figures_changed_is_another_construction() -> None:
    """Made up: the same months scattered otherwise about the same mean."""
    other = WAVE[18:] + WAVE[:18]
    (reason,) = said(months(other), months(WAVE))
    assert reason.startswith("half of its 36 known figures changed by more than")
    assert reasons(months([v - 112 for v in other]), months([v - 112 for v in WAVE]), never_zero=False).height == 36
    assert said(months(other[:23]), months(WAVE[:23])) == [], "too few to tell"
    assert said(months([*WAVE[:30], *other[30:]]), months(WAVE)) == [], "the last months may change by anything"


def test_growth_near_zero_may_be_revised_by_its_noise() -> None:
    """Made up: 36 rates between -2 and 2, revised by 0.3 either way; and a series that was always zero."""
    rates = [(n * 7 % 41) / 10 - 2 for n in range(36)]
    revised = [rate + (0.3 if n % 2 else -0.3) for n, rate in enumerate(rates)]
    assert reasons(months(revised), months(rates), never_zero=False).is_empty()
    assert reasons(months([float(n % 2) for n in range(36)]), months([0.0] * 36), never_zero=False).is_empty()


@pytest.mark.parametrize(
    ("before", "after", "moved", "kept"),
    [
        (36, 36, 0, True),
        (36, 18, 0, True),
        (36, 17, 0, False),
        (18, 36, 9, True),
        (17, 36, 9, False),
        (17, 36, 0, True),  # the gaps between known figures are filled
        (10, 23, 9, True),
    ],
)
def test_half_or_twice_the_figures_of_the_same_span_are_another_frequency(
    before: int, after: int, moved: float, kept: bool
) -> None:
    """Made up: 36 months of which the first and some others are there; `moved` is by how much they differ later."""

    def some(n: int, more: float = 0) -> pl.DataFrame:
        whole = months([value + more for value in (WAVE[:36] if max(before, after) == 36 else WAVE[:23])])
        return pl.concat([whole.head(n - 1), whole.tail(1)])

    assert (said(some(after, moved), some(before)) == []) == kept


def test_what_both_do_not_cover_is_not_counted() -> None:
    assert said(months(WAVE), months(WAVE[:2])) == []
    assert said(months(WAVE[:1]), months(WAVE)) == []


def test_a_series_that_begins_years_after_its_stated_beginning_is_held_back_also_at_a_first_load() -> None:
    stated = {"price": date(2010, 1, 1), "elsewhere": date(1990, 1, 1)}
    found = continuity.reasons(months(WAVE), NOTHING, {"price"}, stated)
    assert found.height == 36
    assert found["reason"][0] == "begins in 2020-01-01, not in 2010-01-01: another construction, or part of a file"
    for first in (date(2019, 1, 1), date(2020, 1, 1), date(2030, 1, 1)):
        assert continuity.reasons(months(WAVE), NOTHING, {"price"}, {"price": first}).is_empty()


def ends(**last: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"series_id": list(last), "last_period": [date.fromisoformat(d) for d in last.values()]},
        schema={"series_id": pl.String, "last_period": pl.Date},
    )


def test_a_payload_is_older_only_where_all_its_series_end_earlier() -> None:
    before = ends(a="2026-06-01", b="2026-06-01")
    assert "ends in 2026-05-01 (a), but an earlier response ended in 2026-06-01" in str(
        continuity.older(ends(a="2026-05-01", b="2026-04-01"), before)
    )
    assert continuity.older(ends(a="2026-05-01", b="2026-06-01"), before) is None
    assert continuity.older(ends(a="2026-05-01", c="2026-01-01"), before) is None, "a new series"
    assert continuity.older(ends(), before) is None
    assert continuity.older(ends(a="2026-05-01"), ends()) is None
