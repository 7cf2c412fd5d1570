"""The brief as JSON: its schema, its documentation, and whether a publisher answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.authoring import brief_schema
from pipelines.brief import digest
from pipelines.brief.answers import Answers
from tests.unit.test_brief import empty, source

__all__ = ["empty"]
NOW = datetime.fromisoformat("2026-08-21T22:30")
REFUSED = "[source=nbs] a column is missing"
UNREACHED = (
    "[source=nbs row=a] example.org could not be reached (ConnectionRefusedError: [Errno 111] Connection refused)"
)


def test_schema_and_page_are_what_the_models_say() -> None:
    assert brief_schema.SCHEMA.read_text(encoding="utf-8") == brief_schema.schema(), "run make docs"
    assert brief_schema.PAGE.read_text(encoding="utf-8") == brief_schema.page(), "run make docs"


@pytest.mark.parametrize(
    ("asked", "answers", "fault"),
    [
        ([], None, None),
        ([(0, "fresh", None)], True, None),
        ([(24, "fresh", None), (0, "refused", REFUSED)], False, "a column is missing"),
        ([(24, "refused", REFUSED), (0, "unchanged", None)], False, "a column is missing"),  # the refused answer again
        ([(24, "refused", REFUSED), (0, "fresh", None)], True, None),
        ([(24, "fresh", None), (0, "blocked", "blocked, answered 403")], False, "blocked, answered 403"),
        (
            [(24, "fresh", None), (0, "failed", UNREACHED)],
            None,
            "example.org could not be reached (Connection refused)",
        ),
        (
            [(48, "fresh", None), (0, "failed", UNREACHED)],
            False,
            "example.org could not be reached (Connection refused)",
        ),
        ([(0, "failed", UNREACHED)], None, "example.org could not be reached (Connection refused)"),
    ],
)
def test_a_publisher_is_broken_at_once_by_what_it_says_and_later_by_silence(
    asked: list[tuple[int, str, str | None]], answers: bool | None, fault: str | None, empty: Path, tmp_path: Path
) -> None:
    path = tmp_path / "given.duckdb"
    path.write_bytes(empty.read_bytes())
    with duckdb.connect(str(path)) as connection:
        connection.execute(source("nbs", "NBS"))
        for hours, outcome, error in asked:
            connection.execute(
                "insert into raw.retrieval (source_id, request_key, checked_at, outcome, error) "
                "values ('nbs', 'a', ?, ?, ?)",
                [NOW - timedelta(hours=hours), outcome, error],
            )
        made = digest.digest(Answers(connection, personal_use=False), NOW)
    [publisher] = made.publishers
    assert (publisher.answers, publisher.fault) == (answers, fault)
    assert digest.Digest.model_validate_json(made.text()) == made
