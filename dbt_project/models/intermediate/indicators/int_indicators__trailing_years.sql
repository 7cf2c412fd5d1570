-- Twelve months of China's output. January is published with February, so they are put together from sums since January: this
-- year's so far, and the part of last year's that came after the same month.
with since_january as (
    select
        indicator_id,
        period as month,
        value,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id like 'china%output_ytd_%'
),

years as (
    select
        n.indicator_id,
        n.month,
        case
            when extract(month from n.month) = 12 then n.value
            else n.value + d.value - b.value
        end as output_12m,
        greatest(n.known_at, coalesce(d.known_at, n.known_at), coalesce(b.known_at, n.known_at)) as known_at
    from since_january as n
    left join since_january as d
        on n.indicator_id = d.indicator_id and d.month = make_date(cast(extract(year from n.month) as integer) - 1, 12, 1)
    left join since_january as b on n.indicator_id = b.indicator_id and n.month = b.month + interval 12 month
)

select
    indicator_id,
    month,
    output_12m,
    {{ growth_pct('output_12m', months_earlier('output_12m', 12, 'month', 'indicator_id')) }} as output_12m_yoy_pct,
    max(known_at) over {{ last_months(13, 'month', 'indicator_id') }} as known_at
from years
