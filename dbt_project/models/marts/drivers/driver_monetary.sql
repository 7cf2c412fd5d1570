-- Daily figures become months by one rule (macro is_whole_month): a mean of part of a month is no figure, and the row says why.
-- Breakeven is nominal minus real over the days that have both: FRED's own breakeven is computed by the
-- Federal Reserve Bank of St. Louis and falls under the channel's terms, the two yields are the Board's.
with daily as (
    select
        period as day,
        {{ indicator_value('us_treasury_10y_pct') }} as nominal_10y_yield_pct,
        {{ indicator_value('us_treasury_10y_real_pct') }} as real_10y_yield_pct,
        {{ indicator_value('us_broad_dollar_index') }} as broad_dollar_index,
        max(known_at) as known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id in ('us_treasury_10y_pct', 'us_treasury_10y_real_pct', 'us_broad_dollar_index')
    group by period
),

counted as (
    select
        {{ month_of('day') }} as month,
        {{ exact_mean('nominal_10y_yield_pct') }} as nominal_10y_yield_pct,
        {{ exact_mean('real_10y_yield_pct') }} as real_10y_yield_pct,
        {{ exact_mean('nominal_10y_yield_pct - real_10y_yield_pct') }} as breakeven_10y_pct,
        {{ exact_mean('broad_dollar_index') }} as broad_dollar_index,
        {% for series in ['nominal_10y_yield_pct', 'real_10y_yield_pct', 'breakeven_10y_pct', 'broad_dollar_index'] %}
            {%- set figure = series.replace('breakeven_10y_pct', 'nominal_10y_yield_pct - real_10y_yield_pct') -%}
            {%- set name = series.replace('_pct', '').replace('_index', '') -%}
            count({{ figure }}) as {{ name }}_days,
            max(case when {{ figure }} is not null then day end) as {{ name }}_last_day,
        {% endfor %}
        max(known_at) as known_at
    from daily
    group by {{ month_of('day') }}
),

of_days as (
    select
        * replace (
            {% for series in ['nominal_10y_yield_pct', 'real_10y_yield_pct', 'breakeven_10y_pct', 'broad_dollar_index'] %}
                {%- set name = series.replace('_pct', '').replace('_index', '') -%}
                case when {{ is_whole_month('month', name ~ '_days', name ~ '_last_day') }} then {{ series }} end as {{ series }}
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        ),
        coalesce(
            {{ part_of_month_reason('month', 'real_10y_yield_days', 'real_10y_yield_last_day', 'real yields') }},
            {{ part_of_month_reason('month', 'nominal_10y_yield_days', 'nominal_10y_yield_last_day', 'nominal yields') }},
            {{ part_of_month_reason('month', 'broad_dollar_days', 'broad_dollar_last_day', 'dollar indices') }}
        ) as gap_reason
    from counted
),

fed_funds as (
    select
        period as month,
        value as fed_funds_pct,
        known_at
    from {{ ref('int_indicators__resolved') }}
    where indicator_id = 'us_fed_funds_pct'
),

months as (
    select
        coalesce(of_days.month, fed_funds.month) as month,
        fed_funds.fed_funds_pct,
        of_days.nominal_10y_yield_pct,
        of_days.real_10y_yield_pct,
        of_days.breakeven_10y_pct,
        of_days.broad_dollar_index,
        coalesce(of_days.nominal_10y_yield_days, 0) as nominal_10y_yield_days,
        coalesce(of_days.real_10y_yield_days, 0) as real_10y_yield_days,
        coalesce(of_days.broad_dollar_days, 0) as broad_dollar_days,
        case
            when of_days.month is null then 'no yields and no dollar index of the month'
            else of_days.gap_reason
        end as gap_reason,
        greatest(
            coalesce(of_days.known_at, fed_funds.known_at), coalesce(fed_funds.known_at, of_days.known_at)
        ) as known_at
    from of_days
    full outer join fed_funds on of_days.month = fed_funds.month
),

shifts as (
    select
        *,
        fed_funds_pct - {{ months_earlier('fed_funds_pct', 12, 'month') }} as fed_funds_change_12m_pp
    from months
)

select
    month,
    {{ month_end('month') }} <= {{ as_of_date() }}
    {% for series in ['nominal_10y_yield_pct', 'real_10y_yield_pct', 'broad_dollar_index'] %}
        and ({{ series }} is not null or {{ series.replace('_pct', '').replace('_index', '') }}_days = 0)
    {% endfor %} as month_is_complete,
    fed_funds_pct,
    fed_funds_change_12m_pp,
    {{ expanding_zscore('fed_funds_pct', 'month') }} as fed_funds_zscore,
    -- How large a shift is, up or down, by the standards of its time; five years of shifts before the first score.
    {{ expanding_zscore('abs(fed_funds_change_12m_pp)', 'month', min_rows=60) }} as fed_funds_shift_zscore_expanding,
    nominal_10y_yield_pct,
    nominal_10y_yield_pct - {{ months_earlier('nominal_10y_yield_pct', 12, 'month') }} as nominal_10y_yield_change_12m_pp,
    {{ expanding_zscore('nominal_10y_yield_pct', 'month') }} as nominal_10y_yield_zscore,
    real_10y_yield_pct,
    real_10y_yield_pct - {{ months_earlier('real_10y_yield_pct', 12, 'month') }} as real_10y_yield_change_12m_pp,
    {{ expanding_zscore('real_10y_yield_pct', 'month') }} as real_10y_yield_zscore,
    breakeven_10y_pct,
    breakeven_10y_pct - {{ months_earlier('breakeven_10y_pct', 12, 'month') }} as breakeven_10y_change_12m_pp,
    {{ expanding_zscore('breakeven_10y_pct', 'month') }} as breakeven_10y_zscore,
    broad_dollar_index,
    100 * (broad_dollar_index / {{ months_earlier('broad_dollar_index', 12, 'month') }} - 1) as broad_dollar_change_12m_pct,
    {{ expanding_zscore('broad_dollar_index', 'month') }} as broad_dollar_zscore,
    nominal_10y_yield_days,
    real_10y_yield_days,
    broad_dollar_days,
    gap_reason,
    -- A z-score becomes known with the latest figure in its history.
    max(known_at) over (order by month rows between unbounded preceding and current row) as known_at
from shifts
