"""Parts of a run, as the UI asks for them: an asset with its checks, without them, and a check alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import AssetCheckKey, AssetKey, AssetSelection, Definitions, define_asset_job

from pipelines.definitions import assemble
from pipelines.settings import Settings

LANDED, LOADED = AssetKey(["landing", "gpr"]), AssetKey(["raw", "gpr"])
OPTIONS = {
    "resources": {"metals": {"config": {"offline": True}}},
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}


@pytest.mark.parametrize(
    ("selection", "assets", "checks"),
    [
        (AssetSelection.assets(LOADED), {LOADED}, {"contract_held", "fresh"}),
        (AssetSelection.assets(LOADED).without_checks(), {LOADED}, set()),
        (AssetSelection.checks(AssetCheckKey(LOADED, "fresh")), set(), {"fresh"}),
        (AssetSelection.assets(LANDED), {LANDED}, {"answered"}),
        (AssetSelection.checks(AssetCheckKey(LANDED, "answered")), set(), {"answered"}),
    ],
    ids=["loaded", "loaded without checks", "a check of it alone", "landed", "its check alone"],
)
def test_what_is_asked_for_is_done_and_nothing_else(
    selection: AssetSelection,
    assets: set[AssetKey],
    checks: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    whole = assemble(Settings())
    part = Definitions(
        assets=list(whole.assets or []),
        jobs=[define_asset_job("part", selection=selection)],
        resources=whole.resources,
        executor=whole.executor,
    )
    run = part.resolve_job_def("part").execute_in_process(run_config=OPTIONS)
    assert {event.asset_key for event in run.get_asset_materialization_events()} == assets
    assert {evaluation.check_name for evaluation in run.get_asset_check_evaluations()} == checks
