"""Bulk history: the SEC's zip of every filer's facts, streamed into Parquet and from there into the build.

Parser, contract and columns are those of the daily run (`sources.sec_edgar`, `contracts`). The user downloads the zip;
this module works offline.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from pipelines import catalog as catalogs
from pipelines import contracts, text, warehouse
from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload, MetalsError
from pipelines.settings import Settings
from pipelines.sources import FILING_FACT, REJECT, sec_edgar

log = text.logger("metals.backfill")

COMPANYFACTS_URL = "https://www.sec.gov/Archives/edgar/daily-index/xbrl/companyfacts.zip"
# Only the number in a member's name is used, and only of names of exactly this form: none of them reaches the disk.
MEMBER = re.compile(r"CIK(\d{10})\.json")
# Of a large filer 3 to 10 MB. What is larger is refused, whether the zip says so or only turns out so.
MAX_MEMBER_BYTES = 64 * 1024**2
# JSON per Parquet file: about 450,000 facts, which is also the most that a kill can lose.
PART_BYTES = 64 * 1024**2
# Members parsed in advance: one for each of two cores, which keeps memory bounded.
AHEAD = 2
ROWS_PER_GROUP = 50_000  # facts are sorted by tag, so that a query on one tag skips the other groups

_STORED_FACT = [name for name in FILING_FACT if name != "row"]
_FILER = {
    "cik": pl.Int64,
    "name": pl.String,
    "facts": pl.Int64,
    "rejected": pl.Int64,
    "missing": pl.Int64,
    "refused": pl.String,
}
_INDUSTRY = {"cik": pl.Int64, "sic": pl.String, "sic_description": pl.String, "sic_missing_reason": pl.String}
NO_SUBMISSIONS = "no submissions.zip was given to the backfill"


@dataclass(frozen=True)
class Outcome:
    """The totals of a backfill. `facts` are stored, `rejected` are facts not stored, `refused` are filers."""

    folder: Path
    filers: int
    refused: int
    facts: int
    rejected: int
    capex_facts: int
    megabytes_read: float  # of JSON, in this call; parts stored by an earlier call are not read again
    seconds: float


@dataclass(frozen=True)
class _Parsed:
    facts: pl.DataFrame
    rejects: pl.DataFrame
    filer: dict[str, object]  # a row of _FILER


def sec(settings: Settings, companyfacts: Path, submissions: Path | None = None) -> Outcome:
    """Load every filer of `companyfacts` (companyfacts.zip) into Parquet, then capital expenditure into the build.

    Industries (SIC) come from `submissions` (submissions.zip); without it they are null, with the reason. Parts are
    planned before they are written and renamed into place, so an interrupted backfill resumes at the first missing part
    and ends with the same rows. A different zip replaces the earlier one.

    Raises MetalsError if a file is not a zip or has no filer.
    """
    started = time.monotonic()
    tracked = catalogs.load(settings.catalog_dir, settings.overlay_dir)
    payload_id = _sha256(companyfacts)
    folder = settings.bulk_dir / payload_id[:16]
    with warehouse.exclusive(settings):
        plan = _plan(settings, folder, payload_id, companyfacts)
        retrieved_at = datetime.fromisoformat(plan["retrieved_at"])
        with _open(companyfacts) as archive:
            parts = _parts(archive)
            read = 0
            for number, members in enumerate(parts):
                if not _path(folder, "filers", number).exists():
                    _write_part(folder, number, archive, members, retrieved_at, tracked)
                    read += sum(member.file_size for member in members)
                    log.info("part %d of %d: %.0f MB of JSON read", number + 1, len(parts), read / 1e6)
        filers = pl.read_parquet(folder / "filers" / "*.parquet")
        if submissions is not None:
            _write(_industries(submissions, filers["cik"].to_list()), folder / "industries.parquet")
        (settings.bulk_dir / "current").write_text(folder.name)
        with warehouse.writer(settings) as connection:
            capex_facts = _load(connection, settings, tracked.sources[sec_edgar.SOURCE])
        for other in settings.bulk_dir.iterdir():
            if other.is_dir() and other != folder:
                _remove(other)
    return Outcome(
        folder=folder,
        filers=filers.height,
        refused=filers["refused"].count(),
        facts=int(filers["facts"].sum()),
        rejected=int(filers["rejected"].sum()),
        capex_facts=capex_facts,
        megabytes_read=read / 1e6,
        seconds=time.monotonic() - started,
    )


def reload(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Load the backfilled rows into a build that lacks them: a rebuilt one, or one of an as-of run."""
    current = settings.bulk_dir / "current"
    if not current.exists():
        return
    known = warehouse.one(connection, "select any_value(payload_id) from raw.bulk_filer")
    if known is None or not str(known[0]).startswith(current.read_text()):
        _load(connection, settings, catalogs.load(settings.catalog_dir, settings.overlay_dir).sources[sec_edgar.SOURCE])


def _plan(settings: Settings, folder: Path, payload_id: str, zipped: Path) -> dict[str, str]:
    """Fixed by the first call: the zip's identity, and the time from which its rows count as known."""
    path = folder / "plan.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        plan = {"payload_id": payload_id, "retrieved_at": settings.clock().isoformat(), "bytes": zipped.stat().st_size}
        part.write_text(json.dumps(plan))
        part.replace(path)
    content: dict[str, str] = json.loads(path.read_text())
    return content


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MetalsError(f"{path} cannot be read: {error.strerror}", source=sec_edgar.SOURCE) from None


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise MetalsError(f"{path} is no readable zip: {error}", source=sec_edgar.SOURCE) from None


def _parts(archive: zipfile.ZipFile) -> list[list[zipfile.ZipInfo]]:
    """The filers' members in the zip's order, in parts of about PART_BYTES of JSON."""
    parts: list[list[zipfile.ZipInfo]] = []
    room = 0
    seen: set[str] = set()
    for member in archive.infolist():
        if not MEMBER.fullmatch(member.filename) or member.filename in seen:
            log.warning("%r is not a filer's file or is a duplicate: skipped", member.filename)
            continue
        seen.add(member.filename)
        if room <= 0:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(member)
        room -= member.file_size
    if not parts:
        raise MetalsError(
            f"{archive.filename} holds no file named CIK##########.json",
            source=sec_edgar.SOURCE,
            todo=f"download {COMPANYFACTS_URL}",
        )
    return parts


def _path(folder: Path, kind: str, number: int) -> Path:
    return folder / kind / f"part-{number:05d}.parquet"


def _write_part(
    folder: Path,
    number: int,
    archive: zipfile.ZipFile,
    members: Sequence[zipfile.ZipInfo],
    retrieved_at: datetime,
    tracked: Catalog,
) -> None:
    found = list(_parsed(archive, members, tracked))
    facts = pl.concat([p.facts for p in found]).with_columns(retrieved_on=pl.lit(retrieved_at.date()))
    verdict = contracts.validate(facts, "filing_fact")
    broken = verdict.bad.select(
        series_id=pl.format("CIK{}", "cik"), row=pl.format("{} {} = {}", "row", "period_end", "value"), reason="reason"
    )
    bad = verdict.bad.group_by("cik").agg(pl.len().cast(pl.Int64).alias("bad"))
    filers = (
        pl.DataFrame([p.filer for p in found], schema=_FILER)
        .join(bad, on="cik", how="left", maintain_order="left")
        .with_columns(pl.col("bad").fill_null(0))
        .with_columns(pl.col("facts") - pl.col("bad"), pl.col("rejected") + pl.col("bad"))
        .select(_FILER.keys())
    )
    stored = verdict.good.select(_STORED_FACT).sort("taxonomy", "tag", maintain_order=True)
    _write(stored, _path(folder, "facts", number))
    _write(pl.concat([*(p.rejects for p in found), broken]), _path(folder, "rejects", number))
    # Written last: it marks the part as complete.
    _write(filers, _path(folder, "filers", number))


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with warehouse.replacing(path) as part:
        frame.write_parquet(part, compression="zstd", row_group_size=ROWS_PER_GROUP)


def _parsed(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo], tracked: Catalog) -> Iterator[_Parsed]:
    """The parsed members, in order; AHEAD of them at a time, in threads (decompressing and parsing release the GIL)."""
    waiting: deque[Future[_Parsed]] = deque()
    with ThreadPoolExecutor(AHEAD) as pool:
        for member in members:
            waiting.append(pool.submit(_parse, archive, member, tracked))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _parse(archive: zipfile.ZipFile, member: zipfile.ZipInfo, tracked: Catalog) -> _Parsed:
    cik = _cik(member)
    try:
        body = _body(archive, member)
        parsed = sec_edgar.parse(body, f"companyfacts/CIK{cik:010d}", tracked)
        name = sec_edgar.filer(body).name
    except Exception as error:  # noqa: BLE001 - a fault of a filer or its parser stops that filer alone
        said = (
            str(error) if isinstance(error, MetalsError) else f"could not be parsed ({type(error).__name__}: {error})"
        )
        empty = pl.DataFrame(schema=FILING_FACT), pl.DataFrame(schema=REJECT)
        return _Parsed(*empty, dict.fromkeys(_FILER, 0) | {"cik": cik, "name": None, "refused": said})
    counts = {
        "facts": parsed.filing_facts.height,
        "rejected": parsed.rejects.height,
        "missing": sum(parsed.missing.values()),
    }
    return _Parsed(parsed.filing_facts, parsed.rejects, {"cik": cik, "name": name, "refused": None, **counts})


def _cik(member: zipfile.ZipInfo) -> int:
    found = MEMBER.fullmatch(member.filename)
    assert found is not None  # noqa: S101 - only such members are planned
    return int(found.group(1))


def _body(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, at most MAX_MEMBER_BYTES, whatever size the zip declares."""
    if member.file_size <= MAX_MEMBER_BYTES:
        try:
            with archive.open(member) as file:
                body = file.read(MAX_MEMBER_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise BadPayload(f"its member of the zip is not readable: {error}", source=sec_edgar.SOURCE) from None
        if len(body) <= MAX_MEMBER_BYTES:
            return body
    raise BadPayload(
        f"its member of the zip is larger than {MAX_MEMBER_BYTES:,} bytes",
        source=sec_edgar.SOURCE,
        todo="look at the file before raising MAX_MEMBER_BYTES",
    )


def _industries(submissions: Path, ciks: Sequence[int]) -> pl.DataFrame:
    """The industry of each filer (columns of _INDUSTRY) from the SEC's submissions.zip."""
    rows = []
    with _open(submissions) as archive:
        members = {member.filename: member for member in archive.infolist()}
        for cik in ciks:
            member = members.get(f"CIK{cik:010d}.json")
            sic = description = reason = None
            try:
                if member is None:
                    reason = "submissions.zip does not hold the filer"
                else:
                    header = sec_edgar.filer(_body(archive, member))
                    sic, description = header.sic or None, header.sic_description or None
                    reason = None if sic else "the SEC gives the filer no industry"
            except BadPayload as error:
                reason = str(error)
            rows.append((cik, sic, description, reason))
    return pl.DataFrame(rows, schema=_INDUSTRY, orient="row")


def _load(connection: duckdb.DuckDBPyConnection, settings: Settings, source: Source) -> int:
    """Replace the bulk history in the build by the current backfill; returns the number of capex facts loaded."""
    folder = settings.bulk_dir / (settings.bulk_dir / "current").read_text()
    plan = json.loads((folder / "plan.json").read_text())
    # The tags of capital expenditure and their order are defined only in the seed that the models read.
    tags = pl.read_csv(settings.dbt_project_dir / "seeds" / "capex_tags.csv").select("taxonomy", "tag")
    industries = folder / "industries.parquet"
    known = (
        pl.read_parquet(industries) if industries.exists() else pl.DataFrame(schema=_INDUSTRY)
    )  # 18,000 rows at most
    filers = (
        pl.read_parquet(folder / "filers" / "*.parquet")
        .join(known, on="cik", how="left")
        .with_columns(
            pl.when(pl.col("sic").is_null())
            .then(pl.col("sic_missing_reason").fill_null(NO_SUBMISSIONS))
            .alias("sic_missing_reason"),
            retrieved_at=pl.lit(datetime.fromisoformat(plan["retrieved_at"])),
            payload_id=pl.lit(plan["payload_id"]),
        )
    )
    facts = (
        pl.scan_parquet(folder / "facts" / "*.parquet")
        .filter(pl.col("unit") == "USD", pl.col("tag").is_in(tags["tag"].implode()))
        .join(tags.lazy(), on=["taxonomy", "tag"], how="semi")
        .with_columns(
            pl.col("filed").cast(pl.Datetime("us")).alias("known_at"),
            pl.lit("reported").alias("known_at_basis"),
            pl.lit(plan["payload_id"]).alias("payload_id"),
        )
        .collect()
    )
    with warehouse.transaction(connection):
        connection.execute("delete from raw.bulk_filer")
        connection.execute("delete from raw.bulk_filing_fact")
        connection.execute(
            "delete from raw.payload where source_id = ? and request_key = 'companyfacts.zip'", [source.id]
        )
        warehouse.append(connection, "bulk_filer", filers)
        warehouse.append(connection, "bulk_filing_fact", facts)
        warehouse.append(
            connection,
            "payload",
            pl.DataFrame(
                {
                    "payload_id": plan["payload_id"],
                    "source_id": source.id,
                    "request_key": "companyfacts.zip",
                    "url": COMPANYFACTS_URL,
                    "retrieved_at": datetime.fromisoformat(plan["retrieved_at"]),
                    "content_type": "application/zip",
                    "bytes": int(plan["bytes"]),
                    "origin": "backfilled",
                    "fidelity": "native",
                    "publisher": source.publisher,
                    "credit": source.credit,
                    "licence": source.licence,
                }
            ),
        )
    return facts.height


def _remove(folder: Path) -> None:
    """Remove the backfill of an earlier zip: only folders and files that this module makes."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
