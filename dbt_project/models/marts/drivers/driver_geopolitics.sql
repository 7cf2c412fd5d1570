-- Each index is read as its authors publish it and is only compared with its own past: bases and newspapers differ.
-- Five years of months before the first z-score: two years are too few for the mean of an index of rare events.
{% set min_months = 60 %}
{% set high_zscore = 1 %}
{% set indices = {
    'gpr_index': 'geopolitical_risk_index',
    'gpr_threats_index': 'geopolitical_threats_index',
    'gpr_acts_index': 'geopolitical_acts_index',
    'gpr_china_pct_of_articles': 'geopolitical_risk_china_pct_of_articles',
    'tpu_index': 'trade_policy_uncertainty_index',
    'epu_us_index': 'us_policy_uncertainty_index',
} %}
{% set wanted = indices.values() | list %}
with monthly as (
    select
        period as month,
        {% for column, indicator in indices.items() -%}
            {{ indicator_value(indicator) }} as {{ column }},
        {% endfor -%}
        max(known_at) as month_known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id in ('{{ wanted | join("', '") }}')
    group by period
),

scored as (
    select
        *,
        {% for column in indices -%}
            {{ expanding_zscore(column, 'month', min_rows=min_months) }}
                as {{ column | replace('_pct_of_articles', '') | replace('_index', '') }}_zscore_expanding,
        {% endfor -%}
        -- A z-score becomes known with the latest figure in its history: these indices are revised.
        max(month_known_at) over (order by month rows between unbounded preceding and current row) as known_at
    from monthly
)

select
    month,
    gpr_index,
    100 * (gpr_index / {{ months_earlier('gpr_index', 12, 'month') }} - 1) as gpr_change_12m_pct,
    gpr_zscore_expanding,
    gpr_zscore_expanding >= {{ high_zscore }} as gpr_is_high,
    {{ share_of_months('(gpr_zscore_expanding >= ' ~ high_zscore ~ ')', 12, 'month') }} as gpr_high_share_12m_pct,
    gpr_threats_index,
    gpr_threats_zscore_expanding,
    gpr_acts_index,
    gpr_acts_zscore_expanding,
    gpr_china_pct_of_articles,
    gpr_china_zscore_expanding,
    tpu_index,
    100 * (tpu_index / {{ months_earlier('tpu_index', 12, 'month') }} - 1) as tpu_change_12m_pct,
    tpu_zscore_expanding,
    tpu_zscore_expanding >= {{ high_zscore }} as tpu_is_high,
    {{ share_of_months('(tpu_zscore_expanding >= ' ~ high_zscore ~ ')', 12, 'month') }} as tpu_high_share_12m_pct,
    epu_us_index,
    100 * (epu_us_index / {{ months_earlier('epu_us_index', 12, 'month') }} - 1) as epu_us_change_12m_pct,
    epu_us_zscore_expanding,
    epu_us_zscore_expanding >= {{ high_zscore }} as epu_us_is_high,
    {{ share_of_months('(epu_us_zscore_expanding >= ' ~ high_zscore ~ ')', 12, 'month') }} as epu_us_high_share_12m_pct,
    known_at
from scored
