"""The summary that `metals run` and `metals status` print, read from the published file.

Reads and formats only; every figure shown is a cell of a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines import warehouse
from pipelines.catalog import Frequency, period_label
from pipelines.errors import PublishedUnreadable
from pipelines.settings import Settings

FIRST_QUERY = "select claim_id, verdict, because from claim_verdicts order by claim_id"
# The drivers of the summary: table, its column of order, frequency and first day of the figures' period, figures.
DRIVERS = (
    ("driver_fiscal", "month", Frequency.MONTHLY, "month", ("deficit_12m_pct_gdp", "deficit_12m_change_pp")),
    ("driver_fiscal", "month", Frequency.US_FISCAL_YEAR, "make_date(fiscal_year - 1, 10, 1)", ("deficit_fy_pct_gdp",)),
    (
        "driver_ai_capex_aggregate", "calendar_quarter", Frequency.QUARTERLY, "calendar_quarter",
        ("capex_usd", "capex_ttm_usd", "like_for_like_yoy_pct"),
    ),
    (
        "driver_china_cycle", "month", Frequency.MONTHLY, "month",
        ("ppi_yoy_pct", "m1_m2_gap_pp", "exports_yoy_pct"),
    ),
    (
        "driver_monetary", "month", Frequency.MONTHLY, "month",
        ("fed_funds_pct", "real_10y_yield_pct", "broad_dollar_index"),
    ),
)  # fmt: skip
# By publisher, the number of its requests in this run by retrieval outcome.
Outcomes = Mapping[str, Mapping[str, int]]
_SOURCES = """
with dated as (
    select
        source_id, max(last_period) as last_period,
        sum(rows_added + rows_changed + coalesce(rows_refined, 0)) as rows
    from raw.coverage
    group by source_id
),
answered as (select distinct source_id from raw.retrieval where outcome = 'fresh'),
-- What each request came to last, and whether its newest payload was taken; requests of earlier versions are left out.
requests as (
    select
        source_id,
        arg_max(outcome, checked_at) as outcome,
        arg_max(outcome, checked_at) filter (where outcome in ('fresh', 'refused', 'waiting')) as judgement,
        max(max(checked_at)) over (partition by source_id) - max(checked_at) as ago
    from raw.retrieval
    group by source_id, request_key
    qualify ago < interval 90 days
),
judged as (
    select
        source_id,
        count(*) filter (where outcome = 'fresh') as requests_fresh,
        count(*) filter (where judgement = 'fresh') as requests_taken,
        count(*) filter (where judgement = 'refused') as requests_refused,
        count(*) filter (where judgement = 'waiting') as requests_waiting
    from requests
    group by source_id
),
quarantined as (select source_id, count(*) as rows_quarantined from raw.quarantine group by source_id),
checked as (
    select source_id, outcome, error, checked_at from raw.retrieval
    qualify row_number() over (
        partition by source_id order by checked_at desc, outcome in ('failed', 'blocked') desc
    ) = 1
)
select
    s.source_id, s.title, d.last_period, coalesce(d.rows, 0) as rows, a.source_id is not null as ever_answered,
    coalesce(q.rows_quarantined, 0) as rows_quarantined, c.outcome as last_outcome, c.error as last_error,
    c.checked_at as last_checked_at, s.licence, s.cadence_hours, s.unofficial,
    coalesce(j.requests_fresh, 0) as requests_fresh, coalesce(j.requests_taken, 0) as requests_taken,
    coalesce(j.requests_refused, 0) as requests_refused, coalesce(j.requests_waiting, 0) as requests_waiting
from raw.catalog_source as s
left join dated as d on s.source_id = d.source_id
left join answered as a on s.source_id = a.source_id
left join quarantined as q on s.source_id = q.source_id
left join checked as c on s.source_id = c.source_id
left join judged as j on s.source_id = j.source_id
order by s.source_id
"""


def retrieval_outcome(outcomes: Collection[str], source: dict[str, Any]) -> str:
    """Retrieval outcome of a publisher in a few words: fresh, unchanged, kept (from earlier), bundled, nothing yet.

    `outcomes` are those of this run's requests; if there are none, the outcome of the last request counts.
    """
    names = set(outcomes or ([source["last_outcome"]] if source["last_outcome"] else []))
    # The publisher answered; whether its answer was taken is another matter.
    names |= {n for n in ("refused", "waiting") if source[f"requests_{n}"]}
    names -= set() if source["requests_fresh"] else {"fresh"}
    names -= set() if source["requests_taken"] else {"fresh", "unchanged"}
    held = ("kept" if source["ever_answered"] else "bundled") if source["rows"] else "nothing yet"
    for answered in ("fresh", "unchanged"):
        if answered in names:
            parts = (n for n in ("failed", "blocked", "refused", "waiting") if n in names)
            return ", ".join([answered, *(f"part {n}" for n in parts)])
    reasons = {
        "blocked": "blocked by the publisher",
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
    """Rows of each publisher in the published file, to show what a run adds; empty before the first publication."""
    if not settings.published_path.exists():
        return {}
    try:
        with warehouse.reader(settings) as connection:
            return {s["source_id"]: int(s["rows"]) for s in sources(connection)}
    except (duckdb.Error, PublishedUnreadable):
        return {}


def as_dict(settings: Settings, outcomes: Outcomes, before: dict[str, int] | None = None) -> dict[str, Any]:
    """The whole summary as plain data."""
    with warehouse.reader(settings) as connection:
        found = sources(connection)
        query = "select source_id, max(last_period_end) as ended from data_freshness group by source_id"
        ended = {row["source_id"]: row["ended"] for row in _rows(connection, query)}
        for source in found:
            source["how"] = retrieval_outcome(outcomes.get(source["source_id"], {}), source)
            source["rows_added"] = int(source["rows"]) - (before or {}).get(source["source_id"], 0)
            # Series: days since the end of the newest period; filings and documents: days since the newest.
            last: date | None = ended.get(source["source_id"]) or source["last_period"]
            source["age_days"] = (settings.as_of_date() - last).days if last else None
            source["last_period_end"] = last
        return {
            "as_of": warehouse.as_of(connection) or settings.as_of_date(),
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
            "held_back": warehouse.held_back(settings),
        }


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    try:
        return warehouse.query(connection, query).to_dicts()
    except duckdb.CatalogException:
        return []


def _drivers(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    for table, by, frequency, period, figures in DRIVERS:
        for figure in figures:
            rows = _rows(
                connection,
                f'select {period} as period, "{figure}" as value from {table} where "{figure}" is not null '
                f'order by "{by}" desc limit 1',
            )
            found = rows[0] if rows else {"period": None, "value": None}
            label = period_label(found["period"], frequency) if rows else None
            yield {"driver": table, "figure": figure, "label": label, **found}


def show(
    console: Console,
    settings: Settings,
    outcomes: Outcomes,
    before: dict[str, int] | None = None,
    *,
    verbose: bool = False,
) -> None:
    """Print the summary: publishers, drivers, claims, failed checks. `verbose` shows reasons and examples in full."""
    content = as_dict(settings, outcomes, before)
    console.print(_publishers(content, before is not None))
    for why, names in _without_figures(content).items():
        console.print(f"[dim]{escape(why)}:[/] {escape(', '.join(names))}", highlight=False)

    table = _table(f"Drivers, newest figure, as of {content['as_of']}", "driver", "figure", "period", "value>")
    for d in content["drivers"]:
        table.add_row(d["driver"], d["figure"], d["label"] or "", figure(d["value"]))
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
        console.print(f"[bold red]not published[/] A later build failed or was blocked, {escape(content['held_back'])}")
    for check in content["failed_checks"]:
        console.print(f"[yellow]check[/] {check['check_name']}: {escape(check['said'])}", highlight=False)
        examples = check["examples"] or []
        for example in examples if verbose else examples[:3]:
            console.print(f"  [dim]{escape(example)}[/]", highlight=False)
        if len(examples) > 3 and not verbose:
            console.print(f"  [dim]and {len(examples) - 3} more (metals status -v)[/]", highlight=False)
    console.print("[dim]None of this is investment advice.[/]")


# Characters that the table of claims needs without its reasons, and the least to which a reason is cut: `-v` and the
# table claim_verdicts have them in full.
WIDTH_BEFORE_REASONS = 80
MIN_WIDTH_OF_REASONS = 40


def _table(title: str, *columns: str) -> Table:
    """A table in the common style; a column whose name ends in > is right-aligned."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1)
    for name in columns:
        table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left")
    return table


def _publishers(content: dict[str, Any], with_added: bool) -> Table:
    """The publishers that have figures."""
    quarantined = any(s["rows_quarantined"] for s in content["sources"])
    columns = ["publisher", "figures", "newest period ends", "age today>", "rows>"]
    columns += ["added>"] if with_added else []
    columns += ["quarantined>"] if quarantined else []
    table = _table(f"Publishers with figures, as of {content['as_of']}", *columns)
    for s in content["sources"]:
        if not s["rows"]:
            continue
        cells = [s["source_id"], escape(s["how"]), f"{s['last_period_end'] or ''}"]
        cells += [f"{s['age_days']} d" if s["age_days"] is not None else "", f"{int(s['rows']):,}"]
        cells += [f"{s['rows_added']:,}"] if with_added else []
        cells += [f"{s['rows_quarantined']:,}"] if quarantined else []
        table.add_row(*cells)
    return table


def _without_figures(content: dict[str, Any]) -> dict[str, list[str]]:
    """Publishers without figures, by reason."""
    found: dict[str, list[str]] = {}
    for s in content["sources"]:
        if not s["rows"]:
            found.setdefault(s["how"], []).append(s["source_id"])
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def figure(value: Any) -> str:
    """A number for display: in billions if large, otherwise with two decimals."""
    if value is None:
        return "missing"
    if isinstance(value, float) and abs(value) >= 1e9:
        return f"{value / 1e9:,.1f} bn"
    return f"{value:z,.2f}" if isinstance(value, float) else str(value)


def _coloured(verdict: str) -> str:
    colour = {"supported": "green", "contradicted": "red", "mixed": "yellow"}.get(verdict, "dim")
    return f"[{colour}]{verdict}[/]"


def show_next_steps(console: Console, settings: Settings) -> None:
    console.print("\n[bold]Next[/]")
    console.print("  make ui                         the Dagster UI and the weekday schedule, on this machine only")
    console.print("  .venv/bin/metals status -v      the same with every reason in full")
    console.print(f'  .venv/bin/metals sql "{escape(FIRST_QUERY)}"', soft_wrap=True, highlight=False)
    console.print("  docs/queries/                   worked queries")
