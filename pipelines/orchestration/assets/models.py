"""The dbt models as assets: lineage, descriptions and tests from dbt's manifest; built by one call."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetCheckSeverity,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Failure,
    MaterializeResult,
    MetadataValue,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.asset_utils import get_asset_check_key_for_test

from pipelines import text, transform, warehouse
from pipelines.catalog import Catalog
from pipelines.orchestration.assets import raw
from pipelines.orchestration.assets.metadata import DICTIONARY, metals, pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import Settings

log = text.logger("metals.models")

PREVIEW_ROWS = 8
NAMED = 3


class Translator(DagsterDbtTranslator):
    """Asset keys and upstreams of the models; their groups are in dbt_project.yml."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(
            DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_duplicate_source_asset_keys=True)
        )
        self._catalog = catalog

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        kind = dbt_resource_props["resource_type"]
        if kind == "source":
            return AssetKey(["raw", dbt_resource_props["name"]])
        if kind == "seed":
            return AssetKey(["seeds", dbt_resource_props["name"]])
        return AssetKey(["models", dbt_resource_props["name"]])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> AssetSpec:
        """The spec, with the publishers' assets as upstreams in place of the shared raw table that a model reads."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id) or manifest["sources"].get(unique_id)
        publisher = (node.get("config", {}).get("meta") or node.get("meta") or {}).get("publisher")
        own: list[AssetDep] = [d for d in spec.deps if d.asset_key.path[0] != "raw"]
        if publisher is not None:
            own += AssetSpec("reads", deps=[raw.key(publisher)]).deps
        elif node["name"] == "base_observations__intervals":
            with_series = {s.source for s in self._catalog.series.values()}
            own += AssetSpec("reads", deps=[raw.key(source_id) for source_id in sorted(with_series)]).deps
        spec = spec.replace_attributes(deps=own, kinds={"dbt", "duckdb"}, owners=["team:metals-drivers"])
        is_mart = "marts" in node["fqn"]
        path = Path("dbt_project") / node["original_file_path"]
        if path.parts[1] == "overlay" and self._catalog.overlay:  # outside the project
            path = self._catalog.overlay.joinpath(*path.parts[2:])
        return spec.merge_attributes(
            metadata=pages((str(path), None), (DICTIONARY, node["name"] if is_mart else None)),
            tags=metals(self._catalog.metals if is_mart and "metal_id" in node["columns"] else ()),
        )


def build(catalog: Catalog, settings: Settings) -> AssetsDefinition:
    """One subsettable multi-asset over all models, seeds and their tests."""
    manifest = transform.manifest(settings)
    translator = Translator(catalog)
    node_of_key = {
        translator.get_asset_key(node): node
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }

    @dbt_assets(
        manifest=manifest,
        name="models",
        dagster_dbt_translator=translator,
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
        key_of_id = {n["unique_id"]: k for k, n in node_of_key.items()}
        for result in results:
            key = key_of_id.get(result.unique_id)
            if key in previews:
                kept = {"kept": MetadataValue.text(result.message)} if result.status == "kept" else {}
                yield MaterializeResult(asset_key=key, metadata=previews[key] | kept)
        for result in results:
            check = get_asset_check_key_for_test(manifest, translator, result.unique_id, None)
            if check is not None and check in context.selected_asset_check_keys:
                yield _check_result(check, result)
        failed = [r for r in results if r.failed]
        if failed:
            raise Failure(
                description=f"{len(failed)} of {len(results)} models and tests failed ({named(failed)}); "
                "nothing is published",
                metadata={r.name: MetadataValue.text(r.message) for r in failed[:20]},
            )

    return models


def named(failed: Sequence[transform.NodeResult]) -> str:
    """The first failed models and tests by name: the UI and an alert show this alone."""
    return ", ".join(r.name for r in failed[:NAMED]) + (" ..." if failed[NAMED:] else "")


def _built(result: transform.NodeResult | None) -> bool:
    return result is not None and result.status in ("success", "kept")


def _check_result(check: AssetCheckKey, result: transform.NodeResult) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=result.status in ("pass", "kept"),
        severity=AssetCheckSeverity.WARN if result.status == "warn" else AssetCheckSeverity.ERROR,
        description=text.markdown(f"{result.name}: {result.message or result.status}"),
        # The page of a run shows a check's metadata, not its description.
        metadata={} if result.status == "pass" else {"said": result.message or result.status},
    )


def _previews(settings: Settings, nodes: Mapping[AssetKey, Mapping[str, Any]]) -> dict[AssetKey, dict[str, Any]]:
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


def _markdown(connection: Any, relation: str, node: Mapping[str, Any]) -> str:
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
