"""What a run, `metals status`, `doctor`, `explain` and `export` say, read from the published file.

Reads and formats only; every figure shown is a cell of a table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from textwrap import shorten
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines import catalog, warehouse
from pipelines.catalog import Catalog, Frequency, LicenceClass, Series, Source
from pipelines.errors import MetalsError
from pipelines.landing import Landing, reachable
from pipelines.settings import Settings, setting_variable

FIRST_QUERY = "select claim_id, verdict, because from claim_verdicts order by claim_id"
EXPORT_FORMATS = {".parquet": "parquet", ".csv": "csv"}
# The newest state of each driver, one line each: which table, which date column, which figures.
DRIVERS = (
    ("driver_fiscal", "month", ("deficit_12m_pct_gdp", "deficit_12m_change_pp", "deficit_fy_pct_gdp")),
    ("driver_ai_capex_aggregate", "calendar_quarter", ("capex_usd", "capex_ttm_usd", "like_for_like_yoy_pct")),
    ("driver_china_cycle", "month", ("ppi_yoy_pct", "m1_m2_gap_pp", "exports_yoy_pct")),
    ("driver_monetary", "month", ("fed_funds_pct", "real_10y_yield_pct", "broad_dollar_index")),
)
# What stands for a payload in lineage where a row rests on a reference table of the project (model lineage).
SEED_PREFIX = "seed:"
# The same where a row is an entry of the catalogue.
CATALOG_PREFIX = "catalog:"
# The terms in two words; in full they stand in the data dictionary.
TERMS = {
    LicenceClass.PUBLIC_DOMAIN: "public domain",
    LicenceClass.ATTRIBUTION: "give credit",
    LicenceClass.AGGREGATOR: "aggregator",
    LicenceClass.OFFICIAL_FIGURES: "official figures",
    LicenceClass.PERSONAL_USE: "own use only",
}
# Publishers of filings and documents have no series: something new may come on any working day, but for archives.
_RELEASES_WITHOUT_SERIES = {"sec_financial_statements": "quarterly", "usitc_hts": "irregular"}
# Newest period of each series, and the days between two of its periods: within a payload, or from one to the next.
_PERIODS = """
with spaced as (
    select
        source_id, series_id, last_period,
        case when rows > 1 then date_diff('day', first_period, last_period) / (rows - 1) end as within_days,
        date_diff(
            'day', lag(last_period) over (partition by source_id, series_id order by last_period), last_period
        ) as between_days
    from raw.coverage
    where last_period is not null
)
select
    source_id, series_id, max(last_period) as newest,
    coalesce(greatest(1, cast(round(least(min(within_days), min(nullif(between_days, 0)))) as integer)), 1) as step_days
from spaced
group by source_id, series_id
"""
_SOURCES = """
with dated as (
    select source_id, max(last_period) as last_period, sum(rows_added + rows_changed) as rows
    from raw.coverage
    group by source_id
),
answered as (select distinct source_id from raw.retrieval where outcome in ('fresh', 'unchanged')),
quarantined as (select source_id, count(*) as rows_quarantined from raw.quarantine group by source_id),
checked as (
    select source_id, outcome, error, checked_at from raw.retrieval
    qualify row_number() over (partition by source_id order by checked_at desc, outcome = 'failed' desc) = 1
)
select
    s.source_id, s.title, d.last_period, coalesce(d.rows, 0) as rows, a.source_id is not null as ever_answered,
    coalesce(q.rows_quarantined, 0) as rows_quarantined, c.outcome as last_outcome, c.error as last_error,
    c.checked_at as last_checked_at, s.licence, s.cadence_hours, s.unofficial
from raw.catalog_source as s
left join dated as d on s.source_id = d.source_id
left join answered as a on s.source_id = a.source_id
left join quarantined as q on s.source_id = q.source_id
left join checked as c on s.source_id = c.source_id
order by s.source_id
"""


def how(outcomes: list[str], source: dict[str, Any]) -> str:
    """How a publisher's figures came, in a word or two: fresh, unchanged, kept from an earlier run, bundled, none."""
    names = [o.partition(" ")[2] for o in outcomes] or ([source["last_outcome"]] if source["last_outcome"] else [])
    if not source["rows"] and "fresh" not in names:
        held = "nothing yet"
    else:
        held = "kept" if source["ever_answered"] else "bundled"
    if "fresh" in names:
        return "fresh" if "failed" not in names else "fresh, part failed"
    if "unchanged" in names:
        return "unchanged" if "failed" not in names else "unchanged, part failed"
    reasons = {
        "failed": "not reached",
        "not_tried": "not reached",
        "refused": "refused by contract",
        "waiting": "not read in time",
        "offline": "offline",
        "switched_off": "switched off",
        "no_key": "no key set",
        "not_due": "not due",
        "closed": "not due",
    }
    reason = next((reasons[n] for n in reasons if n in names), None)
    return f"{held} ({reason})" if reason else held


def sources(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """One dict per publisher, from the raw tables."""
    return warehouse.query(connection, _SOURCES).to_dicts()


def rows_by_source(settings: Settings) -> dict[str, int]:
    """Rows of each publisher in the published file, for telling what a run adds; empty before the first."""
    if not settings.published_path.exists():
        return {}
    try:
        with warehouse.reader(settings) as connection:
            return {s["source_id"]: int(s["rows"]) for s in sources(connection)}
    except duckdb.Error:
        return {}


def as_dict(settings: Settings, outcomes: dict[str, list[str]], before: dict[str, int] | None = None) -> dict[str, Any]:
    """The whole summary as plain data."""
    with warehouse.reader(settings) as connection:
        found = sources(connection)
        for source in found:
            source["how"] = how(outcomes.get(source["source_id"], []), source)
            source["rows_added"] = int(source["rows"]) - (before or {}).get(source["source_id"], 0)
            last: date | None = source["last_period"]
            source["age_days"] = (settings.as_of_date() - last).days if last else None
        build = warehouse.one(connection, "select max(as_of) from raw.build where succeeded")
        return {
            "as_of": build[0] if build else settings.as_of_date(),
            "published": str(settings.published_path),
            "brief": str(settings.brief_path) if settings.brief_path.exists() else None,
            "sources": found,
            "drivers": list(_drivers(connection)),
            "claims": _rows(
                connection,
                "select claim_id, name, verdict, decisive_supporting, decisive_contradicting, decisive_indicators, "
                "because from claim_verdicts order by claim_id",
            ),
            "failed_checks": _rows(
                connection, "select check_name, is_blocking, said, examples from audit.finding where not passed"
            ),
            "verdict_flips": _rows(connection, "select * from audit.verdict_flips"),
            "divergence_changes": _rows(connection, "select * from audit.divergence_changes"),
            "held_back": _held_back(settings),
        }


def _held_back(settings: Settings) -> str | None:
    """Why the build that followed the published file was not published; None where it was, or there is none."""
    try:
        return settings.held_back_path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    try:
        return warehouse.query(connection, query).to_dicts()
    except duckdb.CatalogException:
        return []


def _drivers(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    for table, by, figures in DRIVERS:
        for figure in figures:
            rows = _rows(
                connection,
                f'select "{by}" as period, "{figure}" as value from {table} where "{figure}" is not null '
                f'order by "{by}" desc limit 1',
            )
            yield {"driver": table, "figure": figure, **(rows[0] if rows else {"period": None, "value": None})}


def show(
    console: Console,
    settings: Settings,
    outcomes: dict[str, list[str]],
    before: dict[str, int] | None = None,
    *,
    verbose: bool = False,
) -> None:
    """Print the summary: publishers, drivers, claims, what to look at. `verbose` gives reasons and examples in full."""
    content = as_dict(settings, outcomes, before)
    console.print(_publishers(content, before is not None))
    for why, names in _without_figures(content).items():
        console.print(f"[dim]{escape(why)}:[/] {escape(', '.join(names))}", highlight=False)

    table = _table(f"Drivers, newest figure, as of {content['as_of']}", "driver", "figure", "period", "value>")
    for d in content["drivers"]:
        table.add_row(d["driver"], d["figure"], f"{d['period'] or ''}", figure(d["value"]))
    console.print(table)

    columns = ("claim", "name", "verdict", "for>", "against>", "neither>", "of>")
    table = _table("Claims: decisive indicators for, against, neither or missing", *columns)
    room = None if verbose else console.width - WIDTH_BEFORE_REASONS
    with_reasons = room is None or room >= MIN_WIDTH_OF_REASONS
    if with_reasons:
        table.add_column("because", max_width=room, no_wrap=room is not None, overflow="ellipsis" if room else "fold")
    for c in content["claims"]:
        pro, contra, of = c["decisive_supporting"], c["decisive_contradicting"], c["decisive_indicators"]
        cells = (c["claim_id"], c["name"], _coloured(c["verdict"]), *map(str, (pro, contra, of - pro - contra, of)))
        table.add_row(*cells, *([escape(c["because"] or "")] if with_reasons else []))
    console.print(table)
    for flip in content["verdict_flips"]:
        console.print(f"[bold]{flip['claim_id']}[/] changed: {flip['verdict_before']} -> {flip['verdict_after']}")
    for c in content["divergence_changes"]:
        states = f"{c['state_before'] or 'none'} -> {c['state_after'] or 'none'}"
        console.print(f"[bold]{escape(c['divergence_id'])} {escape(c['subject'])}[/] changed: {states}")
    if content["held_back"]:
        console.print(f"[bold red]held back[/] A later build was not published, {escape(content['held_back'])}")
    for check in content["failed_checks"]:
        console.print(f"[yellow]check[/] {check['check_name']}: {escape(check['said'])}", highlight=False)
        examples = check["examples"] or []
        for example in examples if verbose else examples[:3]:
            console.print(f"  [dim]{escape(example)}[/]", highlight=False)
        if len(examples) > 3 and not verbose:
            console.print(f"  [dim]and {len(examples) - 3} more (metals status -v)[/]", highlight=False)
    console.print("[dim]None of this is investment advice.[/]")


# Columns that the claims' table takes without the reasons, and the least that is worth cutting a reason to: `-v` and
# the table claim_verdicts have them in full.
WIDTH_BEFORE_REASONS = 80
MIN_WIDTH_OF_REASONS = 40


def _table(title: str, *columns: str) -> Table:
    """A table in the house style; a name that ends in > is a column of numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1)
    for name in columns:
        table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left")
    return table


def _publishers(content: dict[str, Any], with_added: bool) -> Table:
    """The publishers that have figures."""
    quarantined = any(s["rows_quarantined"] for s in content["sources"])
    columns = ["publisher", "figures", "last period", "age today>", "rows>"]
    columns += ["added>"] if with_added else []
    columns += ["quarantined>"] if quarantined else []
    table = _table(f"Publishers with figures, as of {content['as_of']}", *columns)
    for s in content["sources"]:
        if not s["rows"]:
            continue
        cells = [s["source_id"], escape(s["how"]), f"{s['last_period'] or ''}"]
        cells += [f"{s['age_days']} d" if s["age_days"] is not None else "", f"{int(s['rows']):,}"]
        cells += [f"{s['rows_added']:,}"] if with_added else []
        cells += [f"{s['rows_quarantined']:,}"] if quarantined else []
        table.add_row(*cells)
    return table


def _without_figures(content: dict[str, Any]) -> dict[str, list[str]]:
    """Publishers that have brought nothing yet, by the reason."""
    found: dict[str, list[str]] = {}
    for s in content["sources"]:
        if not s["rows"]:
            found.setdefault(s["how"], []).append(s["source_id"])
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def figure(value: Any) -> str:
    """A number as people read it: billions for large ones, two to four significant decimals otherwise."""
    if value is None:
        return "missing"
    if isinstance(value, float) and abs(value) >= 1e9:
        return f"{value / 1e9:,.1f} bn"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _coloured(verdict: str) -> str:
    colour = {"supported": "green", "contradicted": "red", "mixed": "yellow"}.get(verdict, "dim")
    return f"[{colour}]{verdict}[/]"


def show_next_steps(console: Console, settings: Settings) -> None:
    console.print("\n[bold]Next[/]")
    console.print("  make ui                         the Dagster UI and the weekday schedule, on this machine only")
    console.print("  .venv/bin/metals status -v      the same with every reason in full")
    console.print(f'  .venv/bin/metals sql "{escape(FIRST_QUERY)}"', soft_wrap=True, highlight=False)
    console.print("  docs/queries/                   worked queries")


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the published tables and views, in alphabetical order."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = 'main' and table_catalog = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def export(connection: duckdb.DuckDBPyConnection, what: str, target: Path) -> tuple[int, list[str]]:
    """Write a table or a query's answer to `target` (.parquet or .csv), beside it first and then renamed.

    Returns the number of rows and the titles of publishers in the warehouse whose figures may not be passed on. A
    Parquet file carries what was asked, the as-of date and the credit lines of all publishers. Raises duckdb.Error for
    what cannot be asked, OSError for what cannot be written.
    """
    query = f'from "{what}"' if what in tables(connection) else what.strip().rstrip(";")
    held = warehouse.query(
        connection,
        "select title, credit, licence_class from raw.catalog_source "
        "where source_id in (select source_id from raw.coverage where rows > 0) order by title",
    ).to_dicts()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    options = f"format {EXPORT_FORMATS[target.suffix]}"
    if target.suffix == ".parquet":
        as_of = warehouse.one(connection, "select max(as_of) from raw.build where succeeded")
        said = {
            "metals_query": query,
            "metals_as_of": f"{as_of[0]}" if as_of else "",
            "metals_credits": "; ".join(s["credit"] for s in held),
        }
        options += ", kv_metadata {" + ", ".join(f"{k}: '{_quoted(v)}'" for k, v in said.items()) + "}"
    try:
        rows = connection.execute(f"copy ({query}) to '{_quoted(part)}' ({options})").fetchall()
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    own_use = [s["title"] for s in held if s["licence_class"] == LicenceClass.PERSONAL_USE.value]
    return int(rows[0][0]), own_use


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")


def explain(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[str]:
    """Lines that lead from a published row to the payloads behind it; empty when there is no such row."""
    rows = warehouse.query(
        connection,
        """
        select l.*, p.source_id, p.publisher, p.url, p.retrieved_at, p.origin, p.licence
        from lineage as l
        left join raw.payload as p on l.payload_id = p.payload_id
        where l.table_name = ? and replace(l.row_key, '|', ' ') = ?
        order by l.input_id, l.first_period, p.retrieved_at
        """,
        [table, " ".join(key.replace("|", " ").split())],
    ).to_dicts()
    lines = [f"[bold]{escape(table)}[/] {escape(key)}"] if rows else []
    for r in rows:
        span = (
            f"{r['first_period']} to {r['last_period']}" if r["first_period"] != r["last_period"] else r["last_period"]
        )
        if str(r["payload_id"]).startswith(SEED_PREFIX):
            # Entered by hand: the citation is what there is, and the table it stands in tells the rest.
            origin = f"reference table {r['payload_id'].removeprefix(SEED_PREFIX)}, which cites it"
        elif str(r["payload_id"]).startswith(CATALOG_PREFIX):
            origin = f"catalogue, pipelines/catalog/{r['payload_id'].removeprefix(CATALOG_PREFIX)}"
        else:
            origin = (
                f"payload {r['payload_id']} ({r['origin']}, retrieved {r['retrieved_at']:%Y-%m-%d})\n"
                f"    {escape(str(r['publisher']))}, {escape(str(r['licence']))}, {escape(str(r['url'] or ''))}"
            )
        dated = f", {span}" if span else ""
        lines.append(f"  {escape(str(r['input_id']))}: {r['rows']} row(s){dated}\n    {origin}")
    return lines


def diagnose(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    """What `metals doctor` looks at: name, whether it is well, what was found."""
    tracked: Catalog | None = None
    try:
        tracked = catalog.load(settings.catalog_dir)
        yield "catalogue", True, f"{len(tracked.sources)} publishers, {len(tracked.series)} series"
    except MetalsError as error:
        yield "catalogue", False, str(error)
    contact = "example.org" not in settings.contact
    yield (
        "contact",
        contact,
        settings.contact if contact else "METALS_CONTACT is not set; the SEC asks for a name and e-mail in it",
    )
    folder = settings.warehouse_dir
    writable = folder.exists() and folder.is_dir()
    yield "warehouse folder", writable, str(folder)
    if settings.published_path.exists():
        try:
            with warehouse.reader(settings) as connection:
                row = warehouse.one(connection, "select max(as_of) from raw.build where succeeded")
            yield "published file", True, f"opens; as of {row[0] if row else None}"
        except duckdb.Error as error:
            yield "published file", False, str(error)
    else:
        yield "published file", False, "not there yet; run `metals run`"
    yield "FRED", True, "on" if settings.fred else "switched off (METALS_FRED=false)"
    yield "keys", True, " ".join(_keys(tracked, settings))


def _keys(tracked: Catalog | None, settings: Settings) -> Iterator[str]:
    """A sentence per publisher that needs a key of the user's, and one on those that could be read with one."""
    for source in tracked.sources.values() if tracked else ():
        if source.key is not None:
            variable = setting_variable(source.key)
            if getattr(settings, source.key) is None:
                yield f"{variable} is not set, so {source.title} is not asked; it is optional."
            else:
                yield f"{variable} is set, so {source.title} is asked."
    yield "The interfaces of FRED, Ember, EIA and BEA that want a key are not used."


def next_release(series: Series, newest: date, step_days: int = 1) -> date:
    """Day on which the period after `newest` (its first day) is out: its end plus the publication lag.

    A daily figure is next of the following weekday; where figures of single days come `step_days` days apart (weekly
    reports), of so many days later.
    """
    following = series.period_end(newest) + timedelta(days=1)
    if series.frequency is Frequency.DAILY:
        following = newest + timedelta(days=step_days)
        while step_days == 1 and following.weekday() >= 5:
            following += timedelta(days=1)
    return series.period_end(following) + timedelta(days=series.publication_lag_days)


def periods(settings: Settings) -> dict[tuple[str, str], tuple[date, int]]:
    """(source, series): newest period and days between two periods, from the published file; empty without one."""
    if not settings.published_path.exists():
        return {}
    try:
        with warehouse.reader(settings) as connection:
            rows = connection.execute(_PERIODS).fetchall()
    except duckdb.Error:
        return {}  # `diagnose` says that and why the file cannot be read
    return {(source, series): (newest, step) for source, series, newest, step in rows}


def expected(source: Source, tracked: Catalog, known: dict[tuple[str, str], tuple[date, int]]) -> str:
    """The earliest next release over the series of a source, as text; empty where no period of any is known."""
    series = tracked.series_of(source.id)
    if not series:
        return _RELEASES_WITHOUT_SERIES.get(source.id, "daily")
    days = [next_release(s, *known[source.id, s.id]) for s in series if (source.id, s.id) in known]
    return str(min(days)) if days else ""


def sources_table(settings: Settings) -> Table:
    """Every publisher: can it be reached, on what terms, how often it is asked, what came last and what comes next.

    From the catalogue, the landing journal and the published file; fits 120 columns.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
        caption="Terms in full: docs/data_dictionary.md. A next release in the past is late, or not asked for since.",
        caption_justify="left",
    )
    table.add_column("publisher")  # this one and the last take what width is left
    table.add_column("reachable", max_width=16)
    table.add_column("key", no_wrap=True)
    table.add_column("terms", max_width=13)
    for column in ("cadence", "last\nanswer", "newest\nperiod", "next\nrelease"):
        table.add_column(column, no_wrap=True)
    table.add_column("last failure")
    try:
        tracked = catalog.load(settings.catalog_dir)
    except MetalsError:
        return table  # `diagnose` says what is wrong with it
    landing = Landing(settings.landing_dir)
    known = periods(settings)
    answers = reachable(tracked.sources.values(), settings)
    for source in tracked.sources.values():
        checks = landing.checks(source.id)
        good = [c for c in checks if c.outcome in ("fresh", "unchanged")]
        bad = [c for c in checks if c.outcome == "failed"]
        newest = [period for (source_id, _), (period, _) in known.items() if source_id == source.id]
        table.add_row(
            escape(source.title),
            escape(answers[source.id]),
            _key(source, settings),
            TERMS[source.licence_class],
            f"{source.cadence_hours:g} h",
            f"{good[-1].checked_at:%Y-%m-%d}" if good else "never",
            str(max(newest)) if newest else "",
            expected(source, tracked, known),
            escape(f"{bad[-1].checked_at:%Y-%m-%d} {_brief(bad[-1].error or '', source)}") if bad else "",
        )
    return table


def _key(source: Source, settings: Settings) -> str:
    if source.key is None:
        return "none"
    return "not set" if getattr(settings, source.key) is None else "set"


def _brief(error: str, source: Source) -> str:
    """An error of `source` without what its row says already (source, host), cut to 40 characters."""
    text = re.sub(r"^\[[^\]]*\] ", "", error)
    for host in source.hosts:
        text = text.removeprefix(f"{host} ")
    return shorten(text, 40, placeholder="…")
