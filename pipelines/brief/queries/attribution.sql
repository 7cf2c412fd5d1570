-- Shares of each metal's variance that go with groups of drivers: regression over the newest months.
select
    m.name as metal,
    a.month,
    a.months_used,
    100 * a.r_squared_adjusted as explained_pct,
    100 * a.share_macro as macro_pct,
    100 * a.share_china as china_pct,
    100 * a.share_trade as trade_pct,
    100 * a.share_geopolitics as geopolitics_pct,
    100 * a.share_ai as ai_pct,
    100 * a.oos_macroeconomy_r_squared as out_of_sample_pct
from metal_attribution as a
inner join metals as m using (metal_id)
where
    a.r_squared_adjusted is not null
    {{ and_not_own_use('metal_attribution', "a.metal_id || '|' || a.month") }}
qualify a.month = max(a.month) over ()
order by explained_pct desc, m.name
