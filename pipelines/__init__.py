"""metals-drivers: from publishers' bytes to a dated warehouse of what drives metals.

The Dagster code location. Assembly is in `definitions`; every other module says in its
first lines what belongs in it and what does not.
"""
