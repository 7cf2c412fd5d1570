"""What `metals claims`, `metals why` and `metals next` print, each on one screen, read from the published file.

Reads and formats only; every figure shown is a cell of a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from pipelines import view, warehouse
from pipelines.reporting.rows import shown

LETTERS = {"supported": "S", "contradicted": "C", "mixed": "M", "undetermined": "u", "no_data": "."}
COLOURS = {"supported": "green", "supports": "green", "contradicted": "red", "contradicts": "red", "mixed": "yellow"}
COMPARISONS = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most", "between": "between"}
UNITS = {"pct": "%", "pp": "points"}

CLAIMS = """
select
    v.*,
    (
        select list(h.verdict order by h.as_of) from claim_verdict_history as h
        where h.claim_id = v.claim_id and h.as_of > (select max(as_of) - interval 1 year from claim_verdict_history)
    ) as months
from claim_verdicts as v
order by array_position(['C', 'D', 'S'], left(claim_id, 1)), claim_id
"""
EVIDENCE = """
select * from claim_evidence where claim_id = ?
order by role <> 'decisive', array_position(['supports', 'contradicts', 'neutral'], reading) nulls last, indicator
"""
TITLES = "select claim_id, title from claim_verdicts where claim_id in (select unnest(?)) order by claim_id"
SCORE = "select * from claim_score_summary where claim_id = ?"
PRICE = """
select *, 100 * (exp(return_1m_log) - 1) as return_1m_pct
from metal_prices where metal_id = ? and frequency = 'monthly' and price_native is not null
order by period desc limit 1
"""
COMPOSITE = """
select
    c.*,
    (
        select string_agg(o.metal_id, ', ' order by o.metal_id) from driver_composites as o
        where o.month = c.month and o.composite = c.composite and o.metal_id <> c.metal_id
    ) as shared_with
from driver_composites as c where c.metal_id = ? and c.composite is not null order by c.month desc limit 1
"""
SCORES = (
    "select * from driver_scores where metal_id = ? and month = ? order by abs(contribution) desc nulls last, driver_id"
)
ATTRIBUTION = "select * from metal_attribution where metal_id = ? and gap_reason is null order by month desc limit 1"
DIVERGENCE = "select * from divergences where divergence_id = 'price_driver' and subject = ?"
PERIODS = {"monthly": "%b %Y", "quarterly": "%b %Y", "annual": "%Y"}  # others are days
GROUP, SHARE = "contribution_", "share_"


def claims(connection: duckdb.DuckDBPyConnection) -> Iterator[RenderableType]:
    """All claims: today's verdict, the last one that was given, and the month ends of a year, oldest first."""
    found = warehouse.rows(connection, CLAIMS)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("claim", "", "verdict", "last given", "a year"):
        table.add_column(heading, no_wrap=heading != "")
    for row in found:
        last = f"{_word(row['last_verdict'])}, {row['last_verdict_on']}" if row["last_verdict_on"] else "never"
        strip = "".join(LETTERS[verdict] for verdict in row["months"] or [])
        own = " [dim](your own)[/]" if row["defined_in"] == "overlay" else ""
        table.add_row(row["claim_id"], escape(row["title"]) + own, _coloured(row["verdict"]), last, strip)
    yield table
    yield "a year of month ends: " + ", ".join(f"{letter} {_word(verdict)}" for verdict, letter in LETTERS.items())
    yield "[dim]one claim: metals claims C5; what the words mean: docs/claims.md[/]"


def claim(connection: duckdb.DuckDBPyConnection, claim_id: str) -> Iterator[RenderableType]:
    """One claim: its statement, verdict, history and evidence with the rule of each indicator; nothing if unknown."""
    for row in warehouse.rows(connection, CLAIMS):
        if row["claim_id"] != claim_id.upper():
            continue
        yield f"[bold]{row['claim_id']} {escape(row['title'])}[/]: {_coloured(row['verdict'])} on {row['as_of']}"
        yield escape(row["statement"])
        if row["lines"]:
            yield f"judged apart: {escape(_word(row['lines']))}"
        if row["verdict"] != row["last_verdict"] and row["last_verdict_on"]:
            yield f"last given on {row['last_verdict_on']}: {_coloured(row['last_verdict'])}"
        if row["decidable_until"]:
            yield f"its evidence counts until {row['decidable_until']}"
        if row["months"]:
            yield f"month ends of a year: {''.join(LETTERS[verdict] for verdict in row['months'])}"
        yield from _score(_first(connection, SCORE, row["claim_id"]))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        evidence = warehouse.rows(connection, EVIDENCE, [row["claim_id"]])
        for e in evidence:
            aside = "" if e["role"] == "decisive" else "[dim](aside)[/] "
            said = escape(e["finding"] or f"no figure: {_word(e['indicator'])}")
            old = " [yellow](too old)[/]" if e["is_stale"] else ""  # the finding has its age
            table.add_row(_coloured(e["reading"] or "missing"), f"{aside}{said}{old} [dim]rule: {escape(_rule(e))}[/]")
        yield table
        table_of_rows = next(((e["source_table"], e["source_key"]) for e in evidence if e["source_key"]), None)
        if table_of_rows:
            yield f"[dim]where a figure is from: metals explain {table_of_rows[0]} '{escape(table_of_rows[1])}'[/]"
        own = row["defined_in"] == "overlay"
        where = "claims.yaml of your overlay" if own else f"docs/claims.md#{row['claim_id'].lower()}"
        yield f"[dim]the rule and its reasons: {where}[/]"


def _score(score: dict[str, Any] | None) -> Iterator[str]:
    """How often the past verdicts of a claim were followed by what they said, or why that is not counted."""
    if score is None:
        return
    if not score["is_scored"]:
        yield escape(score["reason"])
        return
    yield escape(
        f"{_counted(score['hits'], 'hit', 'hits')}, {_counted(score['misses'], 'miss', 'misses')} "
        f"{score['horizon_months']} months after a verdict ({score['says_of_the_future']}); "
        f"{score['not_yet']} not yet, {score['no_call']} month ends without a call"
    )


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _rule(evidence: dict[str, Any]) -> str:
    """The bar that an indicator has to pass, in its unit; the whole of its band where it has one."""
    limits = [shown(evidence[k]) for k in ("threshold", "threshold_high") if evidence[k] is not None]
    said = f"{COMPARISONS.get(evidence['comparison'], evidence['comparison'])} {' and '.join(limits)}"
    against = evidence["contradiction_threshold"]
    opposite = {"gt": "at or below", "gte": "below", "lt": "at or above", "lte": "above"}.get(evidence["comparison"])
    if opposite and evidence["value_low"] is not None and evidence["value_high"] is not None:
        if against is not None:
            opposite = "at or " + opposite.removeprefix("at or ")
        said = f"whole band {said}, against whole band {opposite} {limits[0] if against is None else shown(against)}"
    elif against is not None:
        said += f", against from {shown(against)}"
    return f"{said} {UNITS.get(evidence['unit'], _word(evidence['unit']))}"


def why(connection: duckdb.DuckDBPyConnection, metal_id: str) -> Iterator[RenderableType]:
    """One metal: its newest price, its drivers with what each adds, and what the past attributes to them."""
    for metal in warehouse.rows(connection, "from metals where metal_id = ?", [metal_id]):
        yield f"[bold]{escape(metal['name'])}[/]"
        yield from _price(_first(connection, PRICE, metal_id))
        yield from _drivers(connection, _first(connection, COMPOSITE, metal_id), metal_id)
        if gap := _first(connection, DIVERGENCE, metal_id):
            stale = f" ({gap['age_days']} days old)" if gap["is_stale"] else ""
            yield (
                f"price against drivers, {gap['period_label']}{stale}: {_word(gap['state'])}, "
                f"price {gap['left_value']:+.2f}, drivers {gap['right_value']:+.2f} standard deviations"
            )
        yield from _attribution(_first(connection, ATTRIBUTION, metal_id))
        yield "[dim]the figures: metals sql docs/queries/drivers_by_metal.sql; the method: docs/methods/scores.md[/]"


def _first(connection: duckdb.DuckDBPyConnection, query: str, key: str) -> dict[str, Any] | None:
    return next(iter(warehouse.rows(connection, query, [key])), None)


def _price(price: dict[str, Any] | None) -> Iterator[str]:
    if price is None:
        yield "no monthly price"
        return
    changes = [
        f"{price[column]:+.1f} % on the {period}"
        for column, period in (("return_1m_pct", "month"), ("return_12m_pct", "year"))
        if price[column] is not None
    ]
    said = [f"{price['price_native']:,.2f} {_word(price['native_unit'])}", *changes]
    if price["realised_volatility_12m_annualised_pct"] is not None:
        said.append(f"volatility {price['realised_volatility_12m_annualised_pct']:.0f} % a year")
    if price["realised_volatility_12m_percentile"] is not None:
        said[-1] += f", percentile {price['realised_volatility_12m_percentile']:.0f}"
    yield f"{price['period']:%b %Y}: {', '.join(said)}"


def _drivers(
    connection: duckdb.DuckDBPyConnection, composite: dict[str, Any] | None, metal_id: str
) -> Iterator[RenderableType]:
    if composite is None:
        scored = _first(connection, "select 1 from driver_composites where metal_id = ? limit 1", metal_id)
        yield "no composite: too few drivers are known" if scored else "no driver is scored for it"
        return
    parts = {
        _word(key.removeprefix(GROUP)): value
        for key, value in composite.items()
        if key.startswith(GROUP) and value is not None
    }
    said = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(parts.items(), key=lambda p: -abs(p[1])))
    scores = warehouse.rows(connection, SCORES, [metal_id, composite["month"]])
    periods = [s["value_period"] for s in scores if s["contribution"] is not None and s["value_period"]]
    span = dict.fromkeys(f"{p:%b %Y}" for p in (min(periods), max(periods))) if periods else ()
    of = f" from figures of {' to '.join(span)}" if span else ""
    yield (
        f"drivers, as known at the end of {composite['month']:%b %Y}{of}: "
        f"{composite['composite']:+.2f} standard deviations "
        f"({composite['drivers_available']} of {composite['drivers_expected']} drivers: {said})"
    )
    if composite["shared_with"]:
        yield f"one composite with {_word(composite['shared_with'])}: the same drivers are known, with the same signs"
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("driver", "adds", "z-score", "sign", "of"):
        table.add_column(heading, no_wrap=True, justify="right" if heading in ("adds", "z-score", "sign") else "left")
    table.add_column("without a score because", overflow="fold")
    for s in scores:
        adds, score = (f"{s[k]:+.2f}" if s[k] is not None else "" for k in ("contribution", "zscore"))
        sign = "" if s["sign"] is None else "+" if s["sign"] > 0 else "-"
        period = s["value_period_label"] or ""
        table.add_row(_word(s["driver_id"]), adds, score, sign, period, escape(s["gap_reason"] or ""))
    yield table


def _attribution(found: dict[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    shares = {
        _word(key.removeprefix(SHARE)): value
        for key, value in found.items()
        if key.startswith(SHARE) and value is not None
    }
    said = ", ".join(f"{name} {100 * value:.0f} %" for name, value in sorted(shares.items(), key=lambda p: -p[1]))
    yield (
        f"five years to {found['month']:%b %Y}: drivers accounted for {100 * found['r_squared_adjusted']:.0f} % of the "
        f"variance of monthly returns, adjusted for their number (unadjusted: {said})"
    )


def releases(connection: duckdb.DuckDBPyConnection, days: int) -> dict[str, Any]:
    """The expected releases of the coming `days`, by day and publisher: what is released and what rests on it."""
    found = warehouse.rows(connection, view.query("releases", days=days))
    return {"as_of": warehouse.as_of(connection), "days": days, "releases": found}


def coming(connection: duckdb.DuckDBPyConnection, days: int) -> Iterator[RenderableType]:
    """The same as a table; releases on which nothing rests are one line."""
    told = releases(connection, days)
    bearing = [r for r in told["releases"] if r["claims"] or r["drivers"]]
    yield f"[bold]{days} days from {told['as_of']}[/]: {len(told['releases'])} releases expected"
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("by", no_wrap=True)
    table.add_column("release", overflow="fold")
    table.add_column("of", no_wrap=True)
    table.add_column("bears on", overflow="fold", max_width=24)
    for r in bearing:
        drivers = [title.partition(":")[0] for title in (r["drivers"] or "").split("; ") if title]
        on = "; ".join(part for part in (r["claims"], *drivers) if part)
        more = f" and {r['series'] - 1} more" if r["series"] > 1 else ""
        release = f"{r['source_id']}: {r['titles'].partition('; ')[0]}{more}"
        period = f"{r['period']:{PERIODS.get(r['frequency'], '%d %b %Y')}}"
        table.add_row(f"{r['released_on']:%a %d %b}", escape(release), period, escape(on))
    if bearing:
        yield table
        named = ", ".join(r["claims"] for r in bearing if r["claims"]).split(", ")
        titles = warehouse.query(connection, TITLES, [named]).rows()
        if titles:
            yield escape("; ".join(f"{claim_id} {title}" for claim_id, title in titles))
    if others := [r for r in told["releases"] if r not in bearing]:
        said = ", ".join(f"{r['source_id']} {r['released_on']:%d %b}" for r in others)
        yield f"without a claim or driver: {escape(said)}"
    yield "[dim]each day is the latest expected: the period's end and the publisher's usual lag; no daily series[/]"


def _coloured(verdict: str) -> str:
    colour = COLOURS.get(verdict)
    return f"[{colour}]{_word(verdict)}[/]" if colour else _word(verdict)


def _word(identifier: str | None) -> str:
    return (identifier or "none").replace("_", " ")
