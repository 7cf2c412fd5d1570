"""Everything that uses Dagster: assets, jobs, schedule, resources, event log, retention of runs.

A thin layer: an asset calls the package that does the work. No other package imports Dagster.
"""
