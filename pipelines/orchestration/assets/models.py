"""The dbt models as assets: lineage, descriptions and tests from dbt's manifest; built by one call.

The specs are made here rather than by dagster-dbt, whose import alone takes more than a second of every start.
"""

import hashlib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
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
    TableColumn,
    TableSchema,
    multi_asset,
)

from pipelines import text, transform, warehouse
from pipelines.catalog import Catalog
from pipelines.orchestration.assets import raw
from pipelines.orchestration.assets.metadata import DICTIONARY, metals, pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings

log = text.logger("metals.models")

PREVIEW_ROWS = 8
NAMED = 3


Node = Mapping[str, Any]  # of dbt's manifest


def build(catalog: Catalog, settings: Settings) -> AssetsDefinition:
    """One subsettable multi-asset over all models, seeds and their tests."""
    nodes = transform.manifest(settings)["nodes"].values()
    node_of_key = {_key(node): node for node in nodes if node["resource_type"] in ("model", "seed")}
    key_of_id = {node["unique_id"]: key for key, node in node_of_key.items()}
    check_of_id = {
        node["unique_id"]: _check(node, key_of_id)
        for node in nodes
        if node["resource_type"] == "test" and node.get("attached_node") in key_of_id
    }

    @multi_asset(
        name="models",
        can_subset=True,
        specs=[_asset(key, node, key_of_id, catalog) for key, node in node_of_key.items()],
        check_specs=list(check_of_id.values()),
    )
    def models(
        context: AssetExecutionContext, metals: MetalsRun
    ) -> Iterator[MaterializeResult[Any] | AssetCheckResult]:
        selected = context.selected_asset_keys
        everything = selected >= node_of_key.keys()
        select = [] if everything else sorted(node_of_key[k]["name"] for k in selected)
        # Midnight UTC may pass between here and the audit: in winter, the schedule starts half an hour before it.
        results = transform.build(metals.settings.stay_on_this_day(), select)
        log.info("models: rows and previews for the asset pages")
        by_id = {r.unique_id: r for r in results}
        previews = _previews(
            metals.settings,
            {k: n for k, n in node_of_key.items() if k in selected and _built(by_id.get(n["unique_id"]))},
        )
        for result in results:
            key = key_of_id.get(result.unique_id)
            if key in previews:
                kept = {"kept": MetadataValue.text(result.message)} if result.status == "kept" else {}
                yield MaterializeResult(asset_key=key, metadata=previews[key] | kept)
        for result in results:
            check = check_of_id.get(result.unique_id)
            if check is not None and check.key in context.selected_asset_check_keys:
                yield _check_result(check, result)
        failed = [r for r in results if r.failed]
        if failed:
            raise Failure(
                description=f"{len(failed)} of {len(results)} models and tests failed ({named(failed)}); "
                "nothing is published",
                metadata={r.name: MetadataValue.text(r.message) for r in failed[:20]},
            )

    return models


def _key(node: Node) -> AssetKey:
    return AssetKey(["seeds" if node["resource_type"] == "seed" else "models", node["name"]])


def _asset(key: AssetKey, node: Node, key_of_id: Mapping[str, AssetKey], catalog: Catalog) -> AssetSpec:
    """A model or seed; upstream, the publishers' assets stand in place of the shared raw table that a model reads."""
    upstream = {key_of_id[parent] for parent in node["depends_on"].get("nodes", []) if parent in key_of_id}
    meta = node["config"]["meta"]
    if "publisher" in meta:
        upstream.add(raw.key(meta["publisher"]))
    elif node["name"] == "base_observations__intervals":
        upstream |= {raw.key(series.source) for series in catalog.series.values()}
    is_mart = "marts" in node["fqn"]
    path = Path("dbt_project") / node["original_file_path"]
    if path.parts[1] == "overlay" and catalog.overlay:  # outside the project
        path = catalog.overlay.joinpath(*path.parts[2:])
    described = node["description"] or f"dbt {node['resource_type']} {node['name']}"
    code = node["raw_code"]  # empty for a seed
    version = hashlib.sha1(code.encode(), usedforsecurity=False).hexdigest() if code else node["checksum"]["checksum"]
    return AssetSpec(
        key,
        deps=sorted(upstream),
        description=f"{described}\n\n#### Raw SQL:\n```sql\n{textwrap.indent(code, '    ')}\n```",
        group_name=meta.get("dagster", {}).get("group"),  # in dbt_project.yml, by folder
        owners=["team:metals-drivers"],
        kinds={"dbt", "duckdb"},
        code_version=version,
        metadata=pages((str(path), None), (DICTIONARY, node["name"] if is_mart else None)) | _table(node),
        tags=metals(catalog.metals if is_mart and "metal_id" in node["columns"] else ()),
        skippable=True,
    )


def _table(node: Node) -> dict[str, MetadataValue[Any]]:
    """What the UI shows of a table, under the keys that Dagster reads."""
    columns = [
        TableColumn(name, column["data_type"] or "?", column["description"]) for name, column in node["columns"].items()
    ]
    return {
        "dagster/table_name": MetadataValue.text(f"{node['database']}.{node['schema']}.{node['alias']}"),
        "dagster/storage_kind": MetadataValue.text("duckdb"),
        "dagster-dbt/materialization_type": MetadataValue.text(node["config"]["materialized"]),
        **({"dagster/column_schema": MetadataValue.table_schema(TableSchema(columns))} if columns else {}),
    }


def _check(test: Node, key_of_id: Mapping[str, AssetKey]) -> AssetCheckSpec:
    """A test, as a check of the asset beside which it is declared; what else it reads is upstream of it."""
    own = key_of_id[test["attached_node"]]
    return AssetCheckSpec(
        test["name"],
        asset=own,
        additional_deps=sorted({key_of_id[i] for i in test["depends_on"]["nodes"] if i in key_of_id} - {own}),
        blocking=test["config"]["severity"].lower() == "error",
    )


def named(failed: Sequence[transform.NodeResult]) -> str:
    """The first failed models and tests by name: the UI and an alert show this alone."""
    return ", ".join(r.name for r in failed[:NAMED]) + (" ..." if failed[NAMED:] else "")


def _built(result: transform.NodeResult | None) -> bool:
    return result is not None and result.status in ("success", "kept")


def _check_result(check: AssetCheckSpec, result: transform.NodeResult) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=result.status in ("pass", "kept"),
        severity=AssetCheckSeverity.WARN if result.status == "warn" else AssetCheckSeverity.ERROR,
        description=text.markdown(f"{result.name}: {result.message or result.status}"),
        # The page of a run shows a check's metadata, not its description.
        metadata={} if result.status == "pass" else {"said": result.message or result.status},
    )


def _previews(settings: Settings, nodes: Mapping[AssetKey, Node]) -> dict[AssetKey, dict[str, Any]]:
    """Row count and newest rows of each table for the asset's page; views are left out, to avoid computing them."""
    found: dict[AssetKey, dict[str, Any]] = {}
    with warehouse.writer(settings) as connection:
        for key, node in nodes.items():
            if node["config"]["materialized"] == "view":
                found[key] = {}
                continue
            relation = f'"{node["schema"]}"."{node["alias"]}"'
            row = warehouse.one(connection, f"select count(*) from {relation}")  # noqa: S608
            metadata: dict[str, Any] = {"dagster/row_count": MetadataValue.int(int(row[0]) if row else 0)}
            if "marts" in node["fqn"]:
                metadata["newest_rows"] = MetadataValue.md(_markdown(connection, relation, node))
            found[key] = metadata
    return found


def _markdown(connection: Any, relation: str, node: Node) -> str:
    columns = list(node["columns"])
    by = next((c for c in ("month", "period", "calendar_quarter", "fiscal_quarter_end", "as_of") if c in columns), None)
    order = f'order by "{by}" desc nulls last' if by else ""
    frame = warehouse.query(connection, f"select * from {relation} {order} limit {PREVIEW_ROWS}")  # noqa: S608
    head = "| " + " | ".join(frame.columns) + " |\n|" + "---|" * len(frame.columns)
    rows = ["| " + " | ".join(_cell(v) for v in row) + " |" for row in frame.iter_rows()]
    return "\n".join([head, *rows])


def _cell(value: object) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else str("" if value is None else value)
    return text.markdown(shown[:80])
