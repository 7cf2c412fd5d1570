"""An upgrade keeps what a user added: a clone with an overlay pulls a changed upstream, and all of it is in effect."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from pipelines.settings import PROJECT_ROOT
from tests.unit.test_overlay import MODULE, PUBLISHER

SERIES = {
    "id": "fred_own_pct", "title": "A yield of one's own", "publisher": "Office of Tests", "select": {"id": "OWN"},
    "source": "fred", "licence": "public domain", "unit": "pct", "frequency": "monthly", "plausible": [-5, 20],
    "publication_lag_days": 3, "staleness_limit_days": 40, "history": "stable", "description": "Made up for this test.",
}  # fmt: skip
DESCRIBED = {
    "name": "own_yields", "description": "One row, of all months.",
    "columns": [{"name": "n", "description": "Months"}],
}  # fmt: skip
# Run in the clone: the overlay's entries reach the warehouse, and its model and claim are built.
IN_EFFECT = """
import json
from datetime import datetime
from pipelines import catalog, sources, transform, warehouse
from pipelines.settings import Settings
settings = Settings()
tracked = catalog.load(settings.catalog_dir, settings.overlay_dir)
with warehouse.exclusive(settings), warehouse.writer(settings) as c:
    warehouse.write_catalog(c, tracked)
    c.execute('''
        insert into raw.observation by name
        select 'fred_own_pct' as series_id, m::date as period, 1.0 + epoch(m) / 1e9 as value, 2 as decimals,
            m + interval 34 day as known_at, 'assumed_lag' as known_at_basis, 'p' as payload_id
        from generate_series(date '2020-01-01', date '2026-06-01', interval 1 month) as t(m)
    ''')
failed = [r.name for r in transform.build(settings, ["+own_yields", "+int_own_claims__verdicts"]) if r.failed]
verdicts = "intermediate.int_own_claims__verdicts"
with warehouse.writer(settings) as c:
    print(json.dumps({
        "failed": failed,
        "model": c.execute("select n, newest from own_yields").fetchone(),
        "comments": c.execute("select comment from duckdb_tables() where table_name = 'own_yields' union all "
            "select comment from duckdb_columns() where table_name = 'own_yields'").fetchall(),
        "verdict": c.execute(f"select verdict, because from {verdicts} order by as_of desc").fetchone(),
        "months": c.execute(f"select count(*) from {verdicts}").fetchone()[0],
        "source": c.execute("select defined_in from raw.catalog_source where source_id = 'own_desk'").fetchone()[0],
        "module": sources.modules(tracked)("own_desk").plan(tracked, None),
        "from_upstream": "fred_upstream_pct" in tracked.series,
    }))
"""


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(
    shutil.which("git") is None or not (PROJECT_ROOT / ".git").exists(), reason="the project is no git clone here"
)
def test_series_source_claim_model_and_correction_are_in_effect_after_git_pull(tmp_path: Path) -> None:
    upstream, clone = tmp_path / "upstream", tmp_path / "clone"
    _git(tmp_path, "clone", "--quiet", str(PROJECT_ROOT), str(upstream))
    _git(tmp_path, "clone", "--quiet", str(upstream), str(clone))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("METALS_")}
    environment |= {"METALS_NOW": "2026-07-10T12:00:00", "METALS_OFFLINE": "true"}

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    overlay = clone / "warehouse" / "overlay"
    written = {
        "series/fred.yaml": yaml.safe_dump({"series": [SERIES]}),
        "sources.yaml": yaml.safe_dump({"sources": [PUBLISHER]}),
        "sources/own_desk.py": MODULE,
        "models/own_yields.sql": "select count(*) as n, max_by(value, period) as newest\n"
        "from {{ ref('base_observations__as_of') }} where series_id = 'fred_own_pct'\n",
    }
    written["models/own.yml"] = yaml.safe_dump({"version": 2, "models": [DESCRIBED]})
    for name, content in written.items():
        (overlay / name).parent.mkdir(parents=True, exist_ok=True)
        (overlay / name).write_text(content, encoding="utf-8")
    metals = ["-m", "pipelines.cli"]
    python(*metals, "claim", "add", "yields_are_high", "--statement", "s", "--reason", "r", "--changes", "c",
           "--decisive", "fred_own_pct level > 5")  # fmt: skip
    python(*metals, "correction", "add", "fred_own_pct", "2026-06-01", "--action", "override", "--published",
           "2.78", "--value", "9", "--known-on", "2026-07-06", "--reason", "r", "--reference", "n")  # fmt: skip

    catalogue = upstream / "pipelines" / "catalog"
    new = yaml.safe_dump([SERIES | {"id": "fred_upstream_pct", "select": {"id": "UP"}}])
    for path, added in {
        catalogue / "series" / "fred.yaml": "\n" + textwrap.indent(new, "  "),
        catalogue / "corrections.yaml": "# A line of a later version.\n",
        upstream / "dbt_project" / "models" / "marts" / "reference" / "series.sql": "-- A line of a later version.\n",
    }.items():
        path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")
    _git(upstream, "commit", "--quiet", "--all", "--message", "A later version")

    assert _git(clone, "status", "--porcelain") == "", "nothing that git tracks was touched"
    _git(clone, "pull", "--quiet")
    listed = " ".join(python(*metals, "overlay", "--dictionary").split())
    for name in ("fred_own_pct", "own_desk", "U1", "own_yields", "fred_own_pct_2026_06_01"):
        assert name in listed
    page = (overlay / "dictionary.md").read_text(encoding="utf-8")
    for line in ("### own_desk", "### U1 yields_are_high", "### main.own_yields", "| `n` |  | Months |"):
        assert line in page.splitlines()
    assert "fred_upstream_pct" not in page
    found = json.loads(python("-c", IN_EFFECT).splitlines()[-1])
    for name, content in written.items():
        assert (overlay / name).read_text(encoding="utf-8") == content, "the user's files are only read"
    assert found.pop("verdict")[0] == "supported", "the corrected figure of June is above five"
    assert found == {
        "failed": [], "model": [78, 9.0], "months": 78, "source": "overlay", "module": [], "from_upstream": True,
        "comments": [["One row, of all months."], ["Months"], [None]],
    }  # fmt: skip
