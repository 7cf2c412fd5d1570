"""The daily brief, made from the published warehouse: one self-contained HTML file, and the same answers as JSON.

`page` is pure: a connection in, HTML out. Queries are in `queries/`, the content of each section in `sections` and
`driver_sections`, number formats in `formats`, and the layout in the template, the style sheet and the script. `digest`
is the JSON, and `news` what a message on it says.
"""

from pipelines.brief.digest import Digest
from pipelines.brief.html import Written, page, write

__all__ = ["Digest", "Written", "page", "write"]
