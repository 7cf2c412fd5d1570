"""The daily job against a plain script of the same work: load, the SQL of models and tests, checks, publish, page.

Nothing is fetched; the figures are the bundled ones. Times are CPU seconds of all processes of a side.
`python -m benchmarks.daily_job WORK` is the plain script: no Dagster, the compiled selects one after the other (no
comments, no column contracts).
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from benchmarks.report import RUNS, Row
from benchmarks.startup import Cost, home, run
from pipelines import catalog, ingest, sources, transform, warehouse
from pipelines.audit import checks, diff
from pipelines.landing import Landing
from pipelines.settings import Settings
from pipelines.transform import dbt, execute, history, reuse

JOB = (sys.executable, "-m", "pipelines.cli", "run", "--offline")
STARTUP = (sys.executable, "-c", "import pipelines.cli, pipelines.definitions")
TIMES = 20
# Synthetic: every row again under other names, which no catalogue knows; the models read and leave them out.
SYNTHETIC_COPIES = """
insert into raw.observation by name
    select o.* replace ('synthetic_' || n || '_' || series_id as series_id)
    from raw.observation as o cross join range(1, {times}) as copies (n);
insert into raw.filing_fact by name
    select f.* replace (-1000000 * n - cik as cik) from raw.filing_fact as f cross join range(1, {times}) as copies (n);
"""


def script(work: Path) -> None:
    """The daily job as a plain script; `work` holds dbt's compiled SQL and the tables' keys."""
    from pipelines import brief  # as the job does: nothing else here needs Plotly

    settings, tracked = Settings(offline=True), catalog.load(Settings().catalog_dir)
    done = json.loads(work.read_bytes())
    with warehouse.writer(settings) as connection:
        ingest.load_bundle(connection, settings.bundled_dir, settings.clock())
        warehouse.write_catalog(connection, tracked)
        for source in tracked.sources.values():
            ingest.load_source(connection, source, sources.module(source.id), tracked, Landing(settings.landing_dir))
        for schema in ("staging", "intermediate", "main", "seeds"):
            connection.execute(f"create schema if not exists {schema}")
        for step in done["steps"]:
            _do(connection, step)
        connection.execute(
            "insert into raw.build values ('by hand', ?, ?, ?, true, '')",
            [settings.as_of_date(), settings.clock(), settings.clock()],
        )
    history.fill(settings)
    with warehouse.writer(settings) as connection:
        findings = checks.audit(connection, settings)
        assert all(f.passed for f in findings if f.blocking), [f for f in findings if not f.passed]
        diff.write(connection, settings, findings, done["keys"])
    warehouse.publish(settings)
    brief.write(settings)


def _do(connection: Any, step: dict[str, str]) -> None:
    match step["kind"]:
        case "test":
            [[found]] = connection.execute(f"select count(*) from ({step['code']}\n)").fetchall()
            assert not found or step["severity"] == "warn", step["name"]
        case "python":
            with execute.rows_of_python(connection, Path(step["code"]), step["relations"].__getitem__) as rows:
                connection.execute(f"create or replace table {step['relation']} as from {rows}")
        case kind:
            connection.execute(f"create or replace {kind} {step['relation']} as {step['code']}")


def _work(settings: Settings) -> list[dict[str, Any]]:
    """The steps of a full build, upstream first, tests last: the SQL that dbt compiled, as of today."""
    nodes = transform.compiled(settings)
    relations = {node["name"]: node["relation_name"] for node in nodes.values()}
    today = settings.as_of_date().isoformat()
    steps: list[dict[str, Any]] = []
    for unique_id in TopologicalSorter({i: n["depends_on"].get("nodes", []) for i, n in nodes.items()}).static_order():
        node = nodes.get(unique_id)
        if node is None:  # a raw table
            continue
        step = {"name": unique_id, "relation": node["relation_name"], "kind": "table"}
        if node["resource_type"] == "seed":
            step["code"] = f"from {execute._csv(node, settings.dbt_project_dir)}"
        elif node["language"] == "python":
            path = settings.dbt_project_dir / node["original_file_path"]
            step |= {"kind": "python", "code": str(path), "relations": relations}
        else:
            step |= {
                "kind": "view" if node["materialized"] == "view" else "table",
                "code": node["compiled_code"].replace(reuse.SENTINEL.isoformat(), today),
            }
        steps.append(step)
    return steps + [
        {
            "name": test["name"],
            "kind": "test",
            "code": test["compiled_code"].replace(reuse.SENTINEL.isoformat(), today),
            "severity": test["thresholds"]["severity"].casefold(),
        }
        for test in dbt._of_kinds(settings, "test").values()
    ]


def measure() -> list[Row]:
    """A first run, a run that builds everything, one over twenty times the rows, and one with nothing new."""
    with home() as environment, tempfile.TemporaryDirectory() as folder:
        environment |= {"METALS_HISTORY_MONTHS": "1", "DAGSTER_EVENT_BATCH_SIZE": "1000"}
        settings = Settings(warehouse_dir=Path(environment["METALS_WAREHOUSE_DIR"]), offline=True)
        work = Path(folder) / "work.json"
        plain = (sys.executable, "-m", "benchmarks.daily_job", str(work))
        loaded = Path(folder) / "loaded.duckdb"

        def fresh() -> None:
            shutil.rmtree(settings.warehouse_dir, ignore_errors=True)

        def unbuilt() -> None:
            fresh()
            settings.build_path.parent.mkdir(parents=True)
            shutil.copyfile(loaded, settings.build_path)

        def medians(before: Callable[[], None], *commands: tuple[str, ...]) -> list[Cost]:
            taken: list[list[Cost]] = [[] for _ in commands]
            for _ in range(RUNS):
                for costs, command in zip(taken, commands, strict=True):
                    before()
                    costs.append(run(command, environment))
            return [Cost(*(statistics.median(part) for part in zip(*costs, strict=True))) for costs in taken]

        run(JOB, environment)  # what is made once per change of the project is made
        done = {"steps": _work(settings), "keys": transform.keys(settings)}
        work.write_text(json.dumps(done), encoding="utf-8")
        with warehouse.writer(settings) as connection:
            reuse.forget(connection)
            connection.execute("delete from raw.build")
        shutil.copyfile(settings.build_path, loaded)

        first, first_by_hand = medians(fresh, JOB, plain)
        full, by_hand = medians(unbuilt, JOB, plain)
        run(JOB, environment)
        run(JOB, environment)  # views over what the run before had added are made
        nothing_new, startup = medians(lambda: None, JOB, STARTUP)
        unbuilt()
        with warehouse.writer(settings) as connection:
            connection.execute(SYNTHETIC_COPIES.format(times=TIMES))
        shutil.copyfile(settings.build_path, loaded)
        large, large_by_hand = medians(unbuilt, JOB, plain)

    def against_script(subject: str, ours: Cost, limit: Cost) -> Row:
        note = f"plain script; processor time; wall time {ours.clock:.1f} s against {limit.clock:.1f} s"
        return Row(subject, "s", ours.processor, None, limit.processor, note)

    fast, slow = (cost.processor - startup.processor for cost in (nothing_new, full))
    clocks = f"wall time {nothing_new.clock - startup.clock:.1f} s against {full.clock - startup.clock:.1f} s in full"
    return [
        against_script("first run, figures loaded", first, first_by_hand),
        against_script("daily job, every model built", full, by_hand),
        against_script(f"the same, {TIMES} times the rows", large, large_by_hand),
        Row(
            "nothing new, start-up excluded", "s", fast, None, slow / 10,
            f"a tenth of the full run; start-up {startup.processor:.1f} s; processor time; {clocks}",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    script(Path(sys.argv[1]))
