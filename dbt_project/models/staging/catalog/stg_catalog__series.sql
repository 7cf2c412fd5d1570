select
    series_id,
    source_id,
    title,
    publisher,
    unit,
    frequency,
    metal_id,
    plausible_low,
    plausible_high,
    publication_lag_days,
    staleness_limit_days,
    licence,
    history,
    bundle,
    description
from {{ source('raw', 'catalog_series') }}
