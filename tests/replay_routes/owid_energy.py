"""Our World in Data's wide energy file: countries and years of the recorded excerpt as recorded, the rest invented."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date

from tests.recordings import Recordings

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
FIRST_YEAR = 1985
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None, Recordings], Answer]]

COLUMNS = ("country", "year", "iso_code", "population", "gdp", "coal_electricity", "electricity_generation", "notes")
# ISO code: name, terawatt-hours a year in all in the newest year, share of coal
COUNTRIES = {
    "CHN": ("China", 10000.0, 0.58),
    "IND": ("India", 2000.0, 0.74),
    "IDN": ("Indonesia", 360.0, 0.65),
    "VNM": ("Vietnam", 300.0, 0.5),
    "PHL": ("Philippines", 120.0, 0.6),
    "MYS": ("Malaysia", 190.0, 0.43),
    "THA": ("Thailand", 190.0, 0.17),
    "BGD": ("Bangladesh", 100.0, 0.2),
    "PAK": ("Pakistan", 150.0, 0.15),
    "": ("World", 31000.0, 0.34),
    "OWID_KOS": ("Kosovo", 6.0, 0.9),
}


def file(today: date, upstream: Recordings) -> bytes:
    rows: dict[tuple[str, str], dict[str, object]] = {}
    last = today.year - 1
    for iso, (name, level, coal) in COUNTRIES.items():
        for year in range(FIRST_YEAR, last + 1):
            total = level * 0.96 ** (last - year)
            figures = {"coal_electricity": f"{total * coal:.3f}", "electricity_generation": f"{total:.3f}"}
            rows[iso, str(year)] = {"country": name, "year": year, "iso_code": iso, "population": 1000000} | figures
    for recording in upstream.every:
        if recording.file == "owid_energy/owid-energy-data.excerpt.csv" and (recording.known or today) <= today:
            recorded = list(csv.DictReader(recording.path.read_text(encoding="utf-8").splitlines()))
            for iso in {row["iso_code"] for row in recorded}:
                rows = {at: row for at, row in rows.items() if at[0] != iso}
            rows |= {(row["iso_code"], row["year"]): dict(row) for row in recorded}
    # The real file has well over a hundred columns; one of them stands for their width here.
    lines = [",".join(str((row | {"notes": "x" * 900}).get(name, "")) for name in COLUMNS) for row in rows.values()]
    return "\n".join([",".join(COLUMNS), *lines, ""]).encode()


def _answer(query: dict[str, list[str]], body: bytes, clock: date | None, upstream: Recordings) -> Answer:
    return 200, "text/csv", file(clock or NEWEST, upstream)


def routes() -> list[Route]:
    return [("owid-public.owid.io", r"^/data/energy/owid-energy-data\.csv$", _answer)]
