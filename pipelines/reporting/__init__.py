"""Terminal output: status, doctor, explain, export, and the progress of a run.

This package reads and formats: every figure shown is a cell of a published table. Calculations do not belong here.
"""
