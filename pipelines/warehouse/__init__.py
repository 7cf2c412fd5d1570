"""The warehouse: the build file (one writer), the published file (read-only for everyone), and the swap between them.

The only package that opens a database. Fetching, parsing and computing figures do not belong here.
"""

from pipelines.warehouse.build import (
    create,
    exclusive,
    marked_as_running,
    prepare,
    scratch,
    set_aside,
    verify_build,
    writer,
)
from pipelines.warehouse.catalog_tables import write_catalog
from pipelines.warehouse.files import locked, part_of, remove_parts, replacing
from pipelines.warehouse.publication import held_back, hold_back, prune, publish
from pipelines.warehouse.readers import as_of, for_models, last_published, locked_reader, reader
from pipelines.warehouse.requests import REQUESTS, standing_faults
from pipelines.warehouse.sql import append, newest_known, one, one_select, query, quoted, rows, selects, transaction
from pipelines.warehouse.tables import TABLES, Column, Table

__all__ = [
    "REQUESTS",
    "TABLES",
    "Column",
    "Table",
    "append",
    "as_of",
    "create",
    "exclusive",
    "for_models",
    "held_back",
    "hold_back",
    "last_published",
    "locked",
    "locked_reader",
    "marked_as_running",
    "newest_known",
    "one",
    "one_select",
    "part_of",
    "prepare",
    "prune",
    "publish",
    "query",
    "quoted",
    "reader",
    "remove_parts",
    "replacing",
    "rows",
    "scratch",
    "selects",
    "set_aside",
    "standing_faults",
    "transaction",
    "verify_build",
    "write_catalog",
    "writer",
]
