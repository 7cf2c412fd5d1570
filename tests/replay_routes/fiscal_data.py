"""Treasury Fiscal Data: documented shape, not recorded as a whole.

The deficits are those of the recorded FRED file MTSDS133FMS (in dollars and with the publisher's sign), receipts and
outlays stand only where a figure of theirs is on record, and the lines of the other tables and the debt are the rows
of the recorded excerpts. `envelope` and `report` are used by the unit tests as well.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.recordings import Recordings
from tests.replay_routes import _fred_recordings

HOST = "api.fiscaldata.treasury.gov"
BASE = "/services/api/fiscal_service"
FIRST_REPORT = date(2015, 3, 31)
RELEASE_LAG_DAYS = 13  # eighth business day
JSON = "application/json"

MONTHS = ["October", "November", "December", "January", "February", "March", "April", "May", "June", "July", "August"]
MONTHS += ["September"]


AMOUNTS = ("current_month_gross_rcpt_amt", "current_month_gross_outly_amt", "current_month_dfct_sur_amt")
KNOWN = {
    (2025, "October"): ("326770236058.10", "584220273025.31", "257450036967.21")
}  # as the report of March 2026 has it


def envelope(rows: list[dict[str, Any]], total: int | None = None, **meta: Any) -> bytes:
    count = len(rows) if total is None else total
    meta = {"count": len(rows), "labels": {}, "dataTypes": {}, "total-count": count, "total-pages": 1} | meta
    return json.dumps({"data": rows, "meta": meta, "links": {"self": "", "next": None}}).encode()


def summary_row(
    day: date, identity: str, parent: str, line: int, desc: str, kind: str, sequence: str
) -> dict[str, str]:
    """A row of table 1 without amounts, as headers have them."""
    fiscal = day.year + (day.month >= 10)
    return {
        "record_date": day.isoformat(),
        "parent_id": parent,
        "classification_id": identity,
        "classification_desc": desc,
        "current_month_gross_rcpt_amt": "null",
        "current_month_gross_outly_amt": "null",
        "current_month_dfct_sur_amt": "null",
        "table_nbr": "1",
        "src_line_nbr": str(line),
        "print_order_nbr": str(line),
        "line_code_nbr": str(line * 10),
        "data_type_cd": {"SL": "S", "MTH": "D"}.get(kind, "T"),
        "record_type_cd": kind,
        "sequence_level_nbr": str(sequence.count(".") + 1),
        "sequence_number_cd": sequence,
        "record_fiscal_year": str(fiscal),
        "record_calendar_year": str(day.year),
        "record_calendar_month": f"{day.month:02}",
        "record_calendar_day": f"{day.day:02}",
    }


def report(day: date, amounts: dict[tuple[int, str], tuple[str, str, str]]) -> list[dict[str, str]]:
    """Table 1 of one report date: all months of the year before, those of its own year, a year-to-date row each.

    `amounts` are receipts, outlays and deficit by fiscal year and month; other months get the month's number.
    """
    fiscal = day.year + (day.month >= 10)
    rows: list[dict[str, str]] = []
    for block, (year, count) in enumerate([(fiscal - 1, 12), (fiscal, (day.month - 10) % 12 + 1)], start=1):
        root = f"{day:%Y%m}{block}00"
        rows.append(summary_row(day, root, "null", len(rows) + 1, f"FY {year}", "SL", str(block)))
        for number, month in enumerate(MONTHS[:count], start=1):
            row = summary_row(
                day, f"{root}{number}", root, len(rows) + 1, month, "MTH", f"{block}.{number}"
            )  # as the publisher numbers them
            filler = (f"{block}0{number:02}.00", f"{block}1{number:02}.00", "100.00")
            values = amounts.get((year, month), filler)
            row |= dict(
                zip(
                    ("current_month_gross_rcpt_amt", "current_month_gross_outly_amt", "current_month_dfct_sur_amt"),
                    values,
                    strict=True,
                )
            )
            rows.append(row)
        total = summary_row(day, f"{root}99", root, len(rows) + 1, "Year-to-Date", "YTD", f"{block}.{count + 1}")
        total |= {"current_month_dfct_sur_amt": "1246203266386.93", "line_code_nbr": "280"}
        rows.append(total)
    return rows


def _summary(upstream: Recordings, clock: date | None) -> list[dict[str, str]]:
    deficits = {day: text for day, text in _fred_recordings.figures(upstream, "MTSDS133FMS", clock) if text}
    amounts: dict[tuple[int, str], tuple[str, str, str]] = dict(KNOWN)
    for day, text in deficits.items():
        key = (day.year + (day.month >= 10), MONTHS[(day.month - 10) % 12])
        amounts.setdefault(key, ("null", "null", f"{-float(text) * 1e6:.2f}"))
    rows = []
    for day in sorted(deficits):
        end = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        if end >= FIRST_REPORT and (clock is None or end + timedelta(RELEASE_LAG_DAYS) <= clock):
            rows += report(end, amounts)
    return rows


def _excerpt(upstream: Recordings, name: str) -> Any:
    return json.loads(upstream.path(f"excerpts/fiscaldata_{name}.excerpt.json").read_text(encoding="utf-8"))


def _functions(upstream: Recordings) -> list[dict[str, str]]:
    return _excerpt(upstream, "mts_table_9_data_rows")


def _receipts(upstream: Recordings) -> list[dict[str, str]]:
    """Table 4 was not recorded: its customs duties are the net ones that table 9 prints too."""
    return [
        {key.replace("rcpt_outly_amt", "net_rcpt_amt"): value for key, value in row.items()} | {"table_nbr": "4"}
        for row in _functions(upstream)
        if row["classification_desc"] == "Customs Duties"
    ]


def _answer(query: dict[str, list[str]], rows: list[dict[str, str]], clock: date | None) -> tuple[int, str, bytes]:
    """Rows that `filter` lets through, cut to `fields` and to the page, as the interface does."""
    for condition in (query.get("filter") or [""])[0].split(","):
        if condition:
            field, operator, value = condition.split(":", 2)
            if operator != "eq":
                raise ValueError(f"the replay does not know the operator {operator!r}")
            rows = [row for row in rows if row[field] == value]
    rows = [row for row in rows if clock is None or date.fromisoformat(row["record_date"]) < clock]
    rows = sorted(rows, key=lambda row: row["record_date"])
    number, size = (
        int(query.get(f"page[{name}]", [default])[0]) for name, default in (("number", "1"), ("size", "100"))
    )
    if size > 10_000:
        return 400, JSON, b'{"error": "Invalid Query Param", "message": "page size is over 10000"}'
    fields = (query.get("fields") or [""])[0].split(",")
    shown = rows[(number - 1) * size : number * size]
    if fields != [""] and shown:
        if unknown := [name for name in fields if name not in shown[0]]:
            message = {"error": "Invalid Query Param", "message": f"Invalid query parameter 'fields' {unknown}"}
            return 400, JSON, json.dumps(message).encode()
        shown = [{name: row[name] for name in fields} for row in shown]
    return 200, JSON, envelope(shown, len(rows))


def routes() -> list[tuple[str, str, Callable[..., tuple[int, str, bytes]]]]:
    def table(rows: Callable[[Recordings, date | None], list[dict[str, str]]]) -> Callable[..., tuple[int, str, bytes]]:
        def answer(
            query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings
        ) -> tuple[int, str, bytes]:
            return _answer(query, rows(upstream, clock), clock)

        return answer

    return [
        (HOST, rf"{BASE}/v1/accounting/mts/mts_table_1", table(_summary)),
        (HOST, rf"{BASE}/v1/accounting/mts/mts_table_4", table(lambda upstream, _: _receipts(upstream))),
        (HOST, rf"{BASE}/v1/accounting/mts/mts_table_9", table(lambda upstream, _: _functions(upstream))),
        (
            HOST,
            rf"{BASE}/v2/accounting/od/debt_to_penny",
            table(lambda upstream, _: _excerpt(upstream, "debt_to_penny")["data"]),
        ),
    ]
