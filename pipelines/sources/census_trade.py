"""US Census Bureau international trade: monthly US imports from all countries together, by product.

Needs an API key. Pitfalls of the API, after its developer guide and its users:

* without a level (`COMM_LVL`), a response mixes codes of two to ten digits; without a country, it mixes countries,
  regions and the total: both are pinned, and every row is checked;
* several products in one value, separated by commas, return an empty 204: one request per product;
* without a valid key, it redirects to an error page with status 200, which landing refuses;
* quantities exist only at ten digits: at four and six they are 0 with the unit "-", so none is read.

Values are those of general imports at customs value (GEN_VAL) and with cost, insurance and freight (GEN_CIF, the basis
on which the United Nations print imports), and of imports for consumption (CON_VAL), to which the calculated duty
(CAL_DUT) belongs.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.catalog import Catalog
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _json

SOURCE = "census_trade"
URL = "https://api.census.gov/data/timeseries/intltrade/imports/hs"
FIRST_MONTH = "2013-01"  # earlier months are not available at every level
EARLIEST_RELEASE_DAYS = 33  # after a month's end: a range that ends in a month that is not out may be answered with 204
LEVELS = {4: "HS4", 6: "HS6"}  # by the digits of a code
ALL_COUNTRIES = "-"
PREFIX = "imports/"

ANSWER = Expect(starts_with=(b"[",), contains=(b'"I_COMMODITY"', b'"time"'))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One request per product for all months: past ones are revised every month, and all of them once a year.

    The range ends with the last month that can be out. 204 says that it is not yet.
    """
    newest = (today - timedelta(days=EARLIEST_RELEASE_DAYS - 1)).replace(day=1) - timedelta(days=1)
    fields: dict[str, list[str]] = {}
    for series in catalog.series_of(SOURCE):
        fields.setdefault(str(series.select["commodity"]), []).append(str(series.select["field"]))
    return [
        Request(
            key=f"{PREFIX}{code}",
            url=URL,
            expect=ANSWER,
            params=(
                # Predicates below are returned as columns; requesting them here too would duplicate them.
                ("get", ",".join(sorted(set(wanted)))),
                ("COMM_LVL", LEVELS[len(code)]),
                ("I_COMMODITY", code),
                ("CTY_CODE", ALL_COUNTRIES),
                ("time", f"from {FIRST_MONTH} to {newest:%Y-%m}"),
            ),
            absent_ok=True,
            key_parameter="key",
        )
        for code, wanted in fields.items()
    ]


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """US dollars of one product by month, as printed.

    Raises BadPayload for a row of another product, level or country than requested, a duplicate month, a missing or
    duplicate column, or anything but the API's table: a list of rows of text, the header first.
    """
    code = key.removeprefix(PREFIX)
    wanted = [s for s in catalog.series_of(SOURCE) if str(s.select["commodity"]) == code]
    if not wanted or not key.startswith(PREFIX):
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    header, rows = _table(body, key)
    pinned = {"I_COMMODITY": code, "COMM_LVL": LEVELS[len(code)], "CTY_CODE": ALL_COUNTRIES}
    for name in [*pinned, "time", *(str(s.select["field"]) for s in wanted)]:
        if header.count(name) != 1:
            raise BadPayload(
                f"{key}: {header.count(name)} columns '{name}'",
                source=SOURCE,
                todo="compare with the list of variables",
            )
    at = {name: header.index(name) for name in header}
    months: set[str] = set()
    for row in rows:
        wrong = {name: row[at[name]] for name, value in pinned.items() if row[at[name]] != value}
        if wrong:
            raise BadPayload(f"{key}: a row that was not requested: {wrong}", source=SOURCE)
        if row[at["time"]] in months:
            raise BadPayload(f"{key}: month {row[at['time']]} is on more than one row", source=SOURCE)
        months.add(row[at["time"]])
    cells = [
        (series.id, row[at["time"]], row[at[str(series.select["field"])]], f"{key}: {series.select['field']}")
        for series in wanted
        for row in rows
    ]
    frame = pl.DataFrame(
        cells, schema={name: pl.String for name in ("series_id", "period_text", "text", "row")}, orient="row"
    )
    return _cells.read(
        frame.with_columns(
            period=pl.format("{}-01", "period_text").str.to_date("%Y-%m-%d", strict=False),
            number=pl.lit(None, dtype=pl.Float64),
        )
    )


def _table(body: bytes, key: str) -> tuple[list[Any], list[list[Any]]]:
    """Header and rows of an answer."""
    try:
        document = _json.typed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, list) or not all(isinstance(row, list) for row in document) or len(document) < 2:
        raise BadPayload(f"{key}: not a table with a header and rows", source=SOURCE)
    header, *rows = document
    if any(len(row) != len(header) or not all(cell is None or isinstance(cell, str) for cell in row) for row in rows):
        raise BadPayload(f"{key}: a row that is not of the header's length, or not of text", source=SOURCE)
    return header, rows
