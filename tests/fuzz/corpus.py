"""One payload of each request of every publisher, landed over HTTP from the replay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from pipelines import catalog as catalogs
from pipelines import sources
from pipelines.landing import Landing, land
from pipelines.landing.http import Client
from pipelines.settings import Settings
from tests.replay import Replay

NOW = datetime.fromisoformat("2026-08-21T22:30:00+00:00")
# Requests of one publisher are much alike: a few of each kind stand for all.
PAYLOADS_PER_SOURCE = 12
DOCUMENTS = [
    {
        "document_number": f"2026-{n:05d}",
        "type": ("Rule", "Notice", "Presidential Document")[n % 3],
        "subtype": "Proclamation" if n % 3 == 2 else None,
        "title": f"Adjusting Imports of Copper and Aluminum, part {n}",
        "abstract": "Tariff on copper, aluminum, silver and critical minerals under section 232",
        "agencies": [{"slug": "commerce-department"}, {"slug": "international-trade-administration"}],
        "publication_date": f"2026-0{n % 6 + 1}-1{n % 9}",
        "signing_date": None,
        "effective_on": None,
        "citation": f"91 FR {n}",
        "executive_order_number": None,
        "proclamation_number": str(11000 + n) if n % 3 == 2 else None,
        "html_url": f"https://www.federalregister.gov/documents/2026/{n}",
    }
    for n in range(60)
]


@dataclass(frozen=True)
class Seed:
    """A payload as landed, to be mutated."""

    source: str
    key: str
    payload_id: str
    page: bool = False  # read for the requests that it leads to, not for figures


def settings_for(folder: Path, base_url: str) -> Settings:
    return Settings(
        warehouse_dir=folder,
        upstream_base_url=base_url,
        now=NOW,
        contact="metals-drivers tests tests@example.com",
        personal_use=True,
        sec_bulk_history=True,
        census_key=SecretStr("synthetic-key-for-tests"),
        pacing=False,
    )


@contextmanager
def replayed(upstream: Path | list[Path]) -> Iterator[Replay]:
    with Replay(upstream, NOW) as replay:
        replay.documents = list(DOCUMENTS)
        yield replay


def gather(upstream: Path | list[Path], folder: Path, only: str | None = None) -> list[Seed]:
    """Land every publisher's answers under `folder`; at most PAYLOADS_PER_SOURCE of each, spread over its requests."""
    with replayed(upstream) as replay:
        settings = settings_for(folder, replay.base_url)
        catalog = catalogs.load(settings.catalog_dir)
        asked = [s for s in catalog.sources.values() if only in (None, s.id)]
        land(asked, sources.module, catalog, settings)
        landing = Landing(settings.landing_dir)
        pages = [
            Seed(s.id, request.key, landing.put(Client(s, settings).get(request, {})[1]), page=True)
            for s in asked
            for request in sources.module(s.id).plan(catalog, NOW.date())
            if not request.land
        ]
    found: dict[str, dict[str, Seed]] = defaultdict(dict)
    for source in asked:
        for check in landing.retrievals(source.id):
            if check.payload_id:
                found[source.id][check.payload_id] = Seed(source.id, check.key, check.payload_id)
    seeds = pages
    for of_source in found.values():
        every = list(of_source.values())
        step = max(1, -(-len(every) // PAYLOADS_PER_SOURCE))
        seeds += every[::step]
    return seeds
