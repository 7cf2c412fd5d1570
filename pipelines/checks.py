"""The audit between build and publication.

Every function reads the build and returns what it found; a blocking failure stops publication, never the last
published file. Row contracts live in `contracts`, model tests in dbt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from pipelines import contracts, warehouse
from pipelines.settings import Settings

# A published table that loses this share of its rows is held back: publishers add history, they do not halve it.
MAX_SHRINK_SHARE = 0.5


@dataclass(frozen=True)
class Finding:
    """What one check found. `examples` name rows; `blocking` failures stop publication."""

    name: str
    passed: bool
    blocking: bool
    said: str
    examples: list[str] = field(default_factory=list)


def audit(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Finding]:
    """Run every check on the build; none raises for a fault of the data."""
    return [check(connection, settings) for check in CHECKS.values()]


def build_is_complete(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """All models were built for this as-of date, and no build since then failed or was cut off."""
    builds = connection.execute(
        "select as_of, finished_at, succeeded, selection from raw.build order by rowid desc"
    ).fetchall()
    passed = False
    said = "the models were never built as a whole"
    for as_of, finished_at, succeeded, selection in builds:
        if finished_at is None:
            said = "the last build did not finish (it was killed, or is running)"
            break
        if not succeeded:
            said = "a model or a blocking test failed"
            break
        if as_of != settings.as_of_date():
            said = f"models were last built as of {as_of}, not {settings.as_of_date()}; build all of them"
            break
        if not selection:
            passed, said = True, f"all models were built as of {as_of}"
            break
    return Finding("build_is_complete", passed, True, said)


def raw_rows_are_unique(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """(series, period, known_at) and its counterparts are unique: the as-of rule rests on it."""
    examples = []
    for table in contracts.RAW:
        key = ", ".join([*contracts.key(table), "known_at"])
        rows = connection.execute(
            f"select {key}, count(*) from raw.{table} group by {key} having count(*) > 1 limit 3"
        ).fetchall()
        examples += [f"raw.{table}: {row}" for row in rows]
    said = "every raw row has a key of its own" if not examples else "raw rows share a key"
    return Finding("raw_rows_are_unique", not examples, True, said, examples)


def nothing_known_later(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No table that says when its rows were known holds one known after the as-of date."""
    examples = []
    for schema, table in connection.execute(
        """
        select schema_name, table_name from duckdb_columns()
        where column_name = 'known_at' and schema_name in ('main', 'staging', 'intermediate')
            and not internal and database_name = current_database()
        """
    ).fetchall():
        row = warehouse.one(
            connection,
            f'select count(*), max(known_at) from "{schema}"."{table}" where known_at >= ?::date + interval 1 day',
            [settings.as_of_date()],
        )
        if row and row[0]:
            examples.append(f"{schema}.{table}: {row[0]} rows, up to {row[1]}")
    said = f"nothing known after {settings.as_of_date()} is used" if not examples else "rows known later are used"
    return Finding("nothing_known_later", not examples, True, said, examples)


def tables_have_not_collapsed(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No published table vanished or lost half its rows since the last publication."""
    with warehouse.last_published(settings) as published:
        if published is None:
            said = (
                "the last published file cannot be read" if settings.published_path.exists() else "none was published"
            )
            return Finding("tables_have_not_collapsed", True, True, f"nothing to compare with: {said}")
        before = row_counts(published)
    now = row_counts(connection)
    examples = [
        f"{table}: {rows} rows before, {now.get(table, 0)} now"
        for table, rows in before.items()
        if rows >= 10 and now.get(table, 0) < rows * (1 - MAX_SHRINK_SHARE)
    ]
    said = "every table is at least half as long as published" if not examples else "tables lost most of their rows"
    return Finding("tables_have_not_collapsed", not examples, True, said, examples)


def time_has_not_gone_back(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """The build is not as of an earlier day than the published file: a clock set back would take back what is known."""
    name = "time_has_not_gone_back"
    with warehouse.last_published(settings) as published:
        row = warehouse.one(published, "select max(as_of) from raw.build where succeeded") if published else None
    before = row[0] if row else None
    if before is None:
        return Finding(name, True, True, "nothing to compare with")
    if before > settings.as_of_date():
        said = f"the clock says {settings.as_of_date()}, but the published file is as of {before}; set the clock right"
        return Finding(name, False, True, said)
    return Finding(name, True, True, f"published before as of {before}")


def series_are_fresh(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """The newest period of every series is as young as its catalogue entry asks; a warning, for data is late often."""
    if not _has_table(connection, "data_freshness"):
        return Finding("series_are_fresh", False, False, "the table data_freshness is not built")
    rows = connection.execute(
        "select series_id, last_period, age_days, staleness_limit_days from data_freshness "
        "where is_stale or last_period is null order by 1"
    ).fetchall()
    examples = [f"{s}: last period {p}, {age} days old, limit {limit}" for s, p, age, limit in rows if p is not None]
    without = sum(p is None for _, p, _, _ in rows)
    said = f"{len(examples)} series are older than their limit" if examples else "no series is older than its limit"
    if without:
        said += f"; {without} have no figure yet"
    return Finding("series_are_fresh", not examples, False, said, examples)


def publishers_agree(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """Where a default publisher and a fallback both have a figure, they agree within the catalogue's tolerance."""
    if not _has_table(connection, "reconciliation"):
        return Finding("publishers_agree", False, False, "the table reconciliation is not built")
    rows = connection.execute(
        """
        select
            indicator_id, fallback_series_id, periods_compared, largest_gap, largest_gap_period,
            largest_gap_default_value, largest_gap_fallback_value, periods_outside_tolerance, is_within_tolerance
        from reconciliation order by 1, 2
        """
    ).fetchall()
    examples = [
        f"{i}: {default:g} and {other:g} ({series}) in {period}; {outside} of {n} periods outside the tolerance"
        for i, series, n, _, period, default, other, outside, within in rows
        if not within
    ]
    said = f"{len(rows)} pairs of publishers compared over {sum(r[2] for r in rows)} periods"
    return Finding("publishers_agree", not examples, False, said, examples)


CHECKS: dict[str, Callable[[duckdb.DuckDBPyConnection, Settings], Finding]] = {
    check.__name__: check
    for check in (
        build_is_complete,
        raw_rows_are_unique,
        nothing_known_later,
        tables_have_not_collapsed,
        time_has_not_gone_back,
        series_are_fresh,
        publishers_agree,
    )
}


def row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every table of the schema main."""
    names = [
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'main' and not internal "
            "and database_name = current_database() order by 1"
        ).fetchall()
    ]
    counts = {}
    for name in names:
        row = warehouse.one(connection, f'select count(*) from "{name}"')
        counts[name] = int(row[0]) if row else 0
    return counts


def _has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    row = warehouse.one(
        connection,
        "select 1 from duckdb_tables() where schema_name = 'main' and table_name = ? "
        "and database_name = current_database()",
        [name],
    )
    return row is not None
