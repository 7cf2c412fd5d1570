"""The bar of a rule in words: one judged by the whole of a band says so, on the terminal and in docs/claims.md."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.authoring import claims_page
from pipelines.reporting import questions

NO_BAND = {"value_low": None, "value_high": None}
BAND = {"value_low": -1.0, "value_high": 2.0}


@pytest.mark.parametrize(
    ("comparison", "threshold", "contradiction", "band", "told"),
    [
        ("gt", 0, None, NO_BAND, "above 0 %"),
        ("gt", 0, None, {"value_low": 1.0, "value_high": None}, "above 0 %"),
        ("gte", 0.5, 0.25, NO_BAND, "at least 0.5, against from 0.25 %"),
        ("gt", 0, None, BAND, "whole band above 0, against whole band at or below 0 %"),
        ("gte", 1, None, BAND, "whole band at least 1, against whole band below 1 %"),
        ("gte", 0.5, 0.25, BAND, "whole band at least 0.5, against whole band at or below 0.25 %"),
        ("lt", 0, None, BAND, "whole band below 0, against whole band at or above 0 %"),
    ],
)
def test_the_terminal_tells_a_whole_band(
    comparison: str, threshold: float, contradiction: float | None, band: dict[str, float | None], told: str
) -> None:
    evidence: dict[str, Any] = {
        "comparison": comparison, "threshold": threshold, "threshold_high": None,
        "contradiction_threshold": contradiction, "unit": "pct", **band,
    }  # fmt: skip
    assert questions._rule(evidence) == told


def _evidence(indicator: str, has_band: bool) -> claims_page.Evidence:
    return claims_page.Evidence(indicator, "decisive", 1.0, has_band, "pct", None, "neutral", False, False)


@pytest.mark.parametrize(
    ("claim_id", "indicator", "bars"),
    [
        ("S2", "exposed_to_either_spread_last_36m_pct", "whole band above 0 % | whole band at or below 0 %"),
        ("C2", "implied_copper_pct_of_world_use", "whole band at least 1 % | whole band below 1 %"),
        ("C0", "base_volatility_share_last_10y", "whole band at least 0.50 | whole band at most 0.25"),
    ],
)
def test_the_page_tells_a_whole_band_where_either_warehouse_has_one(claim_id: str, indicator: str, bars: str) -> None:
    label = next(r.label for r in claims_page.rules() if (r.claim_id, r.indicator) == (claim_id, indicator))
    without, having = (
        claims_page.Verdict("undetermined", "", None, (_evidence(indicator, band),)) for band in (False, True)
    )

    def row(*found: claims_page.Verdict) -> str:
        lines = claims_page.rule_lines(claim_id, claims_page.banded(*found))
        return next(line for line in lines if line.startswith(f"| {label} |"))

    assert f"| {bars} |" in row(without, having)
    assert "whole band" not in row(without)
