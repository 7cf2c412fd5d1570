"""Formulas of the Python models: arrays in, numbers out.

Tables, files and the clock do not belong here. A change of code here rebuilds the models that import it.
"""
