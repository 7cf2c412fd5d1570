"""The content of `metals explain`: the payloads behind a published row."""

from __future__ import annotations

import duckdb
from rich.markup import escape

from pipelines import warehouse

# Prefix of the payload id in the model `lineage` where a row comes from a reference table of the project.
SEED_PREFIX = "seed:"


# The payload id where a row is an entry of the catalogue.
CATALOG_PREFIX = "catalog:"


KEYS_OFFERED = 8


def keys(connection: duckdb.DuckDBPyConnection, table: str, near: str = "") -> list[str]:
    """Keys of `table` as one types them: most like `near`, or the last ones; empty without lineage."""
    rows = connection.execute(
        "select distinct replace(row_key, '|', ' ') from lineage where table_name = ? order by 1 desc", [table]
    ).fetchall()
    found = [key for (key,) in rows]
    words = near.lower().split()
    if words:
        found.sort(key=lambda key: sum(key.lower().split().count(word) for word in words), reverse=True)
    return found[:KEYS_OFFERED]


def tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables whose rows can be explained."""
    return [name for (name,) in connection.execute("select distinct table_name from lineage order by 1").fetchall()]


def explain(connection: duckdb.DuckDBPyConnection, table: str, key: str) -> list[str]:
    """Lines that name the payloads behind a published row; empty when there is no such row."""
    rows = warehouse.query(
        connection,
        """
        select l.*, p.source_id, p.publisher, p.url, p.retrieved_at, p.origin, p.licence
        from lineage as l
        left join raw.payload as p on l.payload_id = p.payload_id
        where l.table_name = ? and replace(l.row_key, '|', ' ') = ?
        order by l.input_id, l.first_period, p.retrieved_at
        """,
        [table, " ".join(key.replace("|", " ").split())],
    ).to_dicts()
    lines = [f"[bold]{escape(table)}[/] {escape(key)}"] if rows else []
    for r in rows:
        span = (
            f"{r['first_period']} to {r['last_period']}" if r["first_period"] != r["last_period"] else r["last_period"]
        )
        if str(r["payload_id"]).startswith(SEED_PREFIX):
            # Entered by hand: the reference table cites the source.
            origin = f"reference table {r['payload_id'].removeprefix(SEED_PREFIX)}, which cites it"
        elif str(r["payload_id"]).startswith(CATALOG_PREFIX):
            origin = f"catalogue, pipelines/catalog/{r['payload_id'].removeprefix(CATALOG_PREFIX)}"
        else:
            origin = (
                f"payload {r['payload_id']} ({r['origin']}, retrieved {r['retrieved_at']:%Y-%m-%d})\n"
                f"    {escape(str(r['publisher']))}, {escape(str(r['licence']))}, {escape(str(r['url'] or ''))}"
            )
        dated = f", {span}" if span else ""
        lines.append(f"  {escape(str(r['input_id']))}: {r['rows']} row(s){dated}\n    {origin}")
    return lines
