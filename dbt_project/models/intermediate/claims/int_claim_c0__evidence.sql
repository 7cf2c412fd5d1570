-- C0 volatility. How much of the variance of the last three years' monthly returns goes with the macroeconomy (US rates, expected
-- inflation, the dollar, China's money and exports)? Judged for each of the three families that the statement names, in the months
-- themselves and by what the five years before each month would have explained of it.
{% set families = {'precious': 'precious metals', 'platinum_group': 'platinum-group metals', 'base': 'base metals'} %}
with newest as (
    select * from {{ ref('metal_attribution_families') }}
    qualify row_number() over (partition by family order by month desc) = 1
),

-- How volatile the last twelve months were, by the standards of the metal's own months since 1990: before, base metals had
-- producer prices for years at a time.
volatilities as (
    select
        m.family,
        p.metal_id,
        p.period as month,
        p.known_at,
        100 * cume_dist() over (partition by p.metal_id order by p.realised_volatility_12m_annualised_pct) as percentile
    from {{ ref('metal_prices') }} as p
    inner join {{ ref('metals') }} as m on p.metal_id = m.metal_id
    where
        p.frequency = 'monthly'
        and p.period >= date '1990-01-01'
        and p.realised_volatility_12m_annualised_pct is not null
),

volatility_by_family as (
    select
        n.family,
        n.month,
        n.metals,
        avg(v.percentile order by v.metal_id) as percentile,
        max(v.known_at) as known_at
    from newest as n
    inner join volatilities as v on n.family = v.family and n.month = v.month
    group by n.family, n.month, n.metals
)

{% for family, words in families.items() %}
    select
        'C0' as claim_id,
        '{{ family }}_macroeconomy_share_36m' as indicator,
        recent_macroeconomy_r_squared_adjusted as value,
        -- With a driver missing the true share is this or higher.
        not macroeconomy_is_complete as is_lower_bound,
        month as period,
        {{ month_end('month') }} as period_end,
        known_at,
        'metal_attribution_families' as source_table,
        family || '|' || cast(month as varchar) as source_key,
        'the macroeconomy goes with ' || {{ number_text('100 * greatest(recent_macroeconomy_r_squared_adjusted, 0)', 0) }}
        || ' % of the variance of {{ words }} (' || metals || ') over the 36 months to ' || {{ month_text('month') }}
        || case when macroeconomy_is_complete then '' else ', with drivers missing' end as finding
    from newest
    where family = '{{ family }}' and recent_macroeconomy_r_squared_adjusted is not null
    union all
    select
        'C0' as claim_id,
        '{{ family }}_macroeconomy_oos_r_squared' as indicator,
        oos_macroeconomy_r_squared as value,
        not macroeconomy_is_complete as is_lower_bound,
        month as period,
        {{ month_end('month') }} as period_end,
        known_at,
        'metal_attribution_families' as source_table,
        family || '|' || cast(month as varchar) as source_key,
        'out of sample (coefficients of the five years before each month) the macroeconomy explains '
        || {{ number_text('100 * oos_macroeconomy_r_squared', 0) }} || ' % of the squared moves of {{ words }}'
        || case when oos_macroeconomy_r_squared <= 0 then ', no better than supposing no change' else '' end as finding
    from newest
    where family = '{{ family }}' and oos_macroeconomy_r_squared is not null
    union all
    select
        'C0' as claim_id,
        '{{ family }}_macroeconomy_significant_share' as indicator,
        oos_macroeconomy_significant_share as value,
        not macroeconomy_is_complete as is_lower_bound,
        month as period,
        {{ month_end('month') }} as period_end,
        known_at,
        'metal_attribution_families' as source_table,
        family || '|' || cast(month as varchar) as source_key,
        'out of sample the gain over supposing no change is significant for '
        || {{ number_text('100 * oos_macroeconomy_significant_share', 0) }} || ' % of the {{ words }}' as finding
    from newest
    where family = '{{ family }}' and oos_macroeconomy_significant_share is not null
    union all
    select
        'C0' as claim_id,
        '{{ family }}_volatility_percentile' as indicator,
        percentile as value,
        false as is_lower_bound,
        month as period,
        {{ month_end('month') }} as period_end,
        known_at,
        'metal_attribution_families' as source_table,
        family || '|' || cast(month as varchar) as source_key,
        'the volatility of {{ words }} over twelve months lies at percentile ' || {{ number_text('percentile', 0) }}
        || ' of the months since 1990' as finding
    from volatility_by_family
    where family = '{{ family }}'
    {% if not loop.last %}union all{% endif %}
{% endfor %}
