"""The parser on Spark (two executors) and here, on equal input; needs the pip extra `spark` and Java."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from benchmarks import synthetic_filers
from benchmarks.report import Row, medians
from pipelines.catalog import Catalog
from pipelines.sources import FILING_FACT, sec_edgar
from tests.spark.session import local_cluster

FILERS = 60


def measure() -> list[Row]:
    """Seconds from files to all rows in the driver, with the session already started; the two frames are equal."""
    nothing = Catalog([], [], [], [])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = 0
        for cik in range(synthetic_filers.FIRST_CIK, synthetic_filers.FIRST_CIK + FILERS):
            size += (folder / f"CIK{cik:010d}.json").write_bytes(synthetic_filers.companyfacts(cik, 60, 10))

        def here() -> pl.DataFrame:
            keys = sorted(folder.glob("*.json"))
            parsed = [sec_edgar.parse(path.read_bytes(), f"companyfacts/{path.stem}", nothing) for path in keys]
            return pl.concat([p.filing_facts for p in parsed])

        with local_cluster(folder / "home") as session:
            from pipelines import spark

            def there() -> pl.DataFrame:
                return pl.DataFrame(pl.from_arrow(spark.facts(session, f"{folder}/*.json").toArrow()))

            names = list(FILING_FACT)
            ours, other = here().select(names).sort(names), there().select(names).sort(names)
            assert ours.equals(other), "Spark has other rows"
            local, cluster = medians(here, there)
    note = f"{size / 1e6:,.0f} MB in {FILERS} files, {ours.height:,} facts, rows equal; peer: Spark, two executors"
    return [Row("parsing companyfacts, one machine", "s", local, cluster, None, note)]
