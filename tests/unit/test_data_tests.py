"""What a data test of the models reports, by dbt's rules for severity and thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import jinja2
import pytest

from pipelines.settings import PROJECT_ROOT
from pipelines.transform import data_tests
from pipelines.transform.results import NodeResult

RULES = {"severity": "ERROR", "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0", "limit": None}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create table t as select range as n, date '2026-01-01' + range::int as day from range(10)")
        yield opened


def judged(connection: duckdb.DuckDBPyConnection, code: str, built: str = "success", **rules: Any) -> tuple[str, str]:
    test = {"name": "a", "depends_on": {"nodes": ["m"]}, "compiled_code": code, "thresholds": RULES | rules}
    [result] = data_tests.run(
        connection, {"test.a": test}, [NodeResult("m", "model", "model", built, "", 0.0)], date(2026, 1, 3)
    )
    assert (result.unique_id, result.name, result.resource_type) == ("test.a", "a", "test")
    return result.status, result.message


def test_a_failed_test_shows_how_many_rows_it_found_and_the_first_of_them(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert judged(connection, "select n from t where n > 20 -- none") == ("pass", "")
    found = judged(connection, "select n, day from t where n > 7 -- two")
    assert found == ("fail", "found 2, fails if != 0; first rows: n=8, day=2026-01-09; n=9, day=2026-01-10")


def test_a_wide_row_shows_the_value_that_the_test_found_and_no_value_in_part(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    many = ", ".join(f"'{'x' * 40}' as column_{n}" for n in range(20))
    connection.execute(
        f"create table wide as select n, {many}, n as figure_usd, null::varchar as gap_reason from t limit 2"
    )

    def of(test: str, **arguments: Any) -> str:
        text = (PROJECT_ROOT / "dbt_project" / "tests" / "generic" / f"{test}.sql").read_text(encoding="utf-8")
        body = re.sub(r"{% (test|endtest)\b.*?%}|{#-.*?-#}", "", text)
        status, message = judged(connection, jinja2.Template(body).render(model="wide", **arguments))
        assert (status, message.count("n=") >= 2, "x, …" in message) == ("fail", True, True), message
        return message

    assert "null_in=gap_reason, n=0" in of("never_null", columns=["n", "gap_reason"])
    assert "whole=1, sum_of_parts=2, n=1" in of("parts_make_the_sum", whole="figure_usd", parts=["n", "1"])
    assert "gap_reason=None" in of("exactly_one_given", columns=["gap_reason", "nullif(n, n)"])
    connection.execute("update wide set gap_reason = 'none was filed'")
    assert "figure=0, reason=none was filed" in of("figure_or_reason", figure="figure_usd", reason="gap_reason")


def test_the_sentinel_day_is_the_as_of_date(connection: duckdb.DuckDBPyConnection) -> None:
    status, message = judged(connection, "select n from t where day > cast('1000-01-01' as date)", fail_calc="min(n)")
    assert (status, message.split(";")[0]) == ("fail", "found 3, fails if != 0")


def test_severity_thresholds_and_limits_are_those_of_dbt(connection: duckdb.DuckDBPyConnection) -> None:
    code = "select n from t"
    assert judged(connection, code, severity="warn")[0] == "warn"
    assert judged(connection, code, error_if="> 10")[0] == "warn"
    assert judged(connection, code, warn_if="> 10", error_if="> 10")[0] == "pass"
    assert judged(connection, code, limit=4)[1].startswith("found 4,")


def test_a_query_that_fails_is_an_error_and_a_model_that_was_not_built_skips_its_tests(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    status, message = judged(connection, "select no_such_column from t")
    assert status == "error"
    assert "no_such_column" in message
    assert judged(connection, "select 1", built="error") == ("skipped", "not built: model")
