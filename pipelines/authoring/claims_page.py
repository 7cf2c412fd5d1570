"""docs/claims.md: every claim with its rule, its verdicts, the figures behind them and what would change them.

Rules come from the seeds; verdicts come from the models, run as of each day over the raw tables of two builds: one of
the bundled figures, one of all recordings. `python -m pipelines.authoring.claims_page BUNDLED RECORDED` writes it.
The last section, how the rules have changed, is written by hand and kept as it stands.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines import catalog, warehouse
from pipelines.authoring.dictionary import table
from pipelines.settings import PROJECT_ROOT, Settings
from pipelines.transform import history

PAGE = PROJECT_ROOT / "docs" / "claims.md"
# The as-of date of the page, fixed so that the page is reproducible.
DAY = date(2026, 11, 25)
# Some past days; `metals history` and the table claim_verdict_history have every month end.
PAST = (*(date(year, 12, 31) for year in range(2010, 2026, 3)), date(2026, 3, 31), date(2026, 6, 30), date(2026, 9, 30))
NUMBERS_SHOWN = 3
# From here to the end the page is written by hand.
BY_HAND = "\n## How the rules have changed\n"

_INTRODUCTION = f"""# Claims

Written by `make claims` from the seeds `claims` and `claim_rules` and from two warehouses; only [how the rules have
changed](#how-the-rules-have-changed) is edited by hand. Each claim is a statement of a market thesis, in the project's
words, with a rule fixed before looking at the result.
*Decisive* indicators make the verdict, *supporting* ones are told beside it. None of this is investment advice.

* **supported**, **contradicted**: all decisive evidence is there, fresh, and agrees.
* **mixed**: decisive evidence of both kinds.
* **undetermined**: some decisive evidence is missing, too old or in between, or all of it is too old.
* **no_data**: no decisive indicator has a figure at all, whatever is told beside it.

**Age.** A newer figure is *due* when the publication calendar says so: the staleness limit of the slowest series
behind it, or what filing deadlines allow. From that day the old one is *ageing*: it still counts, for as long as the
horizon of the statement tolerates, and the verdict says so (`claim_verdicts.decisive_ageing`). Then it is too old. The
seeds `evidence_calendars` and `evidence_horizons` have the days and their reasons. `decidable_until` is the last day on
which the evidence behind a verdict counts; beside an undetermined verdict stand the last one that could be given and
its day (`last_verdict`, `last_verdict_on`).

Verdicts are as of {DAY}, from what was known by the end of that day. *From the figures that ship* is what a first run
without a network says, from [these figures](../warehouse/bundled/README.md). *From everything recorded* adds the
recordings that the project's tests stand on, among them figures that may be used and not passed on. Its yearly coal
figures are the Energy Institute's (Statistical Review of World Energy 2025, with credit) in the layout of Our World
in Data, which draws on them. A run with a network reads newer figures from all publishers, and its own
tables `claim_verdicts` and `claim_evidence` say what it found. Beside a figure stands its period: a month, a quarter
(2026Q2), a year, a US fiscal year (FY2025) or a day.
"""


@dataclass(frozen=True)
class Rule:
    """One indicator of a claim, as the seed `claim_rules` has it."""

    claim_id: str
    indicator: str
    label: str
    role: str
    comparison: str
    threshold: float
    threshold_high: float | None
    contradiction_threshold: float | None
    unit: str
    due_from: str
    due_days: int
    horizon_days: int
    reason: str
    reference: str


@dataclass(frozen=True)
class Evidence:
    """One indicator's value as of a day; `value` in the rule's unit, None if there is none.

    Where it `has_band`, the rule reads both ends of a band or of a range over scenarios.
    """

    indicator: str
    role: str
    value: float | None
    has_band: bool
    unit: str
    period: str | None
    reading: str
    is_stale: bool | None
    is_lower_bound: bool


@dataclass(frozen=True)
class Verdict:
    """The verdict of a claim as of a day, and its evidence."""

    verdict: str
    because: str
    known_on: date | None
    evidence: tuple[Evidence, ...]


def seed(name: str) -> list[dict[str, str]]:
    """The rows of a seed as text."""
    with (PROJECT_ROOT / "dbt_project" / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def rules() -> list[Rule]:
    """All rules, in the order of the seed."""
    series = catalog.load(Settings().catalog_dir).series
    due = {
        c["calendar"]: series[c["series_id"]].staleness_limit_days if c["series_id"] else int(c["due_days"])
        for c in seed("evidence_calendars")
    }
    horizons = {h["horizon"]: int(h["horizon_days"]) for h in seed("evidence_horizons")}
    return [
        Rule(
            r["claim_id"], r["indicator"], r["label"], r["role"], r["comparison"], float(r["threshold"]),
            float(r["threshold_high"]) if r["threshold_high"] else None,
            float(r["contradiction_threshold"]) if r["contradiction_threshold"] else None,
            r["unit"], r["due_from"], due[r["calendar"]], horizons[r["horizon"]], r["reason"], r["reference"],
        )
        for r in seed("claim_rules")
    ]  # fmt: skip


def verdicts(build: Path, days: Sequence[date]) -> dict[date, dict[str, Verdict]]:
    """Verdicts by day and claim, from the raw tables and seeds of the build file at `build`."""
    steps = history.compiled(Settings(warehouse_dir=build.parents[1]))
    found = {}
    with warehouse.scratch() as connection:
        connection.execute(f"attach '{build}' as build (read_only)")
        for day in days:
            with history.models_of(connection, steps, day):
                evidence = _rows(connection, "select * from past.main.claim_evidence order by claim_id, indicator")
                said = _rows(connection, "select * from past.main.claim_verdicts order by claim_id")
            found[day] = {
                row["claim_id"]: Verdict(
                    row["verdict"],
                    row["because"],
                    row["known_at"].date() if row["known_at"] else None,
                    tuple(
                        Evidence(
                            e["indicator"], e["role"], e["value"],
                            e["value_low"] is not None and e["value_high"] is not None,
                            e["unit"], e["period_label"], e["reading"], e["is_stale"], e["is_lower_bound"],
                        )
                        for e in evidence
                        if e["claim_id"] == row["claim_id"]
                    ),
                )
                for row in said
            }  # fmt: skip
    return found


def page(
    bundled: Mapping[str, Verdict], recorded: Mapping[str, Verdict], past: Mapping[date, Mapping[str, Verdict]]
) -> str:
    """The whole page as Markdown."""
    claims = seed("claims")
    lines = [_INTRODUCTION, *overview("From the figures that ship", claims, bundled)]
    lines += overview("From everything recorded", claims, recorded)
    for claim in claims:
        lines += _claim(claim, bundled[claim["claim_id"]], recorded[claim["claim_id"]], past)
    by_hand = "".join(PAGE.read_text(encoding="utf-8").partition(BY_HAND)[1:])
    return "\n".join(lines).rstrip() + "\n" + by_hand


def overview(title: str, claims: Iterable[Mapping[str, str]], found: Mapping[str, Verdict]) -> list[str]:
    """One row per claim: verdict, the two or three figures behind it, and their dates."""
    labels = {(r.claim_id, r.indicator): r.label for r in rules()}

    def told(claim_id: str) -> str:
        shown = _behind(found[claim_id])
        if not shown:
            return "no decisive figure"
        return "; ".join(f"{labels[claim_id, e.indicator]}: {_value(e)}, {_period_and_reading(e)}" for e in shown)

    rows = (
        (
            f"[{c['claim_id']}](#{c['claim_id'].lower()}) {c['title']}",
            f"**{found[c['claim_id']].verdict}**",
            told(c["claim_id"]),
            found[c["claim_id"]].known_on or "",
        )
        for c in claims
    )
    return [f"## {title}", "", *table(("claim", f"verdict on {DAY}", "the figures behind it", "newest known on"), rows)]


def banded(*found: Verdict) -> set[str]:
    """The indicators that have a band in any of the verdicts."""
    return {e.indicator for verdict in found for e in verdict.evidence if e.has_band}


def rule_lines(claim_id: str, with_band: Container[str] = ()) -> list[str]:
    """The rule of a claim as a table, each indicator with its reason below; `with_band` are judged by a whole band."""
    own = [r for r in rules() if r.claim_id == claim_id]
    lines = table(
        ("indicator", "role", "supports", "contradicts", "due, days", "counts, days"),
        ((r.label, r.role, *_bars(r, r.indicator in with_band), r.due_days, r.due_days + r.horizon_days) for r in own),
    )
    lines += [f"* {r.label}: {r.reason}.{f' *{r.reference}*' if r.reference else ''}" for r in own]
    return [*lines, ""]


def _claim(
    claim: Mapping[str, str], bundled: Verdict, recorded: Verdict, past: Mapping[date, Mapping[str, Verdict]]
) -> Iterator[str]:
    claim_id = claim["claim_id"]
    yield from (f"## {claim_id}", "", f"*{claim['title']}.* {claim['statement']}", "")
    yield from ("**Rule**", "", *rule_lines(claim_id, banded(bundled, recorded)))
    if bundled.because == recorded.because:
        yield from (f"**On {DAY}: {recorded.verdict}**, from the figures that ship and from everything recorded.", "")
        yield from (recorded.because, "")
    else:
        yield from (f"**On {DAY}, from the figures that ship: {bundled.verdict}.** {bundled.because}", "")
        yield from (f"**From everything recorded: {recorded.verdict}.** {recorded.because}", "")
    yield from (f"**On past days**, from everything recorded that was known by then: {_runs(claim_id, past)}.", "")
    yield from (f"**What would change it.** {claim['what_would_change_it']}", "")


def _runs(claim_id: str, past: Mapping[date, Mapping[str, Verdict]]) -> str:
    """Past verdicts, grouped into runs: `no_data 2010-12 to 2019-12, supported 2022-12 to 2026-09`."""
    runs: list[tuple[str, str, str]] = []
    for day in sorted(past):
        verdict = past[day][claim_id].verdict
        name = f"{day:%Y-%m}"
        if runs and runs[-1][0] == verdict:
            runs[-1] = (verdict, runs[-1][1], name)
        else:
            runs.append((verdict, name, name))
    return ", ".join(f"{v} {first}" if first == last else f"{v} {first} to {last}" for v, first, last in runs)


def _behind(found: Verdict) -> list[Evidence]:
    """The most important decisive figures: fresh before stale, decided before undecided, and supporting and
    contradicting ones in turn.
    """
    decisive = [e for e in found.evidence if e.role == "decisive" and e.value is not None]
    counted: dict[str, int] = {}
    ranked = []
    for evidence in decisive:
        counted[evidence.reading] = counted.get(evidence.reading, 0) + 1
        ranked.append((bool(evidence.is_stale), evidence.reading == "neutral", counted[evidence.reading], evidence))
    return [evidence for *_, evidence in sorted(ranked, key=lambda r: r[:3])][:NUMBERS_SHOWN]


def _period_and_reading(evidence: Evidence) -> str:
    return f"{evidence.period or ''} ({'too old' if evidence.is_stale else evidence.reading})"


def _value(evidence: Evidence) -> str:
    if evidence.value is None:
        return "no figure"
    return ("at least " if evidence.is_lower_bound else "") + amount(evidence.value, evidence.unit)


def amount(value: float, unit: str) -> str:
    """A figure with its unit, for display."""
    if unit == "t_statistic":
        return f"t {value:z,.2f}"
    if unit == "usd":
        return f"{value / 1e9:z,.0f} bn USD"
    number = f"{value:z,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:z,.2f}"
    words = {
        "pct": " %",
        "pct_of_gdp": " % of GDP",
        "pp": " points",
        "pp_of_gdp": " points of GDP",
        "months": " months",
    }
    words |= {"pp_per_year": " points a year", "pp_of_revenue": " points of revenue", "zscore": " standard deviations"}
    words |= {"twh_per_year": " TWh a year", "pp_of_gdp_per_pp": " points of GDP per point"}
    words["pct_per_pp_of_gdp"] = " % per point of GDP"
    plain = {"ratio", "correlation", "count", "sign", "share", "metals", "index", "percentile"}
    return number + words.get(unit, "" if unit in plain else " " + unit.replace("_", " "))


def _bars(rule: Rule, has_band: bool) -> tuple[str, str]:
    """What supports and what contradicts."""
    if not has_band or rule.comparison == "between":
        return _supports(rule), _contradicts(rule)
    beyond = {"gt": "at or below", "gte": "below", "lt": "at or above", "lte": "above"}[rule.comparison]
    against = f"{beyond} {amount(rule.threshold, rule.unit)}"
    if rule.contradiction_threshold is not None:
        against = _contradicts(rule)
    return f"whole band {_supports(rule)}", f"whole band {against}"


def _supports(rule: Rule) -> str:
    if rule.comparison == "between":
        high = amount(rule.threshold_high or 0.0, rule.unit)
        return f"{amount(rule.threshold, 'count')} to {high}"
    sign = {"gt": "above", "gte": "at least", "lt": "below", "lte": "at most"}[rule.comparison]
    due = f", of months from {rule.due_from} on" if rule.due_from else ""
    return f"{sign} {amount(rule.threshold, rule.unit)}{due}"


def _contradicts(rule: Rule) -> str:
    if rule.contradiction_threshold is None:
        return "otherwise"
    sign = "at most" if rule.comparison in ("gt", "gte") else "at least"
    return f"{sign} {amount(rule.contradiction_threshold, rule.unit)}"


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    return connection.sql(query).pl().to_dicts()


def main() -> None:
    bundled, recorded = map(Path, sys.argv[1:3])
    found = verdicts(recorded, [*PAST, DAY])
    past = {day: found[day] for day in PAST}
    PAGE.write_text(page(verdicts(bundled, [DAY])[DAY], found[DAY], past), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
