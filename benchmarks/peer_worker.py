"""The peers' side of the table, run in their own environment: `python peer_worker.py SIDE INPUT`.

Prints READY, then does its work once for every line it reads and prints the number of rows and the CPU seconds.
Self-contained: nothing of this project is installed there.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 32  # databases opened in advance, because opening is not part of loading


def edgartools_objects(path):
    from edgar.entity.parser import EntityFactsParser

    body = path.read_bytes()
    return lambda: len(EntityFactsParser.parse_company_facts(json.loads(body)))


def edgartools_loaded(path):
    import duckdb
    from edgar.entity.parser import EntityFactsParser

    body = path.read_bytes()
    waiting = [duckdb.connect() for _ in range(ROUNDS)]

    def load():
        frame = EntityFactsParser.parse_company_facts(json.loads(body)).to_dataframe()
        with contextlib.closing(waiting.pop()) as connection:
            connection.register("incoming", frame)
            connection.execute("create table facts as select * from incoming")
            return connection.execute("select count(*) from facts").fetchone()[0]

    return load


def bedrok_loaded(path):
    """The twelve metals and energy series that the catalogue of this project has too."""
    import duckdb
    from bedrok.core import store
    from bedrok.ingest.adapters import worldbank

    body = path.read_bytes()
    metals = ("aluminum", "copper", "iron_ore", "lead", "tin", "nickel", "zinc", "gold", "platinum", "silver")
    kept = [f"wb_{name}" for name in (*metals, "crude_brent", "coal_au")]

    waiting = [duckdb.connect() for _ in range(ROUNDS)]
    for connection in waiting:
        store.init_db(connection)

    def load():
        with contextlib.closing(waiting.pop()) as connection:
            found, _ = worldbank._parse_workbook(body)
            return sum(store.upsert_macro_series(connection, name, found[name]) for name in kept)

    return load


def _dlt(data):
    import dlt

    def load():
        with tempfile.TemporaryDirectory() as folder:
            pipeline = dlt.pipeline(
                "observations",
                pipelines_dir=f"{folder}/pipelines",
                destination=dlt.destinations.duckdb(f"{folder}/to.duckdb"),
                dataset_name="raw",
            )
            pipeline.run(data(), table_name="observation", write_disposition="append")
            with pipeline.sql_client() as client:
                return client.execute_sql("select count(*) from observation")[0][0]

    return load


def dlt_arrow(path):
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    return _dlt(lambda: table)


def dlt_default(path):
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(path).to_pylist()
    return _dlt(lambda: rows)


if __name__ == "__main__":
    work = globals()[sys.argv[1]](Path(sys.argv[2]))
    answers = sys.stdout
    sys.stdout = sys.stderr  # peers print
    print("READY", file=answers, flush=True)
    for _ in sys.stdin:
        started = time.process_time()
        rows = work()
        print(rows, time.process_time() - started, file=answers, flush=True)
