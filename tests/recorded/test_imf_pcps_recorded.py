"""The recorded IMF workbook: figures read out of it by hand, counts, and the FRED mirror of two of its series."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.catalog import Catalog, load
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import Parsed, imf_pcps
from tests.recordings import Recordings
from tests.replay_routes import imf_pcps as replayed

pytestmark = pytest.mark.recorded

FILE = "imf_pcps/2025-09-24/external-data.xls"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def parsed(upstream: Path, catalog: Catalog) -> Parsed:
    return imf_pcps.parse((upstream / FILE).read_bytes(), imf_pcps.WORKBOOK_KEY, catalog)


def _series(parsed: Parsed, series_id: str) -> dict[date, float]:
    return dict(parsed.observations.filter(series_id=series_id).select("period", "value").iter_rows())


def test_the_name_says_xls_and_the_bytes_are_a_zip(upstream: Path) -> None:
    assert (upstream / FILE).read_bytes().startswith(b"PK\x03\x04")


def test_every_catalogued_series_has_every_month(parsed: Parsed, catalog: Catalog) -> None:
    counts = dict(parsed.observations.group_by("series_id").len().iter_rows())
    expected = {series.id: 404 for series in catalog.series_of("imf_pcps")}  # 1992M1 to 2025M8
    assert counts == expected | {"imf_lithium_usd_per_tonne": 159}  # quoted since 2012M6
    assert parsed.missing == {"imf_lithium_usd_per_tonne": 245}
    assert parsed.rejects.is_empty()


def test_figures_read_as_in_the_workbook(parsed: Parsed) -> None:
    expected = {
        ("imf_copper_usd_per_tonne", date(2011, 2, 1)): 9880.9375,
        ("imf_aluminium_usd_per_tonne", date(2008, 7, 1)): 3067.456521739,
        ("imf_zinc_usd_per_tonne", date(2020, 4, 1)): 1903.367,
        ("imf_nickel_usd_per_tonne", date(2011, 2, 1)): 28412.175,
        ("imf_lead_usd_per_tonne", date(2011, 2, 1)): 2595.575,
        ("imf_tin_usd_per_tonne", date(2011, 2, 1)): 31619.65,
        ("imf_gold_usd_per_troy_ounce", date(2011, 2, 1)): 1372.725,
        ("imf_silver_usd_per_troy_ounce", date(2011, 2, 1)): 30.7785,
        ("imf_platinum_usd_per_troy_ounce", date(2008, 7, 1)): 1904.434782609,
        ("imf_palladium_usd_per_troy_ounce", date(2020, 4, 1)): 2081.590909091,
        ("imf_lithium_usd_per_tonne", date(2020, 4, 1)): 80179.883850604,
        ("imf_cobalt_usd_per_tonne", date(2008, 7, 1)): 74009.377129617,
        ("imf_uranium_usd_per_pound", date(2011, 2, 1)): 65.0,
        ("imf_iron_ore_usd_per_tonne", date(2011, 2, 1)): 187.18,
    }
    read = {at: _series(parsed, at[0])[at[1]] for at in expected}
    assert read == pytest.approx(expected, abs=5e-10)


def test_every_figure_lies_in_its_plausible_range(parsed: Parsed, catalog: Catalog) -> None:
    for series in catalog.series_of("imf_pcps"):
        assert all(series.plausible[0] <= value <= series.plausible[1] for value in _series(parsed, series.id).values())


@pytest.mark.parametrize(
    ("series_id", "file"),
    [
        ("imf_copper_usd_per_tonne", "2025-07-15/PCOPPUSDM"),
        ("imf_aluminium_usd_per_tonne", "2025-06-01/PALUMUSDM"),
    ],
)
def test_freds_mirror_has_the_same_prices(upstream: Path, parsed: Parsed, series_id: str, file: str) -> None:
    lines = (upstream / "fred" / f"{file}.csv").read_text(encoding="utf-8").splitlines()[1:]
    mirror = {date.fromisoformat(day): float(text) for day, _, text in (line.partition(",") for line in lines) if text}
    ours = _series(parsed, series_id)
    both = sorted(mirror.keys() & ours.keys())
    assert len(both) > 300
    apart = {day: ours[day] / mirror[day] - 1 for day in both if abs(ours[day] / mirror[day] - 1) > 1e-6}
    assert apart == {}


def test_the_interface_and_the_workbook_give_the_same_figures(upstream: Path, parsed: Parsed, catalog: Catalog) -> None:
    """The CSV is the documented shape, not recorded; its figures are the workbook's as printed."""
    ((_, _, answer),) = replayed.routes()
    recordings = Recordings(upstream)
    for request in imf_pcps.plan(catalog, date(2026, 11, 22)):
        indicator = request.key.removeprefix(imf_pcps.KEY_PREFIX)
        fetched = imf_pcps.parse(answer({}, b"", date(2026, 1, 1), request.url, recordings)[2], request.key, catalog)
        (series,) = [s for s in catalog.series_of("imf_pcps") if s.select["indicator"] == indicator]
        assert _series(fetched, series.id) == pytest.approx(_series(parsed, series.id), abs=1e-6)
        with pytest.raises(BadPayload, match="no observation"):
            imf_pcps.parse(answer({}, b"", date(2025, 1, 1), request.url, recordings)[2], request.key, catalog)
