"""Our World in Data's wide energy file in its documented shape, not recorded; the figures are invented."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
FIRST_YEAR = 1985
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

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


def csv(today: date) -> bytes:
    lines = [",".join(COLUMNS)]
    last = today.year - 1
    for iso, (name, level, coal) in COUNTRIES.items():
        for year in range(FIRST_YEAR, last + 1):
            total = level * 0.96 ** (last - year)
            # The real file has well over a hundred columns; one of them stands for their width here.
            cells = (name, year, iso, 1000000, "", f"{total * coal:.3f}", f"{total:.3f}", "x" * 300)
            lines.append(",".join(str(cell) for cell in cells))
    return ("\n".join(lines) + "\n").encode()


def routes() -> list[Route]:
    return [
        (
            "owid-public.owid.io",
            r"^/data/energy/owid-energy-data\.csv$",
            lambda query, body, clock: (200, "text/csv", csv(clock or NEWEST)),
        )
    ]
