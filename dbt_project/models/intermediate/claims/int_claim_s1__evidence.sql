-- S1 seventies_analog. What the statement names (deficit, openness) from the newest macro state that has it; resemblance from
-- analog_summary; what came after look-alikes from analog_outcomes. A median of fewer than three windows is no figure: it would
-- be one episode's history.
{% set min_windows = 3 %}
with fiscal as (
    select * from {{ ref('macro_state') }}
    where deficit_above_mean_pp is not null
    order by month desc
    limit 1
),

openness as (
    select * from {{ ref('macro_state') }}
    where trade_openness_change_5y_pp is not null
    order by month desc
    limit 1
),

world_openness as (
    select * from {{ ref('macro_state') }}
    where world_trade_openness_change_5y_pp is not null
    order by month desc
    limit 1
),

outcomes as (
    select
        o.*,
        o.sample || '|' || o.asset || '|' || cast(o.horizon_months as varchar) as row_key,
        a.median_real_return_pct as usual_real_return_pct
    from {{ ref('analog_outcomes') }} as o
    inner join {{ ref('analog_outcomes') }} as a
        on a.sample = 'all' and o.asset = a.asset and o.horizon_months = a.horizon_months
    where o.horizon_months = 36 and o.months >= {{ min_windows }}
)

select
    'S1' as claim_id,
    'nearest_in_1970s_ratio' as indicator,
    nearest_in_1970s_ratio as value,
    false as is_lower_bound,
    reference_month as period,
    {{ month_end('reference_month') }} as period_end,
    known_at,
    'analog_summary' as source_table,
    cast(as_of as varchar) as source_key,
    cast(nearest_in_1970s as varchar) || ' of the ' || cast(nearest_months as varchar) || ' months most like '
    || {{ month_text('reference_month') }} || ' lie in the 1970s (' || {{ number_text('nearest_in_1970s_pct') }}
    || ' %, chance would put ' || {{ number_text('candidates_in_1970s_pct') }} || ' % there); the nearest is '
    || {{ month_text('nearest_month') }} || ', compared over ' || cast(reference_dimensions as varchar)
    || ' of 8 parts of the state' as finding
from {{ ref('analog_summary') }}

union all

select
    'S1' as claim_id,
    'share_of_rotations' as indicator,
    share_of_rotations as value,
    false as is_lower_bound,
    reference_month as period,
    {{ month_end('reference_month') }} as period_end,
    known_at,
    'analog_summary' as source_table,
    cast(as_of as varchar) as source_key,
    'of all stretches of months as long as the 1970s, ' || {{ number_text('100 * share_of_rotations', 0) }}
    || ' % hold at least as many of the nearest months as the 1970s do' as finding
from {{ ref('analog_summary') }}

union all

select
    'S1' as claim_id,
    'independent_windows' as indicator,
    independent_windows as value,
    false as is_lower_bound,
    reference_month as period,
    {{ month_end('reference_month') }} as period_end,
    known_at,
    'analog_summary' as source_table,
    cast(as_of as varchar) as source_key,
    'the nearest months are ' || cast(independent_windows as varchar) || ' independent windows ('
    || independent_window_months || ')' as finding
from {{ ref('analog_summary') }}

union all

select
    'S1' as claim_id,
    'deficit_above_mean_pp' as indicator,
    deficit_above_mean_pp as value,
    false as is_lower_bound,
    {{ month_of('deficit_fiscal_year_end') }} as period,
    deficit_fiscal_year_end as period_end,
    known_at,
    'macro_state' as source_table,
    cast(month as varchar) as source_key,
    'the deficit of the fiscal year to ' || {{ month_text('deficit_fiscal_year_end') }} || ' was '
    || {{ number_text('deficit_pct_gdp') }} || ' % of GDP, ' || {{ number_text('abs(deficit_above_mean_pp)') }} || ' points '
    || case when deficit_above_mean_pp < 0 then 'below' else 'above' end || ' the mean since 1960' as finding
from fiscal

union all

select
    'S1' as claim_id,
    'trade_openness_change_5y_pp' as indicator,
    trade_openness_change_5y_pp as value,
    false as is_lower_bound,
    {{ month_of('trade_openness_year_end') }} as period,
    trade_openness_year_end as period_end,
    known_at,
    'macro_state' as source_table,
    cast(month as varchar) as source_key,
    'US exports plus imports in ' || cast(year(trade_openness_year_end) as varchar) || ' were '
    || {{ number_text('abs(trade_openness_change_5y_pp)') }} || ' points of GDP '
    || case when trade_openness_change_5y_pp < 0 then 'lower' else 'higher' end || ' than five years before' as finding
from openness

union all

select
    'S1' as claim_id,
    'world_trade_openness_change_5y_pp' as indicator,
    world_trade_openness_change_5y_pp as value,
    false as is_lower_bound,
    {{ month_of('world_trade_openness_year_end') }} as period,
    world_trade_openness_year_end as period_end,
    known_at,
    'macro_state' as source_table,
    cast(month as varchar) as source_key,
    'world exports plus imports in ' || cast(year(world_trade_openness_year_end) as varchar) || ' were '
    || {{ number_text('abs(world_trade_openness_change_5y_pp)') }} || ' points of GDP '
    || case when world_trade_openness_change_5y_pp < 0 then 'lower' else 'higher' end || ' than five years before' as finding
from world_openness

union all

select
    'S1' as claim_id,
    case when sample = 'seventies' then 'seventies_' else 'analog_' end || asset || '_real_excess_36m_pp' as indicator,
    median_real_excess_pp as value,
    false as is_lower_bound,
    reference_month as period,
    {{ month_end('reference_month') }} as period_end,
    known_at,
    'analog_outcomes' as source_table,
    row_key as source_key,
    'in the 36 months after ' || case
        when sample = 'seventies' then 'months of the 1970s'
        else 'the ' || cast(months as varchar) || ' independent windows most like ' || {{ month_text('reference_month') }}
    end || case asset when 'gold' then ' gold' else ' base metals' end || ' moved by a median '
    || {{ number_text('median_real_return_pct') }} || ' % in real terms, after all months by '
    || {{ number_text('usual_real_return_pct') }} || ' %' as finding
from outcomes
where sample in ('independent_windows', 'seventies')
