-- Exchange stocks by metal, newest month. Licensed for personal use.
select
    m.name as metal,
    t.month,
    t.comex_stock_tonnes,
    t.lme_stock_tonnes,
    t.shfe_stock_tonnes,
    t.us_share_of_stock_pct as us_share_pct,
    t.stock_outside_us_change_12m_pct as outside_us_yoy_pct
from divergence_trade_tightness as t
inner join metals as m using (metal_id)
where
    coalesce(t.comex_stock_tonnes, t.lme_stock_tonnes, t.shfe_stock_tonnes) is not null
    {{ and_not_own_use('divergence_trade_tightness', "t.metal_id || '|' || t.month") }}
qualify t.month = max(t.month) over (partition by t.metal_id)
order by m.name
