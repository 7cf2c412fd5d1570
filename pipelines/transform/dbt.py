"""One build of the models; dbt parses and compiles the project once per change, and runs unit tests.

A process per dbt command would cost seconds and its connection would lock the build file; here the connection is
closed before anything else opens the file. Formulas do not belong here.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from pipelines import text, warehouse
from pipelines.errors import MetalsError
from pipelines.settings import Settings
from pipelines.transform import data_tests, execute, fingerprint, reuse
from pipelines.transform.results import NodeResult

log = text.logger("metals.transform")

_PROJECT_FILES = ("*.sql", "*.yml", "*.py", "*.csv")
_FOLDERS = ("models", "seeds", "macros", "tests")


def manifest_path(settings: Settings) -> Path:
    """The project's manifest, parsed again only after a file of the project has changed."""
    target = settings.dbt_project_dir / "target"
    if _overlay(settings) or not os.access(target if target.exists() else target.parent, os.W_OK):
        # The project has models of one user's own, is read-only, or another user's.
        target = settings.warehouse_dir / "build" / "dbt_target"
    manifest, stamp = target / "manifest.json", target / "fingerprint"
    current = _project_hash(settings)
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
    from pipelines.ingest import sec_bulk  # noqa: PLC0415 - parsers and Arrow, which only a build needs

    nodes, tests = compiled(settings), _of_kinds(settings, "test")
    named = _named(nodes, select)
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
        kept = [] if select else [_kept(k) for k in plan.kept]
        log.info("models: building as of %s%s", settings.as_of_date(), _how_many(plan) if kept else "")
        due = {i: n for i, n in nodes.items() if (i in named if select else n["name"] in set(plan.due))}
        with warehouse.writer(settings) as connection:
            due_first = {i: due[i] for i in _upstream_first(nodes) if i in due}
            relations = {n["name"]: n["relation_name"] for n in nodes.values()}
            results = execute.run(connection, due_first, settings.as_of_date(), _project(settings), relations)
            _describe(connection, manifest(settings)["nodes"])
            if select:  # what the other tests read may not have been built yet
                standing = execute.existing(connection, "table") | execute.existing(connection, "view")
                tests = {i: test for i, test in tests.items() if _parents_of(test, nodes) <= standing}
            due_tests = _tests_of(tests, due, [] if select else plan.due)
            results += data_tests.run(connection, due_tests, results, settings.as_of_date())
        done = {"stage": "models", "done": len(results), "total": len(results)}
        log.debug("models: all built and tested", extra=done)
        succeeded = not any(r.failed for r in results)
        # Opened anew: DuckDB words a view's SQL otherwise once it has been stored.
        with warehouse.writer(settings) as connection:
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


def _named(nodes: dict[str, dict[str, Any]], select: Sequence[str]) -> set[str]:
    """Ids of the models and seeds of these names; with a plus in front, those that they are made of as well.

    Raises MetalsError for a name of neither.
    """
    by_name = {node["name"]: unique_id for unique_id, node in nodes.items()}
    unknown = sorted({name.removeprefix("+") for name in select} - by_name.keys())
    if unknown:
        raise MetalsError(f"no model or seed is named {', '.join(unknown)}")
    found: set[str] = set()

    def add(unique_id: str, parents: bool) -> None:
        found.add(unique_id)
        for parent in nodes[unique_id]["depends_on"].get("nodes", []) if parents else []:
            if parent in nodes and parent not in found:
                add(parent, parents)

    for name in select:
        add(by_name[name.removeprefix("+")], name.startswith("+"))
    return found


def _parents_of(test: dict[str, Any], nodes: dict[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """(schema, name) of the models and seeds that a test reads."""
    relations = [nodes[i]["relation_name"] for i in test["depends_on"]["nodes"] if i in nodes]
    return {(schema, name) for _, schema, name in (r.replace('"', "").split(".") for r in relations)}


def _tests_of(
    tests: dict[str, dict[str, Any]], built: Mapping[str, object], due: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The tests that read something built, and those that are due by name."""
    names = set(due)
    return {
        unique_id: test
        for unique_id, test in tests.items()
        if built.keys() & set(test["depends_on"]["nodes"]) or test["name"] in names
    }


def _kept(kept: reuse.Kept) -> NodeResult:
    at = f"{kept.built_at:%Y-%m-%d %H:%M} UTC"
    said = f"kept as built {at}: its code and inputs have not changed"
    if kept.resource_type == "test":
        said = f"passed {at}; the rows it reads have not changed"
    return NodeResult(kept.unique_id, kept.name, kept.resource_type, "kept", said, 0.0)


def _describe(connection: duckdb.DuckDBPyConnection, nodes: dict[str, Any]) -> None:
    """Set the comments of all tables, views and their columns to the project's current descriptions."""
    written = {
        (schema, table, column): (kind, comment)
        for schema, table, column, kind, comment in connection.execute(
            """
            select schema_name, table_name, '', 'table', comment from duckdb_tables()
            where database_name = current_database()
            union all
            select schema_name, view_name, '', 'view', comment from duckdb_views()
            where database_name = current_database()
            union all
            select schema_name, table_name, column_name, 'column', comment from duckdb_columns()
            where database_name = current_database()
            """
        ).fetchall()
    }
    statements = []
    for node in nodes.values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        schema, table = node["schema"], node["alias"]
        described = {"": node["description"]} | {c["name"]: c["description"] for c in node["columns"].values()}
        for column, description in described.items():
            kind, comment = written.get((schema, table, column), ("", description))
            if description and comment != description:
                what = f'"{schema}"."{table}"' + (f'."{column}"' if column else "")
                statements.append(f"comment on {kind} {what} is '{warehouse.quoted(description)}'")
    if statements:
        with warehouse.transaction(connection):  # one write to the disk, in place of one for each of thousands
            connection.execute(";".join(statements))


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
    kept = folder / f"nodes-and-seeds-{_project_hash(settings)[:16]}.json"
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
            "contract": _contract(node),
            "column_types": node["config"].get("column_types") or {},  # of a seed
            "hooks": [hook["sql"] for kind in ("pre-hook", "post-hook") for hook in node["config"].get(kind) or []],
            "thresholds": {key: node["config"].get(key) for key in thresholds},
            "source": node["raw_code"],
            "identity": fingerprint.node(node, _project(settings)),
        }
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed", "test")
    }
    for old in folder.glob("nodes-*.json"):
        old.unlink()
    part = kept.with_suffix(".part")
    part.write_text(json.dumps(nodes), encoding="utf-8")
    part.replace(kept)


def _contract(node: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(column, data type, whether it is never null) of each promised column; empty without a contract."""
    if not (node.get("contract") or {}).get("enforced"):
        return []
    return [
        (c["name"], c["data_type"], any(rule["type"] == "not_null" for rule in c["constraints"]))
        for c in node["columns"].values()
    ]


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
    project = str(_project(settings))
    variables = _variables(settings, build_path or settings.build_path)
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
        result = dbtRunner(manifest=known).invoke(command)
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


def _variables(settings: Settings, build_path: Path) -> dict[str, str]:
    return {"as_of": settings.as_of_date().isoformat(), "build_path": str(build_path)}


def _project(settings: Settings) -> Path:
    """dbt's project: the project's folder, or a folder of links to its parts and to the user's overlay.

    dbt writes compiled models under the path of their source, which must therefore be one below the project.
    """
    if not _overlay(settings):
        return settings.dbt_project_dir
    folder = settings.lock_path.parent / "dbt_project"
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: settings.dbt_project_dir / name for name in (*_FOLDERS, "dbt_project.yml", "profiles.yml")}
    for name, part in {**parts, "overlay": settings.overlay_dir}.items():
        link = folder / name
        if not link.is_symlink() or link.readlink() != part:
            new = folder / f".{name}.{os.getpid()}"
            new.symlink_to(part)
            new.replace(link)
    return folder


def command(settings: Settings, arguments: list[str]) -> int:
    """Run dbt on the project, the overlay and the build file of `settings`, as on its own; returns its exit code."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    given = list(arguments)
    if given and not given[0].startswith("-") and "--vars" not in given:
        given += ["--vars", json.dumps(_variables(settings, settings.build_path))]
    os.environ |= {
        "DBT_PROJECT_DIR": str(_project(settings)),
        "DBT_PROFILES_DIR": str(_project(settings)),
        "DBT_TARGET_PATH": str(settings.build_path.parent / "dbt"),
        "DBT_LOG_PATH": str(settings.lock_path.parent / "dbt"),
    }
    with warehouse.exclusive(settings):
        if not settings.build_path.exists():
            warehouse.create(settings.build_path)
        try:
            result = dbtRunner().invoke(given)
        finally:
            DuckDBConnectionManager.close_all_connections()
    return 0 if result.success else 2 if result.exception else 1


def _project_hash(settings: Settings) -> str:
    project, own = settings.dbt_project_dir, _overlay(settings)
    digest = hashlib.sha256()
    files = sorted(f for folder in _FOLDERS for pattern in _PROJECT_FILES for f in (project / folder).rglob(pattern))
    for file in [project / "dbt_project.yml", project / "profiles.yml", *files]:
        digest.update(str(file.relative_to(project)).encode())
        digest.update(file.read_bytes())
    for file in own:
        digest.update(str(file).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _overlay(settings: Settings) -> list[Path]:
    """The user's own models and seeds with their descriptions, outside the project."""
    folders = (settings.overlay_dir / "models", settings.overlay_dir / "seeds")
    return sorted(f for folder in folders for pattern in _PROJECT_FILES for f in folder.rglob(pattern))
