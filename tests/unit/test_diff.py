"""The diff of a build against the last published one (rows, verdicts, divergences), and the log of publications."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import transform, warehouse
from pipelines.audit import diff
from pipelines.audit.checks import Finding
from pipelines.settings import Settings

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
KEYS = {"prices": ["metal", "month"], "claim_evidence": ["claim_id"], "divergences": ["divergence_id", "subject"]}
_PRICES = "select metal, month, usd::double as usd, note from (values {}) as t(metal, month, usd, note)"
_VERDICTS = "select * from (values {}) as t(claim_id, verdict, as_of)"
_STATES = "select * from (values {}) as t(divergence_id, subject, state, days_in_state)"
BEFORE = {
    "prices": _PRICES.format(
        "('copper', 1, 9000.0, 'a'), ('copper', 2, 9100.0, 'a'), ('zinc', 1, 2500.0, null), ('zinc', 2, null, 'b')"
    ),
    "claim_evidence": _VERDICTS.format("('C1', 'supported', 1), ('C2', 'mixed', 1)"),
    "divergences": _STATES.format(
        "('price_driver', 'copper', 'open', 5), ('price_driver', 'tin', 'closed', 9), ('coal', 'IN', 'open', 1)"
    ),
    "unkeyed": "select 1 as x union all select 2",
    "gone": "select 1 as x",
}
AFTER = {
    # Copper 1 differs in its last digits only, copper 2 was revised, zinc 1 has a note, zinc 2 is gone, tin is new.
    "prices": _PRICES.format(
        "('copper', 1, 9000.000000001, 'a'), ('copper', 2, 9100.01, 'a'), ('zinc', 1, 2500.0, 'c'), "
        "('tin', 1, 30000.0, 'a'), ('tin', 2, 31000.0, 'a')"
    ),
    "claim_evidence": _VERDICTS.format("('C1', 'contradicted', 2), ('C2', 'mixed', 2)"),
    "divergences": _STATES.format(
        "('price_driver', 'copper', 'closing', 1), ('price_driver', 'tin', 'closed', 10), ('coal', 'VN', 'open', 1)"
    ),
    "unkeyed": "select 1 as x union all select 3 union all select 4",
    "new": "select 1 as x",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(warehouse_dir=tmp_path, now=NOW)


def written(
    settings: Settings, tables: dict[str, str], findings: list[Finding] | None = None, override: str | None = None
) -> list[str]:
    """The build of these tables, compared with what was published, then published."""
    with warehouse.writer(settings) as connection:
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'main'"
        ).fetchall():
            connection.execute(f"drop table main.{name}")
        for name, query in tables.items():
            connection.execute(f"create table main.{name} as {query}")
        if "claim_evidence" in tables:  # as in the warehouse, where verdicts are a view
            connection.execute("create or replace view main.claim_verdicts as select * from main.claim_evidence")
        said = diff.write(connection, settings, findings or [], KEYS, override)
    warehouse.publish(settings)
    return said


def found(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with warehouse.reader(settings) as connection:
        return connection.execute(query).fetchall()


def test_rows_added_changed_and_vanished_are_counted_by_key_with_examples(settings: Settings) -> None:
    written(settings, BEFORE)
    written(settings, AFTER)
    rows = {name: rest for name, *rest in found(settings, "from audit.build_diff")}
    assert rows["prices"] == [4, 5, 2, 2, 1, ["tin|2", "tin|1"], ["zinc|1", "copper|2"], ["zinc|2"]]
    # Only as_of and days_in_state moved in C2 and in tin.
    assert rows["claim_evidence"] == [2, 2, 0, 1, 0, [], ["C1"], []]
    assert rows["divergences"] == [3, 3, 1, 1, 1, ["coal|VN"], ["price_driver|copper"], ["coal|IN"]]
    assert rows["unkeyed"] == [2, 3, None, None, None, [], [], []]
    assert rows["gone"] == [1, None, None, None, None, [], [], []]
    assert rows["new"] == [None, 1, None, None, None, [], [], []]


def test_verdicts_that_flipped_and_divergences_that_changed_are_named(settings: Settings) -> None:
    assert written(settings, BEFORE) == []
    assert written(settings, AFTER) == [
        "C1: supported -> contradicted",
        "coal IN: open -> none",
        "coal VN: none -> open",
        "price_driver copper: open -> closing",
    ]
    assert found(settings, "from audit.verdict_flips") == [("C1", "supported", "contradicted")]
    assert found(settings, "from audit.divergence_changes") == [
        ("coal", "IN", "open", None),
        ("coal", "VN", None, "open"),
        ("price_driver", "copper", "open", "closing"),
    ]


def test_the_same_build_changes_nothing(settings: Settings) -> None:
    written(settings, BEFORE)
    assert written(settings, BEFORE) == []
    [(added, changed, vanished)] = found(
        settings, "select sum(rows_added), sum(rows_changed), sum(rows_vanished) from audit.build_diff"
    )
    assert (added, changed, vanished) == (0, 0, 0)


def test_a_column_that_came_or_went_changes_every_row(settings: Settings) -> None:
    written(settings, {"prices": BEFORE["prices"]})
    written(settings, {"prices": f"select *, 'usd' as unit from ({BEFORE['prices']})"})
    assert found(settings, "select rows_changed from audit.build_diff where table_name = 'prices'") == [(4,)]


def test_the_log_of_publications_outlives_the_build_file(settings: Settings) -> None:
    failed = [Finding("raw_rows_are_unique", False, True, "raw rows share a key")]
    written(settings, BEFORE)
    later = settings.model_copy(update={"now": datetime(2026, 6, 11, 12, tzinfo=UTC)})
    written(later, BEFORE, failed, "known and harmless")
    settings.build_path.unlink()
    last = settings.model_copy(update={"now": datetime(2026, 6, 12, 12, tzinfo=UTC)})
    written(last, AFTER, override="set, but nothing failed")
    assert found(settings, "select published_at, failed_checks, override_reason from audit.publication order by 1") == [
        (datetime(2026, 6, 10, 12), [], None),  # noqa: DTZ001 - UTC, as the warehouse stores it
        (datetime(2026, 6, 11, 12), ["raw_rows_are_unique"], "known and harmless"),  # noqa: DTZ001
        (datetime(2026, 6, 12, 12), [], None),  # noqa: DTZ001
    ]


def test_a_publication_that_was_cut_off_is_not_in_the_log(settings: Settings) -> None:
    written(settings, BEFORE)
    cut_off = settings.model_copy(update={"now": datetime(2026, 6, 11, 12, tzinfo=UTC)})
    with warehouse.writer(cut_off) as connection:
        diff.write(connection, cut_off, [], KEYS)
    last = settings.model_copy(update={"now": datetime(2026, 6, 12, 12, tzinfo=UTC)})
    written(last, BEFORE)
    assert found(settings, "select published_at::varchar from audit.publication order by 1") == [
        ("2026-06-10 12:00:00",),
        ("2026-06-12 12:00:00",),
    ]


def test_every_table_and_column_of_the_audit_has_its_comment(settings: Settings) -> None:
    written(settings, BEFORE)
    bare = found(
        settings,
        "select table_name, null from duckdb_tables() where schema_name = 'audit' and comment is null union all "
        "select table_name, column_name from duckdb_columns() where schema_name = 'audit' and comment is null",
    )
    assert bare == []


def test_every_published_model_has_the_key_that_its_rows_are_matched_by() -> None:
    nodes = transform.manifest(Settings())["nodes"].values()
    marts = {n["alias"] for n in nodes if n["resource_type"] == "model" and n["config"]["schema"] == "main"}
    tables = {n["alias"] for n in nodes if n["alias"] in marts and n["config"]["materialized"] == "table"}
    assert len(tables) > 40
    assert tables - transform.keys(Settings()).keys() == set()


def test_a_published_file_that_cannot_be_read_is_not_compared_with(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    written(settings, BEFORE)
    settings.published_path.write_bytes(b"<html>" * 1000)
    assert written(settings, AFTER) == []
    assert "the published file cannot be read" in caplog.text
    assert found(settings, "select distinct rows_before from audit.build_diff") == [(None,)]
    with pytest.raises(duckdb.Error):
        found(settings, "from gone")
