"""Verdicts of past month ends, each from the models run for that day: what would have been said then.

The SQL of the claims and of everything they read is compiled once per change of the project; for each month end it runs
in memory over the raw tables of the build. A month is kept as long as neither the rules nor anything that was known by
its end has changed, so a daily run computes one month and a first run a few years of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines import warehouse
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.transform import dbt
from pipelines.transform.reuse import SENTINEL

log = logging.getLogger("metals.history")

TARGETS = ("claim_evidence", "claim_verdicts")
_CATALOGUE_TABLES = (
    "catalog_series",
    "catalog_indicator",
    "catalog_company",
    "catalog_company_tag",
    "catalog_metal",
    "catalog_correction",
)
# What was known by a day is what these tables held of it; `claim_history` says which state a month was computed from.
_DATED_TABLES = {
    "observation": "series_id, period, value, known_at",
    "filing_fact": "cik, taxonomy, tag, unit, period_start, period_end, value, accession, known_at",
    "filing": "cik, accession, known_at",
    "policy_document": "document_number, topic, known_at",
    "tariff_release": "release_id, status, release_start_date, known_at",
}


@dataclass(frozen=True)
class Step:
    """One model of the claims, ready to run for any day."""

    name: str
    relation: str
    kind: str  # table, view, python
    code: str


@dataclass(frozen=True)
class Filled:
    """What became of the month ends asked for: how many were computed, how many kept, and which could not be."""

    computed: int
    kept: int
    failed: dict[date, str]


def fill(settings: Settings, months: int | None = None) -> Filled:
    """Bring `raw.claim_history` up to the last `months` month ends.

    Months further back are kept while they are still true and dropped otherwise: nothing outdated is shown. A month
    that cannot be computed from what was known then is named in the result and stays out.
    """
    failed: dict[date, str] = {}
    wanted = month_ends(settings.as_of_date(), settings.history_months if months is None else months)
    with warehouse.exclusive(settings):
        log.info("verdicts of past months: looking what is due")
        steps = compiled(settings)
        rules = _fingerprint_of_rules(steps)
        with warehouse.writer(settings) as connection:
            have = {
                as_of: mark
                for as_of, mark in connection.execute(
                    "select as_of, any_value(fingerprint) from raw.claim_history group by as_of"
                ).fetchall()
            }
            marks = _fingerprints(connection, rules, sorted(have.keys() | set(wanted)))
            outdated = [d for d, mark in have.items() if marks[d] != mark or d > settings.as_of_date()]
            for table in ("claim_history", "claim_evidence_history"):
                connection.execute(f"delete from raw.{table} where as_of in (select unnest(?::date[]))", [outdated])
            due = [d for d in wanted if d not in have or d in outdated]
            for n, day in enumerate(due, 1):
                level = logging.INFO if n == 1 or n % 12 == 0 else logging.DEBUG
                progress = {"stage": "history", "done": n - 1, "total": len(due)}
                log.log(level, "verdicts of past months: %d of %d, %s", n, len(due), day, extra=progress)
                try:
                    with models_of(connection, steps, day):
                        verdicts = warehouse.query(connection, "from past.main.claim_verdicts")
                        evidence = warehouse.query(connection, "from past.main.claim_evidence")
                except Exception as error:  # noqa: BLE001 - a model's fault on one day's data stops that day alone
                    failed[day] = f"{type(error).__name__}: {error}"
                    log.warning("verdicts of %s could not be computed: %s", day, failed[day])
                    continue
                connection.execute("begin")  # both or neither, should the run be killed
                marked = verdicts.with_columns(fingerprint=pl.lit(marks[day]))
                warehouse.append(connection, "claim_history", marked.select(_columns("claim_history")))
                warehouse.append(
                    connection, "claim_evidence_history", evidence.select(_columns("claim_evidence_history"))
                )
                connection.execute("commit")
            if due:
                over = {"stage": "history", "done": len(due), "total": len(due)}
                log.debug("verdicts of past months: done", extra=over)
    return Filled(len(due) - len(failed), len(wanted) - len(due), failed)


def month_ends(as_of: date, months: int) -> list[date]:
    """The last `months` ends of months that had ended by the end of `as_of`, newest first."""
    ends, day = [], (as_of + timedelta(days=1)).replace(day=1)
    for _ in range(months):
        day -= timedelta(days=1)
        ends.append(day)
        day = day.replace(day=1)
    return ends


def compiled(settings: Settings, targets: Sequence[str] = TARGETS) -> list[Step]:
    """The models behind `targets` in the order they are built, compiled for the sentinel day."""
    return list(_ordered(dbt.compiled(settings), targets))


def _ordered(nodes: dict[str, dict[str, Any]], targets: Sequence[str]) -> Iterator[Step]:
    """Ancestors of `targets` that are models, upstream first. Seeds and raw tables are read where they are."""
    done: set[str] = set()

    def visit(unique_id: str) -> Iterator[Step]:
        node = nodes.get(unique_id)
        if node is None or unique_id in done or node["resource_type"] != "model":
            return
        done.add(unique_id)
        for parent in node["depends_on"]["nodes"]:
            yield from visit(parent)
        python = node["language"] == "python"
        yield Step(
            node["name"],
            node["relation_name"],
            "python" if python else "view" if node["materialized"] == "view" else "table",
            node["original_file_path"] if python else node["compiled_code"],
        )

    for name in targets:
        yield from visit(next(i for i, n in nodes.items() if n["name"] == name and n["resource_type"] == "model"))


@contextlib.contextmanager
def models_of(connection: duckdb.DuckDBPyConnection, steps: Sequence[Step], day: date) -> Iterator[None]:
    """The steps' tables as of `day`, in the schemas of a database in memory named `past`.

    `connection` has the build attached under its own name; nothing is written to it.
    """
    with _memory(connection):
        for step in steps:
            target = _moved(step.relation, steps)
            if step.kind == "python":
                _run_python(connection, step, target, steps)
            else:
                code = _moved(step.code, steps).replace(SENTINEL.isoformat(), day.isoformat())
                connection.execute(f"create {step.kind} {target} as {code}")
        yield


def _columns(table: str) -> list[str]:
    return [column.name for t in warehouse.TABLES if t.name == table for column in t.columns]


@contextlib.contextmanager
def _memory(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A database in memory, attached as `past`, for the tables of one day."""
    connection.execute("attach ':memory:' as past")
    try:
        for schema in ("staging", "intermediate", "main"):
            connection.execute(f"create schema if not exists past.{schema}")
        yield
    finally:
        connection.execute("detach past")


def _moved(code: str, steps: Sequence[Step]) -> str:
    """`code` with the relations of the steps read from memory in place of the build."""
    moved = {s.relation for s in steps}
    return re.sub(
        r'"build"\."(\w+)"\."(\w+)"',
        lambda m: f'past."{m[1]}"."{m[2]}"' if m[0] in moved else m[0],
        code,
    )


class _Dbt:
    """What a Python model asks of dbt: its inputs, and nothing else."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, steps: Sequence[Step]) -> None:
        self._connection = connection
        self._relations = {s.name: _moved(s.relation, steps) for s in steps}

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        # Seeds are no steps: they are read where they are.
        return self._connection.sql(f"from {self._relations.get(name, f'build.seeds.{name}')}")

    def config(self, **options: object) -> None:
        del options


def _run_python(connection: duckdb.DuckDBPyConnection, step: Step, target: str, steps: Sequence[Step]) -> None:
    spec = importlib.util.spec_from_file_location(f"model_{step.name}", PROJECT_ROOT / "dbt_project" / step.code)
    if spec is None or spec.loader is None:
        raise ImportError(f"{step.code} is not a Python model")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = module.model(_Dbt(connection, steps), connection)
    connection.register("model_result", result)
    try:
        connection.execute(f"create table {target} as select * from model_result")
    finally:
        connection.unregister("model_result")


def _fingerprint_of_rules(steps: Sequence[Step]) -> str:
    """Changes whenever what is computed could change: models, seeds, macros, or the project's own statistics."""
    digest = hashlib.sha256()
    project = PROJECT_ROOT / "dbt_project"
    files: list[Path] = [project / s.code for s in steps if s.kind == "python"]
    files += sorted((project / "seeds").glob("*.csv")) + sorted(
        (PROJECT_ROOT / "pipelines" / "statistics").glob("*.py")
    )
    for step in steps:
        digest.update(f"{step.name}\0{step.kind}\0{step.code}\0".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _fingerprints(connection: duckdb.DuckDBPyConnection, rules: str, days: Sequence[date]) -> dict[date, str]:
    """For each day, an identity of the rules and of everything that was known by its end."""
    marks = {day: hashlib.sha256(rules.encode()) for day in days}
    for table in _CATALOGUE_TABLES:
        state = warehouse.one(connection, f"select count(*), bit_xor(hash(t)) from raw.{table} as t")
        for mark in marks.values():
            mark.update(f"{table}\0{state}".encode())
    for table, columns in _DATED_TABLES.items():
        rows = connection.execute(
            f"""
            select d.day, count(k.known_at), sum(k.n), bit_xor(k.state)
            from (select unnest(?::date[]) as day) as d
            left join (
                select known_at, count(*) as n, bit_xor(hash({columns})) as state from raw.{table} group by known_at
            ) as k on k.known_at < d.day + interval 1 day
            group by d.day
            """,
            [list(days)],
        ).fetchall()
        for day, *known in rows:
            marks[day].update(f"{table}\0{known}".encode())
    return {day: mark.hexdigest()[:16] for day, mark in marks.items()}
