"""Twelve months of a company's figures and means of China's exports, computed again from the raw tables."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import pytest


@pytest.mark.parametrize(
    ("company", "cik", "concept", "tag", "least"),
    [
        ("GOOGL", 1652044, "capex", "PaymentsToAcquirePropertyPlantAndEquipment", 16),
        ("GOOGL", 1652044, "operating_income", "OperatingIncomeLoss", 16),
        ("GOOGL", 1652044, "depreciation", "Depreciation", 8),
        (
            "AMZN",
            1018724,
            "capex",
            "PaymentsToAcquireProductiveAssets",
            1,
        ),  # it also files twelve months to any quarter
        ("MSFT", 789019, "operating_income", "OperatingIncomeLoss", 7),
    ],
)
def test_twelve_months_are_this_year_so_far_and_the_rest_of_the_last(
    built: duckdb.DuckDBPyConnection, company: str, cik: int, concept: str, tag: str, least: int
) -> None:
    """Another way to the same sum: cumulative now + last year - cumulative a year ago, each the newest figure as filed.

    The models add four discrete quarters. In `least` quarters or more.
    """
    facts: dict[tuple[date, date], float] = {}
    for start, end, value in built.execute(
        """
        select period_start, period_end, value from raw.filing_fact
        where cik = ? and tag = ? and unit = 'USD' and form in ('10-K', '10-Q') and period_start is not null
        order by filed, accession
        """,
        [cik, tag],
    ).fetchall():
        facts[start, end] = value
    rows = built.execute(
        """
        select y.fiscal_quarter, y.period_start, y.period_end, y.value_ttm_usd, y.method, q.fiscal_year_start
        from intermediate.int_filing_quarters__trailing as y
        inner join intermediate.int_filing_calendar__quarters as q
            on y.company_id = q.company_id and y.quarter_index = q.quarter_index
        where y.company_id = ? and y.concept = ? and y.period_end >= date '2021-01-01' order by y.quarter_index
        """,
        [company, concept],
    ).fetchall()
    compared = 0
    for quarter, start, end, value, method, year_start in rows:
        if method == "filed twelve months":
            assert value in {facts.get((s, end)) for s, e in facts if e == end and 357 <= (end - s).days + 1 <= 378}
            continue
        if quarter == 4:
            # Four quarters, each rounded to the million.
            assert abs(value - facts[start, end]) <= 2e6
            continue
        before, ago = year_start.replace(year=year_start.year - 1), end.replace(year=end.year - 1)
        last_year_end = date.fromordinal(year_start.toordinal() - 1)
        legs = [facts.get(p) for p in ((year_start, end), (before, last_year_end), (before, ago))]
        if None not in legs:
            so_far, last_year, then = (float(leg or 0) for leg in legs)
            # Three direct quarters and a difference, each rounded to the million.
            assert abs(value - (so_far + last_year - then)) <= 2e6
            compared += 1
    assert compared >= least


def test_means_and_counts_of_exports_are_those_of_the_raw_figures(built: duckdb.DuckDBPyConnection) -> None:
    raw = dict(
        built.execute("""
            select period, arg_max(value, known_at) from raw.observation
            where series_id = 'cn_exports_yoy_pct' group by period
        """).fetchall()
    )
    rows = built.execute("""
        select
            month, exports_yoy_3m_mean_pct, exports_yoy_12m_mean_pct, exports_yoy_5y_median_pct,
            exports_growth_months_12m
        from driver_china_cycle
    """).fetchall()
    checked = 0
    for month, *found in rows:
        index = 12 * month.year + month.month - 1
        back = [raw.get(date((index - k) // 12, (index - k) % 12 + 1, 1)) for k in range(60)]
        expected = [
            statistic(back[:n]) if None not in back[:n] else None
            for n, statistic in (
                (3, np.mean),
                (12, np.mean),
                (60, np.median),
                (12, lambda values: sum(value > 0 for value in values)),
            )
        ]
        assert [value is None for value in found] == [value is None for value in expected]
        for value, other in zip(found, expected, strict=True):
            if other is not None:
                assert value == pytest.approx(other, rel=1e-9, abs=1e-12)
                checked += 1
    assert checked > 700


def test_exports_alone_never_supported_the_statement_in_the_slumps(built: duckdb.DuckDBPyConnection) -> None:
    """The two rules on exports hold today and did not in 2009, 2015 to 2016, the spring of 2020 and 2023."""
    rules = dict(
        built.execute(
            "select indicator, threshold from seeds.claim_rules where claim_id = 'C5' and role = 'decisive'"
        ).fetchall()
    )
    rows = built.execute("""
        select month, exports_yoy_3m_mean_pct, exports_growth_months_12m from driver_china_cycle
        where exports_growth_months_12m is not null
    """).fetchall()
    holds = {
        month
        for month, mean, count in rows
        if mean > rules["exports_yoy_3m_mean_pct"] and count >= rules["exports_growth_months_12m"]
    }
    assert max(holds) == date(2026, 7, 1)
    slumps = [(2009, 1, 2009, 12), (2015, 5, 2017, 8), (2020, 1, 2020, 12), (2022, 11, 2024, 7)]
    assert not [m for m in holds for y, a, z, b in slumps if date(y, a, 1) <= m <= date(z, b, 1)]
