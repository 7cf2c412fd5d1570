"""The brief as an asset after publication: if it fails, the published file is unaffected."""

from typing import Any

from dagster import AssetKey, AssetsDefinition, AssetSpec, MaterializeResult, MetadataValue, multi_asset

from pipelines.orchestration.assets.metadata import pages
from pipelines.orchestration.resources import MetalsRun

KEY = AssetKey(["warehouse", "brief"])


def build(published: AssetKey) -> AssetsDefinition:
    """The asset over the published file."""

    @multi_asset(
        name="write_brief",
        specs=[
            AssetSpec(
                KEY,
                deps=[published],
                description="warehouse/brief/index.html: what changed, the claims, the drivers, prices, AI capital "
                "expenditure, China, trade policy, coal, the 1970s, divergences and the state of the data, on one page "
                "that opens offline from disk. Every figure links to the query that returns it.",
                group_name="published",
                owners=["team:metals-drivers"],
                kinds={"html", "plotly"},
                metadata=pages(("README.md", "The brief"), ("pipelines/brief/html.py", None)),
            )
        ],
    )
    def write_brief(metals: MetalsRun) -> MaterializeResult[Any]:
        from pipelines import brief  # noqa: PLC0415 - Plotly takes a while to import, and no other step needs it

        written = brief.write(metals.settings)
        return MaterializeResult(
            asset_key=KEY,
            metadata={
                "path": MetadataValue.path(str(written.path)),
                "open": MetadataValue.url(written.path.resolve().as_uri()),
                "bytes": written.bytes,
                "figures": written.figures,
                "charts": written.charts,
                "sections_without_data": MetadataValue.text(", ".join(written.sections_without_data) or "none"),
                "own_use": MetadataValue.text(written.personal_use),
            },
        )

    return write_brief
