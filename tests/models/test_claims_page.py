"""docs/claims.md agrees with the rules, and its figures with the warehouses as of its date."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.authoring import claims_page
from pipelines.authoring.claims_page import DAY, PAGE, PAST

COMMITTED = PAGE.read_text(encoding="utf-8")
CLAIMS = [row["claim_id"] for row in claims_page.seed("claims")]


def _section(claim_id: str) -> str:
    return COMMITTED.partition(f"\n## {claim_id}\n")[2].partition("\n## ")[0]


def test_all_fourteen_claims_have_a_section_with_statement_rule_and_what_would_change_it() -> None:
    assert len(CLAIMS) == 14
    for claim in claims_page.seed("claims"):
        section = _section(claim["claim_id"])
        assert claim["statement"] in section
        assert claim["what_would_change_it"] in section
        reasons = [line for line in claims_page.rule_lines(claim["claim_id"]) if line.startswith("* ")]
        assert "\n".join(reasons) in section, "run `make claims`"


def test_what_is_written_by_hand_outlives_the_generator() -> None:
    nothing = {claim_id: claims_page.Verdict("no_data", "", None, ()) for claim_id in CLAIMS}
    by_hand = claims_page.page(nothing, nothing, {}).partition(claims_page.BY_HAND)[2]
    assert "**Old rule.**" in by_hand
    assert COMMITTED.endswith(claims_page.BY_HAND + by_hand)


@pytest.mark.recorded
def test_the_figures_are_those_of_everything_recorded(recordings: list[Path], built_file: Path) -> None:
    found = claims_page.verdicts(built_file, [DAY, PAST[-1]])
    assert set(found[DAY]) == set(CLAIMS)
    lines = claims_page.overview("From everything recorded", claims_page.seed("claims"), found[DAY])
    assert "\n".join(lines) in COMMITTED, "run `make claims`"
    for claim_id in CLAIMS:
        assert found[DAY][claim_id].because in _section(claim_id)
        past = _section(claim_id).partition("**On past days**")[2].partition("\n")[0]
        newest_run = past.rstrip(".").replace(":", ",").rpartition(", ")[2]
        assert newest_run.split()[0] == found[PAST[-1]][claim_id].verdict


def test_the_figures_are_those_that_ship(bundled_file: Path) -> None:
    found = claims_page.verdicts(bundled_file, [DAY])[DAY]
    lines = claims_page.overview("From the figures that ship", claims_page.seed("claims"), found)
    assert "\n".join(lines) in COMMITTED, "run `make claims`"
    for claim_id in CLAIMS:
        rule = claims_page.rule_lines(claim_id, claims_page.banded(found[claim_id]))
        assert "\n".join(rule) in _section(claim_id), "run `make claims`"
        assert found[claim_id].because in _section(claim_id)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (477.4e9, "usd", "477 bn USD"),
        (3.51, "pct", "3.51 %"),
        (-0.4, "pp_of_gdp", "-0.40 points of GDP"),
        (2.0, "metals", "2"),
        (2.684, "t_statistic", "t 2.68"),
        (1234.5, "ratio", "1,234"),
        (338.0, "twh_per_year", "338 TWh a year"),
    ],
)
def test_a_figure_is_written_with_its_unit(value: float, unit: str, text: str) -> None:
    assert claims_page.amount(value, unit) == text
