"""Loading, against the libraries a user would take instead: edgartools, bedrok, dlt, in an environment of their own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import fastexcel
import msgspec
import polars as pl

from benchmarks import inputs
from benchmarks.report import Row, medians
from pipelines import catalog as catalogs
from pipelines import ingest, warehouse
from pipelines.catalog import Catalog
from pipelines.settings import Settings
from pipelines.sources import sec_edgar, worldbank_pink_sheet

PINNED = ("edgartools==5.62.1", "bedrok==0.3.3", "dlt[duckdb,parquet]==1.31.0")
ENVIRONMENTS = Path(__file__).resolve().parents[1] / ".benchmarks"
ROWS = 2_000_000  # of observations
ROWS_ONE_BY_ONE = 20_000  # dlt without Arrow: enough for a rate, in seconds
NOW = datetime.fromisoformat("2026-11-20T12:00:00")


class _Fact(msgspec.Struct, gc=False):
    end: str | None = None
    val: float | None = None
    accn: str | None = None
    form: str | None = None
    filed: str | None = None
    start: str | None = None
    fy: int | None = None
    fp: str | None = None


class _Tag(msgspec.Struct):
    units: dict[str, list[_Fact]]


class _Facts(msgspec.Struct):
    facts: dict[str, dict[str, _Tag]]


def measure() -> list[Row]:
    """Companyfacts and workbook to loaded rows, observations to DuckDB."""
    python = environment()
    with tempfile.TemporaryDirectory() as folder:
        return [*_companyfacts(python), *_workbook(python), *_observations(python, Path(folder))]


def environment() -> Path:
    """The Python that has the peers, made on first use; another pin makes another environment."""
    folder = ENVIRONMENTS / hashlib.sha256(" ".join(PINNED).encode()).hexdigest()[:12]
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {', '.join(PINNED)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINNED], check=True)
        (folder / "complete").touch()
    return python


@contextlib.contextmanager
def _peer(python: Path, side: str, given: Path, rows: int) -> Iterator[Callable[[], None]]:
    """A peer that has imported and read its input and works once on each call; every time it must give `rows` rows."""
    with tempfile.TemporaryDirectory() as home:
        worker = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("peer_worker.py")), side, str(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HOME": home, "RUNTIME__DLTHUB_TELEMETRY": "false", "EDGAR_IDENTITY": "benchmark"},
        )
        assert worker.stdin
        assert worker.stdout
        said = worker.stdout.readline().strip()
        assert said == "READY", f"{side} did not start"

        def call() -> None:
            assert worker.stdin
            assert worker.stdout
            worker.stdin.write("\n")
            worker.stdin.flush()
            found = worker.stdout.readline().strip()
            assert found == str(rows), f"{side} gave {found or 'nothing'} in place of {rows} rows"

        try:
            yield call
        finally:
            worker.stdin.close()
            worker.wait(timeout=60)


def _companyfacts(python: Path) -> Iterator[Row]:
    body = inputs.recorded(inputs.COMPANYFACTS)
    nothing = Catalog([], [], [], [])
    tracked = catalogs.load(Settings().catalog_dir)
    bare = msgspec.json.Decoder(_Facts)
    rows = sec_edgar.parse(body, inputs.COMPANYFACTS_KEY, nothing).filing_facts.height

    def parsed() -> pl.DataFrame:
        return sec_edgar.parse(body, inputs.COMPANYFACTS_KEY, nothing).filing_facts

    def loaded() -> None:
        with contextlib.closing(duckdb.connect()) as connection:
            connection.register("incoming", parsed().to_arrow())
            connection.execute("create table facts as select * from incoming")

    def through_contracts() -> None:
        with contextlib.closing(warehouse.scratch()) as connection:
            _ingest(connection, "sec_edgar", inputs.COMPANYFACTS_KEY, body, tracked)

    with (
        _peer(python, "edgartools_objects", inputs.COMPANYFACTS, rows) as objects,
        _peer(python, "edgartools_loaded", inputs.COMPANYFACTS, rows) as facts,
    ):
        figures = medians(parsed, loaded, through_contracts, objects, facts, lambda: bare.decode(body), runs=15)
    ours_parsed, ours_loaded, ours_through, peer_objects, peer_loaded, limit = figures
    peer = PINNED[0].replace("==", " ")
    size = f"{len(body) / 1e6:.2f} MB, {rows:,} facts"
    yield Row(
        "companyfacts to rows in memory",
        "s",
        ours_parsed,
        peer_objects,
        limit,
        f"{size}; {peer}: its objects; limit: bare typed decode",
    )
    yield Row(
        "companyfacts to rows in DuckDB",
        "s",
        ours_loaded,
        peer_loaded,
        limit,
        f"{size}; {peer}: frame, then a DuckDB table",
    )
    yield Row(
        "companyfacts through contracts and the comparison with what is known",
        "s",
        ours_through,
        peer_loaded,
        limit,
        "what the daily path does, tables made included; the peer has neither",
    )


def _workbook(python: Path) -> Iterator[Row]:
    body = inputs.recorded(inputs.WORKBOOK)
    tracked = catalogs.load(Settings().catalog_dir)
    key = worldbank_pink_sheet.WORKBOOK_KEY
    rows = worldbank_pink_sheet.parse(body, key, tracked).observations.height

    def loaded() -> None:
        with contextlib.closing(duckdb.connect()) as connection:
            found = worldbank_pink_sheet.parse(body, key, tracked).observations
            connection.register("incoming", found.to_arrow())
            connection.execute("create table observation as select * from incoming")

    def through_contracts() -> None:
        with contextlib.closing(warehouse.scratch()) as connection:
            _ingest(connection, "worldbank_pink_sheet", key, body, tracked)

    def bare() -> None:
        sheet = fastexcel.read_excel(body).load_sheet("Monthly Prices", header_row=None, skip_rows=0, dtypes="float")
        sheet.to_polars()

    with _peer(python, "bedrok_loaded", inputs.WORKBOOK, rows) as peer:
        ours, ours_through, theirs, limit = medians(loaded, through_contracts, peer, bare, runs=15)
    note = f"{rows:,} figures of 12 series; {PINNED[1].replace('==', ' ')}: parse and upsert of the same 12"
    yield Row("workbook to rows in DuckDB", "s", ours, theirs, limit, f"{note}; limit: reading the sheet's numbers")
    yield Row(
        "workbook through contracts and the comparison with what is known",
        "s",
        ours_through,
        theirs,
        limit,
        "what the daily path does, tables made included",
    )


def _ingest(connection: duckdb.DuckDBPyConnection, source: str, key: str, body: bytes, tracked: Catalog) -> None:
    module = {"sec_edgar": sec_edgar, "worldbank_pink_sheet": worldbank_pink_sheet}[source]
    payload = ingest.Payload("0" * 64, key, NOW, body)
    ingest.load_payload(connection, payload, tracked.sources[source], module, tracked, ingest.Report())


def _observations(python: Path, folder: Path) -> Iterator[Row]:
    frame = inputs.observations(ROWS)
    whole, few = folder / "observations.parquet", folder / "few.parquet"
    frame.write_parquet(whole)
    frame.head(ROWS_ONE_BY_ONE).write_parquet(few)

    def into_a_new_file(load: Callable[[duckdb.DuckDBPyConnection], object]) -> None:
        path = folder / "to.duckdb"
        path.unlink(missing_ok=True)
        warehouse.create(path)
        with contextlib.closing(duckdb.connect(str(path))) as connection:
            load(connection)

    with (
        _peer(python, "dlt_arrow", whole, ROWS) as arrow,
        _peer(python, "dlt_default", few, ROWS_ONE_BY_ONE) as one_by_one,
    ):
        ours, peer, limit, default = medians(
            lambda: into_a_new_file(lambda c: warehouse.append(c, "observation", frame)),
            arrow,
            lambda: into_a_new_file(lambda c: c.execute(f"copy raw.observation from '{whole}' (format parquet)")),
            one_by_one,
        )
    note = f"{ROWS:,} rows into a new file; {PINNED[2].replace('==', ' ')}"
    rates = (ROWS / ours / 1e6, ROWS / peer / 1e6, ROWS / limit / 1e6)
    yield Row(
        "observations to DuckDB",
        "M rows/s",
        *rates,
        f"{note} with Arrow; limit: COPY from Parquet",
        lower_is_better=False,
    )
    default_rate = ROWS_ONE_BY_ONE / default / 1e6
    yield Row(
        "observations to DuckDB",
        "M rows/s",
        rates[0],
        default_rate,
        rates[2],
        f"{note} by default, {ROWS_ONE_BY_ONE:,} rows",
        lower_is_better=False,
    )
