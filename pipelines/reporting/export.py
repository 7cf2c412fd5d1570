"""`metals export`: writes a table or the result of a query to a Parquet or CSV file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines import warehouse
from pipelines.catalog import LicenceClass

EXPORT_FORMATS = {".parquet": "parquet", ".csv": "csv"}


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the published tables and views, in alphabetical order."""
    rows = connection.execute(
        "select table_name from information_schema.tables "
        "where table_schema = 'main' and table_catalog = current_database() order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def export(connection: duckdb.DuckDBPyConnection, what: str, target: Path) -> tuple[int, list[str]]:
    """Write a table or a query's result to `target` (.parquet or .csv), atomically.

    Returns the number of rows and the titles of publishers in the warehouse whose figures are licensed for personal
    use. The metadata of a Parquet file hold the query, the as-of date and the credit lines of all publishers. Raises
    duckdb.Error or InvalidQuery for anything but one select, OSError if the file cannot be written.
    """
    query = f'from "{what}"' if what in tables(connection) else warehouse.one_select(connection, what)
    held = warehouse.query(
        connection,
        "select title, credit, licence_class from raw.catalog_source "
        "where source_id in (select source_id from raw.coverage where rows > 0) order by title",
    ).to_dicts()
    options = f"format {EXPORT_FORMATS[target.suffix]}, use_tmp_file false"
    if target.suffix == ".parquet":
        said = {
            "metals_query": query,
            "metals_as_of": f"{warehouse.as_of(connection) or ''}",
            "metals_credits": "; ".join(s["credit"] for s in held),
        }
        options += ", kv_metadata {" + ", ".join(f"{k}: '{warehouse.quoted(v)}'" for k, v in said.items()) + "}"
    with warehouse.replacing(target) as part:
        rows = connection.execute(f"copy (\n{query}\n) to '{warehouse.quoted(part)}' ({options})").fetchall()
    own_use = [s["title"] for s in held if s["licence_class"] == LicenceClass.PERSONAL_USE.value]
    return int(rows[0][0]), own_use
