"""No answer is refused for its Content-Type: every publisher of the catalogue, over HTTP, under types not its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines import catalog as catalogs
from pipelines import sources
from pipelines.catalog import Catalog
from pipelines.landing import Retrieval, land
from pipelines.settings import Settings
from pipelines.sources import Parsed, Request
from tests.replay import Replay

CATALOG = catalogs.load(Settings().catalog_dir)
DAY = "2026-08-19"
TYPES = ("text/plain;charset=ISO-8859-1", "application/octet-stream", "application/x-zip-compressed", "text/html", "")
FEW = 3  # requests of a plan, newest first


class Beginning:
    """A publisher's module that makes only its first requests."""

    def __init__(self, source_id: str) -> None:
        self._module = sources.module(source_id)

    def plan(self, catalog: Catalog, today: date) -> list[Request]:
        return self._module.plan(catalog, today)[:FEW]

    def parse(self, body: bytes, key: str, catalog: Catalog) -> Parsed:
        return self._module.parse(body, key, catalog)


@pytest.fixture(scope="module", params=TYPES, ids=lambda name: name or "none")
def landed(
    request: pytest.FixtureRequest, shipped: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[Retrieval]]]:
    with Replay(shipped, DAY) as replay:
        replay.content_types["*"] = request.param
        settings = Settings(
            warehouse_dir=tmp_path_factory.mktemp("types"),
            upstream_base_url=replay.base_url,
            contact="A Tester tester@example.org",
            now=f"{DAY}T22:30:00+00:00",
            pacing=False,
            personal_use=True,
            sec_bulk_history=True,
            census_key="a made-up census key",
        )
        yield land(CATALOG.sources.values(), Beginning, CATALOG, settings)


@pytest.mark.parametrize("source_id", CATALOG.sources)
def test_right_bytes_are_taken_under_any_content_type(landed: dict[str, list[Retrieval]], source_id: str) -> None:
    outcomes = {c.key: (c.outcome, c.error) for c in landed[source_id]}
    assert {outcome for outcome, _ in outcomes.values()} <= {"fresh", "absent"}, outcomes
    assert "fresh" in {outcome for outcome, _ in outcomes.values()}
