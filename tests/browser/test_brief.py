"""The brief of a published warehouse of all payloads, in a browser: drawn, linked, accessible, offline."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe

from pipelines import brief
from pipelines.audit import gate
from pipelines.settings import Settings
from tests.brief_page import differences, read
from tests.browser.conftest import PAPER, Seen

SECTIONS = {
    "changes", "prices", "releases", "claims", "drivers", "ai", "money", "trade", "coal", "seventies", "divergences",
    "opportunities", "state", "terms", "queries",
}  # fmt: skip
LONGEST_PX = {"desktop": 12_000, "phone": 18_000}
CHARTS = {
    "price-paths",
    "volatility",
    "capex",
    "implied-copper",
    "money-ppi",
    "lead-lag",
    "duties",
    "analog",
    "coal-share",
}


@dataclass(frozen=True)
class Made:
    """A published file and the page made of it."""

    warehouse: Path
    page: Path


@pytest.fixture(scope="module")
def made(built_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("brief")
    with duckdb.connect(str(built_file), read_only=True) as connection:
        rows = connection.execute("select max(as_of) from raw.build").fetchall()
    # The moment of the build: the audit refuses a build of another day.
    settings = Settings(warehouse_dir=folder, now=datetime.combine(rows[0][0], datetime.min.time()))
    settings.build_path.parent.mkdir(parents=True)
    shutil.copyfile(built_file, settings.build_path)
    gate.publish(settings)
    return Made(settings.published_path, brief.write(settings).path)


@pytest.fixture(scope="module")
def desktop(made: Made, look: Callable[..., Seen]) -> Seen:
    seen = look(made.page)
    seen.all_drawn()
    return seen


@pytest.fixture(scope="module")
def phone(made: Made, look: Callable[..., Seen]) -> Seen:
    seen = look(made.page, width=390, height=844, scheme="dark")
    seen.all_drawn()
    return seen


def test_every_figure_and_every_point_is_the_warehouses(made: Made) -> None:
    page = read(made.page.read_text(encoding="utf-8"))
    compared, wrong = differences(page, made.warehouse)
    assert wrong == []
    assert compared > 5000
    assert set(page.charts) == CHARTS
    assert len(page.sparklines) == 8
    assert {figure.query for figure in page.figures} <= set(page.queries)
    unlinked = [f for f in page.figures if f.links_to is not None and f.links_to != f"#sql-{f.query}"]
    assert unlinked == []


def test_every_chart_is_drawn_and_nothing_is_complained_of(desktop: Seen) -> None:
    plots = desktop.page.locator(".plot")
    assert plots.count() == len(CHARTS)
    for n in range(plots.count()):
        plot = plots.nth(n)
        assert plot.locator("svg.main-svg").count() >= 1
        drawn = plot.locator(".trace path, .trace .point, .bars path, .scatterlayer path").count()
        assert drawn > 0, plot.get_attribute("data-chart")
        assert len(plot.get_attribute("aria-label") or "") > 40
    assert desktop.said == []


def test_nothing_is_asked_of_the_network(desktop: Seen, phone: Seen) -> None:
    assert desktop.asked == phone.asked == []
    # The page's own policy refuses before the browser's shut network has to.
    refused = desktop.page.evaluate(
        "new Promise(done => { addEventListener('securitypolicyviolation', e => done(e.violatedDirective)); "
        "fetch('https://example.org/').catch(() => null); })"
    )
    assert refused == "connect-src"
    desktop.said.clear()  # the browser has reported what was just tried
    assert desktop.asked == []


def test_every_link_leads_somewhere(desktop: Seen) -> None:
    links = desktop.page.eval_on_selector_all("a[href]", "found => found.map(a => a.getAttribute('href'))")
    ids = set(desktop.page.eval_on_selector_all("[id]", "found => found.map(e => e.id)"))
    inside = [link[1:] for link in links if link.startswith("#")]
    outside = [link for link in links if not link.startswith("#")]
    assert len(inside) > 100
    assert {link for link in inside if link not in ids} == set()
    assert set(inside).issuperset(SECTIONS)
    assert outside
    assert [link for link in outside if not re.match(r"https?://[\w.-]+\.\w+(/|$)", link)] == []


def test_a_figure_leads_to_the_query_that_gives_it(desktop: Seen) -> None:
    figure = desktop.page.locator("#ai .reading a.fig").nth(2)
    query = figure.get_attribute("data-query")
    figure.click()
    block = desktop.page.locator(f"#sql-{query}")
    block.wait_for(state="visible")
    assert "select" in (block.locator("code").text_content() or "")
    assert desktop.page.evaluate("location.hash") == f"#sql-{query}"


@pytest.mark.parametrize(("screen", "width"), [("desktop", 1280), ("phone", 390)])
def test_the_page_is_read_in_minutes(screen: str, width: int, made: Made, look: Callable[..., Seen]) -> None:
    seen = look(made.page, width=width)
    seen.all_drawn()
    assert seen.page.evaluate("document.documentElement.scrollHeight") <= LONGEST_PX[screen]


def test_no_raw_identifier_is_shown(made: Made) -> None:
    page = read(made.page.read_text(encoding="utf-8"))
    shown = page.prose + " ".join(text for chart in page.charts.values() for text in _texts(chart))
    assert re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", shown) == []
    assert "emerging Asia" in shown
    assert "pct gdp" not in shown


def _texts(spec: object) -> list[str]:
    """The texts a chart shows: names, titles, annotations, hover."""
    if isinstance(spec, dict):
        shown = [v for k, v in spec.items() if k in ("name", "text") and isinstance(v, str)]
        return shown + [text for k, v in spec.items() if k != "meta" for text in _texts(v)]
    return [text for part in spec for text in _texts(part)] if isinstance(spec, list) else []


def test_a_phone_does_not_scroll_sideways(phone: Seen) -> None:
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.said == []


def test_charts_take_the_colours_of_the_screen(desktop: Seen, phone: Seen) -> None:
    assert set(desktop.papers()) == {PAPER["light"]}
    assert set(phone.papers()) == {PAPER["dark"]}
    phone.dress("light")  # a screen that turns at sunrise
    assert set(phone.papers()) == {PAPER["light"]}
    phone.dress("dark")


def test_the_keyboard_reaches_the_content_first(made: Made, look: Callable[..., Seen]) -> None:
    seen = look(made.page)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"


# Each layout once and each theme once: a rule that fails in one pair alone would be one of colours in one layout.
@pytest.mark.parametrize(("screen", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_axe_finds_nothing(screen: str, scheme: Literal["light", "dark"], request: pytest.FixtureRequest) -> None:
    seen: Seen = request.getfixturevalue(screen)
    seen.dress(scheme)
    # Axe is injected by the test and not by the page, and asks for nothing.
    seen.page.eval_on_selector_all("main details", "found => found.forEach(d => { d.open = true; })")
    found = Axe().run(seen.page).response["violations"]
    seen.page.eval_on_selector_all("main details", "found => found.forEach(d => { d.open = false; })")
    assert [(v["id"], [node["html"][:160] for node in v["nodes"][:3]]) for v in found] == []


def test_it_prints_with_its_charts_in_light_colours(desktop: Seen) -> None:
    desktop.dress("dark")
    printed = desktop.page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 5
    folded = desktop.page.locator("#claims .printed td").first
    assert not folded.is_visible()
    desktop.page.emulate_media(media="print", color_scheme="dark")
    assert folded.is_visible(), "evidence is printed though it is folded on the screen"
    assert desktop.page.locator("#state summary").first.is_hidden()
    background = "getComputedStyle(document.body).backgroundColor"
    assert desktop.page.evaluate(background) == PAPER["light"]
    assert desktop.page.locator("nav").is_hidden()
    desktop.page.emulate_media(media="screen", color_scheme="light")
    assert desktop.said == []


def test_without_a_script_every_figure_still_stands(made: Made, browser_without_scripts: Callable[[Path], str]) -> None:
    text = browser_without_scripts(made.page)
    assert "The charts need JavaScript" in text
    assert "Newest monthly average price of each metal" in text
