"""Which models and past verdicts a changed comment, description, formula or version invalidates.

On the small dbt project of `test_unchanged_small`, with a copy of `pipelines` in place of the original.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines import transform, warehouse
from pipelines.settings import PROJECT_ROOT
from pipelines.transform import fingerprint, history
from tests.models import test_unchanged_small as small

BY_FORMULA = """
from pipelines.statistics.regimes import HAC_LAGS_MONTHS


def model(dbt, session):
    dbt.config(materialized="table")
    return session.sql(f"select {HAC_LAGS_MONTHS} as lags").to_arrow_table()
"""
VERDICTS = """
select
    {{ as_of_date() }} as as_of, 'C1' as claim_id, if(sum(value) > 2, 'supported', 'mixed') as verdict,
    'because' as because, 1 as decisive_indicators, 1 as decisive_supporting, 0 as decisive_contradicting,
    0 as decisive_missing_or_stale, 0 as decisive_ageing, {{ as_of_date() }} as decidable_until,
    max(known_at) as known_at
from {{ ref('known') }}
"""
EVIDENCE = """
select
    {{ as_of_date() }} as as_of, 'C1' as claim_id, 'sum' as indicator, 'decisive' as role,
    sum(k.value) * any_value(f.factor) as value, 'pct' as unit, max(k.period) as period, max(k.known_at) as known_at,
    'supports' as reading, false as is_stale, false as is_ageing, 'finding' as finding
from {{ ref('known') }} as k
cross join {{ ref('factor') }} as f
"""
NOWCAST = """
select
    1 as horizon_months, max(period) as origin_month, max(period) as target_month, 1e0 as no_change_pct,
    sum(value) as forecast_pct, 0e0 as forecast_lower_80_pct, 9e0 as forecast_upper_80_pct, false as beats_no_change,
    max(known_at) as known_at
from {{ ref('known') }}
"""
MODELS = {
    "models/by_formula.py": BY_FORMULA,
    "models/after_formula.sql": "select lags + 1 as lags from {{ ref('by_formula') }}",
    "models/claim_verdicts.sql": VERDICTS,
    "models/claim_evidence.sql": EVIDENCE,
    "models/ppi_nowcast.sql": NOWCAST,
}
EVERYTHING = small.EVERYTHING | {"by_formula", "after_formula", "claim_verdicts", "claim_evidence", "ppi_nowcast"}


def begun(folder: Path) -> small.Small:
    home = small.begun(folder / "home")
    for file, text in MODELS.items():
        small.write(home, file, text)
    shutil.copytree(PROJECT_ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    fingerprint.PROJECT_ROOT = folder
    for month in range(3, 27):
        known = date(2024 + (month - 1) // 12, (month - 1) % 12 + 1, 10)
        small.learn(home, 2, f"{known - timedelta(days=40)}", f"{known}")
    return home


def built(home: small.Small) -> set[str]:
    results = transform.build(home)
    assert not [r for r in results if r.failed]
    return {r.name for r in results if r.status == "success" and r.resource_type != "test"}


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    assert change(text) != text, path
    path.write_text(change(text), encoding="utf-8")


def commented(folder: Path, home: small.Small) -> None:
    """A comment in every module of every package, and in SQL; other words in docstrings and descriptions."""
    modules = list((folder / "pipelines").rglob("*.py"))
    assert {p.parent.name for p in modules} >= {"statistics", "transform", "ingest", "sources", "assets", "warehouse"}
    for path in modules:
        rewrite(path, lambda text: text + "# a comment\n")
        if text := path.read_text(encoding="utf-8").partition('"""')[2]:
            rewrite(path, lambda whole, text=text: whole.replace(text, "Other words. " + text, 1))
    project = home.dbt_project_dir
    rewrite(project / "models" / "known.sql", lambda text: f"-- a comment\n{text}  /* 'another' */\n")
    rewrite(project / "models" / "by_formula.py", lambda text: f'"""Words."""\n{text}# a comment\n')
    rewrite(project / "macros" / "as_of.sql", lambda text: "{#- a comment -#}\n" + text)
    rewrite(
        project / "models" / "_models.yml",
        lambda text: text.replace("- name: known\n", "- name: known\n    description: What was known\n"),
    )


def models(folder: Path) -> None:
    home = begun(folder)
    assert built(home) == EVERYTHING
    commented(folder, home)
    assert built(home) == set()
    with warehouse.writer(home) as connection:
        query = "select comment from duckdb_tables() where table_name = 'known'"
        assert connection.execute(query).fetchall() == [("What was known",)], "a description is brought up all the same"

    statistics = folder / "pipelines" / "statistics"
    rewrite(statistics / "lead_lag.py", lambda text: text + "UNUSED_BY_THE_MODEL = 1\n")
    assert built(home) == set()
    rewrite(statistics / "regimes.py", lambda text: text + "USED = 1\n")
    assert built(home) == {"by_formula", "after_formula"}
    (statistics / "below.py").write_text("X = 1\n", encoding="utf-8")
    rewrite(statistics / "regimes.py", lambda text: text + "from pipelines.statistics import below\n")
    assert built(home) == {"by_formula", "after_formula"}
    rewrite(statistics / "below.py", lambda text: text.replace("1", "2"))
    assert built(home) == {"by_formula", "after_formula"}, "what a formula rests on counts as well"

    version = fingerprint.metadata.version
    fingerprint.metadata.version = lambda name: "0" if name == "statsmodels" else version(name)
    assert built(home) == {"by_formula", "after_formula"}, "another version of a library of statistics: Python models"
    fingerprint.engines.cache_clear()
    fingerprint.metadata.version = lambda name: "0" if name == "duckdb" else version(name)
    assert built(home) == EVERYTHING


def months(folder: Path) -> None:
    home = begun(folder)
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("metals.history").addHandler(handler)
    logging.getLogger("metals.history").setLevel(logging.INFO)

    def stored() -> list[tuple[object, ...]]:
        with warehouse.writer(home) as connection:
            return connection.execute(
                "select as_of, verdict, value from raw.claim_history "
                "inner join raw.claim_evidence_history using (as_of, claim_id) order by 1"
            ).fetchall()

    assert built(home) == EVERYTHING
    assert history.fill(home, 20) == history.Filled(20, 0, {})
    before = stored()
    assert len({value for _, _, value in before}) > 10

    commented(folder, home)
    assert history.fill(home, 3) == history.Filled(0, 3, {}), "a comment takes no month"

    # Other SQL, the same figures: the last three, the oldest, the newest before and a December are computed again.
    small.write(home, "models/claim_evidence.sql", EVIDENCE.replace("sum(k.value)", "(sum(k.value) + 0)"))
    lines.clear()
    assert history.fill(home, 3).computed == 3 + 3
    assert "no figure of 6 recomputed months" in lines[-1]
    assert "14 earlier months are kept" in lines[-1]
    assert stored() == before
    assert history.fill(home, 20) == history.Filled(0, 20, {})

    # Words alone are no figure.
    small.write(home, "models/claim_verdicts.sql", VERDICTS.replace("'because'", "'therefore'"))
    assert history.fill(home, 3).computed == 6
    assert history.fill(home, 20) == history.Filled(0, 20, {})

    # A month that bears the mark of the rules before the rooms.
    with warehouse.writer(home) as connection:
        days = [d for d, _, _ in before]
        for day, mark in history._marks_before(connection, days).items():
            connection.execute("update raw.claim_history set fingerprint = ? where as_of = ?", [mark, day])
    assert history.fill(home, 3).computed == 6
    assert stored() == before
    with warehouse.writer(home) as connection:
        marks = {m for (m,) in connection.execute("select distinct fingerprint from raw.claim_history").fetchall()}
        assert all(" " in mark for mark in marks)
        connection.execute("update raw.claim_history set fingerprint = 'of neither' where as_of < date '2025-01-01'")
    gone = [d for d in days if d < date(2025, 1, 1)]
    assert history.fill(home, 3) == history.Filled(0, 3, {})
    assert len(stored()) == len(before) - len(gone) > 0

    # Another figure: what was not computed again is dropped, and said.
    small.write(home, "models/claim_evidence.sql", EVIDENCE.replace("sum(k.value)", "(sum(k.value) + 1)"))
    lines.clear()
    assert history.fill(home, 3).computed > 3
    assert "earlier months are dropped" in lines[-1]
    assert "`metals history --since`" in lines[-1]
    assert {float(str(v)) % 20 for _, _, v in stored()} == {10.0}, "of the new rule, all of them"
    assert 3 < len(stored()) < len(before) - len(gone)


@pytest.mark.parametrize("sequence", ["models", "months"])
def test_what_can_change_a_figure_and_nothing_else_takes_models_and_months(tmp_path: Path, sequence: str) -> None:
    small.run_alone(sequence, tmp_path, module="test_invalidation")
