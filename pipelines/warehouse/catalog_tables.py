"""The catalogue as tables, so that models and users can join it with published data."""

from __future__ import annotations

import duckdb
import polars as pl

from pipelines.catalog import Catalog
from pipelines.warehouse.sql import append, query
from pipelines.warehouse.tables import TABLES


def write_catalog(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Update the catalogue's tables to the current catalogue; tables that are up to date are not written."""
    frames = {
        "catalog_source": [
            {
                "source_id": s.id,
                "group_name": s.group,
                "licence_class": s.licence_class.value,
                "parser_has_read": s.proven.said,
                "defined_in": catalog.defined_in(s),
                **s.model_dump(
                    include={
                        "title",
                        "publisher",
                        "homepage",
                        "licence",
                        "credit",
                        "terms",
                        "cadence_hours",
                        "unofficial",
                        "description",
                    }
                ),
            }
            for s in catalog.sources.values()
        ],
        "catalog_series": [
            {
                "series_id": s.id,
                "source_id": s.source,
                "frequency": s.frequency.value,
                "metal_id": s.metal,
                "plausible_low": s.plausible[0],
                "plausible_high": s.plausible[1],
                "history": s.history.value,
                "defined_in": catalog.defined_in(s),
                **s.model_dump(
                    include={
                        "title",
                        "publisher",
                        "unit",
                        "publication_lag_days",
                        "staleness_limit_days",
                        "first_period",
                        "rewritten_since",
                        "licence",
                        "bundle",
                        "description",
                    }
                ),
            }
            for s in catalog.series.values()
        ],
        "catalog_company": [
            {
                "company_id": c.id,
                "defined_in": catalog.defined_in(c),
                **c.model_dump(include={"name", "role", "fiscal_year_end", "filing_lag_days", "description"}),
            }
            for c in catalog.companies.values()
        ],
        "catalog_company_tag": [
            {
                "company_id": c.id,
                "cik": v.cik,
                "valid_from": v.valid_from,
                "valid_to": v.valid_to,
                "concept": concept,
                "taxonomy": c.taxonomy,
                "tag": tag,
                "tag_rank": rank,
            }
            for c in catalog.companies.values()
            for v in c.ciks
            for concept, tags in c.concepts.items()
            for rank, tag in enumerate(tags, start=1)
        ],
        "catalog_indicator": [
            {
                "indicator_id": i.id,
                "frequency": i.frequency.value,
                "candidate_rank": rank,
                "series_id": candidate.series,
                "factor": candidate.factor,
                **i.model_dump(include={"title", "unit", "tolerance_pct", "tolerance_absolute", "description"}),
            }
            for i in catalog.indicators.values()
            for rank, candidate in enumerate(i.candidates, start=1)
        ],
        "catalog_correction": [
            {
                "correction_id": c.id,
                "series_id": c.series,
                "defined_in": catalog.defined_in(c),
                "action": c.action.value,
                "corrected": c.value,
                **c.model_dump(include={"period", "published", "known_on", "reason", "reference"}),
            }
            for c in catalog.corrections.values()
        ],
        "catalog_record_correction": [
            {
                "correction_id": c.id,
                "cik": cik,
                "taxonomy": catalog.companies[c.fact.company].taxonomy if c.fact else None,
                **(c.fact.model_dump(exclude={"company"}) if c.fact else {}),
                "document_number": c.document,
                "defined_in": catalog.defined_in(c),
                "action": c.action.value,
                "corrected": c.value,
                **c.model_dump(include={"published", "known_on", "reason", "reference"}),
            }
            for c in catalog.record_corrections.values()
            for cik in ((v.cik for v in catalog.companies[c.fact.company].ciks) if c.fact else (None,))
        ],
        "catalog_claim": [
            {"claim_id": c.id, **c.model_dump(include={"name", "statement", "what_would_change_it"})}
            for c in catalog.claims.values()
        ],
        "catalog_claim_indicator": [
            {
                "claim_id": c.id,
                "indicator": i.id,
                "series_id": i.series,
                "transformation": i.transformation.value,
                "comparison": i.supports.comparison,
                "threshold": i.supports.threshold,
                "threshold_high": i.supports.threshold_high,
                "contradiction_threshold": i.contradicts,
                "unit": i.unit_of(catalog.series[i.series]),
                "label": i.label_of(catalog.series[i.series]),
                **i.model_dump(include={"months", "role", "decimals", "tolerated_days", "reason", "reference"}),
            }
            for c in catalog.claims.values()
            for i in c.indicators
        ],
        "catalog_release": [
            {"series_id": name, "period": period, "released_on": day, "reason": r.reason, "reference": r.reference}
            for r in catalog.releases.values()
            for name in r.series
            for period, day in r.released.items()
        ],
        "catalog_metal": [
            {"metal_id": m.id, **m.model_dump(include={"name", "symbol", "family", "description"})}
            for m in catalog.metals.values()
        ],
    }
    for table in TABLES:
        if table.name in frames:
            now = query(connection, f"from raw.{table.name}")
            frame = pl.DataFrame(frames[table.name], schema=now.schema)
            if not frame.equals(now):
                connection.execute(f"delete from raw.{table.name}")
                append(connection, table.name, frame)
