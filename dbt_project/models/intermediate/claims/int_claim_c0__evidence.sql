-- C0 volatility. Does the volatility of metals go with that of the macroeconomy and of the thesis's two engines, for each of the three
-- families that the statement names, since 1990 and over ten years (metal_volatility_drivers)? The whole band decides. Beside the rule:
-- how far monthly returns go with changes of the macroeconomy, in the months themselves and out of sample.
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

-- With a driver of the returns missing their true share is this or higher.
{{ evidence('C0', [
    {
        'indicator': '{family}_volatility_share_{sample}',
        'value': 'share',
        'low': 'share_lower_95',
        'high': 'share_upper_95',
        'where': "driver_id = 'index' and share is not null",
        'mart': 'metal_volatility_drivers',
        'rows': ref('metal_volatility_drivers'),
        'key': "family || '|' || sample || '|' || driver_id",
        'period': 'last_month',
        'is_lower_bound': 'false',
        'words': {'drivers': "replace(replace(replace(drivers_used, 'fiscal', 'the deficit'), 'ai_capex', 'AI spending'), '_', ' ')"},
    },
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
