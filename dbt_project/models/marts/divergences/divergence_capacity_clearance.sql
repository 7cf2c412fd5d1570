-- Investing above depreciation adds capacity; doing so while losing money, or earning less than in three quarters of one's
-- own history, is the paradox. The history grows with time and never holds a later period. A quartile needs four years.
{% set quarters_needed = 16 %}
{% set years_needed = 4 %}
with periods as (
    select
        *,
        case when depreciation_usd > 0 then capex_usd / depreciation_usd end as capex_to_depreciation_ratio,
        case when revenue_usd > 0 then 100.0 * income_usd / revenue_usd end as margin_pct
    from {{ ref('int_producers__periods') }}
),

with_history as (
    select
        *,
        count(margin_pct) over (
            partition by company_id order by quarter_index rows between unbounded preceding and current row
        ) as margin_history_periods,
        case when reporting = 'year' then {{ years_needed }} else {{ quarters_needed }} end as margin_history_needed,
        {{ expanding_quantile('margin_pct', 0.25, 'quarter_index', 'company_id', 1) }} as margin_quartile_so_far_pct,
        max(known_at) over (
            partition by company_id order by quarter_index rows between unbounded preceding and current row
        ) as history_known_at
    from periods
),

judged as (
    select
        *,
        case
            when margin_history_periods >= margin_history_needed then margin_quartile_so_far_pct
        end as margin_lowest_quartile_pct,
        -- With no depreciation any spending would be an expansion: without a ratio the row is not judged.
        capex_to_depreciation_ratio > 1 as is_expanding,
        margin_pct < 0 as is_losing_money,
        case
            when margin_history_periods >= margin_history_needed then margin_pct < margin_quartile_so_far_pct
        end as is_margin_in_lowest_quartile
    from with_history
)

select
    sector,
    company_id,
    fiscal_year,
    fiscal_quarter,
    calendar_quarter,
    period_start,
    period_end,
    reporting,
    cast(capex_usd as double) as capex_12m_usd,
    cast(depreciation_usd as double) as depreciation_12m_usd,
    cast(revenue_usd as double) as revenue_12m_usd,
    cast(income_usd as double) as income_12m_usd,
    cast(margin_concept as varchar) as margin_concept,
    cast(capex_to_depreciation_ratio as double) as capex_to_depreciation_ratio,
    cast(margin_pct as double) as margin_pct,
    cast(margin_lowest_quartile_pct as double) as margin_lowest_quartile_pct,
    cast(margin_history_periods as integer) as margin_history_periods,
    is_expanding,
    is_losing_money,
    is_margin_in_lowest_quartile,
    -- Three-valued on purpose: a loss settles it without a quartile, and so does capex at or below depreciation without a margin.
    is_expanding and (is_losing_money or is_margin_in_lowest_quartile) as is_paradox,
    case
        when (is_expanding and (is_losing_money or is_margin_in_lowest_quartile)) is null
            then
                coalesce(
                    nullif(
                        concat_ws('; ', capex_missing, depreciation_missing, revenue_missing, income_missing), ''
                    ),
                    case
                        when capex_to_depreciation_ratio is null then 'depreciation is not above zero'
                        when margin_pct is null then 'revenue is not above zero'
                    end,
                    'no loss, and fewer than four years of margins to compare with'
                )
    end as gap_reason,
    accession_numbers,
    cast(history_known_at as timestamp) as known_at
from judged
