"""A warehouse of some folders of payloads and nothing else: `python -m tests.models.loading DIRECTORY UPSTREAM ...`.

The project's own parsers and ingest run over them in the order of their retrieval; then the models are built. The
figures on coal have another publisher than in the catalogue: see tests/models/coal_loading.py.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path

from pipelines import catalog as catalogs
from pipelines import ingest, sources, transform, warehouse
from pipelines.authoring import bundle
from pipelines.errors import BadPayload
from pipelines.settings import Settings
from pipelines.sources import imf_pcps, owid_energy
from tests.models import coal_loading
from tests.recordings import Recordings

# What the bundle takes, but for coal, and what may be used without being passed on.
PLACES = (
    *(place for place in bundle.RECORDED if place[1] != owid_energy.SOURCE),
    (re.compile(r"sec/submissions/(CIK\d{10})\.json"), "sec_edgar", "submissions/{}"),
    (re.compile(r"imf_pcps/[^/]+/(external-data)\.xls"), "imf_pcps", imf_pcps.WORKBOOK_KEY),
    (re.compile(r"sec/financial_statement_data_sets/(2010q2)\.zip"), "sec_financial_statements", "{}"),
)


def load(upstream: Iterable[Path], settings: Settings) -> ingest.Report:
    """Load the payloads into the build file of `settings`; those of no catalogued series are left out."""
    catalog = catalogs.load(settings.catalog_dir)
    recordings = Recordings(upstream)
    due = [(payload.retrieved_at, owid_energy.SOURCE, payload) for payload in coal_loading.payloads(recordings)]
    for recording in recordings.every:
        for pattern, source, key in PLACES:
            if (match := pattern.fullmatch(recording.file)) and recording.known:
                at = datetime.combine(recording.known, time(0)) + bundle.KNOWN_LATER.get(source, timedelta())
                body = recording.path.read_bytes()
                payload_id = hashlib.sha256(body).hexdigest()
                payload = ingest.Payload(
                    payload_id,
                    recording.key or key.format(match[1]),
                    at,
                    body,
                    recording.url,
                    None,
                    None,
                    "bundled",
                    recording.fidelity,
                )
                due.append((at, source, payload))
    report = ingest.Report()
    with warehouse.exclusive(settings), warehouse.writer(settings) as connection:
        warehouse.write_catalog(connection, catalog)
        for _, source, payload in sorted(due, key=lambda d: (*d[:2], d[2].key)):
            try:
                ingest.load_payload(
                    connection, payload, catalog.sources[source], sources.module(source), catalog, report
                )
            except BadPayload as error:
                if "no catalogued series" not in str(error):
                    raise
    return report


def main() -> None:
    directory, *upstream = map(Path, sys.argv[1:])
    settings = Settings(warehouse_dir=directory)
    load(upstream, settings)
    failed = [r for r in transform.build(settings) if r.failed]
    for result in failed:
        print(result.name, result.status, result.message)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
