"""The summary that `metals run` and `metals status` print, read from the published file.

Reads and formats only; every figure shown is a cell of a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any

import duckdb
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines import landing, view, warehouse
from pipelines.catalog import Frequency, period_label
from pipelines.errors import PublishedUnreadable
from pipelines.landing import messages
from pipelines.settings import Settings

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
faulted as (
    select source_id, arg_max(error, checked_at) as last_fault
    from raw.retrieval
    where outcome in ('failed', 'blocked') and error is not null
    group by source_id
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
    f.last_fault,
    c.checked_at as last_checked_at, s.licence, s.cadence_hours, s.unofficial,
    coalesce(j.requests_fresh, 0) as requests_fresh, coalesce(j.requests_taken, 0) as requests_taken,
    coalesce(j.requests_refused, 0) as requests_refused, coalesce(j.requests_waiting, 0) as requests_waiting
from raw.catalog_source as s
left join dated as d on s.source_id = d.source_id
left join answered as a on s.source_id = a.source_id
left join quarantined as q on s.source_id = q.source_id
left join checked as c on s.source_id = c.source_id
left join faulted as f on s.source_id = f.source_id
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
    return warehouse.rows(connection, _SOURCES)


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
        flips = _rows(connection, "select * from audit.verdict_flips")
        divergences = _rows(connection, "select * from audit.divergence_changes")
        return {
            "as_of": warehouse.as_of(connection) or settings.as_of_date(),
            "published": str(settings.published_path),
            "brief": str(settings.brief_path) if settings.brief_path.exists() else None,
            "sources": found,
            "reach": reach([] if settings.as_of else found, outcomes),  # a past day fetches nothing
            "view": view.as_text(partial(_rows, connection)),
            "drivers": list(_drivers(connection)),
            "claims": _rows(
                connection,
                "select claim_id, name, title, verdict, last_verdict, last_verdict_on, decidable_until, "
                "decisive_supporting, decisive_contradicting, decisive_indicators, because from claim_verdicts "
                "order by claim_id",
            ),
            "failed_checks": _rows(
                connection, "select check_name, is_blocking, said, examples from audit.finding where not passed"
            ),
            "verdict_flips": flips,
            "divergence_changes": divergences,
            "held_back": warehouse.held_back(settings),
            "messages": [] if settings.as_of else messages.last(settings),
        }


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    try:
        return warehouse.rows(connection, query)
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
    """Print the summary, one screen: how current it is, the view, the claims, failed checks.

    `verbose` adds the publishers, failed requests, drivers, and reasons and examples in full.
    """
    print_summary(console, as_dict(settings, outcomes, before), with_added=before is not None, verbose=verbose)


def print_summary(console: Console, content: dict[str, Any], *, with_added: bool, verbose: bool) -> None:
    """Print what `as_dict` returned."""
    if content["held_back"]:
        held = f"[bold red]not published[/] A later build failed or was blocked, {escape(content['held_back'])}"
        _line(console, held)
    _line(console, f"[bold]Known as of {content['as_of']}[/]: {_extent(content['sources'])}")
    for sent in content["messages"]:
        if verbose or sent["outcome"] != "delivered":
            _line(console, f"[yellow]{escape(sent['said'])}[/] [dim]{sent['at']:%Y-%m-%d %H:%M} UTC[/]")
    for said in _reach(content, verbose=verbose):
        _line(console, f"[yellow]{escape(said)}[/]")
    console.print()
    for name, said in content["view"].items():
        _line(console, f"[bold]{VIEW[name]}[/]  {escape(said)}")
    console.print()
    console.print(_claims(content["claims"]))
    if verbose:
        console.print()
        for c in content["claims"]:
            last = (
                ""
                if c["last_verdict"] in (None, c["verdict"])
                else f" Last {c['last_verdict']} on {c['last_verdict_on']}."
            )
            _line(console, f"[bold]{c['claim_id']} {escape(c['title'])}[/]  {escape((c['because'] or '') + last)}")
        for c in content["divergence_changes"]:
            states = f"{c['state_before'] or 'none'} -> {c['state_after'] or 'none'}"
            _line(console, f"[bold]{escape(c['divergence_id'])} {escape(c['subject'])}[/] changed: {states}")
        console.print(_publishers(content, with_added))
        for why, names in _without_figures(content).items():
            _line(console, f"[dim]{escape(why)}:[/] {escape(', '.join(names))}")
        console.print(_drivers_table(content))
    console.print()
    _failed_checks(console, content["failed_checks"], verbose=verbose)
    _line(console, "[dim]None of this is investment advice.[/]")


VIEW = {"moved": "Moved  ", "drives": "Drivers", "changed": "Changed"}
SHOWN, CHECKS_SHOWN = 4, 2  # publishers with a fault, and failed checks, that the screen names; -v names all


def _line(console: Console, markup: str) -> None:
    """A sentence: wrapped at words on a terminal, one line in a file or a pipe."""
    console.print(markup, soft_wrap=not console.is_terminal, highlight=False)


def _extent(found: list[dict[str, Any]]) -> str:
    held = [s for s in found if s["rows"]]
    if not held:
        return f"no figure of {len(found)} publishers"
    ends = [s["last_period_end"] for s in held if s["last_period_end"]]
    return f"figures of {len(held)} of {len(found)} publishers" + (f", newest {max(ends)}" if ends else "")


def reach(found: list[dict[str, Any]], outcomes: Outcomes) -> dict[str, Any]:
    """How many publishers were tried and reached, whether nothing was fetched on purpose, and each fault's reason.

    From this run's outcomes; without any, from each publisher's last request.
    """
    names = {s["source_id"]: set(outcomes.get(s["source_id"], ())) for s in found}
    if not outcomes:
        names = {s["source_id"]: {s["last_outcome"]} - {None} for s in found}
    tried = [s for s in found if names[s["source_id"]] & set(landing.TRIED)]
    faults, unreached = {}, 0
    for s in found:
        error = s["last_fault"] if names[s["source_id"]] & {"failed", "blocked"} else None
        unreached += bool(error and landing.is_unreached(error) and not names[s["source_id"]] & set(landing.REACHED))
        if s in tried and (error or s["requests_refused"] or s["requests_waiting"]):
            faults[s["source_id"]] = error or s["how"]
    return {
        "tried": len(tried),
        "reached": len(tried) - unreached,
        "offline": bool(outcomes) and not tried and any("offline" in found for found in names.values()),
        "faults": faults,
    }


def _reach(content: dict[str, Any], *, verbose: bool) -> Iterator[str]:
    """What was not fetched, in a line if that was everything, otherwise a line per publisher with its reason."""
    told, faults = content["reach"], content["reach"]["faults"]
    held = [s for s in content["sources"] if s["rows"] and s["last_period_end"]]
    kinds = sorted({s["how"].partition(" ")[0] for s in held if s["how"].startswith(("kept", "bundled"))})
    ends = f"the {' and '.join(kinds)} figures end on {max(s['last_period_end'] for s in held)}" if kinds else ""
    ends = ends or "there are no figures of before"
    if told["offline"]:
        yield f"No publisher was asked (offline): {ends}."
    if told["tried"] > 1 and not told["reached"]:
        causes = ", ".join(Counter(landing.cause(error) for error in faults.values()))
        yield f"No publisher was reached ({told['tried']} tried: {causes}); {ends}."
        if not verbose:
            return
    shown = list(faults.items()) if verbose else list(faults.items())[:SHOWN]
    how = {s["source_id"]: s["how"] for s in content["sources"]}
    for name, error in shown:
        said = landing.plain(error)
        yield f"{name}: {how[name]}" + (f": {said}" if said != how[name] else "")
    if len(faults) > len(shown):
        yield f"and {len(faults) - len(shown)} more publishers with a fault (metals status -v)"


def _claims(claims: list[dict[str, Any]]) -> Table:
    """A line per claim: its verdict, and how many of its decisive indicators are for and against."""
    table = _table("", "claim", "verdict", "for>", "against>", "all>")
    table.show_edge = False
    table.padding = (0, 0)  # the rule's blanks part the columns: eighty characters hold the longest verdict
    for c in claims:
        pro, contra, of = c["decisive_supporting"], c["decisive_contradicting"], c["decisive_indicators"]
        said = _coloured(c["verdict"])
        if c["last_verdict"] and c["verdict"] != c["last_verdict"]:
            said += f"[dim], was {c['last_verdict']}[/]"  # its day would not fit into the line; `-v` has it
        table.add_row(f"{c['claim_id']} {escape(c['title'])}", said, *map(str, (pro, contra, of)))
    return table


def _failed_checks(console: Console, checks: list[dict[str, Any]], *, verbose: bool) -> None:
    ordered = sorted(checks, key=lambda c: ("overridden: " not in c["said"], not c["is_blocking"]))
    for check in ordered if verbose else ordered[:CHECKS_SHOWN]:
        effect = "blocks" if check["is_blocking"] else "does not block"
        _line(console, f"check {check['check_name']} [yellow]failed[/] ({effect}): {escape(check['said'])}")
        for example in (check["examples"] or []) if verbose else []:
            _line(console, f"  [dim]{escape(example)}[/]")
    if len(ordered) > CHECKS_SHOWN and not verbose:
        _line(console, f"[dim]and {len(ordered) - CHECKS_SHOWN} more failed checks (metals status -v)[/]")


def _drivers_table(content: dict[str, Any]) -> Table:
    table = _table(f"Drivers, newest figure, as of {content['as_of']}", "driver", "figure", "period", "value>")
    for d in content["drivers"]:
        table.add_row(d["driver"], d["figure"], d["label"] or "", figure(d["value"]))
    return table


def _table(title: str, *columns: str) -> Table:
    """A table in the common style; a column whose name ends in > is right-aligned."""
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, 1)
    for name in columns:
        table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left", overflow="fold")
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
    return f"[{colour}]{verdict.replace('_', ' ')}[/]"


def show_next_steps(console: Console, settings: Settings) -> None:
    console.print("\n[bold]Next[/]")
    console.print("  make ui                         the Dagster UI and the weekday schedule")
    console.print("  .venv/bin/metals status -v      publishers, drivers, reasons in full")
    console.print("  .venv/bin/metals claims C6      a claim with its evidence and rules", highlight=False)
    console.print("  docs/queries/                   worked queries")
