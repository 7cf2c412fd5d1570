"""The two recorded shapes of Shanghai's daily file (one line each): settlement prices read by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import Parsed, shfe

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


def _parse(upstream: Path, catalog: Catalog, excerpt: str, day: str) -> Parsed:
    body = (upstream / "excerpts" / f"shfe_kx_{excerpt}_shape.excerpt.json").read_bytes()
    return shfe.parse(body, f"kx/{day}", catalog)


@pytest.mark.parametrize(
    # The excerpts do not say their whole date: 2021 says none at all, 2026 only that it was Thursday the 24th.
    ("excerpt", "day", "settlement"),
    [("2021", "20211201", 69950.0), ("new2026", "20260924", 110780.0)],
)
def test_copper_is_read_from_both_shapes(
    upstream: Path, catalog: Catalog, excerpt: str, day: str, settlement: float
) -> None:
    parsed = _parse(upstream, catalog, excerpt, day)
    assert parsed.observations.select("series_id", "period", "value").rows() == [
        ("shfe_copper_settlement_cny_per_tonne", date.fromisoformat(day), settlement)
    ]
    # An excerpt holds copper alone: each of the other seven says so.
    assert parsed.rejects["reason"].to_list() == ["no delivery month of this product"] * 7
    low, high = catalog.series["shfe_copper_settlement_cny_per_tonne"].plausible
    assert low <= settlement <= high


def test_the_file_of_another_day_is_refused(upstream: Path, catalog: Catalog) -> None:
    with pytest.raises(BadPayload, match="o_day is 24: another day's file"):
        _parse(upstream, catalog, "new2026", "20260925")
