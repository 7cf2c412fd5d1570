"""`metals series add` with the replay of FRED: what is written, what is refused, and that nothing else changes."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines import catalog as catalogs
from pipelines.cli import app
from pipelines.settings import Settings
from tests.replay import Replay

NOW = "2026-08-21T22:30:00+00:00"
ALUMINIUM = {
    "--select": "id=PALUMUSDM",
    "--id": "fred_palumusdm_usd_per_tonne",
    "--title": "Aluminium, global price",
    "--description": "Global price of aluminium, monthly average; an IMF series over FRED.",
    "--unit": "usd_per_tonne",
    "--frequency": "monthly",
    "--lag": "30",
    "--stale-after": "75",
    "--history": "stable",
    "--office": "International Monetary Fund",
    "--metal": "aluminium",
}


@pytest.fixture
def own_catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replay: Replay) -> Path:
    folder = tmp_path / "catalog"
    shutil.copytree(Settings().catalog_dir, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    replay.now = date.fromisoformat(NOW[:10])
    for name, value in {
        "METALS_CATALOG_DIR": str(folder),
        "METALS_WAREHOUSE_DIR": str(tmp_path / "warehouse"),
        "METALS_OVERLAY_DIR": str(tmp_path / "overlay"),
        "METALS_UPSTREAM_BASE_URL": replay.base_url,
        "METALS_PACING": "false",
        "METALS_NOW": NOW,
    }.items():
        monkeypatch.setenv(name, value)
    return folder


def _add(plausible: tuple[str, str] = ("300", "15000"), *flags: str, **changed: str | None) -> Result:
    options = ALUMINIUM | {f"--{name}": value for name, value in changed.items()}
    pairs = [part for name, value in options.items() if value is not None for part in (name, value)]
    return CliRunner().invoke(app, ["series", "add", "fred", *pairs, "--plausible", *plausible, *flags])


def _series_files(folder: Path) -> dict[str, str]:
    """The files of the catalogue, and those of the overlay beside it."""
    paths = [*(folder / "series").iterdir(), *(folder.parent / "overlay").rglob("*")]
    return {str(p.relative_to(folder.parent)): p.read_text(encoding="utf-8") for p in paths if p.is_file()}


def test_an_entry_is_written_into_the_overlay_and_the_projects_files_stay(own_catalog: Path, tmp_path: Path) -> None:
    before = _series_files(own_catalog)
    run = _add()
    assert run.exit_code == 0, run.output
    after = _series_files(own_catalog)
    assert {name for name in after if after[name] != before.get(name)} == {"overlay/series/fred.yaml"}
    tracked = catalogs.load(own_catalog, tmp_path / "overlay")
    series = tracked.series["fred_palumusdm_usd_per_tonne"]
    assert series.licence == "US government work, public domain", "from the defaults of the project's file"
    assert (tracked.defined_in(series), tracked.defined_in(tracked.series["fred_dgs10_pct"])) == ("overlay", "project")
    again = _add(id="fred_palumusdm_again_usd_per_tonne")
    assert (again.exit_code, "tracked already, as 'fred_palumusdm_usd_per_tonne'" in again.output) == (2, True)


def test_an_entry_is_written_after_the_publisher_sent_its_rows(own_catalog: Path, tmp_path: Path) -> None:
    before = _series_files(own_catalog)
    run = _add(("300", "15000"), "--project")
    assert run.exit_code == 0, run.output
    assert "424 rows, 1990-01-01 to 2025-04-01, from 1036.72 to 3507.75 usd_per_tonne" in run.output
    after = _series_files(own_catalog)
    assert after.keys() == before.keys(), "no part file is left"
    file = "catalog/series/fred.yaml"
    assert {name for name in after if after[name] != before[name]} == {file}
    assert after[file].startswith(before[file].rstrip("\n")), "comments and entries stand as they stood"
    series = catalogs.load(own_catalog).series["fred_palumusdm_usd_per_tonne"]
    assert series.select == {"id": "PALUMUSDM"}
    assert (series.unit, series.metal, series.publication_lag_days) == ("usd_per_tonne", "aluminium", 30)
    assert series.plausible == (300, 15000)
    assert series.licence == "US government work, public domain", "from the file's defaults"
    assert not series.bundle
    assert not (tmp_path / "warehouse").exists(), "asked in a place apart"


def test_a_dry_run_says_the_same_and_writes_nothing(own_catalog: Path) -> None:
    before = _series_files(own_catalog)
    run = _add(("300", "15000"), "--dry-run")
    assert run.exit_code == 0, run.output
    assert "id: fred_palumusdm_usd_per_tonne" in run.output
    assert _series_files(own_catalog) == before


@pytest.mark.parametrize(
    ("plausible", "changed", "code", "said"),
    [
        (("3000", "15000"), {}, 1, "more than the 2.0% tolerated"),  # most months lie under 3,000 dollars
        (("300", "3400"), {}, 1, "1 rows would go to quarantine"),  # March 2022 stands at 3,508
        (("300", "15000"), {"frequency": "weekly"}, 1, "not weekly"),
        (("300", "15000"), {"select": "id=NO_SUCH_SERIES"}, 1, "404"),
        (("300", "15000"), {"select": "name=PALUMUSDM"}, 2, "--select id=FEDFUNDS"),
        (("300", "15000"), {"select": "id=DGS10"}, 2, "tracked already, as 'fred_dgs10_pct'"),
        (("300", "15000"), {"id": "fred_dgs10_pct"}, 2, "'fred_dgs10_pct' is tracked already"),
        (("300", "15000"), {"metal": "unobtainium"}, 2, "unknown metal"),
        (("300", "15000"), {"unit": None, "lag": None}, 2, "still needed: unit, publication_lag_days"),
    ],
)
def test_what_speaks_against_an_entry_is_said_and_nothing_is_written(
    own_catalog: Path, plausible: tuple[str, str], changed: dict[str, str | None], code: int, said: str
) -> None:
    before = _series_files(own_catalog)
    run = _add(plausible, **changed)
    assert (run.exit_code, said in " ".join(run.output.split())) == (code, True), run.output
    assert _series_files(own_catalog) == before


def test_offline_nobody_is_asked_and_nothing_written(own_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALS_OFFLINE", "true")
    before = _series_files(own_catalog)
    run = _add()
    assert run.exit_code == 1
    assert "is not asked (offline)" in run.output
    assert _series_files(own_catalog) == before
