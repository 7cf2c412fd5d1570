"""Loading, against alternative libraries in their own environment: edgartools, bedrok, dlt."""

from __future__ import annotations

import contextlib
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from time import process_time

import duckdb
import fastexcel
import msgspec

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
RUNS_OF_SHORT = 9  # rounds, where one takes a fraction of a second
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
    """The Python of the peers' environment, created on first use, one per set of pinned versions."""
    folder = ENVIRONMENTS / hashlib.sha256(" ".join(PINNED).encode()).hexdigest()[:12]
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {', '.join(PINNED)} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINNED], check=True)
        (folder / "complete").touch()
    return python


class _Side:
    """Work that is timed from outside, and whose CPU time is recorded here, which a busy machine does not change."""

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work  # returns its own processor time where it runs in another process
        self._seconds: list[float] = []

    def __call__(self) -> None:
        started = process_time()
        elsewhere = self._work()
        self._seconds.append(process_time() - started if elsewhere is None else elsewhere)

    @property
    def processor(self) -> str:
        """Median CPU seconds."""
        return f"{statistics.median(self._seconds):.3g} s"


@contextlib.contextmanager
def _peer(python: Path, side: str, given: Path, rows: int) -> Iterator[_Side]:
    """A peer that is ready (imports done, input read) and works once per call; each call must give `rows` rows."""
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

        def work() -> float:
            assert worker.stdin
            assert worker.stdout
            worker.stdin.write("\n")
            worker.stdin.flush()
            answer = worker.stdout.readline().split()
            assert answer[:1] == [str(rows)], f"{side} gave {answer or 'nothing'} in place of {rows} rows"
            return float(answer[1])

        try:
            yield _Side(work)
        finally:
            worker.stdin.close()
            worker.wait(timeout=600)


def _companyfacts(python: Path) -> Iterator[Row]:
    body = inputs.recorded(inputs.COMPANYFACTS)
    nothing = Catalog([], [], [], [])
    tracked = catalogs.load(Settings().catalog_dir)
    bare = msgspec.json.Decoder(_Facts)
    rows = sec_edgar.parse(body, inputs.COMPANYFACTS_KEY, nothing).filing_facts.height

    def parse() -> None:
        sec_edgar.parse(body, inputs.COMPANYFACTS_KEY, nothing)

    waiting = [duckdb.connect() for _ in range(RUNS_OF_SHORT + 1)]  # opening a database is nobody's loading
    made = [warehouse.scratch() for _ in range(RUNS_OF_SHORT + 1)]

    def load() -> None:
        with contextlib.closing(waiting.pop()) as connection:
            found = sec_edgar.parse(body, inputs.COMPANYFACTS_KEY, nothing).filing_facts
            connection.register("incoming", found.to_arrow())
            connection.execute("create table facts as select * from incoming")

    def load_through_contracts() -> None:
        with contextlib.closing(made.pop()) as connection:
            _ingest(connection, "sec_edgar", inputs.COMPANYFACTS_KEY, body, tracked)

    parsed, loaded, through = _Side(parse), _Side(load), _Side(load_through_contracts)
    with (
        _peer(python, "edgartools_objects", inputs.COMPANYFACTS, rows) as objects,
        _peer(python, "edgartools_loaded", inputs.COMPANYFACTS, rows) as table,
    ):
        wall = medians(parsed, loaded, through, objects, table, lambda: bare.decode(body), runs=RUNS_OF_SHORT)
    size = f"{len(body) / 1e6:.2f} MB, {rows:,} facts"
    name = PINNED[0].replace("==", " ")
    for what, position, ours, peer, peer_position, note in (
        ("companyfacts to rows in memory", 0, parsed, objects, 3, f"{name}: its objects; limit: bare typed decode"),
        ("companyfacts to rows in DuckDB", 1, loaded, table, 4, f"{name}: objects, frame, DuckDB table"),
        ("companyfacts through contract and comparison", 2, through, table, 4, "the daily path; the peer as above"),
    ):
        yield Row(what, "s", wall[position], wall[peer_position], wall[5], f"{size}; {note}; {_processor(ours, peer)}")


def _processor(ours: _Side, peer: _Side) -> str:
    return f"processor time {ours.processor} against {peer.processor}"


def _workbook(python: Path) -> Iterator[Row]:
    body = inputs.recorded(inputs.WORKBOOK)
    tracked = catalogs.load(Settings().catalog_dir)
    key = worldbank_pink_sheet.WORKBOOK_KEY
    rows = worldbank_pink_sheet.parse(body, key, tracked).observations.height

    waiting = [duckdb.connect() for _ in range(RUNS_OF_SHORT + 1)]  # opening a database is nobody's loading
    made = [warehouse.scratch() for _ in range(RUNS_OF_SHORT + 1)]

    def load() -> None:
        with contextlib.closing(waiting.pop()) as connection:
            found = worldbank_pink_sheet.parse(body, key, tracked).observations
            connection.register("incoming", found.to_arrow())
            connection.execute("create table observation as select * from incoming")

    def load_through_contracts() -> None:
        with contextlib.closing(made.pop()) as connection:
            _ingest(connection, "worldbank_pink_sheet", key, body, tracked)

    def bare() -> None:
        sheet = fastexcel.read_excel(body).load_sheet("Monthly Prices", header_row=None, skip_rows=0, dtypes="float")
        sheet.to_polars()

    loaded, through = _Side(load), _Side(load_through_contracts)
    with _peer(python, "bedrok_loaded", inputs.WORKBOOK, rows) as peer:
        ours, ours_through, theirs, limit = medians(loaded, through, peer, bare, runs=RUNS_OF_SHORT)
    name = PINNED[1].replace("==", " ")
    note = f"{rows:,} figures; {name}: parsed and upserted, the same 12 series; limit: reading the numbers of the sheet"
    yield Row("workbook to rows in DuckDB", "s", ours, theirs, limit, f"{note}; {_processor(loaded, peer)}")
    daily = f"the daily path; the peer as above; {_processor(through, peer)}"
    yield Row("workbook through contract and comparison", "s", ours_through, theirs, limit, daily)


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

    ours = _Side(lambda: into_a_new_file(lambda c: warehouse.append(c, "observation", frame)))
    with (
        _peer(python, "dlt_arrow", whole, ROWS) as arrow,
        _peer(python, "dlt_default", few, ROWS_ONE_BY_ONE) as one_by_one,
    ):
        took, by_arrow, by_copy, by_default = medians(
            ours,
            arrow,
            lambda: into_a_new_file(lambda c: c.execute(f"copy raw.observation from '{whole}' (format parquet)")),
            one_by_one,
        )
    rates = (ROWS / took / 1e6, ROWS / by_arrow / 1e6, ROWS / by_copy / 1e6)
    name = PINNED[2].replace("==", " ")
    note = f"{ROWS:,} rows into a new file; {name} with Arrow; limit: COPY from Parquet; {_processor(ours, arrow)}"
    yield Row("observations to DuckDB", "M rows/s", *rates, note, lower_is_better=False)
    default = ROWS_ONE_BY_ONE / by_default / 1e6
    note = f"the same; {name} by default, {ROWS_ONE_BY_ONE:,} rows"
    yield Row("observations to DuckDB", "M rows/s", rates[0], default, rates[2], note, lower_is_better=False)
