"""The state after the disk fills up while each stage writes, as JSON; runs in a separate mount namespace.

`unshare --map-root-user --mount python -m tests.faults.full_disk FOLDER` puts a file system of limited size on FOLDER,
which ends with the process; nothing outside it is touched.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.errors import MetalsError
from pipelines.landing import Landing, land
from pipelines.settings import Settings
from tests.endurance import verdicts
from tests.recordings import folders
from tests.replay import Replay

SIZE_MB = 48
SOURCE = "worldbank_pink_sheet"
NOW = datetime(2026, 8, 21, 22, 30, tzinfo=UTC)
PAGE = 4096
MODELS = ["+metals", "+companies"]


class Disk:
    """The small file system, and a file that takes what room is left."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "filler"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True)

    def leave(self, pages: int) -> None:
        """Fill the disk but for so many pages."""
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * PAGE)
        os.truncate(self._filler, max(self._filler.stat().st_size - pages * PAGE, 0))

    def free(self) -> None:
        self._filler.unlink()


def _raised(action: Callable[[], Any]) -> str:
    try:
        action()
    except (OSError, duckdb.Error, MetalsError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    folder = Path(sys.argv[1])
    disk = Disk(folder)
    told: dict[str, Any] = {}
    with Replay(folders(), NOW) as replay:
        settings = Settings(
            warehouse_dir=folder / "warehouse", upstream_base_url=replay.base_url, pacing=False, now=NOW
        )
        catalog = catalogs.load(settings.catalog_dir)
        source, landing = catalog.sources[SOURCE], Landing(settings.landing_dir)

        def asked() -> str:
            checks = land([source], sources.module, catalog, settings)[SOURCE]
            return "; ".join(f"{c.outcome} {c.error or ''}".strip() for c in checks)

        def loaded() -> int:
            with warehouse.writer(settings) as connection:
                warehouse.write_catalog(connection, catalog)
                report = ingest.load_source(connection, source, sources.module(SOURCE), catalog, landing)
            return report.rows_added

        def held() -> list[tuple[int, ...]]:
            counts = " union all ".join(
                f"select count(*) from raw.{t}" for t in ("observation", "payload", "retrieval")
            )
            with contextlib.closing(duckdb.connect(str(settings.build_path))) as connection:
                return connection.execute(counts).fetchall()

        with warehouse.writer(settings):
            pass

        disk.leave(8)  # room for the journal, not for a workbook
        told["landing"] = asked()
        told["left in landing"] = [p.name for p in settings.landing_dir.rglob("*") if p.suffix in (".gz", ".part")]
        disk.free()
        settings = settings.model_copy(update={"now": NOW + timedelta(minutes=5)})
        told["landing, with room"] = asked()

        disk.leave(1)
        told["load"] = _raised(loaded)
        told["held after load"] = held()
        disk.free()
        told["load, with room"] = loaded()
        told["held"] = held()

        warehouse.publish(settings)
        before = verdicts.digest(settings.published_path)
        disk.leave(1)
        told["models"] = _raised(lambda: transform.build(settings, MODELS))
        told["published file after models"] = verdicts.digest(settings.published_path) == before
        disk.free()
        results = transform.build(settings, MODELS)
        told["models, with room"] = {r.name: r.status for r in results if r.resource_type == "model"}

        disk.leave(settings.build_path.stat().st_size // PAGE // 2)
        told["publish"] = _raised(lambda: warehouse.publish(settings))
        told["published file"] = verdicts.digest(settings.published_path) == before
        told["left beside it"] = [p.name for p in folder.joinpath("warehouse").iterdir() if p.name.startswith(".")]
        disk.free()
        warehouse.publish(settings)
        told["published, with room"] = verdicts.digest(settings.published_path) != before
        told["rows twice"] = verdicts.duplicates(settings.published_path)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
