-- The newest figures of each kind and the two dozen before them, with the change on the one before and the age.
with prices as (
    select
        metal_id,
        frequency,
        period,
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
        case metal_id when 'copper' then 'Copper' else 'Gold' end as figure,
        value,
        case metal_id when 'copper' then 'usd_per_tonne' else 'usd_per_troy_ounce' end as unit,
        'return_pct' as change_unit,
        frequency,
        period,
        null as basis
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
        capex_ttm_members
    from driver_ai_capex_aggregate
    where true {{ and_not_own_use('driver_ai_capex_aggregate', "calendar_quarter") }}
    union all
    select 4, 'China PPI, on the year', ppi_yoy_pct, 'yoy_pct', 'pp', 'monthly', month, null
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select 5, 'China M1 less M2 growth', m1_m2_gap_pp, 'pp', 'pp', 'monthly', month, null
    from driver_china_cycle
    where true {{ and_not_own_use('driver_china_cycle', "month") }}
    union all
    select 6, 'US deficit, 12 months', deficit_12m_pct_gdp, 'pct_of_gdp', 'pp', 'monthly', month, null
    from driver_fiscal
    where true {{ and_not_own_use('driver_fiscal', "month") }}
    union all
    select 7, 'US 10-year real yield', real_10y_yield_pct, 'pct', 'pp', 'monthly', month, null
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
    union all
    select 8, 'Broad dollar index', broad_dollar_index, 'index', 'return_pct', 'monthly', month, null
    from driver_monetary
    where true {{ and_not_own_use('driver_monetary', "month") }}
),

ranked as (
    select
        *,
        row_number() over (partition by place order by period desc) as recency,
        lead(value) over (partition by place order by period desc) as value_before,
        -- A sum over other companies is no change of spending.
        basis is not distinct from lead(basis) over (partition by place order by period desc) as is_comparable
    from figures
    where value is not null
)

select
    place,
    first_value(figure) over (partition by place order by recency) as figure,
    value,
    unit,
    frequency,
    period,
    case
        when not is_comparable then null
        when change_unit = 'pp' then value - value_before
        else 100 * (value / value_before - 1)
    end as change,
    change_unit,
    date_diff(
        'day',
        case frequency
            when 'monthly' then last_day(period)
            when 'quarterly' then last_day(period + interval 2 month)
            else period
        end,
        (select max(as_of) from raw.build)
    ) as age_days,
    recency
from ranked
where recency <= 25
order by place, recency
