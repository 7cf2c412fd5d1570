-- C6 money_leads_ppi. Strength is read at the stated lead of six months, fixed beforehand: the band at whichever of nineteen
-- leads came out best would flatter. Which leads the data allows is a set (lead_lag_money_ppi.in_confidence_set_95), not the top of a
-- flat curve: six in it and none at all not in it supports (1), six not in it contradicts (-1), both in it decide nothing (0).
-- That the gap "has turned up" has a date: the finding says from when to when it was so.
{% set stated_lag_months = 6 %}
{% set at_stated_lag = {'rows': 'at_stated_lag', 'key': "'full|" ~ stated_lag_months ~ "'"} %}
with sets as (
    select
        sample,
        min(case when in_confidence_set_95 then lag_months end) as first_lead_months,
        max(case when in_confidence_set_95 then lag_months end) as last_lead_months,
        max(case when is_max then lag_months end) as best_lead_months,
        max(case when is_max then correlation end) as best_correlation,
        max(case when lag_months = {{ stated_lag_months }} then correlation end) as stated_correlation,
        case
            when not bool_or(in_confidence_set_95 and lag_months = {{ stated_lag_months }}) then -1
            when bool_or(in_confidence_set_95 and lag_months = 0) then 0
            else 1
        end as sign,
        max(last_month) as last_month,
        max(known_at) as known_at
    from {{ ref('lead_lag_money_ppi') }}
    group by sample
    having bool_or(in_confidence_set_95)
),

full_set as (
    select * from sets
    where sample = 'full'
),

at_stated_lag as (
    select * from {{ ref('lead_lag_money_ppi') }}
    where sample = 'full' and lag_months = {{ stated_lag_months }}
),

stability as (
    select
        min(sign) as least_sign,
        sum(case when sign = 1 then 1 else 0 end) as samples_with,
        sum(case when sign = -1 then 1 else 0 end) as samples_without,
        max(last_month) as last_month,
        max(known_at) as known_at
    from sets
    where sample in ('2008_2014', '2015_2019', '2020_now')
    having count(*) = 3
),

turns as (
    select
        *,
        max(case when turning_point_kind = 'trough' then turning_point_month end)
            over (order by month rows between unbounded preceding and current row) as last_trough_month
    from {{ ref('divergence_money_ppi') }}
)

{{ evidence('C6', [
    {'indicator': 'stated_lead_in_confidence_set', 'value': 'sign', 'rows': 'full_set', 'key': "'full|" ~ stated_lag_months ~ "'"},
    dict(at_stated_lag, indicator='correlation_at_6m_lower_95', value='correlation_lower_95'),
    dict(at_stated_lag, indicator='gain_over_lag_0_lower_95', value='difference_lower_95'),
    {
        'indicator': 'stated_lead_in_every_subperiod',
        'value': 'least_sign',
        'rows': 'stability',
        'key': "'2020_now|" ~ stated_lag_months ~ "'",
    },
    {
        'indicator': 'last_turn_is_upward',
        'value': "case turning_point_kind when 'trough' then 1.0 else -1.0 end",
        'mart': 'divergence_money_ppi',
        'rows': 'turns',
        'where': 'gap_pp is not null and turning_point_kind is not null',
        'newest': 'month',
        'period': 'month',
        'key': 'cast(month as varchar)',
        'words': {
            'up_since': "case when turning_point_kind = 'trough' then turning_point_month end",
            'up_from': "case when turning_point_kind = 'peak' then last_trough_month end",
        },
    },
], {'mart': 'lead_lag_money_ppi', 'newest': none, 'period': 'last_month'}) }}
