"""Raw tables: per publisher one subsettable step, one asset per series (or company, or topic) of the catalogue."""

import base64
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import ingest, sources, warehouse
from pipelines.assets import landed
from pipelines.catalog import Catalog, Series, Source
from pipelines.landing import Landing
from pipelines.resources import MetalsRun

log = logging.getLogger("metals.raw")


@dataclass(frozen=True)
class Item:
    """One asset of a publisher: a series, a company's filings, or a topic of documents."""

    id: str
    title: str
    description: str
    publisher: str
    unit: str
    series: Series | None = None


def items(source: Source, catalog: Catalog) -> list[Item]:
    """The assets of a publisher, from the catalogue."""
    found = [Item(s.id, s.title, s.description, s.publisher, s.unit, s) for s in catalog.series_of(source.id)]
    if source.id == "sec_edgar":
        found += [
            Item(c.id, f"{c.name}: filed facts", c.description, source.publisher, "usd")
            for c in catalog.companies.values()
        ]
    found += [
        Item(t.id, t.title, t.description, source.publisher, "documents")
        for t in catalog.topics.values()
        if t.source == source.id
    ]
    return found


def key(source_id: str, item_id: str) -> AssetKey:
    return AssetKey(["raw", source_id, item_id.lower()])


def build(source: Source, catalog: Catalog) -> AssetsDefinition:
    """The step that loads a publisher's landed payloads; its contracts are inside."""
    tracked = items(source, catalog)

    @multi_asset(
        name=f"load_{source.id}",
        can_subset=True,
        specs=[
            AssetSpec(
                key(source.id, i.id),
                deps=[landed.key(source.id)],
                description=f"{i.title}. {i.description}",
                group_name=source.group,
                owners=[landed.team(i.publisher)],
                kinds={"duckdb", "polars"},
                metadata={
                    "publisher": i.publisher,
                    "unit": i.unit,
                    "licence": source.licence,
                    "credit": source.credit,
                    "homepage": MetadataValue.url(source.homepage),
                },
                skippable=True,
            )
            for i in tracked
        ],
        check_specs=[
            spec
            for i in tracked
            for spec in (
                AssetCheckSpec(
                    "contract_held",
                    asset=key(source.id, i.id),
                    description="No row of the newest payload was quarantined, and no payload was refused.",
                ),
                AssetCheckSpec(
                    "fresh",
                    asset=key(source.id, i.id),
                    description="The newest period is as young as the catalogue asks.",
                ),
            )
        ],
    )
    def load(context: AssetExecutionContext, metals: MetalsRun) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        settings = metals.settings
        with warehouse.writer(settings) as connection:
            ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
            warehouse.write_catalog(connection, catalog)
            report = ingest.load_source(
                connection, source, sources.module(source.id), catalog, Landing(settings.landing_dir)
            )
            log.info(
                "%s: %d payloads loaded, %d rows added, %d changed, %d quarantined, %d payloads refused",
                source.id,
                report.payloads,
                report.rows_added,
                report.rows_changed,
                report.rows_quarantined,
                len(report.refused),
            )
            for item in tracked:
                if key(source.id, item.id) in context.selected_asset_keys:
                    yield from _results(connection, source, item, report, settings.as_of_date())

    return load


def _results(
    connection: duckdb.DuckDBPyConnection, source: Source, item: Item, report: ingest.Report, today: date
) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
    latest = warehouse.one(
        connection,
        """
        select
            payload_id, retrieved_at, rows, missing, quarantined, last_period, rows_added, rows_changed, rows_vanished
        from raw.coverage where series_id = ? order by retrieved_at desc limit 1
        """,
        [item.id],
    )
    total = warehouse.one(
        connection,
        """
        select coalesce(sum(rows_added), 0), coalesce(sum(rows_changed), 0), max(last_period)
        from raw.coverage where series_id = ?
        """,
        [item.id],
    )
    assert total is not None  # noqa: S101 - an aggregate always has a row
    metadata: dict[str, Any] = {
        "dagster/row_count": MetadataValue.int(int(total[0]) + int(total[1])),
        "revisions": MetadataValue.int(int(total[1])),
    }
    last_period: date | None = total[2]
    if latest is not None:
        payload_id, retrieved_at, _, missing, quarantined, _, added, changed, vanished = latest
        metadata |= {
            "last_period": MetadataValue.text(str(last_period)),
            "payload": MetadataValue.text(payload_id),
            "retrieved_at": MetadataValue.text(f"{retrieved_at:%Y-%m-%d %H:%M} UTC"),
            "newest_payload": MetadataValue.text(
                f"{added} rows added, {changed} changed, {vanished} vanished, {missing} missing cells, "
                f"{quarantined} quarantined"
            ),
        }
    points = connection.execute(
        """
        select value from (
            select period, arg_max(value, known_at) as value from raw.observation where series_id = ? group by period
        ) order by period desc limit 240
        """,
        [item.id],
    ).fetchall()
    if len(points) > 1:
        metadata["picture"] = MetadataValue.md(sparkline([v for (v,) in reversed(points)], item.title))
    yield MaterializeResult(asset_key=key(source.id, item.id), metadata=metadata)

    quarantined_rows = int(latest[4]) if latest is not None else 0
    yield AssetCheckResult(
        asset_key=key(source.id, item.id),
        check_name="contract_held",
        passed=not report.refused and not quarantined_rows,
        severity=AssetCheckSeverity.WARN,
        description="; ".join(report.refused[:3])
        or (f"{quarantined_rows} rows quarantined: see raw.quarantine" if quarantined_rows else "every row held it"),
    )
    yield _fresh(item, source, last_period, today)


def _fresh(item: Item, source: Source, last_period: date | None, today: date) -> AssetCheckResult:
    if last_period is None:
        said, passed = "no row is in the warehouse", False
    elif item.series is None:
        said, passed = f"newest {last_period}; filings and documents have no fixed calendar here", True
    else:
        age = (today - item.series.period_end(last_period)).days
        limit = item.series.staleness_limit_days
        passed = age <= limit
        said = f"newest period starts {last_period}; it ended {age} days ago, limit {limit}"
    return AssetCheckResult(
        asset_key=key(source.id, item.id),
        check_name="fresh",
        passed=passed,
        severity=AssetCheckSeverity.WARN,
        description=said,
    )


def sparkline(values: Sequence[float], title: str, width: int = 320, height: int = 64) -> str:
    """A small line picture of `values` as a Markdown image (an inline SVG), oldest to newest."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    points = " ".join(
        f"{i * width / (len(values) - 1):.1f},{height - 4 - (v - low) * (height - 8) / span:.1f}"
        for i, v in enumerate(values)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<polyline fill="none" stroke="#3b6ea5" stroke-width="1.5" points="{points}"/></svg>'
    )
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})\n\nlast {values[-1]:g}, from {low:g} to {high:g}"
