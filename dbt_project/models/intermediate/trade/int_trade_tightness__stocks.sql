-- Exchange stocks at the end of each month: the last report of the month, no older than ten days at its end (a weekly report
-- and a holiday week), brought to tonnes. A total needs every exchange that is tracked for the metal.
{% set limit_days = 10 %}
with reports as (
    select
        s.metal_id,
        s.venue,
        s.is_in_united_states,
        {{ month_of('o.period') }} as month,
        o.period,
        o.value * s.tonnes_per_unit as stock_tonnes,
        o.known_at
    from {{ ref('base_observations__as_of') }} as o
    inner join {{ ref('exchange_series') }} as s on o.series_id = s.input_id and s.role = 'stock'
),

month_ends as (
    select *
    from reports
    where
        month <= {{ last_complete_month() }}
        and {{ dbt.datediff('period', month_end('month'), 'day') }} <= {{ limit_days }}
    qualify row_number() over (partition by metal_id, venue, month order by period desc) = 1
),

venues as (
    select
        metal_id,
        count(*) as venues,
        count(*) filter (where is_in_united_states) as us_venues
    from {{ ref('exchange_series') }}
    where role = 'stock'
    group by metal_id
),

summed as (
    select
        e.metal_id,
        e.month,
        max(case when e.venue = 'COMEX' then e.stock_tonnes end) as comex_stock_tonnes,
        max(case when e.venue = 'LME' then e.stock_tonnes end) as lme_stock_tonnes,
        max(case when e.venue = 'SHFE' then e.stock_tonnes end) as shfe_stock_tonnes,
        count(*) as venues_reported,
        {{ exact_sum('case when not e.is_in_united_states then e.stock_tonnes end') }} as stock_outside_us_tonnes,
        count(*) filter (where not e.is_in_united_states) as venues_outside_reported,
        {{ exact_sum('e.stock_tonnes') }} as stock_tonnes,
        max(e.known_at) as known_at
    from month_ends as e
    group by e.metal_id, e.month
)

select
    s.metal_id,
    s.month,
    s.comex_stock_tonnes,
    s.lme_stock_tonnes,
    s.shfe_stock_tonnes,
    case when s.venues_reported = v.venues and v.venues > 1 then s.stock_tonnes end as total_stock_tonnes,
    case
        when v.venues > v.us_venues and s.venues_outside_reported = v.venues - v.us_venues then s.stock_outside_us_tonnes
    end as stock_outside_us_tonnes,
    case
        when v.venues = 1 then 'stocks of one exchange only are tracked'
        when s.venues_reported < v.venues then 'an exchange has no report of the last ten days of the month'
    end as total_stock_reason,
    s.known_at
from summed as s
inner join venues as v on s.metal_id = v.metal_id
