"""DBnomics as the replay answers it (documented shape) with the figures of the eastmoney reports that ship."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.catalog import Catalog, load
from pipelines.settings import Settings
from pipelines.sources import Parsed, dbnomics, eastmoney
from tests.recordings import Recordings
from tests.replay_routes import dbnomics as replayed


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def answers(shipped: Path, catalog: Catalog) -> list[Parsed]:
    routes = {f"https://{host}{path}": answer for host, path, answer in replayed.routes()}
    requests = dbnomics.plan(catalog, date(2026, 8, 21))
    upstream = Recordings(shipped)
    bodies = [(r.key, routes[r.url]({}, b"", date(2026, 8, 21), upstream)[2]) for r in requests]
    return [dbnomics.parse(body, key, catalog) for key, body in bodies]


@pytest.mark.parametrize(
    ("ours", "report", "theirs", "tolerance"),
    [
        # The office rounds index and growth apart in six months of 2006 to 2009.
        ("nbs_ppi_yoy_pct", "RPT_ECONOMY_PPI", "cn_ppi_yoy_pct", 0.1),
        ("nbs_m1_yoy_pct", "RPT_ECONOMY_CURRENCY_SUPPLY", "cn_m1_yoy_pct", 0),
        ("nbs_m2_yoy_pct", "RPT_ECONOMY_CURRENCY_SUPPLY", "cn_m2_yoy_pct", 0),
    ],
)
def test_both_channels_say_the_same(
    shipped: Path,
    catalog: Catalog,
    answers: list[Parsed],
    ours: str,
    report: str,
    theirs: str,
    tolerance: float,
) -> None:
    body = (shipped / "eastmoney" / "2026-08-21" / f"{report}.json").read_bytes()
    other = eastmoney.parse(body, report, catalog).observations.filter(series_id=theirs)
    mine = pl.concat(parsed.observations for parsed in answers).filter(series_id=ours)
    both = mine.join(other, on="period", suffix="_other")
    assert both.height == mine.height == other.height > 200
    assert (both["value"] - both["value_other"]).abs().max() <= tolerance + 1e-9
    low, high = catalog.series[ours].plausible
    assert mine.get_column("value").is_between(low, high).all()


def test_output_that_the_mirror_does_not_fill_is_missing_and_nothing_is_made_up(answers: list[Parsed]) -> None:
    missing = {name: count for parsed in answers for name, count in parsed.missing.items()}
    outputs = {
        f"nbs_{what}_output_{kind}ten_thousand_tonnes"
        for what in ("aluminium", "alumina", "refined_copper")
        for kind in ("", "ytd_")
    }
    assert missing == dict.fromkeys(outputs, 12)
    assert all(parsed.rejects.is_empty() for parsed in answers)
