"""The USGS data release of 2026 in its documented shape, not recorded; the figures are of the right order, invented."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

NAME = "MCS2026_Commodities_Data.csv"
ITEM = "696a75d5d4be0228872d3bf8"
PATH = f"/catalog/file/get/{ITEM}"
PUBLISHED = date(2026, 2, 6)
Answer = tuple[int, str, bytes]
Route = tuple[str, str, Callable[[dict[str, list[str]], bytes, date | None], Answer]]

HEADER = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
KT, T, KG = "thousand metric tons", "metric tons", "kilograms"
PGM, WORLD_TOTAL = "PLATINUM-GROUP METALS", "World total"
MINED, REFINED = "Mine production: rounded", "Refinery production: rounded"
SMELTED = "Smelter production: rounded"
BOTH = "Mine and Refinery"
# chapter, section, commodity, country, statistic, detail, unit, 2024, 2025
WORLD = (
    ("COPPER", BOTH, "Copper", WORLD_TOTAL, "Production", MINED, KT, "23,000", "23,000"),
    ("COPPER", BOTH, "Copper", WORLD_TOTAL, "Production", REFINED, KT, "27,000", "28,000"),
    ("COPPER", BOTH, "Copper", "China", "Production", "Refinery production", KT, "12,000", "13,000"),
    ("COPPER", BOTH, "Copper", "United States", "Production", "Refinery production", KT, "890", "850"),
    ("ALUMINUM", "Smelter", "Aluminum", WORLD_TOTAL, "Production", SMELTED, KT, "72,000", "73,000"),
    ("ALUMINUM", "Smelter", "Aluminum", "China", "Production", "Smelter production", KT, "43,000", "44,000"),
    ("ALUMINUM", "Smelter", "Aluminum", "World total", "Capacity", "Yearend capacity: rounded", KT, "80,000", "80,000"),
    ("ALUMINUM", "Smelter", "Aluminum", "China", "Capacity", "Yearend capacity", KT, "45,000", "45,000"),
    ("LITHIUM", "Mine", "Lithium", WORLD_TOTAL, "Production", MINED, T, "220,000", "290,000"),
    ("LITHIUM", "Mine", "Lithium", "Australia", "Production", "Mine production", T, "90,000", "92,000"),
    ("LITHIUM", "Mine", "Lithium", "Chile", "Production", "Mine production", T, "49,000", "56,000"),
    ("LITHIUM", "Mine", "Lithium", "China", "Production", "Mine production", T, "40,000", "62,000"),
    ("SILVER", "Mine", "Silver", WORLD_TOTAL, "Production", MINED, T, "25,000", "26,000"),
    (PGM, "Mine", "Platinum", WORLD_TOTAL, "Production", MINED, KG, "170,000", "170,000"),
    (PGM, "Mine", "Platinum", "South Africa", "Production", "Mine production", KG, "120,000", "120,000"),
    (PGM, "Mine", "Palladium", WORLD_TOTAL, "Production", MINED, KG, "190,000", "190,000"),
    (PGM, "Mine", "Palladium", "Russia", "Production", "Mine production", KG, "75,000", "75,000"),
)  # fmt: skip
RELIANCE = (
    ("COPPER", "Copper", "45", "50"),
    ("ALUMINUM", "Aluminum", "47", "60"),
    ("LITHIUM", "Lithium", ">50", ">50"),
    ("SILVER", "Silver", "64", "70"),
    (PGM, "Platinum", "85", "88"),
    (PGM, "Palladium", "36", "57"),
)


def csv() -> bytes:
    lines = [HEADER]
    for chapter, section, commodity, country, statistic, detail, unit, *values in WORLD:
        for year, value in zip(("2024", "2025"), values, strict=True):
            lines.append(
                f'{chapter},World {section} Production,{commodity},{country},{statistic},"{detail}",{unit},{year},'
                f'"{value}",Estimated.,Yes,"made up, for tests"'
            )
    for chapter, commodity, *values in RELIANCE:
        for year, value in zip(("2024", "2025"), values, strict=True):
            lines.append(
                f"{chapter},Salient Statistics—United States,{commodity},United States,Net import reliance,"
                f"Net import reliance as a percentage of apparent consumption,percent,{year},{value},,Yes,"
            )
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def routes() -> list[Route]:
    def item(query: dict[str, list[str]], body: bytes, clock: date | None) -> Answer:
        if clock is not None and clock < PUBLISHED:
            return 404, "text/html", b"<html>No such item</html>"
        address = f"https://www.sciencebase.gov{PATH}?f=__disk__00%2F11%2F22"
        files = [
            {"name": "MCS2026_T1_Mineral_Industry_Trends.csv", "contentType": "text/csv", "size": 1},
            {"name": NAME, "contentType": "text/csv", "size": len(csv()), "url": address, "downloadUri": address},
        ]
        document = {"id": ITEM, "title": "Mineral Commodity Summaries 2026 Data Release", "files": files}
        return 200, "application/json;charset=utf-8", json.dumps(document).encode()

    return [
        ("www.sciencebase.gov", rf"^/catalog/item/{ITEM}$", item),
        ("www.sciencebase.gov", rf"^{PATH}$", lambda query, body, clock: (200, "text/csv", csv())),
    ]
