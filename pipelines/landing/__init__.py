"""Fetching from publishers, and the store of their unmodified responses.

The only package that sends requests; alerts and messages go through it too. Parsing does not belong here, beyond what
distinguishes data from an error page.
"""

from pipelines.landing.ask import REACHED, TRIED, cause, is_unreached, land, plain
from pipelines.landing.reachability import HTTP_ONLY_HOSTS, not_asked, reachable
from pipelines.landing.redaction import anonymous
from pipelines.landing.store import Landing, Retrieval

__all__ = [
    "HTTP_ONLY_HOSTS",
    "REACHED",
    "TRIED",
    "Landing",
    "Retrieval",
    "anonymous",
    "cause",
    "is_unreached",
    "land",
    "not_asked",
    "plain",
    "reachable",
]
