prices as (
    select *
    from metal_quotations_usd
    where
        metal_id in ('copper', 'gold')
        {{ and_not_own_use('metal_quotations_usd', "metal_id || '|' || series_id || '|' || period") }}
    qualify source_rank = min(source_rank) over (partition by metal_id)
),

figures as (
    select
        case metal_id when 'copper' then 1 else 2 end as place,
        case metal_id when 'copper' then 'Copper' else 'Gold' end
        || case frequency when 'monthly' then ', monthly average' else '' end as figure,
        price_usd as value,
        unit,
        'return_pct' as change_unit,
        frequency,
        period,
        null as basis,
        known_at,
        case source_rank when 1 then 'metal_prices_usd' else 'metal_quotations_usd' end as table_name,
        'price_usd' as column_name
    from prices
    union all
    select
        3,
        'Hyperscaler capex, 4 quarters, '
        || capex_ttm_companies - coalesce(len(string_split(capex_ttm_carried, ', ')), 0) || ' of ' || companies_expected
        || coalesce(', ' || regexp_replace(capex_ttm_carried, ' to [0-9-]+', '', 'g') || ' carried', ''),
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
