"""The mart of a bulk backfill, from zips of made-up filers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import duckdb
import pytest

from pipelines import transform
from pipelines.ingest import sec_bulk
from pipelines.settings import Settings
from tests.unit.test_backfill import FACT, NOW, body


def zip_of(path: Path, members: dict[int, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for cik, content in members.items():
            archive.writestr(f"CIK{cik:010d}.json", content)
    return path


def test_the_universe_by_industry_is_the_sum_over_its_filers(tmp_path: Path) -> None:
    """From zip to mart: two filers of one industry, 7,500 and 2,500 dollars, the second a year earlier too (2,000)."""
    settings = Settings(warehouse_dir=tmp_path / "warehouse", now=NOW, offline=True)
    year_ago = FACT | {"start": "2023-01-01", "end": "2023-12-31", "val": 2000}
    first_filed = year_ago | {"accn": "0000000043-24-000001", "filed": "2024-02-05"}
    facts = {42: body(42, FACT), 43: body(43, FACT | {"val": 2500}, year_ago, first_filed)}
    header = json.dumps({"sic": "3674", "sicDescription": "Semiconductors"}).encode()
    sec_bulk.sec(
        settings, zip_of(tmp_path / "companyfacts.zip", facts), zip_of(tmp_path / "s.zip", dict.fromkeys(facts, header))
    )
    results = transform.build(settings, ["+capex_universe"])
    assert [(r.name, r.message) for r in results if r.failed] == []
    columns = "industry, calendar_year, filers, capex_usd, like_for_like_yoy_pct, like_for_like_filers, largest_filers"
    with duckdb.connect(str(settings.build_path), read_only=True) as connection:
        rows = connection.execute(f"select {columns} from main.capex_universe order by calendar_year").fetchall()
    assert rows == [
        ("3674", 2023, 1, 2000.0, None, 0, "ACME 43"),
        ("3674", 2024, 2, 10000.0, pytest.approx(25.0), 1, "ACME 42; ACME 43"),
    ]
