"""Parts of a run, as the UI asks for them: an asset with its checks, without them, and a check alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    Definitions,
    ExecuteInProcessResult,
    define_asset_job,
)

from pipelines import catalog, ingest
from pipelines.catalog import Source
from pipelines.definitions import assemble
from pipelines.settings import Settings

LANDED, LOADED, OTHER = AssetKey(["landing", "gpr"]), AssetKey(["raw", "gpr"]), AssetKey(["raw", "bls"])
OPTIONS = {
    "resources": {"metals": {"config": {"offline": True}}},
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}


def execute(selection: AssetSelection) -> ExecuteInProcessResult:
    whole = assemble(Settings())
    part = Definitions(
        assets=list(whole.assets or []),
        jobs=[define_asset_job("part", selection=selection)],
        resources=whole.resources,
        executor=whole.executor,
    )
    return part.resolve_job_def("part").execute_in_process(run_config=OPTIONS, raise_on_error=False)


@pytest.mark.parametrize(
    ("selection", "assets", "checks"),
    [
        (AssetSelection.assets(LOADED), {LOADED}, {"contract_held", "fresh"}),
        (AssetSelection.assets(LOADED).without_checks(), {LOADED}, set()),
        (AssetSelection.checks(AssetCheckKey(LOADED, "fresh")), set(), {"fresh"}),
        (
            AssetSelection.checks(AssetCheckKey(LOADED, "fresh")) | AssetSelection.assets(OTHER).without_checks(),
            {OTHER},
            {"fresh"},
        ),
        (AssetSelection.assets(LANDED), {LANDED}, {"answered"}),
        (AssetSelection.checks(AssetCheckKey(LANDED, "answered")), set(), {"answered"}),
    ],
    ids=["loaded", "loaded without checks", "a check of it alone", "with another", "landed", "its check alone"],
)
def test_what_is_asked_for_is_done_and_nothing_else(
    selection: AssetSelection,
    assets: set[AssetKey],
    checks: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    run = execute(selection)
    assert run.success
    assert {event.asset_key for event in run.get_asset_materialization_events()} == assets
    assert {evaluation.check_name for evaluation in run.get_asset_check_evaluations()} == checks


def test_a_publisher_that_cannot_be_loaded_is_named_and_the_others_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    load_source = ingest.load_source

    def fails_for_one(connection: Any, source: Source, *rest: Any) -> ingest.Report:
        if source.id == "fred":
            raise KeyError("a bug")
        return load_source(connection, source, *rest)

    monkeypatch.setattr(ingest, "load_source", fails_for_one)
    whole = AssetSelection.key_prefixes("raw").without_checks()
    run = execute(whole)
    (failure,) = (e.step_failure_data for e in run.all_events if e.is_step_failure)
    assert failure.user_failure_data is not None
    assert failure.user_failure_data.description == "fred could not be loaded; all other selected publishers were"
    assert failure.user_failure_data.metadata["fred"].value == "KeyError: 'a bug'"
    loaded = {event.asset_key.path[1] for event in run.get_asset_materialization_events() if event.asset_key}
    assert loaded == set(catalog.load(Settings().catalog_dir).sources) - {"fred"}
