"""Ember's monthly file in its documented shape, not recorded; the figures are invented.

It holds what the real one mixes: countries and regions, single sources and sums of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

NEWEST = date(2026, 11, 20)  # the day of asking where the replay has none
FIRST_YEAR = 2019
LAG_MONTHS = 3
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

HEADER = (
    "Area,ISO 3 code,Date,Area type,Electricity source,Is aggregated source,Generation (TWh),"
    "Generation YoY change (TWh),Generation YoY change (%),Share of generation (%),"
    "Share of generation YoY change (% points),"
    "Emissions (MtCO2e),Emissions YoY change (MtCO2e),Emissions YoY change (%),Share of emissions (%),"
    "Emissions intensity (gCO2e/kWh),Continent,Ember region,EU member,OECD member,G20 member,G7 member,ASEAN member"
)
# ISO code: name, terawatt-hours a month in all, share of coal
COUNTRIES = {
    "CHN": ("China", 850.0, 0.58),
    "IND": ("India", 160.0, 0.74),
    "VNM": ("Viet Nam", 25.0, 0.5),
    "PHL": ("The Philippines", 10.0, 0.6),
    "MYS": ("Malaysia", 16.0, 0.43),
    "THA": ("Thailand", 16.0, 0.17),
    "BGD": ("Bangladesh", 8.0, 0.2),
    "PAK": ("Pakistan", 12.0, 0.15),
    "": ("Asia", 1300.0, 0.55),
}


def csv(today: date) -> bytes:
    lines = [HEADER]
    last = today.year * 12 + today.month - 1 - LAG_MONTHS
    for iso, (name, level, coal) in COUNTRIES.items():
        kind = "Country or economy" if iso else "Region"
        for count in range(FIRST_YEAR * 12, last + 1):
            day = f"{count // 12}-{count % 12 + 1:02}-01"
            total = level * (1 + 0.04 * (count / 12 - FIRST_YEAR)) * (1 + 0.06 * math.sin(count))
            for source, whole, share in (
                ("Coal", "False", coal),
                ("Gas", "False", 0.1),
                ("Solar", "False", 0.9 - coal),
                ("Fossil", "True", coal + 0.1),
                ("Total generation", "True", 1.0),
            ):
                lines.append(
                    f"{name},{iso},{day},{kind},{source},{whole},{total * share:.2f},,,{share * 100:.2f},,,,,,,"
                    "Asia,Asia,False,False,False,False,False"
                )
    return ("\r\n".join(lines) + "\r\n").encode()


def routes() -> list[Route]:
    return [
        (
            "files.ember-energy.org",
            r"^/public-downloads/generation/outputs/release_generation_monthly_global\.csv$",
            lambda query, body, clock: (200, "text/csv", csv(clock or NEWEST)),
        )
    ]
