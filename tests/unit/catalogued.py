"""The catalogue restricted to the entries of some publishers."""

from __future__ import annotations

from pipelines.catalog import Catalog, Series, document_of
from pipelines.settings import Settings


def catalogue_of(*source_ids: str) -> Catalog:
    """The series of the publishers; their own entries in sources.yaml are checked where the whole catalogue is."""
    series = []
    for source_id in source_ids:
        path = Settings().catalog_dir / "series" / f"{source_id}.yaml"
        document = document_of(path.read_text(encoding="utf-8"))
        series += [Series.model_validate({**document["defaults"], **entry}) for entry in document["series"]]
    return Catalog([], series, [], [])
