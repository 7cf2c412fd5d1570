"""The catalogue refuses an entry that lacks a fact, and names the file and the entry."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml

from pipelines import catalog as catalogs
from pipelines.catalog import Frequency
from pipelines.errors import CatalogError
from pipelines.settings import PROJECT_ROOT, Settings

CALENDAR = PROJECT_ROOT / "dbt_project" / "macros" / "calendar.sql"

SOURCE = {
    "id": "tiny",
    "title": "Tiny",
    "publisher": "Office of Tests",
    "group": "prices",
    "homepage": "https://tiny.example.org",
    "licence": "public domain",
    "licence_class": "public_domain",
    "credit": "Office of Tests",
    "terms": "none",
    "hosts": ["tiny.example.org"],
    "cadence_hours": 20,
    "requests_per_second": 1,
    "max_body_mb": 1,
    "min_body_bytes": 1,
    "max_bad_share": 0.02,
    "day_ends": "24:00 UTC",
    "proven": {"by": "documented"},
    "bundle": True,
    "description": "A source for tests",
}
SERIES = {
    "id": "tiny_copper_usd_per_tonne",
    "source": "tiny",
    "title": "Copper",
    "publisher": "Office of Tests",
    "select": {"column": "Copper"},
    "unit": "usd_per_tonne",
    "frequency": "monthly",
    "plausible": [400, 60000],
    "publication_lag_days": 6,
    "staleness_limit_days": 50,
    "licence": "public domain",
    "history": "stable",
    "metal": "copper",
    "description": "A series for tests",
}
COMPANY = {
    "id": "TINY",
    "name": "Tiny Corp",
    "role": "hyperscaler",
    "ciks": [{"cik": 7}],
    "fiscal_year_end": "12-31",
    "concepts": {"capex": ["Capex"]},
    "filing_lag_days": 75,
    "description": "A company for tests",
}
METAL = {"id": "copper", "name": "Copper", "symbol": "Cu", "family": "base", "description": "Refined copper"}
TOPIC = {
    "id": "tariffs",
    "source": "tiny",
    "title": "Tariffs",
    "conditions": {"term": "tariff"},
    "since": date(2018, 1, 1),
    "description": "A topic for tests",
}
CORRECTION = {
    "id": "one",
    "series": "tiny_copper_usd_per_tonne",
    "period": date(2026, 1, 1),
    "action": "override",
    "published": 90.0,
    "value": 9000.0,
    "known_on": date(2026, 3, 1),
    "reason": "printed in hundreds",
    "reference": "a notice",
}
RECORD_CORRECTION = {
    "id": "thousandfold",
    "fact": {"company": "TINY", "tag": "Capex", "period_end": date(2025, 12, 31)},
    "action": "override",
    "published": 9e12,
    "value": 9e9,
    "known_on": date(2026, 3, 1),
    "reason": "a thousand times too large",
    "reference": "a notice",
}
RELEASE = {
    "id": "late",
    "series": ["tiny_copper_usd_per_tonne"],
    "released": {date(2026, 1, 1): date(2026, 2, 20)},
    "reason": "a strike",
    "reference": "a notice",
}
FILES = {
    "sources.yaml": ("sources", SOURCE),
    "series/tiny.yaml": ("series", SERIES),
    "companies.yaml": ("companies", COMPANY),
    "metals.yaml": ("metals", METAL),
    "topics.yaml": ("topics", TOPIC),
    "corrections.yaml": ("corrections", CORRECTION),
    "record_corrections.yaml": ("corrections", RECORD_CORRECTION),
    "release_dates.yaml": ("releases", RELEASE),
}
OPTIONAL = {"metal", "taxonomy", "unofficial", "switch", "value"}
OF_EITHER = {("record_corrections.yaml", name) for name in ("fact", "published")}  # a document has neither
REQUIRED = [
    (file, name)
    for file, (_, entry) in FILES.items()
    for name in entry
    if name not in OPTIONAL | {"id"} and (file, name) not in OF_EITHER
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue of one entry per file, each complete."""
    (tmp_path / "series").mkdir()
    for file, (key, entry) in FILES.items():
        write(tmp_path / file, {key: [copy.deepcopy(entry)]})
    return tmp_path


def write(path: Path, document: Any) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def edit(folder: Path, file: str, **changes: Any) -> None:
    key, entry = FILES[file]
    write(folder / file, {key: [{**entry, **changes}]})


def test_a_complete_catalogue_loads(folder: Path) -> None:
    loaded = catalogs.load(folder)
    assert [list(part) for part in (loaded.sources, loaded.series, loaded.companies, loaded.metals, loaded.topics)] == [
        ["tiny"],
        ["tiny_copper_usd_per_tonne"],
        ["TINY"],
        ["copper"],
        ["tariffs"],
    ]
    assert loaded.company_by_cik[7].id == "TINY"


@pytest.mark.parametrize(("file", "field"), REQUIRED)
def test_a_missing_field_is_refused_naming_file_entry_and_field(folder: Path, file: str, field: str) -> None:
    key, entry = FILES[file]
    write(folder / file, {key: [{k: v for k, v in entry.items() if k != field}]})
    with pytest.raises(CatalogError) as refusal:
        catalogs.load(folder)
    assert f"{Path(file).name}: entry '{entry['id']}': {field}: Field required" in str(refusal.value)


@pytest.mark.parametrize("file", FILES)
def test_an_entry_without_an_id_is_named_by_its_position(folder: Path, file: str) -> None:
    key, entry = FILES[file]
    write(folder / file, {key: [{k: v for k, v in entry.items() if k != "id"}]})
    with pytest.raises(CatalogError, match=rf"{Path(file).name}: entry 'number 1': id: Field required"):
        catalogs.load(folder)


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("series/tiny.yaml", {"plausible": [5, 5]}, r"plausible range \[5.0, 5.0\] is empty"),
        ("series/tiny.yaml", {"plausible": [9, 5]}, r"plausible range \[9.0, 5.0\] is empty"),
        ("series/tiny.yaml", {"source": "nobody"}, "unknown source 'nobody'"),
        ("series/tiny.yaml", {"metal": "unobtainium"}, "unknown metal 'unobtainium'"),
        ("series/tiny.yaml", {"unit": "USD/t"}, "unit: String should match pattern"),
        ("series/tiny.yaml", {"frequency": "fortnightly"}, "frequency: Input should be 'daily'"),
        ("series/tiny.yaml", {"publication_lag_days": -1}, "publication_lag_days: Input should be greater"),
        ("series/tiny.yaml", {"staleness_limit_days": 0}, "staleness_limit_days: Input should be greater than 0"),
        ("series/tiny.yaml", {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ("sources.yaml", {"hosts": []}, "hosts: List should have at least 1 item"),
        ("sources.yaml", {"requests_per_second": 11}, "requests_per_second: Input should be less than or equal to 10"),
        ("sources.yaml", {"max_bad_share": 1}, "max_bad_share: Input should be less than 1"),
        ("sources.yaml", {"day_ends": "17:00 Nowhere"}, "No time zone found with key Nowhere"),
        ("sources.yaml", {"day_ends": "at dusk"}, "day_ends: String should match pattern"),
        ("companies.yaml", {"ciks": []}, "ciks: List should have at least 1 item"),
        ("companies.yaml", {"fiscal_year_end": "June"}, "fiscal_year_end: String should match pattern"),
        ("topics.yaml", {"source": "nobody"}, "unknown source 'nobody'"),
        ("corrections.yaml", {"series": "nothing"}, "unknown series 'nothing'"),
        ("corrections.yaml", {"action": "guess"}, "action: Input should be 'drop'"),
        ("corrections.yaml", {"action": "drop"}, "a value belongs to an override, and to nothing else"),
        ("corrections.yaml", {"value": None}, "a value belongs to an override, and to nothing else"),
        ("record_corrections.yaml", {"fact": None}, "a correction is of a fact or of a document"),
        ("record_corrections.yaml", {"document": "2026-1"}, "a correction is of a fact or of a document"),
        ("record_corrections.yaml", {"fact": None, "document": "2026-1"}, "a document can be dropped or flagged"),
        ("record_corrections.yaml", {"published": None}, "a fact needs the published value that it is about"),
        ("record_corrections.yaml", {"value": None}, "a value belongs to an override, and to nothing else"),
        (
            "record_corrections.yaml",
            {"fact": RECORD_CORRECTION["fact"] | {"company": "NOBODY"}},  # type: ignore[operator]
            "unknown company 'NOBODY'",
        ),
        (
            "record_corrections.yaml",
            {"fact": RECORD_CORRECTION["fact"] | {"accession": "1"}},  # type: ignore[operator]
            "fact.accession: String should match pattern",
        ),
        ("release_dates.yaml", {"series": ["nothing"]}, "unknown series 'nothing'"),
        ("release_dates.yaml", {"series": []}, "series: List should have at least 1 item"),
        ("release_dates.yaml", {"released": {date(2026, 1, 1): date(2026, 1, 30)}}, "on 2026-01-30, before it ends"),
        (
            "release_dates.yaml",
            {"series": ["tiny_copper_usd_per_tonne"] * 2},
            "2026-01-01 is already dated in 'late'",
        ),
        ("corrections.yaml", {"published": None}, "action override needs the published figure that it is about"),
        ("topics.yaml", {"conditions": {"publication_date": "2020"}}, "publication_date is set by the plan"),
    ],
)
def test_a_wrong_fact_is_refused_with_its_reason(folder: Path, file: str, changes: dict[str, Any], reason: str) -> None:
    edit(folder, file, **changes)
    with pytest.raises(CatalogError, match=reason) as refusal:
        catalogs.load(folder)
    assert f"{Path(file).name}: entry '{FILES[file][1]['id']}'" in str(refusal.value)


@pytest.mark.parametrize("file", FILES)
def test_an_entry_declared_twice_is_refused(folder: Path, file: str) -> None:
    key, entry = FILES[file]
    write(folder / file, {key: [entry, entry]})
    with pytest.raises(CatalogError, match=rf"entry '{entry['id']}' is already declared in {Path(file).name}"):
        catalogs.load(folder)


def test_a_series_declared_in_two_files_is_refused_naming_both(folder: Path) -> None:
    write(folder / "series" / "zz.yaml", {"series": [SERIES]})
    with pytest.raises(CatalogError, match=r"zz.yaml: entry '.*' is already declared in tiny.yaml"):
        catalogs.load(folder)


def test_defaults_stand_under_every_entry_and_give_way_to_it(folder: Path) -> None:
    short = {k: v for k, v in SERIES.items() if k not in ("source", "unit")}
    write(
        folder / "series" / "tiny.yaml",
        {"defaults": {"source": "tiny", "unit": "pct"}, "series": [short, {**short, "id": "b", "unit": "tonnes"}]},
    )
    loaded = catalogs.load(folder)
    assert [s.unit for s in loaded.series_of("tiny")] == ["pct", "tonnes"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("series: [", "tiny.yaml: not readable as YAML"),
        ("- a\n- b\n", "tiny.yaml: expected a mapping with a list under 'series'"),
        ("series: {}\n", "tiny.yaml: expected a mapping with a list under 'series'"),
        ("series: []\nseriez: []\n", r"tiny.yaml: unknown keys \['seriez'\]"),
        ("series: [a word]\n", "tiny.yaml: entry 'number 1': is not a mapping"),
        ("series:\n  - {id: a, unit: pct, unit: tonnes}\n", "tiny.yaml: not readable as YAML: duplicate key 'unit'"),
    ],
)
def test_a_file_that_is_no_list_of_entries_is_refused(folder: Path, content: str, reason: str) -> None:
    (folder / "series" / "tiny.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(CatalogError, match=reason):
        catalogs.load(folder)


@pytest.mark.parametrize("file", ["sources.yaml", "metals.yaml", "companies.yaml"])
def test_a_missing_file_is_refused_with_what_to_do(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CatalogError, match=rf"{file}: the file is missing Next: restore"):
        catalogs.load(folder)


@pytest.mark.parametrize(
    ("frequency", "start", "end"),
    [
        (Frequency.DAILY, date(2024, 2, 29), date(2024, 2, 29)),
        (Frequency.WEEKLY, date(2024, 12, 30), date(2025, 1, 5)),
        (Frequency.MONTHLY, date(2024, 2, 1), date(2024, 2, 29)),
        (Frequency.MONTHLY, date(2025, 12, 1), date(2025, 12, 31)),
        (Frequency.QUARTERLY, date(2025, 10, 1), date(2025, 12, 31)),
        (Frequency.QUARTERLY, date(2025, 4, 1), date(2025, 6, 30)),
        (Frequency.ANNUAL, date(2025, 1, 1), date(2025, 12, 31)),
        (Frequency.US_FISCAL_YEAR, date(2024, 10, 1), date(2025, 9, 30)),
    ],
)
def test_a_period_ends_on_its_last_day(frequency: Frequency, start: date, end: date) -> None:
    assert catalogs.period_end(start, frequency) == end
    # The models' own statement of the rule.
    macros = jinja2.Template(CALENDAR.read_text(encoding="utf-8")).module
    said = macros.period_end(f"date '{start}'", f"'{frequency.value}'")  # type: ignore[attr-defined]
    assert duckdb.sql(f"select {said}").fetchall() == [(end,)]


def test_the_catalogue_of_this_project_loads_and_is_whole() -> None:
    loaded = catalogs.load(Settings().catalog_dir)
    assert {"worldbank_pink_sheet", "fred", "eastmoney", "sec_edgar", "federal_register"} <= set(loaded.sources)
    assert {"MSFT", "GOOGL", "AMZN", "META", "ORCL"} <= set(loaded.companies)
    assert loaded.series["wb_copper_usd_per_tonne"].metal == "copper"
    assert loaded.company_by_cik[1652044] is loaded.company_by_cik[1288776] is loaded.companies["GOOGL"]
    assert loaded.companies["GOOGL"].cik == 1652044
    for series in loaded.series.values():
        assert series.staleness_limit_days > series.publication_lag_days, series.id


def test_both_kinds_of_a_cftc_report_come_out_on_the_same_days_one_after_the_other() -> None:
    tracked = catalogs.load(Settings().catalog_dir)
    days: dict[str, dict[date, date]] = {}
    for entry in tracked.releases.values():
        for name in entry.series:
            days.setdefault(name, {}).update(entry.released)
    reports = [days[s.id] for source in ("cftc", "cftc_legacy") for s in tracked.series_of(source)]
    assert len(reports[0]) == 13 + 11 + 1
    assert all(report == reports[0] for report in reports)
    released = [day for _, day in sorted(reports[0].items())]
    assert released == sorted(set(released))
