"""Lineage of a warehouse, by its own table `lineage`: finds the rows of marts that lead to no payload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import duckdb

from pipelines import transform
from pipelines.reporting import explain
from pipelines.settings import PROJECT_ROOT, Settings

# What a past day's verdicts and nowcasts rest on is in the build of that day; `lineage` itself is the answer.
WITHOUT_LINEAGE = {
    *("claim_verdict_history", "claim_evidence_history", "ppi_nowcast_history", "lineage"),
    "claim_score_summary",  # counts rows of claim_scores
}
# Read from filings: an accession number must stand among the inputs.
FROM_FILINGS = {
    "capex_vintages",
    "driver_ai_capex",
    "driver_ai_capex_aggregate",
    "driver_ai_metal_demand",
    "divergence_capex_payoff",
    "divergence_capacity_clearance",
    "divergence_capacity_clearance_sector",
}
# Shares of rows counted, which are there with nothing to count, and bars of the rules: no publisher's figure.
OWN = ("coverage_ratio", "capex_ttm_coverage_ratio", "threshold", "threshold_high", "contradiction_threshold")
# Tables without a measured column: which of their rows say something that came from somewhere.
SAYS_SOMETHING = {"data_freshness": "last_period is not null", "claim_verdicts": "verdict <> 'no_data'"}


@dataclass(frozen=True)
class Mart:
    """A published table, the columns that make its key, and those that hold figures."""

    name: str
    key: list[str]
    figures: list[str]

    @property
    def row_key(self) -> str:
        return "concat_ws('|', " + ", ".join(f"cast({column} as varchar)" for column in self.key) + ")"

    @property
    def has_figure(self) -> str:
        measured = " or ".join(f"{column} is not null" for column in self.figures)
        return SAYS_SOMETHING.get(self.name, measured or "true")


@dataclass
class Traced:
    """One row of a mart and what its lineage says."""

    rows: int
    rows_that_lead_nowhere: list[str]
    example: str | None = None
    payloads: set[str] = field(default_factory=set)
    accessions: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)  # payloads, accession numbers, seeds or files that do not exist
    told: list[str] = field(default_factory=list)  # what `metals explain` prints


def marts() -> list[Mart]:
    """Every mart of the parsed project, so that a new one is asked about too."""
    nodes = list(transform.manifest(Settings())["nodes"].values())
    found = []
    for node in nodes:
        if node["resource_type"] != "model" or node["schema"] != "main" or node["name"] in WITHOUT_LINEAGE:
            continue
        grain = next(
            n["test_metadata"]["kwargs"]["columns"]
            for n in nodes
            if n.get("attached_node") == node["unique_id"] and n["test_metadata"]["name"] == "unique_combination"
        )
        doubles = [c["name"] for c in node["columns"].values() if c["data_type"] == "double"]
        found.append(Mart(node["name"], grain, [c for c in doubles if c not in OWN]))
    return sorted(found, key=lambda mart: mart.name)


def followed(connection: duckdb.DuckDBPyConnection) -> dict[str, Traced]:
    """By mart that has rows: rows with a figure and no lineage, and one row followed to payloads and filings."""
    # Also read by `metals explain` here: the view is computed once and not for every table.
    connection.execute("create temp table if not exists lineage as from main.lineage")
    payloads = {p for (p,) in connection.execute("select payload_id from raw.payload").fetchall()}
    accessions = {a for (a,) in connection.execute("select distinct accession from raw.filing_fact").fetchall()}
    seeds = {
        s
        for (s,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'seeds'"
        ).fetchall()
    }
    found = {}
    for mart in marts():
        rows = connection.execute(f"select count(*) from main.{mart.name} where {mart.has_figure}").fetchall()[0][0]
        if not rows:
            continue
        lost = connection.execute(
            f"select {mart.row_key} as row_key from main.{mart.name} where {mart.has_figure} "
            "except select row_key from lineage where table_name = ? order by 1",
            [mart.name],
        ).fetchall()
        traced = Traced(rows, [key for (key,) in lost])
        found[mart.name] = traced
        newest = connection.execute(
            f"select max({mart.row_key}) from main.{mart.name} where ({mart.has_figure}) "
            f"and {mart.row_key} in (select row_key from lineage where table_name = ?)",
            [mart.name],
        ).fetchall()[0][0]
        if newest is None:
            continue
        traced.example = newest
        lines: list[tuple[Any, ...]] = connection.execute(
            "select input_id, payload_id from lineage where table_name = ? and row_key = ?", [mart.name, newest]
        ).fetchall()
        for input_id, payload_id in lines:
            kind, _, name = payload_id.partition(":")
            if kind == "seed":
                known = name in seeds and bool(input_id)
            elif kind == "catalog":
                known = (PROJECT_ROOT / "pipelines" / "catalog" / name).is_file()
            else:
                known = payload_id in payloads
            traced.payloads.add(payload_id)
            if not known:
                traced.unknown.add(payload_id)
            accession = input_id.rpartition(" ")[2]
            if len(accession) == 20 and accession[10] == "-" and accession[13] == "-":
                traced.accessions.add(accession)
                if accession not in accessions:
                    traced.unknown.add(accession)
        traced.told = explain.explain(connection, mart.name, newest.replace("|", " "))
    return found
