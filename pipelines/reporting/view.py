"""Three sentences on the market from the published figures: what moved, what drives it, what changed since before.

Every figure is a cell of a table; a sentence without its figures says which are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# The newest month in which at least half of the metals have a return: one early price is no market.
MOVED = """
with returns as (
    select
        m.name as metal, p.metal_id, p.period, p.price_native, p.native_unit,
        100 * (exp(p.return_1m_log) - 1) as return_1m_pct, p.return_12m_pct
    from metal_prices as p
    inner join metals as m using (metal_id)
    where p.frequency = 'monthly' and m.family in ('base', 'precious', 'platinum_group', 'battery')
        and p.return_1m_log is not null
),
months as (
    select period from returns
    group by period
    having count(*) * 2 >= (select count(distinct metal_id) from returns)
)
select * from returns
where period = (select max(period) from months)
order by return_1m_pct desc, metal
"""
DRIVES = """
with months as (
    select month from driver_composites
    group by month
    having count(composite) * 2 >= count(*)
)
select m.name as metal, c.* exclude (metal_id)
from driver_composites as c
inner join metals as m using (metal_id)
where c.month = (select max(month) from months) and c.composite is not null
order by c.composite desc, metal
"""
CHANGED = """
with newest as (select * from raw.build order by started_at desc limit 1),
previous as (
    select b.* from raw.build as b cross join newest as n
    where b.succeeded and coalesce(b.selection, '') = '' and b.started_at < n.started_at and b.as_of <= n.as_of
    order by b.started_at desc limit 1
),
answers as (
    select * from raw.coverage
    where retrieved_at > coalesce((select started_at from previous), timestamp '1970-01-01')
)
select
    (select count(*) from audit.build_diff where rows_before is not null) = 0 as is_first,
    (select finished_at from previous) as since,
    cast(coalesce(sum(rows_added), 0) as bigint) as figures_new,
    cast(coalesce(sum(rows_changed), 0) as bigint) as figures_revised,
    count(distinct source_id) filter (where rows_added > 0 or rows_changed > 0) as publishers
from answers
"""
GROUP = "contribution_"
GROUPS = {"ai": "AI", "china": "China"}
FLIPS_NAMED = 4


def of(
    rows: Callable[[str], list[dict[str, Any]]], flips: list[dict[str, Any]], divergences: list[dict[str, Any]]
) -> dict[str, str]:
    """The sentences by what they tell: `moved`, `drives`, `changed`.

    `rows` answers a query on the published file; `flips` and `divergences` are those of audit.verdict_flips and
    audit.divergence_changes.
    """
    return {
        "moved": _moved(rows(MOVED)),
        "drives": _drives(rows(DRIVES)),
        "changed": _changed(rows(CHANGED), flips, divergences),
    }


def _moved(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "no metal has a monthly price of two months in a row"
    up, down = rows[0], rows[-1]
    said = f"{up['period']:%b %Y}: {_of_metal(up)}"
    if len(rows) > 1:
        said += f" to {_of_metal(down)} on the month, {sum(r['return_1m_pct'] > 0 for r in rows)} of {len(rows)} up"
    copper = next((r for r in rows if r["metal_id"] == "copper"), None)
    if copper and copper["return_12m_pct"] is not None:
        said += f"; copper {copper['return_12m_pct']:+.1f} % on the year"
    return said


def _of_metal(row: dict[str, Any]) -> str:
    return f"{row['metal'].lower()} {row['return_1m_pct']:+.1f} %"


def _drives(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "no metal has a composite of its drivers"
    best, worst = rows[0], rows[-1]
    most, least = ([r for r in rows if r["composite"] == end["composite"]] for end in (best, worst))
    said = f"{best['month']:%b %Y}, in standard deviations: most for {_composite(most)}"
    return f"{said}; least for {_composite(least)}" if best["composite"] != worst["composite"] else said


def _composite(tied: list[dict[str, Any]]) -> str:
    """The composite of metals that share it, and the group of drivers that does most to it, in its direction."""
    row, others = tied[0], len(tied) - 1
    parts = {k.removeprefix(GROUP): v for k, v in row.items() if k.startswith(GROUP) and v is not None}
    said = row["metal"].lower() + (f" and {others} more" if others else "") + f" {row['composite']:+.2f}"
    if not parts:
        return said
    name = max(parts, key=lambda k: parts[k] if row["composite"] >= 0 else -parts[k])
    return f"{said} ({GROUPS.get(name, name)} {parts[name]:+.2f})"


def _changed(rows: list[dict[str, Any]], flips: list[dict[str, Any]], divergences: list[dict[str, Any]]) -> str:
    if not rows:
        return "this file was not compared with a publication before it"
    [row] = rows
    if row["is_first"]:
        return f"first publication: {row['figures_new']:,} figures of {_counted(row['publishers'], 'publisher')}"
    said = [
        *(f"{f['claim_id']} {_word(f['verdict_before'])} -> {_word(f['verdict_after'])}" for f in flips[:FLIPS_NAMED]),
        *([f"{len(flips) - FLIPS_NAMED} more verdicts flipped"] if len(flips) > FLIPS_NAMED else []),
        _counted(len(divergences), "divergence") + " changed",
        f"{row['figures_new']:,} figures new, {row['figures_revised']:,} revised",
    ]
    if not flips:
        said.insert(0, "no verdict flipped")
    since = f"since {row['since']:%Y-%m-%d %H:%M} UTC: " if row["since"] else ""
    return since + "; ".join(said)


def _word(verdict: str | None) -> str:
    return (verdict or "none").replace("_", " ")


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
