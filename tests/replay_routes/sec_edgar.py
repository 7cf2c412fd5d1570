"""EDGAR's answers about filers that were not recorded: documented shapes; the figures are invented.

A list of filings that was not recorded follows from the filer's recorded companyfacts (accession, form, day of filing).
CoreWeave's newest report is in its list and not yet in its facts, as happens for days or weeks.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.recordings import Recordings

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
FIRST_YEAR = 2023
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[..., Answer | None]]

US_GAAP = {
    "PaymentsToAcquirePropertyPlantAndEquipment": 0.15,
    "NetCashProvidedByUsedInOperatingActivities": 0.2,
    "RevenueFromContractWithCustomerExcludingAssessedTax": 1.0,
    "OperatingIncomeLoss": 0.08,
    "IncomeLossFromContinuingOperationsBeforeIncomeTaxesExtraordinaryItemsNoncontrollingInterest": 0.06,
    "DepreciationDepletionAndAmortization": 0.09,
}
IFRS = {
    "PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities": 0.15,
    "CashFlowsFromUsedInOperatingActivities": 0.2,
    "Revenue": 1.0,
    "ProfitLossFromOperatingActivities": 0.08,
    "DepreciationAndAmortisationExpense": 0.09,
}
# CIK: name, quarterly revenue in dollars, form of the year's report, last day of filing
FILERS: dict[int, tuple[str, float, str, date | None]] = {
    1769628: ("CoreWeave, Inc.", 1.0e9, "10-K", None),
    1675149: ("Alcoa Corp", 3.0e9, "10-K", None),
    949157: ("CENTURY ALUMINUM CO", 0.6e9, "10-K", None),
    915913: ("ALBEMARLE CORP", 1.3e9, "10-K", None),
    909037: ("CHEMICAL & MINING CO OF CHILE INC", 1.1e9, "20-F", None),
    1966983: ("Lithium Americas Corp.", 1.0e6, "10-K", None),
    1848309: ("Sigma Lithium Corp", 0.04e9, "40-F", None),
    1977303: ("Arcadium Lithium plc", 0.25e9, "10-K", date(2025, 4, 30)),
    1728205: ("Piedmont Lithium Inc.", 0.02e9, "10-K", date(2025, 8, 15)),
    831259: ("FREEPORT-MCMORAN INC", 6.0e9, "10-K", None),
    1001838: ("SOUTHERN COPPER CORP/", 2.8e9, "10-K", None),
}
LATE_IN_FACTS = 1769628


def reports(cik: int, clock: date) -> list[dict[str, Any]]:
    """Reports filed by `clock`, oldest first: form, filed, quarter (1 to 4), first and last day, accession."""
    _, _, yearly, gone = FILERS[cik]
    found = []
    for year in range(FIRST_YEAR, clock.year + 1):
        for quarter in (1, 2, 3, 4):
            if yearly != "10-K" and quarter != 4:
                continue
            end = date(year, quarter * 3, calendar.monthrange(year, quarter * 3)[1])
            filed = end + timedelta(days=115 if yearly != "10-K" else 55 if quarter == 4 else 38)
            if filed > clock or (gone and filed > gone):
                continue
            found.append(
                {
                    "form": yearly if quarter == 4 else "10-Q",
                    "filed": filed,
                    "quarter": quarter,
                    "start": date(year, 1, 1),
                    "end": end,
                    "accn": f"{cik:010d}-{filed:%y}-{quarter:06d}",
                }
            )
    return found


def companyfacts(cik: int, clock: date) -> bytes:
    name, revenue, yearly, _ = FILERS[cik]
    taxonomy, tags = ("us-gaap", US_GAAP) if yearly == "10-K" else ("ifrs-full", IFRS)
    filings = reports(cik, clock)
    if cik == LATE_IN_FACTS:
        filings = filings[:-1]
    facts = {
        tag: {
            "label": tag,
            "description": f"Made up for tests: {tag}. " * 20,
            "units": {
                "USD": [
                    {
                        "start": f["start"].isoformat(),
                        "end": f["end"].isoformat(),
                        "val": round(revenue * share * f["quarter"] * (1 + 0.05 * (f["end"].year - FIRST_YEAR))),
                        "accn": f["accn"],
                        "fy": f["end"].year,
                        "fp": "FY" if f["quarter"] == 4 else f"Q{f['quarter']}",
                        "form": f["form"],
                        "filed": f["filed"].isoformat(),
                    }
                    for f in filings
                ]
            },
        }
        for tag, share in tags.items()
    }
    return json.dumps({"cik": cik, "entityName": name, "facts": {taxonomy: facts}}).encode()


def submissions(cik: int, name: str, filings: list[tuple[str, str, str, str]]) -> bytes:
    """The list of (form, filed, end of the period, accession), newest first, with an insider's form before it."""
    rows = [("4", filings[0][1], filings[0][1], "0000000000-00-000001")] if filings else []
    rows += filings
    recent = {
        "accessionNumber": [r[3] for r in rows],
        "filingDate": [r[1] for r in rows],
        "reportDate": [r[2] for r in rows],
        "acceptanceDateTime": [f"{r[1]}T21:05:00.000Z" for r in rows],
        "act": ["34" for _ in rows],
        "form": [r[0] for r in rows],
        "primaryDocument": ["report.htm" for _ in rows],
    }
    document = {
        "cik": f"{cik:010d}",
        "entityType": "operating",
        "name": name,
        "description": "Made up for tests. " * 300,
        "fiscalYearEnd": "1231",
        "filings": {"recent": recent, "files": []},
    }
    return json.dumps(document).encode()


def filings(document: dict[str, Any], clock: date) -> list[tuple[str, str, str, str]]:
    """The periodic reports filed by `clock` that a filer's companyfacts tell of, newest first."""
    found: dict[str, tuple[str, str, str, str]] = {}
    for tags in document["facts"].values():
        for tag in tags.values():
            for facts in tag["units"].values():
                for fact in facts:
                    if fact["form"] in ("10-K", "10-Q") and fact["filed"] <= clock.isoformat():
                        line = (fact["form"], fact["filed"], fact["end"], fact["accn"])
                        found[fact["accn"]] = max(found.get(fact["accn"], line), line, key=lambda item: item[2])
    return sorted(found.values(), key=lambda line: line[1], reverse=True)


def routes() -> list[Route]:
    def facts_of(cik: int) -> Callable[[dict[str, list[str]], bytes, date | None], Answer]:
        return lambda query, body, clock: (200, "application/json", companyfacts(cik, clock or NEWEST))

    def list_of(cik: int) -> Callable[[dict[str, list[str]], bytes, date | None], Answer]:
        def answer(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
            made_up = [
                (f["form"], f["filed"].isoformat(), f["end"].isoformat(), f["accn"])
                for f in reports(cik, clock or NEWEST)
            ]
            return 200, "application/json", submissions(cik, FILERS[cik][0], made_up[::-1])

        return answer

    def derived_list(
        query: dict[str, list[str]], body: bytes, clock: date | None, path: str, upstream: Recordings
    ) -> Answer | None:
        recorded = upstream.newest(rf"sec/companyfacts/{Path(path).name}")
        if recorded is None:
            return None
        document = json.loads(recorded.read_text(encoding="utf-8"))
        lines = filings(document, clock or NEWEST)
        return 200, "application/json", submissions(document["cik"], document["entityName"], lines)

    return [
        *(("data.sec.gov", rf"^/api/xbrl/companyfacts/CIK{cik:010d}\.json$", facts_of(cik)) for cik in FILERS),
        *(("data.sec.gov", rf"^/submissions/CIK{cik:010d}\.json$", list_of(cik)) for cik in FILERS),
        ("data.sec.gov", r"^/submissions/CIK\d{10}\.json$", derived_list),
    ]
