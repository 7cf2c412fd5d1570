"""The daily job over real HTTP against the replay of the publishers, vintage after vintage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.models.test_discrete_quarters import assert_golden_quarters
from tests.pipeline.conftest import Home
from tests.replay import Replay

pytestmark = pytest.mark.recorded

Runs = tuple[Home, list[str], dict[str, Any]]
SPRING, SUMMER = "2026-04-15T22:30:00+00:00", "2026-08-21T22:30:00+00:00"


# A process that asks the published file until told to stop; prints how often, each answer it saw, and each error.
READER = """
import json, pathlib, sys, time, duckdb
mode, path, stop = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
question = "select (select max(month) from driver_china_cycle)::varchar, (select count(*) from raw.observation)"
answers, errors, times = [], [], 0
held = duckdb.connect(path, read_only=True) if mode == "held" else None
while not stop.exists():
    try:
        connection = held or duckdb.connect(path, read_only=True)
        answer = list(connection.execute(question).fetchall()[0])
        if answer not in answers:
            answers.append(answer)
        if held is None:
            connection.close()
        times += 1
    except duckdb.Error as error:
        errors.append(str(error))
    time.sleep(0.05)
print(json.dumps({"times": times, "answers": answers, "errors": errors}))
"""


def _reader(mode: str, path: Path, stop: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", READER, mode, str(path), str(stop)], stdout=subprocess.PIPE, text=True
    )


@pytest.fixture(scope="module")
def two_runs(session_replay: Replay, new_home: Callable[..., Home], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """A run in spring and one in late summer, nothing bundled: all figures arrive over HTTP.

    While the second run is on, one reader holds the file it opened before, and another opens it anew all the time.
    """
    home = new_home(
        METALS_UPSTREAM_BASE_URL=session_replay.base_url,
        METALS_BUNDLED_DIR=str(tmp_path_factory.mktemp("no_bundle")),
        METALS_PACING="false",
    )
    session_replay.now = date.fromisoformat(SPRING[:10])
    first = home.metals("run", METALS_NOW=SPRING)
    assert first.returncode == 0, first.stdout + first.stderr

    stop = home.folder / "stop"
    readers = {mode: _reader(mode, home.published, stop) for mode in ("held", "opened")}
    session_replay.now = date.fromisoformat(SUMMER[:10])
    second = home.metals("run", METALS_NOW=SUMMER)
    stop.touch()
    seen = {mode: json.loads(process.communicate(timeout=60)[0]) for mode, process in readers.items()}
    assert second.returncode == 0, second.stdout + second.stderr
    return home, [first.stdout, second.stdout], seen


def test_discrete_quarters_are_those_of_the_filings(two_runs: Runs) -> None:
    home, _, _ = two_runs
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert_golden_quarters(connection)


def test_china_ppi_turned_positive_in_march_and_the_verdict_says_so(
    two_runs: Runs,
) -> None:
    home, _, _ = two_runs
    assert home.rows("select distinct ppi_sign_since from driver_china_cycle where month = date '2026-07-01'") == [
        (date(2026, 3, 1),)
    ]
    [(verdict, because)] = home.rows("select verdict, because from claim_verdicts where claim_id = 'C4'")
    assert verdict == "mixed"
    assert "direction held" in str(because)
    assert "2026-03" in str(because)
    assert "7 months earlier" in str(because)


def test_the_money_gap_leads_by_six_to_nine_months(two_runs: Runs) -> None:
    home, _, _ = two_runs
    table = dict(home.rows("select lag_months, correlation from lead_lag_money_ppi where sample = 'full'"))
    assert table[0] == pytest.approx(0.293, abs=5e-4)
    assert max(table, key=lambda lag: table[lag]) in range(6, 10)  # type: ignore[arg-type, return-value]
    assert max(table.values()) == pytest.approx(0.656, abs=5e-4)  # type: ignore[type-var]
    samples = home.rows(
        "select count(distinct sample), bool_and(correlation between correlation_lower_95 and correlation_upper_95) "
        "from lead_lag_money_ppi"
    )
    assert samples == [(5, True)]  # all, three sub-periods, and the months before M1 was redefined


def test_a_rounded_vintage_adds_only_its_new_months(two_runs: Runs) -> None:
    home, _, _ = two_runs
    rows = home.rows(
        """
        select c.series_id, c.rows_added, c.rows_changed
        from raw.coverage as c
        inner join raw.payload as p on c.payload_id = p.payload_id and p.retrieved_at = c.retrieved_at
        where c.source_id = 'worldbank_pink_sheet' and c.retrieved_at >= timestamp '2026-08-01'
        """
    )
    assert len(rows) == 12
    # The workbook of March 2026 ends with February; the rounded one of June ends with May.
    assert {(added, changed) for _, added, changed in rows} == {(3, 0)}


def test_a_real_revision_is_a_row_of_its_own(two_runs: Runs) -> None:
    home, _, _ = two_runs
    cpi = home.rows(
        "select count(*), count(distinct known_at) from raw.observation "
        "where series_id = 'fred_cpiaucsl_index' and period = date '2025-11-01'"
    )
    assert cpi[0][0] == cpi[0][1]  # one row per time of knowledge


def test_a_reader_sees_one_state_and_never_an_error_while_the_job_runs(
    two_runs: Runs,
) -> None:
    _, _, seen = two_runs
    for mode in ("held", "opened"):
        assert seen[mode]["errors"] == [], mode
        assert seen[mode]["times"] > 20, mode
    assert len(seen["held"]["answers"]) == 1, "an open file stays the one that was opened"
    assert len(seen["opened"]["answers"]) <= 2, "whole builds only: the one before, and the one after"


def test_the_summary_names_every_publisher_and_claim(two_runs: Runs) -> None:
    _, outputs, _ = two_runs
    for words in ("fred", "worldbank_pink_sheet", "sec_edgar", "federal_register", "eastmoney", "C1", "C6", "fresh"):
        assert words in outputs[1], words
    assert "metals sql" in outputs[1]


def test_explain_leads_to_payload_and_accession(two_runs: Runs) -> None:
    home, _, _ = two_runs
    payloads = home.rows(
        "select distinct payload_id from lineage where table_name = 'driver_ai_capex' and row_key = 'MSFT|2024|3'"
    )
    told = home.metals("explain", "driver_ai_capex", "MSFT 2024 3")
    assert told.returncode == 0, told.stderr
    assert payloads
    assert all(str(payload) in told.stdout for (payload,) in payloads)
    assert "0000950170-25-061046" in told.stdout  # the 10-Q of a year later restates it


def test_every_table_and_column_carries_its_description(two_runs: Runs) -> None:
    home, _, _ = two_runs
    bare_tables = home.rows(
        "select schema_name || '.' || table_name from duckdb_tables() where not internal and comment is null"
    )
    bare_columns = home.rows(
        "select schema_name || '.' || table_name || '.' || column_name from duckdb_columns() "
        "where not internal and comment is null and schema_name in ('main', 'raw', 'audit', 'seeds')"
    )
    assert bare_tables == []
    assert bare_columns == []


def test_as_of_the_end_of_2025_nothing_later_is_used(two_runs: Runs) -> None:
    home, _, _ = two_runs
    before = home.published.read_bytes()
    run = home.metals("run", "--as-of", "2025-12-31", METALS_NOW=SUMMER)
    assert run.returncode == 0, run.stdout + run.stderr
    path = home.folder / "warehouse" / "as_of" / "metals_2025-12-31.duckdb"
    assert home.published.read_bytes() == before, "the daily file is left alone"

    assert home.rows("select count(*) from raw.filing_fact where filed > date '2025-12-31'", path) == [(0,)]
    assert home.rows("select max(filed) <= date '2025-12-31' from raw.filing_fact", path) == [(True,)]
    assert home.rows("select max(month) from driver_china_cycle where ppi_yoy_pct is not null", path) == [
        (date(2025, 11, 1),)
    ]
    assert home.rows("select count(*) from raw.observation where series_id = 'fred_cpiaucsl_index'", path) == [(0,)]
    for schema, table in home.rows(
        "select schema_name, table_name from duckdb_columns() where column_name = 'known_at' and not internal", path
    ):
        later = home.rows(f'select count(*) from "{schema}"."{table}" where known_at >= timestamp \'2026-01-01\'', path)
        assert later == [(0,)], (schema, table)
    [(verdict,)] = home.rows("select verdict from claim_verdicts where claim_id = 'C4'", path)
    assert verdict == "undetermined"  # prices still fell, and the stated date lay ahead


def test_a_partition_of_the_past_days_is_the_same_warehouse(two_runs: Runs) -> None:
    """Materialised as the UI does it; the day's file by `metals run --as-of` stands from the test before."""
    home, _, _ = two_runs
    path = home.folder / "warehouse" / "as_of" / "metals_2025-12-31.duckdb"
    by_command = path.rename(path.with_name("by_command.duckdb"))
    code = (
        "from dagster import DagsterInstance\n"
        "from pipelines.definitions import defs\n"
        "with DagsterInstance.get() as instance:\n"
        "    job = defs.resolve_job_def('as_of_days')\n"
        "    run = job.execute_in_process(instance=instance, partition_key='2025-12-31')\n"
        "    [made] = run.get_asset_materialization_events()\n"
        "    print('made', made.partition, made.materialization.metadata['path'].value)\n"
    )
    run = home.python(code, METALS_NOW=SUMMER)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"made 2025-12-31 {path}" in run.stdout
    assert not (home.folder / "warehouse" / "build" / "as_of_2025-12-31").exists(), (
        "a back-fill leaves no builds behind"
    )

    def content(file: Path) -> dict[str, object]:
        tables = home.rows(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('main', 'raw') "
            "and table_name not in ('build', 'bundle', 'lineage', 'model_state') order by 1",
            file,
        )
        return {str(t): home.rows(f"select count(*), bit_xor(hash(t)) from {t} as t", file)[0] for (t,) in tables}

    assert content(path) == content(by_command)


def test_a_failed_check_publishes_nothing_and_says_why(two_runs: Runs) -> None:
    home, _, _ = two_runs
    before = home.published.read_bytes()
    build = home.folder / "warehouse" / "build" / "build.duckdb"
    with duckdb.connect(str(build)) as connection:
        connection.execute("insert into raw.observation select * from raw.observation limit 1")
    try:
        run = home.metals("run", "--offline", METALS_NOW=SUMMER)
        assert run.returncode == 1
        assert home.published.read_bytes() == before
        assert "the last published file is unchanged" in run.stderr
        assert "unique" in run.stderr
    finally:
        with duckdb.connect(str(build)) as connection:
            connection.execute("create or replace table raw.observation as select distinct * from raw.observation")


def test_payloads_are_landed_once_and_the_second_check_of_a_day_is_not_made(
    two_runs: Runs, session_replay: Replay
) -> None:
    home, _, _ = two_runs
    asked = session_replay.counts.copy()
    run = home.metals("run", METALS_NOW="2026-08-21T23:30:00+00:00", METALS_UPSTREAM_BASE_URL=session_replay.base_url)
    assert run.returncode == 0, run.stdout + run.stderr
    # Only the pages that lead to a file are read again: they are not landed, so their last reading is unknown.
    again = {host for host, _ in session_replay.counts - asked}
    assert again <= {"www.worldbank.org", "www.whitehouse.gov", "www.sciencebase.gov"}
    assert "not due" in run.stdout


def _object_files(home: Home) -> list[Path]:
    return sorted((home.folder / "warehouse" / "landing" / "objects").rglob("*.gz"))


def test_landing_holds_each_payload_under_its_own_hash(two_runs: Runs) -> None:
    home, _, _ = two_runs
    landed = {p.name.removesuffix(".gz") for p in _object_files(home)}
    known = {str(p) for (p,) in home.rows("select payload_id from raw.payload")}
    assert known <= landed
    assert len(known) >= 23
