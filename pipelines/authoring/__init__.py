"""What a maintainer runs: the data dictionary, the page of claims, the bundle, the tariff seed, a new series.

Nothing of a daily run belongs here, and no other room but the command line imports it.
"""
