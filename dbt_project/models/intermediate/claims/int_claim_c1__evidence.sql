-- C1 fiscal_support. Two questions decide: did the part of the deficit that unemployment does not explain widen, and was the
-- labour market weak when it did (twelve months); and the same of the deficit itself in the last closed fiscal year, with
-- industrial production for the cycle. A widening in a strong economy counts against: it is expansion, not counter-cyclical.
-- Without an expansion there is none to judge, whatever the labour market: the newest months with a deficit then say so,
-- instead of an older month in which there was one. An expansion in an unknown labour market, or an unknown change, has no figure.
-- Levels and plain changes are supporting: they cannot tell a downturn from a boom. A line of its own asks what the statement says of
-- metals: how real prices moved in the year after impulses of the past; industry beside it.
{% set expansion_pp = 0.5 %}
{% set no_expansion = "'no expansion is under way to judge'" %}
{% set of_the_fiscal_year = {'rows': 'fiscal_year', 'period': fiscal_year_start('fiscal_year'), 'frequency': 'us_fiscal_year'} %}
with fiscal_year as (
    select * from {{ ref('driver_fiscal') }}
    where deficit_fy_pct_gdp is not null
    order by fiscal_year desc, month asc
    limit 1
),

-- One publisher may be a month or two behind the other.
newest_months as (
    select * from {{ ref('driver_fiscal') }}
    where month >= (
        select max(case when d.deficit_12m_pct_gdp is not null then d.month end) from {{ ref('driver_fiscal') }} as d
    ) - interval 2 month
)

{{ evidence('C1', [
    {
        'indicator': 'counter_cyclical_impulse_12m_pp',
        'rows': 'newest_months',
        'value': 'coalesce(counter_cyclical_impulse_12m_pp, case when round(deficit_12m_change_pp, 1) < ' ~ expansion_pp
            ~ ' then 0.0 end)',
        'words': {
            'none_to_judge': 'case when round(abs(counter_cyclical_impulse_12m_pp), 1) < ' ~ expansion_pp ~ ' then '
                ~ no_expansion ~ ' end',
            'none_to_judge_of_the_deficit': 'case when counter_cyclical_impulse_12m_pp is null and round(deficit_12m_change_pp, 1) < '
                ~ expansion_pp ~ ' then ' ~ no_expansion ~ ' end',
        },
    },
    dict(
        of_the_fiscal_year,
        indicator='counter_cyclical_expansion_fy_pp',
        words={
            'none_to_judge': 'case when round(abs(counter_cyclical_expansion_fy_pp), 1) < ' ~ expansion_pp ~ ' then '
                ~ "'no expansion to judge' end",
        }
    ),
    {
        'indicator': '{outcome}_response_12m_pct_per_pp',
        'value': 'slope_pct_per_pp',
        'low': 'slope_lower_95_pct_per_pp',
        'high': 'slope_upper_95_pct_per_pp',
        'where': 'horizon_months = 12',
        'mart': 'fiscal_responses',
        'rows': ref('fiscal_responses'),
        'newest': none,
        'period': 'last_month',
        'key': "outcome || '|' || cast(horizon_months as varchar)",
    },
    {'indicator': 'deficit_not_explained_by_unemployment_pct_gdp'},
    {'indicator': 'deficit_slope_on_unemployment_pp_per_pp', 'has': 'deficit_not_explained_by_unemployment_pct_gdp'},
    {'indicator': 'net_interest_12m_pct_of_receipts'},
    {'indicator': 'deficit_12m_pct_gdp'},
    {'indicator': 'deficit_12m_change_pp', 'has': 'deficit_12m_pct_gdp'},
    dict(of_the_fiscal_year, indicator='deficit_fy_pct_gdp'),
    dict(of_the_fiscal_year, indicator='deficit_fy_change_pp', has='deficit_fy_pct_gdp'),
], {'mart': 'driver_fiscal'}) }}
