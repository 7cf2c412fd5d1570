"""The recorded prices of two publishers, compared: read by hand where they differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.models.conftest import built, built_file  # noqa: F401 - fixtures

pytestmark = pytest.mark.recorded


def test_the_pink_sheet_and_the_imf_differ_in_one_month_of_two_metals(
    recordings: list[Path],
    built: duckdb.DuckDBPyConnection,  # noqa: F811
) -> None:
    """Nickel of January 2009 (2.3 per cent) and platinum of May 2025 (4.2) are outside the tolerance of 2 per cent."""
    rows = built.execute(
        "select indicator_id, periods_outside_tolerance, largest_gap_period, largest_gap_default_value, "
        "largest_gap_fallback_value from reconciliation where fallback_series_id like 'imf_%' order by 1"
    ).fetchall()
    found = {indicator: (outside, *largest) for indicator, outside, *largest in rows}
    assert len(found) >= 9
    assert {indicator: outside for indicator, (outside, *_) in found.items() if outside} == {
        "nickel_usd_per_tonne": 1,
        "platinum_usd_per_troy_ounce": 1,
    }
    cents = pytest.approx
    assert found["nickel_usd_per_tonne"][1:] == (date(2009, 1, 1), cents(11306.91), cents(11562.95, abs=0.01))
    assert found["platinum_usd_per_troy_ounce"][1:] == (date(2025, 5, 1), cents(979.5), cents(1020.64, abs=0.01))
    assert found["copper_usd_per_tonne"][1:] == (date(2012, 5, 1), cents(7955.64), cents(7896.909090909))
