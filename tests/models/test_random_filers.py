"""Random filers: whatever is published, one basis and one definition of the truth support it.

A filer's truth is known: its quarters as first filed, as later filings restate them, and under another tag. It files
them in one of the usual ways, with amendments, a change of tag, roundings beside exact amounts, and errors of scale and
sign.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.filings import Fact, Models, companyfacts

YEARS = (2021, 2022, 2023, 2024)
ENDS = {1: "03-31", 2: "06-30", 3: "09-30", 4: "12-31"}
STARTS = {1: "01-01", 2: "04-01", 3: "07-01", 4: "10-01"}
FILED = {1: "04-25", 2: "07-25", 3: "10-25", 4: "02-01"}
# Companies of the catalogue whose fiscal year is the calendar's and whose capital expenditure has two tags.
TAGS = ("PaymentsToAcquirePropertyPlantAndEquipment", "PaymentsToAcquireProductiveAssets")
COMPANIES = ("CENX", "CRWV", "ALB")


@dataclass(frozen=True)
class Truth:
    """Quarters in whole dollars: by fiscal year of the report (0: as first filed), fiscal year and quarter."""

    quarters: dict[tuple[int, int, int], int]
    tag_factor: float  # how far the second tag's definition lies from the first one's

    def value(self, tag: str, report_year: int, year: int, quarter: int) -> int:
        own = self.quarters[max(report_year, year), year, quarter]
        return own if tag == TAGS[0] else round(own * self.tag_factor)


@dataclass(frozen=True)
class Filer:
    truth: Truth
    facts: list[Fact]
    # What filings say truly: years and longer, by tag, start and end.
    stated: dict[tuple[str, str, str], set[float]]
    says: str


@st.composite
def filers(draw: st.DrawFn) -> Filer:
    level = draw(st.integers(10**7, 10**10))
    steps = draw(st.lists(st.sampled_from([0.85, 0.93, 1.0, 1.07, 1.2]), min_size=16, max_size=16))
    if draw(st.booleans()):
        steps[draw(st.integers(1, 15))] = draw(st.sampled_from([0.2, 5.0]))  # real jumps
    path = [float(level)]
    for step in steps[1:]:
        path.append(path[-1] * step)
    restated_in = draw(st.sampled_from([None, 2022, 2023, 2024]))
    moves = draw(st.lists(st.sampled_from([-0.3, -0.08, -0.01, 0.0, 0.02, 0.12]), min_size=4, max_size=4))
    quarters = {}
    for n, year in enumerate(YEARS):
        for quarter in range(1, 5):
            first = round(path[4 * n + quarter - 1])
            for report_year in range(year, YEARS[-1] + 1):
                moved = restated_in is not None and year < restated_in <= report_year
                quarters[report_year, year, quarter] = round(first * (1 + moves[quarter - 1])) if moved else first
    truth = Truth(quarters, draw(st.sampled_from([1.0, 1.0, 0.7, 1.4])))
    switched_in = draw(st.sampled_from([None, None, 2023, 2024]))
    style = draw(st.sampled_from(["year to date", "three months", "both"]))
    comparatives = draw(st.booleans())
    facts = [
        fact
        for report_year in YEARS
        for quarter in range(1, 5)
        for fact in _report(truth, report_year, quarter, style, comparatives, _tag(report_year, switched_in))
    ]
    stated = _stated(facts)
    said = f"restated in {restated_in} by {moves}, tag from {switched_in} times {truth.tag_factor}, {style}, "
    said += f"comparatives {comparatives}"
    if draw(st.booleans()):
        amended, what = draw(_amendments(truth, switched_in))
        facts += amended
        for key, values in _stated(amended).items():
            stated.setdefault(key, set()).update(values)
        said += what
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(facts) - 1))
        factor = draw(st.sampled_from([1e3, 1e6, 1e-3, 1e-6, -1.0]))
        facts[place] = replace(facts[place], value=facts[place].value * factor)
        said += f"; {facts[place]} times {factor}"
    if draw(st.booleans()):
        exact = facts[draw(st.integers(0, len(facts) - 1))]
        facts.append(replace(exact, value=float(f"{exact.value:.2e}")))
    return Filer(truth, facts, stated, said)


def _tag(report_year: int, switched_in: int | None) -> str:
    return TAGS[switched_in is not None and report_year >= switched_in]


def _report(truth: Truth, report_year: int, quarter: int, style: str, comparatives: bool, tag: str) -> list[Fact]:
    """A 10-Q or 10-K: the period of its year and, where the filer gives comparatives, of the year before."""
    facts = []
    for year in (report_year, report_year - 1) if comparatives and report_year > YEARS[0] else (report_year,):
        starts = [1] if quarter == 1 or style == "year to date" or quarter == 4 else [quarter]
        if style == "both" and quarter in (2, 3):
            starts = [1, quarter]
        for first in starts:
            value = sum(truth.value(tag, report_year, year, n) for n in range(first, quarter + 1))
            facts.append(
                Fact(
                    tag,
                    f"{year}-{STARTS[first]}",
                    f"{year}-{ENDS[quarter]}",
                    value,
                    f"0000000042-{report_year % 100:02d}-{quarter:06d}",
                    f"{report_year + (quarter == 4)}-{FILED[quarter]}",
                    "10-K" if quarter == 4 else "10-Q",
                )
            )
    return facts


@st.composite
def _amendments(draw: st.DrawFn, truth: Truth, switched_in: int | None) -> tuple[list[Fact], str]:
    """An amended year: alone, which says nothing of its quarters, or repeated as it was."""
    year = draw(st.sampled_from(YEARS))
    factor = draw(st.sampled_from([1.0, 1.2, 0.8]))
    tag = _tag(year, switched_in)
    value = round(factor * sum(truth.value(tag, year, year, n) for n in range(1, 5)))
    fact = Fact(
        tag,
        f"{year}-01-01",
        f"{year}-12-31",
        value,
        f"0000000042-{year % 100:02d}-000099",
        f"{year + 1}-06-20",
        "10-K/A",
    )
    return [fact], f"; year {year} amended by {factor}"


def _stated(facts: list[Fact]) -> dict[tuple[str, str, str], set[float]]:
    found: dict[tuple[str, str, str], set[float]] = {}
    for f in facts:
        found.setdefault((f.tag, str(f.start), f.end), set()).add(f.value)
    return found


def _supported_quarters(truth: Truth, tag: str, year: int, quarter: int) -> set[int]:
    return {truth.value(tag, report_year, year, quarter) for report_year in YEARS if report_year >= year}


def _supported_years(filer: Filer, year: int, quarter: int) -> set[float]:
    """Sums of four quarters under one tag, as first filed or as the reports of one year state them; years as filed."""
    last = YEARS.index(year) * 4 + quarter - 1
    legs = [(YEARS[n // 4], n % 4 + 1) for n in range(last - 3, last + 1)] if last >= 3 else []
    sums: set[float] = set()
    for tag in TAGS if legs else ():
        sums.add(sum(filer.truth.value(tag, 0, y, q) for y, q in legs))
        sums |= {sum(filer.truth.value(tag, r, y, q) for y, q in legs) for r in YEARS if r >= year}
        # Reports that were not restated are of one basis with those before them.
        sums |= {sum(filer.truth.value(tag, r if y < year else 0, y, q) for y, q in legs) for r in YEARS if r >= year}
    if quarter == 4:
        for tag in TAGS:
            sums |= filer.stated.get((tag, f"{year}-01-01", f"{year}-12-31"), set())
    return sums


def _is_one_of(value: float, allowed: set[Any]) -> bool:
    # The models take amounts within a thousandth for the same.
    return any(abs(value - other) <= 1e-3 * abs(other) for other in allowed)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("random_filers"))


@given(drawn=st.lists(filers(), min_size=len(COMPANIES), max_size=len(COMPANIES)))
@settings(
    max_examples=20,
    phases=[Phase.generate],  # an example takes seconds: what failed is said, not made smaller
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_what_is_published_is_supported_by_one_basis(models: Models, drawn: list[Filer]) -> None:
    by_company = dict(zip(COMPANIES, drawn, strict=True))
    bodies = [companyfacts(models.cik(company), filer.facts) for company, filer in by_company.items()]
    with models.of(*bodies) as connection:
        quarters = connection.execute(
            "select company_id, fiscal_year, fiscal_quarter, tag, value_usd "
            "from past.intermediate.int_filing_quarters__discrete where concept = 'capex'"
        ).fetchall()
        years = connection.execute(
            "select company_id, fiscal_year, fiscal_quarter, value_ttm_usd "
            "from past.intermediate.int_filing_quarters__trailing where concept = 'capex'"
        ).fetchall()
    assert quarters
    for company, year, quarter, tag, value in quarters:
        filer = by_company[company]
        allowed = _supported_quarters(filer.truth, tag, year, quarter)
        assert _is_one_of(value, allowed), (company, year, quarter, value, allowed, filer.says)
    for company, year, quarter, value in years:
        filer = by_company[company]
        sums = _supported_years(filer, year, quarter)
        assert _is_one_of(value, sums), (company, year, quarter, value, sums, filer.says)


def test_the_truth_moves_as_it_says() -> None:
    """Of a filer without events the supported year is the sum of its quarters, and consecutive years share none."""
    truth = Truth({(r, y, q): 10 * y + q for r in YEARS for y in YEARS if y <= r for q in range(1, 5)}, 2.0)
    filer = Filer(truth, [], {}, "")
    sums = [_supported_years(filer, year, 4) for year in YEARS]
    assert [min(s) for s in sums] == [40 * y + 10 for y in YEARS]
    assert all(max(s) == 2 * min(s) for s in sums)
    assert not any(a & b for a, b in pairwise(sums))
