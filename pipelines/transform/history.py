"""Point-in-time verdicts and nowcasts of past month ends: the models run as of each of those days.

The SQL of the claims, of the nowcast and of everything they read is compiled once per change of the project; it runs in
memory over the raw tables of the build, for several month ends at once. A month is kept while neither the rules nor the
data known by its end change, so a daily run computes at most one month. Where the text of a rule or the version of a
program has changed, months are recomputed and compared: see `fill`.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl

from pipelines import text, warehouse
from pipelines.errors import MetalsError
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.transform import dbt, execute, fingerprint
from pipelines.transform.reuse import SENTINEL, computes

log = text.logger("metals.history")

DAY = "computed_as_of"  # of which day a row is, in tables of several days
MAX_DAYS_AT_ONCE = 6  # at some 100 MB each for 80,000 raw rows
MAX_ROWS_AT_ONCE = 1_000_000  # raw rows times days: each day has its own copy of what was known by its end

# What is kept of each month end, in which raw table, by which key beside `as_of`.
KEPT = {
    "claim_history": ("claim_verdicts", ("claim_id",)),
    "claim_evidence_history": ("claim_evidence", ("claim_id", "indicator")),
    "ppi_nowcast_history": ("ppi_nowcast", ("horizon_months",)),
}
TARGETS = tuple(mart for mart, _ in KEPT.values())
# Tables of the catalogue, without their descriptive columns.
_CATALOGUE_TABLES = {
    "catalog_series": "exclude (title, publisher, licence, bundle, description, defined_in)",
    "catalog_indicator": "exclude (title, description)",
    "catalog_company": "exclude (name, description, defined_in)",
    "catalog_company_tag": "",
    "catalog_metal": "exclude (description)",
    "catalog_correction": "exclude (reason, reference, defined_in)",
}
# The bitemporal tables. Their rows known by a day are that day's state; `claim_history` stores its fingerprint.
_DATED_TABLES = {
    "observation": "series_id, period, value, known_at",
    "filing_fact": "cik, taxonomy, tag, unit, period_start, period_end, value, accession, known_at",
    "filing": "cik, accession, known_at",
    "policy_document": "document_number, topic, known_at",
    "tariff_release": "release_id, status, release_start_date, known_at",
}


# Columns that repeat figures in words: a change of wording is not a change of verdict.
_WORDS = {"because", "finding", "fingerprint"}
# Figures closer than this are equal: versions of a program differ in the last digits.
RELATIVE_TOLERANCE = 1e-9
# Until 2026-11 the fingerprint of a month was one hash over the rules (every top-level module of `pipelines` and the
# whole dbt project) and the data known then. This is the rules' part at the last commit before that changed. A month
# with that fingerprint is treated like any other whose rules changed in text only: published tables were identical
# before and after over all recordings and as of three past days, and `fill` compares months before it keeps any.
RULES_BEFORE = "ce043ff27d6b4baf9ad4f06a7fa954eb1116ebbab6814b0250a64ac1f1e1f303"


@dataclass(frozen=True)
class Step:
    """One model behind the claims, compiled so that it can run as of any day."""

    name: str
    relation: str
    kind: str  # table, view, python
    code: str
    identity: str = ""  # of its code and of the seeds that it reads


@dataclass(frozen=True)
class Filled:
    """The result of `fill`: how many month ends were computed, how many kept, and which failed."""

    computed: int
    kept: int
    failed: dict[date, str]


def fill(settings: Settings, months: int | None = None) -> Filled:
    """Bring `raw.claim_history` up to date for the last `months` month ends.

    Earlier months are kept while their fingerprint is valid and dropped otherwise, so that nothing outdated is shown.
    Where the known data is the same and only the rules' text or a program's version differs, the last `months` month
    ends and one per earlier year are recomputed. If all their figures are equal, the other earlier months are kept too;
    otherwise those are dropped, which is logged. A month that cannot be computed is named in the result and left out.
    """
    as_of = settings.as_of_date()
    wanted = month_ends(as_of, settings.history_months if months is None else months)
    with warehouse.exclusive(settings):
        log.info("verdicts of past months: finding what is due")
        steps = compiled(settings)
        rules = fingerprint.of(*sorted(step.identity for step in steps))
        with warehouse.writer(settings) as connection:
            query = "select as_of, any_value(fingerprint) from raw.claim_history group by as_of"
            have: dict[date, str] = dict(connection.execute(query).fetchall())
            known = _known_by(connection, sorted(have.keys() | set(wanted)))
            before = _marks_before(connection, [d for d, mark in have.items() if " " not in mark])
            # The data known then has changed, or the day lies in the future: the month cannot be kept.
            outdated = {
                d for d, mark in have.items()
                if d > as_of or (mark.partition(" ")[2] != known[d] and before.get(d) != mark)
            }  # fmt: skip
            _drop(connection, outdated)
            by_other_rules = sorted(d for d in have.keys() - outdated if have[d].partition(" ")[0] != rules)
            earlier = [d for d in by_other_rules if d not in wanted]
            due = [d for d in wanted if d not in have or d in outdated or d in by_other_rules]
            # The oldest, and one per year: changed rules rarely agree with the old ones for a whole year.
            sample = [d for n, d in enumerate(earlier) if n == 0 or d.month == 12 or d == earlier[-1]]
            failed, differ = _compute(connection, steps, [*due, *reversed(sample)], rules, known, set(by_other_rules))
            _settle(connection, rules, known, by_other_rules, [d for d in earlier if d not in sample], differ)
    computed = len(due) + len(sample) - len(failed)
    return Filled(computed, len(wanted) - len(due), failed)


def _compute(
    connection: duckdb.DuckDBPyConnection,
    steps: Sequence[Step],
    days: Sequence[date],
    rules: str,
    known: dict[date, str],
    compared: set[date],
) -> tuple[dict[date, str], list[date]]:
    """Write the verdicts of `days`. Returns the days that failed, and those of `compared` whose result differs."""
    failed: dict[date, str] = {}
    differ = []
    at_once = _days_at_once(connection, len(days))
    batches = [days[n : n + at_once] for n in range(0, len(days), at_once)]
    with ThreadPoolExecutor(execute.WORKERS, thread_name_prefix="past-months") as pool:
        try:
            computed = [pool.submit(_computed, connection, steps, batch) for batch in batches]
            done = 0
            for batch, result in zip(batches, computed, strict=True):
                progress = {"stage": "history", "done": done, "total": len(days)}
                log.info("verdicts of past months: %d of %d done, next %s", done, len(days), batch[0], extra=progress)
                done += len(batch)
                for day, found in result.result().items():
                    if isinstance(found, Exception):
                        notes = getattr(found, "__notes__", ())
                        failed[day] = ", ".join([f"{type(found).__name__}: {found}", *notes])
                        log.warning("verdicts of %s could not be computed: %s", day, failed[day])
                        _drop(connection, {day})
                        continue
                    found["claim_history"] = found["claim_history"].with_columns(
                        fingerprint=pl.lit(f"{rules} {known[day]}")
                    )
                    if day in compared and any(_differs(connection, t, day, frame) for t, frame in found.items()):
                        differ.append(day)
                    with warehouse.transaction(connection):  # all or none, if the run is killed
                        _drop(connection, {day})
                        for table, frame in found.items():
                            warehouse.append(connection, table, frame.select(_columns(table)))
        finally:
            pool.shutdown(cancel_futures=True)
    if days:
        progress = {"stage": "history", "done": len(days), "total": len(days)}
        log.debug("verdicts of past months: done", extra=progress)
    return failed, differ


def _days_at_once(connection: duckdb.DuckDBPyConnection, days: int) -> int:
    """How many days a query computes: as many as the workers can share, while the rows of a batch are few enough."""
    row = warehouse.one(connection, "select (select count(*) from raw.observation) + count(*) from raw.filing_fact")
    fit = MAX_ROWS_AT_ONCE // max(1, int(row[0]) if row else 1)
    return max(1, min(math.ceil(days / execute.WORKERS), MAX_DAYS_AT_ONCE, fit))


def _computed(
    connection: duckdb.DuckDBPyConnection, steps: Sequence[Step], days: Sequence[date]
) -> dict[date, dict[str, pl.DataFrame] | Exception]:
    """For each day, its rows for the tables of past months, or why there are none.

    If a model fails for several days at once, each day is computed alone. Runs in a thread, on a cursor of
    `connection`.
    """
    database = f"past_{days[0]:%Y%m%d}"
    # The model of the user's own claims holds every month itself.
    of_project = "and claim_id not in (select claim_id from build.raw.catalog_claim)"
    try:
        with connection.cursor() as cursor, models_of_days(cursor, steps, days, database):
            return {
                day: {
                    table: warehouse.query(
                        cursor,
                        f"select * exclude ({DAY}) from {database}.main.{mart} where {DAY} = ? "
                        f"{of_project if 'claim_id' in key else ''}",
                        [day],
                    ).with_columns(as_of=pl.lit(day))
                    for table, (mart, key) in KEPT.items()
                }
                for day in days
            }
    except Exception as error:  # noqa: BLE001 - a model that fails on one day's data stops that day alone
        if len(days) == 1:
            return {days[0]: error}
        log.warning("verdicts of past months: %s to %s one by one: %s", min(days), max(days), error)
        return {day: found for alone in days for day, found in _computed(connection, steps, [alone]).items()}


def _differs(connection: duckdb.DuckDBPyConnection, table: str, day: date, frame: pl.DataFrame) -> bool:
    """Whether the figures or verdicts of a recomputed month differ from the stored ones."""
    figures = [c for c in _columns(table) if c not in _WORDS]
    key = KEPT[table][1]
    old = warehouse.query(connection, f"from raw.{table} where as_of = ?", [day]).select(figures).sort(key)
    new = frame.select(figures).sort(key)
    return new.height != old.height or not all(_is_same(new[c], old[c]) for c in figures)


def _is_same(new: pl.Series, old: pl.Series) -> bool:
    same = new.eq_missing(old)
    if new.dtype.is_float():
        same |= ((new - old).abs() <= RELATIVE_TOLERANCE * old.abs()).fill_null(False)
    return bool(same.all())


def _settle(
    connection: duckdb.DuckDBPyConnection,
    rules: str,
    known: dict[date, str],
    by_other_rules: Sequence[date],
    not_computed: Sequence[date],
    differ: Sequence[date],
) -> None:
    """Keep or drop the months computed by earlier rules that were not recomputed; log which and why."""
    if not by_other_rules:
        return
    again = len(by_other_rules) - len(not_computed)
    if differ:
        _drop(connection, set(not_computed))
        log.warning(
            "verdicts of past months: the rules or a program changed; of %d recomputed months, %d differ (%s); "
            "%d earlier months are dropped, `metals history --since` recomputes them",
            again, len(differ), ", ".join(f"{d:%Y-%m}" for d in differ[:12]), len(not_computed),
        )  # fmt: skip
        return
    for day in not_computed:
        mark = f"{rules} {known[day]}"
        connection.execute("update raw.claim_history set fingerprint = ? where as_of = ?", [mark, day])
    log.info(
        "verdicts of past months: the rules' text or a program changed, but no figure of %d recomputed months; "
        "%d earlier months are kept", again, len(not_computed),
    )  # fmt: skip


def _drop(connection: duckdb.DuckDBPyConnection, days: Collection[date]) -> None:
    for table in KEPT:
        connection.execute(f"delete from raw.{table} where as_of in (select unnest(?::date[]))", [list(days)])


def month_ends(as_of: date, months: int) -> list[date]:
    """The last `months` month ends up to and including `as_of`, newest first."""
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
    """`targets` and their ancestors that are models, upstream first. Seeds and raw tables are read from the build."""
    done: set[str] = set()

    def visit(unique_id: str) -> Iterator[Step]:
        node = nodes.get(unique_id)
        if node is None or unique_id in done or node["resource_type"] != "model":
            return
        done.add(unique_id)
        for parent in node["depends_on"]["nodes"]:
            yield from visit(parent)
        python = node["language"] == "python"
        seeds = (p for p in node["depends_on"]["nodes"] if p in nodes and nodes[p]["resource_type"] == "seed")
        yield Step(
            node["name"],
            node["relation_name"],
            "python" if python else "view" if node["materialized"] == "view" else "table",
            node["original_file_path"] if python else node["compiled_code"],
            fingerprint.of(computes(node), *(computes(nodes[p]) for p in sorted(seeds))),
        )

    for name in targets:
        yield from visit(next(i for i, n in nodes.items() if n["name"] == name and n["resource_type"] == "model"))


@contextlib.contextmanager
def models_of(
    connection: duckdb.DuckDBPyConnection,
    steps: Sequence[Step],
    day: date,
    database: str = "past",
    changed: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """The steps' tables as of `day`, in an in-memory database of that name.

    `connection` has the build attached under its own name; nothing is written to it. `changed` has, by a step's name, a
    select over `{rows}` whose rows stand in for the step's own, so that the later steps read them.
    """
    with _memory(connection, database):
        for step in steps:
            target = _moved(step.relation, steps, database)
            try:
                if step.kind == "python":
                    with _rows_of_python(connection, step, steps, database) as rows:
                        connection.execute(f"create table {target} as from {rows}")
                else:
                    code = _moved(step.code, steps, database).replace(SENTINEL.isoformat(), day.isoformat())
                    connection.execute(f"create {step.kind} {target} as {code}")
                if changed and step.name in changed:
                    connection.execute(
                        f"create or replace temp table changed as {changed[step.name].format(rows=target)}"
                    )
                    connection.execute(f"drop {'view' if step.kind == 'view' else 'table'} {target}")
                    connection.execute(f"create table {target} as from changed")
            except Exception as error:
                error.add_note(f"in the model {step.name}")
                raise
        yield


@contextlib.contextmanager
def models_of_days(
    connection: duckdb.DuckDBPyConnection, steps: Sequence[Step], days: Sequence[date], database: str
) -> Iterator[None]:
    """The steps' tables as of each of `days`, in an in-memory database; column `DAY` says as of which day a row is.

    Each query runs once: as a lateral join with the days, in which it reads only rows of its own day. DuckDB turns that
    into grouping and partitioning by day, so the fixed cost of a query is paid once for all days. Sums may differ from
    those of a day alone in the last digits, because rows are added in another order.
    """
    with _memory(connection, database):
        connection.execute(f"create table {database}.main.past_days as select unnest(?::date[]) as {DAY}", [list(days)])
        for step in steps:
            target = _moved(step.relation, steps, database)
            try:
                if step.kind == "python":
                    for n, day in enumerate(days):
                        into = f"insert into {target}" if n else f"create table {target} as"
                        with _rows_of_python(connection, step, steps, database, f"date '{day}'") as rows:
                            connection.execute(f"{into} select date '{day}' as {DAY}, * from {rows}")
                else:
                    code = _moved(step.code, steps, database, f"past_days.{DAY}")
                    code = code.replace(f"'{SENTINEL.isoformat()}'", f"past_days.{DAY}")
                    if SENTINEL.isoformat() in code:  # inside a longer text: that day would be taken for the day
                        raise MetalsError("the as-of date is not a literal of its own")
                    connection.execute(
                        f"create table {target} as select past_days.{DAY}, of_day.* "
                        f"from {database}.main.past_days as past_days, lateral ({code}\n) as of_day"
                    )
            except Exception as error:
                error.add_note(f"in the model {step.name}")
                raise
        yield


def _columns(table: str) -> list[str]:
    return [column.name for t in warehouse.TABLES if t.name == table for column in t.columns]


@contextlib.contextmanager
def _memory(connection: duckdb.DuckDBPyConnection, database: str) -> Iterator[None]:
    """An in-memory database, attached under that name, for the tables of one day."""
    connection.execute(f"attach ':memory:' as {database}")
    try:
        for schema in ("staging", "intermediate", "main"):
            connection.execute(f"create schema if not exists {database}.{schema}")
        yield
    finally:
        connection.execute(f"detach {database}")


def _moved(code: str, steps: Sequence[Step], database: str, of_day: str = "") -> str:
    """`code` with the relations of the steps redirected from the build to the in-memory database.

    With `of_day`, an SQL expression, they are redirected to the rows of that day (see `models_of_days`).
    """
    moved = {s.relation for s in steps}

    def place(found: re.Match[str]) -> str:
        relation, schema, name, alias = found.groups(default="")
        if relation not in moved:
            return found[0]
        table = f'{database}."{schema}"."{name}"'
        if not of_day:
            return table + alias
        return f"(select * exclude ({DAY}) from {table} where {DAY} = {of_day})" + (alias or f' as "{name}"')

    return re.sub(r'("build"\."(\w+)"\."(\w+)")(\s+as\s)?', place, code)


@contextlib.contextmanager
def _rows_of_python(
    connection: duckdb.DuckDBPyConnection, step: Step, steps: Sequence[Step], database: str, of_day: str = ""
) -> Iterator[str]:
    """The name under which the rows of a model written in Python can be read meanwhile."""
    relations = {s.name: _moved(s.relation, steps, database, of_day) for s in steps}
    # Seeds are not steps: they are read from the build.
    file = PROJECT_ROOT / "dbt_project" / step.code
    with execute.rows_of_python(connection, file, lambda name: relations.get(name, f"build.seeds.{name}")) as rows:
        yield rows


def _known_by(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, str]:
    """For each day, a fingerprint of everything known by its end."""
    catalogue = [
        str(warehouse.one(connection, f"select count(*), bit_xor(hash(t)) from (select * {but} from raw.{table}) as t"))
        for table, but in _CATALOGUE_TABLES.items()
    ]
    # Without any, the months that were computed before there were such corrections stay as they are.
    corrected = "select count(*) as n, bit_xor(hash(t)) from (select * exclude (reason, reference) from {}) as t"
    catalogue += [
        str(row)
        for row in connection.execute(corrected.format("raw.catalog_record_correction") + " having n > 0").fetchall()
    ]
    dated = _dated_states(connection, days)
    return {day: fingerprint.of(*catalogue, *dated[day]) for day in days}


def _dated_states(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, list[str]]:
    states: dict[date, list[str]] = {day: [] for day in days}
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
            states[day].append(f"{table}\0{known}")
    return states


def _marks_before(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> dict[date, str]:
    """The fingerprints that RULES_BEFORE gives to `days` over the data known now."""
    if not days:
        return {}
    states = "select count(*), bit_xor(hash(t)) from (select columns(lambda n: n <> 'defined_in') from raw.{}) as t"
    catalogue = "".join(f"{t}\0{warehouse.one(connection, states.format(t))}" for t in _CATALOGUE_TABLES)
    return {
        day: hashlib.sha256((RULES_BEFORE + catalogue + "".join(known)).encode()).hexdigest()[:16]
        for day, known in _dated_states(connection, days).items()
    }
