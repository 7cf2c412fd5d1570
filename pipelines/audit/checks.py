"""The audit between build and publication.

Every function reads the build and returns what it found; a blocking failure stops publication, never the last
published file. Row contracts live in `contracts`, model tests in dbt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import duckdb

from pipelines import columns, warehouse
from pipelines.ingest.precision import tolerance_sql
from pipelines.settings import Settings

# A published table that loses this share of its rows is held back: publishers add history, they do not halve it.
MAX_SHRINK_SHARE = 0.5
MAX_EXAMPLES = 200  # of rows in a finding; all of them stand in the raw tables


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
    for table in columns.RAW:
        key = ", ".join([*columns.KEYS[table], "known_at"])
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
    name = "tables_have_not_collapsed"
    last = _last_publication(connection, settings)
    if isinstance(last, str):
        return _not_compared(name, last, settings)
    _, before = last
    now = row_counts(connection)
    examples = [
        f"{table}: {rows} rows before, {now.get(table, 0)} now"
        for table, rows in before.items()
        if rows >= 10 and now.get(table, 0) < rows * (1 - MAX_SHRINK_SHARE)
    ]
    said = "every table is at least half as long as published" if not examples else "tables lost most of their rows"
    return Finding(name, not examples, True, said, examples)


def time_has_not_gone_back(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """The build is not as of an earlier day than the published file: a clock set back would take back what is known."""
    name = "time_has_not_gone_back"
    last = _last_publication(connection, settings)
    if isinstance(last, str):
        return _not_compared(name, last, settings)
    before, _ = last
    if before is not None and before > settings.as_of_date():
        said = f"the clock says {settings.as_of_date()}, but the published file is as of {before}"
        if settings.rewound_path.exists():
            return Finding(name, True, True, f"{said}, by a clock that was ahead (`metals rewind`)")
        todo = "set the clock right, or if it is right now and was ahead before, run `metals rewind`"
        return Finding(name, False, True, f"{said}; {todo}")
    return Finding(name, True, True, f"published before as of {before}")


_NONE_PUBLISHED = "none was published"


def _not_compared(name: str, why: str, settings: Settings) -> Finding:
    if why == _NONE_PUBLISHED:
        return Finding(name, True, True, f"nothing to compare with: {why}")
    todo = f"move {settings.published_path} away to publish without this check"
    return Finding(name, False, True, f"cannot compare: {why}; {todo}")


def _last_publication(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> tuple[date | None, dict[str, int]] | str:
    """As-of date and rows by table of the published file, or why they are not known.

    If the file cannot be read, they are what the build recorded of its last publication.
    """
    if not settings.published_path.exists():
        return _NONE_PUBLISHED
    with warehouse.last_published(settings) as path:
        if path is not None:
            with warehouse.reader(settings, path) as published:
                return warehouse.as_of(published), row_counts(published)
    # The build of a past day is a copy of the daily one, so its record is of another file.
    if settings.as_of is None and _has_table(connection, "publication", "audit"):
        row = warehouse.one(connection, "select as_of from audit.publication order by rowid desc limit 1")
        counts = connection.execute(
            "select table_name, rows_after from audit.build_diff where rows_after is not null"
        ).fetchall()
        if row is not None:
            return row[0], dict(counts)
    return "the published file cannot be read, and the build has no record of it"


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


def every_answer_was_taken(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """What each publisher was last asked for was answered, and no payload or row of the newest answers held back."""
    faults = warehouse.standing_faults(connection)
    held_back = connection.execute(
        warehouse.REQUESTS
        + """
        select q.source_id, q.series_id, q.row, q.reason
        from raw.quarantine as q
        semi join requests as r on q.source_id = r.source_id and q.payload_id = r.payload_id
        union all
        -- Lines of the landing journal.
        select source_id, series_id, row, reason from raw.quarantine where payload_id is null
        order by all
        """
    ).fetchall()
    examples = [str(error or f"{source} {key}: {outcome}") for source, key, outcome, error in faults]
    examples += [f"{source} {series or ''} {row}: {reason}" for source, series, row, reason in held_back]
    said = f"{len(faults)} requests failed, were blocked or refused, or wait, {len(held_back)} rows were held back"
    if not examples:
        said = "every answer was taken whole"
    return Finding("every_answer_was_taken", not examples, False, said, examples[:MAX_EXAMPLES])


def series_have_no_holes(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No period is missing inside a monthly, quarterly or yearly series but those flagged in corrections.yaml."""
    rows = connection.execute(_HOLES).fetchall()
    examples = [f"{s}: {n} periods missing, the newest {newest}" for s, n, newest in rows]
    said = f"{len(rows)} series have holes that no correction explains" if rows else "no series has an unexplained hole"
    return Finding("series_have_no_holes", not rows, False, said, examples)


# A hole is looked for in the last ten years: what was never published before is history, not an accident of ours.
_HOLES = """
with figures as (
    select
        o.series_id, o.period, s.frequency,
        case s.frequency when 'monthly' then 1 when 'quarterly' then 3 else 12 end as months,
        lag(o.period) over (partition by o.series_id order by o.period) as period_before
    from (select distinct series_id, period from raw.observation) as o
    inner join raw.catalog_series as s on o.series_id = s.series_id
    where s.frequency in ('monthly', 'quarterly', 'annual', 'us_fiscal_year')
),
holes as (
    select
        series_id,
        unnest(generate_series(
            period_before + to_months(months), period - to_months(months), to_months(months)
        ))::date as period
    from figures
    where period_before is not null and period > period_before + to_months(months)
),
-- A month that is left out year after year is the publisher's calendar (China's output has no January).
left_out as (
    select h.series_id, month(h.period) as month_of_year
    from (
        select series_id, period, 1 as is_hole from holes
        union all
        select series_id, period, 0 from figures
    ) as h
    group by all
    having sum(is_hole) >= 2 and sum(is_hole) > sum(1 - is_hole)
)
select h.series_id, count(*), max(h.period)
from holes as h
where h.period >= (select max(period) from raw.observation) - interval 10 year
    and (h.series_id, month(h.period)) not in (select series_id, month_of_year from left_out)
    and not exists (
        select 1 from raw.catalog_correction as c
        where c.series_id = h.series_id and c.period = h.period and c.action = 'flag' and c.published is null
    )
group by h.series_id
order by h.series_id
"""


def series_begin_where_they_did(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No series begins ten years or more before or after the first answer to the same request.

    An earlier beginning is accepted by stating it, or the month from which the series is used, as `first_period` of its
    catalogue entry; a later one by stating it there.
    """
    rows = connection.execute(
        """
        with answers as (
            select
                c.series_id,
                arg_max(c.first_period, c.retrieved_at) as first_period,
                arg_min(c.first_period, c.retrieved_at) as first_period_before
            from raw.coverage as c
            -- The recordings that ship were cut to windows by those who made them.
            inner join raw.payload as p on c.payload_id = p.payload_id and p.origin <> 'bundled'
            where c.rows > 0
            group by c.series_id, p.request_key
        )
        select a.series_id, a.first_period_before, a.first_period
        from answers as a
        left join raw.catalog_series as s on a.series_id = s.series_id
        where abs(datediff('month', a.first_period_before, a.first_period)) >= 120
            -- Models do not read what is before the first period of the catalogue.
            and (s.first_period is null or a.first_period > s.first_period)
        order by all
        """
    ).fetchall()
    examples = [
        f"{s} begins in {now:%Y-%m}, at first in {before:%Y-%m}: if it is right, state first_period in the catalogue"
        for s, before, now in rows
    ]
    said = (
        f"{len(rows)} series begin ten years or more earlier or later" if rows else "every series begins where it did"
    )
    return Finding("series_begin_where_they_did", not rows, False, said, examples)


# What a row of each raw table is about, in SQL.
_SUBJECT = {
    "observation": "series_id",
    "filing_fact": "'CIK' || cik || ' ' || tag",
    "filing": "'CIK' || cik",
    "policy_document": "topic",
    "tariff_release": "'usitc_hts'",
}


def publishers_do_not_alternate(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No figure or record went back to what it was before the last change three times, the last time within 90 days.

    Two servers of one publisher may hold two versions; every change between them is one more row.
    """
    found = []
    for table, subject in _SUBJECT.items():
        key = columns.KEYS[table]
        content = ", ".join(c for c in columns.RAW[table] if c not in key)
        found += connection.execute(
            f"""
            with said as (
                select
                    {subject} as subject,
                    hash({", ".join(key)}) as record,
                    known_at,
                    hash({content}, known_at_basis = 'withdrawn') as content,
                    lag(content, 1) over one as before,
                    lag(content, 2) over one as before_that
                from raw.{table}
                window one as (partition by {", ".join(key)} order by known_at)
                qualify count(*) over (partition by {", ".join(key)}) >= 5
            ),
            returns as (
                select subject, record, count(*) as times, min(known_at) as since, max(known_at) as last_at
                from said where content = before_that and content <> before
                group by subject, record
                having times >= 3
            )
            select subject, count(*), max(times), min(since), max(last_at) from returns
            where last_at >= cast(? as date) - interval 90 days
            group by subject order by 3 desc, 1
            """,
            [settings.as_of_date()],
        ).fetchall()
    examples = [
        f"{subject}: {n} rows went back to what they were before, up to {times} times from {since:%Y-%m-%d} to "
        f"{last:%Y-%m-%d}; each version is held from its day on, and the newest counts"
        for subject, n, times, since, last in found
    ]
    said = f"{len(found)} series alternate between two versions" if found else "no series alternates between versions"
    return Finding("publishers_do_not_alternate", not found, False, said, examples[:MAX_EXAMPLES])


def corrections_still_apply(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """What each correction is about is still what the publisher says; one that is not must be taken out."""
    rows = connection.execute(
        f"""
        with newest as (from {warehouse.newest_known("known_at_basis <> 'refined'")})  -- refined figures stay the same
        select c.correction_id, c.series_id, c.period, c.published, n.value
        from raw.catalog_correction as c
        left join newest as n on c.series_id = n.series_id and c.period = n.period
        where
            -- A correction of a series that was never read says nothing yet.
            c.series_id in (select series_id from newest)
            and case
                when c.published is null or n.value is null then (c.published is null) <> (n.value is null)
                else abs(n.value - c.published) > {tolerance_sql("n.decimals", "c.published")}
            end
        union all
        select c.correction_id, coalesce(c.tag, 'document'), c.period_end, c.published, any_value(f.value)
        from raw.catalog_record_correction as c
        left join (
            select * from raw.filing_fact
            qualify row_number() over (
                partition by cik, taxonomy, tag, unit, period_start, period_end, accession order by known_at desc
            ) = 1
        ) as f on c.cik = f.cik and c.taxonomy = f.taxonomy and c.tag = f.tag and c.unit = f.unit
            and c.period_start is not distinct from f.period_start and c.period_end = f.period_end
            and coalesce(c.accession, f.accession) = f.accession and f.known_at_basis <> 'withdrawn'
        left join raw.policy_document as d on c.document_number = d.document_number
        where
            -- A filer that was never read, or a company's earlier CIK, says nothing yet.
            (c.document_number is not null or c.cik in (select cik from raw.filing_fact))
            and (d.document_number is null or c.document_number is null)
        group by all
        having count(*) filter (where abs(f.value - c.published) <= 1e-9 * abs(c.published)) = 0
        order by 1
        """
    ).fetchall()
    examples = [f"{c}: {s} {p} is now {now}, the correction is of {then}" for c, s, p, then, now in rows]
    said = f"{len(rows)} corrections no longer apply" if rows else "every correction still applies"
    return Finding("corrections_still_apply", not rows, False, said, examples)


def filing_facts_are_plausible(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Finding:
    """No fact of a filing is withheld for its scale or sign, and no two tags of one concept disagree."""
    name = "filing_facts_are_plausible"
    if not _has_table(connection, "int_filing_facts__judged", "intermediate"):
        return Finding(name, False, False, "the table intermediate.int_filing_facts__judged is not built")
    withheld = connection.execute(
        """
        select company_id, concept, tag, period_start, period_end, value_usd, accession, refusal
        from intermediate.int_filing_facts__judged where refusal is not null
        order by filed desc, company_id, concept, period_end desc, accession, tag
        """
    ).fetchall()
    filers = connection.execute(
        """
        select cik, calendar_year, capex_usd, accession, refusal
        from intermediate.int_capex_universe__filers where refusal is not null
        order by calendar_year desc, abs(capex_usd) desc, cik
        """
    ).fetchall()
    apart = connection.execute(
        """
        select company_id, concept, tag, periods_that_disagree, periods_compared
        from intermediate.int_filing_tags__definitions where periods_that_disagree > 0 order by all
        """
    ).fetchall()
    examples = [
        f"{company} {concept} {start} to {end}: {value:,.0f} ({tag}, {accession}): {reason}"
        for company, concept, tag, start, end, value, accession, reason in withheld
    ]
    examples += [
        f"{company} {concept}: {tag} differs from a tag before it in {n} of {of} periods; never added to it"
        for company, concept, tag, n, of in apart
    ]
    examples += [
        f"CIK {cik} capex {year}: {value:,.0f} ({accession}): {why}" for cik, year, value, accession, why in filers
    ]
    said = (
        f"{len(withheld)} facts of catalogued companies and {len(filers)} yearly figures of the bulk file withheld; "
        f"{len(apart)} tags disagree with one before them"
    )
    if not examples:
        said = "no fact is withheld, and tags of one concept agree wherever both exist"
    return Finding(name, not examples, False, said, examples[:MAX_EXAMPLES])


_BLOCKING = (
    build_is_complete,
    raw_rows_are_unique,
    nothing_known_later,
    tables_have_not_collapsed,
    time_has_not_gone_back,
)
BLOCKING = frozenset(check.__name__ for check in _BLOCKING)
CHECKS: dict[str, Callable[[duckdb.DuckDBPyConnection, Settings], Finding]] = {
    check.__name__: check
    for check in (
        *_BLOCKING,
        series_are_fresh,
        publishers_agree,
        every_answer_was_taken,
        series_have_no_holes,
        series_begin_where_they_did,
        publishers_do_not_alternate,
        corrections_still_apply,
        filing_facts_are_plausible,
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


def _has_table(connection: duckdb.DuckDBPyConnection, name: str, schema: str = "main") -> bool:
    row = warehouse.one(
        connection,
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ? and database_name = current_database()",
        [schema, name],
    )
    return row is not None
