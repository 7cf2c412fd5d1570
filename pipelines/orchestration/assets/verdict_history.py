"""Verdicts of past month ends as an asset: computed after the models, before publication."""

from typing import Any

from dagster import AssetKey, AssetsDefinition, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from pipelines import warehouse
from pipelines.orchestration.assets.metadata import DICTIONARY, pages
from pipelines.orchestration.resources import MetalsRun
from pipelines.transform import history

KEY = AssetKey(["thesis", "claim_history"])
SHOWN_MONTHS = 12


def build(upstream: AssetKey) -> AssetsDefinition:
    """The asset over the claims' verdicts."""

    @multi_asset(
        name="past_verdicts",
        specs=[
            AssetSpec(
                KEY,
                deps=[upstream],
                description="Point-in-time verdicts: the result of each claim's rule at past month ends, from what was "
                "known by those days alone. Published as claim_verdict_history and claim_evidence_history, with the "
                "nowcasts of those days as ppi_nowcast_history.",
                group_name="thesis",
                owners=["team:metals-drivers"],
                kinds={"python", "duckdb"},
                metadata=pages((DICTIONARY, "claim_verdict_history"), ("pipelines/transform/history.py", None)),
            )
        ],
    )
    def past_verdicts(metals: MetalsRun) -> MaterializeResult[Any]:
        filled = history.fill(metals.settings)
        with warehouse.writer(metals.settings) as connection:
            frame = warehouse.query(
                connection,
                "select as_of, claim_id, verdict from raw.claim_history order by as_of desc, claim_id",
            )
        table = ""
        if not frame.is_empty():
            wide = frame.pivot(on="claim_id", index="as_of", values="verdict").head(SHOWN_MONTHS)
            head = "| " + " | ".join(wide.columns) + " |\n|" + "---|" * wide.width
            table = "\n".join([head, *("| " + " | ".join(str(v) for v in row) + " |" for row in wide.iter_rows())])
        return MaterializeResult(
            asset_key=KEY,
            metadata={
                "months_computed": filled.computed,
                "months_kept": filled.kept,
                "months_failed": MetadataValue.json({str(day): said for day, said in filled.failed.items()}),
                "verdicts": MetadataValue.md(table),
            },
        )

    return past_verdicts
