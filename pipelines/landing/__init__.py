"""Publishers' responses as they came: asking, and the store of what was answered.

The only room that uses the network (the alert of `orchestration.automation` asks nobody). Nothing is parsed here beyond
what tells a publisher's answer from an error page.
"""

from pipelines.landing.ask import land
from pipelines.landing.reachability import HTTP_ONLY_HOSTS, reachable
from pipelines.landing.redaction import redact
from pipelines.landing.store import Landing, Retrieval

__all__ = ["HTTP_ONLY_HOSTS", "Landing", "Retrieval", "land", "reachable", "redact"]
