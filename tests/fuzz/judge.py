"""The result of a mutated payload, and whether it is allowed. Runs in a separate process (see `__main__`)."""

from __future__ import annotations

import os
import random
import resource
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines import catalog as catalogs
from pipelines import contracts, ingest, sources
from pipelines.catalog import Catalog
from pipelines.errors import MetalsError
from pipelines.landing import Landing
from pipelines.landing.ask import MAX_REQUESTS
from pipelines.settings import Settings
from pipelines.sources import Parsed, _sheets, _workbook
from tests.fuzz.corpus import NOW, Seed
from tests.fuzz.mutate import Mutation, mutate

MAX_CPU_S = 5.0
MAX_PEAK_MB = 750.0  # beyond what the process held before
MAX_READER_MB = _workbook.MAX_DATA_BYTES / 1e6  # of the process that reads workbooks, all that it holds
# Columns by which rows are told apart, and those whose values must not change unnoticed.
KEYS = {
    "observation": ["series_id", "period"],
    "filing_fact": ["cik", "taxonomy", "tag", "unit", "period_start", "period_end", "accession"],
    "filing": ["cik", "accession"],
    "policy_document": ["document_number", "topic"],
    "tariff_release": ["release_id"],
}
VALUES = {
    "observation": ["value"],
    "filing_fact": ["value", "form", "filed"],
    "filing": ["form", "filing_date", "report_date"],
    "policy_document": ["type", "publication_date", "signing_date", "effective_on"],
    "tariff_release": ["status", "release_start_date"],
}
POSITIONAL = {"cftc_legacy"}  # a file without a header: which column is which is known from the format's description

Rows = dict[tuple[str, *tuple[Any, ...]], tuple[Any, ...]]


@dataclass(frozen=True)
class Case:
    """One mutated payload and its end. `fault` says what must not have happened; None where all is well."""

    source: str
    seed: int
    key: str
    mutation: str
    end: str  # error, refused, rows
    said: str
    rows: int
    changed: int
    cpu_s: float
    peak_mb: float
    fault: str | None


@cache
def _catalog() -> Catalog:
    return catalogs.load(Settings().catalog_dir)


@cache
def _body(folder: Path, payload_id: str) -> bytes:
    return Landing(folder / "landing").get(payload_id)


@cache
def _original(folder: Path, seed: Seed) -> Rows:
    end, said, rows = read(_body(folder, seed.payload_id), seed)
    if end != "rows":
        raise AssertionError(f"the unchanged payload of {seed} is not read: {said}")
    return rows


def read(body: bytes, seed: Seed) -> tuple[str, str, Rows]:
    """Parse a payload and hold it against its contracts: (how it ended, what was said, good rows by key)."""
    catalog = _catalog()
    try:
        if seed.page:
            return _led_on(body, seed, catalog)
        parsed = sources.module(seed.source).parse(body, seed.key, catalog)
    except MetalsError as error:
        return "error", f"{type(error).__name__}: {error}", {}
    except BaseException as error:  # noqa: BLE001 - a panic of a library is no Exception
        return "fault", f"untyped {type(error).__name__}: {str(error)[:300]}", {}
    try:
        return _held(parsed, seed, catalog)
    except MetalsError as error:
        return "refused", str(error), {}
    except BaseException as error:  # noqa: BLE001 - a panic of a library is no Exception
        return "fault", f"contract could not be applied: {type(error).__name__}: {str(error)[:300]}", {}


def _led_on(body: bytes, seed: Seed, catalog: Catalog) -> tuple[str, str, Rows]:
    """What a page leads to: requests, each to a host of its publisher or refused by the client later."""
    plan = sources.module(seed.source).plan(catalog, NOW.date())
    (request,) = (r for r in plan if r.key == seed.key)
    assert request.then is not None
    further = request.then(body)
    if len(further) > MAX_REQUESTS:
        return "fault", f"leads to {len(further)} requests", {}
    return "rows", f"{len(further)} requests", {}


def _held(parsed: Parsed, seed: Seed, catalog: Catalog) -> tuple[str, str, Rows]:
    payload = ingest.Payload("0" * 64, seed.key, datetime.fromisoformat(NOW.isoformat()[:19]), b"")
    verdicts = ingest.judged(parsed, payload, catalog)
    bad = parsed.rejects.height + sum(v.bad.height for v in verdicts.values())
    good = sum(v.good.height for v in verdicts.values())
    if ingest.too_many_bad(bad, good, catalog.sources[seed.source]):
        reasons = pl.concat([parsed.rejects["reason"], *(v.bad["reason"] for v in verdicts.values())])
        return "refused", f"{bad} of {good + bad} rows: {reasons[0]}", {}
    rows: Rows = {}
    for table, verdict in verdicts.items():
        # That good rows hold the contract is asked of the contract once more, from nothing.
        if verdict.good.height and contracts.validate(verdict.good, table).bad.height:
            raise AssertionError(f"a row of {table} that was let through breaks the contract")
        columns = KEYS[table] + VALUES[table]
        for row in verdict.good.select(columns).iter_rows():
            rows[table, *row[: len(KEYS[table])]] = row[len(KEYS[table]) :]
    return "rows", f"{good} rows, {bad} quarantined", rows


def _changes(before: Rows, after: Rows, renamed: bool) -> list[str]:
    """Rows that say something else than in the unchanged payload (fewer rows, or values left out, say nothing)."""
    changes: list[str] = []
    before_tags = {key[:5] for key in before if key[0] == "filing_fact"}
    tags = set(before_tags)
    for key, values in after.items():
        old = before.get(key)
        if old is None:
            if renamed and key[0] != "observation":  # a tag by another name is another tag
                continue
            if key[0] == "filing_fact" and key[:5] not in tags:  # one letter of it stands over all of its facts
                tags.add(key[:5])
                changes.append(f"{key[:5]}: new tag or unit")
            elif key[0] != "filing_fact" or key[:5] in before_tags:
                changes.append(f"{key}: new, {values}")
        elif any(v is not None and v != o for v, o in zip(values, old, strict=True)):
            changes.append(f"{key}: {old} -> {values}")
    return changes


def judge(folder: Path, seed: Seed, number: int) -> dict[str, Any]:
    """Mutate payload `seed` with the seeded mutation `number`, read it, and say how it ended."""
    original = _original(folder, seed)
    rng = random.Random(f"{seed.source}/{seed.key}/{number}")  # noqa: S311 - repeatable, not secret
    mutation = mutate(_body(folder, seed.payload_id), rng, seed.source in POSITIONAL)
    return asdict(judge_mutation(seed, number, mutation, original))


def judge_mutation(seed: Seed, number: int, mutation: Mutation, original: Rows) -> Case:
    _reset_peak("self")
    reader = _reader()
    _reset_peak(reader)
    held = _peak_mb("self")
    started, started_reader = time.process_time(), _cpu_s(reader)
    end, said, rows = read(mutation.body, seed)
    cpu = time.process_time() - started + max(_cpu_s(_reader()) - started_reader, 0.0)
    own, of_reader = _peak_mb("self") - held, _peak_mb(_reader())
    peak = max(own, of_reader)
    fault = said if end == "fault" else None
    changes = _changes(original, rows, "field" in mutation.name or "number" in mutation.name)
    # One place may feed every series of a payload (a date, a year), in two periods (where it was and where it is now).
    allowed = mutation.touched * 2 * max(len({key[1] for key in original}), 1)
    if len(changes) > allowed:
        fault = fault or f"{len(changes)} rows changed silently, {allowed} could have: {changes[:3]}"
    if cpu > MAX_CPU_S:
        fault = fault or f"took {cpu:.1f} s of processor time"
    if own > MAX_PEAK_MB or of_reader > MAX_READER_MB:
        fault = fault or f"took {peak:.0f} MB"
    return Case(
        seed.source, number, seed.key, mutation.name, end, said[:300], len(rows), len(changes), cpu, peak, fault
    )


# Workbooks are read in a process of its own: what it takes counts, too. Its memory is limited besides.


def _reader() -> str:
    """The id of the workbooks' process; "" while there is none."""
    process = _sheets._reader._process
    return str(process.pid) if process is not None and process.poll() is None else ""


def _reset_peak(pid: str) -> None:
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:  # not on this system: the peak of the process stands for that of the case
        return


def _cpu_s(pid: str) -> float:
    if not pid:
        return 0.0
    try:
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: str) -> float:
    if not pid:
        return 0.0
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 if pid == "self" else 0.0
    return int(status.split("VmHWM:")[1].split()[0]) / 1000
