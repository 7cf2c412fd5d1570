"""From raw tables to models: dbt in this process, what a build may keep, and the verdicts of past month ends.

Which models run and when is decided here; what they compute is SQL in `dbt_project` and formulas in `statistics`.
"""

from pipelines.transform.dbt import NodeResult, build, compiled, keys, manifest, unit_test

__all__ = ["NodeResult", "build", "compiled", "keys", "manifest", "unit_test"]
