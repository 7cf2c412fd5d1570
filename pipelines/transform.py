"""dbt, run inside this process: the manifest, made once per change of the project, and one build call.

A process per dbt command costs seconds and its connection would lock the build file; here the connection is
closed before anyone else opens the file. No formula lives here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelines import warehouse
from pipelines.errors import MetalsError
from pipelines.settings import Settings

log = logging.getLogger("metals.transform")

PROGRESS_EVERY_S = 10.0
_PROJECT_FILES = ("*.sql", "*.yml", "*.py", "*.csv")


@dataclass(frozen=True)
class NodeResult:
    """What became of one model, seed or test of a build."""

    unique_id: str
    name: str
    resource_type: str
    status: str  # success, pass, warn, fail, error, skipped
    message: str
    seconds: float

    @property
    def failed(self) -> bool:
        return self.status in ("fail", "error", "runtime error")


def manifest_path(settings: Settings) -> Path:
    """The project's manifest, parsed again only when a file of the project has changed."""
    project = settings.dbt_project_dir
    target = project / "target"
    manifest, stamp = target / "manifest.json", target / "fingerprint"
    fingerprint = _fingerprint(project)
    if manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint:
        return manifest
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(target / "manifest.lock", is_singleton=True):
        if not (manifest.exists() and stamp.exists() and stamp.read_text() == fingerprint):
            log.info("models: reading the dbt project (once per change)")
            _invoke(settings, ["parse", "--target-path", str(target)], None)
            stamp.write_text(fingerprint)
    return manifest


def build(settings: Settings, select: Sequence[str] = ()) -> list[NodeResult]:
    """Build and test the models (all, or those named) as of `settings.as_of_date()`; one writer at a time.

    A failed test or model is in the results and in `raw.build`; it raises nothing.
    """
    path = manifest_path(settings)
    build_id = uuid.uuid4().hex
    with warehouse.exclusive(settings):
        with warehouse.writer(settings) as connection:
            connection.execute(
                "insert into raw.build values (?, ?, ?, null, null, ?)",
                [build_id, settings.as_of_date(), settings.clock(), " ".join(select)],
            )
        log.info("models: building as of %s", settings.as_of_date())
        run_dir = settings.build_path.parent / "dbt"
        # Unit tests prove the formulae, not the data: they run with the project's tests (see `unit_test`).
        # --full-refresh: a seed whose columns changed is made anew; otherwise its old table is filled, and cannot be.
        arguments = ["build", "--full-refresh", "--target-path", str(run_dir), "--exclude-resource-type", "unit_test"]
        if select:
            arguments += ["--select", *select]
        results = _invoke(settings, arguments, path.with_name("partial_parse.msgpack"))
        done = {"stage": "models", "done": len(results), "total": len(results)}
        log.debug("models: all built and tested", extra=done)
        succeeded = not any(r.failed for r in results)
        with warehouse.writer(settings) as connection:
            connection.execute(
                "update raw.build set finished_at = ?, succeeded = ? where build_id = ?",
                [settings.clock(), succeeded, build_id],
            )
    return results


def unit_test(settings: Settings) -> list[NodeResult]:
    """Run the models' unit tests, on given rows only; the build file must hold the models' inputs for their types."""
    run_dir = settings.build_path.parent / "dbt"
    arguments = ["test", "--target-path", str(run_dir), "--select", "test_type:unit"]
    with warehouse.exclusive(settings):
        return _invoke(settings, arguments, manifest_path(settings).with_name("partial_parse.msgpack"))


def compile_for(settings: Settings, as_of: date, folder: Path) -> dict[str, dict[str, Any]]:
    """The models and seeds by identity, their SQL compiled for `as_of`; `folder` holds dbt's own files."""
    arguments = ["--log-level", "none", "compile", "--target-path", str(folder), "--select", "resource_type:model"]
    with warehouse.exclusive(settings):
        parsed = manifest_path(settings).with_name("partial_parse.msgpack")
        _invoke(settings.model_copy(update={"as_of": as_of}), arguments, parsed, settings.build_path)
    nodes = json.loads((folder / "manifest.json").read_bytes())["nodes"]
    wanted = ("name", "resource_type", "depends_on", "language", "relation_name", "original_file_path", "compiled_code")
    return {
        unique_id: {key: node.get(key) for key in wanted} | {"materialized": node["config"]["materialized"]}
        for unique_id, node in nodes.items()
        if node["resource_type"] in ("model", "seed")
    }


def manifest(settings: Settings) -> dict[str, Any]:
    """The parsed manifest as JSON."""
    content: dict[str, Any] = json.loads(manifest_path(settings).read_bytes())
    return content


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
    """Says how far a build is: every step to a progress bar, a line now and then to a log."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, event: Any) -> None:
        if event.info.name != "LogStartLine":
            return
        done, total = event.data.index - 1, event.data.total
        far = {"stage": "models", "done": done, "total": total}
        if time.monotonic() - self._said_at > PROGRESS_EVERY_S:
            self._said_at = time.monotonic()
            log.info("models: %d of %d built or tested", done, total, extra=far)
        else:
            log.debug("models: %s", event.data.description, extra=far)


def _fingerprint(project: Path) -> str:
    digest = hashlib.sha256()
    folders = ("models", "seeds", "macros", "tests")
    files = sorted(f for folder in folders for pattern in _PROJECT_FILES for f in (project / folder).rglob(pattern))
    for file in [project / "dbt_project.yml", project / "profiles.yml", *files]:
        digest.update(str(file.relative_to(project)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()
