"""Made-up replacements, of plausible size, for responses that may not ship. No figure here is a publisher's.

Where the warehouse compares a series with one that ships, the made-up figures are close to it.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta

from tests.recordings import MADE_UP
from tests.replay_routes.gpr import workbook as xlsx
from tests.shipped_upstream.bundled import Column, File, fred_csv, newest

FIDELITY = "made up for tests"
LAST = date(2026, 8, 6)
IMF_LAST = date(2025, 8, 1)

# Code in the IMF's workbook: beginning of its description, and the series that it stays near or a price of its own.
IMF: dict[str, tuple[str, str | float]] = {
    "PALUM": ("Aluminum,", "wb_aluminium_usd_per_tonne"),
    "PCOPP": ("Copper,", "wb_copper_usd_per_tonne"),
    "PIORECR": ("China import Iron Ore", "wb_iron_ore_usd_per_dmtu"),
    "PLEAD": ("Lead,", "wb_lead_usd_per_tonne"),
    "PNICK": ("Nickel,", "wb_nickel_usd_per_tonne"),
    "PTIN": ("Tin,", "wb_tin_usd_per_tonne"),
    "PURAN": ("Uranium,", 60.0),
    "PZINC": ("Zinc,", "wb_zinc_usd_per_tonne"),
    "PCOBA": ("Cobalt,", 30000.0),
    "PGOLD": ("Gold,", "wb_gold_usd_per_troy_ounce"),
    "PSILVER": ("Silver,", "wb_silver_usd_per_troy_ounce"),
    "PPALLA": ("Palladium,", 1000.0),
    "PPLAT": ("Platinum,", "wb_platinum_usd_per_troy_ounce"),
    "": ("Lithium Metal", 80000.0),  # as in the IMF's file, lithium has no code
}
# Terawatt-hours in 2024, and the share of coal until 2004.
POWER = {
    "china": (10000.0, 0.78),
    "india": (2000.0, 0.72),
    "indonesia": (350.0, 0.6),
    "malaysia": (190.0, 0.55),
    "thailand": (190.0, 0.45),
    "vietnam": (300.0, 0.5),
}
# Coal's share falls by so many points a year up to the year: its exit slows by 2021 and is fast again by 2024.
EXIT = ((2004, 0.0), (2016, 1.5), (2021, 0.5), (2024, 2.5))


def files() -> Iterator[File]:
    yield from (_fred(identifier, day, figures, places) for identifier, day, figures, places in _fred_series())
    yield _file("imf_pcps/2025-09-24/external-data.xls", "IMF Primary Commodity Prices workbook", _imf())
    for name, body in _power().items():
        yield _file(f"energy_institute/{name}.csv", "Statistical Review of World Energy", body, date(2025, 6, 30))
    quarter = "https://www.sec.gov/files/dera/financial-statement-data-sets/2010q2.zip"
    yield _file("sec/financial_statement_data_sets/2010q2.zip", quarter, _data_set(), date(2010, 7, 1))
    yield _file("tariffs/revision_dates.csv", "tariff-rate-tracker resources", _revisions(), date(2026, 5, 31))
    for table, document in _treasury().items():
        yield _file(f"excerpts/fiscaldata_{table}.excerpt.json", "excerpt", json.dumps(document).encode())


def _file(name: str, url: str, body: bytes, known: date = date(2025, 9, 24)) -> File:
    return File(MADE_UP + name, "nobody", url, known, body, FIDELITY, "none")


def _wave(day: date, days: float = 60) -> float:
    return math.sin(day.toordinal() / days)


def _fred(identifier: str, day: date, figures: dict[date, float], places: int) -> File:
    printed = {period: round(figure, places) for period, figure in figures.items()}
    body = fred_csv(identifier, day, Column(printed, dict.fromkeys(printed, places), 0))
    return _file(
        f"fred/{day}/{identifier}.csv", f"https://fred.stlouisfed.org/graph/fredgraph.csv?id={identifier}", body, day
    )


def _fred_series() -> Iterator[tuple[str, date, dict[date, float], int]]:
    nominal, real = newest("fred_dgs10_pct"), newest("fred_dfii10_pct")
    yield "T10YIE", LAST, {day: nominal[day] - real[day] + 0.02 * _wave(day) for day in real if day in nominal}, 2
    aluminium = newest("wb_aluminium_usd_per_tonne")
    months = [month for month in aluminium if date(1990, 1, 1) <= month <= date(2025, 4, 1)]
    near = {month: aluminium[month] * (1 + 0.003 * _wave(month)) for month in months}
    yield "PALUMUSDM", date(2025, 6, 1), near, 6
    weekdays = (date(2006, 1, 2) + timedelta(days=n) for n in range((LAST - date(2006, 1, 2)).days))
    yield "DEXCHUS", LAST, {day: 6.9 + 0.4 * _wave(day, 300) for day in weekdays if day.weekday() < 5}, 4
    quarters = [date(year, month, 1) for year in range(1966, 2027) for month in (1, 4, 7, 10)]
    for known, last in ((date(2026, 1, 7), date(2025, 7, 1)), (date(2026, 6, 28), date(2026, 1, 1))):
        ratio = {q: 40 + 80 * (q.year - 1966) / 60 + _wave(q, 200) for q in quarters if q <= last}
        yield "GFDEGDQ188S", known, ratio, 5
    years = [date(year, 1, 1) for year in range(1929, 2026)]
    yield "FYFSGDA188S", LAST, {year: -3 + 2 * _wave(year, 1500) for year in years}, 5


def _imf() -> bytes:
    """The IMF's workbook (an xlsx under an old name), with the description saying what it holds."""
    rows = [
        ["Commodity", *IMF],
        ["Commodity.Description", *(f"{beginning} made up for tests" for beginning, _ in IMF.values())],
        ["Data Type", *("USD" for _ in IMF)],
        ["Frequency", *("Monthly" for _ in IMF)],
    ]
    near = [newest(of) if isinstance(of, str) else of for _, of in IMF.values()]
    months = [date(year, month, 1) for year in range(1992, IMF_LAST.year + 1) for month in range(1, 13)]
    for month in (m for m in months if m <= IMF_LAST):
        prices = [
            of[month] * (1 + 0.003 * _wave(month)) if isinstance(of, dict) else of * (1 + 0.5 * _wave(month, 500))
            for of in near
        ]
        rows.append([f"{month.year}M{month.month}", *(f"{price:.6f}" for price in prices)])
    return xlsx({"External": rows})


def _power() -> dict[str, bytes]:
    coal, total = ["geo,year,coal_inputs_elec_generation"], ["geo,year,electricity_generation_twh"]
    for country, (level, first) in POWER.items():
        fallen = 0.0
        for year in range(1985, 2025):
            fallen += next(points for last, points in EXIT if year <= last) / 100
            generated = level * 0.95 ** (2024 - year) * (1 + 0.01 * math.sin(year))
            coal.append(f"{country},{year},{generated * (first - fallen):.5f}")
            total.append(f"{country},{year},{generated:.5f}")
    return {
        "coal_inputs_elec_generation": ("\n".join(coal) + "\n").encode(),
        "electricity_generation_twh": ("\n".join(total) + "\n").encode(),
    }


def _data_set() -> bytes:
    """The SEC's data set of a quarter, with three reports of catalogued companies for the first quarter of 2010."""
    reports = {789019: ("MICROSOFT CORP", 408e6), 1018724: ("AMAZON COM INC", 140e6), 831259: ("FREEPORT", 231e6)}
    sub = ["adsh\tcik\tname\tform\tperiod\tfy\tfp\tfiled\tprevrpt\tnciks\taciks"]
    num = ["adsh\ttag\tversion\tddate\tqtrs\tuom\tsegments\tcoreg\tvalue\tfootnote"]
    for cik, (name, spent) in reports.items():
        accession = f"0000000000-10-{cik % 1_000_000:06d}"
        sub.append(f"{accession}\t{cik}\t{name}\t10-Q\t20100331\t2010\tQ1\t20100430\t0\t1\t")
        for end, value in (("20100331", spent), ("20090331", spent * 0.9)):
            line = f"{accession}\tPaymentsToAcquirePropertyPlantAndEquipment\tus-gaap/2009\t{end}\t1\tUSD\t\t\t"
            num.append(f"{line}{value:.4f}\tmade up for tests")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for member, text in (
            ("readme.htm", "Made up for tests. " * 6000),  # the real one is large, and a small archive is refused
            ("sub.txt", "\n".join(sub) + "\n"),
            ("num.txt", "\n".join(num) + "\n"),
        ):
            archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def _revisions() -> bytes:
    """Revisions of the tariff schedule: a basic edition at the start of a year, and one every three weeks after it."""
    lines = ["revision,effective_date,policy_effective_date,tpc_date,policy_event,tpc_policy_revision,needs_review"]
    for year, count, mark in ((2025, 17, ""), (2026, 6, "2026_")):
        for number in range(count):
            day = date(year, 1, 1) + timedelta(weeks=3 * number)
            name = f"rev_{number}" if number else "basic"
            lines.append(f"{mark}{name},{day},NA,NA,made up for tests,NA,NA")
    return ("\n".join(lines) + "\n").encode()


def _treasury() -> dict[str, object]:
    def line(number: int, name: str, parent: str, kind: str, amount: float | None) -> dict[str, str]:
        month, year, before = (f"{amount * n:.2f}" if amount else "null" for n in (1, 9.5, 9))
        return {
            "record_date": "2026-07-31",
            "parent_id": parent,
            "classification_id": f"made up {number}",
            "classification_desc": name,
            "current_month_rcpt_outly_amt": month,
            "current_fytd_rcpt_outly_amt": year,
            "prior_fytd_rcpt_outly_amt": before,
            "table_nbr": "9",
            "src_line_nbr": str(number),
            "print_order_nbr": str(number),
            "line_code_nbr": str(number * 10),
            "data_type_cd": "D" if amount else "S",
            "record_type_cd": kind,
            "sequence_level_nbr": "2" if amount else "1",
            "sequence_number_cd": f"1.{number}",
            "record_fiscal_year": "2026",
            "record_fiscal_quarter": "4",
            "record_calendar_year": "2026",
            "record_calendar_quarter": "3",
            "record_calendar_month": "07",
            "record_calendar_day": "31",
        }

    debt = [{"record_date": f"2026-05-{day}", "tot_pub_debt_out_amt": f"{38.9e12 + day * 1e9:.2f}"} for day in (12, 11)]
    rows = [
        line(1, "Receipts", "null", "SL", None),
        line(10, "Customs Duties", "made up 1", "RSG", 25e9),
        line(32, "Net Interest", "made up 2", "F", 100e9),
        line(34, "Total", "made up 2", "SL", 700e9),
    ]
    return {"mts_table_9_data_rows": rows, "debt_to_penny": {"data": debt, "meta": {"note": FIDELITY}}}
