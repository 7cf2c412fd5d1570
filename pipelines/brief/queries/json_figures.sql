-- The newest headline figure of each kind, when it became known, and where the warehouse has it.
with prices as (
    select *
    from metal_prices
    where
        metal_id in ('copper', 'gold') and price_native is not null
        {{ and_not_own_use('metal_prices', "metal_id || '|' || frequency || '|' || period") }}
    -- The newest that may be shown: a day's quotation, or the mean of a month that ended later.
    qualify row_number() over (
        partition by metal_id order by case frequency when 'monthly' then last_day(period) else period end desc, frequency
    ) = 1
),

figures as (
    select
        case metal_id when 'copper' then 1 else 2 end as place,
        case metal_id when 'copper' then 'Copper' else 'Gold' end as figure,
        case metal_id when 'copper' then price_usd_per_tonne else price_native end as value,
        case metal_id when 'copper' then 'usd_per_tonne' else 'usd_per_troy_ounce' end as unit,
        frequency,
        period,
        known_at,
        'metal_prices' as table_name,
        case metal_id when 'copper' then 'price_usd_per_tonne' else 'price_native' end as column_name
    from prices
    union all
    select
        3,
        'Hyperscaler capex, 4 quarters, ' || capex_ttm_companies || ' of ' || companies_expected,
        capex_ttm_usd,
        'usd',
        'quarterly',
        calendar_quarter,
        known_at,
        'driver_ai_capex_aggregate',
        'capex_ttm_usd'
    from driver_ai_capex_aggregate
    where true {{ and_not_own_use('driver_ai_capex_aggregate', "calendar_quarter") }}
    union all
    select
        4, 'China PPI, on the year', ppi_yoy_pct, 'yoy_pct', 'monthly', month, known_at,
        'driver_china_cycle', 'ppi_yoy_pct'
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        5, 'China M1 less M2 growth', m1_m2_gap_pp, 'pp', 'monthly', month, known_at,
        'driver_china_cycle', 'm1_m2_gap_pp'
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        6, 'US deficit, 12 months', deficit_12m_pct_gdp, 'pct_of_gdp', 'monthly', month, known_at,
        'driver_fiscal', 'deficit_12m_pct_gdp'
    from driver_fiscal
    where true {{ and_not_own_use('driver_fiscal', "month") }}
    union all
    select
        7, 'US 10-year real yield', real_10y_yield_pct, 'pct', 'monthly', month, known_at,
        'driver_monetary', 'real_10y_yield_pct'
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
    union all
    select
        8, 'Broad dollar index', broad_dollar_index, 'index', 'monthly', month, known_at,
        'driver_monetary', 'broad_dollar_index'
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
)

select * exclude (place)
from figures
where value is not null
qualify row_number() over (partition by place order by period desc) = 1
order by place
