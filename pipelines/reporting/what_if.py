"""`metals what-if`: the published figures beside those that other inputs would give. Nothing is stored.

The compiled models run twice in memory over the published file, once as it is and once with the rows of a few steps
replaced; everything that rests on them follows by the models' own arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
from rich.console import RenderableType
from rich.table import Table

from pipelines import warehouse
from pipelines.errors import MetalsError
from pipelines.settings import Settings
from pipelines.transform import history

TARGETS = (
    "driver_ai_capex_aggregate", "driver_ai_metal_demand", "driver_composites", "ppi_nowcast", "claim_evidence",
    "claim_verdicts",
)  # fmt: skip
# Option, its unit, and the range beyond which it is taken for a slip.
BOUNDS = {
    "capex_pct": ("per cent", -99.0, 1000.0),
    "copper_t_per_mw": ("tonnes per megawatt", 0.0, 500.0),
    "aluminium_t_per_mw": ("tonnes per megawatt", 0.0, 500.0),
    "money_gap_pp": ("percentage points", -30.0, 30.0),
}
# The newest twelve months of each hyperscaler: its last four quarters, and a year that was filed as such.
_NEWEST = """
    concept = 'capex'
    and company_id in (select company_id from build.main.companies where role = 'hyperscaler')
    and quarter_index > (select max(n.quarter_index) from {{{{rows}}}} as n
        where n.company_id = r.company_id and n.concept = 'capex') - {quarters}
"""
_SPENDING = {
    "int_filing_quarters__by_basis": (
        "select * replace (case when " + _NEWEST.format(quarters=4) + " then value_usd * {factor} else value_usd end "
        "as value_usd) from {{rows}} as r"
    ),
    "int_filing_quarters__trailing": (
        "select * replace (case when method = 'filed twelve months' and " + _NEWEST.format(quarters=1)
        + " then value_ttm_usd * {factor} else value_ttm_usd end as value_ttm_usd) from {{rows}} as r"
    ),
}  # fmt: skip
_TONNES_PER_MW = """
    union all by name
    select
        unnest(['low', 'base', 'high']) as scenario, 'tonnes_per_mw' as link, '{metal}' as metal_id,
        't_{metal}_per_mw' as parameter, 'what-if' as segment, 'what-if' as publication, 'what-if' as publisher,
        'base' as bound, cast({value} as double) as value, 't_per_mw' as unit, date '{day}' as known_on
"""
_GAP = """
    select r.* replace (
        case when month = newest then m1_yoy_pct + {points} else m1_yoy_pct end as m1_yoy_pct,
        case when month = newest then round(m1_m2_gap_pp + {points}, 2) else m1_m2_gap_pp end as m1_m2_gap_pp
    )
    from (select * from {{rows}}) as r
    cross join (select max(month) as newest from {{rows}} where m1_m2_gap_pp is not null) as n
"""
FIGURES = """
with quarter as (
    select max(calendar_quarter) as newest from past.main.driver_ai_metal_demand
    where metal_id = 'copper' and scenario = 'base' and implied_tonnes_per_year is not null
)

select 1 as part, 0 as place, 'hyperscalers, four quarters' as what, 'bn USD' as unit, capex_ttm_usd / 1e9 as figure,
    null as verdict
from past.main.driver_ai_capex_aggregate
where calendar_quarter = (select newest from quarter)
union all
select 2, list_position(['low', 'base', 'high'], scenario) + if(metal_id = 'copper', 0, 3),
    metal_id || ', ' || scenario || ' scenario',
    'kt a year', implied_tonnes_per_year / 1e3, null
from past.main.driver_ai_metal_demand
where calendar_quarter = (select newest from quarter)
union all
select 3, list_position(['low', 'base', 'high'], scenario) + if(metal_id = 'copper', 0, 3),
    metal_id || ', ' || scenario || ' scenario',
    '% of world', implied_pct_of_world_use, null
from past.main.driver_ai_metal_demand
where calendar_quarter = (select newest from quarter)
union all
select 4, 0, 'composite of ' || metal_id || ', ' || strftime(max(month), '%b %Y'), 'z-score',
    arg_max(composite, month), null
from past.main.driver_composites
where composite is not null
group by metal_id
union all
select 5, horizon_months, 'China PPI, ' || strftime(target_month, '%b %Y'), '% on year', forecast_pct, null
from past.main.ppi_nowcast
union all
select 6, 0, claim_id || ' ' || title, '', null, verdict
from past.main.claim_verdicts
order by part, place, what
"""
DECIMALS = {"bn USD": 0, "kt a year": 0, "% of world": 2, "z-score": 2, "% on year": 1}


@dataclass(frozen=True)
class Compared:
    """A figure (or a verdict) as published and as the changed inputs give it; None where there is none."""

    what: str
    unit: str
    base: float | str | None
    scenario: float | str | None

    @property
    def differs(self) -> bool:
        return self.text(self.base) != self.text(self.scenario)

    def text(self, value: float | str | None) -> str:
        """The value in the unit's printed precision."""
        if value is None:
            return "none"
        return value.replace("_", " ") if isinstance(value, str) else f"{value:,.{DECIMALS[self.unit]}f}"


def refusal(given: dict[str, float]) -> str | None:
    """Why these inputs are not taken, in one sentence; None where they are."""
    if not given:
        options = ", ".join(_option(name) for name in BOUNDS)
        return f"name at least one input to change: {options}"
    for name, value in given.items():
        unit, low, high = BOUNDS[name]
        if not (math.isfinite(value) and low <= value <= high):
            return f"{_option(name)} is in {unit}, from {low:g} to {high:g}, and not {value:g}"
    return None


def compare(settings: Settings, given: dict[str, float]) -> list[Compared]:
    """Published figures and those with `given` inputs (keys of BOUNDS). Raises MetalsError if the models do not run."""
    steps = history.compiled(settings, TARGETS)
    found = []
    with warehouse.for_models(settings) as connection:
        day = warehouse.as_of(connection)
        if day is None:
            raise MetalsError("the published file holds no complete build", todo="metals run")
        runs: tuple[dict[str, str], ...] = ({}, _changes(given, str(day)))
        for changed in runs:
            try:
                with history.models_of(connection, steps, day, changed=changed):
                    found.append(warehouse.rows(connection, FIGURES))
            except duckdb.Error as error:
                raise MetalsError(
                    f"the models do not run over the published file: {str(error).splitlines()[0]}", todo="metals run"
                ) from error
    base, scenario = ({(r["part"], r["what"]): r for r in rows} for rows in found)
    return [
        Compared(row["what"], row["unit"], _value(base.get(key)), _value(scenario.get(key)))
        for key, row in (scenario | base).items()
    ]


def show(compared: list[Compared], given: dict[str, float]) -> Iterator[RenderableType]:
    """The comparison as a table of 80 columns."""
    said = ", ".join(
        f"{_option(name)[2:]} {value:{'g' if name.endswith('per_mw') else '+g'}}" for name, value in given.items()
    )
    yield f"a scenario, not a forecast: {said}; nothing is stored"
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "unit", "base", "scenario", ""):
        table.add_column(heading, no_wrap=True, justify="right" if heading in ("base", "scenario") else "left")
    for c in compared:
        table.add_row(c.what, c.unit, c.text(c.base), c.text(c.scenario), "*" if c.differs else "")
    yield table
    yield f"[dim]* differs: {sum(c.differs for c in compared)} of {len(compared)}[/]"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _value(row: dict[str, Any] | None) -> float | str | None:
    value: float | str | None = None if row is None else row["verdict"] or row["figure"]
    return value


def _changes(given: dict[str, float], day: str) -> dict[str, str]:
    """By step, the select that stands in for its rows."""
    changes: dict[str, str] = {}
    if "capex_pct" in given:
        factor = 1 + given["capex_pct"] / 100
        changes |= {step: select.format(factor=factor) for step, select in _SPENDING.items()}
    metals = {name.split("_")[0]: value for name, value in given.items() if name.endswith("_t_per_mw")}
    if metals:
        assumed = "', '".join(metals)
        changes["int_metal_demand__assumptions"] = (
            f"select * from {{rows}} where link <> 'tonnes_per_mw' or metal_id not in ('{assumed}')"
            + "".join(_TONNES_PER_MW.format(metal=metal, value=value, day=day) for metal, value in metals.items())
        )
    if "money_gap_pp" in given:
        changes["driver_china_cycle"] = _GAP.format(points=given["money_gap_pp"])
    return changes
