-- A view, as claim_verdict_history: its forecasts are computed after the models, from the models themselves run for each day.
{{ config(materialized='view') }}
-- The figure of a month as it first became known: of whichever publisher was first, the preferred one of those on the same day.
with first_published as (
    select
        o.period as month,
        i.factor * o.value as ppi_yoy_pct,
        o.known_at
    from {{ ref('base_observations__intervals') }} as o
    inner join {{ ref('stg_catalog__indicators') }} as i on o.series_id = i.series_id
    where i.indicator_id = 'china_ppi_yoy_pct'
    qualify row_number() over (partition by o.period order by o.known_at, i.candidate_rank) = 1
)

select
    n.as_of,
    n.horizon_months,
    n.origin_month,
    n.target_month,
    n.no_change_pct,
    n.forecast_pct,
    n.forecast_lower_80_pct,
    n.forecast_upper_80_pct,
    n.beats_no_change,
    f.ppi_yoy_pct as first_published_pct,
    f.known_at as first_published_at,
    c.ppi_yoy_pct as newest_pct,
    f.ppi_yoy_pct - n.forecast_pct as error_pp,
    f.ppi_yoy_pct - n.no_change_pct as no_change_error_pp,
    f.ppi_yoy_pct between n.forecast_lower_80_pct and n.forecast_upper_80_pct as is_inside_band,
    n.known_at
from {{ ref('stg_pipeline__ppi_nowcasts') }} as n
left join first_published as f on n.target_month = f.month
left join {{ ref('driver_china_cycle') }} as c on n.target_month = c.month
where n.as_of <= {{ as_of_date() }}
