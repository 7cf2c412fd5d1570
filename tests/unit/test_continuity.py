"""Figures that do not go on from those that are known, with frames made by hand."""

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
