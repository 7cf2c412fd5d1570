"""Dagster, and nothing but Dagster: assets, jobs, schedule, resources, event log, retention of runs.

Thin: an asset calls the room that does the work. No other room imports Dagster.
"""
