"""What every publisher, series and published table must have, whoever adds it."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from pipelines import catalog
from pipelines.authoring import dictionary
from pipelines.catalog import LicenceClass, Source
from pipelines.settings import PROJECT_ROOT, Settings, setting_variable
from pipelines.sources import module

TRACKED = catalog.load(PROJECT_ROOT / "pipelines" / "catalog")
SOURCES = list(TRACKED.sources.values())
DBT = PROJECT_ROOT / "dbt_project"
MARTS = [model for _, model in dictionary.marts(DBT)]

# Source: its unit test file, where that does not bear the source's id.
UNIT_TESTS = {"worldbank_pink_sheet": "worldbank"}
# Prefixes of series ids that more than one source uses: one office, two channels.
SHARED_PREFIXES = {
    "cftc": {"cftc", "cftc_legacy"},
    "wb": {"worldbank_pink_sheet", "worldbank_indicators"},
}


def by_id(entry: Source) -> str:
    return entry.id


@pytest.mark.parametrize("source", SOURCES, ids=by_id)
def test_a_source_has_a_module_that_plans_and_parses(source: Source) -> None:
    found = module(source.id)
    assert callable(found.plan)
    assert callable(found.parse)


def test_every_module_belongs_to_a_catalogued_source() -> None:
    modules = {path.stem for path in (PROJECT_ROOT / "pipelines" / "sources").glob("[a-z]*.py")}
    assert modules == set(TRACKED.sources)


@pytest.mark.parametrize("source", SOURCES, ids=by_id)
def test_a_source_has_a_unit_test_file(source: Source) -> None:
    path = PROJECT_ROOT / "tests" / "unit" / f"test_source_{UNIT_TESTS.get(source.id, source.id)}.py"
    assert path.is_file(), f"{path.name} is missing"
    assert "\ndef test_" in path.read_text(encoding="utf-8")


def test_every_source_stands_in_a_list_of_publishers() -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    page = dictionary.PAGE.read_text(encoding="utf-8")
    missing = [s.id for s in SOURCES if f"| {s.title} |" not in readme and f"| [`{s.id}`](#{s.id}) |" not in page]
    assert missing == [], "run `make docs`"


@pytest.mark.parametrize("source", [s for s in SOURCES if s.licence_class is LicenceClass.PERSONAL_USE], ids=by_id)
def test_what_is_for_personal_use_is_off_and_does_not_ship(source: Source) -> None:
    assert source.bundle is False
    assert source.switch is not None
    assert Settings.model_fields[source.switch].default is False
    assert f"METALS_{source.switch.upper()}=true" in source.terms


def test_every_switch_is_a_setting() -> None:
    assert {s.switch for s in SOURCES if s.switch} <= set(Settings.model_fields)


def test_every_key_is_a_secret_setting_without_a_default_and_is_named_in_the_terms() -> None:
    keys = {s.key: s.terms for s in SOURCES if s.key}
    assert keys
    for key, terms in keys.items():
        field = Settings.model_fields[key]
        assert (field.annotation, field.default) == (SecretStr | None, None)
        assert setting_variable(key) in terms


@pytest.mark.parametrize("source", SOURCES, ids=by_id)
def test_a_request_asks_for_a_key_where_its_source_has_one_and_only_there(source: Source) -> None:
    requests = module(source.id).plan(TRACKED, date(2026, 8, 21))
    assert {r.key_parameter is not None for r in requests} == {source.key is not None}


def test_series_of_a_source_share_a_prefix_which_no_other_source_uses_unless_listed() -> None:
    users: dict[str, set[str]] = defaultdict(set)
    for series in TRACKED.series.values():
        users[series.id.partition("_")[0]].add(series.source)
    prefixes: dict[str, list[str]] = defaultdict(list)
    for prefix, sources in users.items():
        for source in sources:
            prefixes[source].append(prefix)
    assert {s: p for s, p in prefixes.items() if len(p) > 1} == {}
    assert {p: s for p, s in users.items() if len(s) > 1} == SHARED_PREFIXES


def test_every_file_of_the_marts_has_an_entry_and_the_other_way_round() -> None:
    files = sorted(p.stem for p in (DBT / "models" / "marts").rglob("*") if p.suffix in (".sql", ".py"))
    assert files == sorted(m["name"] for m in MARTS)


def test_contracts_are_enforced_for_all_marts() -> None:
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["models"]["metals_drivers"]["marts"]["+contract"] == {
        "enforced": "{{ (target.type == 'duckdb') | as_bool }}"
    }
    for path in (DBT / "models" / "marts").rglob("*.sql"):
        assert not re.search(r"config\([^)]*contract", path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart["name"])
def test_a_mart_says_its_grain_and_tests_it_and_has_a_contract(mart: dict[str, Any]) -> None:
    assert mart["description"].startswith("One row per ")
    assert "contract" not in mart.get("config", {}), "the contract is set for all marts in dbt_project.yml"
    assert mart["columns"]
    for column in mart["columns"]:
        assert column.get("data_type"), column["name"]
        assert column.get("description"), column["name"]
    names = {column["name"] for column in mart["columns"]}
    grains = [
        set(test["unique_combination"]["arguments"]["columns"])
        for test in mart.get("data_tests", [])
        if isinstance(test, dict) and "unique_combination" in test
    ]
    assert grains, "a unique_combination test of the columns that make the grain is missing"
    assert all(grain <= names for grain in grains)


# What is counted, weighed or paid for is never less than nothing; what a metal costs is never nothing either.
NEVER_ZERO = re.compile(r"(usd|cny)_per_|index_\d")
NEVER_NEGATIVE = re.compile(r"contracts|kg|(short_|thousand_|ten_thousand_)?tonnes|short_tons|troy_ounces|twh|index")


@pytest.mark.parametrize("series", TRACKED.series.values(), ids=by_id)
def test_a_range_knows_the_sign_of_its_unit(series: Any) -> None:
    low = series.plausible[0]
    assert not (NEVER_ZERO.match(series.unit) and series.metal and low <= 0), "0 would pass as a price"
    assert not (NEVER_NEGATIVE.match(series.unit) and low < 0), "a flipped sign would pass"


def test_a_month_that_was_never_published_is_flagged_for_every_series_of_it() -> None:
    flagged = {(c.series, f"{c.period:%Y-%m}") for c in TRACKED.corrections.values() if c.action == "flag"}
    silent = {(s.id, month) for s in TRACKED.series.values() for month in s.select.get("never_published", ())}
    assert silent
    assert silent <= flagged
