"""Scores of past verdicts, computed again from raw figures; the verdicts are planted, as the models are of one day."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.models.test_attribution_recomputed import monthly, number

CALLS = ("supported", "contradicted", "mixed", "undetermined")


def test_hits_and_misses_are_those_of_the_figures_that_came_later(built_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "build.duckdb"  # the name of the database in the views
    shutil.copyfile(built_file, file)
    ends = [date(2015 + n // 12, n % 12 + 1, 1) - timedelta(days=1) for n in range(1, 12 * 11 + 8)]
    with duckdb.connect(str(file)) as connection:
        connection.executemany(
            "insert into raw.claim_history (claim_id, as_of, verdict) values (?, ?, ?)",
            [(c, d, CALLS[n % 4]) for c in ("C4", "C6", "S1", "S3") for n, d in enumerate(ends)],
        )
        ppi = monthly(connection, "cn_ppi_yoy_pct") | monthly(connection, "nbs_ppi_yoy_pct")
        metals = {
            number(month): value
            for month, value in connection.execute(
                "select month, real_base_metals_log from macro_state where real_base_metals_log is not null"
            ).fetchall()
        }
        [(as_of,)] = connection.execute("select max(as_of) from raw.build").fetchall()
        found = {
            (claim_id, day): (score, outcome)
            for claim_id, day, score, outcome in connection.execute(
                "select claim_id, as_of, score, outcome_value from claim_scores"
            ).fetchall()
        }
        counted = {
            claim_id: Counter(dict(zip(("hit", "miss", "not_yet", "no_call"), counts, strict=True)))
            for claim_id, *counts in connection.execute(
                "select claim_id, hits, misses, not_yet, no_call from claim_score_summary"
            ).fetchall()
        }
        not_scored = connection.execute("select claim_id from claim_score_summary where not is_scored").fetchall()
    assert {claim_id for claim_id, _ in found} == {"C4", "C6", "S1"}
    assert ("S3",) in not_scored
    for claim_id, figures, horizon, is_change in (
        ("C4", ppi, 6, False),
        ("C6", ppi, 6, True),
        ("S1", metals, 36, True),
    ):
        scores: Counter[str] = Counter()
        for n, day in enumerate(ends):
            due = number(day) + horizon
            is_due = date((due + 1) // 12, (due + 1) % 12 + 1, 1) - timedelta(days=1) <= as_of
            outcome = figures.get(due) if is_due else None
            if is_change and outcome is not None:
                outcome = outcome - figures[number(day)] if number(day) in figures else None
            if CALLS[n % 4] not in ("supported", "contradicted"):
                score = "no_call"
            elif outcome is None:
                score = "not_yet"
            else:
                score = "hit" if (outcome > 0) == (CALLS[n % 4] == "supported") else "miss"
            scores[score] += 1
            assert found[claim_id, day][0] == score, (claim_id, day)
            assert found[claim_id, day][1] == (None if outcome is None else pytest.approx(outcome)), (claim_id, day)
        assert counted[claim_id] == scores
        assert min(scores[score] for score in ("hit", "miss", "not_yet")) > 0
