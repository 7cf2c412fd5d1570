"""`metals what-if`: what changed inputs give is what the links multiply out to, and nothing is written."""

from __future__ import annotations

import hashlib
import io
import shutil
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from pipelines.reporting import what_if
from pipelines.settings import Settings


@pytest.fixture(scope="module")
def home(built_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(warehouse_dir=tmp_path_factory.mktemp("what_if"))
    shutil.copyfile(built_file, settings.published_path)
    return settings


def asked(home: Settings, given: dict[str, float]) -> dict[tuple[str, str], what_if.Compared]:
    return {(c.what, c.unit): c for c in what_if.compare(home, given)}


def test_spending_and_metal_per_megawatt_multiply_out_and_the_file_stays(home: Settings) -> None:
    before = hashlib.sha256(home.published_path.read_bytes()).digest()
    found = asked(home, {"capex_pct": -50.0, "aluminium_t_per_mw": 8.0})
    assert hashlib.sha256(home.published_path.read_bytes()).digest() == before
    with duckdb.connect(str(home.published_path), read_only=True) as connection:
        published = {
            (metal, scenario): (tonnes, megawatts)
            for metal, scenario, tonnes, megawatts in connection.execute(
                "select metal_id, scenario, implied_tonnes_per_year, implied_mw from driver_ai_metal_demand "
                "where calendar_quarter = (select max(calendar_quarter) from driver_ai_metal_demand "
                "where metal_id = 'copper' and scenario = 'base' and implied_tonnes_per_year is not null)"
            ).fetchall()
        }
        verdicts = dict(connection.execute("select claim_id, verdict from claim_verdicts").fetchall())
    spent = found["hyperscalers, four quarters", "bn USD"]
    assert spent.scenario == pytest.approx(0.5 * float(spent.base or 0))
    for scenario in ("low", "base", "high"):
        tonnes, megawatts = published["copper", scenario]
        copper = found[f"copper, {scenario} scenario", "kt a year"]
        assert copper.base == pytest.approx(tonnes / 1e3)
        assert copper.scenario == pytest.approx(0.5 * tonnes / 1e3)
        aluminium = found[f"aluminium, {scenario} scenario", "kt a year"]
        assert aluminium.scenario == pytest.approx(0.5 * megawatts * 8 / 1e3)
    assert published["aluminium", "base"][0] is None
    assert found["aluminium, base scenario", "kt a year"].base is None
    # Half the spending is less than a year before, which contradicts; what does not rest on it stays.
    assert found["C2 AI capex adds metal demand", ""].scenario == "mixed"
    assert not any(c.differs for (_, unit), c in found.items() if unit == "% on year")
    assert {what.split()[0]: c.base for (what, unit), c in found.items() if not unit} == verdicts


def test_a_wider_money_gap_lifts_the_nowcast_of_the_month_it_leads(home: Settings) -> None:
    found = asked(home, {"money_gap_pp": 5.0})
    moved = [c for (_, unit), c in found.items() if unit == "% on year" and c.differs]
    assert moved
    [copper] = [c for (what, _), c in found.items() if what.startswith("composite of copper, ")]
    assert all(float(c.scenario or 0) > float(c.base or 0) for c in (*moved, copper))
    assert not any(c.differs for (_, unit), c in found.items() if unit in ("bn USD", "kt a year", "% of world"))

    page = io.StringIO()
    Console(file=page, width=80).print(*what_if.show(list(found.values()), {"money_gap_pp": 5.0}), sep="\n")
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "a scenario, not a forecast: money-gap-pp +5; nothing is stored"
    assert sum(line.rstrip().endswith("*") for line in lines) == sum(c.differs for c in found.values())
