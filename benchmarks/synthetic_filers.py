"""Synthetic filers in the format of the SEC's bulk files, from a seed: for measurements only.

Every name contains SYNTHETIC. Tags, units and the number of facts per tag are random; the figures have no meaning.
"""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

CAPEX = "PaymentsToAcquirePropertyPlantAndEquipment"
FIRST_CIK = 9_000_000_001  # beyond the numbers the SEC has given out
LABEL = "SYNTHETIC element, not of any taxonomy. " * 6


def companyfacts(cik: int, tags: int, years: int) -> bytes:
    """One companyfacts response of a synthetic filer: `tags` elements over `years` years, about 180 bytes per fact."""
    draw = random.Random(cik)  # noqa: S311 - a seed, so that the same filer comes out each time
    elements: dict[str, Any] = {}
    for number in range(tags):
        tag = CAPEX if number == 0 else f"SyntheticElement{number:04d}"
        instant = number % 3 == 1
        facts = []
        for year in range(2025 - years, 2025):
            for quarter, (month, day) in enumerate(((3, 31), (6, 30), (9, 30), (12, 31)), start=1):
                value = draw.randrange(1_000_000, 90_000_000_000)
                form, filed = ("10-K", f"{year + 1}-02-14") if quarter == 4 else ("10-Q", f"{year}-{month + 1:02d}-28")
                for repeat in range(2):  # as a comparative a year later
                    facts.append(
                        ({} if instant else {"start": f"{year}-01-01"})
                        | {
                            "end": f"{year}-{month:02d}-{day}",
                            "val": value,
                            "accn": f"{cik:010d}-{(year + repeat) % 100:02d}-{10 * quarter + repeat:06d}",
                            "fy": year + repeat,
                            "fp": "FY" if quarter == 4 else f"Q{quarter}",
                            "form": form,
                            "filed": filed.replace(filed[:4], str(int(filed[:4]) + repeat)),
                        }
                        | ({"frame": f"CY{year}Q{quarter}"} if repeat else {})
                    )
        elements[tag] = {"label": tag, "description": LABEL, "units": {"USD": facts}}
    document = {"cik": cik, "entityName": f"SYNTHETIC FILER {cik - FIRST_CIK}", "facts": {"us-gaap": elements}}
    return json.dumps(document, separators=(",", ":")).encode()


def submissions(cik: int) -> bytes:
    """The header of a submissions response about the same filer; one industry in ten."""
    sic = f"{3600 + cik % 10}"
    header = {"cik": f"{cik:010d}", "name": f"SYNTHETIC FILER {cik - FIRST_CIK}", "sic": sic}
    return json.dumps(header | {"sicDescription": f"SYNTHETIC INDUSTRY {sic}", "filings": {"recent": {}}}).encode()


def write_zip(path: Path, megabytes: float, *, tags: int = 120, years: int = 15) -> int:
    """companyfacts.zip with at least `megabytes` of JSON; returns the bytes of JSON in it.

    Generating JSON takes longer than reading it, so filers beyond the first thirty are copies with other numbers.
    """
    made: list[bytes] = []
    total = filers = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        while total < megabytes * 1e6:
            cik = FIRST_CIK + filers
            if filers < 30:
                made.append(companyfacts(cik, tags, years))
                body = made[-1]
            else:
                copied = FIRST_CIK + filers % 30
                body = made[filers % 30].replace(f"{copied:010d}".encode(), f"{cik:010d}".encode())
            archive.writestr(f"CIK{cik:010d}.json", body)
            total += len(body)
            filers += 1
    return total
