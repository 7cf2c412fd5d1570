"""Maintainers' tools: the data dictionary, the page of claims, the bundle, the tariff seed, a new series.

Code of the daily run does not belong here, and only the command line imports this package.
"""
