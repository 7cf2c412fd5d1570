select
    indicator_id,
    title,
    unit,
    frequency,
    candidate_rank,
    series_id,
    factor,
    tolerance_pct,
    tolerance_absolute,
    description
from {{ source('raw', 'catalog_indicator') }}
