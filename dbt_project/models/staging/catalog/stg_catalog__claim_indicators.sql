select
    claim_id,
    indicator,
    series_id,
    transformation,
    months,
    role,
    comparison,
    threshold,
    threshold_high,
    contradiction_threshold,
    unit,
    decimals,
    tolerated_days,
    label,
    reason,
    reference
from {{ source('raw', 'catalog_claim_indicator') }}
