"""The audit and publish of write-audit-publish: checks on the build, what changes, and the gate before publication.

Reads the build and decides; no row of a model is written here. Row contracts are in `contracts`, model tests in dbt.
"""
