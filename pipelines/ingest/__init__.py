"""From landed bytes to the raw tables: parse, hold the contract, write only what really changed.

No network here, and no figure that models use is computed here: what differs from what was known is counted and stored.
"""

from pipelines.ingest.bundled import BUNDLED_TABLES, load_bundle
from pipelines.ingest.load import NOT_THE_PAYLOADS_FAULT, Report, judged, load_payload, load_source
from pipelines.ingest.payload import Payload

__all__ = [
    "BUNDLED_TABLES",
    "NOT_THE_PAYLOADS_FAULT",
    "Payload",
    "Report",
    "judged",
    "load_bundle",
    "load_payload",
    "load_source",
]
