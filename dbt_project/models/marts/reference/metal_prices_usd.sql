-- One series a metal, so that two rows of a metal never differ in currency, unit, frequency or publisher.
{{ config(materialized='view') }}
select
    metal_id,
    frequency,
    period,
    quotation,
    price_usd,
    unit,
    series_id,
    source_id,
    is_stale,
    known_at
from {{ ref('metal_quotations_usd') }}
where source_rank = 1
