prices as (
    select
        metal_id,
        frequency,
        period,
        known_at,
        case metal_id when 'copper' then price_usd_per_tonne else price_native end as value
    from metal_prices
    where
        metal_id in ('copper', 'gold') and price_native is not null
        {{ and_not_own_use('metal_prices', "metal_id || '|' || frequency || '|' || period") }}
    -- The frequency of the newest that may be shown: a day's quotation, or the mean of a month that ended later.
    qualify frequency = first_value(frequency) over (
        partition by metal_id
        order by case frequency when 'monthly' then last_day(period) else period end desc, frequency
        rows between unbounded preceding and unbounded following
    )
),

figures as (
    select
        case metal_id when 'copper' then 1 else 2 end as place,
        case metal_id when 'copper' then 'Copper' else 'Gold' end
        || case frequency when 'monthly' then ', monthly average' else '' end as figure,
        value,
        case metal_id when 'copper' then 'usd_per_tonne' else 'usd_per_troy_ounce' end as unit,
        'return_pct' as change_unit,
        frequency,
        period,
        null as basis,
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
        'return_pct',
        'quarterly',
        calendar_quarter,
        capex_ttm_members,
        known_at,
        'driver_ai_capex_aggregate',
        'capex_ttm_usd'
    from driver_ai_capex_aggregate
    where true {{ and_not_own_use('driver_ai_capex_aggregate', "calendar_quarter") }}
    union all
    select
        4, 'China PPI, on the year', ppi_yoy_pct, 'yoy_pct', 'pp', 'monthly', month, null, known_at,
        'driver_china_cycle', 'ppi_yoy_pct'
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        5, 'China M1 less M2 growth', m1_m2_gap_pp, 'pp', 'pp', 'monthly', month, null, known_at,
        'driver_china_cycle', 'm1_m2_gap_pp'
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        6, 'US deficit, 12 months', deficit_12m_pct_gdp, 'pct_of_gdp', 'pp', 'monthly', month, null, known_at,
        'driver_fiscal', 'deficit_12m_pct_gdp'
    from driver_fiscal
    where true {{ and_not_own_use('driver_fiscal', "month") }}
    union all
    select
        7, 'US 10-year real yield', real_10y_yield_pct, 'pct', 'pp', 'monthly', month, null, known_at,
        'driver_monetary', 'real_10y_yield_pct'
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
    union all
    select
        8, 'Broad dollar index', broad_dollar_index, 'index', 'return_pct', 'monthly', month, null, known_at,
        'driver_monetary', 'broad_dollar_index'
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
)
