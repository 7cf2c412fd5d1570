"""The diff of a build against the last published one, stored in the build's schema `audit`.

Rows are matched by the keys that the models' tests hold unique. Nothing here blocks publication; `checks` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import duckdb

from pipelines import warehouse
from pipelines.audit.checks import Finding, row_counts
from pipelines.settings import Settings
from pipelines.warehouse import Column, Table

EXAMPLES = 5
# Two figures differ beyond this relative difference; sums of the same rows in another order stay within it.
RELATIVE_TOLERANCE = 1e-9
# Columns that change with the date alone: a row in which nothing else differs counts as unchanged.
MOVES_WITH_THE_DAY = frozenset({"as_of", "age_days", "days_in_state", "state_age_days"})

TABLES = (
    Table(
        "build_diff",
        "One row per published table: its rows in the last published file and in this one, and how they differ.",
        (
            Column("table_name", "varchar", "Table"),
            Column("rows_before", "bigint", "Rows in the last published file; null where it did not exist"),
            Column("rows_after", "bigint", "Rows now; null where the table was removed"),
            Column("rows_added", "bigint", "Rows whose key is new; null where the rows cannot be matched"),
            Column("rows_changed", "bigint", "Rows in which more than the day's own columns differs"),
            Column("rows_vanished", "bigint", "Rows whose key no longer exists"),
            Column("added_examples", "varchar[]", "Last keys of the added rows, parts joined by |"),
            Column("changed_examples", "varchar[]", "Last keys of the changed rows"),
            Column("vanished_examples", "varchar[]", "Last keys of the vanished rows"),
        ),
    ),
    Table(
        "verdict_flips",
        "One row per claim whose verdict differs from the last published one.",
        (
            Column("claim_id", "varchar", "Claim"),
            Column("verdict_before", "varchar", "Verdict in the last published file"),
            Column("verdict_after", "varchar", "Verdict now"),
        ),
    ),
    Table(
        "divergence_changes",
        "One row per divergence and subject whose state differs from the last published one.",
        (
            Column("divergence_id", "varchar", "Divergence"),
            Column("subject", "varchar", "Subject"),
            Column("state_before", "varchar", "State in the last published file; null where absent"),
            Column("state_after", "varchar", "State now; null where absent"),
        ),
    ),
    Table(
        "finding",
        "One row per check of the audit that preceded this publication.",
        (
            Column("check_name", "varchar", "Check"),
            Column("passed", "boolean", "Whether it passed"),
            Column("is_blocking", "boolean", "Whether a failure stops publication"),
            Column("said", "varchar", "The finding, in a sentence"),
            Column("examples", "varchar[]", "Examples of the rows it found"),
        ),
    ),
    Table(
        "publication",
        "One row per publication, newest last. Append-only: an override stays on record.",
        (
            Column("published_at", "timestamp", "When, UTC"),
            Column("as_of", "date", "As-of date of the build"),
            Column("build_id", "varchar", "Build of the models, as in raw.build"),
            Column("failed_checks", "varchar[]", "Blocking checks that failed"),
            Column("override_reason", "varchar", "Why it was published despite them; null where none failed"),
        ),
    ),
)


def write(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    findings: Sequence[Finding],
    keys: Mapping[str, Sequence[str]],
    override: str | None = None,
) -> list[str]:
    """Write the tables of `audit` into the build; `keys` are the key columns by table.

    Returns the verdicts that flipped and the divergences whose state changed, as sentences.
    """
    connection.execute("create schema if not exists audit")
    for table in TABLES:
        # An as-of build is a copy of the daily one and must not inherit its publications.
        is_log = table.name == "publication" and settings.as_of is None
        kept = "create table if not exists" if is_log else "create or replace table"
        columns = ", ".join(f"{c.name} {c.type}" for c in table.columns)
        connection.execute(f"{kept} audit.{table.name} ({columns})")
    with warehouse.last_published(settings) as published:
        if published is not None:
            connection.execute(f"attach '{warehouse.quoted(published)}' as published (read_only)")
        try:
            _write_differences(connection, keys, published is not None)
        finally:
            if published is not None:
                connection.execute("detach published")
    for f in findings:
        row = [f.name, f.passed, f.blocking, f.said, f.examples]
        connection.execute("insert into audit.finding values (?, ?, ?, ?, ?)", row)
    failed = [f.name for f in findings if f.blocking and not f.passed]
    connection.execute(
        """
        insert into audit.publication
        values (?, ?, (select arg_max(build_id, started_at) from raw.build where succeeded), ?, ?)
        """,
        [settings.clock(), settings.as_of_date(), failed, override if failed else None],
    )
    for table in TABLES:
        connection.execute(f"comment on table audit.{table.name} is '{warehouse.quoted(table.description)}'")
        for c in table.columns:
            connection.execute(f"comment on column audit.{table.name}.{c.name} is '{warehouse.quoted(c.description)}'")
    flips = connection.execute("select claim_id, verdict_before, verdict_after from audit.verdict_flips").fetchall()
    states = connection.execute(
        "select divergence_id || ' ' || subject, state_before, state_after from audit.divergence_changes"
    ).fetchall()
    return [f"{what}: {before or 'none'} -> {after or 'none'}" for what, before, after in [*flips, *states]]


def _write_differences(connection: duckdb.DuckDBPyConnection, keys: Mapping[str, Sequence[str]], exists: bool) -> None:
    home = str((warehouse.one(connection, "select current_database()") or ("",))[0])
    now = row_counts(connection)
    before = _counts_before(connection, home) if exists else {}
    columns = _columns(connection)
    for table in sorted(before.keys() | now.keys()):
        here, there = (columns.get((database, "main", table), {}) for database in (home, "published"))
        both = table in before and table in now
        compared = _compared(connection, here, there, table, keys.get(table, ())) if both else None
        numbers: list[int | None] = [None] * 3 if compared is None else [compared[w][0] for w in _KINDS]
        examples = [[]] * 3 if compared is None else [compared[w][1] for w in _KINDS]
        connection.execute(
            "insert into audit.build_diff values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [table, before.get(table), now.get(table), *numbers, *examples],
        )
    # A view, so not among the tables counted above.
    if all((database, "main", "claim_verdicts") in columns for database in (home, "published")):
        connection.execute(
            """
            insert into audit.verdict_flips
            select n.claim_id, o.verdict, n.verdict
            from main.claim_verdicts as n
            inner join published.main.claim_verdicts as o on n.claim_id = o.claim_id
            where n.verdict <> o.verdict
            order by 1
            """
        )
    if {"divergences"} <= before.keys() & now.keys():
        connection.execute(
            """
            insert into audit.divergence_changes
            select coalesce(n.divergence_id, o.divergence_id), coalesce(n.subject, o.subject), o.state, n.state
            from main.divergences as n
            full join published.main.divergences as o on n.divergence_id = o.divergence_id and n.subject = o.subject
            where n.state is distinct from o.state
            order by 1, 2
            """
        )
    if exists and ("published", "audit", "publication") in columns:
        # The published file has the valid log: a rebuilt build continues it, and an interrupted publication is not in
        # it.
        connection.execute("delete from audit.publication")
        connection.execute("insert into audit.publication by name select * from published.audit.publication")


_KINDS = ("added", "changed", "vanished")


def _counts_before(connection: duckdb.DuckDBPyConnection, home: str) -> dict[str, int]:
    connection.execute("use published")
    try:
        return row_counts(connection)
    finally:
        connection.execute(f'use "{home}"')


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], dict[str, str]]:
    """Names and types of columns by database, schema and table: one query, because each looks at every table."""
    found: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for *table, name, data_type in connection.execute(
        "select database_name, schema_name, table_name, column_name, data_type from duckdb_columns() "
        "order by table_oid, column_index"
    ).fetchall():
        found[(*table,)][name] = data_type
    return found


def _compared(
    connection: duckdb.DuckDBPyConnection,
    here: Mapping[str, str],
    there: Mapping[str, str],
    table: str,
    key: Sequence[str],
) -> dict[str, tuple[int, list[str]]] | None:
    """Number and example keys of rows added, changed and vanished; None where the two tables do not share the key."""
    if not key or not set(key) <= here.keys() & there.keys():
        return None
    rest = [c for c in here if c in there and c not in key and c not in MOVES_WITH_THE_DAY]
    differs = " or ".join(_differs(c, here[c]) for c in rest) or "false"
    if set(here) - MOVES_WITH_THE_DAY != set(there) - MOVES_WITH_THE_DAY:
        differs = "true"  # a column was added or removed
    on = " and ".join(f'n."{c}" is not distinct from o."{c}"' for c in key)
    parts = ", ".join(f"""coalesce(n."{c}"::varchar, o."{c}"::varchar, '')""" for c in key)
    rows = connection.execute(
        f"""
        with compared as (
            select
                concat_ws('|', {parts}) as row_key,
                case
                    when o.is_there is null then 'added'
                    when n.is_here is null then 'vanished'
                    when {differs} then 'changed'
                end as became
            from (select *, true as is_here from main."{table}") as n
            full join (select *, true as is_there from published.main."{table}") as o on {on}
        )
        select became, count(*), list(row_key order by row_key desc)[:{EXAMPLES}]
        from compared
        where became is not null
        group by became
        """
    ).fetchall()
    found = {became: (int(n), examples) for became, n, examples in rows}
    return {kind: found.get(kind, (0, [])) for kind in _KINDS}


def _differs(column: str, data_type: str) -> str:
    new, old = f'n."{column}"', f'o."{column}"'
    if data_type not in ("DOUBLE", "FLOAT"):
        return f"{new} is distinct from {old}"
    close = f"abs({new} - {old}) <= {RELATIVE_TOLERANCE} * greatest(abs({new}), abs({old}))"
    return f"({new} is distinct from {old} and not coalesce({close}, false))"
