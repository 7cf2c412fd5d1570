-- The producers of a sector together, with the metal's output, utilisation and price beside them. Ratios are taken over the
-- producers that have every figure of the ratio, so that a missing producer is not read as a fall; their number is a column.
with producers as (
    select
        m.sector,
        m.calendar_quarter,
        p.company_id,
        p.capex_12m_usd,
        p.depreciation_12m_usd,
        p.revenue_12m_usd,
        p.income_12m_usd,
        p.margin_concept,
        p.is_paradox,
        p.gap_reason,
        p.known_at,
        p.capex_12m_usd is not null and p.depreciation_12m_usd > 0 as has_investment,
        p.income_12m_usd is not null and p.revenue_12m_usd > 0 as has_margin,
        case when p.is_paradox is not null then p.revenue_12m_usd end as judged_revenue_usd
    from {{ ref('int_producers__by_quarter') }} as m
    inner join {{ ref('divergence_capacity_clearance') }} as p
        on m.company_id = p.company_id and m.fiscal_year = p.fiscal_year and m.fiscal_quarter = p.fiscal_quarter
),

of_producers as (
    select
        sector,
        calendar_quarter,
        count(is_paradox) as producers_known,
        sum(case when is_paradox then 1 else 0 end) as producers_in_paradox,
        sum(judged_revenue_usd) as judged_revenue_usd,
        sum(case when is_paradox then judged_revenue_usd else 0 end) as paradox_revenue_usd,
        sum(case when has_investment then capex_12m_usd end) as capex_12m_usd,
        sum(case when has_investment then depreciation_12m_usd end) as depreciation_12m_usd,
        sum(case when has_margin then revenue_12m_usd end) as revenue_12m_usd,
        sum(case when has_margin then income_12m_usd end) as income_12m_usd,
        sum(case when has_investment and has_margin then capex_12m_usd - depreciation_12m_usd end) as net_investment_12m_usd,
        sum(case when has_investment and has_margin then revenue_12m_usd end) as net_investment_revenue_usd,
        sum(case when has_margin and margin_concept = 'income_before_tax' then 1 else 0 end) as margins_before_tax,
        string_agg(
            case when has_margin then company_id || case when has_investment then '' else ' (margin only)' end end,
            ', ' order by company_id
        ) as margin_members,
        string_agg(company_id || ' (' || gap_reason || ')', ', ' order by company_id) as producers_unknown,
        max(known_at) as known_at
    from producers
    group by sector, calendar_quarter
),

first_periods as (
    select
        company_id,
        min(calendar_quarter) as first_quarter
    from {{ ref('divergence_capacity_clearance') }}
    group by company_id
),

catalogued as (
    select distinct
        c.company_id,
        c.role as sector,
        t.valid_to,
        f.first_quarter
    from {{ ref('stg_catalog__companies') }} as c
    inner join {{ ref('stg_catalog__company_tags') }} as t on c.company_id = t.company_id
    left join first_periods as f on c.company_id = f.company_id
    where c.role in ('aluminium', 'lithium')
),

china_growth as (
    select
        month,
        output_12m as output_12m_tonnes,
        output_12m_yoy_pct,
        known_at
    from {{ ref('int_indicators__trailing_years') }}
    where indicator_id = 'china_aluminium_output_ytd_tonnes'
),

yearly as (
    select
        period,
        {{ indicator_value('world_aluminium_output_tonnes') }} as world_aluminium_tonnes,
        {{ indicator_value('china_aluminium_output_tonnes') }} as china_aluminium_tonnes,
        {{ indicator_value('world_aluminium_capacity_tonnes') }} as world_capacity_tonnes,
        {{ indicator_value('china_aluminium_capacity_tonnes') }} as china_capacity_tonnes,
        {{ indicator_value('world_lithium_output_tonnes') }} as world_lithium_tonnes,
        max(case when indicator_id <> 'world_lithium_output_tonnes' then known_at end) as aluminium_known_at,
        max(case when indicator_id = 'world_lithium_output_tonnes' then known_at end) as lithium_known_at
    from {{ ref('int_indicators__resolved') }}
    where
        indicator_id in (
            'world_aluminium_output_tonnes', 'china_aluminium_output_tonnes', 'world_aluminium_capacity_tonnes',
            'china_aluminium_capacity_tonnes', 'world_lithium_output_tonnes'
        )
    group by period
),

-- A year's output against the capacity at its end: where capacity grew within the year, true utilisation was a little higher.
world as (
    select
        'aluminium' as sector,
        period,
        world_aluminium_tonnes as output_tonnes,
        world_capacity_tonnes as capacity_tonnes,
        100.0 * world_aluminium_tonnes / world_capacity_tonnes as utilisation_pct,
        100.0 * china_aluminium_tonnes / china_capacity_tonnes as china_utilisation_pct,
        aluminium_known_at as known_at
    from yearly
    where world_aluminium_tonnes is not null
    union all
    select
        'lithium' as sector,
        period,
        world_lithium_tonnes as output_tonnes,
        null as capacity_tonnes,
        null as utilisation_pct,
        null as china_utilisation_pct,
        lithium_known_at as known_at
    from yearly
    where world_lithium_tonnes is not null
),

world_years as (
    select
        sector,
        period,
        output_tonnes,
        {{ growth_pct('output_tonnes', months_earlier('output_tonnes', 12, 'period', 'sector')) }} as output_yoy_pct,
        capacity_tonnes,
        utilisation_pct,
        utilisation_pct - {{ months_earlier('utilisation_pct', 12, 'period', 'sector') }} as utilisation_change_pp,
        china_utilisation_pct,
        max(known_at) over {{ last_months(13, 'period', 'sector') }} as known_at,
        -- A year's figure is used for its last quarter and the three after it.
        cast(period + interval 9 month as date) as first_quarter,
        cast(period + interval 18 month as date) as last_quarter
    from world
),

prices as (
    select
        case indicator_id when 'aluminium_usd_per_tonne' then 'aluminium' else 'lithium' end as sector,
        period as month,
        {{ over_full_months('avg', 'value', 12, 'period', 'indicator_id') }} as price_12m_usd_per_tonne,
        max(known_at) over {{ last_months(24, 'period', 'indicator_id') }} as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id in ('aluminium_usd_per_tonne', 'lithium_usd_per_tonne')
),

price_growth as (
    select
        sector,
        month,
        price_12m_usd_per_tonne,
        {{ growth_pct('price_12m_usd_per_tonne', months_earlier('price_12m_usd_per_tonne', 12, 'month', 'sector')) }}
            as price_12m_yoy_pct,
        known_at
    from prices
),

-- Prices alone make no row: without producers or output there is no statement on capacity.
quarters as (
    select
        sector,
        calendar_quarter
    from of_producers
    union
    select
        'aluminium' as sector,
        cast(date_trunc('quarter', month) as date) as calendar_quarter
    from china_growth
    where extract(month from month) in (3, 6, 9, 12) and output_12m_tonnes is not null
    union
    select
        sector,
        first_quarter as calendar_quarter
    from world_years
),

expected as (
    select
        q.sector,
        q.calendar_quarter,
        count(distinct c.company_id) as producers_expected
    from quarters as q
    left join catalogued as c
        on
            q.sector = c.sector
            and (c.first_quarter is null or q.calendar_quarter >= c.first_quarter)
            and (c.valid_to is null or {{ period_end('q.calendar_quarter', "'quarterly'") }} <= c.valid_to)
    group by q.sector, q.calendar_quarter
)

select
    q.sector,
    q.calendar_quarter,
    {{ period_end('q.calendar_quarter', "'quarterly'") }} as period_end,
    cast(e.producers_expected as integer) as producers_expected,
    cast(coalesce(p.producers_known, 0) as integer) as producers_known,
    cast(coalesce(p.producers_known, 0) / nullif(e.producers_expected, 0) as double) as coverage_ratio,
    p.producers_unknown,
    cast(p.producers_in_paradox as integer) as producers_in_paradox,
    cast(p.producers_in_paradox / nullif(p.producers_known, 0) as double) as paradox_share_ratio,
    cast(p.paradox_revenue_usd / nullif(p.judged_revenue_usd, 0) as double) as paradox_revenue_share_ratio,
    cast(p.capex_12m_usd as double) as capex_12m_usd,
    cast(p.depreciation_12m_usd as double) as depreciation_12m_usd,
    cast(p.capex_12m_usd / p.depreciation_12m_usd as double) as capex_to_depreciation_ratio,
    cast(p.revenue_12m_usd as double) as revenue_12m_usd,
    cast(p.income_12m_usd as double) as income_12m_usd,
    cast(100.0 * p.income_12m_usd / p.revenue_12m_usd as double) as margin_pct,
    p.margin_members,
    cast(p.margins_before_tax as integer) as margins_before_tax,
    cast(100.0 * p.net_investment_12m_usd / p.net_investment_revenue_usd as double) as net_investment_pct_revenue,
    cast(c.output_12m_tonnes as double) as china_output_12m_tonnes,
    cast(c.output_12m_yoy_pct as double) as china_output_12m_yoy_pct,
    cast(extract(year from w.period) as integer) as world_year,
    cast(w.output_tonnes as double) as world_output_tonnes,
    cast(w.output_yoy_pct as double) as world_output_yoy_pct,
    cast(w.capacity_tonnes as double) as world_capacity_tonnes,
    cast(w.utilisation_pct as double) as world_utilisation_pct,
    cast(w.utilisation_change_pp as double) as world_utilisation_change_pp,
    cast(w.china_utilisation_pct as double) as china_utilisation_pct,
    cast(g.price_12m_usd_per_tonne as double) as price_12m_usd_per_tonne,
    cast(g.price_12m_yoy_pct as double) as price_12m_yoy_pct,
    cast({{ latest_of(['p.known_at', 'c.known_at', 'w.known_at', 'g.known_at']) }} as timestamp) as known_at
from quarters as q
inner join expected as e on q.sector = e.sector and q.calendar_quarter = e.calendar_quarter
left join of_producers as p on q.sector = p.sector and q.calendar_quarter = p.calendar_quarter
left join china_growth as c on q.sector = 'aluminium' and q.calendar_quarter + interval 2 month = c.month
left join world_years as w
    on q.sector = w.sector and q.calendar_quarter >= w.first_quarter and q.calendar_quarter <= w.last_quarter
left join price_growth as g on q.sector = g.sector and q.calendar_quarter + interval 2 month = g.month
