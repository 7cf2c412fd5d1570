-- The newest figure of each kind, with the period it is of.
with prices as (
    select
        metal_id,
        frequency,
        period,
        price_native,
        price_usd_per_tonne
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
        period
    from prices
    union all
    select
        3,
        'Hyperscaler capex, 4 quarters, '
        || arg_max(capex_ttm_companies, calendar_quarter) filter (where capex_ttm_usd is not null)
        || ' of '
        || max(companies_expected),
        arg_max(capex_ttm_usd, calendar_quarter),
        'usd',
        'quarterly',
        max(calendar_quarter) filter (where capex_ttm_usd is not null)
    from driver_ai_capex_aggregate
    where true {{ and_not_own_use('driver_ai_capex_aggregate', "calendar_quarter") }}
    union all
    select
        4,
        'China PPI, on the year',
        arg_max(ppi_yoy_pct, month),
        'pct',
        'monthly',
        max(month) filter (where ppi_yoy_pct is not null)
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        5,
        'China M1 less M2 growth',
        arg_max(m1_m2_gap_pp, month),
        'pp',
        'monthly',
        max(month) filter (where m1_m2_gap_pp is not null)
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select
        6,
        'US deficit, fiscal year',
        arg_max(deficit_fy_pct_gdp, month),
        'pct_of_gdp',
        'us_fiscal_year',
        arg_max(make_date(fiscal_year - 1, 10, 1), month) filter (where deficit_fy_pct_gdp is not null)
    from driver_fiscal
    where true {{ and_not_own_use('driver_fiscal', "month") }}
    union all
    select
        7,
        'US 10-year real yield',
        arg_max(real_10y_yield_pct, month),
        'pct',
        'monthly',
        max(month) filter (where real_10y_yield_pct is not null)
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
    union all
    select
        8,
        'Broad dollar index',
        arg_max(broad_dollar_index, month),
        'index',
        'monthly',
        max(month) filter (where broad_dollar_index is not null)
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
)

select
    figure,
    value,
    unit,
    frequency,
    period
from figures
order by place
