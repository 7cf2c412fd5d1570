"""Raw tables: one asset per publisher, loaded in one step, with contract and freshness checks and series metadata."""

import base64
import traceback
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import duckdb
from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from pipelines import ingest, sources, text, warehouse
from pipelines.catalog import Catalog, Frequency, Source
from pipelines.catalog.calendar import age_days, is_stale, next_release
from pipelines.ingest import live
from pipelines.landing import Landing
from pipelines.orchestration.assets import landed
from pipelines.orchestration.assets.metadata import metals, publisher, unproven
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings
from pipelines.text import markdown, redact

log = text.logger("metals.raw")

PICTURE_POINTS = 240


def key(source_id: str) -> AssetKey:
    return AssetKey(["raw", source_id])


def build(catalog: Catalog) -> AssetsDefinition:
    """One subsettable step that loads the landed payloads of each publisher in sequence."""

    @multi_asset(
        name="load",
        can_subset=True,
        specs=[
            AssetSpec(
                key(s.id),
                deps=[landed.key(s.id)],
                description=f"{s.title}: {s.description}{unproven(s)}",
                group_name=s.group,
                owners=[landed.team(office) for office in _offices(s, catalog)],
                kinds={"duckdb", "polars"},
                metadata=publisher(s),
                tags=metals(series.metal for series in catalog.series_of(s.id)),
                skippable=True,
            )
            for s in catalog.sources.values()
        ],
        check_specs=[
            AssetCheckSpec(name, asset=key(s.id), description=description)
            for s in catalog.sources.values()
            for name, description in (
                ("contract_held", "No row of the newest payloads was quarantined or vanished; no payload was refused."),
                ("fresh", "The newest period of every series is within the catalogue's staleness limit."),
            )
        ],
    )
    def load(context: AssetExecutionContext, metals: MetalsRun) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        settings = metals.settings
        assets, checks = context.selected_asset_keys, context.selected_asset_check_keys
        chosen = assets | {check.asset_key for check in checks}  # the UI may run a check alone
        failed: dict[str, str] = {}
        with warehouse.writer(settings) as connection:
            ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
            warehouse.write_catalog(connection, catalog)
            ingest.redate(connection, catalog, settings.clock())
            live.load(connection, settings)
            for source in catalog.sources.values():
                if key(source.id) not in chosen:
                    continue
                try:
                    loaded, *judged = _load(connection, source, catalog, settings)
                except ingest.NOT_THE_PAYLOADS_FAULT:
                    raise
                except Exception as error:  # noqa: BLE001 - one publisher's fault must not stop the others
                    failed[source.id] = redact(f"{type(error).__name__}: {error}")
                    log.error("%s could not be loaded: %s", source.id, redact(traceback.format_exc()))
                    continue
                if key(source.id) in assets:
                    yield loaded
                yield from (c for c in judged if AssetCheckKey(key(source.id), str(c.check_name)) in checks)
        if failed:
            raise Failure(
                description=f"{', '.join(failed)} could not be loaded; all other selected publishers were",
                metadata={name: MetadataValue.text(why) for name, why in failed.items()},
            )

    return load


def _load(
    connection: duckdb.DuckDBPyConnection, source: Source, catalog: Catalog, settings: Settings
) -> tuple[MaterializeResult[Any], *tuple[AssetCheckResult, ...]]:
    """Load the landed payloads of a publisher; returns its materialisation and the results of its two checks.

    A publisher that is never asked with these settings and of which nothing is held has the reason and no checks.
    """
    module = sources.modules(catalog)(source.id)
    report = ingest.load_source(connection, source, module, catalog, Landing(settings.landing_dir))
    if report.payloads or report.refused:
        log.info(
            "%s: %d payloads loaded, %d rows added, %d revised, %d refined, %d quarantined, %d payloads refused",
            source.id,
            report.payloads,
            report.rows_added,
            report.rows_changed,
            report.rows_refined,
            report.rows_quarantined,
            len(report.refused),
        )
    log.debug("%s: loaded", source.id, extra={"stage": "load"})
    held, today = _held(connection, source), settings.as_of_date()
    if not held and (why := landed.unset(source, settings)):
        return (MaterializeResult(asset_key=key(source.id), metadata=why),)
    metadata = _metadata(connection, source, catalog, held, today)
    return (
        MaterializeResult(asset_key=key(source.id), metadata=metadata),
        _contract_held(connection, source, held, report),
        _fresh(source, catalog, held, today),
    )


def _offices(source: Source, catalog: Catalog) -> list[str]:
    return sorted({s.publisher for s in catalog.series_of(source.id)} or {source.publisher})


def _held(connection: duckdb.DuckDBPyConnection, source: Source) -> list[dict[str, Any]]:
    """Per series (company, topic): rows, revisions, refinements, newest period, and the newest payload."""
    return warehouse.query(
        connection,
        """
        with totals as (
            select
                series_id,
                cast(sum(rows_changed) as bigint) as revised,
                cast(sum(coalesce(rows_refined, 0)) as bigint) as refined,
                cast(sum(rows_added) as bigint) + revised + refined as rows,
                max(last_period) as last_period
            from raw.coverage where source_id = $source group by series_id
        ),
        newest as (
            select series_id, payload_id, retrieved_at, missing, quarantined, rows_vanished
            from raw.coverage where source_id = $source
            qualify row_number() over (partition by series_id order by retrieved_at desc) = 1
        )
        select * from totals inner join newest using (series_id) order by series_id
        """,
        {"source": source.id},
    ).to_dicts()


def _metadata(
    connection: duckdb.DuckDBPyConnection, source: Source, catalog: Catalog, held: list[dict[str, Any]], today: date
) -> dict[str, Any]:
    lines = "\n".join(
        f"| {h['series_id']} | {_unit(h['series_id'], catalog)} | {h['rows']} | {h['revised']} | {h['refined']} "
        f"| {h['last_period'] or ''} | {_age(h, catalog, today)} "
        f"| {_next_release(h, catalog)} | {h['retrieved_at']:%Y-%m-%d} | {h['payload_id'][:12]} |"
        for h in held
    )
    metadata: dict[str, Any] = {
        "dagster/row_count": MetadataValue.int(sum(h["rows"] for h in held)),
        "revisions": MetadataValue.int(sum(h["revised"] for h in held)),
        "series": MetadataValue.md(
            "| series | unit | rows | revisions | refinements | last period | age, days | next release | retrieved "
            "| payload |\n|---|---|---|---|---|---|---|---|---|---|\n" + lines
        ),
    }
    if held:
        newest = max(held, key=lambda h: h["retrieved_at"])
        metadata |= {
            "last_period": MetadataValue.text(
                str(max((h["last_period"] for h in held if h["last_period"]), default="none"))
            ),
            "youngest_age_days": MetadataValue.text(
                str(min((_age(h, catalog, today) for h in held if h["last_period"]), default="none"))
            ),
            "payload": MetadataValue.text(newest["payload_id"]),
            "retrieved_at": MetadataValue.text(f"{newest['retrieved_at']:%Y-%m-%d %H:%M} UTC"),
        }
    main = next(iter(catalog.series_of(source.id)), None)  # the first entry of the catalogue file
    if main is not None:
        known = connection.sql(f"from {warehouse.newest_known('series_id = ?')}", params=[main.id])
        points = known.order("period desc").limit(PICTURE_POINTS).project("period, value").fetchall()
        if len(points) > 1:
            caption = f"{main.title}, {main.unit}, {points[-1][0]} to {points[0][0]}"
            drawn = sparkline([v for _, v in reversed(points)], caption)
            metadata = {"picture": MetadataValue.md(drawn)} | metadata
    return metadata


def _age(held: dict[str, Any], catalog: Catalog, today: date) -> int | str:
    """Days since the end of the newest period."""
    last: date | None = held["last_period"]
    series = catalog.series.get(held["series_id"])
    return "" if last is None else age_days(series, last, today)


def _next_release(held: dict[str, Any], catalog: Catalog) -> str:
    """Day on which the next period is due by the catalogue; empty for daily series, which are due in every run."""
    series = catalog.series.get(held["series_id"])
    if series is None or held["last_period"] is None or series.frequency is Frequency.DAILY:
        return ""
    return f"{next_release(series, held['last_period'])}"


def _unit(series_id: str, catalog: Catalog) -> str:
    return catalog.series[series_id].unit if series_id in catalog.series else ""


def _contract_held(
    connection: duckdb.DuckDBPyConnection, source: Source, held: list[dict[str, Any]], report: ingest.Report
) -> AssetCheckResult:
    faults = warehouse.standing_faults(connection)
    not_landed = ("failed", "blocked")  # which the check `answered` reports
    standing = [str(why) for source_id, _, how, why in faults if source_id == source.id and how not in not_landed]
    refused = list(dict.fromkeys(report.refused + standing))
    quarantined = {h["series_id"]: int(h["quarantined"]) for h in held if h["quarantined"]}
    vanished = {h["series_id"]: int(h["rows_vanished"]) for h in held if h["rows_vanished"]}
    withdrawing = {
        payload_id
        for (payload_id,) in connection.execute(
            "select distinct payload_id from raw.filing_fact where known_at_basis = 'withdrawn'"
        ).fetchall()
    }
    withdrawn = {h["series_id"] for h in held if h["payload_id"] in withdrawing}
    said = "; ".join(
        refused[:3]
        + [f"{n} rows of {s} quarantined" for s, n in quarantined.items()]
        + [
            f"{n} facts of {s} are withdrawn from that answer on"
            if s in withdrawn
            else f"{n} periods of {s} are no longer published (kept as they were)"
            for s, n in vanished.items()
        ]
    )
    return AssetCheckResult(
        asset_key=key(source.id),
        check_name="contract_held",
        passed=not refused and not quarantined and not vanished,
        severity=AssetCheckSeverity.WARN,  # the last good data stays, and the run continues
        description=markdown(said or "no violation"),
        metadata={"said": said or "no violation", "series_without_rows": ", ".join(report.without_rows) or "none"},
    )


def _fresh(source: Source, catalog: Catalog, held: list[dict[str, Any]], today: date) -> AssetCheckResult:
    """The age of each series against its own limit; filings and documents have no fixed calendar."""
    last = {h["series_id"]: h["last_period"] for h in held}
    stale = []
    for series in catalog.series_of(source.id):
        period = last.get(series.id)
        if period is None:
            stale.append(f"{series.id}: no row")
        elif is_stale(series, period, today):
            stale.append(f"{series.id}: {age_days(series, period, today)} days, limit {series.staleness_limit_days}")
    said = "every series is fresh"
    if stale:
        said = f"{len(stale)} series are older than their limit or have no row: {'; '.join(stale[:3])}"
    return AssetCheckResult(
        asset_key=key(source.id),
        check_name="fresh",
        passed=not stale,
        severity=AssetCheckSeverity.WARN,
        description=said,
        metadata={"said": said} | ({"stale": MetadataValue.md("\n".join(f"- {s}" for s in stale))} if stale else {}),
    )


def sparkline(values: Sequence[float], title: str, width: int = 320, height: int = 64) -> str:
    """A sparkline of `values` (oldest first) as a Markdown image with inline SVG."""
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
    return f"![{title}](data:image/svg+xml;base64,{encoded})\n\n{title}: last {values[-1]:g}, from {low:g} to {high:g}"
