"""National Bureau of Statistics of China: the office's own data library, one JSON response per table.

The interface behind https://data.stats.gov.cn (since March 2026) is undocumented. It answers an unknown indicator with
an empty success, and a wrong table with figures all the same, so every value is checked by its id and its label. It
gives no publication time. January and February are surveyed together: nothing is filled in for them here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation, Overflow
from typing import Any

import polars as pl

from pipelines.catalog import Catalog, Series
from pipelines.errors import BadPayload
from pipelines.sources import NOT_JSON, Expect, Parsed, Request, _cells, _html, _json

SOURCE = "nbs"
URL = "https://data.stats.gov.cn/dg/website/publicrelease/web/external/stream/esData"
KEY = "esData/"
MONTHLY = "fc982599aa684be7969d7b90b1bd0e84"  # the root of the tables of months
NATION = "000000000000"
FIRST_MONTH = "199001"  # before any table begins; a range may be longer than a table
NO_FIGURE = "无"  # "none", beside the empty string

# A success is short enough for its state to stand in the first bytes; a challenge page begins with "<".
ANSWER = Expect(starts_with=(b"{",))


def plan(catalog: Catalog, today: date) -> list[Request]:
    """One POST per table for all its catalogued indicators and its whole history, up to the last month that has ended.

    Without one of the seven keys of the body the interface answers 500 or nothing.
    """
    tables: dict[str, list[str]] = {}
    for series in catalog.series_of(SOURCE):
        tables.setdefault(str(series.select["table"]), []).append(str(series.select["indicator"]))
    last = f"{today.year - 1}12" if today.month == 1 else f"{today.year}{today.month - 1:02}"
    return [_request(table, indicators, last) for table, indicators in tables.items()]


def _request(table: str, indicators: list[str], last_month: str) -> Request:
    question = {
        "cid": table,
        "indicatorIds": list(dict.fromkeys(indicators)),
        "daCatalogId": "",
        "das": [{"text": "全国", "value": NATION}],
        "showType": "1",
        "dts": [f"{FIRST_MONTH}MM-{last_month}MM"],
        "rootId": MONTHLY,
    }
    return Request(
        key=KEY + table,
        url=URL,
        expect=ANSWER,
        headers={"Content-Type": "application/json;charset=UTF-8"},
        body=json.dumps(question, ensure_ascii=False).encode(),
    )


def parse(body: bytes, key: str, catalog: Catalog) -> Parsed:
    """Monthly figures of one table in the unit of each series, as printed; `period` is the first day of the month.

    An empty value, "无", a value that is absent and a month without values are missing, from the first figure of the
    series on. `select.label` is a pattern that a value's label must match, with its unit in brackets: values of the
    right id under another label are left out, with one reject per label. So are values of another region. An indicator
    that is absent throughout is one reject, and so is one that was not asked for.

    `select.subtract` (for an index with the same month of last year at 100) is subtracted in decimal arithmetic. With
    `select.months_alone`, a February without a January is rejected: it may be the output of both months.

    Raises BadPayload for anything but a success with at least one month and one catalogued indicator, and for a key of
    no catalogued table.
    """
    table = key.removeprefix(KEY)
    wanted = [series for series in catalog.series_of(SOURCE) if series.select["table"] == table]
    if not wanted:
        raise BadPayload(f"no catalogued series reads '{key}'", source=SOURCE)
    values = _values(_months(body, key), key)
    known = {str(series.select["indicator"]) for series in wanted}
    if not known & {str(value.get("_id")) for _, value in values}:
        raise BadPayload(
            f"{key}: no figure of the indicators asked for",
            source=SOURCE,
            kept="the last good data",
            todo="try again later; if it stays so, look the table's ids up at https://data.stats.gov.cn",
        )
    strangers = {str(v.get("_id")): _label(v) for _, v in values if v and str(v.get("_id")) not in known}
    rejects = [_cells.rejected(None, f"{key} {i}", f"was not asked for: '{label}'") for i, label in strangers.items()]
    frames = []
    for series in wanted:
        cells, left_out = _series_cells(series, values, key)
        frames.append(cells)
        rejects += left_out
    parsed = _cells.read(pl.concat(frames))
    return Parsed(
        observations=parsed.observations, rejects=pl.concat([*rejects, parsed.rejects]), missing=parsed.missing
    )


def _months(body: bytes, key: str) -> list[dict[str, Any]]:
    """The months of the response, with numbers as printed text."""
    try:
        document = _json.printed(body)
    except NOT_JSON as error:
        raise BadPayload(f"{key}: not JSON: {error}", source=SOURCE) from None
    if not isinstance(document, dict) or document.get("success") is not True:
        told = document.get("message") if isinstance(document, dict) else None
        raise BadPayload(f"{key}: no success: {told or 'no message'}", source=SOURCE, todo="try again later")
    months = document.get("data")
    if not isinstance(months, list) or not months or not all(isinstance(month, dict) for month in months):
        raise BadPayload(f"{key}: success without months", source=SOURCE, todo="try again later")
    return months


def _values(months: list[dict[str, Any]], key: str) -> list[tuple[str, dict[str, Any]]]:
    """(code of the month, value) for each value; a month without values has an empty one."""
    found: list[tuple[str, dict[str, Any]]] = []
    for month in months:
        code, values = str(month.get("code")), month.get("values") or []
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise BadPayload(f"{key}: {code} has no list of values", source=SOURCE)
        found += [(code, value) for value in values] or [(code, {})]
    return found


def _label(value: dict[str, Any]) -> str:
    """The label with half-width brackets and single blanks: the site mixes widths, and ends labels with a blank."""
    return " ".join(unicodedata.normalize("NFKC", str(value.get("i_showname") or "")).split())


def _series_cells(
    series: Series, values: list[tuple[str, dict[str, Any]]], key: str
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    indicator, pattern = str(series.select["indicator"]), re.compile(str(series.select["label"]))
    own = [(code, value) for code, value in values if value.get("_id") == indicator]
    if not own:
        return pl.DataFrame(schema=_cells.CELL), [
            _cells.rejected(series.id, key, f"{indicator} is not in the response")
        ]
    wrong: dict[str, list[str]] = {}
    cells: list[tuple[str, str | None]] = []
    for code, value in own:
        region = value.get("da") or value.get("areaCode") or NATION
        label = _label(value) if region == NATION else f"region {region}"
        if region == NATION and pattern.search(label):
            cells.append((code, _text(value, series)))
        else:
            wrong.setdefault(label, []).append(code)
    rejects = [
        _cells.rejected(
            series.id, f"{key} {min(codes)}", f"{len(codes)} values are of '{label}', not '{pattern.pattern}'"
        )
        for label, codes in wrong.items()
    ]
    # A month is missing for this series if it has no value of its own at all.
    present = {code for code, _ in own}
    cells += [(code, None) for code in dict.fromkeys(code for code, _ in values) if code not in present]
    frame = _without_what_came_before(_frame(series, cells))
    if series.select.get("months_alone"):
        frame, together = _without_joined_february(frame)
        rejects.append(together)
    return frame, rejects


def _frame(series: Series, cells: list[tuple[str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(cells, schema={"period_text": pl.String, "text": pl.String}, orient="row").select(
        pl.lit(series.id).alias("series_id"),
        "period_text",
        # "202608MM" is a month; "202602SS" (a quarter) and "2025YY" are not.
        pl.when(pl.col("period_text").str.contains(r"^\d{6}MM$"))
        .then(pl.col("period_text").str.slice(0, 6) + "01")
        .str.to_date("%Y%m%d", strict=False)
        .alias("period"),
        "text",
        pl.lit(None, dtype=pl.Float64).alias("number"),
        pl.format("{} at {}", pl.lit(str(series.select["indicator"])), "period_text").alias("row"),
    )


def _without_what_came_before(cells: pl.DataFrame) -> pl.DataFrame:
    """Without the empty months before the series begins: the range that is asked for is longer than any table."""
    first = cells.filter(pl.col("text").is_not_null())["period"].min()
    before = pl.lit(False) if first is None else pl.col("text").is_null() & (pl.col("period") < first).fill_null(False)
    return cells.filter(~before)


def _text(value: dict[str, Any], series: Series) -> str | None:
    """The figure as printed, without thousands commas; null if it is missing."""
    cell = value.get("value")
    text = None if cell is None else str(cell).strip()
    if text in (None, "", NO_FIGURE):
        return None
    text = _html.without_thousands(str(text))
    offset = series.select.get("subtract")
    return text if offset is None else _less(text, Decimal(str(offset)))


def _less(text: str, offset: Decimal) -> str:
    """The printed number less `offset`; anything else is returned unchanged, to be rejected with the cells."""
    try:
        number = Decimal(text)
        return format(number - offset, "f") if number.is_finite() else text
    except (InvalidOperation, Overflow):  # Overflow: more digits than Decimal can count
        return text


def _without_joined_february(cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    figures = cells.filter(pl.col("text").is_not_null())
    januaries = figures.filter(pl.col("period").dt.month() == 1).get_column("period").dt.year()
    joined = (
        (pl.col("period").dt.month() == 2)
        & pl.col("text").is_not_null()
        & ~pl.col("period").dt.year().is_in(januaries.implode())
    ).fill_null(False)
    return cells.filter(~joined), cells.filter(joined).select(
        "series_id",
        "row",
        pl.lit("February without January: the figure may be that of both months").alias("reason"),
    )
