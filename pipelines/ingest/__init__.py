"""From landed bytes to the raw tables: parse, validate against the contract, write only what changed.

Network access and computed figures do not belong here: this package stores and counts what differs from the known rows.
"""

from pipelines.ingest.bundled import BUNDLED_TABLES, load_bundle, seal
from pipelines.ingest.load import (
    NOT_THE_PAYLOADS_FAULT,
    Report,
    judged,
    load_payload,
    load_source,
    refused_payloads,
    too_many_bad,
)
from pipelines.ingest.payload import Payload
from pipelines.ingest.release_dates import redate

__all__ = [
    "BUNDLED_TABLES",
    "NOT_THE_PAYLOADS_FAULT",
    "Payload",
    "Report",
    "judged",
    "load_bundle",
    "load_payload",
    "load_source",
    "redate",
    "refused_payloads",
    "seal",
    "too_many_bad",
]
