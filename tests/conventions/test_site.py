"""What `make site` lays out: every page in the navigation, links that lead to pages of the site, code as it is."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from pipelines.settings import PROJECT_ROOT

WEBSITE = PROJECT_ROOT / "website"


@pytest.fixture(scope="module")
def stage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("website_stage", WEBSITE / "stage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def staged(stage: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site") / "pages"
    stage.stage(folder)
    return folder


def test_the_navigation_has_every_page_once(staged: Path) -> None:
    nav = (WEBSITE / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    named = re.findall(r"([\w/]+\.md)$", nav, flags=re.MULTILINE)
    assert sorted(named) == sorted(str(p.relative_to(staged)) for p in staged.rglob("*.md"))


def test_every_link_of_a_staged_page_leads_to_a_staged_file(staged: Path) -> None:
    broken = [
        f"{page.relative_to(staged)}: {link}"
        for page in staged.rglob("*.md")
        for link in re.findall(r"\]\(([^)#\s]+)", re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8")))
        if not re.match(r"[a-z]+:", link) and not (page.parent / link).exists()
    ]
    assert broken == []


def test_each_worked_query_is_on_the_page_of_queries(staged: Path) -> None:
    page = (staged / "docs" / "queries" / "index.md").read_text(encoding="utf-8")
    for query in (PROJECT_ROOT / "docs" / "queries").glob("*.sql"):
        question, _, sql = query.read_text(encoding="utf-8").strip().partition("\n")
        assert f"## {question.removeprefix('--').strip()}\n" in page
        assert sql in page


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("README.md", "[q](docs/queries)", "[q](docs/queries/index.md)"),
        ("docs/sql.md", "[home](../README.md#sql)", "[home](../index.md#sql)"),
        (
            "docs/sql.md",
            "[rules](../pipelines/catalog/corrections.yaml)",
            "rules (`pipelines/catalog/corrections.yaml`)",
        ),
        ("README.md", "![a\nb](docs/img/x.png)", "![a\nb](docs/img/x.png)"),
        ("README.md", "[`metals`](docs/sql.md)", "[`metals`](docs/sql.md)"),
        ("README.md", "[x](https://example.org/y.md) [y](#z)", "[x](https://example.org/y.md) [y](#z)"),
        ("README.md", "`[x](LICENSE)`\n\n    [x](LICENSE)\n\n```\n[x](LICENSE)\n```", None),
    ],
)
def test_links_are_rewritten_and_code_is_not(stage: ModuleType, page: str, text: str, expected: str | None) -> None:
    assert stage.linked(text, Path(page), PROJECT_ROOT) == (text if expected is None else expected)


def test_nothing_of_the_site_comes_from_elsewhere() -> None:
    """The setting that would load fonts is off, and so is the plugin that loads a script from another host."""
    settings = (WEBSITE / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^  font: false", settings, flags=re.MULTILINE)
    assert "plugins: [search]\n" in settings
