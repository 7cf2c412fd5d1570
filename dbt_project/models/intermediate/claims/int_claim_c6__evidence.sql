-- C6 money_leads_ppi. Strength is read at the stated lag of six months, fixed beforehand: the band at whichever of nineteen
-- lags came out best would flatter. Where the best lag lies is an indicator of its own, in all data and by sub-period.
{% set stated_lag_months = 6 %}
{% set at_stated_lag = {'rows': 'at_stated_lag', 'key': "'full|" ~ stated_lag_months ~ "'"} %}
with best as (
    select * from {{ ref('lead_lag_money_ppi') }}
    where is_max
),

full_best as (
    select * from best
    where sample = 'full'
),

at_stated_lag as (
    select * from {{ ref('lead_lag_money_ppi') }}
    where sample = 'full' and lag_months = {{ stated_lag_months }}
),

stability as (
    select
        count(*) as samples,
        sum(case when lag_months between 4 and 8 then 1 else 0 end) as samples_within,
        min(lag_months) as shortest_lag_months,
        max(lag_months) as longest_lag_months,
        max(last_month) as last_month,
        max(known_at) as known_at
    from best
    where sample in ('2008_2014', '2015_2019', '2020_now')
    having count(*) = 3
)

{{ evidence('C6', [
    {'indicator': 'lag_of_max_months', 'value': 'lag_months', 'rows': 'full_best', 'key': "'full|' || cast(lag_months as varchar)"},
    dict(at_stated_lag, indicator='correlation_at_6m_lower_95', value='correlation_lower_95'),
    dict(at_stated_lag, indicator='gain_over_lag_0_lower_95', value='difference_lower_95'),
    {
        'indicator': 'subperiods_with_stated_lag',
        'value': 'samples_within',
        'rows': 'stability',
        'key': "'2020_now|" ~ stated_lag_months ~ "'",
    },
    {
        'indicator': 'last_turn_is_upward',
        'value': "case turning_point_kind when 'trough' then 1.0 else -1.0 end",
        'mart': 'divergence_money_ppi',
        'rows': ref('divergence_money_ppi'),
        'where': 'gap_pp is not null and turning_point_kind is not null',
        'newest': 'month',
        'period': 'month',
        'key': 'cast(month as varchar)',
    },
], {'mart': 'lead_lag_money_ppi', 'newest': none, 'period': 'last_month'}) }}
