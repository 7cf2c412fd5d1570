"""metals-drivers: a bitemporal warehouse of what drives metals, built from publishers' responses.

Each processing stage is a package; its first lines state what belongs in it and what does not. From the lowest layer
up: catalog, contracts; sources, landing, ingest; warehouse; transform, statistics; audit; brief, reporting; authoring,
orchestration; definitions (the Dagster code location); cli.
"""

import os

# Models run several at a time, on small arrays: threads of the linear algebra below them only wait for each other. Read
# when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
