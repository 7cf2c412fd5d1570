"""What each request to a publisher came to last, from raw.retrieval."""

from __future__ import annotations

import duckdb

# Per request, what it came to last. A request that was not asked again within 90 days of its publisher's last check is
# taken for one that changed its name; a round of requests takes less than twelve hours.
REQUESTS = """
with requests as (
    select
        source_id,
        request_key,
        arg_max(outcome, checked_at) as outcome,
        arg_max(error, checked_at) filter (where outcome in ('failed', 'blocked', 'waiting')) as failure,
        arg_max(outcome, checked_at) filter (where outcome in ('fresh', 'refused')) as judgement,
        arg_max(payload_id, checked_at) filter (where outcome in ('fresh', 'refused')) as payload_id,
        arg_max(error, checked_at) filter (where outcome = 'refused') as refusal,
        max(max(checked_at)) over (partition by source_id) - max(checked_at) as ago
    from raw.retrieval
    group by source_id, request_key
    qualify ago < interval 90 days
)
"""


def standing_faults(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str | None]]:
    """Publisher, request, outcome (failed, blocked, refused, waiting) and reason of what keeps the tables incomplete.

    A refusal stands until the request has another answer, however often the publisher repeats this one or fails.
    """
    return connection.execute(
        REQUESTS
        + """
        select source_id, request_key, outcome, failure from requests
        where outcome in ('failed', 'blocked') and ago < interval 12 hours or outcome = 'waiting'
        union all
        select source_id, request_key, judgement, refusal from requests where judgement = 'refused'
        order by all
        """
    ).fetchall()
