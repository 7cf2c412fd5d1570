"""China customs (GACC): monthly imports and exports of metals, one HTML table per month and direction.

The English site's index of a year links the pages of tables 13 (exports) and 14 (imports); their addresses cannot be
derived. No response was recorded: index and tables are read as several published programs read them in 2026.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from html import unescape
from urllib.parse import urljoin

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import Expect, Parsed, Request, _cells, _html

SOURCE = "gacc"
INDEX = "http://english.customs.gov.cn/statics/report/monthly{}.html"  # the host's TLS chain is reported as untrusted
FIRST_YEAR = 2024
OPEN_MONTHS = 4  # older pages are fetched once

TABLES = {"export": 13, "import": 14}
TITLE = r"major {} commodities in quantity and value"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
A_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})", re.IGNORECASE)
# Each of these stops at the next tag and tries it once, so that no page takes more time than its length.
TAG = re.compile(r"<[^<>]*>")
ROW = re.compile(r"<tr\b", re.IGNORECASE)
LINK = re.compile(r"<a\b", re.IGNORECASE)
# The rest of a link: its address, and what it shows up to its end. Not possessive: Python 3.11.2 reads too far.
TARGET = re.compile(r"""(?>[^<>]*?\bhref\s*=)\s*+["']?([^"'\s<>]++)[^<>]*+>((?:[^<]|<(?!/a))*)""", re.IGNORECASE)
RELEASE = re.compile(r"/statics/[^/]+\.html$", re.IGNORECASE)
# ", 7.2026", ", 1-2.2026", ", July 2026" or ", January-February 2026" after the title of a table.
_NAME = rf"(?:{'|'.join(MONTHS)})[a-z]*\.?"
OF_MONTH = re.compile(
    r"\s*,?\s*(?:(?:(?P<first_number>\d{1,2})\s*-\s*)?(?P<number>\d{1,2})\."
    rf"|(?:(?P<first_name>{_NAME})\s*-\s*)?(?P<name>{_NAME}),?\s)\s*(?P<year>\d{{4}})"
)
THOUSAND_DOLLARS = re.compile(r"us ?(?:\$|d) ?1,?000(?![\d,.]*\d)|(?<![\d,.])1,?000 ?us ?(?:\$|d)")
OTHER_CURRENCY = re.compile(r"\b(?:yuan|rmb|cny)\b")

# Columns of a table; the increases on the year stand to the right of them.
COLUMNS = {"quantity": (2, 4), "value": (3, 5)}  # of the month, since January
POWERS_OF_TEN = {"10000T": 0, "T": -4, "KG": -7}  # from the unit of a row to tens of thousands of tonnes

PAGE = Expect(starts_with=(b"<",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """The index of each year, newest first; the tables' pages follow from it."""
    flows = {str(series.select["flow"]) for series in catalog.series_of(SOURCE)}
    return [_index(year, flows, today) for year in range(today.year, FIRST_YEAR - 1, -1)] if flows else []


def _index(year: int, flows: set[str], today: date) -> Request:
    def pages(body: bytes) -> list[Request]:
        listed = {flow: _listed(body, flow, f"index {year}") for flow in sorted(flows)}
        newest = max(month for months in listed.values() for month in months)
        # A month is never published before it has ended: at the turn of the year the index is last year's still.
        of = year - 1 if year == today.year and newest >= today.month else year
        return [
            _page(flow, of, month, address, (today.year - of) * 12 + today.month - month > OPEN_MONTHS)
            for flow, months in listed.items()
            for month, address in sorted(months.items(), reverse=True)
            if of >= FIRST_YEAR
        ]

    return Request(
        key=f"index/{year}",
        url=INDEX.format("" if year == today.year else year),
        expect=PAGE,
        land=False,
        absent_ok=year == today.year - 1,  # the archive of a year that has just ended
        then=pages,
    )


def _page(flow: str, year: int, month: int, address: str, closed: bool) -> Request:
    def right_page(body: bytes) -> list[Request]:
        # A closed page is never fetched again, so a wrong one must not land.
        _page_of(body, flow, year, month)
        return []

    return Request(key=f"{flow}/{year}-{month:02}", url=address, expect=PAGE, closed=closed, then=right_page)


def _listed(body: bytes, flow: str, place: str) -> dict[int, str]:
    """Addresses of a year's pages of one table, by month; the row is found by the table's number and its title."""
    number, title = re.compile(rf"\(\s*{TABLES[flow]}\s*\)"), re.compile(TITLE.format(flow))
    for row in ROW.split(body.decode("utf-8", "replace"))[1:]:
        text = _normal(TAG.sub(" ", row))
        if not (number.search(text) and title.search(text)):
            continue
        found = {}
        for link in LINK.split(row)[1:]:
            target = TARGET.match(link)
            if target is None:
                continue
            url = urljoin(INDEX.format(""), unescape(target[1]).replace("\\", "/"))
            label = _normal(TAG.sub(" ", target[2]))
            # A month that is not out yet may have a placeholder, and an icon beside a link shows no text.
            if not RELEASE.search(url) or not label:
                continue
            names = A_MONTH.findall(label)
            if not names:
                raise BadPayload(f"{place}: a link to table {TABLES[flow]} names no month: '{label}'", source=SOURCE)
            found[MONTHS.index(names[-1]) + 1] = url
        if found:
            return found
    raise BadPayload(
        f"{place}: no links to table {TABLES[flow]}, '{TITLE.format(flow)}'",
        source=SOURCE,
        kept="the last good data",
        todo=f"open {INDEX.format('')}; if the tables were renumbered, update TABLES in this module",
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """The month's quantities and values in the unit of each series, as printed.

    The unit of a quantity is read from its row; tonnes and kilograms are brought to tens of thousands of tonnes by
    moving the point. `-` is a missing value. January and February often come together, on the page of February: their
    sum is no figure of either, so both are missing. Rejects, each for its series alone: a row that is not there or is
    there twice, another unit, a figure above that since January, and values where the page does not say US$1,000.

    Raises BadPayload if the page holds another table or month, or none at all.
    """
    match = re.fullmatch(r"(export|import)/(\d{4})-(\d{2})", key)
    wanted = [series for series in catalog.series_of(SOURCE) if match and series.select["flow"] == match[1]]
    if match is None or not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    year, month = int(match[2]), int(match[3])
    months, text, grid = _page_of(body, match[1], year, month)
    if months > 1:
        return Parsed(missing=dict.fromkeys((series.id for series in wanted), months))
    in_dollars = THOUSAND_DOLLARS.search(text) is not None and OTHER_CURRENCY.search(text) is None

    cells: list[tuple[str, str | None, str]] = []
    rejects = []
    for series in wanted:
        cell, why = _cell(series, grid, in_dollars)
        place = f"{key}: {series.select['column']} of {series.select['names'][0]}"
        if why:
            rejects.append(_cells.rejected(series.id, place, why))
        else:
            cells.append((series.id, cell, place))
    frame = pl.DataFrame(cells, schema={"series_id": pl.String, "text": pl.String, "row": pl.String}, orient="row")
    parsed = _cells.read(
        frame.with_columns(
            period_text=pl.lit(f"{year}-{month:02}"),
            period=pl.lit(date(year, month, 1)),
            number=pl.lit(None, dtype=pl.Float64),
        )
    )
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _normal(text: str) -> str:
    """Lower case, half-width brackets, single blanks: the site mixes all of them between years."""
    return " ".join(unicodedata.normalize("NFKC", unescape(text)).lower().split())


def _page_of(body: bytes, flow: str, year: int, month: int) -> tuple[int, str, _html.Grid]:
    """How many months the page of a month holds together, its text after the title, and its largest table.

    Raises BadPayload for a page that does not name the direction and the month.
    """
    place = f"{flow}/{year}-{month:02}"
    text = _normal(TAG.sub(" ", body.decode("utf-8", "replace")))
    title = re.search(TITLE.format(flow), text)
    if title is None:
        raise BadPayload(f"{place}: not a page of '{TITLE.format(flow)}': {text[:120]}", source=SOURCE)
    of = OF_MONTH.match(text, title.end())
    if of is None:
        raise BadPayload(
            f"{place}: its title names no month: '{text[title.start() : title.end() + 30]}'", source=SOURCE
        )
    first, named = (
        int(of[f"{part}number"]) if of["number"] else MONTHS.index(of[f"{part}name"][:3]) + 1
        for part in ("first_" if of["first_number"] or of["first_name"] else "", "")
    )
    if (first, named) not in ((named, named), (1, 2)):
        raise BadPayload(f"{place}: holds the months {first} to {named} together", source=SOURCE)
    if (int(of["year"]), named) != (year, month):
        raise BadPayload(f"{place}: is of {of['year']}-{named:02}", source=SOURCE)
    grids = _html.tables(body.decode("utf-8", "replace"))
    if not grids:
        raise BadPayload(f"{place}: no table on the page", source=SOURCE)
    return named - first + 1, text[of.end() :], max(grids, key=len)


def _cell(series: Series, grid: _html.Grid, in_dollars: bool) -> tuple[str | None, str | None]:
    """The month's figure of a series as printed, or why there is none."""
    names = {_normal(name) for name in series.select["names"]}
    rows = [row for row in grid if row and _normal(row[0]) in names]
    if len(rows) != 1:
        return None, f"{len(rows)} rows of this name"
    month, since_january = COLUMNS[series.select["column"]]
    if len(rows[0]) <= since_january:
        return None, f"a row of {len(rows[0])} cells"
    text, total = (_html.without_thousands(rows[0][column]) for column in (month, since_january))
    number, limit = _number(text), _number(total)
    if number is not None and limit is not None and number > limit:
        return None, f"{text} in the month, but {total} since January: the columns may have changed"
    if series.select["column"] == "value":
        return (text, None) if in_dollars else (None, "the page does not say that values are in US$1,000")
    unit = rows[0][1].replace(" ", "").upper()
    if unit not in POWERS_OF_TEN:
        return None, f"unit '{rows[0][1]}'"
    return text if number is None else format(number.scaleb(POWERS_OF_TEN[unit]), "f"), None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
