"""The audit and publish steps of write-audit-publish: checks, diff to the last publication, and the publication gate.

This package reads the build and decides; it writes no row of a model. Row contracts are in `contracts`, tests of models
in dbt.
"""
