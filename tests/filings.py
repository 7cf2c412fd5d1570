"""The models over filings, run in memory over facts that a test writes, from companyfacts to the marts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import ingest, warehouse
from pipelines.catalog import Catalog, RecordCorrection, load
from pipelines.settings import Settings
from pipelines.sources import sec_edgar
from pipelines.transform import history
from pipelines.warehouse import tables

TARGETS = ("driver_ai_capex_aggregate", "int_producers__periods", "capex_universe")
TODAY = date(2026, 11, 29)


@dataclass(frozen=True)
class Fact:
    """An amount as a filing states it, US dollars; without a start it is of a day."""

    tag: str
    start: str | None
    end: str
    value: float
    accession: str
    filed: str
    form: str = "10-Q"


def companyfacts(cik: int, facts: Iterable[Fact]) -> bytes:
    """A companyfacts response with these facts, in the SEC's shape."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for f in facts:
        start = {} if f.start is None else {"start": f.start}
        rows[f.tag].append(
            start
            | {"end": f.end, "val": f.value, "accn": f.accession, "fy": None, "fp": None}
            | {"form": f.form, "filed": f.filed}
        )
    tags = {tag: {"label": tag, "description": tag, "units": {"USD": found}} for tag, found in rows.items()}
    return json.dumps({"cik": cik, "entityName": "Synthetic", "facts": {"us-gaap": tags}}).encode()


class Models:
    """The compiled models and an empty warehouse in memory; `of` fills it and runs them."""

    def __init__(self, folder: Path) -> None:
        self._settings = Settings(warehouse_dir=folder)
        self.catalog: Catalog = load(self._settings.catalog_dir)
        self._steps = history.compiled(self._settings, TARGETS)
        self._connection = duckdb.connect()
        self._connection.execute("attach ':memory:' as build")
        self._connection.execute("use build")
        tables.define_tables(self._connection)
        warehouse.write_catalog(self._connection, self.catalog)
        self._connection.execute("create schema seeds")
        seed = self._settings.dbt_project_dir / "seeds" / "capex_tags.csv"
        self._connection.execute(f"create table seeds.capex_tags as from read_csv('{seed}')")

    def cik(self, company: str) -> int:
        return self.catalog.companies[company].ciks[-1].cik

    @contextmanager
    def of(
        self, *bodies: bytes, as_of: date = TODAY, bulk: Sequence[bytes] = ()
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The models over companyfacts responses, in the database `past`; `bulk` goes to the universe."""
        for table in ("filing_fact", "bulk_filing_fact", "bulk_filer"):
            self._connection.execute(f"delete from raw.{table}")
        for table, responses in (("filing_fact", bodies), ("bulk_filing_fact", bulk)):
            if responses:
                found = pl.concat([self._parsed(body) for body in responses])
                once = found.unique(("cik", "tag", "period_start", "period_end", "accession"), maintain_order=True)
                warehouse.append(self._connection, table, once)
        self._connection.execute(
            "insert into raw.bulk_filer by name select distinct cik, timestamp '2026-11-01' as retrieved_at, "
            "'no industry' as sic_missing_reason, 'z' as payload_id from raw.bulk_filing_fact"
        )
        with history.models_of(self._connection, self._steps, as_of):
            yield self._connection

    @contextmanager
    def loaded(
        self, answers: Sequence[tuple[str, bytes]], as_of: str, corrections: Sequence[RecordCorrection] = ()
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The models as of a day over whole companyfacts responses, each loaded on its day as a run loads it."""
        for table in ("filing_fact", "payload", "coverage", "bulk_filing_fact", "bulk_filer"):
            self._connection.execute(f"delete from raw.{table}")
        catalog = copy(self.catalog)
        catalog.record_corrections = {c.id: c for c in corrections}
        warehouse.write_catalog(self._connection, catalog)
        for day, body in answers:
            key = f"companyfacts/CIK{json.loads(body)['cik']:010d}"
            payload = ingest.Payload(f"synthetic of {day}", key, datetime.fromisoformat(day), body)
            source = catalog.sources["sec_edgar"]
            ingest.load_payload(self._connection, payload, source, sec_edgar, catalog, ingest.Report())
        with history.models_of(self._connection, self._steps, date.fromisoformat(as_of)):
            yield self._connection

    def _parsed(self, body: bytes) -> pl.DataFrame:
        key = f"companyfacts/CIK{json.loads(body)['cik']:010d}"
        return (
            sec_edgar.parse(body, key, self.catalog)
            .filing_facts.drop("row")
            .with_columns(
                known_at=pl.col("filed").cast(pl.Datetime("us")),
                known_at_basis=pl.lit("reported"),
                payload_id=pl.lit("synthetic"),
            )
        )
