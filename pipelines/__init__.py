"""metals-drivers: a bitemporal warehouse of what drives metals, built from publishers' responses.

Each processing stage is a package; its first lines state what belongs in it and what does not. From the lowest layer
up: catalog, contracts; sources, landing, ingest; warehouse; transform, statistics; audit; brief, reporting; authoring,
orchestration; definitions (the Dagster code location); cli.
"""
