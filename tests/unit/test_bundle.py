"""The bundled figures: small, complete, correctly described in their README, and loaded like any others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from pipelines import catalog as catalogs
from pipelines import ingest, warehouse
from pipelines.authoring import bundle
from pipelines.catalog import Catalog, History
from pipelines.errors import BadPayload
from pipelines.settings import PROJECT_ROOT, Settings

BUNDLED = PROJECT_ROOT / "warehouse" / "bundled"
NOW = datetime.fromisoformat("2026-11-22")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return catalogs.load(Settings().catalog_dir)


@pytest.fixture(scope="module")
def loaded() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.scratch() as connection:
        assert ingest.load_bundle(connection, BUNDLED, NOW) > 40_000
        yield connection


def count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    return int(connection.execute(f"select count(*) from raw.{condition}").fetchall()[0][0])


def test_the_readme_says_what_is_in_the_files(catalog: Catalog) -> None:
    assert (BUNDLED / "README.md").read_text(encoding="utf-8") == bundle.readme(BUNDLED, catalog), "run `make bundle`"


def test_the_bundle_stays_under_five_megabytes() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < bundle.MAX_BYTES


def test_the_bundle_is_loaded_once(loaded: duckdb.DuckDBPyConnection) -> None:
    assert ingest.load_bundle(loaded, BUNDLED, NOW) == 0


def test_only_what_may_ship_ships(loaded: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    shipped = {row[0] for row in loaded.execute("select distinct series_id from raw.observation").fetchall()}
    assert shipped <= {s.id for s in catalog.series.values() if s.bundle}
    assert "fred_t10yie_pct" not in shipped
    sources = {row[0] for row in loaded.execute("select distinct source_id from raw.payload").fetchall()}
    assert sources == {
        "worldbank_pink_sheet",
        "fred",
        "eastmoney",
        "sec_edgar",
        "cftc_legacy",
        "gpr",
        "tpu",
        "epu",
        "cftc",
        "fiscal_data",
        "nbs",
        "omb",
        "owid_energy",
        "worldbank_indicators",
    }
    assert all(catalog.sources[source].bundle for source in sources)
    tags = {(row[0], row[1]) for row in loaded.execute("select distinct cik, tag from raw.filing_fact").fetchall()}
    assert tags <= {
        (validity.cik, tag)
        for company in catalog.companies.values()
        for validity in company.ciks
        for chain in company.concepts.values()
        for tag in chain
    }
    assert {cik for cik, _ in tags} == {789019, 1652044, 1018724, 1326801, 1341439}


def test_every_row_has_its_payload_with_origin_licence_and_fidelity(loaded: duckdb.DuckDBPyConnection) -> None:
    for table in ("observation", "filing_fact", "coverage"):
        assert (
            loaded.table(f"raw.{table}").filter("payload_id not in (from raw.payload select payload_id)").shape[0] == 0
        )
    assert count(loaded, "payload where origin <> 'bundled' or url is null") == 0
    assert count(loaded, "payload where '' in (fidelity, licence, credit, publisher)") == 0


def test_a_series_with_revised_history_ships_no_assumed_dates(
    loaded: duckdb.DuckDBPyConnection, catalog: Catalog
) -> None:
    bases = dict(
        loaded.execute(
            "select series_id, list(distinct known_at_basis) from raw.observation group by series_id"
        ).fetchall()
    )
    revised = {s.id for s in catalog.series.values() if s.history is History.REVISED} & set(bases)
    assert "fred_cpiaucsl_index" in revised
    assert {name: bases[name] for name in revised} == {name: ["observed"] for name in revised}


def test_at_the_end_of_2025_nothing_of_2026_is_known(loaded: duckdb.DuckDBPyConnection) -> None:
    known = "known_at < timestamp '2026-01-01'"
    assert count(loaded, f"observation where series_id = 'fred_cpiaucsl_index' and {known}") == 0
    assert count(loaded, f"observation where period >= date '2026-01-01' and {known}") == 0
    assert count(loaded, f"filing_fact where filed >= date '2026-01-01' and {known}") == 0
    newest = "select strftime(max(period), '%Y-%m') from raw.observation where series_id = 'cn_ppi_yoy_pct' and "
    assert loaded.execute(newest + known).fetchall() == [("2025-11",)]  # due on 15 December; the next on 15 January


def test_hand_checked_figures_are_in_the_bundle(loaded: duckdb.DuckDBPyConnection) -> None:
    exports = """
        select value from raw.observation
        where series_id = 'cn_exports_yoy_pct' and period = date '2026-05-01' order by known_at
    """
    assert loaded.execute(exports).fetchall() == [(19.4,), (19.2,)]
    microsoft = """
        select distinct value from raw.filing_fact
        where cik = 789019 and tag = 'PaymentsToAcquirePropertyPlantAndEquipment'
            and period_start = date '2025-07-01' and period_end = date '2026-06-30'
    """
    assert loaded.execute(microsoft).fetchall() == [(115_948_000_000.0,)]


def test_positions_and_uncertainty_are_in_the_bundle_and_known_when_they_were_out(
    loaded: duckdb.DuckDBPyConnection,
) -> None:
    def known(series: str, period: str) -> list[tuple[float, str]]:
        return loaded.execute(
            "select value, strftime(known_at, '%Y-%m-%d') from raw.observation where series_id = ? and period = ? "
            "order by known_at",
            [series, period],
        ).fetchall()

    # Long less short, worked out by hand from the recorded file of Tuesday 4 August 2026, out on Friday the 7th.
    [(long, out)] = known("cftc_legacy_copper_noncommercial_long_contracts", "2026-08-04")
    [(short, _)] = known("cftc_legacy_copper_noncommercial_short_contracts", "2026-08-04")
    assert (long - short, out) == (77123, "2026-08-08")
    # Two vintages of one month: 124.9 when first recorded, 128.9 a year later.
    [first, second] = known("gpr_recent_index", "2024-11-01")
    assert (round(first[0], 1), first[1]) == (124.9, "2025-04-29")
    assert (round(second[0], 1), second[1]) == (128.9, "2026-03-22")
    [(march, _)] = known("tpu_monthly_index", "2025-03-01")
    assert round(march) == 603
    [(pandemic, _)] = known("epu_us_news_index", "2020-05-01")
    assert round(pandemic) == 504


@pytest.mark.recorded
def test_recordings_are_taken_in_the_order_of_retrieval_and_by_their_hash(
    recordings: list[Path], tmp_path: Path, catalog: Catalog
) -> None:
    found = bundle.recordings(recordings, catalog)
    assert len(found) == 76
    assert [r.retrieved_at for r in found] == sorted(r.retrieved_at for r in found)
    keys = {(r.source, r.key) for r in found}
    assert {("fred", "fredgraph/GDP"), ("sec_edgar", "companyfacts/CIK0001652044")} < keys
    assert not {("fred", "fredgraph/T10YIE"), ("fred", "fredgraph/PCOPPUSDM")} & keys
    (tmp_path / "manifest.json").write_bytes((recordings[0] / "manifest.json").read_bytes())
    for r in bundle.recordings(recordings[:1], catalog):
        copy = tmp_path / r.path.relative_to(recordings[0])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"another file")
    with pytest.raises(BadPayload, match="is not the file of the manifest"):
        bundle.recordings([tmp_path], catalog)
