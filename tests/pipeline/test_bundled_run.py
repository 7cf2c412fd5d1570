"""A first run with no publisher in reach: the bundled figures alone, and the README's queries on them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date

import pytest

from tests.brief_page import differences, read
from tests.pipeline.conftest import REPOSITORY, Home

DEAD_END = "http://127.0.0.1:9"  # the discard port: refused at once


@pytest.fixture(scope="module")
def offline_home(new_home: Callable[..., Home]) -> tuple[Home, str, float]:
    home = new_home(METALS_UPSTREAM_BASE_URL=DEAD_END, METALS_NOW="2026-08-21T22:30:00+00:00")
    started = time.monotonic()
    run = home.metals("run")
    assert run.returncode == 0, run.stdout + run.stderr
    return home, run.stdout + run.stderr, time.monotonic() - started


def test_it_publishes_and_says_that_publishers_were_not_reached(offline_home: tuple[Home, str, float]) -> None:
    _, said, _ = offline_home
    assert said.count("bundled (not reached)") == 8
    assert "nothing yet (not reached)" in said  # the Federal Register: no recorded response is about metals
    assert "could not be reached" in said


def test_dead_publishers_are_asked_once_each(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    assert (
        home.rows(
            "select source_id, count(*) from raw.retrieval where outcome = 'failed' group by 1 having count(*) > 1"
        )
        == []
    )


def test_drivers_hold_real_figures(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    assert home.rows("select ppi_yoy_pct from driver_china_cycle where month = date '2026-07-01'") == [(3.5,)]
    assert home.rows(
        "select round(capex_usd / 1e9, 3) from driver_ai_capex "
        "where company_id = 'GOOGL' and calendar_quarter = date '2025-10-01'"
    ) == [(27.851,)]
    assert home.rows(
        "select price_native from metal_prices where metal_id = 'copper' and period = date '2026-05-01'"
    ) == [(pytest.approx(13543.19, abs=0.005),)]
    assert home.rows("select count(*) from driver_monetary where real_10y_yield_pct is not null") > [(200,)]
    assert home.rows(
        "select net_contracts from intermediate.int_positions__net "
        "where source_id = 'cftc_legacy' and metal_id = 'copper' and as_of_date = date '2026-08-04'"
    ) == [(77123,)]
    assert home.rows(
        "select source_id, max(period) from raw.observation inner join raw.payload using (payload_id) "
        "where source_id in ('gpr', 'tpu', 'epu') group by 1 order by 1"
    ) == [("epu", date(2025, 2, 1)), ("gpr", date(2026, 1, 1)), ("tpu", date(2025, 4, 28))]


def test_every_unit_test_of_the_models_passes(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    # In a process of its own: dbt's tests leave their adapter registered in the process they ran in.
    code = (
        "from pipelines import transform; from pipelines.settings import Settings\n"
        "results = transform.unit_test(Settings())\n"
        "print([(r.name, r.message) for r in results if r.failed], len(results))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, **home.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    failed, _, count = run.stdout.strip().splitlines()[-1].rpartition(" ")
    assert failed == "[]", run.stdout
    assert int(count) >= 23


def test_the_queries_of_the_readme_answer(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    queries = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    assert len(queries) >= 3
    for query in queries:
        assert home.rows(query), query


def test_status_doctor_and_sql_read_the_published_file(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    status = home.metals("status")
    assert status.returncode == 0, status.stderr
    assert "C6" in status.stdout
    doctor = home.metals("doctor")
    assert doctor.returncode == 0, doctor.stderr
    assert "World Bank" in doctor.stdout
    answer = home.metals("sql", "select 6 * 7 as answer")
    assert "42" in answer.stdout
    refused = home.metals("sql", "create table x (a int)")
    assert refused.returncode == 2
    assert "read-only" in refused.stderr


def test_the_page_of_the_day_is_written_and_holds_the_warehouses_figures(offline_home: tuple[Home, str, float]) -> None:
    home, said, _ = offline_home
    path = home.folder / "warehouse" / "brief" / "index.html"
    assert f"brief     {path}" in said
    assert f"brief     {path}" in home.metals("status").stdout
    page = read(path.read_text(encoding="utf-8"))
    compared, wrong = differences(page, home.published)
    assert wrong == []
    assert compared > 5000
    # The figures of the README's own tests above, as the page shows them.
    shown = {(f.query, f.column, f.text) for f in page.figures}
    assert ("key_figures", "value", "$13,543\u202f/\u202ft") in shown
    assert ("key_figures", "value", "3.5\u202f%") in shown
    assert "This is the first publication" in page.text
    assert "the COMEX premium has no figure here" in page.text
    assert "METALS_PERSONAL_USE=true switches them on" in page.text
    assert "coal-share" not in page.charts, "nothing of coal ships with the project"


def test_a_second_run_adds_nothing(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    before = home.rows("select count(*) from raw.observation union all select count(*) from raw.filing_fact")
    verdicts = home.rows("select claim_id, verdict, because from claim_verdicts order by 1")
    page = home.folder / "warehouse" / "brief"
    shutil.rmtree(page)
    page.touch()  # a file where the page's folder should be: the brief cannot be written
    published_at = home.published.stat().st_mtime
    run = home.metals("run", "--offline")
    assert run.returncode == 0, run.stderr
    assert "write_brief" in run.stderr
    assert "brief     none yet" in run.stdout
    assert home.published.stat().st_mtime > published_at, "a page that fails takes no publication back"
    assert home.rows("select count(*) from raw.observation union all select count(*) from raw.filing_fact") == before
    assert home.rows("select claim_id, verdict, because from claim_verdicts order by 1") == verdicts


def test_an_unknown_publisher_is_a_wrong_call(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    run = home.metals("run", "--only", "no_such_publisher")
    assert run.returncode == 2
    assert "worldbank_pink_sheet" in run.stderr


def test_only_one_publisher_can_be_run(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    run = home.metals("run", "--only", "worldbank_pink_sheet", METALS_NOW="2026-08-24T22:30:00+00:00")
    assert run.returncode == 0, run.stderr
    asked = home.rows("select distinct source_id from raw.retrieval where checked_at > timestamp '2026-08-23'")
    assert asked == [("worldbank_pink_sheet",)]
    assert home.rows("select max(as_of) from raw.build where succeeded") == [(date(2026, 8, 24),)]
