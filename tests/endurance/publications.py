"""Readers at work while one publication follows another: `python -m tests.endurance.publications --count 50`.

Between two publications, the replayed FRED advances by a day, its responses are fetched over HTTP and loaded, and the
models that read them are rebuilt; whole runs may follow. Prints the number of successful reads, and exits with 1 if one
failed, or if a publication was not one complete build.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from datetime import UTC, timedelta
from pathlib import Path

from pipelines import catalog as catalogs
from pipelines import ingest, landing, sources, transform, warehouse
from pipelines.audit import gate
from pipelines.settings import Settings
from tests.endurance.kills import Soak
from tests.endurance.readers import Readers
from tests.recordings import folders

CHANGING_MODELS = ["+driver_monetary"]


def publish_often(soak: Soak, publications: int, runs: int) -> Readers:
    """After a first run, publish real changes so many times, then run `metals run` so many times; what readers saw."""
    soak.run_whole()
    print(f"first run {soak.whole_s:.0f} s", flush=True)
    with Readers(soak.published) as readers:
        for number in range(1, publications + 1):
            _publish_a_change(soak, number)
            if number % 10 == 0:
                print(f"  {number} publications", flush=True)
        for number in range(1, runs + 1):
            soak.tomorrow()
            soak.run_whole()
            print(f"  {number} whole runs", flush=True)
    return readers


def _publish_a_change(soak: Soak, number: int) -> None:
    catalog = catalogs.load(Settings().catalog_dir)
    fred = catalog.sources["fred"].model_copy(update={"cadence_hours": 0.0})
    settings = Settings(
        warehouse_dir=soak.warehouse,
        upstream_base_url=soak.replay.base_url,
        pacing=False,
        contact="metals-drivers tests tests@example.com",
        # Minutes later on the same day: the as-of date stays, so the models that are not built anew are not outdated.
        now=soak.clock.replace(tzinfo=UTC) + timedelta(minutes=number),
    )
    soak.replay.now = soak.clock.date() + timedelta(days=number)  # its figures move with its own clock
    with warehouse.exclusive(settings):
        landing.land([fred], sources.module, catalog, settings)
        with warehouse.writer(settings) as connection:
            report = ingest.load_source(
                connection, fred, sources.module("fred"), catalog, landing.Landing(settings.landing_dir)
            )
        failed = [r.name for r in transform.build(settings, CHANGING_MODELS) if r.failed]
        gate.publish(settings)
    with warehouse.reader(settings) as connection:
        [[changed]] = connection.execute(
            "select rows_changed from audit.build_diff where table_name = 'driver_monetary'"
        ).fetchall()
    if failed or not report.rows_changed or not changed:
        soak.wrong.append(f"publication {number}: {failed}, {report.rows_changed} figures and {changed} rows changed")
    soak.check(f"publication {number}", published=True, selection=" ".join(CHANGING_MODELS))


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--count", type=int, default=50, help="publications")
    parser.add_argument("--runs", type=int, default=0, help="whole runs after them")
    parser.add_argument("--folder", type=Path, default=None, help="an empty folder; default: a temporary one")
    options = parser.parse_args()
    logging.getLogger("metals").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary:
        soak = Soak(options.folder or Path(temporary), folders(), seed=1)
        try:
            readers = publish_often(soak, options.count, options.runs)
        finally:
            soak.close()
    print(f"{options.count} publications and {options.runs} whole runs: {readers.told()}")
    for line in soak.wrong + readers.wrong:
        print(f"  {line}")
    sys.exit(1 if soak.wrong or readers.wrong else 0)


if __name__ == "__main__":
    main()
