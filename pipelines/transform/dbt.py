"""dbt, run inside this process: the manifest, parsed once per change of the project, and one build call.

A process per dbt command would cost seconds and its connection would lock the build file; here the connection is
closed before anything else opens the file. Formulas do not belong here.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from pipelines import text, warehouse
from pipelines.errors import MetalsError
from pipelines.ingest import sec_bulk
from pipelines.settings import Settings
from pipelines.transform import data_tests, fingerprint, reuse
from pipelines.transform.results import NodeResult

log = text.logger("metals.transform")

PROGRESS_EVERY_S = 10.0
_PROJECT_FILES = ("*.sql", "*.yml", "*.py", "*.csv")


def manifest_path(settings: Settings) -> Path:
    """The project's manifest, parsed again only after a file of the project has changed."""
    project = settings.dbt_project_dir
    target = project / "target"
    if not os.access(target if target.exists() else project, os.W_OK):
        target = settings.warehouse_dir / "build" / "dbt_target"  # the project is read-only, or another user's
    manifest, stamp = target / "manifest.json", target / "fingerprint"
    current = _project_hash(project)
    if manifest.exists() and stamp.exists() and stamp.read_text() == current:
        return manifest
    target.mkdir(parents=True, exist_ok=True)
    with warehouse.locked(target / "manifest.lock"):
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == current):
            log.info("models: reading the dbt project (once per change)")
            _invoke(settings, ["parse", "--target-path", str(target)], None)
            stamp.write_text(current)
    return manifest


def build(settings: Settings, select: Sequence[str] = ()) -> list[NodeResult]:
    """Build and test the models (all, or those named) as of `settings.as_of_date()`; one writer at a time.

    In a build of all models, those whose inputs and code are unchanged are kept, and so are the tests that read only
    kept models, because they passed on the same rows. Both appear in the results as kept. Named models are always
    built, and tested by every test that reads one of them. Results are ordered upstream first, tests last. A failed
    test or model is in the results and in `raw.build`; it does not raise.
    """
    path = manifest_path(settings)
    nodes, tests = compiled(settings), _of_kinds(settings, "test")
    build_id = uuid.uuid4().hex
    with warehouse.exclusive(settings):
        with warehouse.writer(settings) as connection:
            sec_bulk.reload(connection, settings)
            connection.execute(
                "insert into raw.build values (?, ?, ?, null, null, ?)",
                [build_id, settings.as_of_date(), settings.clock(), " ".join(select)],
            )
            plan = reuse.plan(connection, nodes, tests, settings.as_of_date())
            reuse.forget(connection, None if select else plan.due)
            _describe(connection, manifest(settings)["nodes"], [] if select else plan.kept)
        kept = [] if select else [_kept(k) for k in plan.kept]
        log.info("models: building as of %s%s", settings.as_of_date(), _how_many(plan) if kept else "")
        results = []
        due = [node["name"] for node in nodes.values() if node["name"] in set(plan.due)]
        if select or due:
            results = _build(settings, list(select) or (due if kept else []), path.with_name("partial_parse.msgpack"))
        touched = {r.unique_id for r in results}
        to_run = {
            unique_id: test
            for unique_id, test in tests.items()
            if touched.intersection(test["depends_on"]["nodes"]) or (not select and test["name"] in set(plan.due))
        }
        with warehouse.writer(settings) as connection:
            results += data_tests.run(connection, to_run, results, settings.as_of_date())
            done = {"stage": "models", "done": len(results), "total": len(results)}
            log.debug("models: all built and tested", extra=done)
            succeeded = not any(r.failed for r in results)
            if not select:
                _remember(connection, settings, nodes, tests, plan, results, build_id)
            connection.execute(
                "update raw.build set finished_at = ?, succeeded = ? where build_id = ?",
                [settings.clock(), succeeded, build_id],
            )
    rank = {unique_id: n for n, unique_id in enumerate(_upstream_first(nodes))}
    return sorted(kept + results, key=lambda r: rank.get(r.unique_id, len(rank)))


def _upstream_first(nodes: dict[str, dict[str, Any]]) -> Iterable[str]:
    parents = {unique_id: node["depends_on"].get("nodes", []) for unique_id, node in nodes.items()}
    return TopologicalSorter(parents).static_order()


def _build(settings: Settings, names: list[str], parsed: Path) -> list[NodeResult]:
    run_dir = settings.build_path.parent / "dbt"
    # Unit tests test formulas, not data: they run with the project's tests (see `unit_test`).
    # --full-refresh recreates a seed whose columns changed; loading it into its old table would fail.
    # Data tests run after the models (see `data_tests`). Exposures are not built.
    left_out = [part for kind in ("test", "unit_test", "exposure") for part in ("--exclude-resource-type", kind)]
    arguments = ["build", "--full-refresh", "--target-path", str(run_dir), *left_out]
    if names:
        arguments += ["--select", *names]
    return _invoke(settings, arguments, parsed)


def _kept(kept: reuse.Kept) -> NodeResult:
    at = f"{kept.built_at:%Y-%m-%d %H:%M} UTC"
    said = f"kept as built {at}: its code and inputs have not changed"
    if kept.resource_type == "test":
        said = f"passed {at}; the rows it reads have not changed"
    return NodeResult(kept.unique_id, kept.name, kept.resource_type, "kept", said, 0.0)


def _describe(connection: duckdb.DuckDBPyConnection, nodes: dict[str, Any], kept: Sequence[reuse.Kept]) -> None:
    """Update the comments of kept tables to the project's current descriptions; dbt does so only for what it builds."""
    written = {
        (schema, table, column): comment
        for schema, table, column, comment in connection.execute(
            """
            select schema_name, table_name, '', comment from duckdb_tables() where database_name = current_database()
            union all
            select schema_name, view_name, '', comment from duckdb_views() where database_name = current_database()
            union all
            select schema_name, table_name, column_name, comment from duckdb_columns()
            where database_name = current_database()
            """
        ).fetchall()
    }
    for node in (nodes[k.unique_id] for k in kept if k.resource_type != "test"):
        schema, table = node["schema"], node["alias"]
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        described = {"": node["description"]} | {c["name"]: c["description"] for c in node["columns"].values()}
        for column, description in described.items():
            if not description or written.get((schema, table, column), description) == description:
                continue
            what = f'column "{schema}"."{table}"."{column}"' if column else f'{kind} "{schema}"."{table}"'
            connection.execute(f"comment on {what} is '{warehouse.quoted(description)}'")


def _how_many(plan: reuse.Plan) -> str:
    since = min(k.built_at for k in plan.kept)
    return f": {len(plan.due)} to build, {len(plan.kept)} kept (the oldest since {since:%Y-%m-%d %H:%M})"


def _remember(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    nodes: dict[str, dict[str, Any]],
    tests: dict[str, dict[str, Any]],
    plan: reuse.Plan,
    results: list[NodeResult],
    build_id: str,
) -> None:
    """Record what later builds may keep: models built now that passed every test that reads them, and those tests.

    A model read by a test that did not pass is built and tested again by the next build, even if it was kept now.
    """
    if not results:
        return
    doubted = {
        nodes[parent]["name"]
        for r in results
        if r.resource_type == "test" and r.status != "pass"
        for parent in tests[r.unique_id]["depends_on"]["nodes"]
        if parent in nodes
    }
    reuse.forget(connection, doubted)
    built = {r.name for r in results if r.status == "success"} & set(plan.due)
    passed = {r.name for r in results if r.resource_type == "test" and r.status == "pass"}
    reuse.forget(connection, passed)
    reuse.record(connection, nodes, plan, [*sorted(built - doubted), *sorted(passed)], build_id, settings.clock())


def unit_test(settings: Settings) -> list[NodeResult]:
    """Run the models' unit tests on their own rows; the build must hold the models' inputs, whose types dbt reads."""
    run_dir = settings.build_path.parent / "dbt"
    arguments = ["test", "--target-path", str(run_dir), "--select", "test_type:unit"]
    with warehouse.exclusive(settings):
        return _invoke(settings, arguments, manifest_path(settings).with_name("partial_parse.msgpack"))


def compiled(settings: Settings) -> dict[str, dict[str, Any]]:
    """The models and seeds by dbt's unique id, the models' SQL compiled for the sentinel day.

    Compiled once per change of the project and stored beside its manifest.
    """
    return _of_kinds(settings, "model", "seed")


def _of_kinds(settings: Settings, *kinds: str) -> dict[str, dict[str, Any]]:
    folder = manifest_path(settings).parent / "compiled_for_any_day"
    kept = folder / f"nodes-with-tests-{_project_hash(settings.dbt_project_dir)[:16]}.json"
    if not kept.exists():
        folder.mkdir(exist_ok=True)
        # Lock order: the build's lock first, as everywhere, then this one.
        with warehouse.exclusive(settings), warehouse.locked(folder / "nodes.lock"):
            if not kept.exists():
                _compile(settings, folder, kept)
    nodes: dict[str, dict[str, Any]] = json.loads(kept.read_bytes())
    return {unique_id: node for unique_id, node in nodes.items() if node["resource_type"] in kinds}


def _compile(settings: Settings, folder: Path, kept: Path) -> None:
    kinds = ["resource_type:model", "resource_type:test"]
    arguments = ["--log-level", "none", "compile", "--target-path", str(folder), "--select", *kinds]
    if not settings.build_path.exists():
        warehouse.create(settings.build_path)
    parsed = manifest_path(settings).with_name("partial_parse.msgpack")
    _invoke(settings.model_copy(update={"as_of": reuse.SENTINEL}), arguments, parsed, settings.build_path)
    wanted = ("name", "resource_type", "depends_on", "language", "relation_name", "original_file_path", "compiled_code")
    thresholds = ("severity", "fail_calc", "warn_if", "error_if", "limit")  # of a test
    manifest = json.loads((folder / "manifest.json").read_bytes())
    nodes = {
        unique_id: {key: node.get(key) for key in wanted}
        | {
            "materialized": node["config"]["materialized"],
            "thresholds": {key: node["config"].get(key) for key in thresholds},
            "source": node["raw_code"],
            "identity": fingerprint.node(node, settings.dbt_project_dir),
        }
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "test")
    }
    for old in folder.glob("nodes-*.json"):
        old.unlink()
    part = kept.with_suffix(".part")
    part.write_text(json.dumps(nodes), encoding="utf-8")
    part.replace(kept)


def manifest(settings: Settings) -> dict[str, Any]:
    """The parsed manifest as JSON, read once; callers must not change it."""
    path = manifest_path(settings)
    return _manifest_at(path, path.with_name("fingerprint").read_text())


@lru_cache(maxsize=1)
def _manifest_at(path: Path, project_hash: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def keys(settings: Settings) -> dict[str, list[str]]:
    """By model, the columns that its (first) test `unique_combination` holds unique."""
    nodes = manifest(settings)["nodes"]
    found: dict[str, list[str]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_combination" and node.get("attached_node") in nodes:
            found.setdefault(nodes[node["attached_node"]]["alias"], list(test["kwargs"]["columns"]))
    return found


def _invoke(
    settings: Settings, arguments: list[str], parsed: Path | None, build_path: Path | None = None
) -> list[NodeResult]:
    # Imported here: dbt takes more than a second to import, and reading the warehouse does not need it.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415

    # The JSON manifest loses the arguments of generic tests when read back; dbt's own parse state keeps them.
    known = None if parsed is None else Manifest.from_msgpack(parsed.read_bytes())
    project = str(settings.dbt_project_dir)
    variables = {"as_of": settings.as_of_date().isoformat(), "build_path": str(build_path or settings.build_path)}
    command = [
        "--quiet",
        "--no-use-colors",
        "--log-level-file",
        "none",
        *arguments,
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--log-path",
        str(settings.lock_path.parent / "dbt"),  # unused, but made: by default in the project, which may be read-only
        "--vars",
        json.dumps(variables),
    ]
    try:
        result = dbtRunner(manifest=known, callbacks=[_Progress()]).invoke(command)
    finally:
        DuckDBConnectionManager.close_all_connections()
    if result.exception is not None:
        raise MetalsError(f"dbt could not run: {result.exception}", todo="see the message; `metals doctor` may help")
    return [
        NodeResult(
            r.node.unique_id, r.node.name, str(r.node.resource_type), str(r.status), r.message or "", r.execution_time
        )
        for r in getattr(result.result, "results", None) or []
        if hasattr(r, "node")
    ]


class _Progress:
    """Reports the progress of a build: every step to a progress bar, an occasional line to the log."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, event: Any) -> None:
        if event.info.name != "LogStartLine":
            return
        done, total = event.data.index - 1, event.data.total
        progress = {"stage": "models", "done": done, "total": total}
        if time.monotonic() - self._said_at > PROGRESS_EVERY_S:
            self._said_at = time.monotonic()
            log.info("models: %d of %d built", done, total, extra=progress)
        else:
            log.debug("models: %s", event.data.description, extra=progress)


def _project_hash(project: Path) -> str:
    digest = hashlib.sha256()
    folders = ("models", "seeds", "macros", "tests")
    files = sorted(f for folder in folders for pattern in _PROJECT_FILES for f in (project / folder).rglob(pattern))
    for file in [project / "dbt_project.yml", project / "profiles.yml", *files]:
        digest.update(str(file.relative_to(project)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
