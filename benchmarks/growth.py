"""Cost per row with ten and a hundred times as many rows: through contracts and comparison into the build."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time
from types import SimpleNamespace

import duckdb

from benchmarks import inputs, synthetic_filers
from benchmarks.report import RUNS, Row
from pipelines import catalog as catalogs
from pipelines import ingest, warehouse
from pipelines.catalog import Catalog, Frequency
from pipelines.settings import Settings
from pipelines.sources import OBSERVATION, Parsed, sec_edgar

SCALES = (1, 10, 100)
OBSERVATIONS = 10_000  # the Pink Sheet brings 9,444 to the catalogued series
NOW = datetime.fromisoformat("2026-11-20T12:00:00")


def measure() -> list[Row]:
    """Microseconds of CPU time per row: new and unchanged observations, and facts of 1, 10 and 100 filers."""
    return [*_observations(), *_filers()]


def _seconds(work: Callable[[], object]) -> float:
    # CPU time of this process, all threads, which does not depend on the machine's load.
    started = process_time()
    work()
    return process_time() - started


@contextlib.contextmanager
def _empty_build():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "build.duckdb"
        warehouse.create(path)
        with contextlib.closing(duckdb.connect(str(path))) as connection:
            yield connection


def _observations() -> list[Row]:
    tracked = catalogs.load(Settings().catalog_dir)
    template = tracked.series_of("worldbank_pink_sheet")[0]
    changes = {"frequency": Frequency.DAILY, "plausible": (-1e9, 1e9)}
    new: dict[int, list[float]] = {scale: [] for scale in SCALES}
    unchanged: dict[int, list[float]] = {scale: [] for scale in SCALES}
    frames = {}
    for scale in SCALES:
        rows = inputs.observations(OBSERVATIONS * scale).with_columns(row="series_id")
        frames[scale] = rows.select(OBSERVATION.keys())
    names = frames[SCALES[-1]]["series_id"].unique().to_list()
    synthetic = Catalog([], [template.model_copy(update={"id": name, **changes}) for name in names], [], [])
    source = tracked.sources["worldbank_pink_sheet"]
    for _ in range(RUNS):
        for scale, frame in frames.items():
            module = SimpleNamespace(parse=lambda *_, frame=frame: Parsed(observations=frame))
            with _empty_build() as connection:
                for day, seconds in ((0, new), (1, unchanged)):
                    payload = ingest.Payload(str(day), "synthetic", NOW + timedelta(days=day), b"")
                    took = _seconds(
                        lambda: ingest.load_payload(connection, payload, source, module, synthetic, ingest.Report())  # noqa: B023
                    )
                    seconds[scale].append(took)
                held = warehouse.one(connection, "select count(*) from raw.observation")
                assert held == (frame.height,), "what is unchanged was written again"
    return [
        Row(
            f"{what} observations, {scale}x",
            "us",
            statistics.median(seconds[scale]) / (OBSERVATIONS * scale) * 1e6,
            None,
            None,
            f"processor time a row, {OBSERVATIONS * scale:,} rows in one payload",
        )
        for what, seconds in (("new", new), ("unchanged", unchanged))
        for scale in SCALES
    ]


def _filers() -> list[Row]:
    tracked = catalogs.load(Settings().catalog_dir)
    source = tracked.sources["sec_edgar"]
    ciks = range(synthetic_filers.FIRST_CIK, synthetic_filers.FIRST_CIK + SCALES[-1])
    bodies = [synthetic_filers.companyfacts(cik, tags=60, years=10) for cik in ciks]
    result = []
    with _empty_build() as connection:
        total, loaded = 0.0, 0
        for number, (cik, body) in enumerate(zip(ciks, bodies, strict=True), start=1):
            payload = ingest.Payload(str(cik), f"companyfacts/CIK{cik:010d}", NOW, body)
            report = ingest.Report()
            total += _seconds(lambda: ingest.load_payload(connection, payload, source, sec_edgar, tracked, report))  # noqa: B023
            loaded += report.rows_added
            if number in SCALES:
                note = f"processor time a fact, {loaded:,} facts, one payload a filer"
                result.append(Row(f"facts of {number} filers", "us", total / loaded * 1e6, None, None, note))
    return result
