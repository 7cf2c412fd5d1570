"""Figures on coal for the tests of its models.

Our World in Data's yearly file was never recorded; the Energy Institute's figures, which it is partly made of, were.
They are written in its layout and loaded with its parser, as known in July 2022 (years to 2021) and July 2025 (all of
them). They have no other use: the publisher is not in the catalogue.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from pipelines import ingest
from pipelines.sources import owid_energy
from tests.recordings import Recordings

# country_id of the warehouse: name in the recording, ISO code in Our World in Data's file
COUNTRIES = {
    "CN": ("china", "CHN"),
    "IN": ("india", "IND"),
    "ID": ("indonesia", "IDN"),
    "MY": ("malaysia", "MYS"),
    "TH": ("thailand", "THA"),
    "VN": ("vietnam", "VNM"),
}
EDITIONS = {datetime(2022, 7, 1, tzinfo=UTC): 2021, datetime(2025, 7, 1, tzinfo=UTC): 2024}


def figures(upstream: Recordings) -> dict[tuple[str, int], tuple[float, float]]:
    """Electricity from coal and from all sources in terawatt-hours, by country_id and year.

    The table of coal is named after inputs, but holds electricity: 5,828 for China in 2024, of 10,087 in all.
    """

    def read(name: str) -> dict[tuple[str, int], float]:
        with upstream.path(f"energy_institute/{name}.csv").open(encoding="utf-8") as lines:
            return {(row["geo"], int(row["year"])): float(row[name]) for row in csv.DictReader(lines) if row[name]}

    coal, electricity = read("coal_inputs_elec_generation"), read("electricity_generation_twh")
    return {
        (country, year): (coal[geo, year], electricity[geo, year])
        for country, (geo, _) in COUNTRIES.items()
        for (of, year) in coal
        if of == geo and (geo, year) in electricity
    }


def payloads(upstream: Recordings) -> Iterator[ingest.Payload]:
    """The recorded figures as two editions of Our World in Data's file, oldest first."""
    found = figures(upstream)
    for known, last in EDITIONS.items():
        lines = ["iso_code,year,coal_electricity,electricity_generation"]
        lines += [
            f"{COUNTRIES[country][1]},{year},{coal!r},{electricity!r}"
            for (country, year), (coal, electricity) in sorted(found.items())
            if year <= last
        ]
        body = ("\n".join(lines) + "\n").encode()
        payload_id = hashlib.sha256(body).hexdigest()
        at = known.replace(tzinfo=None)
        yield ingest.Payload(payload_id, owid_energy.KEY, at, body, None, None, None, "fetched", "re-serialised")
