"""Parts of a run, as the UI asks for them: an asset with its checks, without them, and a check alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    DagsterEventType,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    RunsFilter,
    define_asset_job,
    in_process_executor,
    materialize,
)
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from pipelines import brief, catalog, ingest, transform
from pipelines.catalog import Catalog, Source
from pipelines.definitions import assemble
from pipelines.errors import AuditFailed
from pipelines.orchestration import daily_run, instance, retention
from pipelines.orchestration.assets import as_of, landed, models, raw
from pipelines.orchestration.failures import reason_of
from pipelines.orchestration.resources import MetalsRun
from pipelines.settings import PROJECT_ROOT, Settings

LANDED, LOADED, OTHER = AssetKey(["landing", "gpr"]), AssetKey(["raw", "gpr"]), AssetKey(["raw", "bls"])
OPTIONS = {
    "resources": {"metals": {"config": {"offline": True}}},
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}


def execute(selection: AssetSelection) -> ExecuteInProcessResult:
    """A run of the selected assets and checks of publishers; the models are not assembled, which takes a second."""
    tracked = catalog.load(Settings().catalog_dir)
    part = Definitions(
        assets=[landed.build(tracked), raw.build(tracked)],
        jobs=[define_asset_job("part", selection=selection)],
        resources={"metals": MetalsRun()},
        executor=in_process_executor,
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


def test_a_publisher_without_a_key_says_so_and_passes_no_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.delenv("METALS_CENSUS_KEY", raising=False)
    run = execute(AssetSelection.assets(["landing", "census_trade"], ["raw", "census_trade"]))
    assert run.success
    assert run.get_asset_check_evaluations() == []
    for event in run.get_asset_materialization_events():
        metadata = event.materialization.metadata
        assert metadata["not asked"].value == "no key is set: METALS_CENSUS_KEY, see docs/settings.md"
        assert "dagster/row_count" not in metadata


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


DAYS = ("2025-12-30", "2025-12-31", "2026-01-01")


@pytest.mark.parametrize(
    ("without_page", "blocked", "materialised", "reason"),
    [
        (set(), set(), [0, 1, 2], ""),
        ({"2025-12-30"}, set(), [0, 1, 2], "1 of 3 days are published without a new page"),
        (set(DAYS), set(), [0, 1, 2], "3 of 3 days are published without a new page"),
        ({"2025-12-30"}, {"2026-01-01"}, [0, 1], "held back"),
    ],
)
def test_past_days_are_published_whatever_becomes_of_their_pages(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    without_page: set[str],
    blocked: set[str],
    materialised: list[int],
    reason: str,
) -> None:
    """With the build and the page replaced: each takes a minute."""
    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path))

    class Page:
        path = tmp_path / "page.html"

    def snapshot(settings: Settings, tracked: Catalog) -> dict[str, Any]:
        if str(settings.as_of) in blocked:
            raise AuditFailed("held back")
        return {"bytes": 1}

    def write(settings: Settings) -> Page:
        if str(settings.as_of) in without_page:
            raise KeyError("no such column")
        return Page()

    monkeypatch.setattr(as_of, "snapshot", snapshot)
    monkeypatch.setattr(brief, "write", write)
    with DagsterInstance.ephemeral() as instance:
        done = materialize(
            [as_of.build(Catalog([], [], [], []))],
            resources={"metals": MetalsRun()},
            instance=instance,
            raise_on_error=False,
            tags={"dagster/asset_partition_range_start": DAYS[0], "dagster/asset_partition_range_end": DAYS[-1]},
        )
        logged = instance.all_logs(done.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION)
    pages = {m.partition: m.metadata["brief"].value for m in (entry.asset_materialization for entry in logged) if m}
    assert pages == {
        DAYS[n]: "KeyError: 'no such column'" if DAYS[n] in without_page else str(Page.path) for n in materialised
    }
    failures = [reason_of(event) for event in done.all_events if event.is_step_failure]
    assert len(failures) == bool(reason)
    assert all(reason in failure for failure in failures)


HOMES = {
    "an empty one": None,
    "another project's": "telemetry: {enabled: true}\nrun_queue: {max_concurrent_runs: 1}\n",
}


@pytest.mark.parametrize("theirs", HOMES.values(), ids=HOMES)
def test_the_command_calls_a_past_day_published_whose_page_failed_and_keeps_its_settings_in_any_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], theirs: str | None
) -> None:
    if theirs:
        (tmp_path / "dagster.yaml").write_text(theirs, encoding="utf-8")

    def write(settings: Settings) -> None:
        raise KeyError("no such column")

    monkeypatch.setenv("METALS_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setattr(as_of, "snapshot", lambda settings, tracked: {"bytes": 1})
    monkeypatch.setattr(brief, "write", write)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    settings = Settings(as_of=date(2025, 12, 31))
    has_published, failures, _ = daily_run.execute(assemble(settings), settings, None)
    assert has_published
    assert " - dagster - " not in capfd.readouterr().err, "the terminal shows the progress, not Dagster's log"
    assert failures == ["as_of: 1 of 1 days are published without a new page\n  2025-12-31: KeyError: 'no such column'"]
    with instance.opened() as opened:
        assert not opened.telemetry_enabled
        assert isinstance(opened.run_coordinator, QueuedRunCoordinator)
        assert isinstance(opened.compute_log_manager, LocalComputeLogManager)  # for the tabs of the UI's own runs
        assert not list(tmp_path.rglob("compute_logs")), "the command's output stays on the terminal"
        [run] = opened.get_runs(RunsFilter(tags=retention.STARTED_BY_COMMAND))
        assert opened.all_logs(run.run_id)
        assert run.run_config == {"resources": {"metals": {"config": {"offline": False}}}}, "nothing of its loggers"
        job = assemble(settings).resolve_job_def(run.job_name)
        assert run.job_snapshot_id == job.get_job_snapshot_id(), "the UI would doubt that it has the same job"
    assert not (tmp_path / ".telemetry").exists()
    assert theirs is None or (tmp_path / "dagster.yaml").read_text(encoding="utf-8") == theirs


def test_runs_of_the_ui_bear_the_location_of_the_workspace() -> None:
    workspace = yaml.safe_load((PROJECT_ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    [module] = workspace["load_from"]
    assert module["python_module"]["location_name"] == retention.LOCATION
    assert assemble(Settings()).get_repository_def().name == "__repository__"


def test_failed_models_and_tests_are_named_until_there_are_many() -> None:
    failed = [transform.NodeResult(n, n, "test", "fail", "found 1", 0.0) for n in ("a", "b", "c", "d")]
    assert models.named(failed[:1]) == "a"
    assert models.named(failed[:3]) == "a, b, c"
    assert models.named(failed) == "a, b, c ..."
