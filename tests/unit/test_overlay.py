"""The user's own entries: merged with the project's, refused with both files named, and nothing half-written."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from typer.testing import CliRunner

from pipelines import catalog as catalogs
from pipelines import sources, warehouse
from pipelines.authoring import dictionary, overlay
from pipelines.cli import app
from pipelines.errors import BadPayload, CatalogError
from pipelines.landing.addresses import host_of
from pipelines.landing.http import verify_response
from pipelines.settings import PROJECT_ROOT, Settings
from tests.unit.test_catalog import SOURCE

CATALOG = Settings().catalog_dir
PUBLISHER = SOURCE | {"id": "own_desk", "hosts": ["desk.example.org"]}
MODULE = """
from pipelines.sources import Parsed

def plan(catalog, today):
    return []

def parse(body, key, catalog):
    return Parsed()
"""
DEAR = {
    "id": "U1",
    "name": "copper_is_dear",
    "statement": "Copper is dear against its own past.",
    "what_would_change_it": "A z-score below zero.",
    "indicators": [
        {
            "id": "z",
            "series": "wb_copper_usd_per_tonne",
            "transformation": "zscore",
            "months": 120,
            "supports": {"comparison": "gte", "threshold": 1},
            "contradicts": 0,
            "reason": "One standard deviation.",
        }
    ],
}


def _write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_entries_of_the_overlay_stand_beside_the_projects_and_are_known_as_ones_own(tmp_path: Path) -> None:
    alone = catalogs.load(CATALOG)
    _write(tmp_path, "sources.yaml", {"sources": [PUBLISHER]})
    _write(tmp_path, "sources/own_desk.py", MODULE)
    _write(tmp_path, "claims.yaml", {"claims": [DEAR]})
    both = catalogs.load(CATALOG, tmp_path)
    assert both.sources.keys() - alone.sources.keys() == {"own_desk"}
    assert (both.series, both.corrections) == (alone.series, alone.corrections)
    assert both.defined_in(both.claims["U1"]) == both.defined_in(both.sources["own_desk"]) == "overlay"
    assert both.defined_in(both.sources["fred"]) == "project"
    assert sources.modules(both)("own_desk").plan(both, None) == []  # type: ignore[arg-type]
    assert sources.modules(both)("fred") is sources.module("fred")


def test_an_id_that_the_project_has_too_is_refused_with_both_files_named(tmp_path: Path) -> None:
    fred = catalogs.document_of((CATALOG / "series" / "fred.yaml").read_text(encoding="utf-8"))
    path = _write(tmp_path, "series/mine.yaml", {"defaults": fred["defaults"], "series": fred["series"][:1]})
    with pytest.raises(CatalogError) as refused:
        catalogs.load(CATALOG, tmp_path)
    said = str(refused.value)
    assert fred["series"][0]["id"] in said
    assert f"{path}: entry" in said or f"declared in {path}" in said
    assert "fred.yaml" in said


def test_a_publisher_without_a_module_or_with_a_broken_one_is_named(tmp_path: Path) -> None:
    _write(tmp_path, "sources.yaml", {"sources": [PUBLISHER]})
    with pytest.raises(CatalogError, match=r"there is no module .*sources/own_desk\.py"):
        catalogs.load(CATALOG, tmp_path)
    _write(tmp_path, "sources/own_desk.py", "import nothing_like_it\n")
    with pytest.raises(CatalogError, match=r"own_desk\.py: ModuleNotFoundError"):
        sources.modules(catalogs.load(CATALOG, tmp_path))("own_desk")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"months": 0}, "zscore needs them"),
        ({"months": 12}, "24 months or more"),
        ({"transformation": "level"}, "a level has no months"),
        ({"contradicts": 2}, "on the other side"),
        ({"supports": {"comparison": "between", "threshold": 1}}, "threshold_high"),
        ({"role": "supporting"}, "no indicator is decisive"),
        ({"series": "no_such_series"}, "unknown series 'no_such_series'"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    claim = DEAR | {"indicators": [DEAR["indicators"][0] | changed]}  # type: ignore[operator, index]
    _write(tmp_path, "claims.yaml", {"claims": [claim]})
    with pytest.raises(CatalogError, match=said):
        catalogs.load(CATALOG, tmp_path)


def test_a_rule_in_one_line_is_read_as_it_is_written() -> None:
    found = overlay.indicator("fred_dgs10_pct  change 12 between -1 0.5 against 1", "supporting", "why", None, 30)
    assert found == {
        "id": "fred_dgs10_pct_change_12m", "series": "fred_dgs10_pct", "transformation": "change", "months": 12,
        "role": "supporting", "supports": {"comparison": "between", "threshold": -1.0, "threshold_high": 0.5},
        "contradicts": 1.0, "decimals": 2, "tolerated_days": 30, "reason": "why",
    }  # fmt: skip
    assert overlay.indicator("x level >= 3", "decisive", "why", None, 0)["supports"]["comparison"] == "gte"
    with pytest.raises(CatalogError, match="is not of the form SERIES TRANSFORMATION"):
        overlay.indicator("fred_dgs10_pct rises", "decisive", "why", None, 0)


def test_claims_and_corrections_are_added_by_command_and_a_refused_one_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METALS_OVERLAY_DIR", str(tmp_path))
    claim = ["claim", "add", "copper_is_dear", "--statement", "s", "--reason", "r", "--changes", "c", "--decisive"]
    for rule in ("wb_copper_usd_per_tonne zscore 120 >= 1 against 0", "wb_copper_usd_per_tonne change_pct 12 > 10"):
        run = CliRunner().invoke(app, [*claim, rule])
        assert run.exit_code == 0, run.output
    correction = ["correction", "add", "fred_dgs10_pct", "2026-01-05", "--reason", "r", "--reference", "n"]
    assert CliRunner().invoke(app, [*correction, "--action", "drop", "--published", "4.17"]).exit_code == 0
    before = {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()}
    for wrong in ([*claim, "nothing level > 1"], [*correction, "--action", "override", "--published", "4.17"]):
        run = CliRunner().invoke(app, wrong)
        assert (run.exit_code, "Nothing was written" in " ".join(run.output.split())) == (2, True), run.output
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir()} == before
    tracked = catalogs.load(CATALOG, tmp_path)
    assert list(tracked.claims) == ["U1", "U2"]
    assert tracked.corrections["fred_dgs10_pct_2026_01_05"].published == 4.17
    listed = CliRunner().invoke(app, ["overlay"])
    assert (listed.exit_code, "U1, U2" in listed.output) == (0, True), listed.output


def test_the_dictionary_of_the_overlay_has_the_users_entries_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fred = catalogs.document_of((CATALOG / "series" / "fred.yaml").read_text(encoding="utf-8"))
    alcoa = catalogs.load(CATALOG).companies["AA"].model_dump(mode="json")
    _write(tmp_path, "sources.yaml", {"sources": [PUBLISHER]})
    _write(tmp_path, "sources/own_desk.py", MODULE)
    _write(
        tmp_path, "series/fred.yaml",
        {"defaults": fred["defaults"], "series": [fred["series"][0] | {"id": "fred_own_pct", "title": "A | B"}]},
    )  # fmt: skip
    _write(tmp_path, "companies.yaml", {"companies": [alcoa | {"id": "OWN", "ciks": [{"cik": 123}]}]})
    _write(tmp_path, "claims.yaml", {"claims": [DEAR]})
    monkeypatch.setenv("METALS_OVERLAY_DIR", str(tmp_path))
    correction = ["correction", "add", "fred_own_pct", "2026-01-05", "--reason", "Shifted.", "--reference", "A note."]
    override = ["--action", "override", "--published", "41.7", "--value", "4.17", "--known-on", "2026-01-06"]
    run = CliRunner().invoke(app, [*correction, *override])
    assert run.exit_code == 0, run.output
    run = CliRunner().invoke(app, ["overlay", "--dictionary"])
    assert (run.exit_code, "dictionary.md" in run.output) == (0, True), run.output
    page = (tmp_path / "dictionary.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Your own entries", "## Publishers and series", "### fred", "### own_desk", "## Companies", "## Corrections",
        "## Claims", "### U1 copper_is_dear",
    ]  # fmt: skip
    assert "- Hosts: `desk.example.org`" in page.splitlines()
    assert "Bundled" not in page
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows[0].startswith("| `fred_own_pct` | A \\| B | ")
    assert [row.split("`")[1] for row in rows] == ["fred_own_pct", "OWN", "fred_own_pct_2026_01_05", "z"]
    assert rows[2:] == [
        "| `fred_own_pct_2026_01_05` | `fred_own_pct`, 2026-01-05 | 41.7 | override: 4.17 | 2026-01-06 | Shifted. "
        "| A note. |",
        "| `z` | z-score over 120 months of Copper, monthly average | decisive | at least 1 zscore | at most 0 zscore "
        "| 0 | One standard deviation. |  |",
    ]


def test_a_correction_of_a_document_is_marked_in_the_warehouse_as_ones_own(tmp_path: Path) -> None:
    said = {"known_on": "2026-01-06", "reason": "r", "reference": "n"}
    dropped = {"id": "own_drop", "action": "drop", "document": "2026-00001", **said}
    _write(tmp_path, "record_corrections.yaml", {"corrections": [dropped]})
    with warehouse.writer(Settings(warehouse_dir=tmp_path)) as connection:
        warehouse.write_catalog(connection, catalogs.load(CATALOG, tmp_path))
        found = connection.execute("select correction_id, defined_in from raw.catalog_record_correction").fetchall()
    assert {name for name, where in found if where == "overlay"} == {"own_drop"}


def test_tables_of_ones_own_stand_in_the_dictionary_with_their_columns() -> None:
    node = {
        "schema": "main", "alias": "own_gap", "description": "One row per month.",
        "columns": {"gap_pct": {"name": "gap_pct", "data_type": None, "description": "Distance, per cent"}},
    }  # fmt: skip
    page = dictionary.own_page(catalogs.load(CATALOG), [node])
    assert page.partition("## Tables\n\n")[2] == (
        "### main.own_gap\n\nOne row per month.\n\n| column | type | description |\n| --- | --- | --- |\n"
        "| `gap_pct` |  | Distance, per cent |\n"
    )
    assert page.count("\n#") == 2, "nothing of the project's"


def _fenced(page: str) -> dict[str, list[str]]:
    """The fenced blocks of a page under docs/, by language."""
    text = (PROJECT_ROOT / "docs" / page).read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        found.setdefault(language, []).append(block)
    return found


def test_the_documented_publisher_of_ones_own_loads_plans_and_reads_its_figures(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "adding_a_source.md").read_text(encoding="utf-8")
    fenced = _fenced("adding_a_source.md")
    [[body], [module]] = fenced["csv"], fenced["python"]
    names = re.findall(r"`warehouse/overlay/(s[\w/]+\.(?:yaml|py))`:\n\n```", page)
    assert names == ["sources.yaml", "sources/example_office.py", "series/example_office.yaml"]
    for name, content in zip(names, [fenced["yaml"][0], module, fenced["yaml"][1]], strict=True):
        _write(tmp_path, name, content)
    tracked = catalogs.load(CATALOG, tmp_path)
    own = sources.modules(tracked)("example_office")
    [request] = own.plan(tracked, date(2026, 11, 2))
    assert (request.key, host_of(request.url)) == ("copper_stocks", tracked.sources["example_office"].hosts[0])
    answer = requests.Response()
    answer.status_code = 200
    verify_response(answer, body.encode(), request, tracked.sources["example_office"])
    parsed = own.parse(body.encode(), request.key, tracked)
    stocks = "example_copper_stocks_tonnes"
    assert parsed.observations.select("series_id", "period", "value", "decimals").rows() == [
        (stocks, date(2026, 8, 1), 1200.5, 1),
        (stocks, date(2026, 10, 1), 1187.0, 1),
    ]
    assert (parsed.missing, parsed.rejects.rows()) == ({stocks: 1}, [])
    assert "gives 1200.5 for August and 1187.0 for October, and no row for September" in page
    assert f"where series_id = '{stocks}'" in page
    for wrong in (body.replace("stocks_tonnes", "stocks"), body[:-2]):
        with pytest.raises(BadPayload):
            own.parse(wrong.encode(), request.key, tracked)


def test_the_documented_defaults_and_company_are_valid(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    [company] = _fenced("extending.md")["yaml"]
    _write(tmp_path, "companies.yaml", company)
    tracked = catalogs.load(CATALOG, tmp_path)
    assert [entry.id for entry in tracked.own] == ["MADEUP"]
    # What is to be copied is what the project's own files say.
    [line] = re.findall(r"^    defaults: (.*)$", page, flags=re.MULTILINE)
    for file, said in (("sources", yaml.safe_load(line)), ("companies", yaml.safe_load(company)["defaults"])):
        project = catalogs.document_of((CATALOG / f"{file}.yaml").read_text(encoding="utf-8"))["defaults"]
        project.pop("role", None)  # a company's own
        assert said == project
