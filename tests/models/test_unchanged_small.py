"""A build that keeps models equals a full build, whatever happened since the last one.

On a small dbt project over the real raw tables; `test_unchanged_models` tests the same for the real models.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines import transform, warehouse
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.transform import reuse

FILES = {
    "dbt_project.yml": """
name: small
profile: metals_drivers
model-paths: [models]
seed-paths: [seeds]
macro-paths: [macros]
flags: {send_anonymous_usage_stats: false}
models: {small: {+materialized: table, +schema: main, +persist_docs: {relation: true, columns: true}}}
seeds: {small: {+schema: seeds}}
""",
    "models/_models.yml": """
version: 2
sources: [{name: raw, tables: [{name: observation}, {name: catalog_metal}]}]
models:
  - name: known
    columns: [{name: value, data_tests: [not_null]}]
  - name: scaled
    columns: [{name: value, data_tests: [{accepted_values: {arguments: {values: [20, 40, 60, 200, 400]}}}]}]
""",
    "models/known.sql": "select * from {{ source('raw', 'observation') }} where {{ known_by_as_of('known_at') }}",
    "models/newest.sql": "{{ config(materialized='view') }} select max(period) as period from {{ ref('known') }}",
    "models/ages.sql": "select period, {{ as_of_date() }} - period as days from {{ ref('newest') }}",
    "models/scaled.sql": "select value * factor as value from {{ ref('known') }} cross join {{ ref('factor') }}",
    "models/metals_seen.sql": "select count(*) as n from {{ source('raw', 'catalog_metal') }}",
    "seeds/factor.csv": "factor\n10\n",
}
EVERYTHING = {"known", "newest", "ages", "scaled", "metals_seen", "factor"}


class Small(Settings):
    """Settings whose dbt project is the one beside the warehouse."""

    @property
    def dbt_project_dir(self) -> Path:
        return self.warehouse_dir / "project"


def write(home: Settings, file: str, text: str) -> None:
    path = home.dbt_project_dir / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def learn(home: Settings, value: float, period: str, known_at: str) -> None:
    with warehouse.writer(home) as connection:
        connection.execute(
            "insert into raw.observation (series_id, period, value, known_at) values ('s', ?, ?, ?)",
            [period, value, known_at],
        )


def on(home: Settings, day: str) -> Settings:
    return home.model_copy(update={"now": datetime.fromisoformat(f"{day}T22:30:00+00:00").astimezone(UTC)})


def tables(home: Settings) -> dict[str, list[tuple[object, ...]]]:
    with warehouse.writer(home) as connection:
        return {
            name: connection.execute(f"from {name} order by all").fetchall()
            for name in ("main.known", "main.newest", "main.ages", "main.scaled", "main.metals_seen", "seeds.factor")
        }


def build(home: Settings) -> tuple[set[str], set[str], list[str]]:
    """Build, and hold the outcome against a build of everything from the same raw rows.

    Returns the models built, the models kept and the tests that failed.
    """
    everything = home.model_copy(update={"warehouse_dir": home.warehouse_dir / "everything"})
    results = transform.build(home)
    if not any(r.failed for r in results):
        everything.build_path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home.build_path, everything.build_path)
        shutil.copytree(home.dbt_project_dir, everything.dbt_project_dir, dirs_exist_ok=True)
        with warehouse.writer(everything) as connection:
            reuse.forget(connection)
            for name in ("known", "ages", "scaled", "metals_seen"):
                connection.execute(f"drop table main.{name}")
        again = transform.build(everything)
        assert {r.status for r in again} == {"success", "pass"}
        assert tables(home) == tables(everything)
    nodes = [r for r in results if r.resource_type != "test"]
    return (
        {r.name for r in nodes if r.status == "success"},
        {r.name for r in nodes if r.status == "kept"},
        [r.name for r in results if r.failed],
    )


def begun(folder: Path) -> Small:
    home = Small(warehouse_dir=folder, now=datetime(2026, 3, 2, 22, 30, tzinfo=UTC))
    for file, text in FILES.items():
        write(home, file, text)
    for file in ("profiles.yml", "macros/as_of.sql", "macros/generate_schema_name.sql"):
        write(home, file, (PROJECT_ROOT / "dbt_project" / file).read_text(encoding="utf-8"))
    learn(home, 2, "2026-01-01", "2026-02-10")
    return home


def sequence(folder: Path) -> None:
    home = begun(folder)
    assert build(home) == (EVERYTHING, set(), [])
    # Nothing new: nothing is built, and the tests say when they passed.
    results = transform.build(home)
    assert {r.status for r in results} == {"kept"}
    assert {r.name for r in results if r.resource_type != "test"} == EVERYTHING
    assert all(r.message.startswith("passed 2026-03-02 22:30 UTC") for r in results if r.resource_type == "test")
    assert sum(r.resource_type == "test" for r in results) == 2

    # A new day: only what looks at the day itself.
    home = on(home, "2026-03-03")
    assert build(home) == ({"ages"}, EVERYTHING - {"ages"}, [])
    assert tables(home)["main.ages"] == [(date(2026, 1, 1), 61)]

    # One publisher has something new: what comes of it, and nothing else.
    learn(home, 4, "2026-02-01", "2026-03-03 12:00:00")
    assert build(home) == ({"known", "newest", "ages", "scaled"}, {"metals_seen", "factor"}, [])

    # Known from the next day on only: the rows of today's models do not change, but the raw table has.
    learn(home, 6, "2026-03-01", "2026-03-04 12:00:00")
    assert build(home)[0] == {"known", "newest", "ages", "scaled"}
    assert len(tables(home)["main.known"]) == 2
    # The raw rows are the same a day later; that one more of them is known by then is new.
    home = on(home, "2026-03-04")
    assert build(home)[0] == {"known", "newest", "ages", "scaled"}
    assert len(tables(home)["main.known"]) == 3
    # And a day back, as a build of a past date that begins from this one.
    assert build(on(home, "2026-03-03"))[0] == {"known", "newest", "ages", "scaled"}
    assert build(home)[0] == {"known", "newest", "ages", "scaled"}

    # A changed seed, and a changed model: they, and what reads them. 600 is no accepted value.
    write(home, "seeds/factor.csv", "factor\n100\n")
    results = transform.build(home)
    assert {r.name for r in results if r.status == "success"} == {"factor", "scaled"}
    assert [r.name for r in results if r.failed] == ["accepted_values_scaled_value__20__40__60__200__400"]
    # After a failure: what did not pass, until it does; what had passed is kept.
    built, kept, failed = build(home)
    assert failed
    assert built == {"scaled"}
    assert kept == EVERYTHING - {"scaled"}
    with warehouse.writer(home) as connection:
        connection.execute("delete from raw.observation where value = 6")
    assert build(home) == ({"known", "newest", "ages", "scaled"}, {"metals_seen", "factor"}, [])
    write(home, "models/metals_seen.sql", "select count(*) + 1 as n from {{ source('raw', 'catalog_metal') }}")
    assert build(home) == ({"metals_seen"}, EVERYTHING - {"metals_seen"}, [])

    # Someone wrote into the build, or it was killed between a model and its record: what stands there is not trusted.
    with warehouse.writer(home) as connection:
        connection.execute("update main.scaled set value = value + 1")
        connection.execute("delete from raw.model_state where model = 'ages'")
    assert build(home) == ({"scaled", "ages"}, EVERYTHING - {"scaled", "ages"}, [])
    with warehouse.writer(home) as connection:
        connection.execute("drop table main.known")
        connection.execute("drop view main.newest")
    assert build(home) == ({"known", "newest"}, EVERYTHING - {"known", "newest"}, [])

    # Models that are named are built whatever stands, and the next build of everything takes nothing for granted.
    assert {r.name for r in transform.build(home, ["ages"]) if r.resource_type == "model"} == {"ages"}
    assert build(home) == (EVERYTHING, set(), [])

    # A file that is gone begins anew.
    home.build_path.unlink()
    learn(home, 2, "2026-01-01", "2026-02-10")
    assert build(home) == (EVERYTHING, set(), [])


def only_the_tests_run(folder: Path) -> None:
    home = begun(folder)
    assert build(home) == (EVERYTHING, set(), [])
    # A test that asks something else is run on the rows that stand, and only that test.
    stricter = FILES["models/_models.yml"].replace("200, 400", "200, 400, 500")
    write(home, "models/_models.yml", stricter)
    results = transform.build(home)
    assert {r.name: r.status for r in results if r.status != "kept"} == {
        "accepted_values_scaled_value__20__40__60__200__400__500": "pass"
    }
    assert {r.status for r in transform.build(home)} == {"kept"}
    write(home, "models/_models.yml", FILES["models/_models.yml"].replace("values: [20, ", "values: ["))
    assert build(home)[2] == ["accepted_values_scaled_value__40__60__200__400"], "20 stands in the table that is kept"


# Its relation is read when the table is written, after the model has run.
PYTHON = """
def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql("select {value} as value")
"""


def in_place(folder: Path) -> None:
    home = begun(folder)
    write(home, "models/by_python.py", PYTHON.format(value=1))
    assert transform.build(home)
    before = tables(home)["main.scaled"]
    scaled = FILES["models/scaled.sql"]
    write(home, "models/scaled.sql", f"{scaled} where if(value > 1, error('too large'), true)")
    write(home, "models/newest.sql", FILES["models/newest.sql"].replace("view", "table"))
    write(home, "models/by_python.py", PYTHON.format(value="error('late')"))
    assert {r.name for r in transform.build(home) if r.failed} == {"scaled", "by_python"}
    assert tables(home)["main.scaled"] == before
    assert before
    with warehouse.writer(home) as connection:
        assert connection.execute("from main.by_python").fetchall() == [(1,)]
    write(home, "models/scaled.sql", scaled)
    write(home, "models/by_python.py", PYTHON.format(value=2))
    described = FILES["models/_models.yml"].replace("name: value,", "name: value, description: V,")
    write(home, "models/_models.yml", described)
    assert not any(r.failed for r in transform.build(home))
    with warehouse.writer(home) as connection:
        assert connection.execute("from main.by_python").fetchall() == [(2,)]
        comments = connection.execute(
            "select table_name, comment from duckdb_columns() where column_name = 'value' and schema_name = 'main' "
            "and table_name in ('known', 'scaled') order by 1"
        ).fetchall()
    assert comments == [("known", "V"), ("scaled", "V")]


def run_alone(sequence: str, folder: Path, module: str = "test_unchanged_small") -> None:
    """In a process of its own: dbt leaves its adapter registered in the process it ran in."""
    code = f"from pathlib import Path; from tests.models import {module} as t; t.{sequence}(Path({str(folder)!r}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT_ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_build_that_keeps_models_equals_a_build_of_everything(tmp_path: Path) -> None:
    run_alone("sequence", tmp_path)


def test_a_test_that_asks_something_else_is_run_on_the_rows_that_stand(tmp_path: Path) -> None:
    run_alone("only_the_tests_run", tmp_path)


def test_a_table_is_built_in_place_and_a_model_that_fails_leaves_the_rows_of_the_last_build(tmp_path: Path) -> None:
    run_alone("in_place", tmp_path)
