-- C0 volatility. How much of the variance of the last three years' monthly returns goes with the macroeconomy (US rates, expected
-- inflation, the dollar, China's money and exports)? Judged for each of the three families that the statement names, in the months
-- themselves and by what the five years before each month would have explained of it.
{% set judged = {
    'mart': 'metal_attribution_families', 'rows': 'newest', 'newest': none, 'key': "family || '|' || cast(month as varchar)",
    'is_lower_bound': 'not macroeconomy_is_complete'
} %}
with newest as (
    select * from {{ ref('metal_attribution_families') }}
    where family in ('precious', 'platinum_group', 'base')
    qualify row_number() over (partition by family order by month desc) = 1
),

-- How volatile the last twelve months were, by the standards of the metal's own months.
volatility_by_family as (
    select
        n.family,
        n.month,
        avg(p.realised_volatility_12m_percentile order by p.metal_id) as percentile,
        max(p.known_at) as known_at
    from newest as n
    inner join {{ ref('metals') }} as m on n.family = m.family
    inner join {{ ref('metal_prices') }} as p on m.metal_id = p.metal_id and p.frequency = 'monthly' and n.month = p.period
    where p.realised_volatility_12m_percentile is not null
    group by n.family, n.month
)

-- With a driver missing the true share is this or higher.
{{ evidence('C0', [
    {
        'indicator': '{family}_macroeconomy_share_36m',
        'value': 'recent_macroeconomy_r_squared_adjusted',
        'where': 'recent_macroeconomy_r_squared_adjusted is not null',
        'words': {'share': 'greatest(recent_macroeconomy_r_squared_adjusted, 0)'},
    },
    {
        'indicator': '{family}_macroeconomy_oos_r_squared',
        'value': 'oos_macroeconomy_r_squared',
        'where': 'oos_macroeconomy_r_squared is not null',
        'words': {'explains': 'oos_macroeconomy_r_squared > 0'},
    },
    {
        'indicator': '{family}_macroeconomy_significant_share',
        'value': 'oos_macroeconomy_significant_share',
        'where': 'oos_macroeconomy_significant_share is not null',
    },
    {
        'indicator': '{family}_volatility_percentile',
        'value': 'percentile',
        'rows': 'volatility_by_family',
        'is_lower_bound': 'false',
    },
], judged) }}
