"""From raw tables to models: dbt in this process, reuse of unchanged models, and the verdicts of past month ends.

This package decides which models run and when; what they compute is SQL in `dbt_project` and formulas in `statistics`.
"""

from pipelines.transform.dbt import build, compiled, keys, manifest, unit_test
from pipelines.transform.results import NodeResult

__all__ = ["NodeResult", "build", "compiled", "keys", "manifest", "unit_test"]
