"""A first run with no publisher in reach: the bundled figures alone, and the README's queries on them."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import polars as pl
import pytest
from rich.console import Console, RenderableType

from pipelines import catalog as catalogs
from pipelines import warehouse
from pipelines.authoring import brief_schema
from pipelines.reporting import questions
from pipelines.reporting.rows import Format, show, shown
from pipelines.settings import Settings
from pipelines.sources import fred
from tests.brief_page import differences, read
from tests.pipeline.conftest import READ_ONLY_PROJECT, REPOSITORY, Home
from tests.replay import Replay

QUERIES = REPOSITORY / "docs" / "queries"
DEAD_END = "http://127.0.0.1:9"  # the discard port: refused at once
NEXT_DAY = "2026-08-22T22:30:00+00:00"

ALUMINIUM = """
  - id: fred_palumusdm_usd_per_tonne
    title: Aluminium, monthly average (IMF, over FRED)
    publisher: International Monetary Fund
    select: {id: PALUMUSDM}
    unit: usd_per_tonne
    frequency: monthly
    plausible: [500, 10000]         # a price per pound or in cents falls outside
    publication_lag_days: 20        # within the first three weeks of the next month
    staleness_limit_days: 75        # 31 + 20, and an update that is left out
    licence: IMF terms of use, with attribution
    history: stable
    bundle: false
    metal: aluminium
    description: Aluminium, 99.5 % purity at least, London Metal Exchange spot, cif UK ports.
"""


@pytest.fixture(scope="module")
def offline_home(new_home: Callable[..., Home]) -> tuple[Home, str, float]:
    home = new_home(METALS_UPSTREAM_BASE_URL=DEAD_END, METALS_NOW="2026-08-21T22:30:00+00:00")
    started = time.monotonic()
    run = home.metals("run", before=READ_ONLY_PROJECT)
    assert run.returncode == 0, run.stdout + run.stderr
    return home, run.stdout + run.stderr, time.monotonic() - started


@pytest.mark.skipif(not READ_ONLY_PROJECT, reason="this machine lets nobody mount")
def test_the_projects_folder_may_be_read_only(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    made = home.folder / "warehouse" / "build" / "dbt_target"
    assert (made / "manifest.json").exists()
    assert list((made / "compiled_for_any_day").glob("nodes-*.json"))


def test_it_publishes_and_says_that_publishers_were_not_reached(offline_home: tuple[Home, str, float]) -> None:
    home, said, _ = offline_home
    # During the run and in its summary, one line each.
    lines = [line for line in said.splitlines() if "reached" in line]
    assert len(lines) == 2, said
    summary = said[said.index("Known as of 2026-08-21") :].splitlines()
    assert summary[1] in lines
    assert re.fullmatch(
        r"No publisher was reached \(23 tried: .*\); the bundled figures end on 2026-0\d-\d\d\.", summary[1]
    )
    ending = next(n for n, line in enumerate(summary) if "docs/queries/" in line)
    assert ending < 40, "one screen, which the progress lines precede"
    claims = [line for line in summary if re.match(r"[CDS]\d ", line)]
    assert len(claims) == len(home.rows("from claim_verdicts"))
    told = json.loads(home.call("status", "--json").stdout)
    how = [s["how"] for s in told["sources"]]
    assert how.count("bundled (not reached)") == 12
    assert "federal_register" in [s["source_id"] for s in told["sources"] if s["how"] == "nothing yet (not reached)"]
    assert told["reach"]["tried"] == len(told["reach"]["faults"]) == 23  # no recorded response is about metals
    assert told["reach"]["reached"] == 0
    # The sentences are cells of tables.
    [(best, most)] = home.rows(
        "select lower(m.name), c.composite from driver_composites as c inner join metals as m using (metal_id) "
        "where c.month = (select max(month) from (select month from driver_composites group by month "
        "having 2 * count(composite) >= count(*))) "
        "order by c.composite desc nulls last, m.name limit 1"
    )
    said = rf"highest for {best}(, \w+)* \((one composite, )?(near zero at )?{re.escape(f'{most:+.2f}')}, "
    assert re.search(said, told["view"]["drives"])


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
    ) == [("epu", date(2025, 10, 1)), ("gpr", date(2026, 7, 1)), ("tpu", date(2025, 4, 28))]


def test_the_json_beside_the_page_is_what_its_schema_says_and_what_the_warehouse_holds(
    offline_home: tuple[Home, str, float],
) -> None:
    home, _, _ = offline_home
    told = json.loads((home.folder / "warehouse" / "brief" / "brief.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(json.loads(brief_schema.SCHEMA.read_text(encoding="utf-8")))
    validator.check_schema(validator.schema)
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(told)] == []

    def utc(moment: Any) -> str | None:
        return f"{moment.isoformat()}Z" if moment else None

    assert told["as_of"] == "2026-08-21"
    assert {(c["claim_id"], c["verdict"], c["because"], c["known_at"]) for c in told["claims"]} == {
        (claim_id, verdict, because, utc(known_at))
        for claim_id, verdict, because, known_at in home.rows(
            "select claim_id, verdict, because, known_at from claim_verdicts"
        )
    }
    assert {
        (c["claim_id"], e["indicator"], e["value"], e["reading"], e["known_at"])
        for c in told["claims"]
        for e in c["evidence"]
    } == {
        (*row, utc(known_at))
        for *row, known_at in home.rows("select claim_id, indicator, value, reading, known_at from claim_evidence")
    }
    assert {(d["divergence_id"], d["subject"], d["state"], d["gap_zscore"]) for d in told["divergences"]} == set(
        home.rows("select divergence_id, subject, state, gap_zscore from divergences")
    )
    assert [f["figure"] for f in told["headline_figures"]][:2] == ["Copper, monthly average", "Gold, monthly average"]
    for f in told["headline_figures"]:
        key = {"metal_prices_usd": f"period = date '{f['period']}' and frequency = '{f['frequency']}'"}
        key["driver_ai_capex_aggregate"] = f"calendar_quarter = date '{f['period']}'"
        which = key.get(f["table_name"], f"month = date '{f['period']}'")
        metal = f["figure"].partition(",")[0].lower()
        which += f" and metal_id = '{metal}'" if f["table_name"] == "metal_prices_usd" else ""
        stored = home.rows(f"select {f['column_name']}, known_at from {f['table_name']} where {which}")
        assert stored == [(f["value"], datetime.fromisoformat(f["known_at"]).replace(tzinfo=None))], f
    assert {p["source_id"] for p in told["publishers"]} == set(catalogs.load(Settings().catalog_dir).sources)
    assert {p["answers"] for p in told["publishers"]} == {None}, "none was reached, for the first time"


def test_every_unit_test_of_the_models_passes(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    code = (
        "from pipelines import transform; from pipelines.settings import Settings\n"
        "results = transform.unit_test(Settings())\n"
        "print([(r.name, r.message) for r in results if r.failed], len(results))"
    )
    run = home.python(code)
    assert run.returncode == 0, run.stderr
    failed, _, count = run.stdout.strip().splitlines()[-1].rpartition(" ")
    assert failed == "[]", run.stdout
    assert int(count) >= 23


def _blocks(language: str) -> list[tuple[str, str]]:
    """(page, code) of every fenced block in a language, over all pages that are written by hand."""
    pages = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
    return [
        (page.name, block)
        for page in pages
        for block in re.findall(
            rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
    ]


def test_the_sql_of_every_page_answers(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    blocks = _blocks("sql")
    assert len(blocks) >= 3
    for page, query in blocks:
        # Filled from files that users download themselves (`metals backfill sec`): asked, and empty here.
        assert bool(home.rows(query)) != ("from capex_universe" in query), (page, query)


def test_the_python_of_every_page_runs(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    blocks = _blocks("python")
    assert len(blocks) >= 2
    # One process in place of one a block; the pages open warehouse/metals.duckdb from where they stand.
    code = "\n".join(["import os", f"os.chdir({str(home.folder)!r})", *(block for _, block in blocks)])
    run = home.python(code)
    assert run.returncode == 0, run.stderr


# What each worked query must say of the bundled figures: read by hand in the publishers' files (prices, PPI, filings,
# proclamations), or another way to the same number.
FACTS: dict[str, Callable[[list[dict[str, Any]]], bool]] = {
    "ai_metal_demand": lambda rows: [r["scenario"] for r in rows] == ["low", "base", "high"]
    and {(r["metal_id"], r["capex_ttm_companies"], r["companies_expected"]) for r in rows} == {("copper", 5, 5)},
    "capex_revised": lambda rows: [
        (r["vintage_number"], r["capex_before_usd_mn"], r["capex_usd_mn"], r["accession_numbers"])
        for r in rows
        if (r["company_id"], r["fiscal_year"], r["fiscal_quarter"]) == ("META", 2023, 1)
    ]
    == [(2, 6842.0, 6823.0, "0001326801-24-000049")],
    "china_turning_point": lambda rows: (rows[0]["month"], rows[0]["ppi_yoy_pct"], rows[0]["ppi_sign_since"])
    == (date(2026, 7, 1), 3.5, date(2026, 3, 1)),
    "drivers_by_metal": lambda rows: len({r["metal_id"] for r in rows}) == len(rows) > 5
    and all(
        # the composite stands among what is summed, hence twice
        abs(sum(r[c] or 0 for c in r if c.endswith("_zscore")) - 2 * r["composite_zscore"]) < 0.04
        for r in rows
    ),
    "duties_on_copper_and_silver": lambda rows: {
        (r["metal_id"], r["instrument"], r["rate_pct"]) for r in rows if r["effective_on"] == date(2025, 8, 1)
    }
    == {("copper", "section_232", 50.0)},
    "duties_reaching_refined_metal": lambda rows: [
        (r["refined_rate_pct"], r["refined_rate_proposed_pct"], r["refined_rate_proposed_from"])
        for r in rows
        if r["metal_id"] == "copper"
    ]
    == [(0.0, 30.0, date(2027, 1, 1))],
    "evidence_of_a_claim": lambda rows: sorted(r["reading"] for r in rows if r["role"] == "decisive")
    == ["contradicts"] * 2 + ["supports"] * 3,
    "figures_changed_lately": lambda rows: [
        (r["value_before"], r["value"], r["what"])
        for r in rows
        if (r["series_id"], r["period"]) == ("cn_exports_yoy_pct", date(2026, 5, 1))
    ]
    == [(19.4, 19.2, "revised")],
    "how_old_is_it": lambda rows: sum(r["series"] for r in rows) == len(catalogs.load(Settings().catalog_dir).series),
    "hyperscaler_capex": lambda rows: [
        r["capex_usd_bn"] for r in rows if (r["company_id"], r["calendar_quarter"]) == ("GOOGL", date(2025, 10, 1))
    ]
    == [27.851],
    "money_leads_prices": lambda rows: len(rows) == 5
    and [(r["best_lead_months"], r["correlation"]) for r in rows if r["sample"] == "full"] == [(8, 0.66)],
    "open_divergences": lambda rows: [abs(r["gap_zscore"]) for r in rows if r["gap_zscore"] is not None]
    == sorted((abs(r["gap_zscore"]) for r in rows if r["gap_zscore"] is not None), reverse=True),
    "prices_in_usd": lambda rows: {
        r["metal_id"]: (r["period"], r["frequency"], r["price_usd"], r["unit"], r["publisher"]) for r in rows
    }["copper"]
    == (date(2026, 6, 1), "monthly", 13552.0, "usd_per_tonne", "World Bank Commodity Price Data (The Pink Sheet)"),
    "prices_and_volatility": lambda rows: {r["metal_id"]: (r["month"], r["price_native"]) for r in rows}["copper"]
    == (date(2026, 6, 1), 13552.0),
    "risk_and_volatility": lambda rows: [
        (r["months_inside"], r["mean_abs_return_inside_pct"] > r["mean_abs_return_outside_pct"], r["t_statistic"] > 2)
        for r in rows
        if (r["regime"], r["sample"]) == ("monetary_policy", "full")
    ]
    == [(73, True, True)],
    "tables_and_views": lambda rows: {r["table_name"]: r["kind"] for r in rows}["claim_verdicts"] == "view"
    and all(r["description"].startswith("One row per ") for r in rows),
    "the_1970s": lambda rows: [(r["month"].year, r["is_1970s"]) for r in rows]
    == [(2006, False), (2017, False)],
    "verdicts_over_time": lambda rows: [(r["as_of"], r["C5"]) for r in rows] == [(date(2026, 7, 31), "supported")],
    "verdicts_today": lambda rows: len(rows) == 14
    and {r["claim_id"]: r["verdict"] for r in rows}["C4"] == "undetermined",
    "what_was_known_when": lambda rows: [
        (r["ppi_yoy_pct"], r["known_at"].date(), r["known_at_basis"]) for r in rows if r["month"] == date(2026, 3, 1)
    ]
    == [(0.5, date(2026, 4, 15), "assumed_lag")],
    "where_a_number_comes_from": lambda rows: {r["input_id"] for r in rows}
    == {"MSFT 0001193125-26-191507", "MSFT 0001193125-26-323660"},
}  # fmt: skip


def test_every_worked_query_has_a_fact_to_meet() -> None:
    assert {path.stem for path in QUERIES.glob("*.sql")} == set(FACTS)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_a_worked_query_asks_a_question_and_its_answer_is_true(
    name: str, offline_home: tuple[Home, str, float]
) -> None:
    home, _, _ = offline_home
    text = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    question = text.splitlines()[0]
    assert question.startswith("-- ")
    assert "?" in question
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert len(warehouse.selects(connection, text)) == 1, "`metals sql` takes it"
        relation = connection.sql(text)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        frame = relation.pl()
    assert rows
    assert FACTS[name](rows), rows[:3]
    for width in (60, 80, 120, None):  # no column and no digit is lost
        console = Console(file=io.StringIO(), force_terminal=width is not None, width=width or 80, color_system=None)
        show(console, console, frame, Format.AUTO, limit=frame.height)
        said = console.file.getvalue()  # type: ignore[attr-defined]
        for column, kind in frame.schema.items():
            assert all(word in said for word in column.split("_"))
            figures = () if kind == pl.String else map(shown, frame[column])
            words = set(said.split())
            assert all(figure in words or (" " in figure and figure in said) for figure in figures)


def test_status_doctor_and_sql_read_the_published_file(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    status = home.metals("status")
    assert status.returncode == 0, status.stderr
    assert "C6" in status.stdout
    doctor = home.call("doctor")
    assert doctor.returncode == 1
    assert "World Bank" in doctor.stdout
    assert "METALS_NOW" in doctor.stdout
    assert "METALS_UPSTREAM_BASE_URL" in doctor.stdout
    assert doctor.stdout.splitlines()[-1] == "2 problem(s) found", "both are for tests"
    answer = home.metals("sql", "select 6 * 7 as answer")
    assert "42" in answer.stdout
    refused = home.call("sql", "create table x (a int)")
    assert refused.returncode == 2
    assert "a select is expected, not create" in refused.stderr


def test_each_claim_and_metal_has_an_answer_of_its_own(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home

    def said(parts: Iterable[RenderableType]) -> str:
        console = Console(file=io.StringIO(), width=300)
        console.print(*parts, sep="\n")
        return str(console.file.getvalue())  # type: ignore[attr-defined]

    with duckdb.connect(str(home.published), read_only=True) as connection:
        board = said(questions.claims(connection))
        verdicts = connection.sql(
            "select claim_id, title, verdict, statement, last_verdict_on from claim_verdicts"
        ).fetchall()
        for claim_id, title, verdict, statement, last in verdicts:
            one = said(questions.claim(connection, claim_id.lower()))
            findings = connection.execute(
                "select finding from claim_evidence where claim_id = ? and finding is not null", [claim_id]
            ).fetchall()
            assert title in board
            assert title in one.splitlines()[0]
            assert statement in one
            assert all(finding in one for (finding,) in findings)
            assert verdict.replace("_", " ") in one.splitlines()[0]
            assert last is None or f"{last}" in board
        for claim_id, is_scored, reason in connection.sql(
            "select claim_id, is_scored, reason from claim_score_summary"
        ).fetchall():
            one = said(questions.claim(connection, claim_id))
            assert ("not yet, " if is_scored else reason) in one
        composites = connection.sql("""
            select metal_id, arg_max(composite, month) from driver_composites
            where composite is not null group by metal_id
        """).fetchall()
        for metal_id, composite in composites:
            assert f": {composite:+.2f} standard deviations (" in said(questions.why(connection, metal_id))
        assert len(verdicts) == 14
        assert len(composites) > 4
        assert said(questions.why(connection, "gold")).count("price against drivers") == 1
        assert "no driver is scored for it" in said(questions.why(connection, "uranium"))
        [(month, year)] = connection.sql("""
            select 100 * (exp(return_1m_log) - 1), return_12m_pct from metal_prices
            where metal_id = 'copper' and frequency = 'monthly' order by period desc limit 1
        """).fetchall()
        assert f"{month:+.1f} % on the month, {year:+.1f} % on the year" in said(questions.why(connection, "copper"))


def test_what_comes_next_is_listed_by_day_with_what_rests_on_it(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    told = json.loads(home.call("next", "--json").stdout)
    days = [r["released_on"] for r in told["releases"]]
    assert days == sorted(days)
    assert "2026-08-21" < days[0] <= days[-1] <= "2026-09-04"
    assert any(r["claims"] for r in told["releases"])
    said = " ".join(home.call("next").stdout.split())
    for release in told["releases"]:
        assert f"{release['source_id']}:" in said or f"{release['source_id']} " in said
        assert release["claims"] is None or release["claims"] in said
        for claim in (release["claim_titles"] or "").split("; "):
            title, _, claim_id = claim.removesuffix(")").rpartition(" (")
            assert f"{claim_id} {title}" in said


@pytest.mark.parametrize(
    ("command", "wrong", "known"), [("claims", "X9", "C0, C1, C2"), ("why", "unobtainium", "copper, crude_oil, gold")]
)
def test_a_question_about_nothing_names_what_there_is(
    command: str, wrong: str, known: str, offline_home: tuple[Home, str, float]
) -> None:
    home, _, _ = offline_home
    refused = home.call(command, wrong)
    assert (refused.returncode, known in refused.stderr.replace("\n", " ")) == (2, True)
    right = home.call(command, "C5" if command == "claims" else "Copper")
    assert (right.returncode, "China's exports" in right.stdout or "drivers" in right.stdout) == (0, True)


def test_json_is_all_that_a_machine_reads_on_standard_output(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    status = home.call("status", "--json")
    content = json.loads(status.stdout)
    assert content["as_of"] == "2026-08-21"
    assert {c["claim_id"]: c["verdict"] for c in content["claims"]}["C4"] == "undetermined"
    assert {s["source_id"]: s["how"] for s in content["sources"]}["fred"] == "bundled (not reached)"
    unheld = home.metals("run", "--json", "--offline", METALS_LOCK_WAIT_S="0", METALS_WAREHOUSE_DIR="/proc/none")
    assert unheld.returncode == 1
    assert json.loads(unheld.stdout)["published"] is None


def test_explain_names_payload_and_accession(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    told = home.metals("explain", "driver_ai_capex", "MSFT 2026 4")
    [payload] = {p for (p,) in home.rows("select payload_id from raw.payload where url like '%CIK0000789019.json'")}
    assert str(payload) in told.stdout
    assert "0001193125-26-323660" in told.stdout
    missing = home.call("explain", "driver_ai_capex", "MSFT 1900 1")
    assert missing.returncode == 2
    assert re.search(r"keys like it: MSFT \d{4} \d", missing.stderr)
    offered = home.call("explain", "claim_evidence").stdout.split("\n")
    told = home.call("explain", "claim_evidence", offered[0])
    assert (told.returncode, "payload" in told.stdout or "reference table" in told.stdout) == (0, True)
    unknown = home.call("explain", "prices", "copper")
    assert (unknown.returncode, "claim_evidence, " in unknown.stderr) == (2, True)


def test_export_writes_tables_and_queries_whole_or_not_at_all(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    folder = home.folder / "export"
    folder.mkdir()
    assert home.metals("export", "metal_prices", str(folder / "prices.parquet")).returncode == 0
    held = home.rows("select count(*), sum(price_native) from metal_prices")
    assert home.rows(f"select count(*), sum(price_native) from '{folder}/prices.parquet'") == held
    said = {bytes(key): bytes(value).decode() for key, value in home.rows(  # type: ignore[call-overload]
        f"select key, value from parquet_kv_metadata('{folder}/prices.parquet')"
    )}  # fmt: skip
    assert said[b"metals_as_of"] == "2026-08-21"
    assert "World Bank, Commodity Price Data (The Pink Sheet), CC BY 4.0" in said[b"metals_credits"]
    query = "select month, ppi_yoy_pct from driver_china_cycle where month = '2026-07-01';"
    assert home.call("export", query, str(folder / "ppi.csv")).returncode == 0
    assert (folder / "ppi.csv").read_text(encoding="utf-8") == "month,ppi_yoy_pct\n2026-07-01,3.5\n"
    worked = str(QUERIES / "what_was_known_when.sql")
    assert home.call("export", worked, str(folder / "known.csv")).returncode == 0
    assert "2026-03-01,0.5,2026-04-15 00:00:00,assumed_lag" in (folder / "known.csv").read_text(encoding="utf-8")
    (folder / "known.csv").unlink()
    assert "assumed_lag" in home.call("sql", worked).stdout
    for what, target in (("select nonsense", "ppi.csv"), ("metal_prices", "prices.xls"), ("metals", "no/where.csv")):
        assert home.call("export", what, str(folder / target)).returncode == 2
    assert sorted(p.name for p in folder.iterdir()) == ["ppi.csv", "prices.parquet"]
    assert (folder / "ppi.csv").read_text(encoding="utf-8").startswith("month,ppi")


def test_the_page_of_the_day_is_written_and_holds_the_warehouses_figures(offline_home: tuple[Home, str, float]) -> None:
    home, said, _ = offline_home
    path = home.folder / "warehouse" / "brief" / "index.html"
    assert f"brief     {path}" in said
    assert f"brief     {path}" in home.call("status").stdout
    page = read(path.read_text(encoding="utf-8"))
    compared, wrong = differences(page, home.published)
    assert wrong == []
    assert compared > 5000
    # The figures of the README's own tests above, as the page shows them.
    shown = {(f.query, f.column, f.text) for f in page.figures}
    assert ("headlines", "value", "$13,552\u202f/\u202ft") in shown
    assert ("headlines", "value", "+3.5\u202f%") in shown
    assert "No publisher was reached: this page stands on figures to " in " ".join(page.text.split())
    assert "This is the first publication" in page.text
    assert "no figure for the COMEX premium is available" in page.text
    assert "METALS_PERSONAL_USE=true switches them on" in page.text
    assert "coal-share" in page.charts


def test_an_unknown_publisher_is_a_wrong_call(offline_home: tuple[Home, str, float]) -> None:
    home, _, _ = offline_home
    run = home.call("run", "--only", "no_such_publisher")
    assert run.returncode == 2
    assert "worldbank_pink_sheet" in run.stderr


def _copy_of_the_catalogue(folder: Path) -> Path:
    copy = folder / "catalog"
    shutil.copytree(Settings().catalog_dir, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def _append(catalog: Path, entry: str) -> None:
    """Add an entry at the end of the file, letter for letter, as a user does."""
    with (catalog / "series" / "fred.yaml").open("a", encoding="utf-8") as file:
        file.write("\n" + entry.strip("\n") + "\n")


def test_the_documented_example_of_a_new_series_is_a_valid_entry(tmp_path: Path) -> None:
    before = catalogs.load(Settings().catalog_dir)
    text = (REPOSITORY / "docs" / "adding_a_series.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "fred.yaml").write_text(block, encoding="utf-8")
    after = catalogs.load(Settings().catalog_dir, tmp_path)

    [added] = set(after.series) - set(before.series)
    assert f"data_freshness where series_id = '{added}'" in text, "the query that follows asks for this series"
    assert after.series[added].source == "fred"
    asked = {request.params for request in fred.plan(after, date(2026, 8, 21))}
    assert asked - {request.params for request in fred.plan(before, date(2026, 8, 21))} == {(("id", "DGS2"),)}


@pytest.fixture(scope="module")
def home_with_aluminium(
    offline_home: tuple[Home, str, float], shipped: Path, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """The home a day later, its catalogue with one entry more and the documented claim of one's own in the overlay.

    Only FRED is asked. The last to use this home.
    """
    home, _, _ = offline_home
    catalog = _copy_of_the_catalogue(tmp_path_factory.mktemp("catalogue"))
    _append(catalog, ALUMINIUM)
    overlay = str(tmp_path_factory.mktemp("overlay"))
    page = (REPOSITORY / "docs" / "adding_a_claim.md").read_text(encoding="utf-8").replace("\\\n", " ")
    [command] = re.findall(r"^    \.venv/bin/metals (claim add .*)$", page, flags=re.MULTILINE)
    added = home.call(*shlex.split(command), METALS_OVERLAY_DIR=overlay)
    assert (added.returncode, added.stdout.startswith("U1 written to")) == (0, True), added.stdout + added.stderr
    with Replay(shipped, NEXT_DAY[:10]) as replay:
        run = home.metals(
            "run", "--only", "fred", METALS_NOW=NEXT_DAY, METALS_PACING="false",
            METALS_UPSTREAM_BASE_URL=replay.base_url, METALS_CATALOG_DIR=str(catalog),
            METALS_OVERLAY_DIR=overlay,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return home


def test_a_series_is_added_by_one_entry(home_with_aluminium: Home, shipped: Path) -> None:
    rows = home_with_aluminium.rows
    series = "series_id = 'fred_palumusdm_usd_per_tonne'"
    assert "fred_palumusdm_usd_per_tonne" not in catalogs.load(Settings().catalog_dir).series
    [answer] = shipped.rglob("PALUMUSDM.csv")
    last = answer.read_text(encoding="utf-8").split()[-1]
    [(period, value)] = rows(f"select max(period), max_by(value, period) from raw.observation where {series}")
    assert (f"{period}", value) == (last.split(",")[0], float(last.split(",")[1]))
    assert rows(f"select unit, frequency, metal_id, publisher, ships_with_project from series where {series}") == [
        ("usd_per_tonne", "monthly", "aluminium", "International Monetary Fund", False)
    ]
    # April 2025 ended 479 days before, far over the limit of 75.
    assert rows(
        "select source_id, last_period, age_days, staleness_limit_days, is_stale, how "
        f"from data_freshness where {series}"
    ) == [("fred", date(2025, 4, 1), 479, 75, True, "fresh")]


def test_the_documented_claim_of_ones_own_is_judged_back_to_its_first_month(home_with_aluminium: Home) -> None:
    rows = home_with_aluminium.rows
    copper = "series_id = 'wb_copper_usd_per_tonne'"
    known = "select period, max_by(value, known_at) as value from raw.observation where {} and known_at < {} group by 1"
    for day in ("2026-08-22", "2015-12-31"):
        until = f"date '{day}' + interval 1 day"
        window = [
            v for (v,) in rows(f"select value from ({known.format(copper, until)}) order by period desc limit 120")
        ]
        table = "claim_evidence" if day == "2026-08-22" else "claim_evidence_history"
        [(value, reading)] = rows(
            f"select value, reading from {table} where indicator = 'wb_copper_usd_per_tonne_zscore_120m' "
            f"and as_of = date '{day}'"
        )
        zscore = (window[0] - statistics.mean(window)) / statistics.stdev(window)  # type: ignore[type-var, operator]
        assert value == pytest.approx(zscore)
        bar = round(zscore, 2)
        assert reading == ("supports" if bar >= 1 else "contradicts" if bar <= 0 else "neutral")
    [(first,)] = rows(f"select last_day(min(known_at)::date) from raw.observation where {copper}")
    [(oldest, months)] = rows("select min(as_of), count(*) from claim_verdict_history where claim_id = 'U1'")
    assert oldest == first
    assert months == rows(f"select date_diff('month', date '{first}', date '2026-07-31') + 1")[0][0]
    # The figures of the page. The run is of 2026-08-22, when the newest price is too old already.
    page = " ".join((REPOSITORY / "docs" / "adding_a_claim.md").read_text(encoding="utf-8").split())
    [(day, verdict, value)] = re.findall(r"the rule gives on (\S+): (\w+) (z-score .* 2026) and at", page)
    own = "claim_verdict_history where claim_id = 'U1'"
    [(given, because)] = rows(f"select verdict, because from {own} and as_of = '{day}'")
    assert (given, because.startswith(f"Supports: {value}.")) == (verdict, True), because  # type: ignore[attr-defined]
    counts = re.findall(r"(\d+) (?:times )?(supported|contradicted|undetermined|no data)", page)
    assert {(name.replace(" ", "_"), int(n)) for n, name in counts} == set(
        rows(f"select verdict, count(*) from {own} group by 1")
    )
    assert f"at the {months} month ends" in page
    [until] = re.findall(r"counts until (\S+);", page)
    assert rows("select verdict, decidable_until from claim_verdicts where claim_id = 'U1'") == [
        ("undetermined", date.fromisoformat(until))
    ]
    assert rows("select defined_in, count(*) from claim_verdicts group by 1 order by 1") == [
        ("overlay", 1),
        ("project", 14),
    ]
    brief = home_with_aluminium.folder / "warehouse" / "brief"
    page = (brief / "index.html").read_text(encoding="utf-8")
    assert page.count("your own claim") == 1
    assert "Copper is dear against its own past." in page
    told = {c["claim_id"]: c for c in json.loads((brief / "brief.json").read_text(encoding="utf-8"))["claims"]}
    assert told["U1"]["defined_in"] == "overlay"


def test_only_the_named_publisher_was_asked_and_the_others_are_bundled(home_with_aluminium: Home) -> None:
    rows = home_with_aluminium.rows
    asked = rows(f"select distinct source_id from raw.retrieval where checked_at >= timestamp '{NEXT_DAY[:10]}'")
    assert asked == [("fred",)]
    assert rows("select max(as_of) from raw.build where succeeded") == [(date(2026, 8, 22),)]
    assert rows("select count(*) > 700 from metal_prices where metal_id = 'copper'") == [(True,)]
