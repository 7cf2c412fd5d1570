"""Requirements for every published table, from the parsed project: a new table that misses one fails here.

Its grain in words and tested, an enforced contract, a unit test of its arithmetic, units in the names of its figures,
and a comment in its file.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipelines import transform
from pipelines.settings import PROJECT_ROOT, Settings

# No arithmetic of their own; what stands in their place.
WITHOUT_UNIT_TEST = {
    "metals": "columns of the catalogue, renamed",
    "series": "columns of the catalogue, renamed",
    "sources": "columns of the catalogue, renamed",
    "metal_attribution_betas": "a contract for a Python model; its arithmetic: tests/unit/test_attribution.py",
    "lead_lag_money_ppi": "a contract for a Python model; its arithmetic: tests/unit/test_stats.py",
    "ppi_nowcast": "a contract for a Python model; its arithmetic: tests/unit/test_nowcast.py",
    "lineage": "reads every mart; followed to payloads on real rows: tests/models/test_lineage_of_every_mart.py",
}
# A figure's unit is the end of its name, or the middle where the way it was made follows.
UNITS = (
    "pct|pp|pp_of_gdp|usd|usd_bn|cny_per_tonne|tonnes|twh|mw|contracts|index|ratio|zscore|percentile|annualised_pct|"
    "ounces_per_ounce|ounces_per_tonne|usd_per_tonne|usd_per_mw|tonnes_per_mw|tonnes_per_year|twh_per_year|pp_per_year|"
    "pct_per_year|pp_per_pp|"
    "pct_gdp|pct_of_gdp|pct_revenue|pct_open_interest|pct_of_articles|pct_of_world_use|pct_of_use_growth|pct_of_imports|pct_of_receipts|"
    "standard_error_pct|one_sided|hours|log"
)
# Pure numbers by their nature, and the reason why a name carries no unit.
UNITLESS = {
    "correlation": "a correlation coefficient",
    "rank_correlation": "a correlation coefficient",
    "difference": "of two correlation coefficients",
    "t_statistic": "a t-statistic",
    "clark_west_t": "a t-statistic",
    "p_value": "a probability",
    "r2": "a share of variance",
    "r_squared": "a share of variance",
    "distance": "a root mean square of z-scores",
    "share": "a share between 0 and 1",
    "composite": "a sum of weighted z-scores",
    "contribution": "a weighted z-score",
    "weight": "of a z-score in a composite",
    "gap": "of two z-scores, or of figures whose unit stands in the row",
}
# Columns that hold figures of several kinds: their description says where the unit of a row stands.
UNIT_SAID = re.compile(r"\bunit\b|: percentage points")


PROJECT = transform.manifest(Settings())
NODES: list[dict[str, Any]] = list(PROJECT["nodes"].values())
MARTS = {n["name"]: n for n in NODES if n["resource_type"] == "model" and n["schema"] == "main"}


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_a_mart_says_and_tests_what_a_row_is_and_holds_to_a_contract(mart: str) -> None:
    node = MARTS[mart]
    assert node["description"].startswith("One row per "), node["description"]
    assert node["config"]["contract"]["enforced"]
    for name, column in node["columns"].items():
        assert column["data_type"], name
        assert column["description"], name
    tests = [n for n in NODES if n["resource_type"] == "test" and n.get("attached_node") == node["unique_id"]]
    of_grain = [t for t in tests if t["test_metadata"]["name"] in ("unique_combination", "unique")]
    assert of_grain, "no test that its key is unique"


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_a_mart_has_a_unit_test_of_its_arithmetic(mart: str) -> None:
    tested = {t["model"] for t in PROJECT["unit_tests"].values()}
    assert (mart in tested) != (mart in WITHOUT_UNIT_TEST), WITHOUT_UNIT_TEST.get(mart, "no unit test")


def test_what_stands_in_place_of_a_unit_test_exists() -> None:
    assert set(WITHOUT_UNIT_TEST) <= set(MARTS)
    for reason in WITHOUT_UNIT_TEST.values():
        for path in re.findall(r"tests/\S+\.py", reason):
            assert (PROJECT_ROOT / path).is_file(), path


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_a_figure_has_its_unit_in_its_name(mart: str) -> None:
    columns = MARTS[mart]["columns"]
    has_unit_column = any(c == "unit" or c.startswith("unit_") or c.endswith("_unit") for c in columns)
    bare = [
        name
        for name, column in columns.items()
        if column["data_type"] == "double"
        and not re.search(rf"(^|_)({UNITS})(_expanding|_winsorised|_log)?$", name)
        and not any(re.search(rf"(^|_){word}(_|$)", name) for word in UNITLESS)
        and not has_unit_column
        and not UNIT_SAID.search(column["description"])
    ]
    assert not bare, f"no unit in {bare}, no column `unit`, and none in the description"


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_a_mart_says_in_its_file_what_is_not_plain_from_its_sql(mart: str) -> None:
    code = MARTS[mart]["raw_code"]
    assert re.search(r"^\s*(--|\{#)\s*\S", code, re.MULTILINE)


def test_pages_that_rules_and_models_name_are_there() -> None:
    named = set()
    for folder in ("models", "seeds", "macros"):
        for path in (PROJECT_ROOT / "dbt_project" / folder).rglob("*.*"):
            named |= set(re.findall(r"docs/[\w/]+\.md", path.read_text(encoding="utf-8")))
    assert named
    assert not [page for page in sorted(named) if not (PROJECT_ROOT / page).is_file()]
