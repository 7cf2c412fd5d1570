-- D3 trade_tightness. The statement has links that can break one by one: copper and silver are listed; a barrier on the metal
-- itself (not on what is made of it) is in force; metal costs more inside the United States than the way there explains; and
-- stocks outside fall. A duty whose coverage was not read makes the rate a lower bound.
{% set by_metal = "metal_id || '|' || cast(month as varchar)" %}
{% set of_policy = {
    'mart': 'driver_trade_policy', 'newest': none, 'period_end': 'status_on', 'label': period_text('status_on', "'daily'"), 'key': by_metal
} %}
{% set of_copper = {'mart': 'divergence_trade_tightness', 'where': "metal_id = 'copper'", 'key': by_metal} %}
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
        max(critical_minerals_list_published_on) as list_published_on,
        max(known_at) as known_at
    from policy
    having count(is_critical_mineral) = 2
),

premiums as (
    select
        t.*,
        u.usd_per_tonne_factor
    from {{ ref('divergence_trade_tightness') }} as t
    inner join {{ ref('unit_conversions') }} as u on u.unit = 'usd_per_troy_ounce' and u.series_id is null
    where t.metal_id in ('copper', 'silver') and t.premium_pct is not null
    qualify row_number() over (partition by t.metal_id order by t.month desc) = 1
)

{{ evidence('D3', [
    dict(
        of_policy,
        indicator='copper_and_silver_listed', value='listed', rows='both_metals', key="'copper|' || cast(month as varchar)"
    ),
    dict(
        of_policy,
        indicator='refined_{metal_id}_rate_pct', value='refined_rate_pct', rows='policy',
        is_lower_bound='refined_measures_unread > 0',
        words={
            'duty': "case when refined_rate_pct > 0 then 'a general duty of ' || " ~ number_text('refined_rate_pct')
                ~ " || ' %' else 'no general duty' end",
            'on_products': "case when highest_rate_pct > refined_rate_pct then ' (the ' || " ~ number_text('highest_rate_pct', 0)
                ~ " || ' % in force is on products made of it)' else '' end",
            'unread': "case when refined_measures_unread > 0 then ', as far as read: whether ' || refined_measures_unread_ids"
                ~ " || ' covers it was not read' else '' end",
        }
    ),
    dict(
        of_policy,
        indicator='refined_copper_rate_proposed_pct', value='coalesce(refined_rate_proposed_pct, 0)', rows='policy',
        where="metal_id = 'copper'", words={'no_duty': "case when refined_rate_proposed_pct is null then 'no duty' end"}
    ),
    dict(
        of_copper,
        indicator='us_premium_{metal_id}_pct', value='premium_pct', rows='premiums', where='true', newest=none,
        words={'premium_usd_per_troy_ounce': 'premium_usd_per_tonne / usd_per_tonne_factor'}
    ),
    dict(
        of_copper,
        indicator='copper_stock_outside_us_change_12m_pct', value='stock_outside_us_change_12m_pct',
        words={'stock_outside_us_thousand_tonnes': 'stock_outside_us_tonnes / 1000'}
    ),
    dict(of_copper, indicator='copper_us_share_of_stock_pct', value='us_share_of_stock_pct'),
    dict(of_copper, indicator='customs_duties_pct_of_imports'),
    dict(
        of_copper,
        indicator='trade_policy_uncertainty_zscore', value='trade_policy_uncertainty_zscore_expanding', mart='driver_trade_policy'
    ),
]) }}
