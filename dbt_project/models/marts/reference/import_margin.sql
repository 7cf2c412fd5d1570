-- The margin divides the Shanghai price by one plus the tax: multiplying the other leg, or taking the tax off as a share of the
-- price, inflates the margin many times. The yuan rate is of New York days and comes out weekly: the last one stands in for up to ten
-- days (a week, the wait for the Monday's release and a holiday), and its day is a column. Within them the rate moves by tenths of a
-- per cent, the margin by as much. No price is carried from another day.
{% set carried_days = 10 %}
with shanghai as (
    select
        t.metal_id,
        o.period as trading_day,
        o.series_id,
        o.value * t.quoted_units_per_tonne as price_cny_per_tonne,
        t.world_series_id,
        t.includes_vat,
        t.is_inferred as vat_treatment_is_inferred,
        o.known_at
    from {{ ref('base_observations__as_of') }} as o
    inner join {{ ref('china_price_terms') }} as t on o.series_id = t.china_series_id
),

taxed as (
    select
        s.*,
        case when s.includes_vat then v.vat_pct else 0 end as vat_pct
    from shanghai as s
    left join {{ ref('china_vat_rates') }} as v
        on s.trading_day >= v.valid_from and (v.valid_to is null or s.trading_day < v.valid_to)
),

world as (
    select
        o.series_id,
        o.period,
        o.value * u.usd_per_tonne_factor as price_usd_per_tonne,
        o.known_at
    from {{ ref('base_observations__as_of') }} as o
    inner join {{ ref('unit_conversions') }} as u on o.unit = u.unit and u.series_id is null
),

yuan as (
    select
        d.trading_day,
        r.period as rate_day,
        r.value as cny_per_usd,
        r.known_at
    from (select distinct trading_day from shanghai) as d
    inner join {{ ref('int_indicators__resolved') }} as r
        on
            r.indicator_id = 'cny_per_usd'
            and d.trading_day >= r.period
            and d.trading_day - {{ carried_days }} <= r.period
    qualify row_number() over (partition by d.trading_day order by r.period desc) = 1
),

legs as (
    select
        t.metal_id,
        t.trading_day,
        t.price_cny_per_tonne,
        t.vat_pct,
        t.vat_treatment_is_inferred,
        y.cny_per_usd,
        y.rate_day as cny_per_usd_day,
        t.price_cny_per_tonne / y.cny_per_usd / (1 + t.vat_pct / 100) as price_before_vat_usd_per_tonne,
        w.price_usd_per_tonne as world_price_usd_per_tonne,
        t.world_series_id,
        case
            when y.rate_day is null then 'no yuan rate of the last {{ carried_days }} days'
            when w.period is null then 'no world price of the day: a holiday in London, or its source is off (personal use only)'
        end as margin_reason,
        {{ latest_of(['t.known_at', 'y.known_at', 'w.known_at']) }} as known_at
    from taxed as t
    left join yuan as y on t.trading_day = y.trading_day
    left join world as w on t.world_series_id = w.series_id and t.trading_day = w.period
)

select
    metal_id,
    trading_day,
    price_cny_per_tonne as shanghai_price_cny_per_tonne,
    vat_pct,
    vat_treatment_is_inferred,
    cny_per_usd,
    cny_per_usd_day,
    cny_per_usd_day < trading_day as cny_per_usd_is_carried,
    price_before_vat_usd_per_tonne as shanghai_price_before_vat_usd_per_tonne,
    world_series_id,
    world_price_usd_per_tonne,
    price_before_vat_usd_per_tonne - world_price_usd_per_tonne as import_margin_usd_per_tonne,
    100 * (price_before_vat_usd_per_tonne / world_price_usd_per_tonne - 1) as import_margin_pct,
    margin_reason,
    cast(known_at as timestamp) as known_at
from legs
