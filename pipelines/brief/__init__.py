"""The morning page: one self-contained HTML file made from the published warehouse.

`page` is pure: a connection in, HTML out. The queries stand in `queries/`, what each section says in `sections` and
`driver_sections`, how a figure is written in `formats`, and the look in the template, the style sheet and the script.
"""

from pipelines.brief.html import Written, page, write

__all__ = ["Written", "page", "write"]
