-- As the catalogue (series/*.yaml) has them; retrieval outcomes are in data_freshness.
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
    history,
    licence,
    bundle as ships_with_project,
    description,
    defined_in
from {{ ref('stg_catalog__series') }}
