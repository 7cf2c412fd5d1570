"""Coal's models alone: `python -m tests.models.coal_loading UPSTREAM DIRECTORY`, as of METALS_AS_OF.

Our World in Data's yearly file was never recorded; the Energy Institute's figures, which it is partly made of, were.
They are written in its layout and loaded with its parser, as known in July 2022 (years to 2021) and July 2025 (all of
them). They have no other use: the publisher is not in the catalogue.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.settings import Settings
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
SELECTED = [
    "+int_claim_d4__evidence",
    "+int_divergence_coal_transition__states",
    "claim_rules",
    "--exclude",
    "resource_type:test",
]


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


def main() -> None:
    upstream, directory = map(Path, sys.argv[1:3])
    settings = Settings(warehouse_dir=directory)
    catalog = catalogs.load(settings.catalog_dir)
    report = ingest.Report()
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog)
        source = catalog.sources[owid_energy.SOURCE]
        for payload in payloads(Recordings(upstream)):
            ingest.load_payload(connection, payload, source, sources.module(source.id), catalog, report)
    failed = [r for r in transform.build(settings, SELECTED) if r.failed]
    for result in failed:
        print(result.name, result.status, result.message)
    print(settings.build_path)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
