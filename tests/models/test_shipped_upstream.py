"""The upstream that ships with the tests: read by the project's own parsers, it gives the bundled figures again."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from pipelines import catalog as catalogs
from pipelines.authoring import bundle
from pipelines.settings import Settings
from tests import shipped_upstream
from tests.recordings import MADE_UP
from tests.shipped_upstream import bundled


def test_compiled_as_the_bundle_is_it_gives_the_bundle(shipped: Path, tmp_path: Path) -> None:
    bundle.compile_bundle([shipped], tmp_path, catalogs.load(Settings().catalog_dir))
    tables = {
        "payload": "p.source_id, p.request_key, p.retrieved_at, p.url, p.publisher, p.licence",
        # A newer file of filing facts may lack older ones: the bundle does not tell which.
        "coverage": "t.* exclude (payload_id) replace (if(p.source_id = 'sec_edgar', null, rows) as rows)",
        # `decimals` is the finest print within a year: the bundle does not tell which figures were printed coarser.
        "observation": "t.* exclude (payload_id, decimals), p.retrieved_at",
        "filing_fact": "t.* exclude (payload_id), p.retrieved_at",
    }
    for table, columns in tables.items():
        ships, compiled = (
            f"(select {columns} from '{folder}/payload.parquet' as p inner join '{folder}/{table}.parquet' as t "
            "using (payload_id))"
            for folder in (bundled.BUNDLED, tmp_path)
        )
        assert duckdb.sql(f"{ships} except all {compiled}").fetchall() == []
        assert duckdb.sql(f"{compiled} except all {ships}").fetchall() == []


def test_what_is_made_up_says_so_in_its_name_and_the_same_bytes_come_each_time(shipped: Path, tmp_path: Path) -> None:
    manifest = json.loads((shipped / "manifest.json").read_text(encoding="utf-8"))
    made_up = {entry["file"] for entry in manifest if bundled.FIDELITY not in entry["fidelity"]}
    assert made_up == {entry["file"] for entry in manifest if entry["file"].startswith(MADE_UP)} != set()
    shipped_upstream.write(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == (shipped / "manifest.json").read_bytes()
