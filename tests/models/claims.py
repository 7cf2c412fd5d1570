"""The two warehouses behind docs/claims.md: `python -m tests.models.claims` makes them and writes the page."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from pipelines import catalog, ingest, transform, warehouse
from pipelines.settings import Settings
from tests.recordings import folders

REPOSITORY = Path(__file__).resolve().parents[2]


def bundled(folder: Path) -> Path:
    """A build file with the figures that ship and the seeds; transform.history runs the models for a day."""
    settings = Settings(warehouse_dir=folder)
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog.load(settings.catalog_dir))
        ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
    seeds = [node["name"] for node in transform.compiled(settings).values() if node["resource_type"] == "seed"]
    failed = [r for r in transform.build(settings, seeds) if r.failed]
    if failed:
        raise SystemExit(f"seeds failed: {failed}")
    return settings.build_path


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder) / "recorded"
        for arguments in (
            ["tests.models.loading", str(recorded), *map(str, folders())],
            [
                "pipelines.authoring.claims_page",
                str(bundled(Path(folder) / "bundled")),
                str(recorded / "build" / "build.duckdb"),
            ],
        ):
            subprocess.run([sys.executable, "-m", *arguments], cwd=REPOSITORY, check=True)


if __name__ == "__main__":
    main()
