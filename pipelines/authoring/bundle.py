"""Compile `warehouse/bundled` from folders of recorded payloads (`make bundle`).

The project's own parsers and ingest run over the recordings in the order of their retrieval. This module selects what
ships and documents it (README); no figure is typed in, changed or computed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import polars as pl

from pipelines import catalog as catalogs
from pipelines import ingest, sources, warehouse
from pipelines.catalog import Catalog, Source
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import Parsed, SourceModule

MAX_BYTES = 5_000_000

# Recorded file -> (source, request key where its manifest has none). Everything else is left out on purpose: excerpts
# (but for those below), adapted answers and recorded errors are for tests; the IMF, the Energy Institute, UN Comtrade
# and exchanges do not allow it; the lists of filings are older than the bundled facts and would add nothing; no
# recorded document of the Federal Register is about metals.
RECORDED = (
    (re.compile(r"worldbank/[^/]+/(CMO-Historical-Data-Monthly)\.xlsx"), "worldbank_pink_sheet", "{}"),
    (re.compile(r"fred/[^/]+/(\w+)\.csv"), "fred", "fredgraph/{}"),
    (re.compile(r"eastmoney/[^/]+/(\w+)\.json"), "eastmoney", "{}"),
    (re.compile(r"sec/companyfacts(?:_full)?/(CIK\d{10})\.json"), "sec_edgar", "companyfacts/{}"),
    (re.compile(r"cftc/[^/]+/(deafut)\.txt"), "cftc_legacy", "{}"),
    (re.compile(r"cftc/disaggregated_(\d{6})_\S+\.json"), "cftc", "disaggregated/{}"),
    (re.compile(r"uncertainty/[^/]+/(data_gpr_export)\.xls"), "gpr", "{}"),
    (re.compile(r"uncertainty/[^/]+/(tpu_web_latest)\.xlsx"), "tpu", "{}"),
    (re.compile(r"uncertainty/[^/]+/(US_Policy_Uncertainty_Data\.xlsx)"), "epu", "{}"),
    (re.compile(r"fiscal_data/(debt_to_penny)_[\d-]+\.json"), "fiscal_data", "{}"),
    (re.compile(r"nbs/(esData)_\w+\.json"), "nbs", "{}"),
    (re.compile(r"omb/(hist01z[12]_fy\d{4})\.xlsx"), "omb", "{}"),
    (re.compile(r"owid_energy/(owid-energy-data)\.excerpt\.csv"), "owid_energy", "{}"),
    (re.compile(r"worldbank_indicators/([A-Z.]+)_[A-Z]{3}\.json"), "worldbank_indicators", "{}"),
)
# Excerpts in which every series that they have is whole from its first to its last row.
_WHOLE_IN_EXCERPT = re.compile(r"excerpt( of rows, re-headed| of fields|: nine countries).*")
_NOT_SHIPPED = re.compile(r"excerpt|adapted|first page")
# The manifest dates the weekly files to their as-of Tuesday; they are published on Friday at 15:30 in New York.
KNOWN_LATER = {"cftc_legacy": timedelta(days=4)}

# Sorted so that values repeat within columns, which makes files smaller, and their bytes reproducible.
_ORDER = {
    "payload": "source_id, request_key, retrieved_at, payload_id",
    "coverage": "source_id, series_id, retrieved_at, payload_id",
    "observation": "series_id, period, known_at",
    "filing_fact": "cik, taxonomy, tag, unit, period_end, period_start nulls first, filed, accession, known_at",
    "policy_document": "topic, document_number, known_at",
}


@dataclass(frozen=True)
class Recording:
    """One recorded payload that is bundled."""

    path: Path
    source: str
    key: str
    retrieved_at: datetime
    url: str
    fidelity: str
    sha256: str


def recordings(folders: Sequence[Path], catalog: Catalog) -> list[Recording]:
    """The recordings of bundled sources in the manifests of `folders`, in order of retrieval, without excerpts.

    Raises BadPayload if a file does not match its manifest.
    """
    found = []
    listed = [(f, entry) for f in folders for entry in json.loads((f / "manifest.json").read_text(encoding="utf-8"))]
    for folder, entry in listed:
        place = _place(entry, catalog)
        if place is None:
            continue
        source, key = place
        path = folder / entry["file"]
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise BadPayload(f"{path} is not the file of the manifest", source=source, row=key)
        # The manifest has the day, not the hour; the start of the day makes it known by the end of that day.
        at = datetime.fromisoformat(entry["retrieved_at"]) + KNOWN_LATER.get(source, timedelta())
        found.append(Recording(path, source, key, at, entry["url"], entry["fidelity"], entry["sha256"]))
    return sorted(found, key=lambda r: (r.retrieved_at, r.source, r.key, r.sha256))


def _place(entry: dict[str, Any], catalog: Catalog) -> tuple[str, str] | None:
    if _NOT_SHIPPED.search(entry["fidelity"]) and not _WHOLE_IN_EXCERPT.fullmatch(entry["fidelity"]):
        return None
    for pattern, source, key in RECORDED:
        if match := pattern.fullmatch(entry["file"]):
            identifiers = {s.select.get("id") for s in catalog.series_of(source) if s.bundle}
            known = catalog.sources[source].bundle and (source != "fred" or match[1] in identifiers)
            return (source, entry.get("key") or key.format(match[1])) if known else None
    return None


def _only_bundled(module: SourceModule) -> SourceModule:
    """`module` with a `parse` that keeps only series that may ship and, of filings, only tags in companies.yaml."""

    def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
        parsed = module.parse(body, key, catalog)
        kept = {s.id for s in catalog.series.values() if s.bundle}
        tags = pl.DataFrame(
            sorted(
                {
                    (validity.cik, company.taxonomy, tag)
                    for company in catalog.companies.values()
                    for validity in company.ciks
                    for chain in company.concepts.values()
                    for tag in chain
                }
            ),
            schema={"cik": pl.Int64, "taxonomy": pl.String, "tag": pl.String},
            orient="row",
        )
        return replace(
            parsed,
            observations=parsed.observations.filter(pl.col("series_id").is_in(list(kept))),
            filing_facts=parsed.filing_facts.join(
                tags, on=["cik", "taxonomy", "tag"], how="semi", maintain_order="left"
            ),
            missing={series: count for series, count in parsed.missing.items() if series in kept},
        )

    return cast(SourceModule, SimpleNamespace(plan=module.plan, parse=parse))


def compile_bundle(folders: Sequence[Path], directory: Path, catalog: Catalog) -> pl.DataFrame:
    """Write the bundle's Parquet files, their hashes and README into `directory`; return `summary` of them.

    A recording that a parser or a contract refuses stops the compilation.
    Raises BadPayload, ContractBreach, or ValueError if the files are larger than MAX_BYTES.
    """
    directory.mkdir(parents=True, exist_ok=True)
    modules = {source: _only_bundled(sources.module(source)) for _, source, _ in RECORDED}
    report = ingest.Report()
    with warehouse.scratch() as connection:
        connection.execute("set threads = 1")  # a fixed order of row groups, for reproducible bytes
        for r in recordings(folders, catalog):
            payload = ingest.Payload(
                r.sha256, r.key, r.retrieved_at, r.path.read_bytes(), r.url, None, None, "bundled", r.fidelity
            )
            ingest.load_payload(connection, payload, catalog.sources[r.source], modules[r.source], catalog, report)
        for table in ingest.BUNDLED_TABLES:
            _export(connection, table, directory / f"{table}.parquet")
        for row in connection.execute("select series_id, row, reason from raw.quarantine").fetchall():
            print("left out:", *row)
    total = sum(path.stat().st_size for path in directory.glob("*.parquet"))
    if total > MAX_BYTES:
        raise ValueError(f"the bundle has {total} bytes, more than {MAX_BYTES}")
    ingest.seal(directory)
    (directory / "README.md").write_text(readme(directory, catalog), encoding="utf-8")
    return summary(directory, catalog)


def _export(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    rows = connection.execute(f"select count(*) from raw.{table}").fetchall()[0][0]
    if not rows:
        path.unlink(missing_ok=True)
        return
    part = path.with_suffix(".part")
    connection.execute(
        f"""
        copy (select * from raw.{table} order by {_ORDER[table]})
        to '{str(part).replace("'", "''")}' (format parquet, compression zstd, compression_level 19)
        """
    )
    part.replace(path)


def summary(directory: Path, catalog: Catalog) -> pl.DataFrame:
    """One row per source: series (or companies), rows, first and last period, newest retrieval, its share of bytes."""
    with warehouse.scratch() as connection:
        frame = warehouse.query(
            connection,
            _BUNDLED_ROWS
            + """
            select
                p.source_id, count(distinct r.series_id) as series, count(*) as rows, min(r.period) as first_period,
                max(r.period) as last_period, max(cast(p.retrieved_at as date)) as retrieved_on
            from bundled_row as r inner join read_parquet($payload) as p on r.payload_id = p.payload_id
            group by p.source_id order by p.source_id
            """,
            _paths(directory),
        )
        sizes = [_bytes_of(connection, directory, source) for source in frame["source_id"]]
    return frame.with_columns(pl.Series("bytes", sizes, dtype=pl.Int64))


def _bytes_of(connection: duckdb.DuckDBPyConnection, directory: Path, source: str) -> int:
    """Compressed bytes of the source's table, in proportion to its share of the rows."""
    total = 0
    for table in ("observation", "filing_fact"):
        path = directory / f"{table}.parquet"
        if path.exists():
            mine, every = connection.execute(
                """
                select count(*) filter (where p.source_id = ?), count(*)
                from read_parquet(?) as r inner join read_parquet(?) as p on r.payload_id = p.payload_id
                """,
                [source, str(path), str(directory / "payload.parquet")],
            ).fetchall()[0]
            total += round(path.stat().st_size * mine / every)
    return total


_BUNDLED_ROWS = """
with bundled_row as (
    select series_id, period, payload_id from read_parquet($observation)
    union all
    select cast(cik as varchar), period_end, payload_id from read_parquet($filing_fact)
)
"""


def _paths(directory: Path) -> dict[str, str]:
    return {table: str(directory / f"{table}.parquet") for table in ("observation", "filing_fact", "payload")}


def readme(directory: Path, catalog: Catalog) -> str:
    """The README of the bundle in `directory`, from its files and the catalogue alone."""
    with warehouse.scratch() as connection:
        covered = warehouse.query(
            connection,
            _BUNDLED_ROWS
            + """
            select
                p.source_id, r.series_id, count(*) as rows, min(r.period) as first_period, max(r.period) as last_period
            from bundled_row as r inner join read_parquet($payload) as p on r.payload_id = p.payload_id
            group by all order by all
            """,
            _paths(directory),
        ).to_dicts()
        payloads = warehouse.query(
            connection,
            """
            select source_id, request_key, cast(retrieved_at as date) as day, fidelity, payload_id
            from read_parquet($payload) order by source_id, request_key, day, payload_id
            """,
            {"payload": str(directory / "payload.parquet")},
        ).to_dicts()
    shipped = [catalog.sources[s] for s in sorted({p["source_id"] for p in payloads})]
    total = sum(path.stat().st_size for path in directory.glob("*.parquet"))
    lines = [
        "# Bundled figures",
        "",
        "Generated by `make bundle`; do not edit. A first run without a network starts from these figures,",
        "and whatever is fetched later is added to them.",
        "",
        f"{sum(row['rows'] for row in covered):,} figures from {len(payloads)} recorded responses of {len(shipped)} "
        f"publishers or channels, {total / 1e6:.2f} MB of Parquet.",
        "Figures, dates and identifiers only. They are not up to date: each table says to which period they reach.",
        "",
        "| File | Holds |",
        "|---|---|",
        "| `payload.parquet` | one row per recorded response: source, address, day of retrieval, fidelity, licence |",
        "| `coverage.parquet` | one row per response and series: what it held, and what that changed |",
        "| `observation.parquet` | one row per series, period and value learnt, with the time it was known |",
        "| `filing_fact.parquet` | one row per XBRL fact and filing, only the tags named in `companies.yaml` |",
        "| `SHA256SUMS` | hashes of these files; one that does not match is not loaded (`sha256sum -c SHA256SUMS`) |",
        "",
        "A figure counts as known from the day it was filed (`reported`), from its period's end plus the publication",
        "lag (`assumed_lag`), or from the day its response was retrieved (`observed`). Series whose history is revised",
        "are always `observed`: nothing says what they read before.",
        "",
    ]
    for source in shipped:
        lines += _section(
            source,
            [row for row in covered if row["source_id"] == source.id],
            [row for row in payloads if row["source_id"] == source.id],
            catalog,
        )
    return (
        "\n".join(
            [
                *lines,
                "## Compile again",
                "",
                "    make bundle",
                "",
                "It reads the recorded responses in `../shared/upstream*`, or in the folders that METALS_TEST_UPSTREAM",
                "names, with this project's own parsers and ingest. Equal responses give equal bytes.",
            ]
        )
        + "\n"
    )


def _section(
    source: Source, covered: list[dict[str, Any]], payloads: list[dict[str, Any]], catalog: Catalog
) -> list[str]:
    lines = [
        f"## {source.title}",
        "",
        f"* Credit: {source.credit}",
        f"* Licence: {source.licence}",
        f"* Terms: {source.terms}",
        f"* Page: {source.homepage}",
        "",
    ]
    if source.id == "sec_edgar":
        lines += ["| Company | CIK | Facts | First period end | Last period end |", "|---|---|---|---|---|"]
        company = catalog.company_by_cik
        lines += [
            f"| {company[int(row['series_id'])].name} | {row['series_id']} | {row['rows']:,} | {row['first_period']} "
            f"| {row['last_period']} |"
            for row in covered
        ]
    else:
        lines += [
            "| Series | Office | Licence | History | Rows | First period | Last period |",
            "|---|---|---|---|---|---|---|",
        ]
        for row in covered:
            series = catalog.series[row["series_id"]]
            lines.append(
                f"| `{series.id}` | {series.publisher} | {series.licence} | {series.history.value} "
                f"| {row['rows']:,} | {row['first_period']} | {row['last_period']} |"
            )
    if source.id in KNOWN_LATER:
        lines += [
            "",
            "The recordings bear the day they are about; they count as retrieved "
            f"{KNOWN_LATER[source.id].days} days later, when they were out.",
        ]
    lines += ["", "| Response | Retrieved | Fidelity | SHA-256 |", "|---|---|---|---|"]
    lines += [
        f"| {row['request_key']} | {row['day']} | {row['fidelity']} | `{row['payload_id'][:12]}` |" for row in payloads
    ]
    return [*lines, ""]


def main(folders: Sequence[Path]) -> None:
    """Compile the bundle that ships from the recordings in `folders`, and print what it holds."""
    settings = Settings()
    table = compile_bundle(folders, settings.bundled_dir, catalogs.load(settings.catalog_dir))
    with pl.Config(tbl_formatting="MARKDOWN", tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True):
        print(table)
    for path in sorted(settings.bundled_dir.glob("*.parquet")):
        print(f"{path.name:24} {path.stat().st_size:>9,} bytes")
