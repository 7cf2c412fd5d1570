"""Formulas that the Python models use: arrays in, numbers out.

No table, no file and no clock. A change here changes figures, so the models that import it are built again.
"""
