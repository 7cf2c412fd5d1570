"""The daily brief: one self-contained HTML file made from the published warehouse.

`page` is pure: a connection in, HTML out. Queries are in `queries/`, the content of each section in `sections` and
`driver_sections`, number formats in `formats`, and the layout in the template, the style sheet and the script.
"""

from pipelines.brief.html import Written, page, write

__all__ = ["Written", "page", "write"]
