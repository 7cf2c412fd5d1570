"""metals-drivers: from publishers' bytes to a dated warehouse of what drives metals.

Each stage of a number's way is a package, which says in its first lines what belongs in it and what does not. From the
ground up: catalog, contracts; sources, landing, ingest; warehouse; transform, statistics; audit; brief, reporting;
authoring, orchestration; definitions (the Dagster code location); cli.
"""
