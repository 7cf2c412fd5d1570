"""The recorded excerpt of LBMA's afternoon gold price: figures read by hand, and the legs that are null."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import load
from pipelines.settings import Settings
from pipelines.sources import lbma

pytestmark = pytest.mark.recorded


def test_the_dollar_leg_of_the_excerpt(upstream: Path) -> None:
    catalog = load(Settings().catalog_dir)
    body = (upstream / "excerpts" / "lbma_gold_pm.excerpt.json").read_bytes()
    parsed = lbma.parse(body, "gold_pm", catalog)
    found = dict(parsed.observations.select("period", "value").iter_rows())

    assert parsed.observations.height == 23
    assert parsed.rejects.is_empty()
    assert not parsed.missing  # null pounds and euros are nobody's concern
    assert set(parsed.observations["series_id"]) == {"lbma_gold_usd_per_troy_ounce"}
    assert found[date(1968, 4, 1)] == 37.7
    assert found[date(1968, 4, 5)] == 37.0
    assert found[date(1968, 11, 20)] == 40.55
    assert found[date(2026, 7, 7)] == 4155.8
    assert found[date(2026, 8, 10)] == 4324.45
    assert set(parsed.observations["decimals"]) == {2}  # 37 and 4075 are not coarser than their neighbours
    low, high = catalog.series["lbma_gold_usd_per_troy_ounce"].plausible
    assert low <= min(found.values()) < max(found.values()) <= high
