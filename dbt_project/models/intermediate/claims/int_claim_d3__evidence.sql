-- D3 trade_tightness. The statement has links that can break one by one: copper and silver are listed; a barrier on the metal
-- itself (not on what is made of it) is in force; metal costs more inside the United States than the way there explains; and
-- stocks outside fall. A duty whose coverage was not read makes the rate a lower bound.
with policy as (
    select *
    from {{ ref('driver_trade_policy') }}
    where metal_id in ('copper', 'silver')
    qualify row_number() over (partition by metal_id order by month desc) = 1
),

both_metals as (
    select
        max(month) as month,
        max(status_on) as status_on,
        count(*) filter (where is_critical_mineral) as listed,
        max(critical_minerals_list_id) as list_id,
        max(critical_minerals_list_published_on) as list_published_on,
        max(known_at) as known_at
    from policy
    having count(is_critical_mineral) = 2
),

threat as (
    select * from policy
    where metal_id = 'copper'
),

tightness as (
    select * from {{ ref('divergence_trade_tightness') }}
),

premiums as (
    select * from tightness
    where metal_id in ('copper', 'silver') and premium_pct is not null
    qualify row_number() over (partition by metal_id order by month desc) = 1
),

outside as (
    select * from tightness
    where metal_id = 'copper' and stock_outside_us_change_12m_pct is not null
    order by month desc
    limit 1
),

shares as (
    select * from tightness
    where metal_id = 'copper' and us_share_of_stock_pct is not null
    order by month desc
    limit 1
),

duties as (
    select * from tightness
    where metal_id = 'copper' and customs_duties_pct_of_imports is not null
    order by month desc
    limit 1
),

uncertainty as (
    select * from {{ ref('driver_trade_policy') }}
    where metal_id = 'copper' and trade_policy_uncertainty_zscore_expanding is not null
    order by month desc
    limit 1
)

select
    'D3' as claim_id,
    'copper_and_silver_listed' as indicator,
    cast(listed as double) as value,
    false as is_lower_bound,
    month as period,
    status_on as period_end,
    known_at,
    'driver_trade_policy' as source_table,
    'copper|' || cast(month as varchar) as source_key,
    'of copper and silver, ' || cast(listed as varchar) || ' of 2 stand on the list of critical minerals of '
    || cast(list_published_on as varchar) as finding
from both_metals

union all

select
    'D3' as claim_id,
    'refined_' || metal_id || '_rate_pct' as indicator,
    refined_rate_pct as value,
    refined_measures_unread > 0 as is_lower_bound,
    month as period,
    status_on as period_end,
    known_at,
    'driver_trade_policy' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    case
        when refined_rate_pct > 0
            then 'a general duty of ' || {{ number_text('refined_rate_pct') }} || ' % on refined ' || metal_id || ' is in force'
        else 'no general duty on refined ' || metal_id || ' is in force'
    end
    || case
        when highest_rate_pct > refined_rate_pct
            then ' (the ' || {{ number_text('highest_rate_pct', 0) }} || ' % in force is on products made of it)'
        else ''
    end
    || case
        when refined_measures_unread > 0
            then ', as far as read: whether ' || refined_measures_unread_ids || ' covers it was not read'
        else ''
    end as finding
from policy

union all

select
    'D3' as claim_id,
    'refined_copper_rate_proposed_pct' as indicator,
    coalesce(refined_rate_proposed_pct, 0) as value,
    false as is_lower_bound,
    month as period,
    status_on as period_end,
    known_at,
    'driver_trade_policy' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    case
        when refined_rate_proposed_pct is null then 'no duty on refined copper is proposed'
        else
            'duties of up to ' || {{ number_text('refined_rate_proposed_pct', 0) }} || ' % on refined copper are proposed, from '
            || cast(refined_rate_proposed_from as varchar) || ' at the earliest'
    end as finding
from threat

union all

select
    'D3' as claim_id,
    'us_premium_' || metal_id || '_pct' as indicator,
    premium_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    us_venue || ' ' || metal_id || ' stood ' || {{ number_text('abs(premium_pct)') }} || ' % '
    || case when premium_pct < 0 then 'below' else 'over' end || ' the world price in '
    || {{ month_text('month') }} || ' (' || {{ number_text('premium_usd_per_tonne', 0) }} || ' US dollars per tonne)' as finding
from premiums

union all

select
    'D3' as claim_id,
    'copper_stock_outside_us_change_12m_pct' as indicator,
    stock_outside_us_change_12m_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    'exchange stocks of copper outside COMEX were ' || {{ number_text('stock_outside_us_tonnes / 1000', 0) }}
    || ' thousand tonnes at the end of ' || {{ month_text('month') }} || ', '
    || {{ number_text('stock_outside_us_change_12m_pct') }} || ' % on a year before' as finding
from outside

union all

select
    'D3' as claim_id,
    'copper_us_share_of_stock_pct' as indicator,
    us_share_of_stock_pct as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    'COMEX held ' || {{ number_text('us_share_of_stock_pct', 0) }} || ' % of the copper on three exchanges at the end of '
    || {{ month_text('month') }} as finding
from shares

union all

select
    'D3' as claim_id,
    'customs_duties_pct_of_imports' as indicator,
    customs_duties_pct_of_imports as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'divergence_trade_tightness' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    'customs duties were ' || {{ number_text('customs_duties_pct_of_imports') }} || ' % of US goods imports in '
    || {{ month_text('month') }} as finding
from duties

union all

select
    'D3' as claim_id,
    'trade_policy_uncertainty_zscore' as indicator,
    trade_policy_uncertainty_zscore_expanding as value,
    false as is_lower_bound,
    month as period,
    {{ month_end('month') }} as period_end,
    known_at,
    'driver_trade_policy' as source_table,
    metal_id || '|' || cast(month as varchar) as source_key,
    'trade policy uncertainty stood at ' || {{ number_text('trade_policy_uncertainty_index', 0) }} || ' in ' || {{ month_text('month') }}
    || ', ' || {{ deviations_text('trade_policy_uncertainty_zscore_expanding') }}
    || ' its mean since 1960 (an index of news, quiet for years at a time)' as finding
from uncertainty
