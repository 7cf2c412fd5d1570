"""Metadata of every asset in the Dagster UI, and the direction of the graph of groups."""

from __future__ import annotations

import graphlib
import warnings
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetCheckKey, AssetKey, AssetsDefinition, AssetSpec, Definitions

from pipelines import catalog, transform
from pipelines.catalog import Catalog
from pipelines.orchestration.assets import models
from pipelines.orchestration.automation import MODEL_GROUPS
from pipelines.settings import PROJECT_ROOT, Settings

PUBLISHER_GROUPS = {
    "prices", "filings", "macro", "trade_policy", "trade_flows", "power", "minerals", "positioning"
}  # fmt: skip


@pytest.fixture(scope="module")
def defs() -> Definitions:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pipelines.definitions import defs as assembled
    return assembled()


@pytest.fixture(scope="module")
def specs(defs: Definitions) -> dict[AssetKey, AssetSpec]:
    return {s.key: s for s in defs.resolve_all_asset_specs()}


def test_the_code_location_loads_as_the_ui_loads_it(defs: Definitions) -> None:
    """With names that are unique over jobs, ops and assets, which a run of one job does not need."""
    repository = defs.get_repository_def()
    repository.load_all_definitions()
    assert len(repository.get_all_jobs()) > 10


def test_every_asset_says_what_it_is_whose_and_where_it_belongs(specs: dict[AssetKey, AssetSpec]) -> None:
    assert len(specs) > 150
    lacking = {
        key.to_user_string(): [n for n in ("description", "owners", "kinds", "group_name") if not getattr(spec, n)]
        for key, spec in specs.items()
    }
    assert {key: names for key, names in lacking.items() if names} == {}


def test_every_asset_leads_to_files_that_exist(specs: dict[AssetKey, AssetSpec]) -> None:
    for key, spec in specs.items():
        references = spec.metadata["dagster/code_references"].code_references
        paths = [Path(r.file_path) for r in references]
        assert paths, key
        assert [p for p in paths if not p.is_file()] == [], key
        for reference, path in zip(references, paths, strict=True):
            name, _, heading = reference.label.partition("#")
            assert path == PROJECT_ROOT / name
            if heading:
                line = path.read_text(encoding="utf-8").splitlines()[reference.line_number - 1]
                assert line.lstrip("# ") == heading, (key, heading)


def test_publishers_assets_lead_to_the_publisher_and_name_its_terms(specs: dict[AssetKey, AssetSpec]) -> None:
    for source in catalog.load(Settings().catalog_dir).sources.values():
        for stage in ("landing", "raw"):
            spec = specs[AssetKey([stage, source.id])]
            assert spec.group_name == source.group
            assert spec.metadata["homepage"].value == source.homepage
            assert spec.metadata["terms"].value == source.terms
            # A run materialises it also where nothing was due: the check `fresh` is on the publisher's calendar.
            assert spec.freshness_policy is None
            assert spec.metadata["parser has read"].value == source.proven.said
            assert ("**Unproven**" in str(spec.description)) == (source.proven.newest is None)


def test_the_catalogue_finds_a_metal(specs: dict[AssetKey, AssetSpec]) -> None:
    found = {key.to_user_string() for key, spec in specs.items() if "metal/copper" in spec.tags}
    assert {"landing/worldbank_pink_sheet", "raw/shfe", "models/metal_prices_usd", "models/driver_scores"} <= found
    assert not {"raw/fred", "models/claim_verdicts", "models/int_metal_prices__converted"} & found


def test_checks_that_block_publication_are_blocking_in_the_ui(defs: Definitions) -> None:
    published = next(a for a in defs.assets or () if isinstance(a, AssetsDefinition) and a.op.name == "publish")
    assert {s.name for s in published.check_specs if s.blocking} == {
        "build_is_complete", "raw_rows_are_unique", "nothing_known_later", "tables_have_not_collapsed",
        "time_has_not_gone_back",
    }  # fmt: skip


def test_every_test_of_the_project_is_a_blocking_check_of_the_asset_beside_which_it_is_declared(
    defs: Definitions,
) -> None:
    checks = {s.key: s for a in defs.assets or () if isinstance(a, AssetsDefinition) for s in a.check_specs}
    tests = [n for n in transform.manifest(Settings())["nodes"].values() if n["resource_type"] == "test"]
    assert len(tests) > 400
    for test in tests:
        _, _, name = test["attached_node"].split(".")
        folder = "seeds" if test["attached_node"].startswith("seed.") else "models"
        assert checks[AssetCheckKey(AssetKey([folder, name]), test["name"])].blocking
    of_several = AssetKey(["models", "int_metal_prices__converted"])
    check = checks[AssetCheckKey(of_several, "every_price_has_a_unit_int_metal_prices__converted_")]
    assert {d.asset_key.to_user_string() for d in check.additional_deps} == {
        "models/base_observations__as_of", "models/int_indicators__resolved", "seeds/daily_quotations",
    }  # fmt: skip


def test_a_model_shows_its_upstream_its_code_and_its_columns(specs: dict[AssetKey, AssetSpec]) -> None:
    spec = specs[AssetKey(["models", "claim_verdicts"])]
    assert {d.asset_key.to_user_string() for d in spec.deps} == {
        "models/claim_evidence", "models/int_claims__verdict_history", "models/stg_catalog__claims", "seeds/claims",
    }  # fmt: skip
    assert "from {{ ref('claims') }}" in str(spec.description)
    assert spec.metadata["dagster/table_name"].value == "build.main.claim_verdicts"
    assert spec.metadata["dagster-dbt/materialization_type"].value == "view"
    columns = {c.name: (c.type, c.description) for c in spec.metadata["dagster/column_schema"].value.columns}
    assert columns["claim_id"] == ("varchar", "Claim")
    publishers = {d.asset_key.path[1] for d in specs[AssetKey(["models", "base_observations__intervals"])].deps}
    assert publishers == {s.source for s in catalog.load(Settings().catalog_dir).series.values()}


def test_a_test_that_warns_does_not_block_and_one_of_a_raw_table_is_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of the user's own, which may have both."""
    model = {
        "unique_id": "model.m.own", "resource_type": "model", "name": "own", "alias": "own", "database": "build",
        "schema": "main", "fqn": ["m", "own"], "original_file_path": "models/own.sql", "raw_code": "select 1",
        "description": "", "columns": {}, "depends_on": {"nodes": ["source.m.raw.observation"]},
        "config": {"meta": {}, "materialized": "table"},
    }  # fmt: skip
    tests = [
        {
            "unique_id": f"test.m.{name}", "resource_type": "test", "name": name, "attached_node": node,
            "depends_on": {"nodes": [node]}, "config": {"severity": severity},
        }
        for name, node, severity in (
            ("warns", "model.m.own", "warn"), ("fails", "model.m.own", "ERROR"),
            ("of_a_raw_table", "source.m.raw.observation", "ERROR"),
        )
    ]  # fmt: skip
    nodes = {node["unique_id"]: node for node in (model, *tests)}
    monkeypatch.setattr(transform, "manifest", lambda settings: {"nodes": nodes})
    built = models.build(Catalog([], [], [], []), Settings())
    assert {c.name: c.blocking for c in built.check_specs} == {"warns": False, "fails": True}
    [spec] = built.specs
    assert (list(spec.deps), str(spec.description).split("\n")[0]) == ([], "dbt model own")


def _edges(specs: dict[AssetKey, AssetSpec]) -> set[tuple[Any, Any]]:
    pairs = {
        (specs[d.asset_key].group_name, spec.group_name)
        for spec in specs.values()
        for d in spec.deps
        if d.asset_key in specs
    }
    return {(a, b) for a, b in pairs if a != b}


def test_groups_feed_each_other_in_one_direction(specs: dict[AssetKey, AssetSpec]) -> None:
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for before, after in _edges(specs):
        sorter.add(after, before)
    order = list(sorter.static_order())  # CycleError where two groups feed each other
    story = ["staging", "intermediate", "drivers", "divergences", "thesis", "published"]
    assert [group for group in order if group in story] == story
    assert set(order[: order.index("staging")]) >= PUBLISHER_GROUPS
    assert {s.group_name for s in specs.values()} == PUBLISHER_GROUPS | set(MODEL_GROUPS) | {
        "published",
        "past_days",
        "live",
    }


def test_the_daily_job_takes_everything_but_past_days_and_the_live_check_and_each_group_has_a_job(
    defs: Definitions, specs: dict[AssetKey, AssetSpec]
) -> None:
    def keys(job: str) -> set[AssetKey]:
        return set(defs.resolve_job_def(job).asset_layer.executable_asset_keys)

    past_days, live = AssetKey(["warehouse", "as_of"]), AssetKey(["warehouse", "live_check"])
    assert keys("daily") == set(specs) - {past_days, live}
    assert keys("as_of_days") == {past_days}
    assert keys("live_check") == {live}
    for group in PUBLISHER_GROUPS | set(MODEL_GROUPS):
        assert keys(f"{group}_only") == {k for k, s in specs.items() if s.group_name == group}, group


def test_the_daily_job_and_the_weekly_live_check_are_scheduled_unless_switched_off(defs: Definitions) -> None:
    schedules = {s.job_name: (s.cron_schedule, s.default_status.value) for s in defs.schedules or ()}  # type: ignore[union-attr]
    assert schedules == {"daily": ("30 18 * * 1-5", "RUNNING"), "live_check": ("0 12 * * 0", "RUNNING")}


def test_the_schedule_has_made_the_daily_assets_before_they_count_as_late(specs: dict[AssetKey, AssetSpec]) -> None:
    from pipelines.orchestration.automation import DAILY_CRON, TIME_ZONE

    policy: Any = specs[AssetKey(["warehouse", "published"])].freshness_policy
    minute, hour, *days = DAILY_CRON.split()
    deadline_minute, deadline_hour, *deadline_days = policy.deadline_cron.split()
    begins = 60 * int(deadline_hour) + int(deadline_minute) - policy.lower_bound_delta.total_seconds() / 60
    assert begins == 60 * int(hour) + int(minute), "what ran on the schedule counts for that day's deadline"
    assert (deadline_days, policy.timezone) == (days, TIME_ZONE)
