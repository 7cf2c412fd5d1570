"""What the terminal shows: status, doctor, explain, export, and the progress of a run.

Reads and formats only: every figure shown is a cell of a published table.
"""
